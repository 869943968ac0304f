"""Runs the `sh` blocks of a document as a person at a terminal would, and compares what they print.

The blocks of one section (`##`) are one session in an empty folder; what one of them exports or
writes is there for the next. A `text` block right after an `sh` block shows what it prints, results
and messages together, and has to be right. There,

- `…` stands for whatever is different each time, within a line;
- a line that is `…` stands for any lines;
- `7nkx…`, four characters of it, stands for an id: wherever it is shown, it is the same one, and a
  command that says `7nkx` or `7nkx…` afterwards gets the first 8 characters or all of it;
- one space stands for any number of spaces, since ids and times are shorter here than in a table.

A command that fails ends the session, as in a script: one that has to fail says what then, such as
`|| echo "exit code $?"`.

A guide, a file of docs/guides/, is one session from its first line to its last. Its folder has spec/ and a
copy of examples/guides/, as that of the project has; `RESEAL_DATABASE_URL` names a new database of PostgreSQL whose password is in `PGPASSWORD`,
and `python` and `node` find both packages with their drivers.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

import databases

ROOT = Path(__file__).resolve().parents[1]
# What needs no session: an installation of the published packages, a target of the menu.
WORDS = r"(npm install|pip install|cargo add) reseal$|make ({targets})\b|#|cd |git |$"
DONE = "--- ran a block ---"
# One block after another, each from a file, so that they share variables and functions.
DRIVER = """while IFS= read -r block; do . "$block" </dev/null; printf '\\n%s\\n' "$0"; done"""
# An id of a key or a ring, and how the documents shorten it.
ID = "[a-z2-7]{32}|[a-z2-7]{26}"
SHORT_ID = r"(?<![A-Za-z0-9])[a-z2-7]{4}(?=…)"
PIECE = re.compile(rf"(?P<id>{SHORT_ID}…)|(?P<lines>^…\n)|(?P<any>…)|(?P<space> +)", re.MULTILINE)
# Of a session that hangs: a guide runs a hundred commands.
SECONDS = 900
NUMBERS = itertools.count(1)
ONE_AT_A_TIME = threading.Lock()


@dataclass
class Step:
    """The commands of a block, and what is shown of their output."""

    code: str
    shown: str | None


@dataclass
class Names:
    """The ids that the document has shown so far, by their first four characters there."""

    ids: dict[str, str] = field(default_factory=dict)

    def into(self, code: str) -> str:
        """The commands with the ids of this run."""
        for name, value in self.ids.items():
            code = re.sub(rf"\b{name}…", value, code)
            code = re.sub(rf"\b{name}\b", value[:8], code)
        return code

    def learn_from(self, printed: str, shown: str) -> str | None:
        """What is wrong with the output, if anything; otherwise the ids in it are known from now."""
        found = re.fullmatch(self.pattern(shown), printed)
        if found is None:
            return f"it printed:\n{printed}and is shown with:\n{shown}"
        self.ids |= {name[1:]: value for name, value in found.groupdict().items()}
        if len(set(self.ids.values())) < len(self.ids):
            return "one id is shown under two names"
        return None

    def pattern(self, shown: str) -> str:
        """The expression that the output has to match."""
        parts, end, seen = list[str](), 0, set[str]()
        for piece in PIECE.finditer(shown):
            parts.append(re.escape(shown[end : piece.start()]))
            end = piece.end()
            if piece["id"]:
                parts.append(self.id_pattern(piece["id"][:4], seen))
            else:
                parts.append(
                    {"lines": r"(?:.*\n)*", "any": ".+?", "space": " +"}[piece.lastgroup or ""]
                )
        return "".join(parts) + re.escape(shown[end:])

    def id_pattern(self, name: str, seen: set[str]) -> str:
        """An id: one that is known, one that was shown a moment ago, or a new one."""
        if name in self.ids:
            return self.ids[name]
        if name in seen:
            return f"(?P=_{name})"
        seen.add(name)
        return f"(?P<_{name}>{ID})"


def words_are_known(code: str) -> bool:
    """Whether a block has only words that need no session."""
    menu = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = "|".join(re.findall(r"^([a-z]+):.*## ", menu, re.MULTILINE))
    known = re.compile(WORDS.format(targets=targets))
    lines = [line.split("  #")[0].strip() for line in code.splitlines()]
    return all(known.match(line) for line in lines)


def commands() -> dict[str, Path]:
    """The two packages, each with a folder that has its command `reseal`."""
    package = consumer() / "node_modules/reseal"
    script = json.loads((package / "package.json").read_text()).get("bin", {}).get("reseal")
    shim = Path(tempfile.mkdtemp(prefix="reseal-docs-")) / "reseal"
    shim.write_text(f'#!/bin/sh\nexec node "{package / (script or "no-command")}" "$@"\n')
    shim.chmod(0o755)
    return {"pip": Path(sys.executable).parent, "npm": shim.parent}


@cache
def consumer() -> Path:
    """A folder with the npm package as a user gets it."""
    return Path(subprocess.check_output([ROOT / "scripts/consumer.sh"], text=True).strip())


@dataclass
class Home:
    """Where a session runs, and with what beside the command."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    programs: list[Path] = field(default_factory=list)


