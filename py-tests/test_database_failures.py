"""What databases refuse, and how the drivers tell it; js-tests/database-failures.test.ts is the twin."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import database_support
import pytest
from database_support import (
    CODES,
    SECRET,
    Place,
    everywhere,
    failure_of,
    on,
    servers_only,
    table_of,
)
from reseal import _database
from reseal._database import Database, Failure
from reseal._database_url import parse

place = database_support.place


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
