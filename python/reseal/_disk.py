"""What reading and writing of files need: new files, their rights, and reasons in plain words.

The same stands in `wasm/ts/node-disk.ts`, with the same words.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import time

from reseal._errors import KeyringError, ResealError

PathLike = str | bytes | os.PathLike[str] | os.PathLike[bytes]

POSIX = os.name == "posix"
_BINARY = getattr(os, "O_BINARY", 0)
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
# A pipe would block at opening.
_READ_FLAGS = os.O_RDONLY | _BINARY | getattr(os, "O_NONBLOCK", 0)
# How every key text begins.
KEY_TEXT = "rsk1."
# Seconds.
_WRITER_COMES, _WRITER_WRITES, _PIPE_PAUSE = 1, 30, 0.01
_CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY

# Other reasons are shown by their name alone.
_REASONS = {
    "EACCES": "the rights are missing",
    "EDQUOT": "the disk quota is used up",
    "EFBIG": "a limit for the size of files is reached",
    "EISDIR": "it is a directory",
    "ELOOP": "its links go round in a circle",
    "ENAMETOOLONG": "the name is too long",
    "ENOENT": "there is no such file or directory",
    "ENOSPC": "the disk is full",
    "ENOTDIR": "it leads through something that is no directory",
    "EPERM": "the system does not allow it",
    "EROFS": "the file system is read-only",
}


def path_text(path: PathLike, argument: str = "a path") -> str:
    """Return a path as text. Paths are shown in messages, so one that holds a key is refused.

    Errors: `invalid-argument`, `source-unreadable`.
    """
    try:
        text = os.fsdecode(path)
    except TypeError:
        text = None
    if text is None:
        what = f"{argument} is text or an os.PathLike, not {type(path).__name__}"
        raise ResealError("invalid-argument", what)
    if KEY_TEXT in text:
        path = text = ""  # a traceback may show our variables
        what = f"{argument} holds a key, but is a path: give that of the file that holds it"
        raise KeyringError("source-unreadable", what)
    return text


def placed(name: str, folder: str | None) -> str:
    """Return a path that counts from a folder, if it is relative and a folder is given."""
    return name if folder is None else os.path.join(folder, name)


def current_folder() -> str | None:
    """Return the folder that relative paths count from; None where it was removed."""
    try:
        return os.getcwd()
    except OSError:
        return None


def quoted(name: str) -> str:
    """Return a path as it may stand in a log line."""
    import json  # for messages alone

    text = json.dumps(shown(name), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()


def shown(name: str) -> str:
    """Return a name of the system as Node shows it: its bytes are UTF-8, whatever the locale.

    A name whose bytes are not stays as it is.
    """
    try:
        return os.fsencode(name).decode()
    except UnicodeError:
        return name


def named(text: str) -> str:
    """Return what the system has to be given so that its bytes are those of a text in UTF-8."""
    return os.fsdecode(text.encode())


def reason_of(error: Exception) -> str:
    """Say why a system call failed."""
    if not isinstance(error, OSError):
        return str(error)
    code = errno.errorcode.get(error.errno or 0, type(error).__name__)
    return f"{_REASONS[code]} ({code})" if code in _REASONS else code


def unreadable(name: str, variable: str | None, error: Exception) -> KeyringError:
    """Return the error for what cannot be read."""
    what = f"{prefix(variable)}cannot read {quoted(name)}: {reason_of(error)}"
    return KeyringError("source-unreadable", what)


def unwritable(name: str, error: Exception) -> KeyringError:
    """Return the error for what cannot be written."""
    return KeyringError("keyset-unwritable", f"cannot write {quoted(name)}: {reason_of(error)}")


def prefix(variable: str | None) -> str:
    """Return how a message begins about what a variable names."""
    return "" if variable is None else f"{variable}: "


def open_regular(name: str, flags: int = 0, *, pipes: bool = False) -> io.BufferedReader:
    """Open a regular file for reading, or a pipe if `pipes`; a ValueError for anything else."""
    handle = os.open(name, _READ_FLAGS | flags)
    # Before it is wrapped: `open` refuses a directory and does not close it.
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode) or (pipes and stat.S_ISFIFO(mode)):
        return open(handle, "rb")
    os.close(handle)
    raise ValueError("it is no regular file")


def read_pipe(handle: int, length: int) -> bytes:
    """Return what comes out of a pipe, as of `<(…)` of a shell, up to this length.

    Nobody waits for ever: a second for a writer to come, and half a minute for it to write.
    """
    content = bytearray()
    began = time.monotonic()
    while len(content) < length:
        try:
            more = os.read(handle, length - len(content))
            if not more and content:
                break
            content += more
            seconds = _WRITER_COMES
        except BlockingIOError:
            more, seconds = b"", _WRITER_WRITES
        if not more:
            if time.monotonic() > began + seconds:
                content.clear()
                raise ValueError("it is a pipe, and nobody writes to it")
            time.sleep(_PIPE_PAUSE)
    return bytes(content)


def write_new(
    name: str, content: bytes, mode: int, *, sync: bool = True, like: os.stat_result | None = None
) -> None:
    """Write a file that does not exist yet; with the rights and the owner of another."""
    handle = os.open(name, _CREATE_FLAGS, mode)
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            if like is not None and POSIX:
                _give(handle, like)
            if sync:
                os.fsync(handle)
    except BaseException:
        remove(name)
        raise


def temporary_name(base: str, token: str | None = None) -> str:
    """Return the name of a file that is to become another, beside it."""
    return f".{base}.{token or os.urandom(16).hex()}.tmp"


def remove(name: str) -> None:
    """Remove a file if that can be done."""
    with contextlib.suppress(OSError):
        os.unlink(name)


def sync_directory(name: str) -> None:
    """Write a directory's entry for a file to disk, where the system can do that."""
    # Some directories may be written to and not read, and some file systems refuse.
    with contextlib.suppress(OSError):
        if POSIX:
            handle = os.open(os.path.dirname(name) or ".", os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _give(handle: int, like: os.stat_result) -> None:
    """Give a file the owner and the rights of the one that it replaces: it has the same readers."""
    own = os.fstat(handle)
    if (own.st_uid, own.st_gid) != (like.st_uid, like.st_gid):
        try:
            os.fchown(handle, like.st_uid, like.st_gid)
        except OSError:
            _give_to_group(handle, like)
    with contextlib.suppress(OSError):  # a file system that keeps no rights
        os.fchmod(handle, stat.S_IMODE(like.st_mode) & 0o777)


def _give_to_group(handle: int, like: os.stat_result) -> None:
    """Let another member of a team replace a file that their group reads."""
    with contextlib.suppress(OSError):
        if like.st_mode & stat.S_IRGRP:
            os.fchown(handle, -1, like.st_gid)
            return
    raise ValueError("it belongs to another user, who could then not read it: work as that user")
