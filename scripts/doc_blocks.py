"""Runs every code block of README.md and docs/, so that no example can rot.

    scripts/doc_blocks.py               all of them
    scripts/doc_blocks.py FILE...       those of some files

A block that imports the package begins a program; one that does not goes on with that of the block
before it in the same file and language. What a block needs and a reader does not, stands in a
comment before it, which starts with its language:

    <!-- python
    os.environ["RESEAL_PRIMARY_KEY"] = str(...)
    -->

`python` runs with the installed wheel; `js` and `ts` with the packed npm package; `rust` is run
by `cargo test` (testkit/src/lib.rs includes the files). `sh` runs twice, with the command of each of
the two packages: doc_sessions.py tells how, and how the output is shown. Guides are long: without FILE
the two commands take turns from one guide to the next, unless RESEAL_ASSURE is set. Where `sh` only
installs the published packages or names targets of the menu, the words are checked. A block in another
language, or none, is a failure here: use `text` for what is no code.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import doc_sessions

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(
    r"^```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^```\s*$"
    r"|^<!-- (?P<hidden>python|js|ts|sh)\n(?P<hidden_code>.*?)^-->\s*$",
    re.MULTILINE | re.DOTALL,
)
# It takes types away, and starts in half the time of some others; where it is missing, any other is right.
NODE = ROOT / "js-tests/node_modules/node-22/bin"
STARTS = re.compile(r"^(import reseal|from reseal|import .* from \"reseal)", re.MULTILINE)
# What is shown and not run; `rust` is run elsewhere.
NOT_RUN = {"text", "toml", "json", "yaml", "sql", "rust", "console", "ruby"}
# An assertion of the console only prints; here it has to fail the block.
ASSERT_THROWS = """console.assert = (good) => {
  if (!good) throw new Error("an assertion failed");
};
"""
MARK = "--- ran block {} ---"


@dataclass
class Block:
    """One block: where it stands, whether a reader sees it, and the output that he sees after it."""

    path: Path
    line: int
    section: int
    language: str
    code: str
    visible: bool
    shown: str | None = None

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line} ({self.language or 'no language'})"


# Runs the blocks of one program, and tells how many ran to their end, and what it said.
Runner = Callable[[list[Block]], tuple[int, str]]


def main() -> int:
    """Runs all, prints what failed, and the counts for scripts/suite.sh."""
    every = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    paths = [Path(name).resolve() for name in sys.argv[1:]]
    os.environ["PATH"] = f"{NODE}{os.pathsep}{os.environ['PATH']}"
    # A person who names files wants all of them.
    turns = None if paths or "RESEAL_ASSURE" in os.environ else list(filter(is_guide, every))
    runs = [run for path in paths or every for run in runs_of(path, turns)]
    passed, failures = 0, list[str]()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda run: result_of(*run), runs)
    for good, wrong in results:
        passed += good
        failures += wrong
    for failure in failures:
        print(failure)
    print(f"RESULT passed={passed} failed={len(failures)}")
    return 1 if failures else 0


def runs_of(path: Path, turns: list[Path] | None) -> Iterator[tuple[list[Block], str, Runner]]:
    """What is to be run of a file: a guide of those that take turns with every other command."""
    for blocks in programs_of(path):
        each = list(runners(blocks).items())
        if turns and path in turns:
            each = each[turns.index(path) % len(each) :][:1]
        for name, runner in each:
            yield blocks, name, runner


def result_of(blocks: list[Block], name: str, runner: Runner) -> tuple[int, list[str]]:
    """How many blocks that a reader sees ran to their end, and what is to be said of the others."""
    ran, output = runner(blocks)
    visible = [block for block in blocks if block.visible]
    good = sum(block.visible for block in blocks[:ran])
    if ran == len(blocks):
        return good, []
    missed = visible[good + blocks[ran].visible :]
    failures = [f"{blocks[ran]}{name} failed:\n{output}"]
    return good, failures + [f"{block}{name} was not reached" for block in missed]


def programs_of(path: Path) -> list[list[Block]]:
    """The blocks of a file, those together that run together."""
    programs: list[list[Block]] = []
    current: dict[str, list[Block]] = {}
    for block in blocks_of(path):
        before = current.get(block.language, [])
        if block.language == "sh":
            begins = bool(before) and before[-1].section != block.section
        else:
            # A hidden block that imports has begun the program of the visible one after it.
            begun = any(each.visible or STARTS.search(each.code) for each in before)
            begins = begun and bool(STARTS.search(block.code))
        if begins or not before:
            before = current[block.language] = []
            programs.append(before)
        before.append(block)
    return programs


def blocks_of(path: Path) -> list[Block]:
    """The blocks of a file that have to run."""
    text = path.read_text(encoding="utf-8")
    blocks, end = list[Block](), None
    for match in BLOCK.finditer(text):
        visible = match["hidden"] is None
        language = match["language"] if visible else match["hidden"]
        code = match["code"] if visible else match["hidden_code"]
        line = text.count("\n", 0, match.start()) + 1
        section = 0 if is_guide(path) else text.count("\n## ", 0, match.start())
        follows = end is not None and not text[end : match.start()].strip()
        if language == "text" and follows:
            blocks[-1].shown = code
        if language not in NOT_RUN:
            blocks.append(Block(path, line, section, language, code, visible))
        end = match.end() if language == "sh" and visible else None
    return blocks


def is_guide(path: Path) -> bool:
    """Whether the whole file is one session, with a database of its own."""
    return path.parent == ROOT / "docs/guides"


def runners(blocks: list[Block]) -> dict[str, Runner]:
    """What runs a program, by what tells one run of it from the other."""
    language = blocks[0].language
    if language == "python":
        return {"": python}
    if language in ("js", "ts"):
        return {"": partial(javascript, doc_sessions.consumer())}
    if language == "sh" and all(doc_sessions.words_are_known(block.code) for block in blocks):
        return {"": lambda blocks: (len(blocks), "")}
    if language == "sh":
        folders = commands().items()
        return {
            f" with the command of {name}": partial(session, folder) for name, folder in folders
        }
    return {"": lambda _: (0, "an unknown language; `text` is for what is no code")}


def python(blocks: list[Block]) -> tuple[int, str]:
    """With the installed wheel."""
    return program(blocks, ".py", "print({!r}, flush=True)", [sys.executable], scratch())


def javascript(folder: Path, blocks: list[Block]) -> tuple[int, str]:
    """With the packed npm package, which stands above the folder of the program."""
    language = blocks[0].language
    with tempfile.TemporaryDirectory(prefix="blocks-", dir=folder) as home:
        return program(blocks, f".m{language}", "console.log({!r});", ["node"], Path(home))


def session(command: Path, blocks: list[Block]) -> tuple[int, str]:
    """With the command `reseal` in a folder."""
    steps = [doc_sessions.Step(block.code, block.shown) for block in blocks]
    place = doc_sessions.guide if is_guide(blocks[0].path) else doc_sessions.empty
    return doc_sessions.session(steps, command, place)


@cache
def commands() -> dict[str, Path]:
    """Found once for all."""
    return doc_sessions.commands()


def program(
    blocks: list[Block], suffix: str, mark: str, command: list[str], home: Path
) -> tuple[int, str]:
    """Runs the blocks as one program, with a mark after each."""
    file = home / f"blocks{suffix}"
    marks = [MARK.format(number) for number in range(len(blocks))]
    pairs = zip(blocks, marks, strict=True)
    code = "".join(f"{block.code}\n{mark.format(done)}\n" for block, done in pairs)
    file.write_text(code if suffix == ".py" else ASSERT_THROWS + code)
    # The variables of this shell must not decide what the examples do.
    environment = {name: text for name, text in os.environ.items() if "RESEAL_" not in name}
    done = subprocess.run(
        [*command, file.name],
        cwd=home,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    ran = sum(mark in done.stdout.splitlines() for mark in marks)
    if done.returncode and ran == len(blocks):
        ran -= 1
    return ran, done.stdout


def scratch() -> Path:
    """An empty folder, so that no source of ours is imported instead of the wheel."""
    return Path(tempfile.mkdtemp(prefix="reseal-docs-"))


if __name__ == "__main__":
    sys.exit(main())
