"""Writes the files of a job: how far it is, and what it refused. There is no secret in them."""

from __future__ import annotations

import os

from reseal._disk import open_regular, remove, temporary_name, write_new

_BEGINNING_BYTES = 64


def save_file(path: str, content: bytes) -> None:
    """Replace a file, all or nothing, or make it. Errors: those of the system, ValueError."""
    folder, base = os.path.split(path)
    temporary = os.path.join(folder, temporary_name(base))
    write_new(temporary, content, 0o600)
    try:
        os.replace(temporary, path)
    except BaseException:
        remove(temporary)
        raise


def read_beginning(path: str) -> bytes:
    """Return what a regular file begins with. Errors: those of the system, ValueError."""
    with open_regular(path) as file:
        return file.read(_BEGINNING_BYTES)


def append_file(path: str, content: bytes, *, is_new: bool) -> None:
    """Append to a file, or begin it anew. Errors: those of the system, ValueError."""
    with open(path, "wb" if is_new else "ab", opener=_opener) as file:
        file.write(content)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
