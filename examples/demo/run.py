"""Runs the demo and writes its report; see README.md."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import report
import reseal
from report import Report

HERE = Path(__file__).parent
SERVICES = {
    "Python": [sys.executable, HERE / "customers.py"],
    "Node": ["node", HERE / "customers.mjs"],
}
SCHEMA = """CREATE TABLE customers (
    id INTEGER PRIMARY KEY, email TEXT UNIQUE, phone TEXT, phone_index TEXT, ssn TEXT,
    birth_date TEXT, balance TEXT, notes TEXT, avatar BLOB)"""
SEALED = ["email", "phone", "ssn", "birth_date", "balance", "notes", "avatar"]


class Demo:
    """The database, the environment of the services, and what they did."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "customers.db"
        self.env: dict[str, str] = {}
        self.report = Report()
        with sqlite3.connect(self.path) as db:
            db.execute(SCHEMA)

    def start(self, service: str, command: str, *arguments: int) -> subprocess.Popen[str]:
        inherited = {name: value for name, value in os.environ.items() if "RESEAL" not in name}
        return subprocess.Popen(
            [*SERVICES[service], command, self.path, *map(str, arguments)],
            env=inherited | self.env,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, service: str, command: str, *arguments: int) -> dict[str, int]:
        return finish(service, self.start(service, command, *arguments))

    def check(self, service: str) -> None:
        """A service opens and compares every value and finds customers again."""
        self.checked(service, [self.run(service, "check")], "")

    def checked(self, service: str, runs: list[dict[str, int]], when: str) -> None:
        counts = {name: sum(run[name] for run in runs) for name in runs[0]}
        good = counts["wrong"] == 0 and counts["found"] == counts["sought"]
        text = (
            f"{service} opened and compared {counts['values']:,} values of {counts['rows']:,} rows, "
            f"and found {counts['found']} of {counts['sought']} customers by e-mail and by phone{when}"
        )
        self.report.fact(text, good)

    def reseal(self, writer: str, reader: str, remainder: int, rows: str) -> None:
        """One service reseals while the other keeps reading."""
        process = self.start(writer, "reseal", remainder)
        runs = [self.run(reader, "check")]
        while process.poll() is None:
            runs.append(self.run(reader, "check"))
        times = "once" if len(runs) == 1 else f"{len(runs)} times"
        self.checked(reader, runs, f", reading {times} while {writer} resealed")
        counts = finish(writer, process)
        text = f"{writer} resealed {counts['resealed']:,} values of the {rows} rows; {counts['raced']} raced"
        self.report.fact(text, counts["resealed"] > 0 and counts["raced"] == 0)

    def census(self, title: str, names: dict[str, str]) -> Counter[str]:
        """Values per column and key, from public bytes: no key is needed."""
        with sqlite3.connect(self.path) as db:
            rows = db.execute(f"SELECT {', '.join(SEALED)} FROM customers").fetchall()
        counts = {
            column: Counter(names[reseal.inspect(row[i]).key_id] for row in rows)
            for i, column in enumerate(SEALED)
        }
        self.report.census(title, len(rows), counts)
        return sum(counts.values(), Counter())


def finish(service: str, process: subprocess.Popen[str]) -> dict[str, int]:
    output, _ = process.communicate()
    if process.returncode != 0:
        sys.exit(f"the {service} service failed with exit code {process.returncode}")
    return json.loads(output)


def play(demo: Demo) -> None:
    old, new, index = (reseal.Key.generate(use) for use in ("data", "data", "index"))
    names = {old.id: f"old {old.id[:8]}", new.id: f"new {new.id[:8]}"}
    step = demo.report.step

    step("Python seals 1,000 customers")
    demo.env = {"RESEAL_PRIMARY_KEY": old.export(), "RESEAL_INDEX_KEY": index.export()}
    counts = demo.run("Python", "seal", 1, 1000)
    demo.report.fact(
        f"Python sealed {counts['values']:,} values in batches", counts["values"] == 7000
    )

    step("Node reads them and adds 100 of its own")
    demo.check("Node")
    counts = demo.run("Node", "seal", 1001, 1100)
    demo.report.fact(f"Node sealed {counts['values']:,} values in batches", counts["values"] == 700)
    demo.check("Python")
    before = demo.census("Before the rotation", names)
    demo.report.fact("every value is under the old key", before == {names[old.id]: 7700})

    step("The new key is introduced: both services can read it, neither writes it")
    demo.env["RESEAL_INTRODUCED_KEYS"] = new.export()
    demo.check("Python")
    demo.check("Node")

    step("The new key is promoted, and the services reseal half of the rows each")
    demo.env["RESEAL_PRIMARY_KEY"] = new.export()
    demo.env["RESEAL_DECRYPT_KEYS"] = old.export()
    del demo.env["RESEAL_INTRODUCED_KEYS"]
    demo.reseal("Node", "Python", 1, "odd")
    half = demo.census("Half way", names)
    demo.report.fact("half of the values are under each key", len(set(half.values())) == 1)
    demo.reseal("Python", "Node", 0, "even")
    after = demo.census("After the rotation", names)
    demo.report.fact("every value is under the new key", after == {names[new.id]: 7700})

    step("The old key is taken away")
    del demo.env["RESEAL_DECRYPT_KEYS"]
    demo.check("Python")
    demo.check("Node")

    step("A sealed value is moved from row 1 to row 2")
    for service in SERVICES:
        code = demo.run(service, "refuse")["code"]
        demo.report.fact(f"{service} refuses to open it there: {code}", code == "auth-failed")


def main(folder: Path) -> int:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    started = time.monotonic()
    demo = Demo(folder)
    play(demo)
    demo.report.seconds = time.monotonic() - started
    page = folder / "report.html"
    page.write_text(report.html(demo.report), encoding="utf-8")
    good = demo.report.good
    print(f"\n{'All checks passed' if good else 'A CHECK FAILED'} in {demo.report.seconds:.1f} s.")
    print(f"The same report as a page: {page}\nThe database: {demo.path}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
