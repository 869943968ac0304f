"""A job that is killed again and again under writers: nothing is lost, and nothing sealed twice."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable

import reseal
from cli_support import SECONDS
from job_support import Place, balanced, each, on, total
from job_writers import Running, Writers, check

KILLS = int(os.environ.get("RESEAL_JOB_KILLS") or 5)
WRITERS = 4
ROWS = 4_000
#: So that it is at work for a second or so. Without a pause it reads ahead.
PACES = [("--batch", "100", "--pause", "5"), ("--batch", "20")]
LONGEST_MOMENT = 0.3


class Keys:
    """Keys that take turns as the primary one: each time the job ends, it is to begin anew."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.keys = [reseal.Key.generate("data") for _ in range(3)]
        self.turn()

    def turn(self) -> None:
        """Rotate."""
        self.primary, *others = self.keys = self.keys[1:] + self.keys[:1]
        self.place.env["RESEAL_PRIMARY_KEY"] = self.primary.export()
        self.place.env["RESEAL_DECRYPT_KEYS"] = ",".join(key.export() for key in others)


def in_table(place: Place) -> str | None:
    """How far the job is."""
    if not place.has("reseal_jobs"):
        return None
    rows = place.do("SELECT state FROM reseal_jobs")
    return rows[0][0] if rows else None


def in_file(place: Place) -> str | None:
    """How far the job is. A file that is empty was made to see whether it can be written."""
    path = place.folder / "state"
    text = path.read_text() if path.exists() else ""
    return json.loads(text)["progress"] if text else None


@each
def test_a_job_that_is_killed_under_writers(place: Place) -> None:
    crash(place, in_table, KILLS)
    assert len(place.do("SELECT id FROM reseal_jobs")) == 1


@on("mysql")
def test_a_job_that_keeps_a_file(place: Place) -> None:
    crash(place, in_file, KILLS // 2, "--checkpoint", "state")
    assert not place.has("reseal_jobs")


def crash(
    place: Place, how_far: Callable[[Place], str | None], kills: int, *arguments: str
) -> None:
    """Kill the job so often, let it end, and see what there is."""
    if (place.kind, place.command) == ("sqlite", "node"):
        place.do("PRAGMA journal_mode = wal")
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    keys = Keys(place)
    killed_at_work = killed = 0
    with Writers(place, WRITERS, ROWS, seed) as writers:
        # A kill before the first batch, or after the last, shows little.
        while killed < kills or not killed_at_work:
            assert killed < kills * 10
            before = how_far(place)
            with Running(place, "apply", *chance.choice(PACES), *arguments) as job:
                # Now and then also before its first batch.
                if chance.random() < 0.8:
                    job.comes_to(lambda was: how_far(place) != was, before)
                time.sleep(chance.random() * LONGEST_MOMENT)
                if job.kill():
                    killed += 1
                    after = how_far(place)
                    if after not in (None, before):
                        killed_at_work += not json.loads(after or "")["finished"]
                    continue
            # Writers write old values all the time, or what was killed had a statement under way.
            assert job.process.returncode in (0, 5)
            keys.turn()
        expected = writers.stop()
    wait_until_alone(place)
    report = place.report("apply", *arguments)
    assert report["end"] == "complete"
    state = how_far(place)
    assert state
    assert json.loads(state)["finished"]
    check(place, expected, writers.ring, keys.primary)
    left = total(place.report("apply", *arguments))
    texts = [text for _, text, _ in place.rows() if text is not None]
    wanted = {"scanned": len(place.rows()), "current": len(texts)}
    assert left == {**wanted, "null": len(place.rows()) - len(texts)}
    balanced(place.report("verify"))


def wait_until_alone(place: Place) -> None:
    """What a killed job had asked for may still be under way."""
    others = {
        "postgresql": "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()",
        "mysql": "SELECT 1 FROM information_schema.processlist WHERE db = DATABASE()"
        " AND id <> CONNECTION_ID()",
    }
    deadline = time.monotonic() + SECONDS
    while place.kind in others and place.do(others[place.kind]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
