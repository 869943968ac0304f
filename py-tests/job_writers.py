"""What goes on in a database while a job works on it: applications that write, and locks that they hold.

As a program it is one of several writers: it seals as an application would, and keeps a journal of
what the database has taken from it.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
import pymysql
import reseal
from cli_support import COMMANDS, SECONDS, Ended, environment
from job_support import HERE, Json, Place, balanced

TABLE = "users"
#: Ids from here are those of the first writer, and so on.
RANGE = 1_000_000
POLL = 0.01
#: What InnoDB tells is renewed only where nobody asked for a tenth of a second.
INNODB_POLL = 0.15
# Numbers of the system calls that sleep, on x86-64 and on ARM.
_SLEEPING = ("35", "230", "101", "115")


# --- jobs that run ------------------------------------------------------------------------------


class Running:
    """A command that was started, with a process group of its own."""

    def __init__(self, place: Place, *arguments: str, **popen: Any) -> None:
        self.place = place
        self.arguments = arguments
        self.process = subprocess.Popen(
            [*COMMANDS[place.command], *arguments],
            cwd=place.folder,
            env=environment(place.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            **popen,
        )

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> bool:
        """End it as a power cut would; whether it was running still."""
        was_running = self.process.poll() is None
        if was_running:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()
        return was_running

    def end(self, code: int | None = 0) -> Ended:
        """Wait until it ends."""
        out, err = self.process.communicate(timeout=SECONDS)
        ended = Ended(self.process.returncode, out.decode(), err.decode())
        assert code in (ended.code, None), (self.arguments, ended)
        assert "Traceback" not in ended.err
        assert "    at " not in ended.err
        return ended

    def line(self) -> Json:
        """The next event that it tells."""
        assert self.process.stderr
        event: Json = json.loads(self.process.stderr.readline())
        return event

    def report(self, code: int = 0) -> Json:
        """Wait until it ends; it was asked for a report, whose counts add up."""
        report: Json = json.loads(self.end(code).out)
        return balanced(report)

    def until(self, condition: Callable[..., object], *arguments: object) -> None:
        """Wait for something that comes while it runs."""
        if not self.comes_to(condition, *arguments):
            raise AssertionError(("it ended before", self.end(None)))

    def comes_to(self, condition: Callable[..., object], *arguments: object) -> bool:
        """Wait for something, or the end of the job; whether it came."""
        deadline = time.monotonic() + SECONDS
        while self.process.poll() is None:
            if condition(*arguments):
                return True
            assert time.monotonic() < deadline, self.arguments
            time.sleep(POLL)
        return False

    def waits_for_lock(self, among: int = 1) -> bool:
        """Whether it waits for another transaction, or with others that are so many together."""
        place = self.place
        if place.kind == "postgresql":
            waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            return len(place.do(f"{waiting} AND wait_event_type = 'Lock'")) == among
        if place.kind == "mysql":
            time.sleep(INNODB_POLL)
            of = "information_schema.innodb_trx t JOIN information_schema.processlist p"
            on = "p.id = t.trx_mysql_thread_id AND p.db = DATABASE()"
            waiting = f"SELECT 1 FROM {of} ON {on} WHERE trx_state = 'LOCK WAIT'"
            return len(place.do(waiting)) == among
        # SQLite sleeps, and nothing else in the command does.
        call = Path(f"/proc/{self.process.pid}/syscall").read_text().split()
        return call[0] in _SLEEPING


@contextlib.contextmanager
def transaction(place: Place) -> Iterator[Place]:
    """The connection of an application, in a transaction that is committed at the end."""
    application = Place(place.kind, place.url, place.folder, place.command)
    try:
        application.do("BEGIN IMMEDIATE" if place.kind == "sqlite" else "BEGIN")
        yield application
        application.do("COMMIT")
    finally:
        application.connection.close()


def retries(ended: Ended) -> list[str]:
    """The codes of what was tried again."""
    said = [json.loads(line) for line in ended.err.splitlines()]
    return [one["database_code"] for one in said if one.get("event") == "retry"]


def complete(ended: Ended) -> Json:
    """The report of a job that came to its end."""
    report: Json = balanced(json.loads(ended.out))
    assert report["end"] == "complete"
    return report


# --- applications that write --------------------------------------------------------------------

#: What a row holds: its text, and how often another column of it was changed; None for no row.
State = tuple[str | None, int] | None


def first_state(number: int) -> State:
    """What a row holds before anybody writes."""
    return (None if number % 50 == 0 else f"Row {number} at first", 0)


def first_row(number: int, ring: reseal.Keyring) -> Json:
    """The same, as it is stored: half of it encrypted already."""
    state = first_state(number)
    assert state
    text = state[0]
    sealed = text if text is None or number % 2 else ring.seal(text, HERE)
    return {"id": number, "ssn": sealed, "changes": state[1]}


class Writers:
    """Some writers, each a process with rows of its own."""

    def __init__(self, place: Place, count: int, rows: int, seed: int) -> None:
        self.place, self.rows = place, rows
        self.journals = [place.folder / f"journal-{number}" for number in range(count)]
        self.ring = reseal.Keyring.from_env(environ=place.env)
        place.do(
            f"CREATE TABLE users (id integer PRIMARY KEY, ssn {place.type('text')},"
            " changes integer NOT NULL)"
        )
        owned = [number for writer in range(count) for number in owned_by(writer, rows)]
        place.insert(TABLE, [first_row(number, self.ring) for number in owned])
        self.processes = [
            subprocess.Popen(
                [
                    sys.executable,
                    __file__,
                    place.kind,
                    place.url,
                    str(number),
                    str(rows),
                    str(seed),
                ],
                cwd=place.folder,
                env=environment(place.env),
                stdout=subprocess.PIPE,
            )
            for number in range(count)
        ]

    def __enter__(self) -> Writers:
        for process in self.processes:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()

    def stop(self) -> dict[int, list[State]]:
        """What each row may hold then: one state, or two where a commit was not answered."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.communicate(timeout=SECONDS)
            assert process.returncode == 0
        expected: dict[int, list[State]] = {}
        for path in self.journals:
            journal = json.loads(path.read_text())
            assert journal["committed"] > 0, path
            for number, states in journal["rows"].items():
                expected[int(number)] = [state and tuple(state) for state in states]
        return expected


