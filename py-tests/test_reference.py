"""Ties `spec/reference.py` to the vectors: the text, the reference and the data say the same.

The reference shares no code with the packages, so a vector that it agrees with was not merely
written down from what the packages do.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import uuid
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

SPEC = Path(__file__).resolve().parents[1] / "spec"
VECTORS = json.loads((SPEC / "vectors/reseal/v1.json").read_text(encoding="utf-8"))
XAES = json.loads((SPEC / "vectors/xaes/xaes256gcm.json").read_text(encoding="utf-8"))


def load_reference() -> Any:
    description = importlib.util.spec_from_file_location("rs1_reference", SPEC / "reference.py")
    assert description is not None
    assert description.loader is not None
    module = importlib.util.module_from_spec(description)
    sys.modules[description.name] = module  # dataclasses look their module up there
    description.loader.exec_module(module)
    return module


rs1 = load_reference()
KEYS = {
    name: rs1.Key(key["use"], bytes.fromhex(key["secret"])) for name, key in VECTORS["keys"].items()
}


def ring() -> dict[bytes, Any]:
    entries = {}
    for name, key in VECTORS["keys"].items():
        gone = key["state"] == "destroyed"
        entries[KEYS[name].id] = rs1.Entry(key["state"], None if gone else KEYS[name])
    return entries


def pairs(case: dict[str, Any]) -> list[tuple[str, bytes]]:
    return [(name, bytes.fromhex(value)) for name, value in case["context"]]


def ids(group: list[dict[str, Any]]) -> list[str]:
    return [case.get("id", str(number)) for number, case in enumerate(group)]


def every(group: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", group, ids=ids(group))


def test_every_group_is_known() -> None:
    """A new group needs a test here; `keyset` waits for the release that ships keysets."""
    tested = {"keys", "derived", "key_text", "vectors", "negative", "hedged", "blind_index"}
    assert set(VECTORS) <= {"format", "seed", "producer", "keyset"} | tested


@pytest.mark.parametrize("name", VECTORS["keys"])
def test_key_ids(name: str) -> None:
    assert rs1.base32(KEYS[name].id) == VECTORS["keys"][name]["kid"]


@pytest.mark.parametrize("name", VECTORS["derived"])
def test_derived_keys(name: str) -> None:
    for label, expected in VECTORS["derived"][name].items():
        assert rs1.derive(KEYS[name].secret, label, 32).hex() == expected


@every(VECTORS["key_text"]["valid"])
def test_key_text(case: dict[str, Any]) -> None:
    key = rs1.parse_key(case["text"])
    assert (key.use, key.secret.hex()) == (case["use"], case["secret"])
    assert (key.text, rs1.base32(key.id)) == (case["text"], case["kid"])


@every(VECTORS["key_text"]["invalid"])
def test_invalid_key_text(case: dict[str, Any]) -> None:
    with pytest.raises(rs1.Rs1Error) as refusal:
        rs1.parse_key(case["text"])
    assert refusal.value.kind == case["expect"]


def test_a_key_of_another_use() -> None:
    with pytest.raises(rs1.Rs1Error, match="KeyWrongUse"):
        rs1.parse_key(KEYS["I"].text, "data")


@every(VECTORS["vectors"])
def test_seal_and_open(case: dict[str, Any]) -> None:
    key, plaintext = KEYS[case["key"]], bytes.fromhex(case["plaintext"])
    assert rs1.header_and_aad(key, case["mode"], pairs(case))[1].hex() == case["aad"]
    nonce = bytes.fromhex(case["nonce"])
    assert bool(nonce) == (case["mode"] != "d"), "mode d makes its own nonce"
    binary = rs1.seal(key, case["mode"], pairs(case), plaintext, nonce)
    assert binary.hex() == case["binary"]
    assert rs1.to_text(binary) == case["text"]
    assert rs1.to_binary(case["text"]) == binary
    assert rs1.open_binary(ring(), binary, pairs(case)) == plaintext
    assert rs1.open_text(ring(), case["text"], reversed(pairs(case))) == plaintext


@every(VECTORS["negative"])
def test_refusals(case: dict[str, Any]) -> None:
    if "text" in case:
        opener, stored = rs1.open_text, case["text"]
    else:
        opener, stored = rs1.open_binary, bytes.fromhex(case["binary"])
    with pytest.raises(rs1.Rs1Error) as refusal:
        opener(ring(), stored, pairs(case))
    assert refusal.value.kind == case["expect"]


@every(VECTORS["hedged"])
def test_hedged_nonces(case: dict[str, Any]) -> None:
    key, plaintext = KEYS[case["key"]], bytes.fromhex(case["plaintext"])
    aad = rs1.header_and_aad(key, case["mode"], pairs(case))[1]
    body = rs1.pad(plaintext) if case["mode"] == "p" else plaintext
    drawn = bytes.fromhex(case["random"])
    if "salt" in case:
        nonce = rs1.hedged_batch_nonce(key, bytes.fromhex(case["salt"]), drawn, aad, body)
    else:
        nonce = rs1.hedged_nonce(key, drawn, aad, body)
    assert nonce.hex() == case["nonce"]
    binary = rs1.seal(key, case["mode"], pairs(case), plaintext, nonce)
    assert rs1.to_text(binary) == case["text"]


@every(VECTORS["blind_index"])
def test_blind_index(case: dict[str, Any]) -> None:
    how = (case["index"], case["normalizer"], case["bits"], bytes.fromhex(case["value"]))
    tag, text = rs1.blind_index(KEYS[case["key"]], pairs(case), *how)
    assert (tag.hex(), text) == (case["raw"], case["text"])


@pytest.mark.parametrize(
    "how", [("Email", "raw", 64), ("e", "nfkc", 64), ("e", "raw", 7), ("e", "raw", 257)]
)
def test_blind_index_arguments(how: tuple[str, str, int]) -> None:
    with pytest.raises(rs1.Rs1Error, match="InvalidArgument"):
        rs1.blind_index(KEYS["I"], [], *how, b"")


@every(XAES["vectors"])
def test_xaes(case: dict[str, Any]) -> None:
    key, nonce, plaintext, aad = (
        bytes.fromhex(case[name]) for name in ("key", "nonce", "plaintext", "aad")
    )
    gcm, iv = rs1.xaes(key, nonce)
    assert iv.hex() == case["Nx"]
    assert gcm.encrypt(iv, plaintext, aad).hex() == case["ciphertext_with_tag"]


def test_text_just_too_long() -> None:
    start = f"rs1.{rs1.base32(KEYS['A'].id)}."
    with pytest.raises(rs1.Rs1Error, match="TooLarge"):
        rs1.to_binary(start + "A" * (rs1.MAX_BODY_CHARACTERS + 1))
    longest = rs1.to_binary(start + "A" * rs1.MAX_BODY_CHARACTERS)
    assert len(longest) == rs1.OVERHEAD_BYTES + rs1.MAX_PLAINTEXT_BYTES


@pytest.mark.parametrize(
    ("length", "padded"),
    [(0, 32), (31, 32), (32, 36), (35, 36), (1000, 1024), (1023, 1024), (1024, 1088)],
)
def test_padded_lengths(length: int, padded: int) -> None:
    assert len(rs1.pad(bytes(length))) == padded
    assert rs1.unpad(rs1.pad(bytes(length))) == bytes(length)


class Colour(IntEnum):
    RED = 1


U = uuid.UUID("0F8FAD5B-D9CB-469F-A165-70867728950E")


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (b"\x00\xff", b"\x00\xff"),
        (bytearray(b"ab"), b"ab"),
        ("é", b"\xc3\xa9"),
        (42, b"42"),
        (-7, b"-7"),
        (0, b"0"),
        (U, b"0f8fad5b-d9cb-469f-a165-70867728950e"),
    ],
)
def test_context_values(value: object, encoded: bytes) -> None:
    assert rs1.context_value(value) == encoded


@pytest.mark.parametrize(
    "value", [None, True, 1.0, Colour.RED, "\ud800", [1], 10**5000], ids=lambda v: type(v).__name__
)
def test_context_values_refused(value: object) -> None:
    with pytest.raises(rs1.Rs1Error, match="ContextInvalid"):
        rs1.context_value(value)
