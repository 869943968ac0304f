"""What Metabase does with its values, over pyca/cryptography: for `fill.py` and `check.py`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

STREAM = b"AES/CBC/PKCS5Padding".ljust(32)


class Secret:
    """The keys of one `MB_ENCRYPTION_SECRET_KEY`."""

    def __init__(self, text: str) -> None:
        derived = hashlib.pbkdf2_hmac("sha512", text.encode(), b"", 100_000, 64)
        self.mac_key, self.aes_key = derived[:32], derived[32:]

    def encrypt(self, plaintext: bytes, aad: str | None = None) -> bytes:
        iv = os.urandom(16)
        content = iv + self._cbc(iv, plaintext)
        return content + self._tag(content, aad)

    def encrypt_stream(self, plaintext: bytes) -> bytes:
        iv = os.urandom(16)
        return STREAM + iv + self._cbc(iv, plaintext)

    def decrypt(self, stored: bytes, aad: str | None = None) -> bytes:
        content, tag = stored[:-32], stored[-32:]
        if not hmac.compare_digest(self._tag(content, aad), tag):
            raise SystemExit("Metabase cannot read a value: the key is not the right one")
        decryptor = Cipher(algorithms.AES(self.aes_key), modes.CBC(content[:16])).decryptor()
        padded = decryptor.update(content[16:]) + decryptor.finalize()
        unpadder = padding.PKCS7(128).unpadder()
        return unpadder.update(padded) + unpadder.finalize()

    def encrypt_text(self, plaintext: str, aad: str | None = None) -> str:
        return base64.b64encode(self.encrypt(plaintext.encode(), aad)).decode()

    def decrypt_text(self, stored: str, aad: str | None = None) -> str:
        return self.decrypt(base64.b64decode(stored, validate=True), aad).decode()

    def _cbc(self, iv: bytes, plaintext: bytes) -> bytes:
        padder = padding.PKCS7(128).padder()
        padded = padder.update(plaintext) + padder.finalize()
        encryptor = Cipher(algorithms.AES(self.aes_key), modes.CBC(iv)).encryptor()
        return encryptor.update(padded) + encryptor.finalize()

    def _tag(self, content: bytes, aad: str | None) -> bytes:
        bound = content if aad is None else aad.encode() + content + _bits(aad)
        return hmac.digest(self.mac_key, bound, "sha512")[:32]


def _bits(aad: str) -> bytes:
    return (8 * len(aad.encode())).to_bytes(8, "big")
