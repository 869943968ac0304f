"""What is special about n8n's tables: keys that stand in a table themselves, and recovery codes that stand
in one text, with commas between them, into which no path of a manifest leads."""

from __future__ import annotations

from typing import Any

import psycopg
import reseal

Connection = psycopg.Connection[tuple[Any, ...]]
COLUMNS = ["id", "type", "value", "algorithm", "status"]


def key_rows(db: Connection) -> list[dict[str, Any]]:
    """The rows of `deployment_key`, as the manifest wants them; none where n8n has no such table."""
    if db.execute("SELECT to_regclass('deployment_key')").fetchone() == (None,):
        return []
    rows = db.execute("SELECT id, type, value, algorithm, status FROM deployment_key ORDER BY id")
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def code_column(manifest: reseal.Manifest, rows: list[dict[str, Any]]) -> reseal.Column:
    """A column for one recovery code, with the codecs of `user.mfaSecret`."""
    spec = next(it for it in manifest.columns if it.column == "mfaSecret")
    wanted = {"deployment_key": rows}

    def codec(name: str) -> reseal.codecs.Codec:
        return manifest.codec(name, tables=wanted)

    return reseal.Column(
        write=codec(spec.write),
        read=[codec(name) for name in spec.read],
        context={"table": "user", "column": "mfaRecoveryCodes"},
    )


def codes_of(db: Connection) -> list[tuple[Any, str, list[str]]]:
    """For each user: the row id, the text as it is, and the codes in it."""
    rows = db.execute('SELECT id, "mfaRecoveryCodes" FROM "user" ORDER BY id').fetchall()
    return [(row, text, text.split(",") if text else []) for row, text in rows]
