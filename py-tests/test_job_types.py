"""Columns of all types that hold text: what collations, clocks and triggers make of them."""

from __future__ import annotations

import base64
import json
from typing import Any

import foreign
from cli_support import DATA
from job_support import (
    CODECS,
    HERE,
    RING,
    Place,
    column,
    each,
    findings,
    found,
    of_servers,
    total,
)

#: Each driver has types of its own.
OF_DRIVERS = True

# Declared types of text, with values that their collation takes for others.
ALIKE = ["abc", "ABC", "àbc", "straße", "STRASSE", "", "x" * 60]
TEXTS = {
    "postgresql": {
        "varchar(300)": ALIKE,
        "char(200)": ALIKE[:5],
        "text COLLATE loose": ALIKE,
        "citext": ALIKE,
        "short_text": ALIKE,
        "shorter_text": ALIKE,
    },
    "mysql": {
        "varchar(300) CHARACTER SET latin1 COLLATE latin1_swedish_ci": ALIKE,
        "varchar(300) COLLATE utf8mb4_general_ci": ALIKE,
        "char(200) COLLATE utf8mb4_general_ci": ALIKE,
        "varchar(300) CHARACTER SET utf16 COLLATE utf16_general_ci": ALIKE,
        "text CHARACTER SET ascii COLLATE ascii_bin": ["abc", "ABC", ""],
        "tinytext": ALIKE,
        "mediumtext": ALIKE,
    },
    "sqlite": {
        "varchar(10) COLLATE NOCASE": ALIKE,
        "text COLLATE RTRIM": ALIKE,
        "": ALIKE,
    },
}


def prepared(base: Place) -> dict[str, list[str]]:
    """The types that this server has."""
    types = dict(TEXTS[base.kind])
    if base.kind != "postgresql":
        return types
    base.do("CREATE DOMAIN short_text AS varchar(250) CHECK (VALUE <> 'never')")
    base.do("CREATE DOMAIN shorter_text AS short_text CHECK (VALUE <> 'no')")
    has = "SELECT 1 FROM pg_available_extensions WHERE name = %s"
    if base.do(has, "citext"):
        base.do("CREATE EXTENSION citext")
    else:
        types.pop("citext")
    if base.do("SELECT 1 FROM pg_collation WHERE collprovider = 'i'"):
        base.do(
            "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level1', "
            "deterministic = false)"
        )
    else:
        types.pop("text COLLATE loose")
    return types


def test_types_of_text(base: Place) -> None:
    """There, and back to the same characters."""
    types = prepared(base)
    for place, (declared, texts) in enumerate(types.items()):
        base.do(f"CREATE TABLE t{place} (id integer PRIMARY KEY, v {declared})")
        base.insert(f"t{place}", [{"id": n, "v": text} for n, text in enumerate(texts)])
    tables = [f"t{place}" for place in range(len(types))]
    # The blanks at the end of a char(n) are none of its value.
    before = [[text.rstrip(" ") for text in base.stored("v", table)] for table in tables]
    seal = [column(table, "v", context={"t": table}) for table in tables]
    base.describe(*seal)
    report = base.report("apply", "--verify-one-in", "1")
    for place, texts in enumerate(types.values()):
        assert total(report, place)["resealed"] == len(texts)
        for was, now in zip(before[place], base.stored("v", tables[place]), strict=True):
            assert RING.open_str(now.rstrip(" "), {"t": tables[place]}) == was
    census = base.report("census")
    keys_only = base.report("census", "--keys-only")
    for place in range(len(types)):
        counts = [it["columns"][place]["total"]["found"] for it in (census, keys_only)]
        assert counts[0] == counts[1]
        assert [it["in"]["codec"] for it in counts[0]] == ["app"]
    base.describe(*(it | {"write": "plain", "read": ["app"]} for it in seal))
    base.report("apply", "--yes")
    after = [[text.rstrip(" ") for text in base.stored("v", table)] for table in tables]
    assert after == before


# What reacts to an update, in the words of each database: it notes the id.
TRIGGERS = {
    "postgresql": [
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO notes VALUES (NEW.id, OLD.ssn); RETURN NEW; END $$",
        "CREATE TRIGGER noted AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION note()",
    ],
    "mysql": [
        "CREATE TRIGGER noted AFTER UPDATE ON users FOR EACH ROW "
        "INSERT INTO notes VALUES (NEW.id, OLD.ssn)"
    ],
    "sqlite": [
        "CREATE TRIGGER noted AFTER UPDATE ON users BEGIN "
        "INSERT INTO notes VALUES (NEW.id, OLD.ssn); END"
    ],
}
CLOCK = "2001-02-03 04:05:06"


