"""Databases for the tests of the drivers, and how to speak to each of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
from reseal import _database
from reseal._database import Database, Failure
from reseal._database_url import parse

KINDS = ["postgresql", "mysql", "sqlite"]
SERVERS = ["postgresql", "mysql"]
SECRET = "s3cret-plaintext"
TEXTS = [
    "",
    "Grüße 👋🏽 \U0001f511",
    "it's \"quoted\" `so` \\ \\' \\\\",
    "100 % %s %(a)s ? ?? $1 :a {x} -- /* # */ ;",
    "line\nfeed\r\ttab \x1a\x7f",
    " trailing ",
    "rs1.AAEC-_",
]
ALL_BYTES = bytes(range(256))
TYPES = {
    "postgresql": {"text": "text", "bytes": "bytea", "int": "bigint"},
    "mysql": {"text": "longtext", "bytes": "longblob", "int": "bigint"},
    "sqlite": {"text": "text", "bytes": "blob", "int": "integer"},
}
CODES = {
    "unique": {"postgresql": "23505", "mysql": "1062", "sqlite": "2067"},
    "missing table": {"postgresql": "42P01", "mysql": "1146", "sqlite": "1"},
    "missing column": {"postgresql": "42703", "mysql": "1054", "sqlite": "1"},
    "null": {"postgresql": "23502", "mysql": "1048", "sqlite": "1299"},
    "lock": {"postgresql": "55P03", "mysql": "1205", "sqlite": "5"},
    "deadlock": {"postgresql": "40P01", "mysql": "1213"},
    "too long": {"postgresql": "22001", "mysql": "1406"},
    "time": {"postgresql": "57014", "mysql": "1969"},
    "denied": {"postgresql": "42501", "mysql": "1142", "sqlite": "8"},
    "unreachable": {"postgresql": "08001", "mysql": "2003", "sqlite": "14"},
    "password": {"postgresql": "28P01", "mysql": "1045"},
}
LOST_CODES = {
    "postgresql": {"57P01", "08006"},
    "mysql": {"2006", "2013", "1927"},
}


class Place:
    """A database of one kind, and how to speak to it."""

    def __init__(self, kind: str, url: str) -> None:
        self.kind, self.url = kind, url
        self.opened: list[Database] = []

    def open(self, url: str | None = None) -> Database:
        self.opened.append(_database.connect(url or self.url))
        return self.opened[-1]

    def type(self, name: str) -> str:
        return TYPES[self.kind][name]

    def mark(self, number: int, cast: str = "") -> str:
        if self.kind == "postgresql":
            return f"${number}::{cast}" if cast else f"${number}"
        return "?"

    def quoted(self, name: str) -> str:
        mark = "`" if self.kind == "mysql" else '"'
        return mark + name.replace(mark, mark * 2) + mark

    def native(self) -> Any:
        """A connection of the driver, as an application opens it."""
        target = parse(self.url)
        if self.kind == "postgresql":
            return psycopg.connect(
                host=target.host,
                port=target.port,
                user=target.user,
                password=target.password,
                dbname=target.database,
            )
        if self.kind == "mysql":
            return pymysql.connect(
                host=target.host,
                port=target.port,
                user=target.user,
                password=(target.password or "").encode(),
                database=target.database,
            )
        return sqlite3.connect(target.database)


@pytest.fixture
def place(
    request: pytest.FixtureRequest, servers: dict[str, str], tmp_path: Path
) -> Iterator[Place]:
    """What a file of tests takes as its fixture `place`, in the place of the one for commands."""
    kind = request.param
    if kind == "sqlite":
        sqlite3.connect(tmp_path / "app.db").close()
    place = Place(kind, servers.get(kind, f"sqlite:///{tmp_path}/app.db"))
    yield place
    for database in place.opened:
        database.close()
    cleaner = _database.connect(place.url)
    for table in ("t", "u"):
        cleaner.execute(f"DROP TABLE IF EXISTS {table}")
    cleaner.close()


def on(*kinds: str) -> pytest.MarkDecorator:
    """The fixture `place` on these kinds of databases."""
    return pytest.mark.parametrize("place", kinds, indirect=True)


everywhere, servers_only = on(*KINDS), on(*SERVERS)


def table_of(place: Place, database: Database, rows: int = 3) -> None:
    key = "id integer primary key"
    database.execute(f"CREATE TABLE t ({key}, v varchar(40) not null)")
    for number in range(1, rows + 1):
        database.execute(
            f"INSERT INTO t VALUES ({place.mark(1)}, {place.mark(2)})", [number, f"v{number}"]
        )


def failure_of(database: Database, step: Callable[[], object]) -> Failure:
    """What a step fails with; and it shows no secret."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever the driver raises
        step()
    failure = database.failure(caught.value)
    assert SECRET not in failure.message
    assert failure.message
    assert "\n" not in failure.message
    return failure


def kill(place: Place, victim: Database) -> None:
    killer = place.open()
    if place.kind == "postgresql":
        [[number]] = victim.query("SELECT pg_backend_pid()")
        assert isinstance(number, int)
        killer.query("SELECT pg_terminate_backend($1)", [number])
    else:
        [[number]] = victim.query("SELECT connection_id()")
        killer.execute(f"KILL {int(str(number))}")