def check(
    place: Place, expected: dict[int, list[State]], ring: reseal.Keyring, primary: reseal.Key
) -> None:
    """Each row opens to what its writer wrote last, and there is no other."""
    there: dict[int, State] = {}
    for number, value, changes in place.rows():
        assert value is None or value.startswith(f"rs1.{primary.id}.")
        there[number] = (value and ring.open_str(value, HERE), changes)
    wrong = {
        number: (states, there.get(number))
        for number, states in expected.items()
        if there.get(number) not in states
    }
    assert wrong == {}
    assert there.keys() <= expected.keys()


def owned_by(writer: int, rows: int) -> range:
    """The ids that a writer begins with."""
    return range(writer * RANGE + 1, writer * RANGE + rows + 1)


class Writer:
    """An application, which inserts, updates and deletes rows and remembers what was taken."""

    def __init__(self, kind: str, url: str, number: int, rows: int, seed: int) -> None:
        self.kind, self.url = kind, url
        self.place = self.connected()
        self.path = Path(f"journal-{number}")
        self.ring = reseal.Keyring.from_env()
        self.chance = random.Random(f"{seed} {number}")
        owned = owned_by(number, rows)
        self.rows: dict[int, list[State]] = {one: [first_state(one)] for one in owned}
        self.next = owned.stop
        self.committed = 0
        self.is_stopped = False

    def connected(self) -> Place:
        return Place(self.kind, self.url, Path(), "python")

    def stop(self, number: int, frame: FrameType | None) -> None:
        """End after what it is at."""
        self.is_stopped = True

    def run(self) -> None:
        """Write until it is asked to stop."""
        while not self.is_stopped:
            self.change(dict(self.step() for _ in range(self.chance.choice((1, 1, 1, 2)))))
            time.sleep(self.chance.random() / 100)
        self.path.write_text(json.dumps({"rows": self.rows, "committed": self.committed}))

    def step(self) -> tuple[int, State]:
        """A row, and what it is to hold."""
        known = [one for one in self.chance.choices(list(self.rows), k=20) if self.is_there(one)]
        if not known or self.chance.random() < 0.2:
            self.next += 1
            return self.next, (f"Row {self.next} of {self.chance.random()}", 0)
        number = known[0]
        [state] = self.rows[number]
        assert state
        text, changes = state
        new = f"Row {number} as of {self.chance.random()}"
        return number, self.chance.choice(
            [
                None,
                (None, changes),
                (new, changes),
                (new, changes),
                # What a collation may take for the same.
                (text and text.swapcase(), changes),
                (text and text + " ", changes),
                (text, changes + 1),
            ]
        )

    def is_there(self, number: int) -> bool:
        """Whether it is known to be there."""
        states = self.rows[number]
        return len(states) == 1 and states[0] is not None

    def change(self, steps: dict[int, State]) -> None:
        """Make changes in one transaction, again where the database asks for it."""
        while True:
            try:
                self.place.do("BEGIN IMMEDIATE" if self.kind == "sqlite" else "BEGIN")
                for number, state in steps.items():
                    self.write(number, state)
                self.place.do("COMMIT")
            except (psycopg.Error, pymysql.Error, sqlite3.Error) as error:
                if is_to_be_repeated(error):
                    self.place.do("ROLLBACK")
                    continue
                # Nobody knows what became of it.
                self.place = self.connected()
                for number, state in steps.items():
                    self.rows.setdefault(number, [None]).append(state)
                return
            self.committed += 1
            self.rows |= {number: [state] for number, state in steps.items()}
            return

    def write(self, number: int, state: State) -> None:
        """Insert a row, delete it, or change what is to be another."""
        before = self.rows.get(number, [None])[0]
        if state is None:
            self.place.do("DELETE FROM users WHERE id = %s", number)
        elif before is None:
            row = (number, self.stored(state[0]), state[1])
            self.place.do("INSERT INTO users (id, ssn, changes) VALUES (%s, %s, %s)", *row)
        elif before[0] != state[0]:
            self.place.do("UPDATE users SET ssn = %s WHERE id = %s", self.stored(state[0]), number)
        else:
            self.place.do("UPDATE users SET changes = %s WHERE id = %s", state[1], number)

    def stored(self, text: str | None) -> str | None:
        """As an application of now stores it, or one that knows nothing of keys yet."""
        return text if text is None or self.chance.random() < 0.5 else self.ring.seal(text, HERE)


def is_to_be_repeated(error: Exception) -> bool:
    """Whether the transaction did nothing, and may do it the next time."""
    if isinstance(error, psycopg.Error):
        return error.sqlstate in ("40P01", "40001")
    return isinstance(error, pymysql.Error) and error.args[0] in (1020, 1205, 1213)


def main() -> None:
    """Run as one of several writers."""
    kind, url, *numbers = sys.argv[1:]
    writer = Writer(kind, url, *map(int, numbers))
    signal.signal(signal.SIGTERM, writer.stop)
    print("ready", flush=True)
    writer.run()


if __name__ == "__main__":
    main()
