"""Limits of PostgreSQL that a job sets: they are gone with each of its transactions.

A pooler of transactions gives the connections of the server to others between two of them, and what was
set for a session would be set for those.
"""

from __future__ import annotations

import json
import time

import psycopg
import pytest
import reseal
from cli_support import DATA
from job_support import HERE, Place, column, of_servers, on, total
from job_writers import retries
from reseal import jobs
from reseal._database_url import parse

ROWS = 60
NAMES = ("statement_timeout", "idle_in_transaction_session_timeout")
SHOWN = "SELECT " + ", ".join(f"current_setting('{name}')" for name in NAMES)
#: What holds within a transaction of the job.
LIMITS = {"timeout": ("7s", "0"), "share": ("0", "9s"), "both": ("7s", "9s")}
AUDIT = """
CREATE TABLE audit (timeout text, idle text);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO audit VALUES (current_setting('statement_timeout'),
    current_setting('idle_in_transaction_session_timeout')); RETURN NEW; END $$;
CREATE TRIGGER audit AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION audit();
"""


@pytest.mark.parametrize("of", LIMITS)
@on("postgresql")
def test_what_a_job_sets_is_of_its_transactions(place: Place, of: str) -> None:
    # Each fifth value is told as refused, between two transactions.
    foreign = reseal.Keyring(primary=reseal.Key.generate("data")).seal("foreign", HERE)
    place.users([foreign if n % 5 == 0 else f"Row {n}" for n in range(1, ROWS + 1)])
    place.describe(column(read=["plain"]))
    place.do(AUDIT)
    seen: list[tuple[str, str]] = []

    def look(_: jobs.Event) -> None:
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        seen.extend(connection.execute(SHOWN).fetchall())

    with psycopg.connect(place.connection.info.dsn, password=password(place)) as connection:
        connection.autocommit = True
        before = connection.execute(SHOWN).fetchall()
        report = jobs.apply(
            connection,
            manifest=reseal.Manifest.load(place.folder / "reseal.toml"),
            batch=10,
            statement_timeout_ms=None if of == "share" else 7_000,
            share=of != "timeout",
            worker_lease=None if of == "timeout" else 9,
            on_event=look,
        )
        seen.extend(connection.execute(SHOWN).fetchall())
    assert len(seen) > ROWS // 5
    assert set(seen) == set(before)
    assert total(dict(report))["resealed"] == ROWS - ROWS // 5
    assert set(place.do("SELECT timeout, idle FROM audit")) == {LIMITS[of]}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of the ring is that of the programs as well."""
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())


def password(place: Place) -> str:
    """That of the URL, which a connection does not show."""
    return parse(place.url).password or ""


@on("postgresql")
def test_a_statement_that_only_reads_has_the_limit(place: Place) -> None:
    place.users([f"Row {n}" for n in range(1, ROWS + 1)])
    place.describe(column(where="pg_sleep(60) IS NULL"))
    began = time.monotonic()
    ended = place.run("census", "--statement-timeout", "300", code=4)
    assert "the statement took longer than allowed (57014)" in ended.err
    assert time.monotonic() - began < 30


SLOW = {
    "postgresql": [
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END'",
        "CREATE TRIGGER slow BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION slow()",
    ],
    "mysql": [
        "CREATE TRIGGER slow BEFORE UPDATE ON users FOR EACH ROW SET @slept = SLEEP(0.002)",
    ],
}


@of_servers
def test_a_statement_that_takes_too_long_is_done_in_parts(place: Place) -> None:
    """The job finds out by itself how many rows there is time for."""
    place.users([f"Row {n}" for n in range(1, 1_001)])
    place.describe(column(read=["plain"]))
    for statement in SLOW[place.kind]:
        place.do(statement)
    ended = place.run("apply", "--statement-timeout", "400", "--json")
    assert len(retries(ended)) in (1, 2, 3)
    assert total(json.loads(ended.out))["resealed"] == 1_000


@of_servers
def test_a_row_that_takes_too_long_ends_the_job_with_a_hint(place: Place) -> None:
    place.users(["one"])
    place.describe(column(read=["plain"]))
    for statement in SLOW[place.kind]:
        place.do(statement.replace("0.002", "5"))
    ended = place.run("apply", "--statement-timeout", "200", code=4)
    assert "give it more time, or make batches smaller" in ended.err
    assert place.stored() == ["one"]
