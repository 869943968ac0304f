"""Values in the drivers of the bulk job; js-tests/database-values.test.ts is the twin."""

from __future__ import annotations

from typing import Any

import database_support
import pytest
import reseal
from database_support import (
    ALL_BYTES,
    TEXTS,
    Place,
    everywhere,
    on,
    table_of,
)
from reseal._database_mysql import written

place = database_support.place
INTEGERS = [0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)]
HOSTILE = ["select", "a?b", "a%b%s", "a'b", "a\\b", "ü ☃", "a;--b", "$1"]


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
