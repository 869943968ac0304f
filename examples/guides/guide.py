"""What the programs of the guides share: the database, what its values are, and how an application
reads them through Reseal.

`known.json` says of each column that is encrypted what its rows hold: text, `{"hex": …}` for bytes, null,
or true where any value is right. A real system has no such file; here it shows that nothing was lost.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    import reseal

KNOWN = Path("known.json")
Known = dict[str, dict[str, Any]]


def connect() -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(os.environ["RESEAL_DATABASE_URL"], autocommit=True)


def note(known: Known) -> None:
    """Says what the rows hold, by the name of the column and the ids of the rows."""
    text = json.dumps(known, ensure_ascii=False, indent=1)
    KNOWN.write_text(f"{text}\n", encoding="utf-8")
    print(f"made {counted(sum(map(len, known.values())))}")


def compare(reader: str, found: Known) -> None:
    """Fails unless the rows hold exactly what is known of them."""
    known: Known = json.loads(KNOWN.read_text(encoding="utf-8"))
    values = 0
    for name, rows in found.items():
        if rows.keys() != known[name].keys():
            raise SystemExit(f"{name}: these are not the rows that were made")
        for row, value in rows.items():
            expected = known[name][row]
            shown = {"hex": value.hex()} if isinstance(value, bytes) else value
            if expected is not True and shown != expected:
                raise SystemExit(f"{name}: row {row} holds another value than before")
        values += len(rows)
    print(f"{reader}: {counted(values)} of {counted(len(found), 'column')}, each as it was")


def counted(number: int, what: str = "value") -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def read(manifest: reseal.Manifest, tables: dict[str, Any] | None = None) -> None:
    """Opens every value of the manifest's columns, whatever format it is in, and compares it."""
    found: Known = {}
    with connect() as db:
        for spec, column in zip(manifest.columns, manifest.build(tables=tables or {}), strict=True):
            facts = {name: fact for name, fact in spec.context.items() if not isinstance(fact, str)}
            asked = [*spec.row_id, *(fact.column for fact in facts.values()), spec.column]
            rows = db.execute(
                sql.SQL("SELECT {} FROM {} WHERE {}").format(
                    sql.SQL(", ").join(map(sql.Identifier, asked)),
                    sql.Identifier(spec.table),
                    sql.SQL(spec.where or "true"),  # type: ignore[arg-type]
                )
            )
            for *row, stored in rows:
                identity, bound = row[: len(spec.row_id)], row[len(spec.row_id) :]
                context = dict(zip(facts, bound, strict=True))
                if spec.bind_row:
                    context["row"] = identity[0]
                opened = column.open(stored_text(stored, spec.path), **context)
                name = f"{spec.table}.{spec.column}{(spec.path or '')[1:]}"
                row_name = "/".join(map(str, identity))
                found.setdefault(name, {})[row_name] = opened and opened.value
    compare("python", found)


def stored_text(stored: Any, path: str | None) -> str | bytes | None:
    """A stored value, or the member of a stored document. The driver gives JSONB as what it means."""
    if path is not None:
        stored = json.loads(stored) if isinstance(stored, str) else stored
        for name in path.split(".")[1:]:
            stored = stored[name]
    if stored is None or isinstance(stored, (str, bytes)):
        return stored
    return json.dumps(stored, ensure_ascii=False)
