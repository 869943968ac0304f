"""What other systems do with their own values, written for these tests from their formats, over
pyca/cryptography: readers that share no code with the codecs. `test_codecs_foreign.py` proves them on
every vector first.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import subprocess
import zlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class UnreadableError(Exception):
    """The system would not read this."""


def decode(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def first_that_opens(keys: Iterable[bytes], reader: Callable[[bytes], bytes]) -> bytes:
    for key in keys:
        try:
            return reader(key)
        except UnreadableError:
            continue
    raise UnreadableError


def open_gcm(key: bytes, iv: bytes, ciphertext: bytes, tag: bytes) -> bytes:
    if len(tag) != 16:
        raise UnreadableError
    try:
        return AESGCM(key).decrypt(iv, ciphertext + tag, None)
    except InvalidTag as error:
        raise UnreadableError from error


def open_cbc(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    try:
        padded = decryptor.update(ciphertext) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError as error:
        raise UnreadableError from error


# --- Rails ------------------------------------------------------------------------------------


@lru_cache
def rails_key(text: str, salt: str, digest: str) -> bytes:
    return hashlib.pbkdf2_hmac(digest.lower(), text.encode(), salt.encode(), 1 << 16, 32)


def open_rails(stored: str | bytes, keys: Iterable[bytes]) -> bytes:
    """The bytes of an attribute, under one of the derived keys, with or without an envelope."""
    if isinstance(stored, str):
        try:
            message = unarmored(json.loads(stored))
        except ValueError as error:
            raise UnreadableError from error
    else:
        if not stored.startswith(b"\xcc\x80"):
            raise UnreadableError
        message, _ = unpack(stored, 2)

    def under(key: bytes) -> bytes:
        nested = message["h"].get("k")
        return open_message(message, open_message(nested, key) if nested else key)

    body = first_that_opens(keys, under)
    return zlib.decompress(body) if message["h"].get("c") else body


def open_message(message: dict[str, Any], key: bytes) -> bytes:
    if not {"p", "h"} <= message.keys():
        raise UnreadableError
    headers = message["h"]
    return open_gcm(key, headers["iv"], message["p"] or b"", headers["at"])


def unarmored(value: Any) -> Any:
    """The JSON of Rails, whose texts are base64."""
    if isinstance(value, dict):
        return {name: unarmored(member) for name, member in value.items()}
    return decode(value) if isinstance(value, str) else value


def unpack(raw: bytes, at: int) -> tuple[Any, int]:
    """What of MessagePack Rails writes: the value that starts there, and where the next one does."""
    mark = raw[at]
    at += 1
    if mark & 0xF0 == 0x80:
        pairs = {}
        for _ in range(mark & 0x0F):
            name, at = unpack(raw, at)
            pairs[name.decode()], at = unpack(raw, at)
        return pairs, at
    if mark in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[mark], at
    if mark & 0xE0 == 0xA0:
        length = mark & 0x1F
    elif 0xD4 <= mark <= 0xD8:  # a symbol: its type, then its name
        length, at = 1 << (mark - 0xD4), at + 1
    else:
        width = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}[mark]
        length, at = int.from_bytes(raw[at : at + width], "big"), at + width
    return raw[at : at + length], at + length


# --- Metabase ---------------------------------------------------------------------------------


@lru_cache
def metabase_key(secret: str) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", secret.encode(), b"", 100_000, 64)


def open_metabase(
    raw: bytes, secret: str, rows: dict[int, bytes] | None = None, aad: bytes | None = None
) -> bytes:
    """Each of its formats: under a data key, as a stream, and the oldest one."""
    kek = metabase_key(secret)
    if raw.startswith(b"MB\x02"):
        wrapped = (rows or {})[int.from_bytes(raw[3:7], "big")]
        key = open_gcm(kek[:32], wrapped[:12], wrapped[12:-16], wrapped[-16:])
        return open_gcm(key, raw[7:19], raw[19:-16], raw[-16:])
    if raw.startswith(b"AES/CBC/PKCS5Padding"):
        return open_cbc(kek[32:], raw[32:48], raw[48:])
    content, tag = raw[:-32], raw[-32:]
    bound = content if aad is None else aad + content + (8 * len(aad)).to_bytes(8, "big")
    if not hmac.compare_digest(hmac.digest(kek[:32], bound, "sha512")[:32], tag):
        raise UnreadableError
    return open_cbc(kek[32:], content[:16], content[16:])


def wrap_metabase(kek: bytes, data_key: bytes) -> bytes:
    """A row of `data_encryption_key`."""
    nonce = os.urandom(12)
    return nonce + AESGCM(kek).encrypt(nonce, data_key, None)


# --- n8n --------------------------------------------------------------------------------------


def open_n8n_with_openssl(stored: str, instance_key: str) -> bytes:
    """OpenSSL's own command, of which n8n's oldest format is. The password stands in the list of
    processes for a moment: it is one of a test."""
    command = ["openssl", "enc", "-d", "-aes-256-cbc", "-md", "md5", "-salt", "-a", "-A"]
    done = subprocess.run(
        [*command, "-pass", f"pass:{instance_key}"],
        input=stored.encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise UnreadableError(done.stderr.decode())
    return done.stdout


def open_n8n_gcm(body: str, key: bytes) -> bytes:
    """A version, a salt of which and the key the cipher's key and IV come, the tag, the rest."""
    blob = decode(body)
    if blob[:1] != b"\1":
        raise UnreadableError
    derived = HKDF(hashes.SHA256(), 44, blob[1:33], b"n8n-encryption-v1").derive(key)
    return open_gcm(derived[:32], derived[32:], blob[49:], blob[33:49])


def unwrap_n8n(value: str, instance_key: str) -> str:
    """The data key of a row."""
    return open_n8n_gcm(value, hashlib.sha256(instance_key.encode()).digest()).decode()


# --- Freeboard --------------------------------------------------------------------------------


def open_freeboard(row: Any, key_text: str) -> bytes:
    try:
        if row["algorithm"] != "aes-256-gcm":
            raise UnreadableError
        parts = [decode(row[name]) for name in ("iv", "ciphertext", "authTag")]
    except (TypeError, KeyError, ValueError) as error:
        raise UnreadableError from error
    if len(parts[0]) != 12:
        raise UnreadableError
    return open_gcm(decode(key_text), *parts)
