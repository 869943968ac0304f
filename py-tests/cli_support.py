"""The command `reseal` as both packages install it, run side by side."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import reseal

ROOT = Path(__file__).resolve().parents[1]
# The bin of the npm package; the variable names another build of it.
NPM_BIN = Path(os.environ.get("RESEAL_NPM_BIN") or ROOT / "wasm/dist/cli.cjs")
COMMANDS: dict[str, list[str]] = {
    "python": [str(Path(sys.executable).with_name("reseal"))],
    "node": ["node", str(NPM_BIN)],
}
SECONDS = 120

# What differs from run to run, and what stands for it: the first id that is shown becomes <id 1>.
_NUMBERED = {
    "key": r"rsk1\.(?:data|index|kek)\.[\w-]{48}",
    "id": r"\b[a-z2-7]{32}\b",
    "ring": r"\b[a-z2-7]{26}\b",
}
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_BODY = re.compile(r"(rs1\.[a-z2-7]{32}\.)([\w-]+)")
_WAIT = re.compile(r"wait \d+ seconds")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def fixed_key(use: Literal["data", "index", "kek"], byte: int) -> reseal.Key:
    """A key that is the same in every run."""
    return reseal.Key.from_bytes(use, bytes([byte]) * 32)


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The variables of this process, and of ours only these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RESEAL")}
    return {**kept, **more}


def run(
    command: str,
    *arguments: str | bytes,
    cwd: Path,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Run one of the two."""
    done = subprocess.run(
        [*COMMANDS[command], *arguments],
        check=False,
        cwd=cwd,
        input=stdin,
        env=environment(env or {}),
        capture_output=True,
        timeout=SECONDS,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


class Terminal:
    """A command at a terminal of its own: what a person types there, and sees."""

    def __init__(
        self,
        command: str,
        *arguments: str,
        cwd: Path,
        env: Mapping[str, str],
        stdin: int | None = None,
    ) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _OF_ITS_OWN, *COMMANDS[command], *arguments],
            cwd=cwd,
            env={**environment(env), "TERMINAL": os.ttyname(theirs)},
            stdin=theirs if stdin is None else stdin,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        # It stays open, so that what is still to be read is not lost, nor how echo is set.
        self._theirs = theirs
        self.seen = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)

    def type(self, text: str, *, after: str) -> None:
        """Type when something has come to be seen."""
        before = len(self.seen)
        self._wait(lambda: after in self.seen[before:])
        self._wait(self._is_waiting)
        os.write(self._ours, text.encode())

    def end(self) -> int:
        """The exit code, or minus the signal that ended it."""
        self._wait(lambda: self.process.poll() is not None)
        while self._read(0):
            pass
        return self.process.returncode

    @property
    def echoes(self) -> bool:
        """Whether what is typed is seen."""
        return bool(termios.tcgetattr(self._theirs)[3] & termios.ECHO)

    def _is_waiting(self) -> bool:
        """Whether the question is asked to a person who may type: of a secret, without echo."""
        return "passphrase" not in self.seen or not self.echoes

    def _wait(self, until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not until():
            assert time.monotonic() < deadline, self.seen
            self._read(0.02)

    def _read(self, seconds: float) -> bool:
        if not select.select([self._ours], [], [], seconds)[0]:
            return False
        more = os.read(self._ours, 4096)
        self.seen += more.decode().replace("\r\n", "\n")
        return bool(more)


# The first terminal that the leader of a session opens is the one that it belongs to.
_OF_ITS_OWN = """
import os, sys
os.close(os.open(os.environ.pop("TERMINAL"), os.O_RDWR))
os.execvp(sys.argv[1], sys.argv[1:])
"""


def normalized(ended: Ended) -> Ended:
    """What the two have to agree on."""
    names: dict[str, str] = {}

    def number(kind: str) -> Callable[[re.Match[str]], str]:
        return lambda found: names.setdefault(found[0], f"<{kind} {len(names)}>")

    def clean(text: str) -> str:
        text = _TIME.sub("<time>", _WAIT.sub("wait <n> seconds", text))
        text = _BODY.sub(lambda found: f"{found[1]}<{len(found[2])} characters>", text)
        for kind, pattern in _NUMBERED.items():
            text = re.sub(pattern, number(kind), text)
        return text

    return Ended(ended.code, clean(ended.out), clean(ended.err))


class Pair:
    """Two directories with the same files, one for each command."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.env: dict[str, str] = {}
        for command in COMMANDS:
            (root / command).mkdir()

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file in both."""
        for command in COMMANDS:
            path = self.root / command / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def read(self, name: str, command: str = "python") -> str:
        """Read the file of one."""
        return (self.root / command / name).read_text()

    def copy(self, name: str, source: str, target: str) -> None:
        """Give the file of one to the other."""
        (self.root / target / name).write_bytes((self.root / source / name).read_bytes())

    def run(self, *arguments: str | bytes, code: int | None = 0, stdin: bytes | str = b"") -> Ended:
        """Run both, and expect that they end alike; with a code of None, as they may."""
        content = stdin.encode() if isinstance(stdin, str) else stdin

        def ended(command: str) -> Ended:
            cwd = self.root / command
            return run(command, *arguments, cwd=cwd, stdin=content, env=self.env)

        with ThreadPoolExecutor() as pool:
            python, node = pool.map(ended, COMMANDS)
        alike = normalized(python), normalized(node)
        assert alike[0] == alike[1], (arguments, *alike)
        assert code in (python.code, None), (arguments, python)
        assert "Traceback" not in python.err
        assert "    at " not in node.err
        return python

    def one(self, command: str, *arguments: str, code: int = 0, stdin: str = "") -> Ended:
        """Run one of them in its directory."""
        cwd = self.root / command
        ended = run(command, *arguments, cwd=cwd, stdin=stdin.encode(), env=self.env)
        assert ended.code == code, (command, arguments, ended)
        return ended


DATA, OLD, INDEX, KEK = (
    fixed_key("data", 1),
    fixed_key("data", 2),
    fixed_key("index", 3),
    fixed_key("kek", 9),
)
HERE = {"table": "users", "column": "ssn"}
CONTEXT = [*("--context", "table=users"), *("-c", "column=ssn")]


def shown(pair: Pair) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(pair.run("keyset", "show", "--json").out)
    return found


def states(pair: Pair) -> dict[str, str]:
    return {key["label"]: key["state"] for key in shown(pair)["keys"]}
