"""The command `reseal` of both packages at a terminal, in a pipe, and with streams that fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import reseal
from cli_support import (
    COMMANDS,
    NPM_BIN,
    SECONDS,
    Ended,
    Pair,
    Terminal,
    environment,
    fixed_key,
    normalized,
)
from reseal._cli import Host
from reseal._native import run_command

DATA, KEK = fixed_key("data", 1), fixed_key("kek", 9)
RING = {"RESEAL_PRIMARY_KEY": DATA.export()}


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    made = Pair(tmp_path)
    made.env["RESEAL_KEYSET"] = "ring.json"
    return made


@pytest.fixture(params=COMMANDS)
def command(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def at_terminal(
    pair: Pair, line: str, typed: list[tuple[str, str]], code: int, stdin: int | None = None
) -> str:
    """What both show: `typed` are questions and answers."""
    seen = list[Ended]()
    for name in COMMANDS:
        cwd = pair.root / name
        with Terminal(name, *line.split(), cwd=cwd, env=pair.env, stdin=stdin) as terminal:
            for question, answer in typed:
                terminal.type(answer, after=question)
            assert terminal.end() == code, terminal.seen
            assert terminal.echoes
            seen.append(normalized(Ended(code, terminal.seen, "")))
    assert seen[0] == seen[1]
    return seen[0].out


def test_passphrases_are_typed_and_not_seen(pair: Pair) -> None:
    """A line can be mended while it is typed, as at any prompt."""
    first, again = "new passphrase: ", "the same again: "
    line = "keyset init --new-passphrase"
    seen = at_terminal(
        pair, line, [(first, "twelve chars one\r"), (again, "twelve chars two\r")], code=2
    )
    assert "differ" in seen
    seen = at_terminal(
        pair, line, [(first, "wrong\x15zweimal elfx\x7fu\r"), (again, "zweimal elfu\r")], code=0
    )
    assert "zwe" not in seen
    assert seen.startswith(f"{first}\n{again}\ncreated ring.json")
    pair.write("pass", "zweimal elfu\n")
    pair.run("keyset", "verify", "--passphrase-file", "pass")
    # It is asked at the terminal, wherever the streams lead to.
    with open(os.devnull, "rb") as empty:
        typed = [("passphrase: ", "zweimal elfu\r")]
        seen = at_terminal(pair, "keyset rotate --passphrase", typed, 0, stdin=empty.fileno())
    assert "rotated data key" in seen
    assert "[kek-mismatch]" in at_terminal(
        pair, "keyset verify --passphrase", [("passphrase: ", "drei\r")], code=3
    )


def test_a_new_passphrase_is_the_same_at_both_terminals(pair: Pair) -> None:
    """^W takes a word away, and what nobody sees is in none."""
    pair.env = {"RESEAL_KEYSET": "ring.json"}
    first, again = "new passphrase: ", "the same again: "
    line = "keyset init --new-passphrase"
    seen = at_terminal(pair, line, [(first, "twelve chars\x1b[D one\r")], code=2)
    assert "a control character is in the new passphrase" in seen
    typed = "drei vier-fuenf\x17sechs sieben.\x17\x17\x17acht neun\r"
    at_terminal(pair, line, [(first, typed), (again, "drei acht neun\r")], code=0)
    pair.write("pass", "drei acht neun")
    pair.run("keyset", "verify", "--passphrase-file", "pass")


def test_a_passphrase_is_not_asked_without_a_terminal(pair: Pair) -> None:
    for name in COMMANDS:
        done = subprocess.run(
            [*COMMANDS[name], "keyset", "init", "--new-passphrase"],
            check=False,
            cwd=pair.root / name,
            env=environment(pair.env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            start_new_session=True,
            timeout=SECONDS,
        )
        assert done.returncode == 2
        assert b"--new-passphrase-file" in done.stderr


def test_interrupted_while_a_passphrase_is_typed(pair: Pair, command: str) -> None:
    arguments = ("keyset", "init", "--new-passphrase")
    with Terminal(command, *arguments, cwd=pair.root / command, env=pair.env) as terminal:
        terminal.type("abc\x03", after="new passphrase: ")
        assert terminal.end() == -signal.SIGINT
        assert terminal.echoes
        assert terminal.seen.replace("^C", "").strip() == "new passphrase:"
    assert not (pair.root / command / "ring.json").exists()


def test_a_signal_leaves_a_terminal_that_echoes(pair: Pair, command: str) -> None:
    arguments = ("keyset", "init", "--new-passphrase")
    with Terminal(command, *arguments, cwd=pair.root / command, env=pair.env) as terminal:
        terminal.type("abc", after="new passphrase: ")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == -signal.SIGTERM
        assert terminal.echoes


def test_dangerous_moves_ask_at_a_terminal(pair: Pair) -> None:
    pair.write("kek", KEK.export())
    pair.write("first", DATA.export())
    pair.env["RESEAL_KEK_FILE"] = "kek"
    pair.run("keyset", "init", "--empty")
    pair.run("keyset", "introduce", "--key-file", "first")
    pair.run("keyset", "disable", DATA.id)
    line = f"keyset destroy {DATA.id}"
    before = pair.read("ring.json")
    for answer in ("\r", "no\r", "y\r", "\x04"):
        seen = at_terminal(pair, line, [("Type yes to go on: ", answer)], code=2)
        assert "nothing was changed" in seen
        assert "\nerror: " in seen  # also where nobody has pressed return
    assert pair.read("ring.json") == before
    asked = [("Type yes to go on: ", "yes\r")]
    assert "<key 0>" in at_terminal(pair, "keyset export-keys", asked, code=0)
    assert "destroyed data key" in at_terminal(pair, line, asked, code=0)
    assert "destroyed" in pair.run("keyset", "show").out


def test_values_at_a_terminal(pair: Pair) -> None:
    pair.env = dict(RING)
    steering = "a\x1b[2J\x9b31m\u202eb"
    stored = reseal.Keyring(primary=DATA).seal(steering, {})
    seen = at_terminal(pair, f"open {stored}", [], code=0)
    assert seen == "a\\u{1b}[2J\\u{9b}31m\\u{202e}b\n"
    assert pair.run("open", stored).out == steering + "\n"
    seen = at_terminal(pair, "inspect", [("^D ends them", f"{stored}\r\x04")], code=0)
    assert f"rs1 random {normalized(Ended(0, DATA.id, '')).out}" in seen
    assert "--jsonl" in at_terminal(pair, "seal --jsonl", [], code=2)


def test_interrupted_while_it_reads(command: str, tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMANDS[command], "seal"],
        cwd=tmp_path,
        env=environment(RING),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(b"one\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"rs1.")  # what is done comes out at once
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == -signal.SIGINT
        assert process.stderr.read() == b""


def test_interrupted_at_any_moment(tmp_path: Path) -> None:
    """Nothing is done with what a call could not say, such as the time."""

    class Interrupted(Host):
        def now(self) -> int:
            raise KeyboardInterrupt

    (tmp_path / "kek").write_text(KEK.export())
    line = f"keyset init --keyset {tmp_path / 'ring.json'} --kek-file {tmp_path / 'kek'}"
    with pytest.raises(KeyboardInterrupt):
        run_command(line.split(), Interrupted())
    assert os.listdir(tmp_path) == ["kek"]


@pytest.mark.parametrize("line", ["inspect", "convert --json", "completion bash", "--help"])
def test_a_reader_that_goes_away(pair: Pair, line: str) -> None:
    stored = reseal.Keyring(primary=DATA).seal("a", {})
    pair.write("values", f"{stored}\n" * 20_000)
    for name in COMMANDS:
        reading, writing = os.pipe()
        with open(pair.root / name / "values", "rb") as values:
            process = subprocess.Popen(
                [*COMMANDS[name], *line.split()],
                stdin=values,
                stdout=writing,
                stderr=subprocess.PIPE,
                env=environment({}),
            )
        os.close(writing)
        with process:
            if line in ("inspect", "convert --json"):
                assert os.read(reading, 1)
            os.close(reading)
            _, errors = process.communicate(timeout=SECONDS)
        assert (process.returncode, errors) == (141, b"")


def shell(pair: Pair, line: str) -> Iterator[Ended]:
    """How both end, with the streams that a line of the shell gives them."""
    for name, start in COMMANDS.items():
        done = subprocess.run(
            ["sh", "-c", line.replace("reseal", '"$@"'), "sh", *start],
            check=False,
            cwd=pair.root / name,
            env=environment(RING),
            capture_output=True,
            timeout=SECONDS,
        )
        yield Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize(
    ("line", "code", "error"),
    [
        ("reseal inspect a >/dev/full", 4, "standard output cannot be written (ENOSPC) [stream]"),
        ("reseal --help >/dev/full", 4, "standard output cannot be written (ENOSPC) [stream]"),
        ("reseal keys new --out k >/dev/full", 4, "standard output cannot be written (ENOSPC)"),
        ("reseal inspect a 2>/dev/full", 1, ""),
        ("reseal seal --json 0>out", 4, "standard input cannot be read (EBADF)"),
        ("reseal seal <&-", 0, ""),
        ("reseal seal a >&-", 0, ""),
        ("reseal keys new >&-", 4, "the key would be lost: give --out FILE [stream]"),
        ("reseal keys new >/dev/null", 4, "the key would be lost: give --out FILE [stream]"),
        ("reseal keys new --out k --json >&-", 0, ""),
        ("reseal inspect a 2>&-", 1, ""),
        ("reseal keyset show --keyset none 2>&-", 4, ""),
        ("printf 'a\\nb' | reseal seal >/dev/null", 0, ""),
    ],
)
def test_streams_that_fail(pair: Pair, line: str, code: int, error: str) -> None:
    for ended in shell(pair, line):
        assert ended.code == code, ended
        assert error in ended.err
        assert bool(error) == bool(ended.err)
        assert "Traceback" not in ended.err


BROKEN = "078-05-1120"
CLOCKS = {
    "sitecustomize.py": f"import time\ndef now(): raise ValueError({BROKEN!r})\ntime.time = now\n",
    "clock.cjs": f"Date.now = () => {{ throw new RangeError({BROKEN!r}); }};\n",
}


@pytest.mark.parametrize("as_json", [False, True])
def test_what_nobody_foresaw(pair: Pair, as_json: bool) -> None:
    """It is told by its kind and its places, which hold no value; 1 would be of values that were refused."""
    paths = [str(pair.root), *filter(None, [os.environ.get("PYTHONPATH")])]
    pair.env |= {
        "RESEAL_KEK": KEK.export(),
        "PYTHONPATH": os.pathsep.join(paths),
        "NODE_OPTIONS": f"--require={pair.root / 'clock.cjs'}",
    }
    for name, content in CLOCKS.items():
        (pair.root / name).write_text(content)
    for command, kind in (("python", "ValueError"), ("node", "RangeError")):
        ended = pair.one(command, "keyset", "init", *["--json"] * as_json, code=4)
        start = f"the command broke: {kind} at "
        if as_json:
            error = json.loads(ended.err)["error"]
            assert (error["code"], error["exit"]) == ("unexpected", 4)
            assert error["message"].startswith(start)
        else:
            assert ended.err.startswith(f"error: {start}")
            assert ended.err.endswith(" [unexpected]\n")
        assert ended.out == ""
        assert ended.err.count("\n") == 1
        assert BROKEN not in ended.err


def test_a_package_that_lacks_a_file(tmp_path: Path) -> None:
    (tmp_path / "cli.cjs").write_bytes(NPM_BIN.read_bytes())
    ended = subprocess.run(
        ["node", "cli.cjs", "keys", "new"], cwd=tmp_path, capture_output=True, timeout=SECONDS
    )
    assert ended.returncode == 4
    assert ended.stderr.startswith(b"error: the command broke: ENOENT at ")


def test_input_without_end(pair: Pair) -> None:
    """A line that is no value is refused without being kept, and what follows is done."""
    huge = "head -c 130000000 /dev/zero | tr '\\0' x"
    value = "head -c 16777217 /dev/zero | tr '\\0' x"
    line = f"{{ {huge}; echo; {value}; echo; echo end; }} | reseal seal"
    ended = list(shell(pair, line))
    assert ended[0].err == ended[1].err
    for one in ended:
        assert one.code == 1
        assert one.err.count("[too-large]") == 2
        assert reseal.Keyring(primary=DATA).open_str(one.out.strip(), {}) == "end"


def test_what_is_no_unicode(pair: Pair) -> None:
    pair.env = dict(RING)
    ended = pair.run("seal", "--jsonl", stdin=b'{"value":"\xff"}\n{"value":"a"}\n', code=1)
    assert ended.out.startswith("\nrs1.")
    assert "[invalid-text]" in pair.run("seal", stdin=b"\xed\xa0\x80\n", code=1).err
    line = "RESEAL_KEYSET=x$(printf '\\377') reseal keyset show"
    python, node = shell(pair, line)
    assert python == node
    assert "x\ufffd" in python.err
