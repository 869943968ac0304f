"""Replaces a keyset file as a whole: whatever happens, it is the old one or the new one.

The same steps stand in `wasm/ts/node-save.ts`.
"""

from __future__ import annotations

import contextlib
import os
import stat

from reseal._disk import (
    PathLike,
    open_regular,
    path_text,
    quoted,
    remove,
    sync_directory,
    temporary_name,
    unwritable,
    write_new,
)
from reseal._errors import KeyringError
from reseal._files import MAX_KEYSET_BYTES
from reseal._lock import FileLock, is_leftover

LEFTOVER_SECONDS = 60


def save_keyset(path: PathLike, loaded: bytes | None, new: bytes) -> None:
    """Replace the keyset that was loaded by a new one; with `None`, make one that does not exist.

    A new file is for its owner only; an old one keeps its rights and its owner.
    Errors: `keyset-conflict` if the file does not hold what was loaded, or another process does not
    let go of it; `keyset-unwritable`. After an error the file is as it was.
    """
    name = path_text(path)
    try:
        if len(new) > MAX_KEYSET_BYTES:
            raise ValueError(f"a keyset has at most {MAX_KEYSET_BYTES} bytes (1 MiB)")
        _compare(name, loaded)
        with FileLock(name) as lock:
            _remove_leftovers(name, lock)
            _replace(name, new, _compare(name, loaded), lock)
    except (OSError, ValueError) as error:
        raise unwritable(name, error) from None


def _compare(name: str, loaded: bytes | None) -> os.stat_result | None:
    """Return the facts of the file, if it holds what was loaded."""
    try:
        status = os.lstat(name)
    except FileNotFoundError:
        if loaded is None:
            return None
        raise _conflict(name, "was removed since it was loaded") from None
    if stat.S_ISLNK(status.st_mode):
        raise ValueError("it is a symbolic link: give the path of the file itself")
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is no regular file")
    if loaded is None:
        raise _conflict(name, "exists already: load it, or give another name")
    with open_regular(name) as file:
        if file.read(MAX_KEYSET_BYTES + 1) != loaded:
            raise _conflict(name, "was changed since it was loaded: load it, and try again")
    return status


def _replace(name: str, new: bytes, old: os.stat_result | None, lock: FileLock) -> None:
    folder, base = os.path.split(name)
    temporary = os.path.join(folder, temporary_name(base))
    write_new(temporary, new, 0o600, like=old)
    try:
        if not lock.is_held():
            raise _conflict(name, "lost its lock file meanwhile: load it, and try again")
        os.replace(temporary, name)
    except BaseException:
        remove(temporary)
        raise
    sync_directory(name)


def _remove_leftovers(name: str, lock: FileLock) -> None:
    """Remove what killed processes left: nothing of the living is that old while we hold the lock."""
    folder, base = os.path.split(name)
    with contextlib.suppress(OSError):
        oldest = lock.taken_at() - LEFTOVER_SECONDS
        for entry in os.listdir(folder or "."):
            path = os.path.join(folder, entry)
            if is_leftover(base, entry) and os.lstat(path).st_mtime < oldest:
                remove(path)


def _conflict(name: str, what: str) -> KeyringError:
    return KeyringError("keyset-conflict", f"{quoted(name)} {what}")
