"""Reads every field as Sentry does, with the keys of its directory, and compares it.

Sentry itself never complains: what it cannot read it hands to the application as it is stored. This fails.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import sentry

sys.path.append(str(Path(__file__).resolve().parents[1]))
import guide

QUERIES: dict[str, Any] = {
    "tempest_tempestcredentials.client_secret": "SELECT id, client_secret FROM tempest_tempestcredentials",
    f"sentry_identity.data.{sentry.MEMBER}": "SELECT id, data FROM sentry_identity",
    "plugin_note.body": "SELECT id, body FROM plugin_note",
}


def main() -> None:
    found: guide.Known = {}
    with guide.connect() as db:
        for name, query in QUERIES.items():
            reader = sentry.read_json if sentry.MEMBER in name else sentry.read
            found[name] = {
                str(row): None if stored is None else reader(stored)
                for row, stored in db.execute(query)
            }
    guide.compare("sentry", found)


if __name__ == "__main__":
    try:
        main()
    except sentry.UnreadableError:
        raise SystemExit("Sentry cannot read a value with these keys") from None
