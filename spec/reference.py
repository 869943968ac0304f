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
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
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
