"""The drivers of the bulk job, on real databases; js-tests/database.test.ts has the same scenarios."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
import reseal
import sqlalchemy
from reseal import _database
from reseal._database import Database, DatabaseError, Failure
from reseal._database_mysql import written
from reseal._database_url import parse, root_of

ROOT = Path(__file__).resolve().parents[1]
KINDS = ["postgresql", "mysql", "sqlite"]
SERVERS = ["postgresql", "mysql"]
URLS = json.loads((ROOT / "js-tests/fixtures/database-urls.json").read_text())
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
INTEGERS = [0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)]
HOSTILE = ["select", "a?b", "a%b%s", "a'b", "a\\b", "ü ☃", "a;--b", "$1"]
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


# --- values -----------------------------------------------------------------------------------


@everywhere
def test_values_survive(place: Place) -> None:
    database = place.open()
    columns = f"k integer primary key, a {place.type('text')}, b {place.type('bytes')}"
    database.execute(f"CREATE TABLE t ({columns}, c {place.type('int')})")
    long = "€" * 350_000
    rows: list[tuple[Any, ...]] = [
        *((number, text, text.encode(), None) for number, text in enumerate(TEXTS)),
        (100, None, ALL_BYTES, None),
        (101, long, ALL_BYTES * 4096, None),
        *((200 + number, None, None, value) for number, value in enumerate(INTEGERS)),
    ]
    marks = ", ".join(place.mark(number) for number in range(1, 5))
    for row in rows:
        assert database.execute(f"INSERT INTO t VALUES ({marks})", row) == 1
    assert database.query("SELECT k, a, b, c FROM t ORDER BY k") == rows
    # They are found by what they are, too.
    for key, text, blob, number in rows:
        cast = {"a": "text", "b": "bytea", "c": "bigint"}
        for column, value in (("a", text), ("b", blob), ("c", number)):
            if value is not None:
                binary = "BINARY " if place.kind == "mysql" and column == "a" else ""
                sql = f"SELECT k FROM t WHERE {binary}{column} = {place.mark(1, cast[column])}"
                assert (key,) in database.query(sql, [value])


@on("sqlite", "mysql")
def test_zero_bytes_in_text_survive(place: Place) -> None:
    database = place.open()
    database.execute(f"CREATE TABLE t (a {place.type('text')})")
    database.execute("INSERT INTO t VALUES (?)", ["a\0b"])
    assert database.query("SELECT a FROM t") == [("a\0b",)]


@on("mysql")
def test_a_backslash_is_a_backslash_in_every_mode(place: Place) -> None:
    database = place.open()
    database.execute(f"CREATE TABLE t (a {place.type('text')})")
    for mode in ("", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,PIPES_AS_CONCAT"):
        database.execute("SET SESSION sql_mode = ?", [mode])
        for text in [*TEXTS, "\\", "\\'", "'\\"]:
            assert database.query("SELECT ?", [text]) == [(text,)]
            database.execute("INSERT INTO t VALUES (?)", [text])
            assert database.query("SELECT a FROM t WHERE BINARY a = ?", [text]) == [(text,)]
            database.execute("DELETE FROM t")


@on("mysql")
def test_placeholders_stand_outside_of_quotes_and_remarks(place: Place) -> None:
    assert written(
        "`a?b` = ? AND '?' = \"?\" -- ?\n /* ? */ # ?\n ? 'it''s ?' '\\'?'", [1, "x"]
    ) == ("`a?b` = 1 AND '?' = \"?\" -- ?\n /* ? */ # ?\n 'x' 'it''s ?' '\\'?'")
    assert written("`a``?` = ? - ?", [-1, b"\xff"]) == "`a``?` = -1 - x'ff'"
    wrong: list[list[Any]] = [[], [1, 2], [1.5], [True], [["a"]]]
    for params in wrong:
        with pytest.raises(reseal.ResealError) as caught:
            written("? ", params)
        assert caught.value.code == "invalid-argument"
    database = place.open()
    assert database.query("SELECT '?', ?, '%s' /* ? */", ["?"]) == [("?", "?", "%s")]


@on("postgresql")
def test_arrays_reach_postgresql(place: Place) -> None:
    database = place.open()
    texts = [*TEXTS, None, "NULL", "{a,b}", '"', ","]
    sql = "SELECT a, b, c FROM unnest($1::text[], $2::bytea[], $3::bigint[]) AS v(a, b, c)"
    blobs = [ALL_BYTES, b"", None, *(b"\\x00\xff",) * (len(texts) - 3)]
    numbers = [*INTEGERS, None, *(7,) * (len(texts) - len(INTEGERS) - 1)]
    assert database.query(sql, [texts, blobs, numbers]) == list(
        zip(texts, blobs, numbers, strict=True)
    )
    assert database.query(sql, [[], [], []]) == []


@everywhere
def test_a_batch_is_one_statement(place: Place) -> None:
    database = place.open()
    table_of(place, database, 0)
    numbers = range(500)
    if place.kind == "postgresql":
        database.execute(
            "INSERT INTO t SELECT * FROM unnest($1::int[], $2::text[])",
            [list(numbers), [f"old {n}" for n in numbers]],
        )
        count = database.query(
            "UPDATE t SET v = w.new FROM unnest($1::int[], $2::text[], $3::text[]) AS w(id, old, new)"
            " WHERE t.id = w.id AND t.v = w.old RETURNING t.id",
            [list(numbers), [f"old {n}" for n in numbers], [f"new {n}" for n in numbers]],
        )
        assert sorted(count) == [(n,) for n in numbers]
    else:
        pairs = [cell for n in numbers for cell in (n, f"old {n}")]
        database.execute("INSERT INTO t VALUES " + ", ".join(["(?, ?)"] * 500), pairs)
        cells = [cell for n in numbers for cell in (n, f"old {n}", f"new {n}")]
        if place.kind == "mysql":
            rows = "SELECT ? AS k, ? AS o, ? AS n" + " UNION ALL SELECT ?, ?, ?" * 499
            sql = f"UPDATE t JOIN ({rows}) w ON t.id = w.k SET t.v = w.n WHERE BINARY t.v = BINARY w.o"
        else:
            rows = ", ".join(["(?, ?, ?)"] * 500)
            sql = (
                f"WITH w(k, o, n) AS (VALUES {rows}) "
                "UPDATE t SET v = w.n FROM w WHERE t.id = w.k AND t.v = w.o"
            )
        assert database.execute(sql, cells) == 500
    assert database.query("SELECT id, v FROM t ORDER BY id") == [(n, f"new {n}") for n in numbers]


@everywhere
def test_every_other_type_comes_as_text(place: Place) -> None:
    database = place.open()
    if place.kind == "postgresql":
        sql = (
            "SELECT 1.50::numeric, true, '2024-02-03'::date, '12:13:14'::time, '{\"a\": 1}'::jsonb,"
            " '7f3b1c1e-0000-4000-8000-000000000001'::uuid, ARRAY['a'], 1.5::float8"
        )
        expected = [
            *("1.50", "t", "2024-02-03", "12:13:14", '{"a": 1}'),
            *("7f3b1c1e-0000-4000-8000-000000000001", "{a}", "1.5"),
        ]
    elif place.kind == "mysql":
        sql = (
            "SELECT CAST(1.50 AS DECIMAL(5, 2)), CAST('2024-02-03' AS DATE), CAST('-12:13:14' AS TIME),"
            " CAST('2024-02-03 04:05:06' AS DATETIME), 1.5e0"
        )
        expected = ["1.50", "2024-02-03", "-12:13:14", "2024-02-03 04:05:06", "1.5"]
    else:
        sql, expected = "SELECT '1.5', 'x'", ["1.5", "x"]
        assert database.query("SELECT 1.5, 2.0") == [(1.5, 2.0)]
    assert database.query(sql) == [tuple(expected)]


@on("sqlite")
def test_text_that_is_no_text_comes_as_bytes(place: Place) -> None:
    database = place.open()
    sql = "SELECT CAST(x'ff41' AS text), 'a' UNION ALL SELECT 'b', NULL"
    assert database.query(sql) == [(b"\xffA", "a"), ("b", None)]


@everywhere
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_names(place: Place, name: str) -> None:
    database = place.open()
    quoted = place.quoted(name)
    database.execute(f"CREATE TABLE t (k integer primary key, {quoted} varchar(40))")
    sql = f"INSERT INTO t (k, {quoted}) VALUES ({place.mark(1)}, {place.mark(2)})"
    assert database.execute(sql, [1, "?%s"]) == 1
    sql = f"SELECT {quoted} FROM t WHERE {quoted} = {place.mark(1, 'text')}"
    assert database.query(sql, ["?%s"]) == [("?%s",)]


@everywhere
def test_a_statement_without_rows_gives_none(place: Place) -> None:
    database = place.open()
    assert database.query("CREATE TABLE t (k integer)") == []
    assert database.query("INSERT INTO t VALUES (1)") == []
    assert database.query("SELECT k FROM t WHERE k = 2") == []


@on("postgresql", "sqlite")
def test_rows_of_a_change_are_given(place: Place) -> None:
    database = place.open()
    table_of(place, database)
    change = "UPDATE t SET v = 'x' WHERE id < 3"
    assert sorted(database.query(f"{change} RETURNING id")) == [(1,), (2,)]
    assert database.execute(f"{change} RETURNING id") == 2


# --- transactions and counts ------------------------------------------------------------------


@everywhere
def test_outside_of_transactions_all_is_there_at_once(place: Place) -> None:
    one, other = place.open(), place.open()
    table_of(place, one)
    assert other.query("SELECT count(*) FROM t") == [(3,)]


@everywhere
def test_transactions_commit_and_roll_back(place: Place) -> None:
    one, other = place.open(), place.open()
    table_of(place, one)
    for end, left in ((one.rollback, 3), (one.commit, 2)):
        one.begin()
        assert one.execute("DELETE FROM t WHERE id = 1") == 1
        assert other.query("SELECT count(*) FROM t") == [(3,)]
        end()
        assert other.query("SELECT count(*) FROM t") == [(left,)]
    # Without a transaction there is nothing to leave.
    one.rollback()
    assert one.execute("DELETE FROM t WHERE id = 2") == 1
    assert other.query("SELECT count(*) FROM t") == [(1,)]


@everywhere
def test_a_transaction_that_failed_leaves_nothing(place: Place) -> None:
    one, other = place.open(), place.open()
    table_of(place, one)
    one.begin()
    one.execute("DELETE FROM t WHERE id = 1")
    failure_of(one, lambda: one.execute("INSERT INTO t VALUES (2, 'x')"))
    if place.kind == "postgresql":
        assert failure_of(one, one.commit).code == "25P02"
    one.rollback()
    assert other.query("SELECT count(*) FROM t") == [(3,)]


@everywhere
def test_rows_count_that_match(place: Place) -> None:
    database = place.open()
    table_of(place, database)
    assert database.execute("UPDATE t SET v = 'v1' WHERE id < 3") == 2
    assert database.execute("UPDATE t SET v = 'v1' WHERE id < 3") == 2
    assert database.execute("UPDATE t SET v = 'v1' WHERE id > 3") == 0
    assert database.execute("DELETE FROM t") == 3
    assert database.execute("CREATE TABLE u (k integer)") == 0
    sql = "INSERT INTO u SELECT 1 UNION ALL SELECT 2"
    assert database.execute(sql) == 2


# --- failures ---------------------------------------------------------------------------------


@everywhere
def test_statements_that_are_refused(place: Place) -> None:
    database = place.open()
    table_of(place, database, 1)
    database.execute("CREATE UNIQUE INDEX i ON t (v)")
    secret: list[Any] = [2, SECRET]
    insert = f"INSERT INTO t VALUES ({place.mark(1)}, {place.mark(2)})"
    database.execute(insert, secret)
    steps: dict[str, tuple[str, list[Any]]] = {
        "unique": (insert, [3, SECRET]),
        "null": (insert, [3, None]),
        "missing table": ("SELECT 1 FROM nowhere", []),
        "missing column": ("SELECT nothing FROM t", []),
    }
    if place.kind != "sqlite":
        steps["too long"] = (insert, [3, SECRET * 10])
    for name, (sql, params) in steps.items():
        failure = failure_of(database, lambda sql=sql, params=params: database.execute(sql, params))  # type: ignore[misc]
        assert failure.code == CODES[name][place.kind], name
    message = failure_of(database, lambda: database.query("SELECT 1 FROM nowhere")).message
    assert "nowhere" in message
    assert database.query("SELECT count(*) FROM t") == [(2,)]


@everywhere
def test_values_that_do_not_fit_are_not_shown(place: Place) -> None:
    database = place.open()
    mark = place.mark(1)
    if place.kind == "sqlite":
        database.execute("CREATE TABLE t (k integer primary key, d text)")
        database.execute(
            "CREATE TRIGGER g BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, 's3cret-plaintext'); END"
        )
        step = "INSERT INTO t (d) VALUES (?)"
    else:
        database.execute("CREATE TABLE t (k integer, d date)")
        step = f"INSERT INTO t (d) VALUES ({mark})"
    failure = failure_of(database, lambda: database.execute(step, [SECRET]))
    assert failure.code == {"postgresql": "22007", "mysql": "1292", "sqlite": "1811"}[place.kind]
    # What the server cannot parse may be a value that was written into the statement.
    sql = f"SELECT FROM WHERE {mark} {mark}"
    params = [SECRET] * (1 if place.kind == "postgresql" else 2)
    failure_of(database, lambda: database.query(sql, params))
    strangers: list[Any] = [object(), {SECRET: 1}, "\ud800"]
    for strange in strangers:
        failure_of(database, lambda strange=strange: database.query(f"SELECT {mark}", [strange]))  # type: ignore[misc]


@on("sqlite")
@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("INSERT INTO t (n, v) VALUES (2, 'raised')", "1811"),
        ("INSERT INTO t (n, v) VALUES (2, 'no such luck')", "1811"),
        ("INSERT INTO t (n, v) VALUES (1, 'unique')", "2067"),
        ("INSERT INTO t (n) VALUES (NULL)", "1299"),
        ("INSERT INTO t (n) VALUES (-1)", "275"),
        ("INSERT INTO t (n, k) VALUES (2, 'text')", "20"),
        ("INSERT INTO u VALUES ('text')", "3091"),
        ("SELECT 1 FROM nowhere", "1"),
    ],
)
def test_a_failure_without_its_number_has_the_same_code(
    place: Place, statement: str, code: str
) -> None:
    """The driver of Python 3.10 gives no number."""
    database = place.open()
    database.execute(
        "CREATE TABLE t (k integer primary key, n integer not null unique, v text, CHECK (n > 0))"
    )
    database.execute("CREATE TABLE u (n integer) STRICT")
    database.execute("INSERT INTO t (n) VALUES (1)")
    for said in ("raised", "no such luck"):
        database.execute(
            f"CREATE TRIGGER \"{said}\" BEFORE INSERT ON t WHEN NEW.v = '{said}'"
            f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
        )
    with pytest.raises(sqlite3.Error) as caught:
        database.execute(statement)
    numbered = database.failure(caught.value)
    assert numbered.code == code
    assert database.failure(type(caught.value)(str(caught.value))) == numbered


@everywhere
def test_a_lock_that_is_held_is_not_waited_for_without_end(place: Place) -> None:
    one, other = place.open(), place.open()
    table_of(place, one)
    wait = {
        "postgresql": "SET lock_timeout = 50",
        "mysql": "SET SESSION innodb_lock_wait_timeout = 0",
        "sqlite": "PRAGMA busy_timeout = 50",
    }
    other.query(wait["sqlite"]) if place.kind == "sqlite" else other.execute(wait[place.kind])
    one.begin()
    one.execute("UPDATE t SET v = 'x' WHERE id = 1")

    def change() -> None:
        other.begin()
        other.execute("UPDATE t SET v = 'y' WHERE id = 1")

    assert failure_of(other, change).code == CODES["lock"][place.kind]
    other.rollback()
    one.commit()
    change()
    other.commit()
    assert one.query("SELECT v FROM t WHERE id = 1") == [("y",)]


@servers_only
def test_deadlocks_are_told(place: Place) -> None:
    one, other = place.open(), place.open()
    table_of(place, one)
    update = "UPDATE t SET v = 'x' WHERE id = "
    failures: list[Failure] = []
    one.begin()
    other.begin()
    one.execute(f"{update}1")
    other.execute(f"{update}2")

    def cross(database: Database, row: int) -> None:
        try:
            database.execute(f"{update}{row}")
        except Exception as error:
            failures.append(database.failure(error))
        database.rollback()

    threads = [threading.Thread(target=cross, args=pair) for pair in ((one, 2), (other, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [failure.code for failure in failures] == [CODES["deadlock"][place.kind]]
    assert one.query("SELECT count(*) FROM t WHERE v = 'x'") == [(0,)]


@servers_only
def test_statements_that_take_too_long_end(place: Place) -> None:
    database = place.open()
    if place.kind == "postgresql":
        database.execute("SET statement_timeout = 50")
        slow = "SELECT pg_sleep(30)"
    else:
        database.execute("SET SESSION max_statement_time = 0.05")
        slow = "SELECT count(*) FROM seq_1_to_100000 a, seq_1_to_100000 b"
    assert failure_of(database, lambda: database.query(slow)).code == CODES["time"][place.kind]
    assert database.query("SELECT 1") == [(1,)]


@everywhere
def test_rights_that_are_missing(place: Place, tmp_path: Path) -> None:
    database = place.open()
    table_of(place, database)
    if place.kind == "sqlite":
        connection = sqlite3.connect(f"file:{tmp_path}/app.db?mode=ro", uri=True)
        reader = _database.of(connection)
        place.opened.append(reader)
    else:
        target = parse(place.url)
        at = "@'%'" if place.kind == "mysql" else ""
        word = "IDENTIFIED BY" if place.kind == "mysql" else "PASSWORD"
        database.execute(f"CREATE USER reader{at} {word} 'x'")
        database.execute(f"GRANT SELECT ON t TO reader{at}")
        reader = place.open(f"{place.kind}://reader:x@127.0.0.1:{target.port}/{target.database}")
    assert reader.query("SELECT count(*) FROM t") == [(3,)]
    failure = failure_of(reader, lambda: reader.execute("UPDATE t SET v = 's3cret-plaintext'"))
    if place.kind == "sqlite":
        connection.close()
    else:
        if place.kind == "postgresql":
            database.execute("DROP OWNED BY reader")
        database.execute(f"DROP USER reader{at}")
    assert failure.code == CODES["denied"][place.kind]


@everywhere
def test_what_cannot_be_reached(place: Place) -> None:
    if place.kind == "sqlite":
        url = "sqlite:////nowhere/app.db"
    else:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        url = f"{place.kind}://anna:{SECRET}@127.0.0.1:{port}/shop"
    error = connect_error(url)
    assert error.failure.code == CODES["unreachable"][place.kind]
    assert (error.dialect, str(error)) == (place.kind, error.failure.message)


@servers_only
def test_who_is_not_let_in(place: Place) -> None:
    target = parse(place.url)
    server = f"127.0.0.1:{target.port}"
    error = connect_error(f"{place.kind}://anna:{SECRET}@{server}/{target.database}")
    assert error.failure.code == CODES["password"][place.kind]
    head, _, _ = place.url.rpartition("/")
    error = connect_error(f"{head}/nowhere")
    assert error.failure.code == {"postgresql": "3D000", "mysql": "1049"}[place.kind]


@servers_only
@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_encryption_that_is_asked_for_is_not_left_out(place: Place, mode: str) -> None:
    url = f"{place.url}?sslmode={mode}"
    if mode != "verify-ca":
        failure = connect_error(url).failure
        assert failure.code == {"postgresql": "08001", "mysql": "2026"}[place.kind]
    with pytest.raises(reseal.ResealError) as caught:
        _database.connect(f"{url}&sslrootcert=/nowhere/ca.pem")
    assert (caught.value.code, str(caught.value)) == (
        "invalid-argument",
        'sslrootcert: cannot read "/nowhere/ca.pem" (ENOENT)',
    )
    for mode in ("disable", "prefer"):
        ignored = f"{place.url}?sslmode={mode}&sslrootcert=/nowhere/ca.pem"
        assert place.open(ignored).query("SELECT 1") == [(1,)]


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_the_certificates_of_the_system_are_no_file(scheme: str) -> None:
    target = parse(f"{scheme}://db/app?sslmode=verify-full&sslrootcert=system")
    assert root_of(target) is None


def test_a_number_of_the_system_is_none_of_the_driver(tmp_path: Path) -> None:
    root = tmp_path / "ca.pem"
    root.write_text("no certificate")
    error = connect_error(f"mysql://anna:x@127.0.0.1:1/d?sslmode=verify-ca&sslrootcert={root}")
    assert error.failure == Failure("", "the driver failed with SSLError")


def connect_error(url: str) -> DatabaseError:
    with pytest.raises(DatabaseError) as caught:
        _database.connect(url)
    text = "".join(traceback.format_exception(caught.value))
    assert SECRET not in text
    assert (parse(url).password or SECRET) not in text
    return caught.value


def kill(place: Place, victim: Database) -> None:
    killer = place.open()
    if place.kind == "postgresql":
        [[number]] = victim.query("SELECT pg_backend_pid()")
        assert isinstance(number, int)
        killer.query("SELECT pg_terminate_backend($1)", [number])
    else:
        [[number]] = victim.query("SELECT connection_id()")
        killer.execute(f"KILL {int(str(number))}")


LOST_CODES = {
    "postgresql": {"57P01", "08006"},
    "mysql": {"2006", "2013", "1927"},
}


@servers_only
def test_a_connection_that_is_lost_is_replaced_outside_of_transactions(place: Place) -> None:
    database = place.open()
    table_of(place, database)
    kill(place, database)
    failure = failure_of(database, lambda: database.query("SELECT count(*) FROM t"))
    assert failure.code in LOST_CODES[place.kind]
    assert database.query("SELECT count(*) FROM t") == [(3,)]


@on("mysql")
def test_a_server_that_has_left_its_cluster_is_left(place: Place) -> None:
    """A node of Galera says so to all statements, and another one may be behind the same address."""
    database = place.open()
    before = database.query("SELECT connection_id()")
    signal = "SIGNAL SQLSTATE '08S01' SET MYSQL_ERRNO = 1047"
    assert failure_of(database, lambda: database.execute(signal)).code == "1047"
    assert database.query("SELECT connection_id()") != before


@servers_only
def test_a_connection_that_is_lost_in_a_transaction_is_not_replaced_before_rollback(
    place: Place,
) -> None:
    database = place.open()
    table_of(place, database)
    database.begin()
    database.execute("DELETE FROM t WHERE id = 1")
    kill(place, database)
    for step in (lambda: database.execute("DELETE FROM t WHERE id = 2"), database.commit):
        assert failure_of(database, step).code in LOST_CODES[place.kind]
    database.rollback()
    assert database.query("SELECT count(*) FROM t") == [(3,)]
    database.begin()
    database.execute("DELETE FROM t WHERE id = 1")
    database.commit()
    assert database.query("SELECT count(*) FROM t") == [(2,)]


@servers_only
def test_a_connection_of_somebody_else_is_not_replaced(place: Place) -> None:
    native = place.native()
    database = _database.of(native)
    kill(place, database)
    for _ in range(2):
        failure = failure_of(database, lambda: database.query("SELECT 1"))
        assert failure.code in LOST_CODES[place.kind]
    database.close()
    native.close()


@everywhere
def test_what_is_closed_stays_closed(place: Place) -> None:
    database = place.open()
    database.close()
    database.close()
    with pytest.raises(reseal.ResealError) as caught:
        database.query("SELECT 1")
    assert caught.value.code == "invalid-argument"


@everywhere
def test_closing_in_a_transaction_leaves_it(place: Place) -> None:
    one = place.open()
    table_of(place, one)
    native = place.native()
    database = _database.of(native)
    database.begin()
    database.execute("DELETE FROM t")
    database.close()
    native.close()
    assert one.query("SELECT count(*) FROM t") == [(3,)]


# --- connections that are there ---------------------------------------------------------------


def state_of(kind: str, native: Any) -> list[Any]:
    if kind == "postgresql":
        return [native.autocommit, native.row_factory, native.info.transaction_status]
    if kind == "mysql":
        return [native.get_autocommit(), native.decoders, native.use_unicode, native.cursorclass]
    return [native.isolation_level, native.text_factory, native.row_factory]


@everywhere
def test_a_connection_is_given_back_as_it_was(place: Place) -> None:
    native: Any
    for prepare in (False, True):
        native = place.native()
        if prepare and place.kind == "postgresql":
            native.autocommit, native.row_factory = True, psycopg.rows.dict_row
        elif prepare and place.kind == "mysql":
            native.autocommit(True)
            native.cursorclass = pymysql.cursors.DictCursor
        elif prepare:
            native.isolation_level, native.text_factory = None, bytes
            native.row_factory = sqlite3.Row
        before = state_of(place.kind, native)
        database = _database.of(native)
        assert database.dialect == place.kind
        assert database.query("SELECT 'a', 1") == [("a", 1)]
        database.begin()
        database.rollback()
        database.close()
        assert state_of(place.kind, native) == before
        cursor = native.cursor()
        cursor.execute("SELECT 1 AS a")
        assert cursor.fetchone() is not None
        native.close()


@everywhere
def test_rows_count_that_match_whatever_the_flags_of_a_connection(place: Place) -> None:
    native = place.native()
    database = _database.of(native)
    table_of(place, database)
    assert database.execute("UPDATE t SET v = 'v1' WHERE id < 3") == 2
    assert database.execute("UPDATE t SET v = 'v1' WHERE id < 3") == 2
    database.close()
    native.close()


@everywhere
def test_connections_that_cannot_be_used(place: Place) -> None:
    native: Any = place.native()
    cursor = native.cursor()
    opened = place.open()
    table_of(place, opened)
    cursor.execute("UPDATE t SET v = 'y' WHERE id = 1")
    refused(native)
    native.rollback()
    if place.kind == "postgresql":
        cursor.execute("SET client_encoding TO 'LATIN1'")
        native.commit()
        refused(native)
    elif place.kind == "mysql":
        cursor.execute("SET NAMES latin1")
        refused(native)
        assert not native.get_autocommit()
    native.close()
    refused(native)


@pytest.mark.parametrize("given", [None, object(), "sqlite:///x", sqlalchemy.text("x")])
def test_what_is_no_connection(given: object) -> None:
    refused(given)


@everywhere
def test_a_cursor_is_no_connection(place: Place) -> None:
    native: Any = place.native()
    refused(native.cursor())
    native.close()


def refused(given: object) -> None:
    with pytest.raises(reseal.ResealError) as caught:
        _database.of(given)
    assert caught.value.code == "invalid-argument"


@everywhere
def test_sqlalchemy_gives_its_connections(place: Place) -> None:
    names = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "sqlite": "sqlite"}
    engine = sqlalchemy.create_engine(
        f"{names[place.kind]}://",
        creator=place.native,
        poolclass=sqlalchemy.QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=5,
    )
    database = _database.of(engine)
    table_of(place, database)
    assert database.execute("UPDATE t SET v = 'v1'") == 3
    if place.kind != "sqlite":
        kill(place, database)
        failure_of(database, lambda: database.query("SELECT 1"))
        assert database.query("SELECT count(*) FROM t") == [(3,)]
    database.close()
    # The only connection of the pool is there again.
    with engine.connect() as connection:
        database = _database.of(connection)
        assert database.query("SELECT v FROM t WHERE id = 2") == [("v1",)]
        database.close()
        assert connection.execute(sqlalchemy.text("SELECT count(*) FROM t")).scalar() == 3
        refused(connection)
    engine.dispose()


@on("mysql")
def test_mysqlclient_as_well(place: Place) -> None:
    # PyMySQL takes its name in a process with Django.
    pytest.importorskip("MySQLdb._mysql")
    driver = pytest.importorskip("MySQLdb")
    target = parse(place.url)
    native = driver.connect(
        host=target.host,
        port=target.port,
        user=target.user,
        password=target.password,
        database=target.database,
        charset="utf8mb4",
    )
    before = native.get_autocommit(), native.converter
    database = _database.of(native)
    database.execute(
        "CREATE TABLE t (k bigint, a longtext, b longblob, c varchar(9) COLLATE utf8mb4_bin)"
    )
    rows = [(2**63 - 1, text, ALL_BYTES, "ü") for text in TEXTS]
    for row in rows:
        assert database.execute("INSERT INTO t VALUES (?, ?, ?, ?)", row) == 1
    assert database.query("SELECT * FROM t") == rows
    assert database.query("SELECT CAST('-12:13:14' AS TIME), 1.5e0, NULL") == [
        ("-12:13:14", "1.5", None)
    ]
    assert database.execute("UPDATE t SET c = 'x'") == len(rows)
    assert database.execute("UPDATE t SET c = 'x'") == len(rows)
    assert failure_of(database, lambda: database.query("SELECT * FROM nowhere")).code == "1146"
    kill(place, database)
    assert failure_of(database, lambda: database.query("SELECT 1")).code in LOST_CODES["mysql"]
    native.close()
    assert before[0] in (0, False)


# --- URLs and drivers -------------------------------------------------------------------------


@pytest.mark.parametrize(("url", "expected"), URLS["good"], ids=lambda value: str(value)[:40])
def test_urls(url: str, expected: dict[str, Any]) -> None:
    target = parse(url)
    names = {"connectSeconds": "connect_seconds"}
    assert {name: getattr(target, names.get(name, name)) for name in expected} == expected
    assert target.password is None or target.password not in repr(target)


@pytest.mark.parametrize(("url", "words"), URLS["bad"], ids=lambda value: ascii(value)[:40])
def test_urls_that_are_not_in_order(url: str, words: str) -> None:
    with pytest.raises(reseal.ResealError) as caught:
        _database.connect(url)
    assert caught.value.code == "invalid-argument"
    message = str(caught.value)
    assert words in message
    for part in ("s3", "cret", "anna"):
        assert part not in message
    assert caught.value.__cause__ is None


def test_a_url_is_text() -> None:
    for url in (None, 1, b"sqlite:///x"):
        with pytest.raises(reseal.ResealError):
            _database.connect(url)  # type: ignore[arg-type]


@pytest.mark.parametrize(("dialect", "module"), [("postgresql", "psycopg"), ("mysql", "pymysql")])
def test_a_driver_that_is_missing(
    dialect: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(reseal.ResealError) as caught:
        _database.connect(f"{dialect}://u:p@127.0.0.1/d")
    assert caught.value.code == "engine-unsupported"
    assert f"pip install reseal[{dialect}]" in str(caught.value)


# --- the servers themselves -------------------------------------------------------------------


DATABASES = ROOT / "scripts/databases.py"
SERVE = """
import sys
sys.path.insert(0, sys.argv[1])
import databases
free, ports = databases.free_port, map(int, sys.argv[3:])
databases.free_port = lambda: next(ports, 0) or free()
sys.exit(databases.serve(databases.State(int(sys.argv[2]))))
"""
"""Serves the second argument, at first on the ports that follow, or on free ones for zeros."""


@pytest.fixture
def keeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process for servers to serve."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


def test_servers_are_gone_with_the_process_that_they_serve(
    keeper: subprocess.Popen[bytes],
) -> None:
    command = [sys.executable, str(DATABASES), "start", "--while", str(keeper.pid)]
    first, second = (subprocess.check_output(command) for _ in range(2))
    assert first == second
    ports = [parse(url).port for url in json.loads(first).values()]
    assert all(map(listens, ports))
    keeper.send_signal(signal.SIGKILL)
    keeper.wait()
    until = time.monotonic() + 30
    while any(map(listens, ports)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(listens, ports))


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_whose_port_is_taken_gets_another_one(
    kind: str, keeper: subprocess.Popen[bytes]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        ports = [str(taken if name == kind else 0) for name in SERVERS]
        command = [sys.executable, "-c", SERVE, str(DATABASES.parent), str(keeper.pid), *ports]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as serving:
            try:
                while serving.poll() is None and (found := urls_of(keeper)) is None:
                    time.sleep(0.05)
                assert serving.poll() is None, serving.stderr and serving.stderr.read()
                assert found is not None
                assert taken not in [parse(url).port for url in found.values()]
                for url in found.values():
                    database = _database.connect(url)
                    assert database.query("SELECT 1") == [(1,)]
                    database.close()
            finally:
                keeper.kill()
                keeper.wait()
            assert serving.wait(30) == 0


def test_servers_that_were_killed_are_not_taken_for_a_process_of_their_number(
    keeper: subprocess.Popen[bytes],
) -> None:
    noted = ROOT / "target/databases" / f"{keeper.pid}.json"
    noted.parent.mkdir(parents=True, exist_ok=True)
    noted.write_text(json.dumps({"pid": keeper.pid, "urls": {"mysql": "mysql://127.0.0.1/x"}}))
    try:
        assert urls_of(keeper) is None
    finally:
        noted.unlink()


def urls_of(keeper: subprocess.Popen[bytes]) -> dict[str, str] | None:
    """What the servers of a process can be reached under."""
    command = [sys.executable, str(DATABASES), "urls", "--while", str(keeper.pid)]
    done = subprocess.run(command, capture_output=True)
    urls: dict[str, str] | None = json.loads(done.stdout) if done.returncode == 0 else None
    return urls


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
