"""What Rails does with an encrypted attribute, written from its format over pyca/cryptography: neither
half shares code with Reseal. The keys come from the variables of the application.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VARIABLE = "ACTIVE_RECORD_ENCRYPTION_{}"
COMPRESSED_FROM_BYTES = 141


class UnreadableError(Exception):
    """No key of the application opens this."""


@lru_cache
def derived(secret: str, salt: str, digest: str = "sha256") -> bytes:
    return hashlib.pbkdf2_hmac(digest, secret.encode(), salt.encode(), 1 << 16, 32)


def keys_of(
    name: str, digests: Iterable[str] = ("sha256",), *, ends: Iterable[str] = ("", "_NEW")
) -> list[bytes]:
    """The keys that the variables name: the old one, and the new one where there is one."""
    salt = os.environ[VARIABLE.format("KEY_DERIVATION_SALT")]
    found = [os.environ.get(VARIABLE.format(name + end)) for end in ends]
    return [derived(text, salt, digest) for digest in digests for text in found if text]


def write(text: str, key: bytes, *, deterministic: bool = False) -> str:
    """The column of an attribute, byte for byte as Rails writes it."""
    body = text.encode()
    compressed = len(body) >= COMPRESSED_FROM_BYTES
    if compressed:
        body = zlib.compress(body)
    iv = hmac.digest(key, body, "sha256")[:12] if deterministic else os.urandom(12)
    sealed = AESGCM(key).encrypt(iv, body, None)
    headers: dict[str, Any] = {"iv": armored(iv), "at": armored(sealed[-16:])}
    if compressed:
        headers["c"] = True
    return json.dumps({"p": armored(sealed[:-16]), "h": headers}, separators=(",", ":"))


def read(stored: str, keys: Iterable[bytes]) -> str:
    """The text of an attribute, under the first key that opens it."""
    try:
        message = json.loads(stored)
        headers = message["h"]
        parts = [base64.b64decode(headers["iv"]), base64.b64decode(message["p"])]
        tag = base64.b64decode(headers["at"])
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableError from error
    if len(tag) != 16:
        raise UnreadableError
    for key in keys:
        try:
            body = AESGCM(key).decrypt(parts[0], parts[1] + tag, None)
        except InvalidTag:
            continue
        return (zlib.decompress(body) if headers.get("c") else body).decode()
    raise UnreadableError


def armored(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
