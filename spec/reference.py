"""RS1, the Reseal envelope version 1, in one file: a reference to read beside `envelope.md`.

It is written from the specification alone, over pyca/cryptography and the standard library, and
shares no code with the packages. Section numbers are those of `envelope.md`. It favours plainness:
it wipes nothing, caches nothing and takes no randomness of its own, so it is not for production.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = bytes.fromhex("c15e5253")
MODES = {"r": 1, "d": 2, "p": 3}
HEADER_BYTES, NONCE_BYTES, TAG_BYTES = 26, 24, 16
OVERHEAD_BYTES = HEADER_BYTES + NONCE_BYTES + TAG_BYTES
MAX_PLAINTEXT_BYTES = 2**24
MAX_BODY_CHARACTERS = (OVERHEAD_BYTES - 25 + MAX_PLAINTEXT_BYTES) * 4 // 3

Pairs = Iterable[tuple[str, bytes]]


class Rs1Error(Exception):
    """A refusal; `kind` is the name of section 5, for example `AuthFailed`."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def refuse(kind: str) -> NoReturn:
    raise Rs1Error(kind) from None


# Conventions


def u16(n: int) -> bytes:
    return n.to_bytes(2, "big")


def u32(n: int) -> bytes:
    return n.to_bytes(4, "big")


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def pae(items: list[bytes]) -> bytes:
    return u32(len(items)) + b"".join(u32(len(item)) + item for item in items)


def base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


# Section 1: keys


def derive(secret: bytes, label: str, n: int) -> bytes:
    info = b"rs1\0" + label.encode() + b"\0" + u16(n)
    return HKDF(algorithm=SHA256(), length=n, salt=None, info=info).derive(secret)


@dataclass(frozen=True)
class Key:
    """A ring key: 32 secret bytes with one use, `data`, `index` or `kek`."""

    use: str
    secret: bytes = field(repr=False)

    def derive(self, purpose: str, n: int = 32) -> bytes:
        return derive(self.secret, f"{self.use}/{purpose}", n)

    @property
    def id(self) -> bytes:
        return self.derive("kid", 20)

    @property
    def text(self) -> str:
        prefix = f"rsk1.{self.use}."
        return prefix + base64url(self.secret + key_checksum(prefix, self.secret))


def key_checksum(prefix: str, secret: bytes) -> bytes:
    return hashlib.sha256(prefix.encode() + secret).digest()[:4]


def parse_key(text: str, use: str | None = None) -> Key:
    match = re.fullmatch(r"(rsk1\.(data|index|kek)\.)([A-Za-z0-9_-]{48})", text)
    if not match:
        refuse("InvalidKey")
    raw = base64.urlsafe_b64decode(match[3])
    if raw[32:] != key_checksum(match[1], raw[:32]):
        refuse("InvalidKey")
    if use is not None and use != match[2]:
        refuse("KeyWrongUse")
    return Key(match[2], raw[:32])


# Section 4: context


