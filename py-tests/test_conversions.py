"""Every value through every pair of codecs: the shared values, whose refusals stand in the fixture, and
random ones."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import conversion_cases
import conversions
import pytest
import reseal
from conversions import FORMS, Pair, Refusal, cases
from hypothesis import given, settings
from hypothesis import strategies as st

few = settings(max_examples=1_000 if os.environ.get("RESEAL_ASSURE") else 25, deadline=None)

names = st.text("abcdef", min_size=1, max_size=4)
#: What every codec takes: a JSON object of less than 64 bytes. Bytes of 64 may be Metabase's.
documents = st.dictionaries(
    names, st.integers(0, 99) | st.sampled_from(["é", "🌍", ""]), max_size=3
)
anything = st.text(max_size=200) | st.binary(max_size=200)


def test_the_fixture_is_what_makes_it() -> None:
    document = json.loads(conversions.FILE.read_text(encoding="utf-8"))
    refused = document.pop("refused")
    assert document == json.loads(json.dumps(conversion_cases.made()))
    assert set(refused) < {str(at) for at in range(len(document["values"]))}


def test_the_fixture_has_every_kind_and_all_pairs() -> None:
    of = cases()
    assert {spec["kind"] for spec in of.specs.values()} == {
        *("plain", "reseal", "fernet", "sentry", "rails", "metabase", "n8n", "freeboard"),
        *("django-fernet", "fernet-fields", "django-cryptography", "sqlalchemy-utils"),
    }
    pairs = list(of.pairs())
    assert len(pairs) == len(set(pairs))
    for form in FORMS:
        count = len(of.names(form))
        # Two pairs of n8n and four of SQLAlchemy-Utils, each way, are left out.
        assert sum(pair.form == form for pair in pairs) == count * (count - 1) - 4 - 8


def test_the_shared_values_through_all_pairs() -> None:
    assert conversions.refusals(cases()) == cases().refused


def test_what_is_plain_and_short_goes_everywhere() -> None:
    """Of the shared values, so that the table above cannot be full of refusals."""
    of = cases()
    everywhere = {at for at in range(len(of.values)) if str(at) not in of.refused}
    assert {of.values[at] for at in everywhere} >= {"{}", '{"token":"é🌍"}'}
    assert len(everywhere) >= 5


@few
@given(document=documents)
def test_a_document_through_all_pairs(document: dict[str, Any]) -> None:
    value = json.dumps(document, ensure_ascii=False)
    for pair in cases().pairs():
        assert cases().outcome(pair, value) == "ok", pair


@few
@given(value=anything.filter(lambda value: not marked(value)))
def test_anything_through_all_pairs(value: str | bytes) -> None:
    """A column refuses to convert what it refuses to seal, with the same code, and nothing else."""
    of = cases()
    for pair in of.pairs():
        assert of.outcome(pair, value) == expected(pair, value), pair


def expected(pair: Pair, value: str | bytes) -> str:
    of, form = cases(), pair.form
    for step, write in (("enter", pair.source), ("move", pair.target), ("leave", "plain")):
        code = refusal(lambda write=write: of.column(form, value, write).seal(value, row=1))  # type: ignore[misc]
        if code is not None:
            return f"{step} {code}"
    return "ok"


def refusal(step: Callable[[], object]) -> str | None:
    try:
        step()
    except reseal.ResealError as error:
        return error.code
    return None


def marked(value: str | bytes) -> bool:
    """Whether some codec may take it for its own; the fixture has such values."""
    as_bytes = value.encode() if isinstance(value, str) else value
    return cases().shows(value) or cases().shows(as_bytes)


# --- the program ------------------------------------------------------------------------------


def test_values_come_back_that_were_moved_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved, back = str(tmp_path / "moved.jsonl"), str(tmp_path / "back.jsonl")
    assert conversions.main(["move", moved]) == 0
    assert conversions.main(["back", moved, back]) == 0
    assert conversions.main(["check", back]) == 0
    lines = [json.loads(line) for line in Path(moved).read_text(encoding="utf-8").splitlines()]
    assert len(lines) == len(list(cases().pairs()))
    # A difference is found: a value of another row, a code that is another, what does not open.
    items = lines[0]["items"]
    items[0], items[1], items[2] = items[1], {"refused": "auth-failed"}, "rs1."
    Path(moved).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    capsys.readouterr()
    assert conversions.main(["back", moved, back]) == 1
    assert capsys.readouterr().out.endswith("failed=3\n")


def test_a_file_without_all_pairs_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "moved.jsonl"
    file.write_text("")
    with pytest.raises(ValueError, match="shorter"):
        conversions.main(["check", str(file)])


def test_usage() -> None:
    assert conversions.main([]) == 2
    assert isinstance(conversions.read({"refused": "malformed"}), Refusal)
