"""Ties `spec/reference.py` to the vectors: the text, the reference and the data say the same.

The reference shares no code with the packages, so a vector that it agrees with was not merely
written down from what the packages do.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
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
    """A new group needs a test here."""
    tested = {"keys", "derived", "key_text", "vectors", "negative", "hedged", "blind_index"}
    assert set(VECTORS) == {"format", "seed", "producer", "keyset"} | tested


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


@every(VECTORS["keyset"]["hedged"])
def test_hedged_wraps(case: dict[str, Any]) -> None:
    kek, key = rs1.Key("kek", bytes.fromhex(VECTORS["keyset"][case["kek"]])), KEYS[case["key"]]
    entry = {"kid": rs1.base32(key.id), "use": key.use, "created": case["created"]}
    drawn = bytes.fromhex(case["random"])
    nonce = rs1.hedged_wrap_nonce(kek, case["ring"], entry, key.secret, drawn)
    assert nonce.hex() == case["nonce"]
    wrapped = rs1.wrap(kek, case["ring"], entry, key.secret, nonce)
    assert wrapped == case["wrap"]
    entry["wraps"] = {rs1.base32(kek.id): wrapped}
    assert rs1.unwrap(kek, case["ring"], entry) == key


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


# Section 9

KEYSET = VECTORS["keyset"]
FILE = json.dumps(KEYSET["file"]).encode()
KEKS = {name: rs1.Key("kek", bytes.fromhex(KEYSET[name])) for name in ("kek1", "kek2", "kek3")}
OTHER = rs1.Key("kek", bytes(range(32)))
NEW = rs1.Key("data", bytes([9]) * 32)
# Their ids agree in the first 8 characters, as those of two in a million do.
ALIKE = [
    rs1.Key("index", hashlib.sha256(f"index {number}".encode()).digest())
    for number in (89_939, 1_172_114)
]


def refusal_of(text: str | bytes, kek: Any = KEKS["kek1"], **args: Any) -> str | None:
    """The kind of the refusal, if loading this document is refused."""
    data = text if isinstance(text, bytes) else text.encode()
    try:
        rs1.load_keyset(data, kek, **args)
    except rs1.Rs1Error as refusal:
        return str(refusal.kind)
    return None


def with_macs(document: dict[str, Any], *keks: Any) -> str:
    """The document with MACs that are right, whatever else is wrong with it."""
    macs = {rs1.base32(kek.id): rs1.base64url(rs1.keyset_mac(kek, document)) for kek in keks}
    return json.dumps({**document, "macs": {**document["macs"], **macs}})


def nonces_of(document: dict[str, Any]) -> list[bytes]:
    wraps = [
        key["wraps"][kek["id"]]
        for key in document["keys"]
        if key["wraps"]
        for kek in document["keks"]
    ]
    return [rs1.from_base64url(wrap)[:24] for wrap in wraps]


@pytest.mark.parametrize("name", KEKS)
def test_keyset(name: str) -> None:
    ring, entries = rs1.load_keyset(FILE, KEKS[name]), KEYSET["file"]["keys"]
    assert [rs1.base32(kid) for kid in ring] == [entry["kid"] for entry in entries]
    assert [entry.state for entry in ring.values()] == [entry["state"] for entry in entries]
    by_kid = {key.id: key for key in KEYS.values()}
    for (kid, entry), written in zip(ring.items(), entries, strict=True):
        assert entry.key == (None if written["state"] == "destroyed" else by_kid[kid])
    case = VECTORS["vectors"][1]
    assert rs1.open_text(ring, case["text"], pairs(case)).hex() == case["plaintext"]


def test_keks_of_the_keyset() -> None:
    assert rs1.parse_key(KEYSET["kek1_text"], "kek") == KEKS["kek1"]
    document = rs1.parse_keyset(FILE)
    assert rs1.passphrase_kek(document, KEYSET["passphrase"]) == KEKS["kek2"]
    assert [kek["id"] for kek in document["keks"]] == [rs1.base32(k.id) for k in KEKS.values()]


def test_a_wrong_passphrase_and_one_that_nobody_asked_for() -> None:
    document = rs1.parse_keyset(FILE)
    with pytest.raises(rs1.Rs1Error, match="KekMismatch"):
        rs1.passphrase_kek(document, KEYSET["passphrase"] + "\n")
    document["keks"] = document["keks"][::2]
    with pytest.raises(rs1.Rs1Error, match="KekMismatch"):
        rs1.passphrase_kek(document, KEYSET["passphrase"])


def test_canon() -> None:
    canon = rs1.canon(rs1.parse_keyset(FILE))
    assert hashlib.sha256(canon).hexdigest() == KEYSET["canon_sha256"]


@every(KEYSET["negative"])
def test_refused_keysets(case: dict[str, Any]) -> None:
    args = {name.replace("expect_ring", "ring"): value for name, value in case["args"].items()}
    assert refusal_of(case["text"], KEKS.get(case["kek"], OTHER), **args) == case["expect"]


def test_the_reference_writes_the_vectors() -> None:
    """From the same keys, states and nonces comes the same document."""
    document, keks = KEYSET["file"], list(KEKS.values())
    bare = {**document, "keys": [{**key, "wraps": {}} for key in document["keys"]], "macs": {}}
    ring = rs1.load_keyset(FILE, KEKS["kek1"])
    written = rs1.write_keyset(bare, keks, ring, nonces_of(document))
    assert json.loads(written) == document
    assert rs1.load_keyset_to_write(written, keks) == ring


def test_the_reference_reads_what_it_writes() -> None:
    """A rotation of a key and of the KEKs, from one generation to the next."""
    before = KEYSET["file"]
    ring = dict(rs1.load_keyset_to_write(FILE, list(KEKS.values())))
    ring[NEW.id] = rs1.Entry("introduced", NEW)
    born = {"created": "2026-12-01T00:00:00Z", "changed": "2026-12-01T00:00:00Z", "label": "é"}
    entry = {"kid": rs1.base32(NEW.id), "use": "data", "state": "introduced", **born, "wraps": {}}
    keks = [KEKS["kek2"], OTHER]
    listed = [before["keks"][1], {"id": rs1.base32(OTHER.id), "source": None}]
    keys = [*before["keys"], entry]
    document = {**before, "generation": 8, "lease_seconds": 0, "keks": listed, "keys": keys}
    nonces = (number.to_bytes(24, "big") for number in range(1, 100))
    written = rs1.write_keyset(document, keks, ring, nonces)

    for kek in (rs1.passphrase_kek(json.loads(written), KEYSET["passphrase"]), OTHER):
        read = rs1.load_keyset(written, kek, ring=before["ring"], min_generation=8)
        assert read == ring
        assert list(read) == list(ring)
    assert refusal_of(written, KEKS["kek1"]) == "KekMismatch"
    assert refusal_of(written, OTHER, min_generation=9) == "KeysetOutdated"
    with pytest.raises(rs1.Rs1Error, match="KekMismatch"):
        rs1.load_keyset_to_write(written, [OTHER])


def test_white_space_and_the_order_of_members_are_free() -> None:
    def backwards(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: backwards(value[name]) for name in reversed(value)}
        return [backwards(item) for item in value] if isinstance(value, list) else value

    text = json.dumps(backwards(KEYSET["file"]), indent="\t") + "\r\n"
    assert refusal_of(text) is None


def test_the_shortest_keyset() -> None:
    """No keys, so no primary and nothing to wrap."""
    keks = [{"id": rs1.base32(OTHER.id), "source": None}]
    document = {**KEYSET["file"], "primary": {}, "keks": keks, "keys": [], "macs": {}}
    assert rs1.load_keyset(rs1.write_keyset(document, [OTHER], {}, []), OTHER) == {}


@pytest.mark.parametrize(
    ("expected", "change"),
    [
        ("KekMismatch", {"generation": 6}),
        ("KeysetTampered", {"generation": 6}),
        ("KeysetWrongRing", {}),
        ("KeysetOutdated", {}),
    ],
)
def test_the_first_check_decides(expected: str, change: dict[str, Any]) -> None:
    """Everything is wrong with this load, down to the check that is mended last."""
    document = {**KEYSET["file"], **change}
    document["keys"] = [
        {**document["keys"][0], "created": "2000-01-01T00:00:00Z"},
        *document["keys"][1:],
    ]
    text = json.dumps(document) if change else with_macs(document, KEKS["kek1"])
    ring = None if expected == "KeysetOutdated" else "a" * 26
    kek = OTHER if expected == "KekMismatch" else KEKS["kek1"]
    assert refusal_of(text, kek, ring=ring, min_generation=8) == expected
    assert (
        refusal_of(with_macs(document, KEKS["kek1"])) == "KeysetTampered"
    )  # the wrap, last of all


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("version", "2", "UnsupportedVersion"),
        ("version", "0", "UnsupportedVersion"),
        ("version", "9007199254740991", "UnsupportedVersion"),
        ("version", "9007199254740992", "KeysetMalformed"),
        ("version", "-0", "KeysetMalformed"),
        ("version", "1.0", "KeysetMalformed"),
        ("version", "01", "KeysetMalformed"),
        ("version", "true", "KeysetMalformed"),
        ("version", '"1"', "KeysetMalformed"),
        ("generation", "9007199254740991", None),
        ("lease_seconds", "31536000", None),
        ("lease_seconds", "0", None),
        ("issued", '"9999-99-99T99:99:99Z"', None),
        ("issued", '"2026-11-20T00:00:00Z\\n"', "KeysetMalformed"),
        ("issued", '"2026-11-20T00:00:0\u0663Z"', "KeysetMalformed"),
        ("ring", '"' + "a" * 26 + '"', "KeysetTampered"),  # other wraps
        ("ring", '"' + "a" * 25 + "b" + '"', "KeysetMalformed"),
    ],
)
def test_edges_of_the_schema(name: str, value: str, expected: str | None) -> None:
    document = {**KEYSET["file"], name: "here"}
    if expected in (None, "KeysetTampered"):
        document[name] = json.loads(value)
        text = with_macs(document, KEKS["kek1"])
    else:
        text = json.dumps(document).replace('"here"', value)
        assert text != json.dumps(document)
    assert refusal_of(text) == expected


MAC = KEYSET["file"]["macs"][rs1.base32(KEKS["kek1"].id)]
FIRST, SECOND = (key["kid"] for key in KEYSET["file"]["keys"][:2])


@pytest.mark.parametrize(
    "changes",
    [
        {SECOND: SECOND.upper()},
        {SECOND: SECOND[:31]},
        {rs1.base32(KEKS["kek3"].id): rs1.base32(KEKS["kek3"].id).upper()},
        {MAC: MAC[:42] + chr(ord(MAC[42]) + 1)},  # another spelling of the same bytes
        {'"vkDjuK3DF_tQQ7C-0zjJqg"': '"vkDjuK3DF_tQQ7C-0zjJqh"'},
        {"19456": "19455"},
        {"19456": "1048577"},
        {KEYSET["file"]["keks"][2]["source"]["blob"]: rs1.base64url(bytes(8193))},
        {'"decrypt_only"': '"primary"', f'"data": "{FIRST}"': f'"data": "{SECOND}"'},
    ],
    ids=range(9),
)
def test_shapes_one_by_one(changes: dict[str, str]) -> None:
    text = FILE.decode()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    assert refusal_of(text) == "KeysetMalformed"


@pytest.mark.parametrize(("count", "refused"), [(0, True), (1, False), (8, False), (9, True)])
def test_the_number_of_keks(count: int, refused: bool) -> None:
    keks = [rs1.Key("kek", bytes([number]) * 32) for number in range(count)]
    listed = [{"id": rs1.base32(kek.id), "source": None} for kek in keks]
    document = {**KEYSET["file"], "primary": {}, "keks": listed, "keys": [], "macs": {}}
    if refused:
        with pytest.raises(rs1.Rs1Error, match="KeysetMalformed"):
            rs1.write_keyset(document, keks, {}, [])
    else:
        assert rs1.load_keyset_to_write(rs1.write_keyset(document, keks, {}, []), keks) == {}


@pytest.mark.parametrize("label", ["", "x" * 64, "\U0001f511" * 64, "\x80\u2028\ufeff", '"\\/'])
def test_labels(label: str) -> None:
    document = json.loads(FILE)
    document["keys"][0]["label"] = label
    assert refusal_of(with_macs(document, KEKS["kek1"])) is None
    document["keys"][0]["label"] = "x" * (65 - len(label)) + label
    assert refusal_of(with_macs(document, KEKS["kek1"])) == "KeysetMalformed"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"\xff",
        b'{"format": "reseal-keyset"}',
        b'{"version": 2}',
        b'{"format": "reseal-keyset", "version": 2, "a": {"b": 1, "\\u0062": 1}}',
        b'{"format": "reseal-keyset", "version": 2, "a": "\\ud800"}',
        b'{"format": "reseal-keyset", "version": 2} {}',
        FILE + b" " * (2**20 + 1 - len(FILE)),
        FILE.decode().encode("utf-16"),
    ],
    ids=range(10),
)
def test_documents_that_are_none(data: bytes) -> None:
    assert refusal_of(data) == "KeysetMalformed"


def test_the_largest_document() -> None:
    assert refusal_of(FILE + b" " * (2**20 - len(FILE))) is None


def test_two_index_keys_with_one_beginning() -> None:
    assert len({key.id for key in ALIKE}) == 2
    assert len({rs1.base32(key.id)[:8] for key in ALIKE}) == 1
    born = {"created": "2026-12-01T00:00:00Z", "changed": "2026-12-01T00:00:00Z", "label": ""}
    keys = [
        {"kid": rs1.base32(key.id), "use": "index", "state": "introduced", **born, "wraps": {}}
        for key in ALIKE
    ]
    keks = [{"id": rs1.base32(OTHER.id), "source": None}]
    document = {**KEYSET["file"], "primary": {}, "keks": keks, "keys": keys, "macs": {}}
    ring = {key.id: rs1.Entry("introduced", key) for key in ALIKE}
    written = rs1.write_keyset(document, [OTHER], ring, [bytes([n]) * 24 for n in range(2)])
    assert refusal_of(written, OTHER) == "DuplicateKey"


def test_the_worked_example() -> None:
    """Every number of the example in the text is what the reference computes."""
    text = (SPEC / "envelope.md").read_text(encoding="utf-8")
    example = text[text.index("### A keyset\n") : text.index("## Rationale\n")]
    digits = "".join(re.findall(r"\b(?:[0-9a-f]{2})+\b", example))
    document, kek = rs1.parse_keyset(FILE), KEKS["kek1"]
    source, entry = document["keks"][1]["source"], document["keys"][0]
    wrapped = rs1.from_base64url(entry["wraps"][rs1.base32(kek.id)])
    canon = rs1.canon(document)
    for number in [
        *(kek.secret, kek.id, kek.derive("wrap"), kek.derive("mac")),
        *(rs1.from_base64url(source["salt"]), KEKS["kek2"].secret, KEYS["A"].secret),
        *(wrapped[:24], wrapped[24:56], wrapped[56:], rs1.wrap_aad(document["ring"], entry)),
        *(canon[:61], rs1.canon_source(source)),
        *(hashlib.sha256(canon).digest(), rs1.keyset_mac(kek, document)),
    ]:
        assert number.hex() in digits
    for written in [
        *(KEYSET["kek1_text"], KEYSET["passphrase"], document["macs"][rs1.base32(kek.id)]),
        *(kek["id"] for kek in document["keks"][:2]),
        f"{len(KEYSET['passphrase'].encode())} bytes of UTF-8",
        f"has {int.from_bytes(canon[:4], 'big')} items",
        f"{len(canon)} bytes",
    ]:
        assert written in example
