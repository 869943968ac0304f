"""Reads key files and keysets, and makes key files. `_save.py` changes keysets.

Whatever a path leads to: nothing here blocks, reads without end, or shows what it has read.
The same stands in `wasm/ts/node-files.ts`.
"""

from __future__ import annotations

import os
import stat
import warnings

from reseal._disk import (
    POSIX,
    PathLike,
    open_regular,
    path_text,
    placed,
    prefix,
    quoted,
    read_pipe,
    sync_directory,
    unreadable,
    unwritable,
    write_new,
)
from reseal._errors import KeyFileWarning, KeyringError

MAX_SECRET_BYTES = 65_536
MAX_KEYSET_BYTES = 1_048_576

_OTHERS = 0o007
_warned: set[str] = set()


def read_secret(
    path: PathLike,
    variable: str | None = None,
    folder: str | None = None,
    *,
    pipes: bool = False,
) -> bytes:
    """Return the whole of a file with a key or a passphrase, a final newline included.

    Links are followed. Warns once per path if the file gives rights to everybody. A relative path
    counts from `folder`; with `pipes` it may lead to a pipe.
    Errors: `source-unreadable`, which names `variable` and the path.
    """
    name = path_text(path)
    try:
        with open_regular(placed(name, folder), pipes=pipes) as file:
            status = os.fstat(file.fileno())
            if stat.S_ISFIFO(status.st_mode):
                content = read_pipe(file.fileno(), MAX_SECRET_BYTES + 1)
            else:
                # Before the secret is among the variables that a traceback may show.
                _warn_if_open(name, variable, status)
                content = file.read(MAX_SECRET_BYTES + 1)
    except (OSError, ValueError) as error:
        raise unreadable(name, variable, error) from None
    if len(content) > MAX_SECRET_BYTES:
        content = b""
        why = f"it has more than {MAX_SECRET_BYTES} bytes (64 KiB), which no key has"
        raise unreadable(name, variable, ValueError(why))
    return content


def read_keyset(path: PathLike, variable: str | None = None, folder: str | None = None) -> bytes:
    """Return the bytes of a keyset file. Links are followed; no lock is needed.

    Errors: `source-unreadable`; `keyset-malformed` if it is too large to be a keyset.
    """
    name = path_text(path)
    try:
        with open_regular(placed(name, folder)) as file:
            content = file.read(MAX_KEYSET_BYTES + 1)
    except (OSError, ValueError) as error:
        raise unreadable(name, variable, error) from None
    if len(content) > MAX_KEYSET_BYTES:
        why = f"has more than {MAX_KEYSET_BYTES} bytes (1 MiB), which no keyset has"
        raise KeyringError("keyset-malformed", f"{prefix(variable)}{quoted(name)} {why}")
    return content


def create_private_file(path: PathLike, content: bytes) -> None:
    """Write a new file that only its owner may read. A file that exists is left as it is.

    Errors: `keyset-unwritable`.
    """
    name = path_text(path)
    try:
        write_new(name, content, 0o600)
        status = os.stat(name)
    except FileExistsError:
        why = "exists already, and is left as it is: give another name"
        raise KeyringError("keyset-unwritable", f"{quoted(name)} {why}") from None
    except (OSError, ValueError) as error:
        raise unwritable(name, error) from None
    sync_directory(name)
    _warn_if_open(name, None, status)  # on a file system that keeps no rights


class FileFacts:
    """What `reseal doctor` tells about a file: of the file itself where the path is a link."""

    mode: int | None
    """The nine bits of the rights; None where the system has none."""
    is_link: bool
    """Whether the path itself is a symbolic link."""

    def __init__(self, mode: int | None, is_link: bool) -> None:
        self.mode = mode
        self.is_link = is_link

    @property
    def open_to_others(self) -> bool:
        """Whether everybody on this machine has a right to the file."""
        return self.mode is not None and self.mode & _OTHERS != 0


def file_facts(path: PathLike) -> FileFacts:
    """Return rights and kind of a file, which is not opened. Errors: `source-unreadable`."""
    name = path_text(path)
    try:
        return _facts(os.stat(name), is_link=os.path.islink(name))
    except (OSError, ValueError) as error:
        raise unreadable(name, None, error) from None


def _facts(status: os.stat_result, *, is_link: bool) -> FileFacts:
    if not POSIX:
        return FileFacts(None, is_link)
    return FileFacts(status.st_mode & 0o777, is_link)


def _warn_if_open(name: str, variable: str | None, status: os.stat_result) -> None:
    if not _facts(status, is_link=False).open_to_others or name in _warned:
        return
    _warned.add(name)
    message = (
        f"{prefix(variable)}everybody on this machine has rights to {quoted(name)}: "
        "chmod 600 it, or set defaultMode: 0400 where Kubernetes mounts it"
    )
    warnings.warn(message, KeyFileWarning, stacklevel=3)
