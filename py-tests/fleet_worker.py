"""One process of the fleet in test_fleet.py. js-tests/fixtures/fleet-worker.mjs is the same program.

fleet_worker.py DATABASE CHECK_SECONDS

It reads rows, writes some and reseals what is not current, with the keyset that the environment
names. A row holds its own number and how often it was written. What it prints is JSON: one line for
each generation that it has worked with for some rounds, and at the end what it has counted.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import time
from collections import Counter

import reseal

ROUNDS = 10
# An unknown key does not make it look, so that nothing but the phases can help.
RELOAD_SECONDS = 3600
PAUSE_SECONDS = 0.001
# If nobody is there any more who could end it.
LIFE_SECONDS = 3600


class Worker:
    def __init__(self, path: str, check_seconds: float) -> None:
        self.db = sqlite3.connect(path, timeout=60, isolation_level=None)
        self.db.execute("PRAGMA synchronous = OFF")
        [self.rows] = self.db.execute("SELECT count(*) FROM people").fetchone()
        self.ring = reseal.LiveKeyring.from_env(
            check_seconds=check_seconds, reload_seconds=RELOAD_SECONDS
        )
        self.field = self.ring.field({"table": "people", "column": "ssn"})
        self.counts: Counter[str] = Counter()

    def run(self) -> None:
        end = time.monotonic() + LIFE_SECONDS
        generation, rounds = None, 0
        while time.monotonic() < end and not self.is_over():
            self.round(random.randint(1, self.rows))
            found = self.ring.status().generation
            generation, rounds = found, rounds + 1 if found == generation else 1
            if rounds == ROUNDS:
                print(json.dumps({"generation": generation}), flush=True)
            time.sleep(PAUSE_SECONDS)
        print(json.dumps({"counts": self.counts}), flush=True)

    def is_over(self) -> bool:
        [is_over] = self.db.execute("SELECT is_over FROM orders").fetchone()
        return bool(is_over)

    def round(self, row: int) -> None:
        [stored] = self.db.execute("SELECT ssn FROM people WHERE id = ?", [row]).fetchone()
        try:
            found, writes = self.field.open_str(stored, row=row).split(":")
            self.counts["read"] += 1
            self.counts["wrong"] += int(found) != row
            if random.random() < 0.3:
                value = f"{row}:{int(writes) + 1}"
                self.replace(row, stored, self.field.seal(value, row=row), "written")
            elif not self.field.is_current(stored):
                self.replace(row, stored, self.field.reseal(stored, row=row), "resealed")
        except reseal.ResealError as error:
            self.counts[error.code] += 1

    def replace(self, row: int, old: str, new: str, done: str) -> None:
        """A row that changed meanwhile is left as it is."""
        sql = "UPDATE people SET ssn = ? WHERE id = ? AND ssn = ?"
        changed = self.db.execute(sql, [new, row, old]).rowcount
        self.counts[done if changed else "raced"] += 1


if __name__ == "__main__":
    Worker(sys.argv[1], float(sys.argv[2])).run()
