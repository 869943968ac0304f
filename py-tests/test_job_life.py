"""A column's life: sealed, under a new key, in the formats of others, sealed again, and plain."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import reseal
from cli_support import DATA, OLD
from cryptography.fernet import Fernet
from foreign import open_rails, rails_key
from job_support import CODECS, HERE, Json, Place, column, found, other, places, total

ROWS = 700
NULLS = ROWS // 50
FERNETS = ["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=", Fernet.generate_key().decode()]
SALT, PRIMARIES = "salt of rails", ["primary of rails", "next primary of rails"]
SECRETS = {
    "OLD_FERNET": FERNETS[0],
    "NEW_FERNET": FERNETS[1],
    "AR_SALT": SALT,
    "AR_OLD": PRIMARIES[0],
    "AR_NEW": PRIMARIES[1],
}


def fernet(*names: str) -> Json:
    return {"kind": "fernet", "keys": [f"env:{name}" for name in names]}


def rails(*names: str) -> Json:
    keys = [f"env:{name}" for name in names]
    return {"kind": "rails", "primary_keys": keys, "key_derivation_salt": "env:AR_SALT"}


def open_envelope(key: reseal.Key) -> Callable[[str], str]:
    ring = reseal.Keyring(key)
    return lambda stored: ring.open_str(stored, HERE)


def open_fernet(key: str) -> Callable[[str], str]:
    return lambda stored: Fernet(key).decrypt(stored).decode()


def open_rails_text(primary: str) -> Callable[[str], str]:
    key = rails_key(primary, SALT, "sha256")
    return lambda stored: open_rails(stored, [key]).decode()


def reference(primary: str) -> str:
    """How Rails calls a key in its headers."""
    return hashlib.sha1(rails_key(primary, SALT, "sha256")).hexdigest()[:4]


@dataclass(frozen=True)
class Step:
    """What the manifest says from now on, and how a value is read that it wrote."""

    write: str
    read: list[str]
    reader: Callable[[str], str]
    #: What a census says of all values before.
    before: tuple[str, str | None]
    #: The key that opened them, which formats without a mark of it have by its place.
    opened: str | None = None
    codecs: dict[str, Json] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()


SEALED, ROTATED = ("app", OLD.id), ("app", DATA.id)
OLD_ONLY = {"RESEAL_PRIMARY_KEY": OLD.export(), "RESEAL_DECRYPT_KEYS": ""}
BOTH = {"RESEAL_PRIMARY_KEY": DATA.export(), "RESEAL_DECRYPT_KEYS": OLD.export()}
STEPS = [
    Step("app", ["plain"], open_envelope(OLD), ("plain", None), OLD.id, env=OLD_ONLY),
    Step("app", [], open_envelope(DATA), SEALED, DATA.id, env=BOTH),
    Step(
        "tokens",
        ["app"],
        open_fernet(FERNETS[0]),
        ROTATED,
        "1",
        {"tokens": fernet("OLD_FERNET")},
    ),
    Step(
        "tokens",
        [],
        open_fernet(FERNETS[1]),
        ("tokens", None),
        "1",
        {"tokens": fernet("NEW_FERNET", "OLD_FERNET")},
    ),
    Step(
        "attributes",
        ["tokens"],
        open_rails_text(PRIMARIES[0]),
        ("tokens", None),
        reference(PRIMARIES[0]),
        {"tokens": fernet("NEW_FERNET"), "attributes": rails("AR_OLD")},
    ),
    Step(
        "attributes",
        [],
        open_rails_text(PRIMARIES[1]),
        ("attributes", None),
        reference(PRIMARIES[1]),
        {"attributes": rails("AR_OLD", "AR_NEW")},
    ),
    Step(
        "app",
        ["attributes"],
        open_envelope(DATA),
        ("attributes", None),
        DATA.id,
        {"attributes": rails("AR_NEW")},
    ),
    Step("plain", ["app"], str, ROTATED, arguments=("--yes",)),
]


def texts() -> Iterator[str | None]:
    for number in range(ROWS):
        if number % 50 == 49:
            yield None
        else:
            yield ["", "Grüße 👋🏽", "078-05-1120", "x" * 300][number % 4] + str(number)


@pytest.fixture
def shared(kind: str, servers: dict[str, str], tmp_path: Path) -> Iterator[Place]:
    """An empty database of each kind, for both commands."""
    yield from places(kind, "python", servers, tmp_path)


def test_a_life(shared: Place) -> None:
    """The two commands take turns: what one wrote the other reads."""
    plaintexts = list(texts())
    shared.users(plaintexts)
    shared.env |= SECRETS
    full, null = ROWS - NULLS, {("null", None): NULLS}
    wanted = {"scanned": ROWS, "null": NULLS, "resealed": full}
    for step in STEPS:
        theirs, shared.command = shared.command, other(shared.command)
        shared.env |= step.env
        shared.describe(column(write=step.write, read=step.read), codecs=CODECS | step.codecs)
        before = shared.rows()
        assert found(shared.report("census", by=theirs)) == {step.before: full} | null
        planned = shared.report("plan", by=theirs)
        dry = shared.report("apply", "--dry-run", *step.arguments)
        assert (total(planned), total(dry), dry["dry_run"]) == (wanted, wanted, True)
        assert shared.rows() == before

        report = shared.report("apply", *step.arguments)
        # The first one, and one of 100 after it.
        assert total(report) == wanted | {"current": full, "verified": 1 + (full - 1) // 100}
        stored = shared.stored()
        assert [it if it is None else step.reader(it) for it in stored] == plaintexts
        moves, *others = [it["columns"][0]["total"]["resealed"] for it in (report, dry, planned)]
        assert others == [moves, moves]
        assert [(it["from"]["codec"], it["to"]["codec"]) for it in moves] == [
            (step.before[0], step.write)
        ]

        again = shared.report("apply", *step.arguments, by=theirs)
        assert total(again) == {"scanned": ROWS, "null": NULLS, "current": full}
        assert shared.stored() == stored
        opened = shared.report("verify", by=theirs)
        assert found(opened) == {(step.write, step.opened): full} | null
        assert total(opened) == {"scanned": ROWS, "null": NULLS, "found": full}
    assert found(shared.report("census")) == {("plain", None): full} | null
    assert shared.stored() == plaintexts
