"""The commands that work on a database, as a person runs them: on a file of SQLite."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import reseal
from cli_support import COMMANDS, DATA, OLD, ROOT, SECONDS, Ended, environment, run
from reseal._interrupts import Interrupts

RING = reseal.Keyring(DATA)
HERE = {"table": "users", "column": "ssn"}
ROWS = 12
MINUTES = 600_000
CODECS = """
version = 1
[codecs.app]
kind = "reseal"
keyring = "env"
"""
COLUMN = """
[[columns]]
table = "users"
column = "ssn"
row_id = ["id"]
context = { table = "users", column = "ssn" }
write = "app"
read = ["plain"]
"""
PLAIN = COLUMN.replace('"app"', '"plain"').replace('["plain"]', '["app"]')


class Place:
    """A folder with a manifest and a database."""

    def __init__(self, folder: Path, command: str) -> None:
        self.folder = folder
        self.command = command
        self.env = {
            "RESEAL_PRIMARY_KEY": DATA.export(),
            "RESEAL_DATABASE_URL": "sqlite:///app.db",
        }
        self.describe(COLUMN)
        self.do("CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT)")
        for number in range(1, ROWS + 1):
            self.do("INSERT INTO users VALUES (?, ?)", number, plaintext(number))

    def describe(self, columns: str) -> None:
        (self.folder / "reseal.toml").write_text(CODECS + columns)

    def do(self, sql: str, *params: object) -> list[Any]:
        connection = sqlite3.connect(self.folder / "app.db", timeout=SECONDS, isolation_level=None)
        try:
            return connection.execute(sql, params).fetchall()
        finally:
            connection.close()

    def run(self, *arguments: str, code: int = 0, **env: str) -> Ended:
        ended = run(self.command, *arguments, cwd=self.folder, env=self.env | env)
        assert ended.code == code, ended
        assert "Traceback" not in ended.err
        assert "078-05" not in ended.err
        return ended

    def report(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code).out)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*COMMANDS[self.command], *arguments],
            cwd=self.folder,
            env=environment(self.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def stored(self) -> list[str]:
        return [value for [value] in self.do("SELECT ssn FROM users ORDER BY id")]

    def sealed(self) -> int:
        return sum(value.startswith("rs1.") for value in self.stored())


def plaintext(number: int) -> str:
    return f"078-05-{number:04}"


@pytest.fixture(params=COMMANDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    # Node looks for the driver of SQLite in the folder of the project.
    (tmp_path / "node_modules").symlink_to(ROOT / "js-tests/node_modules")
    return Place(tmp_path, request.param)


def opened(place: Place) -> list[str]:
    return [RING.open_str(value, HERE) for value in place.stored()]


PLAINTEXTS = [plaintext(number) for number in range(1, ROWS + 1)]


def test_apply_encrypts_and_then_nothing_is_left(place: Place) -> None:
    ended = place.run("apply", "--batch", "5")
    assert f"{ROWS} values resealed" in ended.out
    assert opened(place) == PLAINTEXTS
    before = place.stored()
    assert "nothing is left to do" in place.run("apply").out
    assert place.stored() == before
    total = place.report("apply")["columns"][0]["total"]
    assert (total["scanned"], total["current"]) == (ROWS, ROWS)


def test_a_key_is_rotated(place: Place) -> None:
    place.run("apply", RESEAL_PRIMARY_KEY=OLD.export())
    place.env["RESEAL_DECRYPT_KEYS"] = OLD.export()
    [moved] = place.report("apply")["columns"][0]["total"]["resealed"]
    assert (moved["from"]["key"], moved["to"]["key"], moved["values"]) == (OLD.id, DATA.id, ROWS)
    assert opened(place) == PLAINTEXTS


def test_a_dry_run_writes_nothing(place: Place) -> None:
    assert "nothing was written" in place.run("apply", "--dry-run").out
    assert place.stored() == PLAINTEXTS
    assert place.do("SELECT name FROM sqlite_master WHERE name = 'reseal_jobs'") == []


def test_census_needs_no_key(place: Place) -> None:
    place.do("INSERT INTO users VALUES (99, ?)", RING.seal("x", HERE))
    del place.env["RESEAL_PRIMARY_KEY"]
    ended = place.run("census")
    assert "users.ssn" in ended.out
    assert DATA.id in ended.out
    found = place.report("census")["columns"][0]["total"]["found"]
    assert {(one["in"]["codec"], one["values"]) for one in found} == {("plain", ROWS), ("app", 1)}
    assert place.report("census", "--sample", "1")["sample_one_in"] == 1


def test_plan_tells_what_apply_does(place: Place) -> None:
    assert f"{ROWS}  plain -> app {DATA.id}" in place.run("plan").out
    [column] = place.report("plan")["columns"]
    assert column["total"]["resealed"][0]["values"] == ROWS
    assert column["length"]["longest"] == 11
    assert place.stored() == PLAINTEXTS


def test_plan_tells_what_is_in_the_way(place: Place) -> None:
    place.describe(COLUMN + COLUMN.replace('"ssn"', '"missing"'))
    assert "[column-unsuitable]" in place.run("plan", code=2).out


def test_verify_opens_everything(place: Place) -> None:
    place.run("apply")
    assert "every value opens" in place.run("verify").out
    place.do("UPDATE users SET ssn = ? WHERE id = 3", reseal.Keyring(OLD).seal("x", HERE))
    total = place.report("verify", code=1)["columns"][0]["total"]
    assert total["refused"] == {"unknown-key": 1}


def test_discover_finds_what_the_manifest_lacks(place: Place) -> None:
    place.do("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)")
    place.do("INSERT INTO notes VALUES (1, ?)", RING.seal("x", {}))
    assert "notes.body" in place.run("discover").out
    [found] = place.report("discover")["discovered"]
    assert (found["table"], found["found"][0]["in"]["codec"]) == ("notes", "reseal")
    (place.folder / "reseal.toml").unlink()
    place.run("discover")


def test_refused_values_are_listed_and_stay(place: Place) -> None:
    foreign = reseal.Keyring(OLD).seal(plaintext(3), HERE)
    place.do("UPDATE users SET ssn = ? WHERE id = 3", foreign)
    # The driver libsql ends the whole process at text that is no UTF-8.
    broken = "CAST(x'ff' AS TEXT)" if place.command == "python" else "x'ff'"
    place.do(f"UPDATE users SET ssn = {broken} WHERE id = 5")
    ended = place.run("apply", "--refused", "refused.jsonl", code=1)
    assert "refused: unknown-key" in ended.out
    path = place.folder / "refused.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(one["row_id"], one["code"]) for one in lines if one["pass"] == 1] == [
        (["3"], "unknown-key"),
        (["5"], "invalid-text"),
    ]
    assert foreign[40:] not in path.read_text()
    assert place.do("SELECT ssn FROM users WHERE id = 3") == [(foreign,)]
    assert place.do("SELECT hex(ssn) FROM users WHERE id = 5") == [("FF",)]
    others = place.do("SELECT ssn FROM users WHERE id NOT IN (3, 5) ORDER BY id")
    assert [RING.open_str(value, HERE) for [value] in others] == [
        text for text in PLAINTEXTS if text not in (plaintext(3), plaintext(5))
    ]
    place.run("apply", "--max-refused", "0", code=1)


def test_a_file_that_cannot_be_written(place: Place) -> None:
    place.do("UPDATE users SET ssn = ? WHERE id = 3", reseal.Keyring(OLD).seal("x", HERE))
    for path, why in (("/dev/full", "ENOSPC"), ("missing/refused", "ENOENT")):
        ended = place.run("apply", "--refused", path, code=4)
        assert f'error: "{path}" cannot be written ({why})' in ended.err
        assert "[stream]" in ended.err
        # What is not to be written at all is known before the work.
        assert ("resealed" in ended.out) == (path == "/dev/full")
    ended = place.run("apply", "--checkpoint", "missing/state", code=4)
    assert '"missing/state" cannot be written (ENOENT)' in ended.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("apply", "--bath", "5"), 2, "--bath"),
        (("apply", "--batch", "0"), 2, "[invalid-argument]"),
        (("apply", "--column", "users.name"), 2, "no column"),
        (("apply", "--manifest", "missing.toml"), 4, "[source-unreadable]"),
        (("apply", "--db", "sqlite:///missing.db"), 4, "[database-error]"),
        (("apply", "--db", "sqlite:///reseal.toml"), 4, "[database-error]"),
        (("apply", "--db", "oracle://a/b"), 2, "[invalid-argument]"),
        (("apply", "--db", "mysql://u:hunter2@127.0.0.1:1/app"), 4, "[database-error]"),
        (("apply", "--checkpoint", "reseal.toml"), 2, "[invalid-argument]"),
    ],
)
def test_what_cannot_be_done(
    place: Place, arguments: tuple[str, ...], code: int, message: str
) -> None:
    ended = place.run(*arguments, code=code)
    assert message in ended.err
    assert "hunter2" not in ended.err
    said = [
        json.loads(line) for line in place.run(*arguments, "--json", code=code).err.splitlines()
    ]
    assert said[-1]["error"]["exit"] == code
    assert place.stored() == PLAINTEXTS


def test_without_a_database_or_a_key(place: Place) -> None:
    ended = place.run("apply", RESEAL_DATABASE_URL="", code=2)
    assert "RESEAL_DATABASE_URL" in ended.err
    del place.env["RESEAL_PRIMARY_KEY"]
    assert "[source-missing]" in place.run("apply", code=3).err


@pytest.mark.parametrize("content", [b"short", bytes(range(1, 256)) * 40], ids=len)
def test_a_file_that_is_no_database(place: Place, content: bytes) -> None:
    """It is told when it is opened, by the one and the other in the same words."""
    (place.folder / "other.db").write_bytes(content)
    place.env["RESEAL_DATABASE_URL"] = "sqlite:///other.db"
    for line in (["census"], ["plan"], ["apply"], ["verify"], ["discover"]):
        ended = place.run(*line, code=4)
        assert (ended.out, ended.err) == ("", "error: file is not a database [database-error]\n")


def test_plaintext_is_written_only_on_request(place: Place) -> None:
    place.run("apply")
    place.describe(PLAIN)
    assert "give --yes" in place.run("apply", code=2).err
    assert place.sealed() == ROWS
    refused = place.run("apply", "--yes", RESEAL_REQUIRE_ENCRYPTION="1", code=2)
    assert "[encryption-required]" in refused.err
    place.run("apply", "--yes")
    assert place.stored() == PLAINTEXTS


def stopped(place: Place, number: signal.Signals, *arguments: str) -> Ended:
    """The command after a signal, which comes while it waits for its second batch."""
    line = ["apply", "--batch", "1", "--pause", str(MINUTES), *arguments]
    with place.start(*line) as process:
        deadline = time.monotonic() + SECONDS
        while place.sealed() == 0:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=SECONDS)
    assert 0 < place.sealed() < ROWS
    return Ended(process.returncode, out.decode(), err.decode())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_finishes_its_batch_and_goes_on_later(place: Place, number: signal.Signals) -> None:
    ended = stopped(place, number)
    assert ended.code == 5
    assert ended.err == "stopped: the same command goes on from there\n"
    assert "users.ssn: 1 value, 1 resealed" in ended.out
    ended = place.run("apply")
    assert "goes on from where an earlier run stopped" in ended.err
    assert f"{ROWS} values resealed" in ended.out
    assert opened(place) == PLAINTEXTS


def test_the_checkpoint_may_be_a_file(place: Place) -> None:
    assert stopped(place, signal.SIGINT, "--checkpoint", "state").code == 5
    path = place.folder / "state"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert place.do("SELECT name FROM sqlite_master WHERE name = 'reseal_jobs'") == []
    ended = place.run("apply", "--checkpoint", "state")
    assert "goes on from where an earlier run stopped" in ended.err
    assert opened(place) == PLAINTEXTS
    assert {name for name in os.listdir(place.folder) if "state" in name} == {"state"}


def test_the_checkpoint_may_be_nowhere(place: Place) -> None:
    ended = stopped(place, signal.SIGINT, "--checkpoint", "none")
    assert ended.err == "stopped: the same command begins anew\n"
    ended = place.run("apply", "--checkpoint", "none")
    assert f"{ROWS - 1} values resealed" in ended.out
    assert place.do("SELECT name FROM sqlite_master WHERE name = 'reseal_jobs'") == []


def test_the_second_signal_ends_as_before() -> None:
    numbers = signal.SIGINT, signal.SIGTERM
    before = [signal.getsignal(number) for number in numbers]
    interrupts = Interrupts()
    try:
        assert not interrupts.seen()
        assert all(signal.getsignal(number) not in before for number in numbers)
        signal.raise_signal(signal.SIGTERM)
        assert interrupts.seen()
        assert [signal.getsignal(number) for number in numbers] == before
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert interrupts.seen()
    finally:
        interrupts.forget()


def test_what_the_caller_ignores_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    interrupts = Interrupts()
    try:
        assert not interrupts.seen()
        signal.raise_signal(signal.SIGINT)
        assert not interrupts.seen()
        interrupts.forget()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        interrupts.forget()
        signal.signal(signal.SIGINT, before)


def test_a_locked_database_is_tried_again(place: Place) -> None:
    holder = sqlite3.connect(place.folder / "app.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    line = ["apply", "--statement-timeout", "10", "--json"]
    with place.start(*line) as process:
        assert process.stderr
        said = [json.loads(process.stderr.readline()) for _ in range(2)]
        assert [one["event"] for one in said] == ["began", "retry"]
        assert said[1]["database_code"] == "5"
        holder.execute("COMMIT")
        holder.close()
        out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert json.loads(out)["end"] == "complete"
    assert opened(place) == PLAINTEXTS
