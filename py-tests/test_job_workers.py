"""Several workers on one job: processes of both packages, which share it by ranges of rows."""

from __future__ import annotations

import copy
import json
import os
import random
import signal
import threading
import time
from pathlib import Path

import reseal
from cli_support import SECONDS
from job_support import (
    HERE,
    Json,
    Place,
    balanced,
    column,
    each,
    of_servers,
    of_sqlite,
    on,
    other,
    total,
)
from job_writers import Running, Writers, check
from reseal import jobs

IS_LONG = bool(os.environ.get("RESEAL_ASSURE"))
ROWS = 1_000_000 if IS_LONG else 100_000
#: By this name the database knows the connections of the job.
JOB = "reseal"
RANGES = "SELECT count(*) FROM reseal_jobs WHERE id LIKE '%%#%%'"
AUDIT = """
CREATE TABLE audit (id integer, who text);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO audit VALUES (NEW.id, current_setting('application_name')); RETURN NEW; END $$;
CREATE TRIGGER audit AFTER UPDATE ON users FOR EACH ROW
  WHEN (OLD.ssn IS DISTINCT FROM NEW.ssn) EXECUTE FUNCTION audit();
"""


def resealed(report: Json) -> int:
    """Values that were resealed in any pass."""
    passes = [one for column in report["columns"] for one in column["passes"]]
    return sum(it["values"] for one in passes for it in one["resealed"])


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    return [int(it) for it in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def ranges(place: Place) -> int:
    """Ranges that are being worked on."""
    return place.do(RANGES.replace("%%", "%"))[0][0] if place.has("reseal_jobs") else 0


@on("postgresql", is_soak=True)
def test_workers_of_both_packages_under_writers_one_of_them_killed(place: Place) -> None:
    """Two of each: what the counts say was done is what was done, once, whoever dies."""
    before, after = reseal.Key.generate("data"), reseal.Key.generate("data")
    keys = {"RESEAL_PRIMARY_KEY": before.export(), "RESEAL_DECRYPT_KEYS": after.export()}
    place.env |= keys
    place.describe(column(read=["plain"]))
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    writers_of_rows = 2
    with Writers(place, writers_of_rows, ROWS // writers_of_rows, seed) as writers:
        place.do(AUDIT)
        place.env |= {"RESEAL_PRIMARY_KEY": after.export(), "RESEAL_DECRYPT_KEYS": before.export()}
        line = ("apply", "--jobs", "2", "--worker-lease", "2", "--json")
        # This command is the parent of the one that is killed; the other package joins it.
        joining = copy.copy(place)
        joining.command = other(place.command)
        with Running(place, *line) as first, Running(joining, *line) as second:
            first.until(lambda: ranges(place) == 4)
            [worker] = children(first.process.pid)
            os.kill(worker, signal.SIGKILL)
            # Writers may write old values until the last pass.
            ended = [it.end(None) for it in (first, second)]
        expected = writers.stop()
    assert {it.code for it in ended} <= {0, 5}
    told = [json.loads(it) for it in ended[0].err.splitlines()]
    assert "a worker ended with exit code 137" in json.dumps(told)
    reports = [balanced(json.loads(it.out)) for it in ended]
    # Each of them reports the whole job.
    assert reports[0]["columns"] == reports[1]["columns"]
    assert reports[0]["columns"][0]["passes"][0]["scanned"] >= ROWS * 0.9
    last = place.report("apply", "--jobs", "2")
    assert last["end"] == "complete"
    by_job = place.do("SELECT count(*) FROM audit WHERE who = %s", JOB)[0][0]
    assert by_job == resealed(reports[0]) + resealed(last)
    # What no writer touched was sealed once.
    twice = place.do(
        "SELECT id FROM audit WHERE who = %s AND id NOT IN"
        " (SELECT id FROM audit WHERE who <> %s) GROUP BY id HAVING count(*) > 1",
        *(JOB, JOB),
    )
    assert twice == []
    check(place, expected, reseal.Keyring(primary=after), after)
    assert ranges(place) == 0


@each
def test_processes_of_one_command(place: Place) -> None:
    """They do the job once, and list each value that does not open once."""
    if (place.kind, place.command) == ("sqlite", "node"):
        place.do("PRAGMA journal_mode = wal")
    foreign = reseal.Keyring(primary=reseal.Key.generate("data")).seal("foreign", HERE)
    place.users([foreign if n % 500 == 0 else f"Row {n}" for n in range(1, 5_001)])
    place.describe(column(read=["plain"]))
    line = ("apply", "--jobs", "3", "--batch", "50", "--refused", "refused.jsonl")
    report = place.report(*line, code=1)
    assert report["end"] == "complete"
    counts = total(report)
    assert (counts["resealed"], counts["refused"]) == (4_990, 10)
    assert [one["scanned"] for one in report["columns"][0]["passes"]] == [5_000, 5_000]
    lines = (place.folder / "refused.jsonl").read_text().splitlines()
    listed = [(it["row_id"], it["pass"]) for it in map(json.loads, lines)]
    wanted = [([str(n)], of) for n in range(500, 5_001, 500) for of in (1, 2)]
    assert sorted(listed) == sorted(wanted)
    assert len(place.do("SELECT id FROM reseal_jobs")) == 1
    ring = reseal.Keyring.from_env(environ=place.env)
    for n, stored in enumerate(place.stored(), 1):
        assert n % 500 == 0 or ring.open_str(stored, HERE) == f"Row {n}"


@of_servers
def test_all_of_them_stop_and_go_on(place: Place) -> None:
    """^C ends the batches of all, nothing has to be waited for, and nobody else may take the job."""
    place.users([f"Row {n}" for n in range(1, 8_001)])
    place.describe(column(read=["plain"]))
    line = ("apply", "--jobs", "3", "--batch", "20", "--pause", "20", "--json")
    with Running(place, *line) as job:
        job.until(lambda: ranges(place) == 3)
        # As the terminal does, to all of them.
        os.killpg(job.process.pid, signal.SIGINT)
        stopped = job.end(5)
    report = balanced(json.loads(stopped.out))
    assert report["end"] == "stopped"
    done = total(report)["resealed"]
    sealed = sum(it.startswith("rs1.") for it in place.stored())
    assert 0 < done == sealed < 8_000
    alone = place.run("apply", code=5)
    assert "[job-conflict]" in alone.err
    began = time.monotonic()
    with Running(place, "apply", "--jobs", "2", "--worker-lease", "3600", "--json") as job:
        report = job.report()
    assert report["end"] == "complete"
    # The lease of an hour was not waited for.
    assert time.monotonic() - began < SECONDS
    assert total(report)["resealed"] == 8_000


@of_sqlite
def test_workers_stop_where_the_first_process_is_killed(place: Place) -> None:
    """Nobody sits there any more, and nobody stops them: they end their batches, and others go on."""
    if place.command == "node":
        place.do("PRAGMA journal_mode = wal")
    place.users([f"Row {n}" for n in range(1, 4_001)])
    place.describe(column(read=["plain"]))
    line = ("apply", "--jobs", "3", "--worker-lease", "2")
    with Running(place, *line, "--batch", "20", "--pause", "100") as job:
        job.until(lambda: ranges(place) == 3)
        workers = children(job.process.pid)
        assert len(workers) == 2
        os.kill(job.process.pid, signal.SIGKILL)
        deadline = time.monotonic() + SECONDS
        while any(is_running(worker) for worker in workers):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        job.end(-signal.SIGKILL)
    sealed = sum(it.startswith("rs1.") for it in place.stored())
    assert 0 < sealed < 4_000
    report = place.report(*line)
    assert report["end"] == "complete"
    assert total(report)["resealed"] == 4_000


def is_running(process: int) -> bool:
    """Whether a process has not ended; nobody may have asked yet how it did."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@on("postgresql")
def test_calls_of_a_program_share_a_job(place: Place) -> None:
    """Threads with connections of their own, and a process of the other package."""
    place.users([f"Row {n}" for n in range(1, 20_001)])
    place.describe(column(read=["plain"]))
    manifest = reseal.Manifest.load(place.folder / "reseal.toml")
    reports: list[jobs.Report] = []

    def work() -> None:
        done = jobs.apply(place.url, manifest=manifest, share=True, worker_lease=5, batch=100)
        reports.append(done)

    os.environ |= {"RESEAL_PRIMARY_KEY": place.env["RESEAL_PRIMARY_KEY"]}
    try:
        threads = [threading.Thread(target=work) for _ in range(2)]
        with Running(place, "apply", "--share", "--batch", "100", "--json") as command:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(SECONDS)
            report = command.report()
    finally:
        del os.environ["RESEAL_PRIMARY_KEY"]
    assert [one["end"] for one in reports] == ["complete", "complete"]
    ring = reseal.Keyring.from_env(environ=place.env)
    texts = [ring.open_str(stored, HERE) for stored in place.stored()]
    assert texts == [f"Row {n}" for n in range(1, 20_001)]
    # Who came late found the job done, and did it once more: nothing was left.
    assert max(resealed(dict(one)) for one in [*reports, report]) == 20_000


@on("postgresql", "mysql")
def test_a_worker_with_other_keys_ends_those_that_have_the_old_ones(place: Place) -> None:
    """Whoever comes last is right: nobody says that all is done that is not so under his keys."""
    before, after = reseal.Key.generate("data"), reseal.Key.generate("data")
    old_keys = {"RESEAL_PRIMARY_KEY": before.export(), "RESEAL_DECRYPT_KEYS": after.export()}
    new_keys = {"RESEAL_PRIMARY_KEY": after.export(), "RESEAL_DECRYPT_KEYS": before.export()}
    ring = reseal.Keyring(primary=before)
    place.users([ring.seal(f"Row {n}", HERE) for n in range(1, 201)])
    place.describe(column())
    place.env |= old_keys
    joining = copy.copy(place)
    joining.env = place.env | new_keys
    line = ("apply", "--share", "--batch", "5", "--worker-lease", "3600", "--json")
    with Running(place, *line, "--pause", "500") as old:
        old.until(lambda: ranges(place) == 1)
        with Running(joining, *line) as new:
            # Its range is put back with its next batch, and not after its lease.
            ended, report = old.end(5), new.report()
    assert "[job-conflict]" in ended.err or '"job-conflict"' in ended.err
    assert "seals with other keys" in ended.err
    assert report["end"] == "complete"
    assert total(report)["resealed"] == 200
    assert all(it.startswith(f"rs1.{after.id}.") for it in place.stored())


@on("sqlite")
def test_a_worker_with_another_manifest_ends_those_that_have_the_old_one(place: Place) -> None:
    """What one of them seals with its context, the others could not open."""
    place.users([f"Row {n}" for n in range(1, 201)])
    line = ("apply", "--share", "--batch", "5", "--worker-lease", "3600", "--json")
    with Running(place, *line, "--pause", "500") as old:
        old.until(lambda: ranges(place) == 1)
        place.describe(column(context=HERE | {"tenant": "7"}))
        with Running(place, *line) as new:
            ended, report = old.end(5), new.report()
    assert "another manifest" in ended.err
    assert report["end"] == "complete"
    assert resealed(report) == 200


@on("postgresql", "mysql")
def test_a_worker_that_slept_through_the_end_of_the_job_reports_all_of_it(place: Place) -> None:
    """Another command has done the job anew by then: the counts of the first one are kept for it."""
    foreign = reseal.Keyring(primary=reseal.Key.generate("data")).seal("foreign", HERE)
    place.users([foreign if n > 595 else f"Row {n}" for n in range(1, 601)])
    place.describe(column(read=["plain"]))
    line = ("apply", "--share", "--batch", "10", "--worker-lease", "1", "--json")
    with Running(place, *line, "--pause", "200") as asleep:
        asleep.until(lambda: ranges(place) == 1)
        os.killpg(asleep.process.pid, signal.SIGSTOP)
        for resealed_by_all in (600 - 5, 0):
            report = place.report(*line[:-1], code=1)
            assert total(report).get("resealed", 0) == resealed_by_all
        os.killpg(asleep.process.pid, signal.SIGCONT)
        report = asleep.report(code=1)
    assert report["end"] == "complete"
    assert (total(report)["resealed"], total(report)["refused"]) == (595, 5)


@on("sqlite")
def test_a_worker_with_older_keys_has_no_part_in_a_job(place: Place) -> None:
    """It would bring all values back to its own key, and end those who have the new one."""
    before, after = reseal.Key.generate("data"), reseal.Key.generate("data")
    old_keys = {"RESEAL_PRIMARY_KEY": before.export(), "RESEAL_INTRODUCED_KEYS": after.export()}
    new_keys = {"RESEAL_PRIMARY_KEY": after.export(), "RESEAL_DECRYPT_KEYS": before.export()}
    ring = reseal.Keyring(primary=before)
    place.users([ring.seal(f"Row {n}", HERE) for n in range(1, 201)])
    place.describe(column())
    line = ("apply", "--share", "--batch", "5", "--json")
    late = copy.copy(place)
    late.env = place.env | old_keys
    place.env |= new_keys
    with Running(place, *line, "--pause", "100") as new:
        new.until(lambda: ranges(place) == 1)
        refused = late.run(*line, code=5)
        assert "only introduced here" in refused.err
        report = new.report()
    assert report["end"] == "complete"
    assert resealed(report) == 200
    assert all(it.startswith(f"rs1.{after.id}.") for it in place.stored())
