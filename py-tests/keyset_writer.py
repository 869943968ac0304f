"""A process that edits a file as a keyset is edited. js-tests/fixtures/keyset-writer.ts is the same.

count FILE NAME TIMES [no-links]   adds 1 to the counter NAME, TIMES times, whoever else edits
churn FILE                         saves for ever, until it is killed
try STEP CONTENT FILE...           prints as JSON what comes of one step, with each file
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from reseal import ResealError
from reseal._cli import Host
from reseal._files import create_private_file, read_keyset, read_secret
from reseal._save import save_keyset


def count(file: str, name: str, times: int) -> None:
    while times > 0:
        loaded = read_keyset(file)
        counters = json.loads(loaded)
        counters[name] = counters.get(name, 0) + 1
        times -= saved(file, loaded, json.dumps(counters).encode())


def churn(file: str) -> NoReturn:
    print("ready", flush=True)
    while True:
        loaded = read_keyset(file)
        saved(file, loaded, numbered(int(loaded.split()[0]) + 1))


def numbered(number: int) -> bytes:
    """A content that shows whether it is whole."""
    body = f"{number} {'x' * 200_000}"
    return f"{body} {hashlib.sha256(body.encode()).hexdigest()}".encode()


def saved(file: str, loaded: bytes, new: bytes) -> bool:
    try:
        save_keyset(file, loaded, new)
    except ResealError as error:
        if error.code != "keyset-conflict":
            raise
        return False
    return True


def try_step(step: str, content: str, file: str) -> None:
    new = content.encode()
    steps: dict[str, Callable[[], Any]] = {
        "read": lambda: read_keyset(file, "RESEAL_KEYSET"),
        "secret": lambda: read_secret(file, "RESEAL_KEK_FILE"),
        "facts": lambda: Host().file_facts(file),
        "private": lambda: create_private_file(file, new),
        "create": lambda: save_keyset(file, None, new),
        "stale": lambda: save_keyset(file, b"what was loaded", new),
        "save": lambda: save_keyset(file, read_keyset(file), new),
        "grow": lambda: save_keyset(file, read_keyset(file), b"x" * int(content)),
    }
    outcome: dict[str, str | None] = {"code": None, "message": None}
    try:
        steps[step]()
    except ResealError as error:
        outcome = {"code": error.code, "message": str(error)}
    print(json.dumps(outcome))


def no_link(*_: object, **__: object) -> NoReturn:
    """As some network file systems are."""
    raise PermissionError(errno.EPERM, "no links")


def main(arguments: list[str]) -> None:
    match arguments:
        case ["count", file, name, times, *no_links]:
            if no_links:
                os.link = no_link
            count(file, name, int(times))
        case ["churn", file]:
            churn(file)
        case ["try", step, content, *files]:
            for file in files:
                try_step(step, content, file)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
