"""Connections of an application as the bulk job takes them; js-tests/database-connections.test.ts is the twin."""

from __future__ import annotations

import sqlite3
from typing import Any

import database_support
import psycopg
import pymysql
import pytest
import reseal
import sqlalchemy
from database_support import (
    ALL_BYTES,
    LOST_CODES,
    TEXTS,
    Place,
    everywhere,
    failure_of,
    kill,
    on,
    table_of,
)
from reseal import _database
from reseal._database_url import parse

place = database_support.place


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
