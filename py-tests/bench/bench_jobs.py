"""Speed of the job on real databases, beside two peers that run in turns with it.

- `bare`: the same statements, in batches of 500, with precomputed values and no cryptography, through the
  same driver. It reads all rows a second time, as the job does, which repeats until nothing is left.
- `script`: every row is read, its Fernet token opened and sealed again with PyCA's library, and updated by
  itself; each update a transaction of its own, as with autocommit, or all of them one. It is timed with
  10,000 rows.

The key census is compared with the `GROUP BY left(…)` that counts no more than starts.

    python py-tests/bench/bench_jobs.py [--rows N] [--rounds N] [--only DATABASE] [--not-durable] [--json FILE]

The servers keep what is committed, as they do out of the box, unless they are not to.

Prints a Markdown table, with what the job is to reach where that is said.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import reseal
from cryptography.fernet import Fernet
from lib.job_peers import bare, group_by, script
from lib.job_tables import CONTEXT, MANIFEST, Place, places, plaintexts
from reseal import jobs

ROWS = 200_000
#: Of these the script is timed: its rate does not depend on how many there are, and its commits take long.
SCRIPT_ROWS = 10_000
CENSUS_TIMES = 5
PASSES = 2
#: A rate of the job over that of the peer, at least.
BARE_BAR = {"PostgreSQL": 0.7, "MariaDB": 0.7}
SCRIPT_BAR = {"PostgreSQL": 8.0}
#: A time of the job over that of the peer, at most.
CENSUS_BAR = 1.5
OLD, NEW = reseal.Key.generate(), reseal.Key.generate()
FERNET = [Fernet(Fernet.generate_key()) for _ in range(2)]
PEERS_SCRIPT = {
    "script, a transaction for each row": False,
    "script, one transaction": True,
}


class Bench:
    """One database, and how often each way is timed."""

    def __init__(self, place: Place, rows: int, rounds: int) -> None:
        self.place, self.rows, self.rounds = place, rows, rounds
        self.few = min(rows, SCRIPT_ROWS)
        texts = list(plaintexts(rows))
        self.sealed = {key: seal_all(key, texts) for key in (OLD, NEW)}
        place.fill("bench_plain", enumerate(texts, 1))
        place.fill("bench_sealed", enumerate(self.sealed[OLD], 1))
        place.fill("bench_tokens", self._tokens(texts[: self.few]))

    def _tokens(self, texts: list[str]) -> Iterator[tuple[int, str]]:
        for number, text in enumerate(texts, 1):
            yield number, FERNET[0].encrypt(text.encode()).decode()

    def all(self) -> Iterator[dict[str, Any]]:
        """Every comparison."""
        place, name = self.place, self.place.name
        rotation: list[float] = []
        for operation, source in (("encrypt", "bench_plain"), ("rotate", "bench_sealed")):
            ways: dict[str, Callable[[], object]] = {
                "job": self.apply,
                "bare": lambda: bare(place, self.sealed[NEW], PASSES),
            }
            times = self.timed(ways, source, self.rounds)
            yield from self.compared(operation, times, BARE_BAR.get(name))
            rotation = times["job"]
        for peer, one_transaction in PEERS_SCRIPT.items():
            if one_transaction or name != "SQLite":
                ways = {peer: self.script(one_transaction)}
                [took] = self.timed(ways, "bench_tokens", 1)[peer]
                bar = None if one_transaction else SCRIPT_BAR.get(name)
                # As long as it would take for all rows.
                both = {"job": [statistics.median(rotation)], peer: [took * self.rows / self.few]}
                yield from list(self.compared("rotate", both, bar))[1:]
        yield from self.census()

    def script(self, one_transaction: bool) -> Callable[[], object]:
        """The script that people write."""
        return lambda: script(self.place, FERNET[0], FERNET[1], one_transaction=one_transaction)

    def apply(self) -> None:
        """All rows come under the new key."""
        report = jobs.apply(self.place.url, manifest=reseal.Manifest.parse(MANIFEST))
        moved = report["columns"][0]["total"]["resealed"]
        if report["end"] != "complete" or sum(it["values"] for it in moved) != self.rows:
            raise RuntimeError("the job did not reseal every row")

    def timed(
        self, ways: dict[str, Callable[[], object]], source: str, rounds: int
    ) -> dict[str, list[float]]:
        """Seconds of each way; they take turns, each with a table that is as it was."""
        times: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(rounds):
            order = list(ways) if number % 2 == 0 else list(ways)[::-1]
            for name in order:
                self.place.renew(source)
                times[name].append(seconds(ways[name]))
                self.check(self.few if source == "bench_tokens" else self.rows)
        return times

    def check(self, rows: int) -> None:
        """All rows are there, and nothing is as it was."""
        count, least, greatest = self.place.extremes()
        starts = (f"rs1.{NEW.id}.", "gAAAA")
        if count != rows or not (least.startswith(starts) and greatest.startswith(starts)):
            raise RuntimeError("a way did not do its work")

    def compared(
        self, operation: str, times: dict[str, list[float]], bar: float | None
    ) -> Iterator[dict[str, Any]]:
        """A row for each way, and how the job stands to it."""
        for way, own in times.items():
            ratios = [theirs / mine for mine, theirs in zip(times["job"], own, strict=True)]
            yield {
                "operation": operation,
                "database": self.place.name,
                "way": way,
                "seconds": statistics.median(own),
                "rows": self.rows,
                "ratio": statistics.median(ratios),
                "bar": bar if way != "job" else None,
                "met": None if bar is None or way == "job" else statistics.median(ratios) >= bar,
            }

    def census(self) -> Iterator[dict[str, Any]]:
        """Counting by keys alone, of five times as many rows."""
        total = self.rows * CENSUS_TIMES
        self.place.renew("bench_sealed", CENSUS_TIMES, self.rows)
        characters = len(f"rs1.{NEW.id}.")

        def job() -> None:
            report = jobs.census(
                self.place.url, manifest=reseal.Manifest.parse(MANIFEST), keys_only=True
            )
            if report["columns"][0]["total"]["scanned"] != total:
                raise RuntimeError("the census did not count every row")

        def peer() -> None:
            if group_by(self.place, characters) != total:
                raise RuntimeError("the peer did not count every row")

        ways: dict[str, Callable[[], None]] = {"job": job, "GROUP BY left(…)": peer}
        times: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(self.rounds + 1):
            for name in list(ways) if number % 2 == 0 else list(ways)[::-1]:
                took = seconds(ways[name])
                # The first round warms the caches of the server.
                if number > 0:
                    times[name].append(took)
        bar = 1 / CENSUS_BAR
        for row in self.compared("census --keys-only", times, bar):
            yield {**row, "rows": total}


def seal_all(key: reseal.Key, texts: list[str]) -> list[str]:
    """Envelopes of all texts."""
    return [str(value) for value in reseal.Keyring(key).seal_many(texts, CONTEXT)]


def seconds(way: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", metavar="FILE", help="write the numbers there")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--not-durable", action="store_true", help="servers as tests have them")
    parser.add_argument("--only", metavar="DATABASE", action="append")
    options = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("RESEAL_")]:
        del os.environ[name]
    os.environ["RESEAL_PRIMARY_KEY"] = NEW.export()
    os.environ["RESEAL_DECRYPT_KEYS"] = OLD.export()
    print(
        "| operation | database | way | rows per second | rate of the job / rate of it | wanted | |"
    )
    print("|---|---|---|---:|---:|---:|---|")
    line = "| {operation} | {database} | {way} | {rate:,.0f} | {ratio:.2f} | {wanted} | {judged} |"
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for place in places(Path(folder), durable=not options.not_durable):
            if options.only and place.name not in options.only:
                continue
            for row in Bench(place, options.rows, options.rounds).all():
                wanted = "" if row["bar"] is None else f"{row['bar']:.2f}"
                judged = {None: "", True: "met", False: "missed"}[row["met"]]
                rate = row["rows"] / row["seconds"]
                print(line.format(rate=rate, wanted=wanted, judged=judged, **row), flush=True)
                rows.append(row)
    load = " ".join(f"{part:.2f}" for part in os.getloadavg())
    servers = "not durable" if options.not_durable else "durable"
    print(f"\n{options.rows:,} rows, {options.rounds} rounds, servers {servers}, load {load}")
    if options.json:
        Path(options.json).write_text(json.dumps({"rows": rows}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
