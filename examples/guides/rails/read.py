"""The application in Python, which reads through Reseal: every value, and each user by e-mail address."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import reseal

sys.path.append(str(Path(__file__).resolve().parents[1]))
import guide

Lookup = Callable[[str], list[str]]


def main() -> None:
    manifest = reseal.Manifest.load()
    guide.read(manifest)
    lookups = lookups_of(manifest, "users", "email")
    addresses = [
        text for text in json.loads(guide.KNOWN.read_text())["users.email"].values() if text
    ]
    with guide.connect() as db:
        for text in addresses:
            wanted = [value for lookup in lookups for value in lookup(text)]
            query = "SELECT count(*) FROM users WHERE email = ANY(%s)"
            if db.execute(query, [wanted]).fetchone() != (1,):
                raise SystemExit("an address is not found by its value")
    print(f"python: {len(addresses)} addresses found")


def lookups_of(manifest: reseal.Manifest, table: str, column: str) -> list[Lookup]:
    """For each format that the column may hold: what a value would be stored as."""
    spec = next(it for it in manifest.columns if (it.table, it.column) == (table, column))
    context = {name: fact for name, fact in spec.context.items() if isinstance(fact, str)}
    kinds = {codec.name: codec.kind for codec in manifest.codecs}

    def lookup_of(name: str) -> Lookup:
        if kinds[name] == "plain":
            return lambda text: [text]
        if kinds[name] == "reseal":
            ring = reseal.LiveKeyring.from_env()
            return lambda text: ring.lookup_values(text, context)
        codec = manifest.codec(name)
        return lambda text: [str(codec.seal(text))]

    return [lookup_of(name) for name in (spec.write, *spec.read)]


if __name__ == "__main__":
    main()
