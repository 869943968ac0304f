"""The page of the command says what its help says, that of the API names all that is public, links lead
somewhere, and sessions in documents are really compared."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import command_line
import doc_blocks
import doc_sessions
import pytest
import reseal
from doc_sessions import Step
from reseal import codecs, jobs

Check = Callable[[], int]
ROOT = Path(__file__).parents[1]
HOME = "https://github.com/reseal/reseal/blob/main/"
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?P<target>[^()\s]+)\)|^\[[^]]+\]: (?P<defined>\S+)$", re.MULTILINE)


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


def test_it_has_the_examples_of_every_command() -> None:
    page = command_line.PAGE.read_text(encoding="utf-8")
    written = page.partition(command_line.MARK)[2]
    for section in re.split(r"^##", written, flags=re.MULTILINE)[1:]:
        # What only lists its own commands need not have any.
        assert "Examples:\n" in section or "```" not in section, section[:60]


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


# --- The API ------------------------------------------------------------------------------------


def public_in_python() -> Iterator[str]:
    yield from reseal.__all__
    yield from codecs.__all__
    yield from (name for name in jobs.__all__ if name.islower() or name == "JobError")
    classes = [
        reseal.Key,
        reseal.Keyring,
        reseal.LiveKeyring,
        reseal.Field,
        reseal.Column,
        codecs.Codec,
    ]
    for each in [
        *classes,
        reseal.Manifest,
        reseal.Keyset,
        reseal.KeysetFile,
        reseal.SqlKeysetStore,
    ]:
        yield from (name for name in dir(each) if not name.startswith("_"))


METHOD = re.compile(
    r"^  (?:static |override |async |get )*(?!constructor|if|for|while|switch)([a-z]\w*)(?:<[^(]*>)?\((?!.*;$)",
    re.MULTILINE,
)
EXPORTS = re.compile(r"^export \{([^}]*)\}", re.MULTILINE)
EXPORTED = re.compile(r"^export (?:async )?(?:function|class) (\w+)", re.MULTILINE)
#: What a store offers to a live ring alone, and what every object has.
NOT_LISTED = {"checkFollowed", "read", "toString", "toJSON"}


def public_in_typescript() -> Iterator[str]:
    folder = ROOT / "wasm/ts"
    for name in ("index-common", "codecs", "jobs", "sql"):
        text = (folder / f"{name}.ts").read_text(encoding="utf-8")
        yield from EXPORTED.findall(text)
        for names in EXPORTS.findall(text):
            listed = (each.strip() for each in names.split(","))
            yield from (each for each in listed if each and not each.startswith("type "))
    classes = ("key", "keyring", "live", "field", "column", "codec", "manifest", "keyset")
    for name in (*classes, "keyset-file", "sql"):
        text = (folder / f"{name}.ts").read_text(encoding="utf-8")
        yield from (each for each in METHOD.findall(text) if each not in NOT_LISTED)


def named_in_the_pages() -> set[str]:
    """The words that stand as code in the page of the API, or in that of keysets, which it names."""
    pages = ((ROOT / f"docs/{name}.md").read_text(encoding="utf-8") for name in ("api", "keysets"))
    codes = (code for page in pages for code in re.findall(r"`([^`]+)`", FENCED.sub("", page)))
    return {word for code in codes for word in re.findall(r"\w+", code)}


@pytest.mark.parametrize("public", [public_in_python, public_in_typescript])
def test_the_api_names_all_that_is_public(public: Callable[[], Iterator[str]]) -> None:
    listed, names = named_in_the_pages(), set(public())
    assert len(names) > 90
    missing = {
        name
        for name in names
        if not {name, re.sub(r"[A-Z]", lambda it: f"_{it[0].lower()}", name)} & listed
    }
    assert not missing


# --- Links --------------------------------------------------------------------------------------


def pages() -> list[Path]:
    found = [*ROOT.glob("*.md"), ROOT / "core/README.md", ROOT / "js-tests/browser/README.md"]
    for folder in ("docs", "spec", "examples"):
        found += (ROOT / folder).rglob("*.md")
    return sorted(page for page in found if "node_modules" not in page.parts)


def links_of(page: Path) -> list[str]:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    return [found["target"] or found["defined"] for found in LINK.finditer(text)]


def anchors_of(page: Path) -> set[str]:
    """The anchors of the headings, as forges make them."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in links_of(page):
        place, _, anchor = link.removeprefix(HOME).partition("#")
        if "://" in place:
            continue
        base = ROOT if link.startswith(HOME) else page.parent
        target = (base / place).resolve() if place else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors_of(target), link


@pytest.mark.parametrize("page", ["README.md", "core/README.md"])
def test_links_of_packages_are_whole(page: str) -> None:
    """Registries show these pages, where nothing stands beside them."""
    links = links_of(ROOT / page)
    assert len(links) >= 2
    assert all(link.startswith(("https://", "#")) for link in links)


def test_every_reference_of_the_readme_is_defined() -> None:
    text = FENCED.sub("", (ROOT / "README.md").read_text(encoding="utf-8"))
    used = set(re.findall(r"\]\[([^]]+)\]", text))
    assert used == set(re.findall(r"^\[([^]]+)\]: ", text, re.MULTILINE))
