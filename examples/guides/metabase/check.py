"""Reads the tables as Metabase does, with `MB_ENCRYPTION_SECRET_KEY`, and compares every value. Where the
variable is empty, values are not encrypted. It shares no code with Reseal."""

from __future__ import annotations

import os
import sys
import uuid
from pathlib import Path
from typing import Any

from metabase import Secret

sys.path.append(str(Path(__file__).resolve().parents[1]))
import guide

COLUMNS = {
    "metabase_database.details": "id::text",
    "metabase_database.settings": "id::text",
    "setting.value": "key",
    "setting.value_with_aad": "key",
    "secret.value": "id || '/' || version",
    "stored_result.result_data": "id::text",
}
CHECK, UPDATED, OFF = "encryption-check", "settings-last-updated", "unencrypted"


def main() -> None:
    text = os.environ.get("MB_ENCRYPTION_SECRET_KEY", "")
    secret = Secret(text) if text.strip() else None
    found: guide.Known = {}
    with guide.connect() as db:
        for name, identity in COLUMNS.items():
            table, column = name.split(".")
            rows = db.execute(f"SELECT {identity}, {column} FROM {table}".encode()).fetchall()
            found[name] = {row: read(secret, name, row, value) for row, value in rows}
    if "-" not in found["setting.value"].pop(UPDATED):
        raise SystemExit(f"{UPDATED} has to be plain")
    found["setting.value_with_aad"].pop(UPDATED)
    start(secret, found["setting.value"][CHECK])
    guide.compare("metabase", found)


def read(secret: Secret | None, name: str, row: str, value: Any) -> Any:
    if secret is None or value is None or row == UPDATED:
        return value
    if isinstance(value, bytes):
        return secret.decrypt(value)
    return secret.decrypt_text(value, f"setting.{row}" if name.endswith("_aad") else None)


def start(secret: Secret | None, check: str) -> None:
    """What Metabase asks before it starts: whether there is a key exactly where there has to be one."""
    if secret is None:
        if check != OFF:
            raise SystemExit(
                "Metabase does not start: the database is encrypted, and there is no key"
            )
    else:
        uuid.UUID(check)


if __name__ == "__main__":
    main()
