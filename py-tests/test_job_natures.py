"""Tables that are more than rows: with a history, without transactions, or with others that inherit from them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import reseal
from cli_support import COMMANDS, DATA, OLD
from job_support import HERE, RING, Json, Place, column, findings, found, on, total

OTHER = reseal.Keyring(OLD)
ROWS = 30
#: How a table of MariaDB says that it keeps former versions of its rows.
PERIOD = "PERIOD FOR SYSTEM_TIME (since, until)) WITH SYSTEM VERSIONING"
VERSIONED = {
    "implicit": ") WITH SYSTEM VERSIONING",
    "explicit": ", since timestamp(6) GENERATED ALWAYS AS ROW START,"
    f" until timestamp(6) GENERATED ALWAYS AS ROW END, {PERIOD}",
    "transactions": ", since bigint unsigned GENERATED ALWAYS AS ROW START INVISIBLE,"
    f" until bigint unsigned GENERATED ALWAYS AS ROW END INVISIBLE, {PERIOD} ENGINE=InnoDB",
}
VERSIONS = [("mysql", command) for command in COMMANDS]

of_mariadb, of_postgresql = on("mysql"), on("postgresql")


def versioned(place: Place, how: str = "implicit", more: str = "") -> None:
    """A table of users that keeps its history."""
    end = VERSIONED[how]
    place.do(f"CREATE TABLE users (id integer PRIMARY KEY, ssn longtext{more}{end}")


def versions(place: Place) -> list[Any]:
    """All values that there are and were."""
    return [it for [it] in place.do("SELECT ssn FROM users FOR SYSTEM_TIME ALL")]


def retired(place: Place, target: str, code: int) -> tuple[Json, list[str]]:
    """The report, and the hints that a person gets."""
    report: Json = json.loads(place.run("retire", target, "--json", code=code).out)
    said = place.run("retire", target, code=code).err
    return report, [it for it in said.splitlines() if it.startswith("hint: ")]


# --- with a history -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "how"),
    [(pair, how) for pair, how in zip(VERSIONS * 2, VERSIONED, strict=False)],
    indirect=["place"],
    ids=VERSIONED.keys(),
)
def test_what_was_is_counted_and_keeps_a_key(place: Place, how: str) -> None:
    """A job rewrites the rows that are, and each of them leaves its former value in the table."""
    versioned(place, how)
    place.env["RESEAL_DECRYPT_KEYS"] = OLD.export()
    place.insert("users", [{"id": n, "ssn": OTHER.seal(f"{n}", HERE)} for n in range(ROWS)])
    planned = findings(place.report("plan"))
    assert list(planned) == ["keeps-history"]
    assert "DELETE HISTORY FROM `users`" in planned["keeps-history"]
    assert total(place.report("apply", "--batch", "7"))["resealed"] == ROWS
    assert [RING.open_str(it, HERE) for it in place.stored()] == [f"{n}" for n in range(ROWS)]
    counted = {("app", OLD.id): ROWS, ("app", DATA.id): ROWS}
    for options in [(), ("--batch", "7"), ("--keys-only",)]:
        report = place.report("census", *options)
        assert found(report) == counted
        assert "keeps-history" in findings(report)
    # The rows that are do not need it, and those that were do.
    assert total(place.report("verify"))["found"] == ROWS
    report, hints = retired(place, OLD.id, 1)
    assert [it["values"] for it in report["left"]] == [ROWS]
    assert [it for it in hints if "DELETE HISTORY FROM `users`" in it] == hints[1:]
    place.do("DELETE HISTORY FROM users")
    report, hints = retired(place, OLD.id, 0)
    assert report["left"] == []
    assert not any("HISTORY" in it for it in hints)


@of_mariadb
def test_what_was_plaintext_is_still_there(place: Place) -> None:
    versioned(place)
    place.insert("users", [{"id": n, "ssn": f"{n}"} for n in range(ROWS)])
    place.describe(column(read=["plain"]))
    place.run("apply")
    assert "keeps-history" in place.run("apply").out
    report, hints = retired(place, "plain", 1)
    assert [(it["values"], it["code"]) for it in report["left"]] == [(ROWS, "still-in-use")]
    assert any("DELETE HISTORY FROM `users`" in it for it in hints)
    place.do("DELETE HISTORY FROM users")
    assert retired(place, "plain", 0)[0]["end"] == "complete"


@of_mariadb
def test_many_versions_of_one_row_are_read_together(place: Place) -> None:
    """No row is passed over where a batch ends among its versions, and none is counted twice."""
    versioned(place, "explicit", ", n integer")
    codecs: dict[str, Json] = {
        "app": {"kind": "reseal", "keyring": "env"},
        "tokens": {"kind": "fernet", "keys": ["env:FERNET_KEY"]},
    }
    place.env["FERNET_KEY"] = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
    place.describe(column(read=["tokens", "plain"]), codecs=codecs)
    place.insert("users", [{"id": n, "ssn": f"{n}", "n": 0} for n in range(ROWS)])
    for n in range(1, 41):
        place.do("UPDATE users SET n = %s WHERE id IN (6, 7)", n)
    place.do("DELETE FROM users WHERE id = 20")
    there = len(versions(place))
    assert there == ROWS + 80
    for batch in ("1", "7", "50"):
        report = place.report("census", "--batch", batch)
        assert total(report) == {"scanned": there, "found": there}, batch
    report = json.loads(place.run("retire", "tokens", "--json", "--batch", "7").out)
    assert report["columns"][0]["total"]["scanned"] == there


@of_mariadb
def test_a_history_with_terms(place: Place) -> None:
    index = {"name": "eq", "column": "ssn_eq", "normalizer": "digits", "bits": 64}
    old, new = (reseal.Key.from_bytes("index", bytes([byte]) * 32) for byte in (5, 6))
    versioned(place, more=", ssn_eq varchar(100)")
    place.insert("users", [{"id": n, "ssn": f"{n}"} for n in range(ROWS)])
    place.describe(column(read=["plain"], indexes=[index]))
    place.env["RESEAL_INDEX_KEY"] = old.export()
    place.run("apply")
    place.env |= {"RESEAL_INDEX_KEY": new.export(), "RESEAL_DECRYPT_KEYS": old.export()}
    place.run("apply", "--reindex")
    report, hints = retired(place, old.id, 1)
    assert [(it["index"], it["values"]) for it in report["left"]] == [("eq", ROWS)]
    assert any("DELETE HISTORY FROM `users`" in it for it in hints)
    place.do("DELETE HISTORY FROM users")
    assert retired(place, old.id, 0)[0]["left"] == []


@of_mariadb
def test_tables_with_a_history_are_discovered(place: Place) -> None:
    versioned(place)
    place.insert("users", [{"id": n, "ssn": RING.seal(f"{n}", HERE)} for n in range(3)])
    place.describe(column("others"))
    seen = [(it["table"], it["column"]) for it in place.report("discover")["discovered"]]
    assert seen == [("users", "ssn")]


# --- without transactions -------------------------------------------------------------------------


@of_mariadb
@pytest.mark.parametrize("engine", ["MyISAM", "Aria", "MEMORY"])
def test_a_table_without_transactions_is_not_written(place: Place, engine: str) -> None:
    """What is wrong could not be undone: a trigger that cuts values would leave nothing to open."""
    place.do(f"CREATE TABLE users (id integer PRIMARY KEY, ssn varchar(400)) ENGINE={engine}")
    place.insert("users", [{"id": n, "ssn": f"{n}"} for n in range(ROWS)])
    place.do(
        "CREATE TRIGGER cuts BEFORE UPDATE ON users FOR EACH ROW SET NEW.ssn = LEFT(NEW.ssn, 40)"
    )
    before = place.rows()
    said = findings(place.report("plan", code=2))["column-unsuitable"]
    assert "its engine has no transactions" in said
    refused = place.run("apply", code=2).err
    assert said in refused
    assert place.rows() == before
    # Whoever only looks may do so.
    assert total(place.report("census"))["found"] == ROWS
    place.do("DROP TRIGGER cuts")
    place.do("ALTER TABLE users ENGINE=InnoDB")
    assert total(place.report("apply"))["resealed"] == ROWS


@of_mariadb
def test_checkpoints_are_in_a_table_with_transactions(place: Place) -> None:
    place.users(["a", "b"])
    place.do("SET GLOBAL default_storage_engine = MyISAM")
    try:
        place.run("apply")
    finally:
        place.do("SET GLOBAL default_storage_engine = InnoDB")
    engine = "SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
    assert place.do(f"{engine} AND TABLE_NAME = 'reseal_jobs'") == [("InnoDB",)]


# --- with heirs -----------------------------------------------------------------------------------


@of_postgresql
def test_a_row_id_in_a_table_and_in_an_heir_is_refused(place: Place) -> None:
    """Of two rows with one id the second could be left out where a batch ends between them."""
    place.do("CREATE TABLE users (id integer PRIMARY KEY, ssn text)")
    place.do("CREATE TABLE members (PRIMARY KEY (id)) INHERITS (users)")
    place.insert("users", [{"id": n, "ssn": f"user {n}"} for n in range(1, 101)])
    place.insert("members", [{"id": n, "ssn": f"member {n}"} for n in range(100, 201)])
    before = place.rows()
    said = findings(place.report("plan", code=2))["column-unsuitable"]
    assert "a row id is in several rows" in said
    for command in ("apply", "verify", "census"):
        assert said in place.run(command, code=2).err
    assert place.rows() == before
    # Envelopes are counted without any row id.
    place.run("census", "--keys-only")
    place.do("UPDATE members SET id = 1000 WHERE id = 100")
    assert total(place.report("apply"))["resealed"] == 201
    # One that is outside of the condition is in nobody's way.
    place.do("UPDATE members SET id = 50 WHERE id = 1000")
    place.describe(column(where="id <> 50"))
    place.run("verify")


@of_postgresql
def test_partitions_share_their_unique_key(place: Place) -> None:
    place.do("CREATE TABLE users (id integer PRIMARY KEY, ssn text) PARTITION BY RANGE (id)")
    for n in (0, 50):
        place.do(f"CREATE TABLE users_{n} PARTITION OF users FOR VALUES FROM ({n}) TO ({n + 50})")
    place.insert("users", [{"id": n, "ssn": f"{n}"} for n in range(100)])
    assert total(place.report("apply"))["resealed"] == 100


@of_postgresql
def test_a_row_of_an_heir_without_its_row_id_is_refused(place: Place) -> None:
    """Up to PostgreSQL 17 an heir may drop what its table says of NULL, and such a row comes after no other one."""
    place.do("CREATE TABLE users (id integer PRIMARY KEY, ssn text)")
    place.do("CREATE TABLE members () INHERITS (users)")
    place.do("ALTER TABLE members ALTER id DROP NOT NULL")
    place.insert("users", [{"id": n, "ssn": f"user {n}"} for n in range(1, 101)])
    place.insert("members", [{"id": None, "ssn": "lost"}])
    before = place.rows()
    said = findings(place.report("plan", code=2))["column-unsuitable"]
    assert "a row has NULL in its row id" in said
    for command in (["apply"], ["verify"], ["census"], ["retire", "plain"]):
        assert said in place.run(*command, code=2).err
    assert place.rows() == before
    place.do("UPDATE members SET id = 101")
    assert total(place.report("apply"))["resealed"] == 101
