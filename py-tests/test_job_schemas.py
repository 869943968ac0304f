"""Tenants with a schema each, on PostgreSQL, which share one table of checkpoints."""

from __future__ import annotations

import hashlib
import json
import os
import signal

import reseal
from job_support import HERE, Place, on, total
from job_writers import Running

ROWS = 300
#: What a job is of where its table is beside the table of checkpoints: runs of earlier releases are gone on with.
USERS = ["users", "ssn", ["id"], None, None, "app"]
SHARED = ("apply", "--share", "--batch", "5", "--worker-lease", "3600", "--json")


def tenants(place: Place) -> None:
    """Two of them, and what all have in common, for which the job was done first."""
    place.users(["public"])
    place.run("apply")
    for name in ("one", "two"):
        place.do(f"CREATE SCHEMA {name}")
        place.do(f"CREATE TABLE {name}.users (id integer PRIMARY KEY, ssn text)")
        numbers = f"generate_series(1, {ROWS}) n"
        place.do(f"INSERT INTO {name}.users SELECT n, '{name} ' || n FROM {numbers}")


def become(place: Place, tenant: str) -> None:
    """Whoever connects from now on finds the tables of a tenant, as its role does."""
    database = place.url.rpartition("/")[2]
    place.do(f"ALTER DATABASE {database} SET search_path = {tenant}, public")


def sealed(place: Place, tenant: str) -> int:
    """How many values of a tenant are; each is its own."""
    values = [it for [it] in place.do(f"SELECT ssn FROM {tenant}.users ORDER BY id")]
    ring = reseal.Keyring.from_env(environ=place.env)
    are = [it.startswith("rs1.") for it in values]
    texts = [
        ring.open_str(it, HERE) if is_it else it for it, is_it in zip(values, are, strict=True)
    ]
    assert texts == [f"{tenant} {n}" for n in range(1, ROWS + 1)]
    return sum(are)


def jobs(place: Place) -> list[str]:
    """The ids of all jobs."""
    rows = place.do("SELECT id FROM public.reseal_jobs ORDER BY id")
    return [it for [it] in rows if "#" not in it]


@on("postgresql")
def test_workers_of_two_tenants_at_the_same_time(place: Place) -> None:
    """Each does the rows of its own tenant, and all of them."""
    tenants(place)
    become(place, "one")
    with Running(place, *SHARED, "--pause", "20") as first:
        first.until(lambda: sealed(place, "one") > 0)
        become(place, "two")
        with Running(place, *SHARED) as second:
            reports = [it.report() for it in (second, first)]
    assert [it["end"] for it in reports] == ["complete", "complete"]
    assert [total(it)["resealed"] for it in reports] == [ROWS, ROWS]
    assert [sealed(place, name) for name in ("one", "two")] == [ROWS, ROWS]


@on("postgresql")
def test_a_run_that_goes_on_has_stopped_at_the_same_tenant(place: Place) -> None:
    """What another one has stored tells nothing of this one."""
    tenants(place)
    digest = hashlib.sha256(json.dumps([USERS], separators=(",", ":")).encode()).hexdigest()
    assert jobs(place) == [f"apply-{digest[:32]}"]
    become(place, "one")
    with Running(place, "apply", "--batch", "5", "--pause", "50", "--json") as job:
        job.until(lambda: sealed(place, "one") > 0)
        os.killpg(job.process.pid, signal.SIGINT)
        assert job.report(code=5)["end"] == "stopped"
    done = sealed(place, "one")
    assert 0 < done < ROWS
    for tenant, is_resumed in [("two", False), ("one", True)]:
        become(place, tenant)
        ended = place.run("apply", "--json")
        assert ('"resumed"' in ended.err) == is_resumed
        report = json.loads(ended.out)
        assert report["columns"][0]["passes"][0]["scanned"] == ROWS
        assert sealed(place, tenant) == ROWS
    assert len(jobs(place)) == 3