def context_value(value: object) -> bytes:
    """One value as a caller gives it: bytes, text, an integer or a UUID."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (bool, enum.Enum)):
        refuse("ContextInvalid")
    if isinstance(value, (str, int, uuid.UUID)):
        try:
            return str(value).encode()
        except ValueError:  # a lone surrogate, or an integer too long to print
            refuse("ContextInvalid")
    refuse("ContextInvalid")


def encode_context(pairs: Pairs) -> bytes:
    """CTX, from pairs in any order."""
    listed = sorted((name.encode("utf-8", "surrogatepass"), value) for name, value in pairs)
    if len(listed) > 16 or len({name for name, _ in listed}) < len(listed):
        refuse("ContextInvalid")
    for name, value in listed:
        if not is_name(name) or len(value) > 4096:
            refuse("ContextInvalid")
    return u16(len(listed)) + b"".join(
        u16(len(name)) + name + u16(len(value)) + value for name, value in listed
    )


def is_name(name: bytes) -> bool:
    return bool(re.fullmatch(rb"[a-z][a-z0-9_]{0,31}", name)) and not name.startswith(b"rs_")


# Section 2: cipher, modes and padding


def xaes(key: bytes, nonce: bytes) -> tuple[AESGCM, bytes]:
    """The AES-256-GCM instance and the 12-byte IV that XAES-256-GCM derives."""
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update
    top = int.from_bytes(block(bytes(16)), "big")
    k1 = (top << 1) % 2**128 ^ (0x87 if top >> 127 else 0)
    masked = (int.from_bytes(bytes([0, i, 0x58, 0]) + nonce[:12], "big") ^ k1 for i in (1, 2))
    return AESGCM(b"".join(block(m.to_bytes(16, "big")) for m in masked)), nonce[12:]


def padme(length: int) -> int:
    if length < 2:
        return length
    e = length.bit_length() - 1
    low = (1 << (e - e.bit_length())) - 1  # the low E - S bits, S = floor(log2 E) + 1
    return (length + low) & ~low


def pad(plaintext: bytes) -> bytes:
    return (plaintext + b"\x80").ljust(max(32, padme(len(plaintext) + 1)), b"\0")


def unpad(padded: bytes) -> bytes:
    marked = padded.rstrip(b"\0")
    return marked[:-1] if marked.endswith(b"\x80") else refuse("AuthFailed")


def det_nonce(key: Key, aad: bytes, plaintext: bytes) -> bytes:
    return mac(key.derive("det"), aad + plaintext)[:NONCE_BYTES]


def hedged_nonce(key: Key, drawn: bytes, aad: bytes, body: bytes) -> bytes:
    """Section 7, for one value: `drawn` is R24, `body` the plaintext, padded in mode p."""
    return mac(key.derive("hedge"), drawn + aad + body)[:NONCE_BYTES]


def hedged_batch_nonce(key: Key, salt: bytes, drawn: bytes, aad: bytes, body: bytes) -> bytes:
    """Section 7, in a batch: the salt as drawn, then the hedged IV; `drawn` is R12."""
    return salt + mac(key.derive("hedge"), salt + drawn + aad + body)[:12]


def header_and_aad(key: Key, mode: str, pairs: Pairs) -> tuple[bytes, bytes]:
    header = MAGIC + b"\x01" + key.id + bytes([MODES[mode]])
    return header, header + encode_context(pairs)


def seal(key: Key, mode: str, pairs: Pairs, plaintext: bytes, nonce: bytes = b"") -> bytes:
    """The binary envelope. Mode d makes its own nonce; r and p take 24 bytes."""
    header, aad = header_and_aad(key, mode, pairs)
    body = pad(plaintext) if mode == "p" else plaintext
    if len(body) > MAX_PLAINTEXT_BYTES:
        refuse("TooLarge")
    if mode == "d":
        nonce = det_nonce(key, aad, body)
    if len(nonce) != NONCE_BYTES:
        refuse("InvalidArgument")
    gcm, iv = xaes(key.derive("rnd"), nonce)
    return header + nonce + gcm.encrypt(iv, body, aad)


# Section 3: text form


def to_text(binary: bytes) -> str:
    return f"rs1.{base32(binary[5:25])}.{base64url(binary[25:])}"


def to_binary(text: str) -> bytes:
    """The binary form of a text: recognition, version, length, base64 (section 5)."""
    if not re.match(r"rs[1-9]\.[a-z2-7]{32}\.", text):
        refuse("NotEnvelope")
    match = re.fullmatch(r"rs([1-9])\.([a-z2-7]{32})\.([A-Za-z0-9_-]+)", text)
    if not match:
        refuse("Malformed")
    version, kid, body = match.groups()
    if version != "1":
        refuse("UnsupportedVersion")
    if len(body) > MAX_BODY_CHARACTERS:
        refuse("TooLarge")
    if len(body) % 4 == 1:
        refuse("Malformed")
    tail = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    if base64url(tail) != body:  # non-zero bits after the last byte
        refuse("Malformed")
    return MAGIC + b"\x01" + base64.b32decode(kid.upper()) + tail


# Sections 5 and 10: opening


@dataclass(frozen=True)
class Entry:
    """One key of a ring. A destroyed one is a tombstone: the id without the key."""

    state: str
    key: Key | None


Ring = Mapping[bytes, Entry]


def open_text(ring: Ring, text: str, pairs: Pairs) -> bytes:
    return open_binary(ring, to_binary(text), pairs)


def open_binary(ring: Ring, binary: bytes, pairs: Pairs) -> bytes:
    """The plaintext; every refusal in the order of section 5."""
    mode = parse_header(binary)
    aad = binary[:HEADER_BYTES] + encode_context(pairs)
    key = find_data_key(ring, binary[5:25])
    nonce = binary[HEADER_BYTES : HEADER_BYTES + NONCE_BYTES]
    gcm, iv = xaes(key.derive("rnd"), nonce)
    try:
        body = gcm.decrypt(iv, binary[HEADER_BYTES + NONCE_BYTES :], aad)
    except InvalidTag:
        refuse("AuthFailed")
    if mode == MODES["d"] and not hmac.compare_digest(nonce, det_nonce(key, aad, body)):
        refuse("AuthFailed")
    return unpad(body) if mode == MODES["p"] else body


def parse_header(binary: bytes) -> int:
    if not binary.startswith(MAGIC):
        refuse("NotEnvelope")
    if len(binary) < 5:
        refuse("Malformed")
    if binary[4] != 1:
        refuse("UnsupportedVersion")
    if len(binary) < HEADER_BYTES:
        refuse("Malformed")
    mode = binary[25]
    if mode not in MODES.values():
        refuse("UnsupportedMode")
    if len(binary) < OVERHEAD_BYTES + (mode == MODES["p"]):
        refuse("Malformed")
    if len(binary) > OVERHEAD_BYTES + MAX_PLAINTEXT_BYTES:
        refuse("TooLarge")
    return mode


def find_data_key(ring: Ring, kid: bytes) -> Key:
    entry = ring.get(kid)
    if entry is None:
        refuse("UnknownKey")
    if entry.key is None or entry.state == "destroyed":
        refuse("KeyDestroyed")
    if entry.state == "disabled":
        refuse("KeyDisabled")
    if entry.key.use != "data":
        refuse("KeyWrongUse")
    return entry.key


# Section 8: blind index


def normalize(normalizer: str, value: bytes) -> bytes:
    if normalizer == "raw":
        return value
    if normalizer == "ascii-lower-trim":
        return value.strip(b"\t\n\v\f\r ").lower()  # bytes.lower folds A-Z only
    if normalizer == "digits":
        return bytes(byte for byte in value if byte in b"0123456789")
    refuse("InvalidArgument")


def blind_index(
    key: Key, pairs: Pairs, index: str, normalizer: str, bits: int, value: bytes
) -> tuple[bytes, str]:
    """The tag and its text."""
    ctx, normal = encode_context(pairs), normalize(normalizer, value)
    name = index.encode("utf-8", "surrogatepass")
    if not is_name(name) or not 8 <= bits <= 256:
        refuse("InvalidArgument")
    what = pae([ctx, name, normalizer.encode(), str(bits).encode()])
    index_key = mac(key.derive("mac"), b"rs1\0bidx\0" + what)
    n, unused = -(-bits // 8), -bits % 8
    tag = bytearray(mac(index_key, normal)[:n])
    tag[-1] &= 0xFF << unused & 0xFF
    return bytes(tag), f"rx1.{base32(key.id)[:8]}.{base32(bytes(tag))}"


# Section 9: the keyset document

MAX_KEYSET_BYTES, MAX_INTEGER = 2**20, 2**53 - 1
STATES = ("introduced", "primary", "decrypt_only", "disabled", "destroyed")
ID, BASE64URL = r"[a-z2-7]{32}", r"[A-Za-z0-9_-]*"
TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
STRANGE = object()  # a JSON number that is no integer of a keyset

Json = Any
Members = dict[str, Json]


def require(condition: bool) -> None:
    if not condition:
        refuse("KeysetMalformed")


def parse_keyset(data: bytes) -> Members:
    """The document, if every rule of the schema holds; nothing is verified yet."""
    document = parse_json(data)
    require(isinstance(document, dict) and document.get("format") == "reseal-keyset")
    require(is_integer(document.get("version"), 0, MAX_INTEGER))
    if document["version"] != 1:
        refuse("UnsupportedVersion")
    names = "format version ring generation issued lease_seconds primary keks keys macs"
    check_members(document, names)
    require(is_text(document["ring"], r"[a-z2-7]{25}[aeimquy4]"))  # the last two bits are zero
    require(is_integer(document["generation"], 1, MAX_INTEGER))
    require(is_text(document["issued"], TIME))
    require(is_integer(document["lease_seconds"], 0, 31_536_000))
    keks = check_keks(document["keks"])
    check_texts(document["macs"], keks, 32)
    check_keys(document["keys"], keks)
    sealing = [entry for entry in document["keys"] if entry["state"] == "primary"]
    require(len({entry["use"] for entry in sealing}) == len(sealing))
    require(document["primary"] == {entry["use"]: entry["kid"] for entry in sealing})
    return cast(Members, document)


def parse_json(data: bytes) -> Json:
    def once(pairs: list[tuple[str, Json]]) -> Members:
        require(len(dict(pairs)) == len(pairs))
        return dict(pairs)

    def integer(digits: str) -> Json:
        return int(digits) if re.fullmatch(r"0|[1-9][0-9]{0,15}", digits) else STRANGE

    def strange(_: str) -> Json:
        return STRANGE

    def no_json(_: str) -> NoReturn:  # NaN and Infinity
        refuse("KeysetMalformed")

    require(len(data) <= MAX_KEYSET_BYTES)
    try:
        tree = json.loads(
            data.decode(),
            object_pairs_hook=once,
            parse_int=integer,
            parse_float=strange,
            parse_constant=no_json,
        )
        json.dumps(tree, ensure_ascii=False, default=str).encode()  # fails on a lone surrogate
    except (ValueError, RecursionError):  # no UTF-8, a BOM, no JSON, or nested without end
        refuse("KeysetMalformed")
    return tree


def is_integer(value: Json, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def is_text(value: Json, pattern: str) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(pattern, value))


def is_plain(value: Json, characters: int) -> bool:
    """The rule of labels and of `ref`."""
    return is_text(value, rf"[^\x00-\x1f\x7f]{{0,{characters}}}")


def is_bytes(value: Json, least: int, most: int) -> bool:
    """Whether it is canonical base64url of so many bytes."""
    if not is_text(value, BASE64URL) or len(value) % 4 == 1:
        return False
    raw = from_base64url(value)
    return least <= len(raw) <= most and base64url(raw) == value


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def check_members(value: Json, names: str) -> None:
    """That it is an object with these members, and no other."""
    require(isinstance(value, dict) and set(value) == set(names.split()))


def check_texts(value: Json, ids: list[str], n: int) -> None:
    """That it has n bytes of base64url for each of these ids, and no other member."""
    check_members(value, " ".join(ids))
    require(all(is_bytes(text, n, n) for text in value.values()))


def check_keks(keks: Json) -> list[str]:
    """The ids, in order."""
    require(isinstance(keks, list) and 1 <= len(keks) <= 8)
    for kek in keks:
        check_members(kek, "id source")
        require(is_text(kek["id"], ID))
        check_source(kek["source"])
    require(sum(is_argon2id(kek) for kek in keks) <= 1)
    ids = [kek["id"] for kek in keks]
    require(len(set(ids)) == len(ids))
    return ids


def is_argon2id(kek: Members) -> bool:
    return kek["source"] is not None and kek["source"]["name"] == "argon2id"


def check_source(source: Json) -> None:
    if source is None:
        return
    require(isinstance(source, dict))
    if source.get("name") == "argon2id":
        check_members(source, "name version memory_kib passes lanes salt")
        require(is_integer(source["version"], 19, 19))
        require(is_integer(source["passes"], 2, 10))
        require(is_integer(source["lanes"], 1, 16))
        require(is_integer(source["memory_kib"], max(19_456, 8 * source["lanes"]), 1_048_576))
        require(is_bytes(source["salt"], 16, 32))
    else:
        check_members(source, "name provider ref blob")
        require(source["name"] == "external")
        require(is_text(source["provider"], r"[a-z][a-z0-9_-]{0,31}"))
        require(is_plain(source["ref"], 1024))
        require(is_bytes(source["blob"], 1, 8192))


def check_keys(keys: Json, keks: list[str]) -> None:
    require(isinstance(keys, list))
    for entry in keys:
        check_members(entry, "kid use state created changed label wraps")
        require(is_text(entry["kid"], ID))
        require(entry["use"] in ("data", "index"))
        require(entry["state"] in STATES)
        require(is_text(entry["created"], TIME) and is_text(entry["changed"], TIME))
        require(is_plain(entry["label"], 64))
        check_texts(entry["wraps"], [] if entry["state"] == "destroyed" else keks, 72)
    require(len({entry["kid"] for entry in keys}) == len(keys))


# Section 9: KEKs, wraps and MACs


def passphrase_kek(document: Members, passphrase: str) -> Key:
    """The KEK that a passphrase gives, if the keyset lists it."""
    for kek in filter(is_argon2id, document["keks"]):
        source = kek["source"]
        argon2id = Argon2id(
            salt=from_base64url(source["salt"]),
            length=32,
            iterations=source["passes"],
            lanes=source["lanes"],
            memory_cost=source["memory_kib"],
        )
        key = Key("kek", argon2id.derive(passphrase.encode()))
        if base32(key.id) == kek["id"]:
            return key
    refuse("KekMismatch")


def wrap_aad(ring: str, entry: Members) -> bytes:
    named = ["reseal-keyset/wrap", "1", ring, entry["kid"], entry["use"], entry["created"]]
    return pae([item.encode() for item in named])


def wrap(kek: Key, ring: str, entry: Members, secret: bytes, nonce: bytes) -> str:
    gcm, iv = xaes(kek.derive("wrap"), nonce)
    return base64url(nonce + gcm.encrypt(iv, secret, wrap_aad(ring, entry)))


def hedged_wrap_nonce(kek: Key, ring: str, entry: Members, secret: bytes, drawn: bytes) -> bytes:
    """The nonce of a wrap where the entropy is indirect; `drawn` is R24."""
    hashed = drawn + wrap_aad(ring, entry) + secret
    return mac(kek.derive("hedge"), hashed)[:NONCE_BYTES]


def unwrap(kek: Key, ring: str, entry: Members) -> Key:
    wrapped = from_base64url(entry["wraps"][base32(kek.id)])
    gcm, iv = xaes(kek.derive("wrap"), wrapped[:NONCE_BYTES])
    try:
        secret = gcm.decrypt(iv, wrapped[NONCE_BYTES:], wrap_aad(ring, entry))
    except InvalidTag:
        refuse("KeysetTampered")
    key = Key(entry["use"], secret)
    if base32(key.id) != entry["kid"]:
        refuse("KeyIdMismatch")
    return key


def canon(document: Members) -> bytes:
    """CANON: what the MACs cover, which is everything but themselves."""
    head = ["ring", "generation", "issued", "lease_seconds"]
    items = ["reseal-keyset", "1", *(document[name] for name in head)]
    items += [document["primary"].get(use, "") for use in ("data", "index")]
    items.append(len(document["keks"]))
    for kek in document["keks"]:
        items += [kek["id"], canon_source(kek["source"])]
    items.append(len(document["keys"]))
    for entry in document["keys"]:
        items += [entry[name] for name in ("kid", "use", "state", "created", "changed", "label")]
        items += [entry["wraps"].get(kek["id"], "") for kek in document["keks"]]
    return pae_of(items)


def canon_source(source: Members | None) -> bytes:
    if source is None:
        return b""
    argon2id = ["name", "version", "memory_kib", "passes", "lanes", "salt"]
    external = ["name", "provider", "ref", "blob"]
    return pae_of([source[name] for name in (argon2id if "salt" in source else external)])


def pae_of(items: list[Any]) -> bytes:
    """PAE of bytes as they are, text as UTF-8 and numbers as decimal text."""
    return pae([item if isinstance(item, bytes) else str(item).encode() for item in items])


def keyset_mac(kek: Key, document: Members) -> bytes:
    return mac(kek.derive("mac"), canon(document))


# Section 9: loading and writing


def load_keyset(data: bytes, kek: Key, ring: str | None = None, min_generation: int = 0) -> Ring:
    """The ring, under one KEK; every refusal in the order of section 9."""
    document = parse_keyset(data)
    listed = document["macs"].get(base32(kek.id))
    if listed is None:
        refuse("KekMismatch")
    if not hmac.compare_digest(from_base64url(listed), keyset_mac(kek, document)):
        refuse("KeysetTampered")
    if ring is not None and ring != document["ring"]:
        refuse("KeysetWrongRing")
    if document["generation"] < min_generation:
        refuse("KeysetOutdated")
    loaded: dict[bytes, Entry] = {}
    for entry in document["keys"]:
        key = unwrap(kek, document["ring"], entry) if entry["wraps"] else None
        loaded[base64.b32decode(entry["kid"].upper())] = Entry(entry["state"], key)
    keys = [entry.key for entry in loaded.values() if entry.key is not None]
    short = [base32(key.id)[:8] for key in keys if key.use == "index"]
    if len(set(short)) < len(short):
        refuse("DuplicateKey")
    return loaded


def load_keyset_to_write(data: bytes, keks: list[Key]) -> Ring:
    """The ring, under every listed KEK alike: what a writer makes sure of first."""
    if {base32(kek.id) for kek in keks} != set(parse_keyset(data)["macs"]):
        refuse("KekMismatch")
    rings = [load_keyset(data, kek) for kek in keks]
    if any(ring != rings[0] for ring in rings):
        refuse("KeysetTampered")
    return rings[0]


def write_keyset(document: Members, keks: list[Key], ring: Ring, nonces: Iterable[bytes]) -> bytes:
    """The document with fresh wraps and MACs; a nonce for each key with material and each KEK."""
    fresh, entries = iter(nonces), []
    for entry in document["keys"]:
        key, wraps = ring[base64.b32decode(entry["kid"].upper())].key, {}
        if key is not None:
            for kek in keks:
                wrapped = wrap(kek, document["ring"], entry, key.secret, next(fresh))
                wraps[base32(kek.id)] = wrapped
        entries.append({**entry, "wraps": wraps})
    written = {**document, "keys": entries}
    written["macs"] = {base32(kek.id): base64url(keyset_mac(kek, written)) for kek in keks}
    data = json.dumps(written, ensure_ascii=False).encode()
    parse_keyset(data)
    return data
