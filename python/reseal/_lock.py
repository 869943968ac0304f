"""The lock file of a keyset, by which processes of Python and Node exclude each other.

`keyset.json.lock` says in JSON who holds it. It comes to be with its content, by a hard link, so
that a process that is killed leaves no half of one. A lock whose holder is dead is removed by one
process only: by the one that holds the lock whose name ends in the dead one's token. That second
lock is taken by the same rules, and so may be left behind just as safely. As tokens are never used
twice, nobody can remove a lock that is not the very one that was seen to be dead.

The same protocol stands in `wasm/ts/node-lock.ts`.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
import time
from dataclasses import dataclass
from types import TracebackType

from reseal._disk import (
    NO_FOLLOW,
    POSIX,
    open_regular,
    quoted,
    remove,
    temporary_name,
    write_new,
)
from reseal._errors import KeyringError

WAIT_SECONDS = 5.0
# A lock without content, of a file system without hard links: its writer has this time to fill it.
CUT_SECONDS = 2.0
POLL_SECONDS = (0.01, 0.05)
MAX_LOCK_BYTES = 4096
# Killed breakers of killed breakers; more are no accident.
MAX_DEPTH = 8

CUT = "cut"
# It holds no secret, and whoever may change the keyset can tell whether it is a dead one's.
LOCK_MODE = 0o644
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class _Holder:
    """What a lock file says; of what cannot be read, that it is there."""

    content: bytes | None
    changed_ns: int
    pid: int = 0
    host: str = ""
    place: str = ""
    token: str = ""


class FileLock:
    """Holds the lock of a file, as a context manager.

    Errors: `keyset-conflict` if somebody else holds it for longer than `WAIT_SECONDS`; OSError.
    """

    def __init__(self, name: str) -> None:
        self.path = f"{name}.lock"
        self._name = name
        self._token = os.urandom(16).hex()
        self._place = _place()
        self._seen: dict[tuple[str, _Holder], float] = {}
        folder, base = os.path.split(name)
        self._candidate = os.path.join(folder, temporary_name(base, self._token))

    def __enter__(self) -> FileLock:
        write_new(self._candidate, self._content(), LOCK_MODE, sync=False)
        try:
            deadline = time.monotonic() + WAIT_SECONDS
            while not self._take(self.path):
                if time.monotonic() >= deadline:
                    raise self._conflict()
                time.sleep(random.uniform(*POLL_SECONDS))  # noqa: S311
        except BaseException:
            self._drop(self.path)
            raise
        finally:
            remove(self._candidate)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._drop(self.path)

    def is_held(self) -> bool:
        """Whether nobody has taken the lock away, such as a person who removed its file."""
        return self._has(self.path)

    def taken_at(self) -> float:
        """When the lock was taken, by the clock of the file system."""
        return os.stat(self.path).st_mtime

    def _take(self, path: str, depth: int = 0) -> bool:
        if self._create(path):
            return True
        found = _look(path)
        if found is None or depth > MAX_DEPTH:
            return False
        if found.token == self._token:
            return True  # a network file system may report a failure that was none
        if self._is_dead(path, found):
            breaker = f"{self.path}.{found.token or CUT}"
            if self._take(breaker, depth + 1):
                if _look(path) == found:
                    remove(path)
                self._drop(breaker)
        return False

    def _create(self, path: str) -> bool:
        try:
            os.link(self._candidate, path)
        except FileExistsError:
            return False
        except OSError:
            return self._create_without_link(path)
        return True

    def _create_without_link(self, path: str) -> bool:
        try:
            write_new(path, self._content(), LOCK_MODE, sync=False)
        except FileExistsError:
            return False
        return self._has(path)  # not if that took so long that it counted as cut

    def _has(self, path: str) -> bool:
        found = _look(path)
        return found is not None and found.token == self._token

    def _drop(self, path: str) -> None:
        if self._has(path):
            remove(path)

    def _content(self) -> bytes:
        host = _host()
        who = {"pid": os.getpid(), "host": host, "place": self._place, "token": self._token}
        return json.dumps(who).encode()

    def _is_dead(self, path: str, found: _Holder) -> bool:
        if found.content is None:
            return False
        if found.token:
            return found.place == self._place and not _is_alive(found.pid)
        now = time.monotonic()
        return now - self._seen.setdefault((path, found), now) >= CUT_SECONDS

    def _conflict(self) -> KeyringError:
        found = _look(self.path)
        who = "somebody"
        if found is not None and found.token:
            who = f"process {found.pid} on host {quoted(found.host)}"
        return KeyringError(
            "keyset-conflict",
            f"{quoted(self._name)} is being changed by {who}: try again, "
            f"or remove {quoted(self.path)} if that is over",
        )


def is_leftover(base: str, name: str) -> bool:
    """Whether a file was left behind by a process that was killed, unless it is new."""
    left = re.escape(base)
    token = _TOKEN.pattern
    return bool(re.fullmatch(rf"\.{left}\.{token}\.tmp|{left}\.lock\.({token}|{CUT})", name))


def _look(path: str) -> _Holder | None:
    """Return who holds a lock; None if nobody does."""
    try:
        with open_regular(path, NO_FOLLOW) as file:
            changed_ns = os.fstat(file.fileno()).st_mtime_ns
            return _holder(file.read(MAX_LOCK_BYTES), changed_ns)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return _Holder(None, 0)


def _holder(content: bytes, changed_ns: int) -> _Holder:
    try:
        who = json.loads(content.decode())
        pid, host, place, token = (who[name] for name in ("pid", "host", "place", "token"))
        whole = type(pid) is int and 0 < pid < 2**31 and _TOKEN.fullmatch(token)
        if whole and isinstance(host, str) and isinstance(place, str):
            return _Holder(content, changed_ns, pid, host, place, token)
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    return _Holder(content, changed_ns)


def _place() -> str:
    """Where a process id means the same process: this start of this machine, and this container."""
    if sys.platform not in ("linux", "android"):
        return _host()
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return f"{file.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except (OSError, ValueError):
        return os.urandom(16).hex()  # nobody can tell, so nobody takes this lock away


def _host() -> str:
    # Here, and not above: few programs take a lock, and it is a tenth of the start of all.
    import socket

    return socket.gethostname()


def _is_alive(pid: int) -> bool:
    if not POSIX:
        return True  # os.kill would end it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # What was killed stays in the list until its parent has asked for it.
            return file.read().rpartition(b") ")[2][:1] not in (b"Z", b"X")
    except OSError:
        return True
