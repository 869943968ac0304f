"""Makes tables of Sentry and fills them as it did over time: values without a marker from before the fields
were encrypted, values of the method `plaintext`, and values under two keys. Some are real ones, written by
Sentry's own code.

fill.py          makes the tables
fill.py late     adds what a process writes now, under the key that is primary in the variables
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import sentry
from psycopg.types.json import Jsonb

sys.path.append(str(Path(__file__).resolve().parents[1]))
import guide

REAL = Path(__file__).resolve().parents[3] / "spec/vectors/sentry/public.json"
TABLES = """
    CREATE TABLE tempest_tempestcredentials (
        id bigserial PRIMARY KEY,
        client_id varchar NOT NULL,
        client_secret varchar NOT NULL
    );
    CREATE TABLE sentry_identity (
        id bigserial PRIMARY KEY,
        external_id text NOT NULL,
        data jsonb NOT NULL
    );
    CREATE TABLE plugin_note (
        id bigserial PRIMARY KEY,
        body text
    );
"""
SECRET, DATA, NOTE = (
    "tempest_tempestcredentials.client_secret",
    f"sentry_identity.data.{sentry.MEMBER}",
    "plugin_note.body",
)
INSERTS = {
    SECRET: "INSERT INTO tempest_tempestcredentials (client_id, client_secret) VALUES ('c', %s)",
    DATA: "INSERT INTO sentry_identity (external_id, data) VALUES ('x', %s)",
    NOTE: "INSERT INTO plugin_note (body) VALUES (%s)",
}
REAL_TEXTS = [
    *("char-ascii", "text-ascii", "text-empty", "text-unicode", "text-10k", "text-multiline"),
    *("text-old-key", "plaintext-ascii", "plaintext-empty", "plaintext-unicode"),
    *("unknown-method-falls-back", "legacy-unmarked-text", "resave-rotates-to-primary"),
]
REAL_DOCUMENTS = [
    *("json-object", "json-unicode", "json-array", "json-scalar-string", "json-empty-object"),
    *("json-reserved-key-as-user-data", "json-plaintext-method"),
]
#: From before the field was encrypted, as PostgreSQL shows them. Sentry takes the last one as it is, too.
BARE = ['{"n": 1, "legacy": true}', "[1, 2]", f'{{"other": 1, "{sentry.MEMBER}": "v"}}']


def main(late: bool) -> None:
    known: guide.Known = {name: {} for name in INSERTS}
    if late:
        known = json.loads(guide.KNOWN.read_text(encoding="utf-8"))
    stored: dict[str, list[Any]] = {name: [] for name in INSERTS}

    def add(name: str, text: str | None, value: Any) -> None:
        known[name][str(len(known[name]) + 1)] = text
        stored[name].append(value)

    if not late:
        for case in map(real, REAL_TEXTS):
            add(SECRET, case["plaintext"], case["ciphertext"])
        for case in map(real, REAL_DOCUMENTS):
            document = json.loads(case["ciphertext"])
            add(DATA, sentry.read_json(document), Jsonb(document))
        for text in BARE:
            add(DATA, text, Jsonb(json.loads(text)))
    for row in range(3) if late else range(200):
        add(SECRET, f"secret-{row:05}", field(f"secret-{row:05}", 2 if late else row))
        text = sentry.dumped({"access_token": f"t{row}", "scopes": ["read"], "name": "Žofie 🐎"})
        wrapped = {sentry.MEMBER: field(text, 2 if late else row % 3 + 1)}
        add(DATA, text, Jsonb(wrapped))
        note = ["", f"Poznámka {row} 📝", f"note {row}\n" * 300, None][row % 4]
        add(NOTE, note, note if note is None else field(note, 2 if late else row // 4))
    with guide.connect() as db, db.cursor() as cursor:
        if not late:
            cursor.execute(TABLES)
        for name, statement in INSERTS.items():
            cursor.executemany(statement, [(value,) for value in stored[name]])  # type: ignore[arg-type]
    guide.note(known)


def field(text: str, kind: int) -> str:
    """Without a marker, of the method `plaintext`, under the primary key or under the first key."""
    match kind % 4:
        case 0:
            return text
        case 1:
            return sentry.write(text, "plaintext")
        case 2:
            return sentry.write(text)
        case _:
            return sentry.write(text, key_id="key_2024_01")


def real(name: str) -> dict[str, Any]:
    """A value that Sentry wrote."""
    cases: list[dict[str, Any]] = json.loads(REAL.read_text(encoding="utf-8"))["vectors"]
    return next(one for one in cases if one["id"] == name)


if __name__ == "__main__":
    main(sys.argv[1:] == ["late"])
