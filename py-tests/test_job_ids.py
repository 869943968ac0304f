"""Row ids of every kind."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import reseal
from cli_support import DATA
from job_support import HERE, RING, Json, Place, column, manifest, on, total
from reseal import jobs

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


def seal_all(place: Place, ids: list[str], *names: str) -> Json:
    """Seal a value of each row."""
    place.insert("users", [{"id": it, "ssn": f"it {n}"} for n, it in enumerate(ids)])
    place.describe(column())
    report = place.report("apply", "--batch", "17", "--verify-one-in", "1", *names)
    assert total(report)["resealed"] == len(ids)
    assert total(place.report("verify", "--batch", "17")) == {
        "scanned": len(ids),
        "found": len(ids),
    }
    return report


@on("mysql")
@pytest.mark.parametrize("of", ["(20,0) UNSIGNED", "(12,3) ZEROFILL", " UNSIGNED ZEROFILL"])
def test_decimals_without_a_sign(place: Place, of: str) -> None:
    place.do(f"CREATE TABLE users (id decimal{of} PRIMARY KEY, ssn text)")
    high = 18_446_744_073_709_551_000 if "20" in of else 900_000_000
    seal_all(place, [str(high + n) for n in range(60)])


@on("mysql")
def test_ids_that_the_character_set_of_the_database_has_not(place: Place) -> None:
    """The checkpoint holds the last id of a batch."""
    [[name]] = place.do("SELECT DATABASE()")
    place.do(f"ALTER DATABASE {name} CHARACTER SET latin1")
    place.do("CREATE TABLE users (id varchar(40) CHARACTER SET utf8mb4 PRIMARY KEY, ssn text)")
    ids = [f"{'Łódź' if n % 2 else '🔑'} {n}" for n in range(60)]
    seal_all(place, ids)
    # One that an earlier release has made.
    place.do("DROP TABLE reseal_jobs, users")
    place.do(
        "CREATE TABLE reseal_jobs (id varchar(64) NOT NULL PRIMARY KEY, state longtext NOT NULL,"
        " version bigint NOT NULL)"
    )
    place.do("CREATE TABLE users (id varchar(40) CHARACTER SET utf8mb4 PRIMARY KEY, ssn text)")
    seal_all(place, ids)
    place.do("DROP TABLE users")
    place.do("CREATE TABLE users (id varchar(40) CHARACTER SET utf8mb4 PRIMARY KEY, ssn text)")
    seal_all(place, ids, "--jobs", "2")


@on("mysql")
def test_days_that_are_none(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mode of the session that takes none of them, as is usual for MySQL, hides no rows behind them."""
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    days = "day date, at datetime(6), id integer, ssn text, PRIMARY KEY (day, at, id)"
    place.do("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'")
    place.do(f"CREATE TABLE users ({days})")
    dates = ["0000-00-00", "2024-00-00", "2024-02-31", "2024-03-01"]
    rows = [
        {"day": day, "at": f"{at} 12:00:00.5", "id": n, "ssn": f"it {n}"}
        for day in dates
        for at in dates
        for n in range(11)
    ]
    place.insert("users", rows)
    described = reseal.Manifest.parse(manifest(column(row_id=["day", "at", "id"])))
    mode = "STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE"
    for given in (mode, "TRADITIONAL"):
        place.do(f"SET SESSION sql_mode = '{given}'")
        before = place.do("SELECT @@sql_mode")
        report = jobs.verify(place.connection, manifest=described, batch=7)
        assert report["columns"][0]["total"]["scanned"] == len(rows)
        assert place.do("SELECT @@sql_mode") == before
    report = jobs.apply(place.connection, manifest=described, batch=7)
    assert sum(it["values"] for it in report["columns"][0]["total"]["resealed"]) == len(rows)


#: Names of the same start, longer than what a server of its own accord sorts by, in no order.
def assert_no_row_is_passed_over(place: Place, rows: int) -> None:
    """In no walk of a table of plaintext, whose rows are of many pages."""
    every = {"scanned": rows, "found": rows}
    assert total(place.report("verify", "--batch", "20")) == every
    assert total(place.report("apply", "--batch", "20", "--jobs", "2"))["resealed"] == rows
    assert all(it.startswith("rs1.") for it in place.stored())
    assert total(place.report("census", "--batch", "20")) == every
    retired = place.report("retire", "plain", "--batch", "20")
    assert total(retired)["scanned"] == rows


LONG = [f"{'h' * 600}{n * 7919 % 1009:06}" for n in range(300)]


@on("mysql")
@pytest.mark.parametrize(
    "of",
    ["varchar(700)", "varchar(700) COLLATE utf8mb4_bin", "text", "blob", "text CHARSET latin1"],
)
def test_ids_of_a_long_common_start(place: Place, of: str) -> None:
    ids = LONG if "(" in of or of == "text" else [url.replace("h", "hh", 600) for url in LONG]
    length = max(map(len, ids))
    place.do(
        f"CREATE TABLE users (id integer PRIMARY KEY, url {of} NOT NULL, ssn text, UNIQUE (url({length})))"
        " CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
    )
    place.insert("users", [{"id": n, "url": url, "ssn": f"it {n}"} for n, url in enumerate(ids)])
    place.describe(column(row_id=["url"]))
    assert_no_row_is_passed_over(place, len(ids))


