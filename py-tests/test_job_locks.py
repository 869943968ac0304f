"""Other transactions in the way of a job: it waits, gives way, and does its batch again."""

from __future__ import annotations

import json

from cli_support import DATA
from job_support import HERE, RING, Place, each, of_servers, total
from job_writers import Running, Writers, check, complete, retries, transaction

ROWS = 200
TEXTS = [f"secret {number}" for number in range(1, ROWS + 1)]


def opened(place: Place) -> list[str]:
    """What all values open to."""
    return [RING.open_str(value, HERE) for value in place.stored()]


@of_servers
def test_a_deadlock_ends_the_batch_and_it_is_done_again(filled: Place) -> None:
    """Each has what the other waits for; the database has the job give way."""
    filled.run("apply", "--dry-run")
    if filled.kind == "postgresql":
        # Who looks for deadlocks first is the one that gives way.
        name = filled.url.rpartition("/")[2]
        filled.do(f"ALTER DATABASE {name} SET deadlock_timeout = '1s'")
    with transaction(filled) as application:
        if filled.kind == "postgresql":
            application.do("SET deadlock_timeout = '1h'")
        else:
            # Who has changed less gives way.
            application.do("CREATE TEMPORARY TABLE others (id integer)")
            rows = ", ".join(["(1)"] * 2_000)
            application.do(f"INSERT INTO others VALUES {rows}")
        application.do("UPDATE users SET ssn = 'last' WHERE id = 32")
        job = Running(filled, "apply", "--checkpoint", "state", "--json")
        job.until(job.waits_for_lock)
        application.do("UPDATE users SET ssn = 'first' WHERE id = 1")
    ended = job.end()
    assert retries(ended) == [{"postgresql": "40P01", "mysql": "1213"}[filled.kind]]
    complete(ended)
    assert opened(filled) == ["first", *TEXTS[1:31], "last", *TEXTS[32:]]


@of_servers
def test_transactions_are_serializable(place: Place) -> None:
    """So that the database refuses batches, and writers', which are done again."""
    if place.kind == "postgresql":
        name = place.url.rpartition("/")[2]
        place.do(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    else:
        [[before]] = place.do("SELECT @@GLOBAL.tx_isolation")
        place.do("SET GLOBAL TRANSACTION ISOLATION LEVEL SERIALIZABLE")
    try:
        with Writers(place, 2, 500, seed=1) as writers:
            with Running(place, "apply", "--batch", "100", "--pause", "5") as job:
                # There is something old left as long as writers write.
                assert job.end(None).code in (0, 5)
            expected = writers.stop()
    finally:
        if place.kind == "mysql":
            place.do("SET GLOBAL tx_isolation = %s", before)
    assert place.report("apply")["end"] == "complete"
    check(place, expected, writers.ring, DATA)


@each
def test_two_runs_at_once(filled: Place) -> None:
    """Both have read when neither has written: one of them gives way."""
    # The table of checkpoints is there, and empty.
    filled.run("apply")
    filled.do("DELETE FROM reseal_jobs")
    filled.do("DELETE FROM users")
    filled.insert("users", [{"id": n, "ssn": text} for n, text in enumerate(TEXTS, 1)])
    with transaction(filled) as application:
        application.do("UPDATE users SET ssn = 'changed' WHERE id = 5")
        jobs = [Running(filled, "apply", "--json") for _ in range(2)]
        for job in jobs:
            job.until(job.waits_for_lock, 2)
    ended = [job.end(None) for job in jobs]
    assert sorted(one.code for one in ended) == [0, 5], ended
    [loser] = [one for one in ended if one.code]
    assert json.loads(loser.err.splitlines()[-1])["error"]["code"] == "job-conflict"
    assert opened(filled) == ["changed" if n == 5 else it for n, it in enumerate(TEXTS, 1)]
    assert total(filled.report("apply")) == {"scanned": ROWS, "current": ROWS}
