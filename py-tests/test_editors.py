"""Processes that edit one keyset file at once, in both languages, and processes that are killed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from keyset_writer import numbered
from reseal._files import read_keyset
from reseal._save import save_keyset
from support import lock, names

LANGUAGES = ["python", "node"]
Process = subprocess.Popen[bytes]
Start = Callable[..., Process]
KILLS = int(os.environ.get("RESEAL_KILLS") or 30)
EDITS = 25


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts processes, and ends those that still run after the test."""
    started = []

    def begin(command: list[str], *arguments: str) -> Process:
        started.append(subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        with process:
            process.wait()


def wait_for_death(process: Process) -> None:
    """Leaves it in the list of processes, where that is possible, as a careless parent does."""
    if sys.platform == "linux":
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    else:
        process.wait()


def kill_once_ready(process: Process, within: float) -> None:
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    time.sleep(random.uniform(0, within))
    process.kill()
    wait_for_death(process)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_kill_leaves_the_old_or_the_new(
    tmp_path: Path, writers: dict[str, list[str]], start: Start, language: str
) -> None:
    file = tmp_path / "keyset.json"
    save_keyset(file, None, numbered(0))
    number = locks = saves = 0
    for _ in range(KILLS):
        kill_once_ready(start(writers[language], "churn", str(file)), within=0.1)
        content = read_keyset(file)
        assert content == numbered(int(content.split()[0]))
        locks += file.with_name("keyset.json.lock").exists()
        saves += int(content.split()[0]) - number
        number = int(content.split()[0]) + 1
        save_keyset(file, content, numbered(number))
        assert not [name for name in names(tmp_path) if "lock" in name]
    # Some were killed while they had the lock, and some had saved before.
    assert locks > 0
    assert saves > 0
    # What they left is beside the file, and goes with a later save.
    assert len(names(tmp_path)) > 1
    old = time.time() - 61
    for name in names(tmp_path):
        os.utime(tmp_path / name, (old, old))
    save_keyset(file, numbered(number), b"done")
    assert names(tmp_path) == ["keyset.json"]


@pytest.mark.parametrize("links", [[], ["no-links"]], ids=["links", "no links"])
def test_nothing_is_lost_between_processes(
    tmp_path: Path, writers: dict[str, list[str]], start: Start, links: list[str]
) -> None:
    file = tmp_path / "keyset.json"
    file.write_text("{}")
    lock(tmp_path / "keyset.json.lock")
    processes = {
        f"{language}-{number}": start(
            writers[language], "count", str(file), f"{language}-{number}", str(EDITS), *links
        )
        for number in range(3)
        for language in LANGUAGES
    }
    for name, process in processes.items():
        process.communicate()
        assert process.returncode == 0, name
    assert json.loads(file.read_text()) == dict.fromkeys(processes, EDITS)
    assert names(tmp_path) == ["keyset.json"]


def test_nothing_is_lost_while_some_are_killed(
    tmp_path: Path, writers: dict[str, list[str]], start: Start
) -> None:
    file = tmp_path / "keyset.json"
    file.write_text("{}")
    processes = {
        language: start(writers[language], "count", str(file), language, str(4 * EDITS))
        for language in LANGUAGES
    }
    broken = 0
    while any(process.poll() is None for process in processes.values()):
        # Each victim counts under a name of its own, so that no count of the others may change.
        victim = start(writers[random.choice(LANGUAGES)], "count", str(file), "victim", "1000000")
        time.sleep(random.uniform(0.1, 0.4))
        victim.kill()
        victim.communicate()
        broken += 1
    assert broken > 0
    for process in processes.values():
        process.communicate()
        assert process.returncode == 0
    counts = json.loads(file.read_text())
    counts.pop("victim", None)
    assert counts == dict.fromkeys(LANGUAGES, 4 * EDITS)


def test_two_makers_do_not_both_win(
    tmp_path: Path, writers: dict[str, list[str]], start: Start
) -> None:
    for number in range(5):
        folder = tmp_path / str(number)
        folder.mkdir()
        makers = [
            start(writers[language], "try", "create", f"by {language}", str(folder / "keyset.json"))
            for language in LANGUAGES * 2
        ]
        codes = [json.loads(maker.communicate()[0])["code"] for maker in makers]
        assert sorted(codes, key=str) == [None, *["keyset-conflict"] * 3]
        assert names(folder) == ["keyset.json"]


def test_both_languages_say_who_has_the_lock(
    tmp_path: Path, writers: dict[str, list[str]], start: Start
) -> None:
    file, path = tmp_path / "keyset.json", tmp_path / "keyset.json.lock"
    file.write_bytes(b"old")
    lock(path, pid=4711, host="db-1", place="elsewhere")
    waiting = [start(writer, "try", "save", "new", str(file)) for writer in writers.values()]
    for process in waiting:
        assert json.loads(process.communicate()[0]) == {
            "code": "keyset-conflict",
            "message": f'"{file}" is being changed by process 4711 on host "db-1": '
            f'try again, or remove "{path}" if that is over',
        }
