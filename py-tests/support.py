"""What several tests need."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import reseal
from reseal._lock import FileLock

MODES: list[Any] = ["random", "deterministic", "padded"]
CONTEXT: dict[str, Any] = {"table": "users", "column": "email", "row": 42}


def error_of(step: Callable[[], object]) -> reseal.ResealError:
    """The error that a step raises."""
    with pytest.raises(reseal.ResealError) as caught:
        step()
    return caught.value


def code_of(step: Callable[[], object]) -> str:
    """The code of the error that a step raises."""
    return error_of(step).code


@contextmanager
def without_rights() -> Iterator[None]:
    """Root may read everything, so it becomes nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def reachable(path: Path) -> None:
    """Lets everybody go through the folders of a test."""
    for folder in list(path.parents)[:3]:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o055)


def names(folder: Path) -> list[str]:
    """The names in a folder."""
    return sorted(os.listdir(folder))


def pid_of_the_dead() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


def lock(path: Path, **changes: Any) -> str:
    """Puts a lock, and gives its token: of a dead process of this system, if nothing else is said."""
    token = secrets.token_hex(16)
    place, host = FileLock("x")._place, socket.gethostname()
    who = {"pid": pid_of_the_dead(), "host": host, "place": place, "token": token, **changes}
    path.write_text(json.dumps(who))
    return token


class Clock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