def test_what_happens_beside_a_value(base: Place) -> None:
    """Clocks of MySQL stay, generated columns follow, and triggers fire once for a row."""
    of = "varchar(200)" if base.kind == "mysql" else "text"
    clock = {
        "postgresql": "timestamp DEFAULT now()",
        "mysql": "timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP",
        "sqlite": "text DEFAULT CURRENT_TIMESTAMP",
    }[base.kind]
    moved = "datetime ON UPDATE CURRENT_TIMESTAMP" if base.kind == "mysql" else "varchar(20)"
    base.do(
        f"CREATE TABLE users (id integer PRIMARY KEY, ssn {of}, updated_at {clock}, "
        f"seen_at {moved}, size integer GENERATED ALWAYS AS (length(ssn)) STORED)"
    )
    rows = [{"id": n, "ssn": f"s{n}", "updated_at": CLOCK, "seen_at": None} for n in range(20)]
    base.insert("users", rows)
    base.do(f"CREATE TABLE notes (id integer, was {of})")
    for statement in TRIGGERS[base.kind]:
        base.do(statement)
    base.describe(column())
    assert total(base.report("apply", "--batch", "6"))["resealed"] == 20
    times = base.do("SELECT updated_at, seen_at FROM users")
    assert {(str(updated), seen) for updated, seen in times} == {(CLOCK, None)}
    assert base.do("SELECT count(*) FROM users WHERE size = length(ssn) AND size > 80") == [(20,)]
    notes = base.do("SELECT id, was FROM notes ORDER BY id")
    assert notes == [(row["id"], row["ssn"]) for row in rows]


def test_a_generated_column_cannot_be_written(base: Place) -> None:
    """It says so before, or the database does, and nothing is changed."""
    of = "varchar(200)" if base.kind == "mysql" else "text"
    base.do(
        f"CREATE TABLE users (id integer PRIMARY KEY, raw {of}, "
        f"ssn {of} GENERATED ALWAYS AS (lower(raw)) STORED)"
    )
    base.insert("users", [{"id": 1, "raw": "A"}])
    base.describe(column())
    before = base.rows()
    planned = base.report("plan", code=2)
    assert "generated" in findings(planned)["column-unsuitable"]
    ended = base.run("apply", code=2)
    assert "[column-unsuitable]" in ended.err
    assert base.rows() == before
    # What is there can be counted all the same.
    assert total(base.report("census")) == {"scanned": 1, "found": 1}


NO_TEXT = {
    "postgresql": ["text[]", "bigint", "jsonb", "xml", "boolean"],
    "mysql": ["set('a','b')", "bigint", "date", "enum('x')", "double"],
}


def test_types_that_hold_no_text(base: Place) -> None:
    if base.kind == "sqlite":
        # There a type is a wish, and an integer is as good as its digits.
        base.do("CREATE TABLE users (id integer PRIMARY KEY, ssn integer)")
        base.insert("users", [{"id": 1, "ssn": 5}])
        base.describe(column())
        assert total(base.report("apply"))["resealed"] == 1
        assert [RING.open_str(it, HERE) for it in base.stored()] == ["5"]
        return
    types = NO_TEXT[base.kind]
    for place, of in enumerate(types):
        base.do(f"CREATE TABLE t{place} (id integer PRIMARY KEY, v {of})")
    base.describe(*(column(f"t{place}", "v") for place in range(len(types))))
    report = base.report("plan", code=2)
    for place in range(len(types)):
        assert "v, of type" in findings(report, place)["column-unsuitable"]
    assert "[column-unsuitable]" in base.run("apply", code=2).err


DOCUMENTS = ['{"token": "é🔑"}', "{}", '[1, {"a": null}]', '"text"', "1.50", "true"]
FREEBOARD_KEY = base64.b64encode(bytes(range(32))).decode()
SECRETS = {"secret": {"kind": "freeboard", "keys": ["env:FREEBOARD_KEY"]}}


#: MariaDB has no type of its own: it is text with a check.
JSON_TYPES = {
    "postgresql": ("json", "jsonb"),
    "mysql": ("json", "longtext CHECK (json_valid(v))"),
}


