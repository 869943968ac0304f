"""Writes the reference part of docs/command-line.md from what `reseal help` says.

scripts/command_line.py          writes what has changed
scripts/command_line.py --check  says whether anything has

The part begins after the line MARK; what stands before it is written by hand.
"""

from __future__ import annotations

import difflib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs/command-line.md"
MARK = "<!-- From here on this page is written by scripts/command_line.py. -->\n"
ENTRY = re.compile(r" {2,6}(?P<name>[-<\[].*?|[a-z][a-z-]*)(?: {2,}(?P<text>\S.*))?")
# What else the help says, such as `Examples`, is shown as it is.
SECTION = re.compile(r"(Commands|Arguments|Options):\n((?:(?: .*)?\n)+)")
VALUE = re.compile(r"- (?P<name>\S+): +(?P<text>.*)")


@dataclass
class Help:
    """What the help of one command says."""

    about: str
    usage: str
    # The entries of `Commands`, `Arguments` and `Options`.
    sections: dict[str, dict[str, str]]
    after: str


def main() -> int:
    """Writes or compares, and says what differs."""
    page = PAGE.read_text(encoding="utf-8")
    written = page.partition(MARK)[0] + MARK + "".join(sections())
    if page == written:
        return 0
    if "--check" in sys.argv[1:]:
        lines = difflib.unified_diff(page.splitlines(), written.splitlines(), "page", "help", n=0)
        print("\n".join(lines))
        print("docs/command-line.md is not what `reseal help` says: run scripts/command_line.py")
        return 1
    PAGE.write_text(written, encoding="utf-8")
    print("docs/command-line.md is written anew")
    return 0


def sections() -> Iterator[str]:
    """A table of the commands, and a section for each."""
    known = {"-h, --help", "-V, --version"}
    root = parsed()
    yield "\n| command | |\n|---|---|\n"
    for name, about in commands_of(root):
        yield f"| [`{name}`](#reseal-{name}) | {about} |\n"
    for name, _ in commands_of(root):
        yield from section([name], known | set(root.sections["Options"]))


def section(path: list[str], known: set[str]) -> Iterator[str]:
    """The section of a command and those of its own commands, without options that are `known`."""
    shown = parsed(*path)
    yield f"\n{'#' * (len(path) + 1)} reseal {' '.join(path)}\n\n{shown.about}.\n"
    inside = list(commands_of(shown))
    if inside:
        yield from table({f"`{name}`": about for name, about in inside})
    else:
        yield block(shown.usage)
    arguments = shown.sections.get("Arguments", {})
    options = shown.sections.get("Options", {})
    named = arguments | {name: text for name, text in options.items() if name not in known}
    yield from table({f"`{name}`": text for name, text in named.items()})
    if shown.after:
        yield block(shown.after)
    for name, _ in inside:
        yield from section([*path, name], known | set(options))


def commands_of(shown: Help) -> Iterator[tuple[str, str]]:
    """The commands in a command."""
    for name, about in shown.sections.get("Commands", {}).items():
        if name != "help":
            yield name, about


@cache
def parsed(*path: str) -> Help:
    """What `reseal help` says about a command."""
    command = [sys.executable, "-m", "reseal", *(["help", *path] if path else ["--help"])]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    about, _, rest = text.partition("\n\nUsage: ")
    usage, _, rest = rest.partition("\n\n")
    found: dict[str, dict[str, str]] = {}
    while match := SECTION.match(rest):
        found[match[1]] = entries(match[2])
        rest = rest[match.end() :]
    return Help(about.splitlines()[0].removesuffix("."), usage, found, rest.strip("\n"))


def entries(text: str) -> dict[str, str]:
    """The names of a section of the help, with what is said about each."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        entry = ENTRY.fullmatch(line)
        if entry:
            found[entry["name"]] = [entry["text"] or ""]
        elif line.strip() and found:
            found[list(found)[-1]].append(line.strip())
    return {name: sentence(lines) for name, lines in found.items()}


def sentence(lines: list[str]) -> str:
    """The lines about an option, in one cell of a table."""
    text = ""
    for line in filter(None, lines):
        value = VALUE.fullmatch(line)
        if value:
            text += f"<br>`{value['name']}`: {cell(value['text'])}"
        elif line != "Possible values:":
            text += f"{'<br>' if text else ''}{cell(line)}"
    return text


def cell(text: str) -> str:
    """Text that does not end a cell."""
    return re.sub(r"(?<!`)([|<])", r"\\\1", text)


def table(rows: dict[str, str]) -> Iterator[str]:
    """A table of two columns, if there is anything in it."""
    if rows:
        yield "\n| | |\n|---|---|\n"
    for name, text in rows.items():
        yield f"| {name} | {text} |\n"


def block(text: str) -> str:
    """Text as it is."""
    return f"\n```text\n{text}\n```\n"


if __name__ == "__main__":
    sys.exit(main())
