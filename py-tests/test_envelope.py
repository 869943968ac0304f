from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import reseal
from support import MODES, code_of

STORED = (
    "rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.AZUR1UnSKud0Ttwc8BrXr2YN9zJiH3juygZQ9AEtlJwnP1XPh0akwl8"
)
HEAD = STORED[:37]


@pytest.mark.parametrize("mode", MODES)
def test_inspect(ring: reseal.Keyring, mode: Any) -> None:
    stored = ring.seal("seven b", {}, mode)
    shown = reseal.inspect(stored)
    assert shown == reseal.inspect(reseal.to_binary(stored))
    assert (shown.version, shown.mode, shown.key_id) == (1, mode, ring.primary_id)
    assert shown.ciphertext_bytes == (32 if mode == "padded" else 7)
    assert hash(shown) == hash(reseal.inspect(stored))
    assert shown != reseal.inspect(STORED)
    assert repr(shown) == (
        f"Inspection(version=1, mode='{mode}', key_id='{shown.key_id}', "
        f"ciphertext_bytes={shown.ciphertext_bytes})"
    )
    frozen: Any = shown
    with pytest.raises(AttributeError):
        frozen.mode = "random"


@pytest.mark.parametrize(
    ("stored", "code"),
    [
        ("", "not-envelope"),
        ("hello", "not-envelope"),
        (" " + STORED, "not-envelope"),
        (STORED.upper(), "not-envelope"),
        (HEAD[:-1], "not-envelope"),
        (HEAD, "malformed"),
        (HEAD + "!", "malformed"),
        (STORED + "\n", "malformed"),
        (STORED + "=", "malformed"),
        (STORED[:-1], "malformed"),
        (STORED[:-1] + "9", "malformed"),
        (STORED + "\0", "malformed"),
        (STORED + "é", "malformed"),
        (STORED + "\ud800", "malformed"),
        ("\ud800" + STORED, "not-envelope"),
        ("🔑", "not-envelope"),
        (STORED.replace("rs1", "rs2"), "unsupported-version"),
        (STORED.replace("rs1", "rs2") + "!", "malformed"),
        (HEAD + "BA" + STORED[39:], "unsupported-mode"),
        (HEAD + "A" * 30_000_000, "too-large"),
        (HEAD + "A" * 30_000_000 + "!", "malformed"),
        (HEAD + "A" * 30_000_000 + "é", "malformed"),
        ("rs7" + HEAD[3:] + "A" * 30_000_000, "unsupported-version"),
        ("rs7" + HEAD[3:] + "A" * 30_000_000 + "é", "malformed"),
        ("x" * 100_000_000, "not-envelope"),
        ("é" * 30_000_000, "not-envelope"),
        ("\ud800" * 30_000_000, "not-envelope"),
        ("\0" * 1000, "not-envelope"),
        (b"", "not-envelope"),
        (b"hello", "not-envelope"),
        (STORED.encode(), "not-envelope"),
        (b"\xc1\x5e\x52\x53", "malformed"),
        (b"\xc1\x5e\x52\x53\x02", "unsupported-version"),
        (b"\xc1\x5e\x52\x53\x01", "malformed"),
        (reseal.to_binary(STORED)[:-1], "malformed"),
        (reseal.to_binary(STORED)[:25] + b"\4" + bytes(60), "unsupported-mode"),
        (reseal.to_binary(STORED) + bytes(2**24 + 1), "too-large"),
        (bytes(100_000_000), "not-envelope"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_is_no_envelope_of_version_1(ring: reseal.Keyring, stored: Any, code: str) -> None:
    assert code_of(lambda: reseal.inspect(stored)) == code
    if isinstance(stored, str):
        assert code_of(lambda: ring.open(stored, {})) == code
        assert code_of(lambda: reseal.to_binary(stored)) == code
        assert code_of(lambda: ring.is_current(stored)) == code
        (item,) = ring.open_many([stored], {})
    else:
        assert code_of(lambda: ring.open_binary(stored, {})) == code
        assert code_of(lambda: ring.open_binary(bytearray(stored), {})) == code
        assert code_of(lambda: reseal.to_text(memoryview(stored))) == code
        assert code_of(lambda: ring.is_current_binary(stored)) == code
        (item,) = ring.open_many_binary([stored], {})
    assert isinstance(item, reseal.FormatError)
    assert item.code == code


@pytest.mark.parametrize("value", [None, 1, [], object()])
def test_other_types(value: Any) -> None:
    assert code_of(lambda: reseal.inspect(value)) == "invalid-argument"


def test_the_two_forms(ring: reseal.Keyring) -> None:
    binary = ring.seal_binary("x", {})
    text = reseal.to_text(binary)
    assert reseal.to_binary(text) == binary
    assert (binary[:4], binary[4:5], len(binary)) == (b"\xc1\x5e\x52\x53", b"\1", 67)
    assert text.startswith(f"rs1.{ring.primary_id}.")


def test_an_inspection_is_copied_and_pickled() -> None:
    shown = reseal.inspect(STORED)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(shown, protocol)) == shown
    assert copy.copy(shown) == copy.deepcopy([shown])[0] == shown
    wrong: Any = "fast"
    assert code_of(lambda: reseal.Inspection(1, wrong, shown.key_id, 1)) == "invalid-argument"
