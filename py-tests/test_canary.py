"""The canary: whether a process has the right keys, told at its start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import reseal
from support import Clock, code_of

KEY, OTHER = reseal.Key.generate(), reseal.Key.generate()
RING = reseal.Keyring(KEY)
CANARY = RING.canary()


def test_the_right_keys() -> None:
    assert RING.check(CANARY) == "ok"
    assert reseal.Keyring(OTHER, decrypt_only=[KEY]).check(CANARY) == "ok"
    assert reseal.Keyring(OTHER, introduced=[KEY]).check(CANARY) == "ok"
    assert RING.canary() != CANARY
    assert reseal.inspect(CANARY).mode == "random"


@pytest.mark.parametrize(
    ("ring", "answer"),
    [
        (reseal.Keyring(OTHER), "unknown-key"),
        (reseal.Keyring(OTHER, disabled=[KEY]), "key-disabled"),
        (reseal.Keyring(OTHER, destroyed=[KEY.id]), "key-destroyed"),
        (reseal.Keyring(), "unknown-key"),
    ],
)
def test_the_wrong_keys(ring: reseal.Keyring, answer: str) -> None:
    assert ring.check(CANARY) == answer


def test_what_is_no_canary_of_this_ring() -> None:
    middle = "A" if CANARY[60] != "A" else "B"
    assert RING.check(CANARY[:60] + middle + CANARY[61:]) == "auth-failed"
    assert RING.check(RING.seal("reseal-canary", {})) == "auth-failed"
    index = reseal.Key.generate("index")
    named = CANARY.replace(KEY.id, index.id)
    assert reseal.Keyring(KEY, index=index).check(named) == "key-wrong-use"
    assert RING.check(CANARY.replace(KEY.id, OTHER.id)) == "unknown-key"
    # Nobody can seal one by hand: names that begin with rs_ are reserved.
    assert (
        code_of(lambda: RING.seal("reseal-canary", {"rs_purpose": "canary"})) == "context-invalid"
    )


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "not-envelope"),
        ("rs1.", "not-envelope"),
        (CANARY[:60], "malformed"),
        ("rs2." + CANARY[4:], "unsupported-version"),
        (None, "invalid-argument"),
        (b"", "invalid-argument"),
    ],
)
def test_what_is_no_envelope(value: Any, code: str) -> None:
    assert code_of(lambda: RING.check(value)) == code


def test_a_ring_that_does_not_seal() -> None:
    assert code_of(reseal.Keyring(introduced=[KEY]).canary) == "no-primary"


def test_a_live_ring(tmp_path: Path) -> None:
    clock, kek = Clock(), reseal.Key.generate("kek")
    file = reseal.KeysetFile(tmp_path / "keyset.json", kek=kek)
    live = reseal.LiveKeyring.from_keyset(file.path, kek=kek, clock=clock)
    assert code_of(live.canary) == code_of(lambda: live.check(CANARY)) == "source-unreadable"
    keyset = reseal.Keyset.create(kek=kek)
    keyset.rotate("data")
    file.create(keyset)
    clock.now += 1
    assert live.check(live.canary()) == "ok"
    assert live.check(CANARY) == "unknown-key"
    file.edit(lambda keyset: keyset.introduce(KEY))
    clock.now += 1
    assert live.check(CANARY) == "ok"
