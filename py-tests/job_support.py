"""The commands of both packages on real databases: each test has a database of its own."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

import psycopg
import pymysql
import pytest
import reseal
from cli_support import COMMANDS, DATA, ROOT, SECONDS, Ended, run
from reseal._database_url import parse

KINDS = ("postgresql", "mysql", "sqlite")
SERVERS = ("postgresql", "mysql")
RING = reseal.Keyring(DATA)
HERE = {"table": "users", "column": "ssn"}
TYPES = {
    "postgresql": {"text": "text", "bytes": "bytea", "int": "bigint"},
    "mysql": {"text": "longtext", "bytes": "longblob", "int": "bigint"},
    "sqlite": {"text": "text", "bytes": "blob", "int": "integer"},
}
CODECS: dict[str, dict[str, Any]] = {"app": {"kind": "reseal", "keyring": "env"}}
#: What the packages of npm are imported from.
MODULES = ROOT / "js-tests/node_modules"
_NUMBERS = count(1)

Json = dict[str, Any]
Test = TypeVar("Test", bound=Callable[..., object])


# --- the manifest -------------------------------------------------------------------------------


def toml(value: Any) -> str:
    """A value, on one line."""
    if isinstance(value, dict):
        members = (f"{json.dumps(name)} = {toml(member)}" for name, member in value.items())
        return "{ " + ", ".join(members) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def column(table: str = "users", name: str = "ssn", **more: Any) -> Json:
    """A column of the manifest, which is to be sealed."""
    usual = {
        "table": table,
        "column": name,
        "row_id": ["id"],
        "context": {"table": table, "column": name},
        "write": "app",
        "read": ["plain"],
    }
    members = usual | more
    return {name: member for name, member in members.items() if member not in (None, [])}


def manifest(*columns: Json, codecs: Mapping[str, Json] = CODECS) -> str:
    """The text of `reseal.toml`."""
    lines = ["version = 1"]
    for name, codec in codecs.items():
        lines += [f"[codecs.{name}]", *(f"{key} = {toml(it)}" for key, it in codec.items())]
    for one in columns:
        lines += ["[[columns]]", *(f"{key} = {toml(it)}" for key, it in one.items())]
    return "\n".join(lines) + "\n"


# --- reports ------------------------------------------------------------------------------------


def values(counts: Json, name: str) -> int:
    """How many are `resealed`, `found` or `refused`, or what is counted by itself."""
    member = counts[name]
    if isinstance(member, dict):
        return sum(member.values())
    return sum(one["values"] for one in member) if isinstance(member, list) else int(member)


def balanced(report: Json) -> Json:
    """The report, whose counts add up in each pass."""
    parts = ("null", "current", "reindexed", "resealed", "refused", "gone", "left", "found")
    for one in report["columns"]:
        assert one["passes"] or "findings" in one, report
        for counts in one["passes"]:
            assert counts["scanned"] == sum(values(counts, part) for part in parts), report
    return report


def total(report: Json, place: int = 0) -> dict[str, Any]:
    """The numbers of one column that are not 0."""
    counts = report["columns"][place]["total"]
    numbers = {name: values(counts, name) for name in counts}
    return {name: number for name, number in numbers.items() if number}


def found(report: Json, place: int = 0) -> dict[tuple[str, str | None], int]:
    """What a census found, by codec and key, and NULL."""
    counts = report["columns"][place]["total"]
    kinds: dict[tuple[str, str | None], int] = {}
    for one in counts["found"]:
        kind = (one["in"]["codec"], one["in"]["key"])
        kinds[kind] = kinds.get(kind, 0) + one["values"]
    return kinds | ({("null", None): counts["null"]} if counts["null"] else {})


def findings(report: Json, place: int = 0) -> dict[str, str]:
    """What a person is told of a column, by its code."""
    return {it["code"]: it["message"] for it in report["columns"][place].get("findings", [])}


# --- a database ---------------------------------------------------------------------------------


class Place:
    """A folder with a manifest, an empty database beside it, and one of the commands."""

    def __init__(self, kind: str, url: str, folder: Path, command: str) -> None:
        self.kind, self.url, self.folder, self.command = kind, url, folder, command
        self.env = {"RESEAL_PRIMARY_KEY": DATA.export(), "RESEAL_DATABASE_URL": url}
        self.connection = connect(kind, url)

    def type(self, name: str) -> str:
        """What the database calls a type of text, bytes or integers."""
        return TYPES[self.kind][name]

    def quoted(self, name: str) -> str:
        """An identifier."""
        mark = "`" if self.kind == "mysql" else '"'
        return mark + name.replace(mark, mark * 2) + mark

    # As an application speaks to it.

    def do(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """Do a statement, whose parameters are `%s`; without any it is taken as it is."""
        if self.kind == "sqlite":
            sql = sql.replace("%s", "?").replace("%%", "%") if params else sql
            return [tuple(row) for row in self.connection.execute(sql, params)]
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params or None)
            if cursor.description is None:
                return []
            return [tuple(row) for row in cursor.fetchall()]

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert rows that have the same columns."""
        rows = list(rows)
        names = [self.quoted(name) for name in rows[0]]
        marks = ", ".join(["%s"] * len(names))
        head = f"INSERT INTO {self.quoted(table)} ({', '.join(names)})".replace("%", "%%")
        sql, params = f"{head} VALUES ({marks})", [tuple(row.values()) for row in rows]
        if self.kind == "sqlite":
            sql = head.replace("%%", "%") + f" VALUES ({marks.replace('%s', '?')})"
            self.connection.execute("BEGIN")
            self.connection.executemany(sql, params)
            self.connection.execute("COMMIT")
            return
        with self.connection.cursor() as cursor:
            cursor.executemany(sql, params)

    def users(self, texts: Sequence[Any], table: str = "users") -> None:
        """A table of them, by id from 1."""
        name = self.quoted(table)
        self.do(f"CREATE TABLE {name} (id integer PRIMARY KEY, ssn {self.type('text')})")
        self.insert(table, [{"id": n, "ssn": text} for n, text in enumerate(texts, 1)])

    def stored(self, name: str = "ssn", table: str = "users", by: str = "id") -> list[Any]:
        """The values of a column."""
        of = f"{self.quoted(name)} FROM {self.quoted(table)} ORDER BY {by}"
        return [value for [value] in self.do(f"SELECT {of}")]

    def rows(self, table: str = "users") -> list[tuple[Any, ...]]:
        """All that a table holds, in no order."""
        return sorted(self.do(f"SELECT * FROM {self.quoted(table)}"), key=repr)

    def has(self, table: str) -> bool:
        """Whether there is such a table."""
        wanted = {
            "postgresql": "SELECT 1 FROM pg_tables WHERE tablename = %s",
            "mysql": "SELECT 1 FROM information_schema.tables"
            " WHERE table_schema = DATABASE() AND table_name = %s",
            "sqlite": "SELECT 1 FROM sqlite_master WHERE name = %s",
        }
        return bool(self.do(wanted[self.kind], table))

    # As a person does.

    def describe(self, *columns: Json, codecs: Mapping[str, Json] = CODECS) -> None:
        """Write the manifest."""
        (self.folder / "reseal.toml").write_text(manifest(*columns, codecs=codecs))

    def run(self, *arguments: str, code: int = 0, by: str | None = None) -> Ended:
        """Run the command, or the other one."""
        ended = run(by or self.command, *arguments, cwd=self.folder, env=self.env)
        assert ended.code == code, (arguments, ended)
        assert "Traceback" not in ended.err
        assert "    at " not in ended.err
        return ended

    def report(self, *arguments: str, code: int = 0, by: str | None = None) -> Json:
        """Run it, and check that its counts add up."""
        report: Json = json.loads(self.run(*arguments, "--json", code=code, by=by).out)
        return balanced(report)


