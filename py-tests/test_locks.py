"""The lock of a keyset file, in one process: who holds it, and who is dead."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from keyset_writer import no_link
from reseal import _lock
from reseal._lock import FileLock
from reseal._save import save_keyset
from support import code_of, error_of, lock, names


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keyset.json"
    path.write_bytes(b"old")
    return path


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lock, "WAIT_SECONDS", 0.5)
    monkeypatch.setattr(_lock, "CUT_SECONDS", 0.2)


def test_a_lock_that_is_given_back_is_waited_for(file: Path) -> None:
    taken, give_back = threading.Event(), threading.Event()

    def hold() -> None:
        with FileLock(str(file)) as held:
            taken.set()
            give_back.wait()
            assert held.is_held()

    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait()
    threading.Timer(0.2, give_back.set).start()
    save_keyset(file, b"old", b"new")
    assert give_back.is_set()
    holder.join()
    assert file.read_bytes() == b"new"


@pytest.mark.usefixtures("impatient")
def test_a_lock_of_the_living_stands(file: Path) -> None:
    path = file.with_name("keyset.json.lock")
    for changes in (
        {"pid": os.getpid()},
        {"pid": os.getppid()},
        {"host": "db-1\n", "place": "another start of another machine"},
    ):
        lock(path, **changes)
        error = error_of(lambda: save_keyset(file, b"old", b"new"))
        assert error.code == "keyset-conflict"
        who = json.loads(path.read_text())
        for part in (f"process {who['pid']} ", json.dumps(who["host"]), json.dumps(str(path))):
            assert part in str(error)
    assert file.read_bytes() == b"old"
    assert names(file.parent) == ["keyset.json", "keyset.json.lock"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "content",
    [
        "",
        '{"pid": 1',
        "\udcff",
        "[" * 4000,
        "null",
        "[]",
        "7" * 5000,
        '{"pid": -1, "host": "", "place": "", "token": "' + "0" * 32 + '"}',
        '{"pid": 1, "host": "", "place": "", "token": "../../../etc/passwd"}',
        '{"pid": 1e999, "host": 1, "place": [], "token": {}}',
    ],
    ids=range(10),
)
def test_a_lock_that_says_nothing_is_removed_after_a_while(file: Path, content: str) -> None:
    path = file.with_name("keyset.json.lock")
    path.write_text(content, errors="surrogateescape")
    save_keyset(file, b"old", b"new")
    assert file.read_bytes() == b"new"
    assert names(file.parent) == ["keyset.json"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")])
def test_what_is_no_lock_file_stands(file: Path, make: Any) -> None:
    make(file.with_name("keyset.json.lock"))
    error = error_of(lambda: save_keyset(file, b"old", b"new"))
    assert error.code == "keyset-conflict"
    assert "keyset.json.lock" in str(error)
    assert names(file.parent) == ["keyset.json", "keyset.json.lock"]


@pytest.mark.usefixtures("impatient")
def test_a_dead_lock_is_removed_by_one_process_only(file: Path) -> None:
    dead = file.with_name("keyset.json.lock")
    token = lock(dead)
    breaker = file.with_name(f"keyset.json.lock.{token}")
    # Somebody has seen that it is dead, and takes long to remove it.
    lock(breaker, pid=os.getpid())
    assert code_of(lambda: save_keyset(file, b"old", b"new")) == "keyset-conflict"
    assert json.loads(dead.read_text())["token"] == token
    # Now that process is dead as well, and the one that wanted to remove its lock, too.
    second = lock(breaker)
    lock(file.with_name(f"keyset.json.lock.{second}"))
    save_keyset(file, b"old", b"new")
    assert names(file.parent) == ["keyset.json"]


@pytest.mark.usefixtures("impatient")
def test_locks_that_name_each_other_end(file: Path) -> None:
    token = lock(file.with_name("keyset.json.lock"))
    lock(file.with_name(f"keyset.json.lock.{token}"), token=token)
    assert code_of(lambda: save_keyset(file, b"old", b"new")) == "keyset-conflict"
    assert file.read_bytes() == b"old"


def test_a_lock_that_somebody_removed_is_noticed(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def remove_lock(handle: int) -> None:
        fsync(handle)
        file.with_name("keyset.json.lock").unlink(missing_ok=True)

    monkeypatch.setattr(os, "fsync", remove_lock)
    assert code_of(lambda: save_keyset(file, b"old", b"new")) == "keyset-conflict"
    assert file.read_bytes() == b"old"
    assert names(file.parent) == ["keyset.json"]


def test_links_that_fail(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def link_and_fail(*arguments: Any) -> None:
        link(*arguments)
        raise FileExistsError(errno.EEXIST, "a network file system that asked twice")

    for broken in (no_link, link_and_fail):
        monkeypatch.setattr(os, "link", broken)
        save_keyset(file, file.read_bytes(), b"new")
        assert names(file.parent) == ["keyset.json"]


def test_an_interrupted_wait_leaves_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock(file.with_name("keyset.json.lock"), pid=os.getpid())

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_keyset(file, b"old", b"new")
    assert names(file.parent) == ["keyset.json", "keyset.json.lock"]
