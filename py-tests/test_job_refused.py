"""Values that cannot be opened stay as they are, are listed, and are repaired by name."""

from __future__ import annotations

import json

import pytest
import reseal
from cli_support import DATA, OLD, fixed_key
from job_support import CODECS, HERE, RING, Json, Place, column, total
from job_writers import Running

# The column writes under one key, and reads what is under another one; the third is in no ring.
OTHER = reseal.Keyring(OLD)
STRANGER = reseal.Keyring(fixed_key("data", 7))
FERNET = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
TOKENS = reseal.codecs.fernet(keys=[FERNET])
FOREIGN = reseal.codecs.fernet(keys=["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="])
WITH_TOKENS = CODECS | {"tokens": {"kind": "fernet", "keys": ["env:FERNET_KEY"]}}


def damaged(envelope: str) -> str:
    at = len(envelope) - 5
    return envelope[:at] + ("A" if envelope[at] != "A" else "B") + envelope[at + 1 :]


def sealed(text: str) -> str:
    return OTHER.seal(text, HERE)


#: What is refused, by the code of the error.
REFUSED = [
    (STRANGER.seal("a stranger's", HERE), "unknown-key"),
    (damaged(sealed("damaged")), "auth-failed"),
    (OTHER.seal("other context", {"table": "elsewhere"}), "auth-failed"),
    (sealed("cut")[:50], "malformed"),
    (FOREIGN.seal("foreign"), "auth-failed"),
    ("no format at all", "format-mismatch"),
    (TOKENS.seal(sealed("twice")), "double-encrypted"),
    (TOKENS.seal(TOKENS.seal("a token within")), "double-encrypted"),
]


def filled(base: Place) -> list[str | None]:
    """Each of them between values that are to be resealed."""
    texts: list[str | None] = []
    for value, _ in REFUSED:
        texts += [TOKENS.seal("fine"), value, None]
    base.env |= {"FERNET_KEY": FERNET, "RESEAL_DECRYPT_KEYS": OLD.export()}
    base.users(texts)
    base.describe(column(read=["tokens"]), codecs=WITH_TOKENS)
    return texts


def listed(base: Place) -> dict[str, str]:
    """The file of refused values, of the first pass."""
    lines = (base.folder / "refused.jsonl").read_text().splitlines()
    found: list[Json] = [json.loads(line) for line in lines]
    assert all(set(one) == {"table", "column", "row_id", "code", "pass"} for one in found)
    return {one["row_id"][0]: one["code"] for one in found if one["pass"] == 1}


def test_refused_values_stay(base: Place) -> None:
    texts = filled(base)
    census = base.report("census", code=1)
    assert census["columns"][0]["total"]["refused"] == {"format-mismatch": 1}
    report = base.report("apply", "--refused", "refused.jsonl", "--batch", "4", code=1)
    codes = {str(3 * n + 2): code for n, (_, code) in enumerate(REFUSED)}
    now = base.stored()
    assert listed(base) == codes
    counts = report["columns"][0]["total"]["refused"]
    assert counts == {code: list(codes.values()).count(code) for code in codes.values()}
    for was, value in zip(texts, now, strict=True):
        if was is None or was in [it for it, _ in REFUSED]:
            assert value == was
        else:
            assert RING.open_str(value, HERE) == "fine"
    # Every further run says so, and leaves them alone.
    assert total(base.report("apply", code=1)) == {
        "scanned": len(texts),
        "null": len(REFUSED),
        "current": len(REFUSED),
        "refused": len(REFUSED),
    }
    # What was encrypted twice opens: it is refused by who would seal it as it is.
    closed = {row: code for row, code in codes.items() if code != "double-encrypted"}
    said = base.run("verify", "--refused", "refused.jsonl", code=1).out
    assert f"{len(closed)} refused" in said
    assert listed(base) == closed
    assert base.stored() == now


def test_too_many_refused(base: Place) -> None:
    filled(base)
    before = base.stored()
    report = base.report("apply", "--max-refused", "2", "--batch", "1", code=1)
    assert report["end"] == "too-many-refused"
    now = base.stored()
    # The third of them ended it.
    moved = [n for n, (was, is_now) in enumerate(zip(before, now, strict=True)) if was != is_now]
    assert moved == [0, 3, 6]
    ended = base.run("apply", "--max-refused", "100", code=1)
    assert "goes on from where an earlier run stopped" in ended.err
    assert sum(a != b for a, b in zip(before, base.stored(), strict=True)) == len(REFUSED)


def test_rows_are_repaired_by_name(base: Place) -> None:
    filled(base)
    twice, token = str(3 * 6 + 2), str(3 * 7 + 2)
    before = base.stored()
    assert base.run("apply", "--repair", "unwrap", code=2).out == ""
    # An envelope within another value is never unwrapped, whoever asks.
    report = base.report("apply", "--repair", "unwrap", "--row", twice, "--row", token, code=1)
    assert (report["work"], total(report)["resealed"]) == ("unwrap", 1)
    assert report["columns"][0]["total"]["refused"] == {"format-mismatch": 1}
    now = base.stored()
    assert RING.open_str(now[int(token) - 1], HERE) == "a token within"
    assert [a for a, b in zip(before, now, strict=True) if a != b] == [REFUSED[7][0]]
    # And the other way: the plaintext is meant to be a token.
    base.do("UPDATE users SET ssn = %s WHERE id = 2", REFUSED[7][0])
    kept = base.report("apply", "--repair", "keep", "--row", "2")
    assert (kept["work"], total(kept)["resealed"]) == ("keep", 1)
    value = RING.open_str(base.stored()[1], HERE)
    assert TOKENS.open(value).plaintext == b"a token within"


