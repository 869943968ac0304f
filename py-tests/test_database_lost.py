"""Connections that are lost or closed, and what replaces them; js-tests/database-lost.test.ts is the twin."""

from __future__ import annotations

import database_support
import pytest
import reseal
from database_support import (
    LOST_CODES,
    Place,
    everywhere,
    failure_of,
    kill,
    on,
    servers_only,
    table_of,
)
from reseal import _database

place = database_support.place


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