def connect(kind: str, url: str) -> Any:
    """A connection of a driver, in which each statement is a transaction."""
    target = parse(url)
    at: dict[str, Any] = {"host": target.host, "port": target.port, "user": target.user}
    if kind == "postgresql":
        at |= {"password": target.password, "dbname": target.database}
        return psycopg.connect(**at, autocommit=True, prepare_threshold=None)
    if kind == "mysql":
        at |= {"password": (target.password or "").encode(), "database": target.database}
        return pymysql.connect(**at, autocommit=True, charset="utf8mb4")
    return sqlite3.connect(target.database, timeout=SECONDS, isolation_level=None)


def places(kind: str, command: str, servers: Mapping[str, str], folder: Path) -> Iterator[Place]:
    """A place with a database of its own, which is gone afterwards."""
    (folder / "node_modules").symlink_to(MODULES)
    # Whatever package the folders around it belong to.
    (folder / "package.json").write_text("{}")
    if kind == "sqlite":
        sqlite3.connect(folder / "app.db").close()
        place = Place(kind, f"sqlite:///{folder}/app.db", folder, command)
        yield place
        place.connection.close()
        return
    name = f"app_{os.getpid()}_{next(_NUMBERS)}"
    server = connect(kind, servers[kind])
    server.cursor().execute(f"CREATE DATABASE {name}")
    place = Place(kind, servers[kind].rpartition("/")[0] + f"/{name}", folder, command)
    yield place
    place.connection.close()
    server.cursor().execute(f"DROP DATABASE {name}" + (" (FORCE)" if kind == "postgresql" else ""))
    server.close()


def pairs(
    kinds: Sequence[str], test: str, *, every: bool = False, is_soak: bool = False
) -> list[tuple[str, str]]:
    """
    The databases of a test, each with a command. On several, and in a soak, the commands take turns, and
    another test may begin with the other one. `every`, and RESEAL_ASSURE, pairs each with each.
    """
    commands = list(COMMANDS)
    is_quick = len(kinds) == 1 and not is_soak
    if every or "RESEAL_ASSURE" in os.environ or is_quick:
        return [(kind, command) for kind in kinds for command in commands]
    turns = islice(cycle(commands), crc32(test.encode()) % len(commands), None)
    return list(zip(kinds, turns, strict=False))


def on(*kinds: str, is_soak: bool = False) -> Callable[[Test], Test]:
    """The fixture `place` on these kinds of databases."""

    def mark(test: Test) -> Test:
        of_test = pairs(kinds, test.__name__, is_soak=is_soak)
        marked: Test = pytest.mark.parametrize("place", of_test, indirect=True, ids="-".join)(test)
        return marked

    return mark


each, of_servers, of_sqlite = on(*KINDS), on(*SERVERS), on("sqlite")


def other(command: str) -> str:
    """The command of the other package."""
    return next(name for name in COMMANDS if name != command)
