"""What a job is compared with: the same statements without cryptography, and the script that people write."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cryptography.fernet import Fernet
from lib.job_tables import TABLE, Place

BATCH = 500
STATE = "x" * 400
"""As long as a checkpoint is."""

# In PostgreSQL a lone `id` would be the text.
AFTER = f"FROM {TABLE} WHERE {TABLE}.id > {{}} ORDER BY {TABLE}.id LIMIT {BATCH}"
SELECT = {
    "PostgreSQL": f"SELECT id::text, note {AFTER.format('%s')}",
    "MariaDB": f"SELECT id, note {AFTER.format('%s')}",
    "SQLite": f"SELECT id, note {AFTER.format('?')}",
}


def bare(place: Place, values: list[str], passes: int) -> None:
    """Put precomputed values in the place of all that is there, and know after each batch how far it is.

    As the job does, it compares what is replaced, byte by byte, and looks at all rows once more.
    """
    connection = place.connect()
    cursor = connection.cursor()
    mark = "?" if place.name == "SQLite" else "%s"
    cursor.execute("CREATE TABLE bench_state (id varchar(64) PRIMARY KEY, state text)")
    cursor.execute(f"INSERT INTO bench_state VALUES ('job', {mark})", (STATE,))
    swap = {"PostgreSQL": _postgresql, "MariaDB": _mariadb, "SQLite": _sqlite}[place.name]
    for number in range(passes):
        last = 0
        while True:
            cursor.execute(SELECT[place.name], (last,))
            rows = cursor.fetchall()
            if not rows:
                break
            last = int(rows[-1][0])
            if number > 0:
                continue
            news = [values[int(row) - 1] for row, _ in rows]
            cursor.execute("BEGIN IMMEDIATE" if place.name == "SQLite" else "BEGIN")
            if swap(cursor, rows, news) != len(rows):
                raise RuntimeError("a row was not swapped")
            cursor.execute(
                f"UPDATE bench_state SET state = {mark} WHERE id = 'job'", (f"{last} {STATE}",)
            )
            cursor.execute("COMMIT")
    cursor.execute("DROP TABLE bench_state")
    connection.close()


def _postgresql(cursor: Any, rows: Any, news: list[str]) -> int:
    cursor.execute(
        f"UPDATE {TABLE} SET note = v.n FROM unnest(%s::text[], %s::text[], %s::text[]) AS v(k, o, n) "
        f'WHERE {TABLE}.id = v.k::bigint AND {TABLE}.note COLLATE "C" = v.o',
        (_array(row for row, _ in rows), _array(old for _, old in rows), _array(news)),
    )
    return int(cursor.rowcount)


def _array(items: Iterable[str]) -> str:
    """The text of an array: the driver takes several times as long to make it of a list."""
    escaped = (item.replace("\\", "\\\\").replace('"', '\\"') for item in items)
    return '{"' + '","'.join(escaped) + '"}'


def _mariadb(cursor: Any, rows: Any, news: list[str]) -> int:
    one = "SELECT CAST(%s AS SIGNED) AS k, CAST(%s AS BINARY) AS o, CONVERT(%s USING utf8mb4) AS n"
    params = [part for (row, old), new in zip(rows, news, strict=True) for part in (row, old, new)]
    return int(
        cursor.execute(
            f"UPDATE {TABLE} JOIN ({' UNION ALL '.join([one] * len(rows))}) AS v ON {TABLE}.id = v.k "
            f"SET note = v.n WHERE CAST(CONVERT({TABLE}.note USING utf8mb4) AS BINARY) = v.o",
            params,
        )
    )


def _sqlite(cursor: Any, rows: Any, news: list[str]) -> int:
    params = [part for (row, old), new in zip(rows, news, strict=True) for part in (row, old, new)]
    cursor.execute(
        f"WITH v(k, o, n) AS (VALUES {', '.join(['(?, ?, ?)'] * len(rows))}) UPDATE {TABLE} SET note = v.n "
        f"FROM v WHERE {TABLE}.id = v.k AND typeof({TABLE}.note) = typeof(v.o) AND {TABLE}.note = v.o",
        params,
    )
    cursor.execute("SELECT changes()")
    [changes] = cursor.fetchone()
    return int(changes)


def script(place: Place, old: Fernet, new: Fernet, *, one_transaction: bool) -> None:
    """Rotate a key as people do: all rows at once, and an update for each."""
    connection = place.connect()
    cursor = connection.cursor()
    mark = "?" if place.name == "SQLite" else "%s"
    update = f"UPDATE {TABLE} SET note = {mark} WHERE id = {mark}"
    if one_transaction:
        cursor.execute("BEGIN")
    cursor.execute(f"SELECT id, note FROM {TABLE}")
    for row, token in cursor.fetchall():
        cursor.execute(update, (new.encrypt(old.decrypt(token)).decode(), row))
    if one_transaction:
        cursor.execute("COMMIT")
    connection.close()


def group_by(place: Place, characters: int) -> int:
    """Count values by their start, in a statement."""
    connection = place.connect()
    cursor = connection.cursor()
    start = "substr(note, 1, {})" if place.name == "SQLite" else "left(note, {})"
    cursor.execute(
        f"SELECT {start.format(characters)} AS start, count(*) FROM {TABLE} GROUP BY start"
    )
    total = sum(int(count) for _, count in cursor.fetchall())
    connection.close()
    return total
