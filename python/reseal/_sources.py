"""The key directory as a source. `RESEAL_KEY_DIR` or an argument names one."""

from __future__ import annotations

import os

from reseal._disk import placed, shown, unreadable
from reseal._files import read_secret


def read_key_files(
    directory: str, variable: str | None = None, folder: str | None = None
) -> list[tuple[str, bytes]]:
    """Return the names and contents of a directory's key files, as Kubernetes mounts a secret.

    Links are followed; hidden files and sub-directories are skipped. A relative path counts from
    `folder`. Whoever calls this checks that the contents are text.
    Errors: `source-unreadable`, which names `variable` and the path.
    """
    try:
        names = sorted(os.listdir(placed(directory, folder)))
    except (OSError, ValueError) as error:
        raise unreadable(directory, variable, error) from None
    files: list[tuple[str, bytes]] = []
    try:
        for name in names:
            path = os.path.join(directory, name)
            if name.startswith(".") or os.path.isdir(placed(path, folder)):
                continue
            if _is_no_text(shown(name)):
                raise unreadable(path, variable, ValueError("its name is not UTF-8"))
            files.append((shown(name), read_secret(path, variable, folder)))
    except BaseException:
        files.clear()  # a traceback may show our variables
        raise
    return files


def _is_no_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeError:
        return True
    return False
