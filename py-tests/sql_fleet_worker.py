"""One process of the fleet in test_sql_fleet.py. js-tests/fixtures/sql-fleet-worker.mjs is the same program.

sql_fleet_worker.py DATABASE

It reads rows and writes some, with a live ring over the keyset in the same database. A row holds its own
number and how often it was written. At the end it prints as JSON what it has counted.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter

import psycopg
import reseal

CHECK_SECONDS = 0.2
PAUSE_SECONDS = 0.002
# If nobody is there any more who could end it.
LIFE_SECONDS = 600


def main(url: str) -> None:
    store = reseal.SqlKeysetStore(url, kek_file="ring.kek")
    ring = reseal.LiveKeyring.from_keyset(store, check_seconds=CHECK_SECONDS)
    field = ring.field({"table": "people", "column": "ssn"})
    counts: Counter[str] = Counter()
    end = time.monotonic() + LIFE_SECONDS
    with psycopg.connect(url, autocommit=True) as database:
        [rows] = database.execute("SELECT count(*) FROM people").fetchone() or [0]
        while time.monotonic() < end:
            [is_over] = database.execute("SELECT is_over FROM orders").fetchone() or [True]
            if is_over:
                break
            row = random.randint(1, rows)
            select = "SELECT ssn FROM people WHERE id = %s"
            [stored] = database.execute(select, [row]).fetchone() or [""]
            try:
                found, writes = field.open_str(stored, row=row).split(":")
                counts["read"] += 1
                counts["wrong"] += int(found) != row
                if random.random() < 0.5:
                    new = field.seal(f"{row}:{int(writes) + 1}", row=row)
                    update = "UPDATE people SET ssn = %s WHERE id = %s AND ssn = %s"
                    changed = database.execute(update, [new, row, stored]).rowcount
                    counts["written" if changed else "raced"] += 1
            except reseal.ResealError as error:
                # Asleep for longer than a lease, a process does not seal until it has looked.
                counts["waited" if error.code == "ring-stale" else error.code] += 1
            time.sleep(PAUSE_SECONDS)
    print(json.dumps({**counts, "generation": ring.status().generation}))


if __name__ == "__main__":
    main(sys.argv[1])