@of_servers
def test_a_document_may_be_one_value(place: Place) -> None:
    """A format that is JSON stands in such a column as it is, and an envelope as a string."""
    place.env["FREEBOARD_KEY"] = FREEBOARD_KEY
    for table, of in zip(("jsons", "jsonbs"), JSON_TYPES[place.kind], strict=True):
        place.do(f"CREATE TABLE {table} (id integer PRIMARY KEY, v {of})")
        given = [{"id": n, "v": text} for n, text in enumerate([*DOCUMENTS, None])]
        place.insert(table, given)

    def moved(write: str, read: str) -> list[tuple[str, list[Any]]]:
        """What the tables hold after they were brought from one codec to the other."""
        more = {"write": write, "read": [read], "type": "json", "bind_row": True}
        described = [column(table, "v", **more) for table in ("jsons", "jsonbs")]
        place.describe(*described, codecs=CODECS | SECRETS)
        report = place.report("apply", "--yes", "--verify-one-in", "1")
        for at in range(2):
            counts = total(report, at)
            assert counts["resealed"] == counts["verified"] == len(DOCUMENTS), report
        assert "resealed" not in total(place.report("apply", "--yes"))
        assert total(place.report("verify"))["found"] == len(DOCUMENTS)
        text = "v" if place.kind == "mysql" else "v::text"
        query = f"SELECT {text} FROM {{}} WHERE v IS NOT NULL ORDER BY id"
        return [
            (table, [json.loads(text) for [text] in place.do(query.format(table))])
            for table in ("jsons", "jsonbs")
        ]

    wanted = list(map(json.loads, DOCUMENTS))
    for _, rows in moved("secret", "plain"):
        opened = [foreign.open_freeboard(row, FREEBOARD_KEY) for row in rows]
        assert list(map(json.loads, opened)) == wanted
    for table, rows in moved("app", "secret"):
        opened = [
            RING.open(row, {"table": table, "column": "v", "row": n}) for n, row in enumerate(rows)
        ]
        assert list(map(json.loads, opened)) == wanted
    # A number of envelopes by their keys: the quotation mark before them does not hide them.
    counted = place.report("census", "--keys-only")
    assert found(counted) == {("app", DATA.id): len(DOCUMENTS), ("null", None): 1}
    for _, rows in moved("plain", "app"):
        assert rows == wanted
    moved("app", "plain")


#: Types that cut a plaintext, fill it up or take it for a number, with what they give back as it is and what not.
LOSSY: dict[str, dict[str, tuple[list[Any], list[Any]]]] = {
    "postgresql": {"char(200)": (["abc", " x"], ["abc  ", "  "])},
    "mysql": {
        "char(200)": (["abc", " x"], ["abc  ", "  "]),
        "binary(69)": ([], [b"abc", b"ab\0"]),
    },
    "sqlite": {
        "string": (["abc", "7", "-7", "555-0100"], ["01234", "1e5", "1.50", " 7", "9" * 20]),
        "real": (["abc"], ["7", "0"]),
    },
}


@each
def test_plaintext_that_its_column_would_not_give_back_stays_sealed(place: Place) -> None:
    """The first value is always one that would come back: reading it back shows nothing."""
    for at, (declared, (kept, lost)) in enumerate(LOSSY[place.kind].items()):
        table = f"users{at}"
        place.do(f"CREATE TABLE {table} (id integer PRIMARY KEY, ssn {declared})")
        texts = [*kept, *lost]
        sealed = [
            RING.seal_binary(it, HERE) if isinstance(it, bytes) else RING.seal(it, HERE)
            for it in texts
        ]
        place.insert(table, [{"id": n, "ssn": it} for n, it in enumerate(sealed)])
        place.describe(column(table, context=HERE, write="plain", read=["app"]))
        planned = place.report("plan", code=1)
        assert planned["columns"][0]["total"]["refused"] == {"column-unsuitable": len(lost)}
        report = place.report("apply", "--yes", code=1)
        assert report["columns"][0]["total"]["refused"] == {"column-unsuitable": len(lost)}
        stored = [it.rstrip(" ") if isinstance(it, str) else it for it in place.stored(table=table)]
        assert [str(it) for it in stored[: len(kept)]] == kept, declared
        assert stored[len(kept) :] == sealed[len(kept) :], declared
