"""The page of the command says what its help says, and sessions in documents are really compared."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import command_line
import doc_blocks
import doc_sessions
import pytest
from doc_sessions import Step

Check = Callable[[], int]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Check:
    monkeypatch.setattr(sys, "argv", ["command_line.py", "--check"])
    return command_line.main


def test_the_page_of_the_command_is_what_its_help_says(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check() == 0, capsys.readouterr().out


def test_it_has_every_command_and_option() -> None:
    page = command_line.PAGE.read_text(encoding="utf-8")
    for heading in ("## reseal seal\n", "### reseal keyset promote\n", "### reseal keys new\n"):
        assert heading in page
    for option in ("--jsonl", "--early", "--new-kek-file <FILE>", "--yes"):
        assert page.count(f"{option}` |") >= 1, option


@pytest.mark.parametrize("stale", ["Also before a lease has passed", "### reseal keyset promote"])
def test_a_stale_page_is_noticed(
    stale: str,
    check: Check,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = tmp_path / "command-line.md"
    text = command_line.PAGE.read_text(encoding="utf-8")
    assert stale in text
    page.write_text(text.replace(stale, "something else"), encoding="utf-8")
    monkeypatch.setattr(command_line, "PAGE", page)
    assert check() == 1
    assert stale in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["command_line.py"])
    assert command_line.main() == 0
    assert page.read_text(encoding="utf-8") == text


A, B = "7nkx" + "a" * 28, "75uf" + "b" * 22


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("ok\n", "ok\n"),
        ("ok   2 keys\n", "ok 2 keys\n"),
        ("at 2026-11-20T00:00:00Z, now\n", "at …, now\n"),
        ("1\n2\n3\n", "1\n…\n3\n"),
        ("1\n3\n", "1\n…\n3\n"),
        (f"key {A}, ring {B}\n", "key abcd…, ring efgh…\n"),
        (f"key {A}\nkey {A}\n", "key abcd…\nkey abcd…\n"),
    ],
)
def test_what_matches(printed: str, shown: str) -> None:
    assert doc_sessions.Names().learn_from(printed, shown) is None


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("ok\n", "no\n"),
        ("ok\n", ""),
        ("ok\nwarning\n", "ok\n"),
        ("at , now\n", "at …, now\n"),
        ("1\n2\n", "1…2\n"),
        ("1\n2\n4\n", "1\n…\n3\n"),
        ("key short\n", "key abcd…\n"),
        (f"key {A}\nkey {B}\n", "key abcd…\nkey abcd…\n"),
        (f"key {A}\nkey {A}\n", "key abcd…\nkey efgh…\n"),
    ],
)
def test_what_does_not(printed: str, shown: str) -> None:
    assert doc_sessions.Names().learn_from(printed, shown)


def test_an_id_stays_the_same_and_is_known_to_commands() -> None:
    names = doc_sessions.Names()
    assert names.learn_from(f"made {A}\n", "made abcd…\n") is None
    assert names.learn_from(f"lost {B}\n", "lost abcd…\n")
    assert names.into("promote abcd, RING=abcd… abcde") == f"promote {A[:8]}, RING={A} abcde"


@pytest.fixture
def echo(tmp_path: Path) -> Path:
    """A folder with a command that says what it is given, and fails with `fail`."""
    command = tmp_path / "reseal"
    command.write_text('#!/bin/sh\necho "said $*" >&2\n[ "$1" != fail ] || exit 3\n')
    command.chmod(0o755)
    return tmp_path


def test_a_session_goes_on_from_block_to_block(echo: Path) -> None:
    steps = [
        Step("export A=1; B=2; echo x >file\n", ""),
        Step('reseal $A $B "$(cat file)"\n', "said 1 2 x\n"),
        Step('reseal fail || echo "exit code $?"\n', "said fail\nexit code 3\n"),
        Step("reseal not shown\n", None),
    ]
    assert doc_sessions.session(steps, echo) == (4, "")


@pytest.mark.parametrize(
    "steps",
    [
        [Step("reseal a\n", "said b\n")],
        [Step("reseal fail\nreseal a\n", None)],
        [Step("reseal a\nexit 0\n", "said a\n")],
        [Step("nothing-of-this-name\n", None)],
        [Step('reseal "$UNSET"\n', None)],
    ],
)
def test_a_session_that_goes_wrong_says_where(steps: list[Step], echo: Path) -> None:
    ran, why = doc_sessions.session([Step("reseal well\n", "said well\n"), *steps], echo)
    assert ran == 1
    assert why


def test_output_belongs_to_the_block_before_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    blocks = [
        "```sh\nreseal a\n```",
        "```text\na\n```",
        "```text\nb\n```",
        "## New\n<!-- sh\nx\n-->",
    ]
    page.write_text("\n\n".join([*blocks, "```sh\nreseal c\n```", "words", "```text\nc\n```"]))
    programs = doc_blocks.programs_of(page)
    assert [[(block.code, block.shown) for block in blocks] for blocks in programs] == [
        [("reseal a\n", "a\n")],
        [("x\n", None), ("reseal c\n", None)],
    ]


def test_words_of_the_menu_need_no_session() -> None:
    assert doc_sessions.words_are_known("make test   # all\npip install reseal\ncd reseal\n")
    assert not doc_sessions.words_are_known("make tea\n")
    assert not doc_sessions.words_are_known("reseal doctor\n")
