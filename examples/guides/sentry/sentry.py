"""What Sentry does with its encrypted fields, written from their format over pyca/cryptography: neither half
shares code with Reseal. Keys come from the directory that Sentry's own variable names.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

MEMBER = "sentry_encrypted_field_value"


class UnreadableError(Exception):
    """Sentry would hand the stored text to the application."""


def keys() -> dict[str, str]:
    """The key of each file; its name is the id."""
    folder = os.environ.get("DATABASE_ENCRYPTION_FERNET_KEYS_LOCATION")
    files = [] if folder is None else Path(folder).iterdir()
    return {file.name: file.read_text().strip() for file in files if file.name[0] != "."}


def write(text: str, method: str = "fernet", key_id: str | None = None) -> str:
    """A char or a text field."""
    if method == "plaintext":
        return f"enc:plaintext:{armored(text.encode())}"
    key_id = key_id or os.environ["DATABASE_ENCRYPTION_FERNET_PRIMARY_KEY_ID"]
    token = Fernet(keys()[key_id]).encrypt(text.encode())
    return f"enc:fernet:{key_id}:{armored(token)}"


def read(stored: str) -> str:
    """The text of a field: of either method, or without a marker from before it was encrypted."""
    if not stored.startswith("enc:"):
        return stored
    _, method, body = stored.split(":", 2)
    key_id, _, payload = body.partition(":")
    try:
        if method == "plaintext":
            return base64.b64decode(body, validate=True).decode()
        if method == "fernet":
            return Fernet(keys()[key_id]).decrypt(base64.b64decode(payload, validate=True)).decode()
    except (KeyError, ValueError, InvalidToken) as error:
        raise UnreadableError from error
    raise UnreadableError


def read_json(document: Any) -> str:
    """The text of a JSON field, whose column is JSONB."""
    if not isinstance(document, dict) or list(document) != [MEMBER]:
        return json.dumps(document, ensure_ascii=False)
    text = read(document[MEMBER])
    try:
        json.loads(text)
    except ValueError as error:
        raise UnreadableError from error
    return text


def dumped(value: Any) -> str:
    """A JSON document as Sentry encrypts it."""
    return json.dumps(value, separators=(",", ":"))


def armored(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
