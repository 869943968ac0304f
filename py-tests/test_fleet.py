"""Six processes, one table and one keyset: the keys change while everybody reads and writes.

The processes look at the keyset at different paces. In two phases each of them knows a key before
any of them seals with it. In one phase some meet values that they cannot open yet.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import pytest
import reseal
from cli_support import COMMANDS, ROOT, environment
from fleet_worker import ROUNDS

WORKERS: dict[str, list[Any]] = {
    "python": [sys.executable, ROOT / "py-tests/fleet_worker.py"],
    "node": ["node", ROOT / "js-tests/fixtures/fleet-worker.mjs"],
}
CHECK_SECONDS = [0.25, 0.1, 0.02]
ROTATIONS = 100 if "RESEAL_ASSURE" in os.environ else 20
ROWS = 40
LEASE_SECONDS = 3600
# Something hangs if it takes as long: it takes a second for each rotation.
LIMIT_SECONDS = 30 * ROTATIONS


class Editor(Protocol):
    """Somebody who changes the keyset, and gives the id of a key that is new."""

    def introduce(self, label: str) -> str: ...
    def promote(self, key_id: str) -> None: ...
    def rotate(self, label: str) -> str: ...


class Api:
    def __init__(self, file: reseal.KeysetFile) -> None:
        self.file = file

    def introduce(self, label: str) -> str:
        return self.file.edit(lambda keyset: keyset.introduce("data", label=label))

    def promote(self, key_id: str) -> None:
        self.file.edit(lambda keyset: keyset.promote(key_id, early=True))

    def rotate(self, label: str) -> str:
        return self.file.edit(lambda keyset: keyset.rotate("data", label=label, early=True))


class Command:
    def __init__(self, command: list[Any], env: dict[str, str]) -> None:
        self.command, self.env = command, env

    def introduce(self, label: str) -> str:
        return self.run("introduce", "--label", label)

    def promote(self, key_id: str) -> None:
        # No lease has passed, but everybody was seen to know the key.
        self.run("promote", key_id, "--early")

    def rotate(self, label: str) -> str:
        return self.run("rotate", "--label", label, "--early")

    def run(self, *arguments: str) -> str:
        command = [*self.command, "keyset", *arguments, "--json"]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        key_id: str = json.loads(done.stdout)["id"]
        return key_id


class Fleet:
    """The table, the keyset, and the processes that work with both."""

    def __init__(self, folder: Path) -> None:
        self.keyset = folder / "keyset.json"
        kek, kek_file = reseal.Key.generate("kek"), folder / "ring.kek"
        kek_file.write_text(kek.export())
        self.file = reseal.KeysetFile(self.keyset, kek_file=kek_file)
        keyset = reseal.Keyset.create(kek=kek, lease_seconds=LEASE_SECONDS)
        keyset.rotate("data")
        self.file.create(keyset)
        names = {"RESEAL_KEYSET": str(self.keyset), "RESEAL_KEK_FILE": str(kek_file)}
        self.env = environment(names)
        self.editors: list[Editor] = [
            Api(self.file),
            *(Command(command, self.env) for command in COMMANDS.values()),
        ]
        self.db = sqlite3.connect(folder / "people.db", timeout=60, isolation_level=None)
        self.fill()
        self.workers = {
            (language, check_seconds): subprocess.Popen(
                [*command, folder / "people.db", str(check_seconds)],
                env=self.env,
                stdout=subprocess.PIPE,
                text=True,
            )
            for check_seconds in CHECK_SECONDS
            for language, command in WORKERS.items()
        }
        self.timer = threading.Timer(LIMIT_SECONDS, self.kill)
        self.timer.start()

    def fill(self) -> None:
        field = self.ring().field({"table": "people", "column": "ssn"})
        rows = [(row, field.seal(f"{row}:0", row=row)) for row in range(1, ROWS + 1)]
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, ssn TEXT NOT NULL)")
        self.db.execute("CREATE TABLE orders (is_over INTEGER NOT NULL)")
        self.db.execute("INSERT INTO orders VALUES (0)")
        self.db.executemany("INSERT INTO people VALUES (?, ?)", rows)

    def ring(self) -> reseal.Keyring:
        return reseal.Keyring.from_env(self.env)

    def generation(self) -> int:
        return reseal.inspect_keyset(self.keyset.read_text()).generation

    def wait_for_looks(self) -> None:
        """Returns when each process has worked with the keyset as it is now."""
        generation = self.generation()
        for worker in self.workers:
            while self.said(worker)["generation"] < generation:
                pass

    def wait_until_current(self) -> None:
        """Returns when no row is under an old key. Where a row lies, its first characters tell."""
        sql = "SELECT count(*) FROM people WHERE substr(ssn, 5, 32) != ?"
        while self.db.execute(sql, [self.ring().primary_id]).fetchone() != (0,):
            assert self.timer.is_alive(), "the processes do not reseal"
            time.sleep(0.01)

    def said(self, worker: tuple[str, float]) -> dict[str, Any]:
        stdout = self.workers[worker].stdout
        line = stdout.readline() if stdout else ""
        assert line, f"{worker} ended, or the time is over"
        said: dict[str, Any] = json.loads(line)
        return said

    def stop(self) -> Counter[str]:
        """Ends the processes, and gives what they counted together."""
        self.db.execute("UPDATE orders SET is_over = 1")
        total: Counter[str] = Counter()
        for worker, process in self.workers.items():
            while "counts" not in (said := self.said(worker)):
                pass
            assert said["counts"]["read"] >= ROUNDS, worker
            total += Counter(said["counts"])
            assert process.wait() == 0, worker
        return total

    def writes(self) -> int:
        """Opens every row, and gives how often they were written."""
        field = self.ring().field({"table": "people", "column": "ssn"})
        rows = self.db.execute("SELECT id, ssn FROM people").fetchall()
        assert len(rows) == ROWS
        assert all(field.is_current(stored) for _, stored in rows)
        texts = [field.open_str(stored, row=row).split(":") for row, stored in rows]
        assert [int(found) for found, _ in texts] == [row for row, _ in rows]
        return sum(int(writes) for _, writes in texts)

    def kill(self) -> None:
        for process in self.workers.values():
            process.kill()

    def close(self) -> None:
        self.timer.cancel()
        self.kill()
        for process in self.workers.values():
            process.communicate()
        self.db.close()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with closing(Fleet(tmp_path)) as fleet:
        yield fleet


def test_in_two_phases_everything_opens(fleet: Fleet) -> None:
    fleet.wait_for_looks()
    for number in range(ROTATIONS):
        first, second, _ = fleet.editors[number % 3 :] + fleet.editors[: number % 3]
        key_id = first.introduce(f"rotation {number}")
        fleet.wait_for_looks()
        second.promote(key_id)
        fleet.wait_for_looks()
    fleet.wait_until_current()
    retire(fleet)
    counts = fleet.stop()
    assert_that_work_was_done(counts, generations=2 * ROTATIONS)
    # No error of any kind.
    assert set(counts) <= {"read", "written", "resealed", "raced"}
    assert fleet.writes() == counts["written"]
    keys = fleet.file.load().keys()
    assert Counter(key.state for key in keys) == {"disabled": ROTATIONS, "primary": 1}


def test_in_one_phase_some_values_do_not_open(fleet: Fleet) -> None:
    fleet.wait_for_looks()
    for number in range(ROTATIONS):
        fleet.editors[number % 3].rotate(f"rotation {number}")
        fleet.wait_for_looks()
    fleet.wait_until_current()
    counts = fleet.stop()
    assert_that_work_was_done(counts, generations=ROTATIONS)
    assert counts["unknown-key"] > 0
    assert set(counts) <= {"read", "written", "resealed", "raced", "unknown-key"}
    # They were refused for a while, and nothing is lost.
    assert fleet.writes() == counts["written"]


def retire(fleet: Fleet) -> None:
    """Disables the old keys, which no row needs any more, while the processes go on."""

    def disable(keyset: reseal.Keyset) -> None:
        keys = keyset.keys()
        for key_id in [key.id for key in keys if key.state == "decrypt_only"]:
            keyset.disable(key_id)

    # What was read before the last row was resealed is opened by now.
    fleet.file.edit(lambda keyset: keyset.relabel(keyset.primary_id or "", "the last"))
    fleet.wait_for_looks()
    fleet.file.edit(disable)
    fleet.wait_for_looks()


def assert_that_work_was_done(counts: Counter[str], generations: int) -> None:
    """Enough of it in each generation, so that an error had its chance."""
    tries = counts["read"] + counts["unknown-key"]
    assert tries >= 6 * ROUNDS * generations
    assert counts["written"] > tries / 10
    assert counts["resealed"] >= ROWS
