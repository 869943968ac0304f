"""Tables for the speed and the memory of jobs: filled, and made anew as often as that is wanted."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg
import pymysql

ROOT = Path(__file__).resolve().parents[3]
TABLE = "bench_users"
SOURCES = ("bench_plain", "bench_sealed", "bench_tokens")
CHUNK = 1_000
CHARACTERS = 120

MANIFEST = f"""
version = 1
[codecs.app]
kind = "reseal"
keyring = "env"
[[columns]]
table = "{TABLE}"
column = "note"
row_id = ["id"]
context = {{ table = "users", column = "note" }}
write = "app"
read = ["plain"]
"""
CONTEXT = {"table": "users", "column": "note"}


def plaintexts(count: int) -> Iterator[str]:
    """Texts of 120 characters, no two alike."""
    for number in range(count):
        start = f"note {number}: the customer was called, and will call again; "
        yield (start * 3)[:CHARACTERS]


@dataclass(frozen=True)
class Place:
    """A database that the job runs on."""

    name: str
    url: str
    connect: Callable[[], Any]
    """A connection of the driver that the job uses, with a transaction for each statement."""

    def fill(self, table: str, rows: Iterable[tuple[int, str]]) -> None:
        """Make a table of rows."""
        connection = self.connect()
        cursor = connection.cursor()
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(f"CREATE TABLE {table} (id {NUMBERS[self.name]} PRIMARY KEY, note text)")
        every = iter(rows)
        cursor.execute("BEGIN")
        while chunk := list(islice(every, CHUNK)):
            self._insert(cursor, table, chunk)
        cursor.execute("COMMIT")
        connection.close()

    def _insert(self, cursor: Any, table: str, rows: Sequence[tuple[int, str]]) -> None:
        if self.name == "PostgreSQL":
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            mark = "?" if self.name == "SQLite" else "%s"
            cursor.executemany(f"INSERT INTO {table} VALUES ({mark}, {mark})", rows)

    def renew(self, source: str, times: int = 1, rows: int = 0) -> None:
        """Make the table of the job a copy of another one, and forget how far jobs are.

        With `times` it has the rows so often, with other ids: `rows` more each time.
        """
        connection = self.connect()
        cursor = connection.cursor()
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
        cursor.execute("DROP TABLE IF EXISTS reseal_jobs")
        cursor.execute(f"CREATE TABLE {TABLE} (id {NUMBERS[self.name]} PRIMARY KEY, note text)")
        for time in range(times):
            cursor.execute(f"INSERT INTO {TABLE} SELECT id + {time * rows}, note FROM {source}")
        # What the server would else do while a way is timed.
        for statement in SETTLE[self.name]:
            cursor.execute(statement)
            if self.name != "PostgreSQL":
                cursor.fetchall()
        connection.close()

    def clean(self) -> None:
        """Drop all tables."""
        connection = self.connect()
        for table in (*SOURCES, TABLE, "reseal_jobs"):
            connection.cursor().execute(f"DROP TABLE IF EXISTS {table}")
        connection.close()

    def extremes(self) -> tuple[int, str, str]:
        """How many rows there are, and the least and the greatest value."""
        connection = self.connect()
        cursor = connection.cursor()
        cursor.execute(f"SELECT count(*), min(note), max(note) FROM {TABLE}")
        count, least, greatest = cursor.fetchone()
        connection.close()
        return count, least, greatest


NUMBERS = {"PostgreSQL": "bigint", "MariaDB": "bigint", "SQLite": "integer"}
SETTLE = {
    "PostgreSQL": [f"VACUUM ANALYZE {TABLE}", "CHECKPOINT"],
    "MariaDB": [f"ANALYZE TABLE {TABLE}"],
    "SQLite": ["ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"],
}


def places(folder: Path, *, durable: bool = False) -> list[Place]:
    """The three databases; the servers stop when this process ends, and the file is in the folder.

    What is committed to those that are `durable` survives a crash of the machine.
    """
    script = str(ROOT / "scripts/databases.py")
    command = [sys.executable, script, "start", "--while", str(os.getpid())]
    command += ["--durable"] if durable else []
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    urls: dict[str, str] = json.loads(done.stdout)
    file = folder / "bench.db"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    return [
        Place("PostgreSQL", urls["postgresql"], lambda: _postgresql(urls["postgresql"])),
        Place("MariaDB", urls["mysql"], lambda: _mariadb(urls["mysql"])),
        Place("SQLite", f"sqlite:///{file}", lambda: sqlite3.connect(file, isolation_level=None)),
    ]


def _postgresql(url: str) -> Any:
    return psycopg.connect(url, autocommit=True)


def _mariadb(url: str) -> Any:
    parts = re.fullmatch(r"mysql://([^:]+):([^@]+)@([^:]+):(\d+)/(\w+)", url)
    if parts is None:
        raise RuntimeError("the URL of the database has another form")
    user, password, host, port, database = parts.groups()
    return pymysql.connect(
        host=host,
        port=int(port),
        user=user,
        password=unquote(password).encode(),
        database=database,
        charset="utf8mb4",
        autocommit=True,
    )
