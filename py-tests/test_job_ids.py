"""Row ids of every kind."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from job_support import HERE, RING, Place, column, total

#: Each driver has types of its own.
OF_DRIVERS = True

Row = dict[str, Any]


class Ids(NamedTuple):
    """Columns of a row id as each database declares them, and their values for the n-th row."""

    declared: dict[str, str]
    value: Callable[[int], dict[str, Any]]
    rows: int = 60
    batch: int = 17


def text_id(number: int) -> str:
    """Some that only upper case tells apart, and some that are no ASCII, quotes and spaces."""
    form = ["key-{}", "clé {}", "ключ {}", "鍵{}", "'{}\\\"", "%s{}?", "🔑{}", "[{}]"]
    return form[number % len(form)].format(number)


def upper(number: int) -> str:
    return f"{'KEY' if number % 2 else 'key'}-{number // 2}"


IDS = {
    # With holes, and in several batches of the usual size.
    "integer": Ids({"id": "integer"}, lambda n: {"id": n * 7 - 100}, 1_700, 500),
    "bigint": Ids({"id": "bigint"}, lambda n: {"id": 2**63 - 1 - n * (2**53 + 1)}),
    "uuid": Ids({"id": "uuid"}, lambda n: {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, str(n)))}),
    "text": Ids({"id": "text"}, lambda n: {"id": text_id(n)}),
    "binary": Ids({"id": "binary"}, lambda n: {"id": upper(n)}),
    "decimal": Ids({"id": "decimal(20,3)"}, lambda n: {"id": f"{n - 30}.125"}),
    "composite": Ids(
        {"tenant": "text", "part": "integer", "id": "bigint"},
        lambda n: {"tenant": text_id(n % 3), "part": n // 3 % 4 - 2, "id": n},
    ),
}
DECLARED = {
    "postgresql": {"binary": "varchar(40)"},
    "mysql": {
        "text": "varchar(80)",
        "uuid": "uuid",
        "binary": "varchar(40) COLLATE utf8mb4_bin",
    },
    "sqlite": {"uuid": "text", "binary": "text"},
}


@pytest.mark.parametrize("name", IDS)
def test_row_ids(base: Place, name: str) -> None:
    ids = IDS[name]
    keys = list(ids.declared)
    types = {key: DECLARED[base.kind].get(of, of) for key, of in ids.declared.items()}
    columns = ", ".join(f"{key} {of}" for key, of in types.items())
    base.do(
        f"CREATE TABLE users ({columns}, ssn {base.type('text')}, PRIMARY KEY ({', '.join(keys)}))"
    )
    # Every tenth is NULL, and one is empty.
    texts = [None if n % 10 == 9 else "" if n == 5 else f"é {n}" for n in range(ids.rows)]
    rows = [ids.value(n) | {"ssn": text} for n, text in enumerate(texts)]
    base.insert("users", rows)
    binds = len(keys) == 1
    base.describe(column(row_id=keys, bind_row=binds))
    nulls = texts.count(None)
    full = len(texts) - nulls
    if (base.kind, name) == ("sqlite", "decimal"):
        # There it is a float, by which no row is found again for sure.
        ended = base.run("apply", code=2)
        assert "floating-point number" in ended.err
        assert "[column-unsuitable]" in ended.err
        return
    report = base.report("apply", "--batch", str(ids.batch), "--verify-one-in", "1")
    assert total(report) == {
        "scanned": len(texts),
        "null": nulls,
        "resealed": full,
        "current": full,
        "verified": full,
    }
    # What is bound is the id as the application knows it.
    for row in rows:
        where = " AND ".join(f"{key} = %s" for key in keys)
        [[stored]] = base.do(f"SELECT ssn FROM users WHERE {where}", *(row[key] for key in keys))
        context = HERE | ({"row": row[keys[0]]} if binds else {})
        assert (stored if stored is None else RING.open_str(stored, context)) == row["ssn"]
    assert total(base.report("verify", "--batch", "23")) == {
        "scanned": len(texts),
        "null": nulls,
        "found": full,
    }


def test_ids_that_a_collation_takes_for_equal(base: Place) -> None:
    """The collation of the key decides which row is which, and in what order they come."""
    of = {
        "postgresql": 'varchar(40) COLLATE "C"',
        "mysql": "varchar(40) COLLATE utf8mb4_general_ci",
        "sqlite": "text COLLATE NOCASE",
    }[base.kind]
    base.do(f"CREATE TABLE users (id {of} PRIMARY KEY, ssn {base.type('text')})")
    names = ["b", "A", "d ", "C", "ß", "sz", "Éa", "e", "B2", "b10", "_", "Z", "z1", "ÿ", ""]
    base.insert("users", [{"id": name, "ssn": f"it {name}"} for name in names])
    base.describe(column(bind_row=True))
    assert total(base.report("apply", "--batch", "2"))["resealed"] == len(names)
    for name, stored in base.do("SELECT id, ssn FROM users"):
        assert RING.open_str(stored, HERE | {"row": name}) == f"it {name}"
