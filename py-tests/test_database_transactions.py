"""Transactions and counts in the drivers of the bulk job; js-tests/database-transactions.test.ts is the twin."""

from __future__ import annotations

import database_support
from database_support import (
    Place,
    everywhere,
    failure_of,
    table_of,
)

place = database_support.place


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
