"""The census of columns that mix all formats: what every value is, told without its key. The values stand in
`testkit/fixtures/census.json`; JavaScript and Rust count the same."""

from __future__ import annotations

import base64
import itertools
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import reseal
from conversions import FORMS, Form
from reseal import codecs

FILE = Path(__file__).parents[1] / "testkit" / "fixtures" / "census.json"
CODECS = [
    codecs.reseal(reseal.Keyring(primary=reseal.Key.generate("data"))),
    codecs.fernet(keys=[base64.urlsafe_b64encode(bytes(32)).decode()]),
    codecs.django_fernet(secrets=["a secret that opens nothing"], salts=["a salt"]),
    codecs.fernet_fields(secrets=["a secret that opens nothing"]),
    codecs.django_cryptography(secrets=["a secret that opens nothing"]),
    codecs.sentry(keys={"other": base64.urlsafe_b64encode(bytes(32)).decode()}, primary="other"),
    codecs.rails(primary_keys=["another key"], key_derivation_salt="another salt"),
    codecs.metabase(keys=["a secret that opens nothing here"]),
    codecs.n8n(instance_keys=["a key that opens nothing here"]),
    codecs.freeboard(keys=[base64.b64encode(bytes(32)).decode()]),
    codecs.sqlalchemy_utils(keys=["a key that opens nothing here"], expect="json"),
    codecs.plain(),
]
#: Whose values are tokens, which do not show the library that derived their key.
OF_TOKENS = {"fernet", "django-fernet", "fernet-fields"}

Row = dict[str, Any]


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def rows(form: Form) -> list[tuple[Any, Row]]:
    """Stored values, and what is expected of each."""

    def stored(value: Any) -> Any:
        return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value

    return [(stored(row["stored"]), row) for row in document()[form]]


def column(form: Form) -> reseal.Column:
    """It has every codec, and of each another key than the values have."""
    binary = form == "binary"
    return reseal.Column(CODECS[0], CODECS[1:], binary=binary, type="bytes" if binary else "text")


@pytest.mark.parametrize("form", FORMS)
def test_the_columns_have_all_formats(form: Form) -> None:
    kinds = Counter(row["kind"] or "null" for _, row in rows(form))
    assert kinds == document()[f"{form}_counts"]
    # Values of django-cryptography are bytes alone.
    kinds_of_form = {codec.kind for codec in CODECS} - (
        {"django-cryptography"} if form == "text" else set()
    )
    assert {row["made_by"] for _, row in rows(form)} == {*kinds_of_form, None}
    assert set(kinds) == {*kinds_of_form - OF_TOKENS, "fernet", "null"}
    assert kinds.total() >= 200
    # In random order: the values of a kind do not stand together.
    order = [row["kind"] for _, row in rows(form)]
    assert sum(one != other for one, other in itertools.pairwise(order)) > len(order) / 2


@pytest.mark.parametrize("form", FORMS)
def test_the_census(form: Form) -> None:
    counts: Counter[str] = Counter()
    found = column(form).classify_many([stored for stored, _ in rows(form)])
    for (stored, row), shown in zip(rows(form), found, strict=True):
        assert isinstance(shown, reseal.Classified)
        assert (shown.codec, shown.key, shown.certainty) == (
            row["kind"],
            row["key"],
            row["certainty"],
        )
        assert shown.null == (stored is None)
        assert shown == column(form).classify(stored)
        counts["null" if shown.null else str(shown.codec)] += 1
    assert counts == document()[f"{form}_counts"]


@pytest.mark.parametrize("form", FORMS)
def test_the_census_without_any_codec(form: Form) -> None:
    for stored, row in rows(form):
        if stored is not None:
            kind, shown = codecs.recognize(stored)[0]
            assert (kind, shown.key, shown.certainty) == (row["kind"], row["key"], row["certainty"])


@pytest.mark.parametrize("form", FORMS)
def test_no_key_of_the_census_opens_anything(form: Form) -> None:
    """What is in a format stays unread, and what is in none is all that a reseal would change; but the
    plaintexts of Sentry open for everybody."""
    outcomes = column(form).reseal_many([stored for stored, _ in rows(form)])
    for (_, row), outcome in zip(rows(form), outcomes, strict=True):
        if isinstance(outcome, reseal.Resealed):
            assert outcome.from_.codec == row["kind"]
            assert row["kind"] in ("plain", "sentry")
        elif row["kind"] is None:
            assert isinstance(outcome, reseal.Null)
        else:
            assert isinstance(outcome, reseal.Refused)
            assert row["kind"] != "plain"
            codes = {"auth-failed", "unknown-key", "expect-required", "format-unsupported"}
            # A field of Sentry that is text holds no wrapper.
            assert outcome.code in codes | (
                {"format-mismatch"} if row["kind"] == "sentry" else set()
            )


def test_a_codec_alone_knows_its_own() -> None:
    """A column that has one codec tells the others' values apart from its own."""
    for codec in CODECS[:-1]:
        alone = reseal.Column(codec)
        for stored, row in rows("text"):
            shown = alone.classify(stored)
            if row["kind"] == ("fernet" if codec.kind in OF_TOKENS else codec.kind):
                assert (shown.codec, shown.certainty) == (codec.kind, row["certainty"])
            else:
                # It may look like a value of its own, and never surely.
                assert (shown.codec, shown.certainty) in ((None, None), (codec.kind, "maybe"))
