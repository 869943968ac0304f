"""Imports a wheel with every CPython that is found, each in a clean environment, and runs the vectors.

    scripts/interpreters.py WHEEL

Looks in PATH and in the folders where pyenv, uv and Debian keep interpreters. Prints a line for each, and
the sum at the end. An interpreter without the stable ABI (free-threaded) has to refuse the wheel.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOMES = ["~/.pyenv/versions/*/bin", "~/.local/share/uv/python/*/bin", "/opt/python/*/bin"]
NAME = re.compile(r"python3\.\d+t?")
FACTS = """
import sys, sysconfig
free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
print(sys.implementation.name, "%d.%d" % sys.version_info[:2], "t" if free else "", sep=",")
"""
OLDEST = (3, 10)


def main(wheel: Path) -> int:
    """Prints the table, and gives the exit status."""
    found = interpreters()
    if not found:
        sys.exit("interpreters: no CPython found")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda one: check(one[0], one[1], wheel, Path(folder)), found.items())
        failed = [name for name, good in zip(found, results, strict=True) if not good]
    print(f"RESULT passed={len(found) - len(failed)} failed={len(failed)}")
    return 1 if failed else 0


def interpreters() -> dict[str, Path]:
    """One program for each version, oldest first."""
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)]
    for pattern in HOMES:
        start = Path(pattern.split("*")[0]).expanduser()
        folders += sorted(start.glob("*" + pattern.split("*", 1)[1]))
    found: dict[str, Path] = {}
    for folder in folders:
        # Those of pyenv in PATH are programs that look for the chosen version.
        if folder.name == "shims" or not folder.is_dir():
            continue
        for program in folder.iterdir():
            if NAME.fullmatch(program.name) and (version := version_of(program)):
                found.setdefault(version, program)
    return dict(sorted(found.items(), key=lambda one: number(one[0])))


def version_of(program: Path) -> str | None:
    """`3.12`, or `3.13t`; none for what is older, is no CPython or does not start."""
    done = subprocess.run([program, "-c", FACTS], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None
    implementation, version, free = done.stdout.strip().split(",")
    return version + free if implementation == "cpython" and number(version) >= OLDEST else None


def number(version: str) -> tuple[int, ...]:
    """For comparisons: 3.9 is older than 3.10."""
    return tuple(int(part) for part in version.rstrip("t").split("."))


def check(version: str, program: Path, wheel: Path, folder: Path) -> bool:
    """Whether the wheel does in this interpreter what it has to."""
    python = folder / version / "bin/python"
    made = run(program, "-m", "venv", folder / version)
    if made.returncode != 0:
        return say(version, False, made.stdout)
    installed = run(python, "-m", "pip", "install", "--quiet", "--no-index", wheel)
    if version.endswith("t"):
        refused = installed.returncode != 0
        return say(version, refused, "refuses the wheel" if refused else "took the wheel")
    if installed.returncode != 0:
        return say(version, False, installed.stdout)
    vectors = sorted(
        path
        for path in (ROOT / "spec/vectors").rglob("*.json")
        if "schema" not in str(path.relative_to(ROOT))
    )
    done = run(python, ROOT / "py-tests/vectors/run.py", *vectors)
    counts = [re.search(r" run=(\d+) passed=(\d+) ", line) for line in done.stdout.splitlines()]
    ran = sum(int(count[1]) for count in counts if count)
    passed = sum(int(count[2]) for count in counts if count)
    command = run(python, "-m", "reseal", "--version")
    good = done.returncode == 0 and ran == passed > 0 and command.returncode == 0
    return say(version, good, f"{passed} of {ran} cases" if good else done.stdout + command.stdout)


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """A program with all that it prints."""
    # From a folder where no `reseal` lies, and without what this environment has installed.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd=tempfile.gettempdir(),
        env=clean,
    )


def say(version: str, good: bool, what: str) -> bool:
    """One line of the table."""
    print(f"CPython {version}: {'' if good else 'FAILED: '}{what}", flush=True)
    return good


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