Place = Callable[[], AbstractContextManager[Home]]


@contextmanager
def empty() -> Iterator[Home]:
    """An empty folder."""
    yield Home(Path(tempfile.mkdtemp(prefix="reseal-docs-")))


@contextmanager
def guide() -> Iterator[Home]:
    """What a guide begins with."""
    folder = Path(tempfile.mkdtemp(prefix="reseal-guide-"))
    source = ROOT / "examples/guides"
    # What somebody left there who walked through a guide.
    left = [Path(line).name for line in (source / ".gitignore").read_text().splitlines()[1:]]
    kept_out = shutil.ignore_patterns("__pycache__", "node_modules", *left)
    shutil.copytree(source, folder / "examples/guides", ignore=kept_out)
    (folder / "spec").symlink_to(ROOT / "spec")
    (folder / "node_modules").symlink_to(consumer() / "node_modules")
    programs = [Path(sys.executable).parent, Path(databases.tool("initdb")).parent]
    yield Home(folder, new_database(), programs)


def new_database() -> dict[str, str]:
    """The variables that lead to a database of PostgreSQL with nothing in it."""
    import psycopg

    with ONE_AT_A_TIME:
        name, url = f"guide_{next(NUMBERS)}", server()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
    parts = urlsplit(url)
    where = f"{parts.username}@{parts.hostname}:{parts.port}/{name}"
    return {
        "RESEAL_DATABASE_URL": f"postgresql://{where}",
        "PGPASSWORD": unquote(parts.password or ""),
    }


@cache
def server() -> str:
    """The URL of the one that runs until this program ends."""
    script = str(ROOT / "scripts/databases.py")
    command = [sys.executable, script, "start", "--while", str(os.getpid())]
    urls: dict[str, str] = json.loads(subprocess.check_output(command, text=True))
    return urls["postgresql"]


def session(steps: list[Step], command: Path, place: Place = empty) -> tuple[int, str]:
    """How many steps ran and printed what is shown, and what went wrong with the next one."""
    names, files = Names(), Path(tempfile.mkdtemp(prefix="reseal-docs-"))
    with place() as home, shell(command, home) as (orders, output):
        for number, step in enumerate(steps):
            file = files / f"{number}.sh"
            file.write_text(names.into(step.code), encoding="utf-8")
            printed, has_ended = said(file, orders, output)
            if has_ended:
                return number, f"a command of it failed:\n{printed}"
            wrong = names.learn_from(printed, step.shown) if step.shown is not None else None
            if wrong:
                return number, wrong
    return len(steps), ""


@contextmanager
def shell(command: Path, home: Home) -> Iterator[tuple[IO[str], IO[str]]]:
    """A shell that takes the names of files and runs what is in them."""
    # The variables of this shell must not decide what the examples do.
    environment = {
        name: text for name, text in os.environ.items() if not re.search("RESEAL_|^PG", name)
    }
    first, last = [command, *home.programs[:1]], home.programs[1:]
    path = [*map(str, first), environment["PATH"], *map(str, last)]
    environment |= {"PATH": os.pathsep.join(path), **home.variables}
    with subprocess.Popen(
        ["sh", "-euc", DRIVER, DONE],
        cwd=home.folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as process:
        assert process.stdin
        assert process.stdout
        watch = threading.Timer(SECONDS, process.kill)
        watch.start()
        try:
            yield process.stdin, process.stdout
        finally:
            watch.cancel()
            process.stdin.close()


def said(file: Path, orders: IO[str], output: IO[str]) -> tuple[str, bool]:
    """What the commands in a file print, and whether the shell ended with them."""
    orders.write(f"{file}\n")
    orders.flush()
    lines = list[str]()
    for line in output:
        if line == f"{DONE}\n":
            return "".join(lines).removesuffix("\n"), False
        lines.append(line)
    return "".join(lines), True
