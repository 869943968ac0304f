"""Reads every attribute as Rails does, with the keys that the variables name, and compares it.

check.py           fails where Rails could not read a value, or would not find it by its e-mail address
check.py plain     the same with `support_unencrypted_data`, which takes what is no message as it is
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import rails

sys.path.append(str(Path(__file__).resolve().parents[1]))
import guide

ATTRIBUTES = [("users", "email"), ("users", "name"), ("credentials", "value")]


def main(takes_plain: bool) -> None:
    # Defaults from 7.1 on, with `support_sha1_for_non_deterministic_encryption`.
    primary = rails.keys_of("PRIMARY_KEY", ["sha256", "sha1"])
    deterministic = rails.keys_of("DETERMINISTIC_KEY")
    found: guide.Known = {}
    with guide.connect() as db:
        for table, column in ATTRIBUTES:
            keys = deterministic if column == "email" else primary
            rows = db.execute(f"SELECT id, {column} FROM {table}")  # type: ignore[arg-type]
            found[f"{table}.{column}"] = {
                str(row): stored and attribute(stored, keys, takes_plain) for row, stored in rows
            }
        addresses = [text for text in found["users.email"].values() if text is not None]
        for text in addresses:
            # As with `extend_queries`: under each key, and as it is where plaintext counts.
            wanted = [rails.write(text, key, deterministic=True) for key in deterministic]
            wanted += [text] if takes_plain else []
            query = "SELECT count(*) FROM users WHERE email = ANY(%s)"
            if db.execute(query, [wanted]).fetchone() != (1,):
                raise SystemExit("an address is not found by its value")
    guide.compare("rails", found)
    print(f"rails: {len(addresses)} addresses found")


def attribute(stored: str, keys: Iterable[bytes], takes_plain: bool) -> str:
    try:
        return rails.read(stored, keys)
    except rails.UnreadableError:
        if takes_plain and not is_message(stored):
            return stored
        raise SystemExit("Rails cannot read a value with these keys") from None


def is_message(stored: str) -> bool:
    try:
        return "p" in json.loads(stored)
    except (ValueError, TypeError):
        return False


if __name__ == "__main__":
    main(sys.argv[1:] == ["plain"])
