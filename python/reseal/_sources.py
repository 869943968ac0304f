"""Key sources that need the file system. `Keyring.from_env` calls this for RESEAL_KEY_DIR."""

from __future__ import annotations

import os
import stat

from reseal._errors import KeyringError

MAX_KEY_FILE_BYTES = 65536


def read_key_files(directory: str) -> list[tuple[str, str]]:
    """Return the names and contents of a directory's key files, as Kubernetes mounts a secret.

    Links are followed; hidden files and sub-directories are skipped.
    """
    try:
        names = sorted(os.listdir(directory))
    except (OSError, ValueError) as error:
        raise _unreadable(f"the directory {directory!r}", error) from None
    files = []
    for name in names:
        if name.startswith(".") or os.path.isdir(os.path.join(directory, name)):
            continue
        try:
            name.encode()
            files.append((name, _read(os.path.join(directory, name))))
        except (OSError, ValueError) as error:
            raise _unreadable(f"the file {name!a}", error) from None
    return files


def _read(path: str) -> str:
    # A pipe would block at opening, and a device give bytes without end.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("it is no regular file")
        content = file.read(MAX_KEY_FILE_BYTES + 1)
    if len(content) > MAX_KEY_FILE_BYTES:
        raise ValueError(f"it has more than {MAX_KEY_FILE_BYTES} bytes")
    return content.decode()


def _unreadable(what: str, error: Exception) -> KeyringError:
    if isinstance(error, OSError):
        reason = error.strerror or type(error).__name__
    elif isinstance(error, UnicodeError):
        reason = "it is not UTF-8"  # the error itself would hold the content
    else:
        reason = str(error)
    return KeyringError("source-unreadable", f"RESEAL_KEY_DIR: cannot read {what}: {reason}")