@on("mysql")
def test_a_limit_of_the_session_hides_no_rows(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the program has set comes back."""
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    place.users([RING.seal(f"it {n}", HERE) if n % 2 else f"it {n}" for n in range(10)])
    described = reseal.Manifest.parse(manifest(column()))
    place.do("SET SESSION sql_select_limit = 1, max_sort_length = 99999")
    settings = "SELECT @@sql_select_limit, @@max_sort_length"
    before = place.do(settings)
    counted = jobs.census(place.connection, manifest=described, keys_only=True)
    assert counted["columns"][0]["total"]["scanned"] == 10
    assert place.do(settings) == before == [(1, 99_999)]


@on("postgresql")
@pytest.mark.parametrize("of", ['"of \'all".citext', "mail", "address"])
@pytest.mark.parametrize("keys", [["id"], ["part", "id"], ["id", "part"]], ids="-".join)
def test_ids_whose_type_is_in_another_schema(place: Place, of: str, keys: list[str]) -> None:
    """Their own order counts, which is not that of text."""
    place.do('CREATE SCHEMA "of \'all"')
    place.do('CREATE EXTENSION citext SCHEMA "of \'all"')
    place.do('CREATE DOMAIN mail AS "of \'all".citext')
    place.do("CREATE DOMAIN address AS mail")
    declared = f"id {of}, part integer, ssn text, PRIMARY KEY ({', '.join(keys)})"
    place.do(f"CREATE TABLE users ({declared})")
    ids = [f"{'K' if n % 2 else 'k'}-{n * 7919 % 1009:04}" for n in range(300)]
    rows = [{"id": it, "part": n % 3, "ssn": f"it {n}"} for n, it in enumerate(ids)]
    place.insert("users", rows)
    place.describe(column(row_id=keys))
    assert_no_row_is_passed_over(place, len(ids))
    # A person may spell it otherwise, as the key does not tell.
    named: dict[str, object] = {"id": ids[8].upper(), "part": 8 % 3}
    row = json.dumps([named[key] for key in keys]) if len(keys) > 1 else ids[8].upper()
    repaired = total(place.report("apply", "--repair", "keep", "--row", row))
    assert repaired == {"scanned": 1, "current": 1}


@on("sqlite")
@pytest.mark.parametrize("work", ["apply", "verify", "census"])
def test_text_that_is_no_utf_8_is_no_row_id(place: Place, work: str) -> None:
    """No driver gives it back as it is, so that rows would be passed over."""
    place.do("CREATE TABLE users (id text PRIMARY KEY, ssn text)")
    place.insert("users", [{"id": f"k{n}", "ssn": f"it {n}"} for n in range(40)])
    place.do("INSERT INTO users VALUES (CAST(x'6bff' AS TEXT), 'v'), ('z', 'v')")
    place.describe(column())
    ended = place.run(work, "--batch", "41", code=2)
    assert "text that is no UTF-8" in ended.err
    assert "[column-unsuitable]" in ended.err


@on("postgresql")
@pytest.mark.parametrize(
    ("of", "first", "settings"),
    [
        # 15 digits are not enough to find the row again.
        ("float8", "0.1::float8 + n * 3e-17", {"extra_float_digits": "0"}),
        # India's time, which PostgreSQL reads as Israel's.
        (
            "timestamptz",
            "'2026-03-01'::timestamptz + n * interval '5 minutes'",
            {"datestyle": "SQL, DMY", "timezone": "Asia/Kolkata"},
        ),
    ],
    ids=["float8", "timestamptz"],
)
def test_settings_of_the_database_that_spell_ids_otherwise(
    place: Place, of: str, first: str, settings: dict[str, str]
) -> None:
    place.do(f"CREATE TABLE users (id {of} PRIMARY KEY, ssn text)")
    place.do(f"INSERT INTO users SELECT {first}, 'it ' || n FROM generate_series(1, 400) n")
    [[database, rows]] = place.do("SELECT current_database(), count(*) FROM users")
    for name, value in settings.items():
        place.do(f"ALTER DATABASE \"{database}\" SET {name} = '{value}'")
    place.describe(column())
    assert_no_row_is_passed_over(place, rows)


@on("mysql")
def test_characters_that_a_mode_fills_up_are_bound_without_spaces(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    place.do("CREATE TABLE users (id char(9) PRIMARY KEY, ssn varchar(250))")
    place.do("INSERT INTO users VALUES ('a', 'it'), ('b', 'it')")
    described = reseal.Manifest.parse(manifest(column(bind_row=True)))
    place.do("SET SESSION sql_mode = 'PAD_CHAR_TO_FULL_LENGTH,ANSI_QUOTES'")
    assert jobs.apply(place.connection, manifest=described)["end"] == "complete"
    assert place.do("SELECT @@sql_mode") == [("ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH",)]
    place.do("SET SESSION sql_mode = ''")
    for row, stored in place.do("SELECT id, ssn FROM users"):
        assert RING.open_str(stored, HERE | {"row": row}) == "it"
