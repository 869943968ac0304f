"""The command `reseal` as both packages install it, run side by side."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import reseal

ROOT = Path(__file__).resolve().parents[1]
COMMANDS: dict[str, list[str]] = {
    "python": [str(Path(sys.executable).with_name("reseal"))],
    "node": ["node", str(ROOT / "wasm/dist/cli.mjs")],
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


def fixed_key(use: reseal.KeyUse, byte: int) -> reseal.Key:
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

    def run(self, *arguments: str | bytes, code: int = 0, stdin: bytes | str = b"") -> Ended:
        """Run both, and expect that they end alike."""
        content = stdin.encode() if isinstance(stdin, str) else stdin
        python, node = (
            run(command, *arguments, cwd=self.root / command, stdin=content, env=self.env)
            for command in COMMANDS
        )
        alike = normalized(python), normalized(node)
        assert alike[0] == alike[1], (arguments, *alike)
        assert python.code == code, (arguments, python)
        assert "Traceback" not in python.err
        assert "    at " not in node.err
        return python

    def one(self, command: str, *arguments: str, code: int = 0, stdin: str = "") -> Ended:
        """Run one of them in its directory."""
        cwd = self.root / command
        ended = run(command, *arguments, cwd=cwd, stdin=stdin.encode(), env=self.env)
        assert ended.code == code, (command, arguments, ended)
        return ended