def test_a_composite_row_is_named_as_a_list(base: Place) -> None:
    raw = {"postgresql": "bytea", "mysql": "varbinary(20)", "sqlite": "blob"}[base.kind]
    base.do(
        f"CREATE TABLE users (a varchar(20), b integer, c {raw}, ssn varchar(800), "
        "PRIMARY KEY (a, b, c))"
    )
    keys = [("acme", 7, b"\0\xff"), ("acme", 7, b"\0"), ('"[', -1, b"x")]
    value = RING.seal(TOKENS.seal("x"), HERE)
    base.insert("users", [{"a": a, "b": b, "c": c, "ssn": value} for a, b, c in keys])
    base.env["FERNET_KEY"] = FERNET
    base.describe(column(row_id=["a", "b", "c"], read=["tokens"]), codecs=WITH_TOKENS)
    rows = [json.dumps([a, b, {"hex": c.hex()}]) for a, b, c in (keys[0], keys[2])]
    arguments = [part for row in rows for part in ("--row", row)]
    report = base.report("apply", "--repair", "unwrap", *arguments)
    assert total(report)["resealed"] == 2
    left = base.do("SELECT a, b, c FROM users WHERE ssn = %s", value)
    assert [(a, b, bytes(c)) for a, b, c in left] == [keys[1]]


@pytest.mark.parametrize("rotates", [False, True])
def test_earlier_contexts_are_left_behind(base: Place, rotates: bool) -> None:
    """What opens with an earlier one is current until somebody asks, or the key is another one."""
    earlier = {"table": "people", "column": "ssn"}
    ring = OTHER if rotates else RING
    base.users([ring.seal("old", earlier), ring.seal("new", HERE)])
    base.env["RESEAL_DECRYPT_KEYS"] = OLD.export()
    base.describe(column(earlier_contexts=[earlier]))
    before = base.stored()
    if rotates:
        assert total(base.report("apply"))["resealed"] == 2
    else:
        assert total(base.report("apply"))["current"] == 2
        assert base.stored() == before
        report = base.report("apply", "--reopen")
        assert (report["work"], total(report)["resealed"]) == ("reopen", 1)
    assert [RING.open_str(it, HERE) for it in base.stored()] == ["old", "new"]
    assert all(it.startswith(f"rs1.{DATA.id}.") for it in base.stored())


def test_a_list_that_cannot_be_written_is_told_before_the_work(base: Place) -> None:
    before = filled(base)
    for refused in ("nowhere/refused.jsonl", "."):
        ended = base.run("apply", "--refused", refused, code=4)
        assert ended.out == ""
        assert "cannot be written" in ended.err
    assert base.stored() == before


def test_a_list_takes_the_place_of_nothing_else(base: Place) -> None:
    before = filled(base)
    files = ["reseal.toml", "picture"]
    (base.folder / "picture").write_bytes(bytes(range(256)))
    contents = [(base.folder / name).read_bytes() for name in files]
    for name in files:
        for command in ("apply", "verify"):
            ended = base.run(command, "--refused", name, code=2)
            assert f'"{name}" is no list of refused values, and is left as it is' in ended.err
    assert [(base.folder / name).read_bytes() for name in files] == contents
    assert base.stored() == before
    # The checkpoint by another name: it is none yet when the job begins.
    ended = base.run("apply", "--checkpoint", "same", "--refused", "./same", code=4)
    assert '"./same" is no list of refused values' in ended.err
    assert "job" in json.loads((base.folder / "same").read_bytes())


def test_the_report_is_shown_where_the_list_is_lost(base: Place) -> None:
    """The disk is full at the end, when the list is written."""
    filled(base)
    ended = base.run("apply", "--refused", "/dev/full", code=4)
    assert f"{len(REFUSED)} resealed" in ended.out
    assert "unknown-key" in ended.out
    assert '"/dev/full" cannot be written (ENOSPC)' in ended.err
    assert "it does not list all values that were refused" in ended.err
    report = json.loads(base.run("apply", "--refused", "/dev/full", "--json", code=4).out)
    assert (report["end"], total(report)["refused"]) == ("complete", len(REFUSED))


def test_the_report_is_shown_where_the_checkpoint_is_lost(base: Place) -> None:
    """The folder of the file goes away while the job is under way."""
    base.users([f"Row {n}" for n in range(1, 301)])
    base.describe(column(read=["plain"]))
    ended = base.run("apply", "--checkpoint", "nowhere/state", code=4)
    assert ended.out == ""
    assert all(it.startswith("Row") for it in base.stored())
    folder = base.folder / "kept"
    folder.mkdir()
    line = ("apply", "--checkpoint", "kept/state", "--batch", "20", "--pause", "50", "--json")
    with Running(base, *line) as job:
        job.until(lambda: any(it.startswith("rs1.") for it in base.stored()))
        # At once: the job writes files into it and takes them away.
        folder.rename(base.folder / "gone")
        ended = job.end(4)
    report = json.loads(ended.out)
    done = sum(it.startswith("rs1.") for it in base.stored())
    assert report["end"] == "stopped"
    assert total(report)["resealed"] == done < 300
    assert "the same command does the rest" in ended.err
    folder.mkdir()
    assert total(base.report(*line[:-1]))["resealed"] == 300 - done
