"""The command `reseal` of pip and that of npm do the same on the same inputs: calls and values."""

from __future__ import annotations

import base64
import json
import stat
from typing import Any

import pytest
import reseal
from cli_support import (
    COMMANDS,
    CONTEXT,
    DATA,
    HERE,
    KEK,
    OLD,
    Pair,
    run,
)

GROUPS: dict[str, list[str]] = {
    "": [
        *("keys", "keyset", "seal", "open", "inspect", "convert", "manifest", "census", "discover"),
        *("plan", "apply", "verify", "retire", "guide", "canary", "doctor", "completion"),
    ],
    "keys": ["new"],
    "keyset": [
        *("init", "show", "introduce", "promote", "rotate", "disable", "enable", "destroy"),
        *("revert", "label", "lease", "rewrap-keys", "verify", "export-keys"),
    ],
    "manifest": ["check"],
    "canary": ["make", "check"],
}
PAGES = [[], *([*filter(None, [group]), name] for group, names in GROUPS.items() for name in names)]
SHELLS = ["bash", "zsh", "fish", "powershell", "elvish"]


@pytest.mark.parametrize("page", PAGES, ids=" ".join)
def test_help(pair: Pair, page: list[str]) -> None:
    long, short = pair.run(*page, "--help").out, pair.run(*page, "-h").out
    assert f"Usage: reseal{''.join(f' {word}' for word in page)}" in long
    assert "\nUsage: " in short
    assert len(short) <= len(long)


def test_the_pages_are_all_there_are(pair: Pair) -> None:
    for group, names in GROUPS.items():
        text = pair.run(*filter(None, [group]), "-h").out
        listed = text.split("Commands:\n")[1].split("\n\n")[0].splitlines()
        assert [line.split()[0] for line in listed] == [*names, "help"]


def test_version(pair: Pair) -> None:
    assert pair.run("--version").out == f"reseal {reseal.__version__}\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_completion(pair: Pair, shell: str) -> None:
    assert "export-keys" in pair.run("completion", shell).out


@pytest.mark.parametrize(
    "line",
    [
        "",
        "frobnicate",
        "keys",
        "keys new --use",
        "keys new --use lock",
        "keys new --for rails --use data",
        "keys new spare",
        "keyset",
        "keyset promote",
        "keyset promote abcd --forward",
        "keyset lease -1",
        "keyset lease 4294967296",
        "keyset show --passphrase --passphrase-file x",
        "keyset rewrap-keys --keep --remove abcd",
        "seal --mode quick x",
        "seal --binary=octal x",
        "seal --jsonl x",
        "seal --context table x",
        "convert --to yaml x",
        "convert --from app x",
        "convert --from app --manifest x",
        "convert --manifest x --to text y",
        "convert --context a=b --to text x",
        "keyset show --keyset ring.json --db sqlite:///app.db",
        "apply --worker-lease 30",
        "apply --dry-run --verify-one-in 2",
        "manifest",
        "manifest check a b",
        "completion tcsh",
        "--jso",
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_wrong_calls(ringed: Pair, line: str, as_json: bool) -> None:
    ended = ringed.run(*line.split(), *["--json"] * as_json, code=2)
    assert ended.out == ""
    if as_json:
        error = json.loads(ended.err)["error"]
        assert (error["code"], error["exit"]) == ("usage", 2)
    else:
        assert ended.err


def test_arguments_that_are_not_repeated(ringed: Pair) -> None:
    ended = ringed.run("seal", DATA.export(), code=2)
    assert "argument 2 holds a key" in ended.err
    assert DATA.export()[10:] not in ended.err
    assert "argument 2 is no UTF-8" in ringed.run("inspect", b"\xff\xfe", code=2).err
    assert "argument 3" in ringed.run("seal", "-c", b"a=\xc3", code=2).err


@pytest.mark.parametrize(
    "line",
    [
        "keyset show --passphrase {}",
        "keyset show --passphrase={}",
        "keyset --passphrase {} show",
        "keyset show --kek {}",
        "keyset show --kek={}",
        "keys new --use {}",
        "seal -c {} a",
        "{}",
    ],
)
def test_a_passphrase_as_an_argument_is_not_repeated(pair: Pair, line: str) -> None:
    for more in ([], ["--json"]):
        ended = pair.run(*line.format("Hunter2!").split(), *more, code=2)
        assert "Hunter2" not in ended.out + ended.err


@pytest.mark.parametrize(
    "name",
    [
        *("RESEAL_KEYSET", "RESEAL_KEK_FILE", "RESEAL_PASSPHRASE_FILE", "RESEAL_RING"),
        *("RESEAL_MIN_GENERATION", "RESEAL_KEY_DIR", "RESEAL_PRIMARY", "RESEAL_PRIMARY_KEY_FILE"),
        *("RESEAL_INDEX_KEY", "RESEAL_DECRYPT_KEYS", "RESEAL_PRIMARY_KEY", "RESEAL_KEK_OLD"),
    ],
)
def test_a_key_in_a_variable_of_something_else(keyed: Pair, name: str) -> None:
    """It stands in no message of the core, nor in one of the two hosts."""
    directory = {"RESEAL_KEY_DIR": ".", "RESEAL_PRIMARY": "first"}
    for env in (keyed.env, directory):
        keyed.env = {**env, name: KEK.export()}
        for line in ("seal a", "doctor --json", "keyset show"):
            ended = keyed.run(*line.split(), code=None)
            assert KEK.export()[10:] not in ended.out + ended.err
            assert ended.out + ended.err


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_named_after_its_key(pair: Pair, command: str) -> None:
    text = DATA.export()
    pair.write("keys/new", OLD.export())
    pair.write(f"keys/{text}", "no key")
    pair.env = {"RESEAL_KEY_DIR": "keys", "RESEAL_PRIMARY": "new"}
    path = pair.root / command / "keys" / text
    for name in (path, None):
        path.chmod(0o644)
        if name is None:
            path.unlink()
            path.symlink_to(path)
        for line in ("seal a", "doctor", "seal a --json", "doctor --json"):
            ended = run(command, *line.split(), cwd=pair.root / command, env=pair.env)
            assert ended.code in (3, 4)
            assert ended.out + ended.err
            assert text[10:] not in ended.out + ended.err


def test_nothing_steers_the_terminal(pair: Pair) -> None:
    """Neither in a message of the core nor in one of the two hosts."""
    steering = "\x1b[2J\x9b31m\u202e\x7f\n"
    pair.write(f"kek{steering}", KEK.export())
    pair.write(f"keys/a{steering}", "no key")
    pair.env = {"RESEAL_KEYSET": f"ring{steering}", "RESEAL_KEK_FILE": f"kek{steering}"}
    pair.env[f"RESEAL_{steering}"] = "x"
    lines = [
        *(["keyset", "init"], ["keyset", "init"], ["keyset", "show"], ["keyset", "introduce"]),
        *(["doctor"], ["keyset", "show", "--keyset", steering], ["keyset", steering], [steering]),
        *(
            ["keyset", "label", "aaaa", steering],
            ["seal", "--mode", steering],
            ["inspect", steering],
        ),
        *(["keys", "new", "--out", f"new{steering}"], ["keys", "new", "--out", f"no/{steering}"]),
        ["keyset", "export-keys", "--yes", "--out", f"out{steering}"],
    ]
    directory = {"RESEAL_KEY_DIR": "keys", "RESEAL_PRIMARY": "a"}
    elsewhere = {**directory, "RESEAL_KEY_DIR": f"no{steering}"}
    for env in (pair.env, directory, elsewhere):
        of_files = lines if env is pair.env else [["doctor"], ["seal", "a"]]
        pair.env = env
        for line in of_files:
            for more in ([], ["--json"]):
                ended = pair.run(*more, *line, code=None)
                # The terminal would do what a control character says, or a line of its own.
                seen = (ended.out + ended.err).replace("\n", "")
                assert seen.isprintable(), (line, seen)
                assert "31m" not in [text.strip() for text in ended.err.splitlines()]
    for command in COMMANDS:
        assert (pair.root / command / f"new{steering}").exists()


def test_new_keys(pair: Pair) -> None:
    for use in ("data", "index", "kek"):
        made = json.loads(pair.run("keys", "new", "--use", use, "--json").out)
        key = reseal.Key.parse(made["key"])
        assert (key.id, key.use) == (made["id"], made["use"]) == (made["id"], use)
        plain = pair.run("keys", "new", "--use", use)
        assert reseal.Key.parse(plain.out.removesuffix("\n")).id in plain.err
    assert pair.run("keys", "new").out != pair.run("keys", "new").out


def test_new_key_in_a_file(pair: Pair) -> None:
    ended = pair.run("keys", "new", "--use", "kek", "--out", "kek")
    for command in COMMANDS:
        path = pair.root / command / "kek"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert reseal.Key.parse(path.read_text().removesuffix("\n")).use == "kek"
    assert "rsk1." not in ended.out + ended.err
    before = pair.read("kek")
    assert "[keyset-unwritable]" in pair.run("keys", "new", "--out", "kek", code=4).err
    assert pair.read("kek") == before
    pair.run("keys", "new", "--out", "no/where", code=4)


@pytest.mark.parametrize(
    ("system", "names"),
    [
        ("fernet", ["key"]),
        ("rails", ["primary_key", "deterministic_key", "key_derivation_salt"]),
        ("metabase", ["MB_ENCRYPTION_SECRET_KEY"]),
        ("n8n", ["N8N_ENCRYPTION_KEY"]),
        ("freeboard", ["CREDENTIAL_ENCRYPTION_KEY"]),
        ("django-fernet", ["SECRET_KEY", "SALT_KEY"]),
        ("fernet-fields", ["FERNET_KEYS"]),
        ("django-cryptography", ["SECRET_KEY", "CRYPTOGRAPHY_KEY"]),
        ("sqlalchemy-utils", ["key"]),
    ],
)
def test_new_keys_of_others(pair: Pair, system: str, names: list[str]) -> None:
    for command in COMMANDS:
        made = json.loads(pair.one(command, "keys", "new", "--for", system, "--json").out)
        assert made["for"] == system
        assert list(made["keys"]) == names
        plain = pair.one(command, "keys", "new", "--for", system)
        pair.one(command, "keys", "new", "--for", system, "--out", system)
        in_file = pair.read(system, command)
        for text in (plain.out, in_file):
            assert len(text.split()) == {1: 1, 2: 6, 3: 7}[len(names)]
            if system.startswith("django"):
                settings: dict[str, str] = {}
                exec(text, settings)
                assert all(len(settings[name]) >= 32 for name in names)
                assert len(settings["SECRET_KEY"]) >= 50
        # Some of them take a line end for a part of the key.
        assert in_file.endswith("\n") == (len(names) > 1)
        if system in ("fernet", "freeboard", "fernet-fields"):
            assert len(base64.urlsafe_b64decode(in_file)) == 32 or system == "freeboard"
    hints = [pair.one(command, "keys", "new", "--for", system).err for command in COMMANDS]
    assert hints[0] == hints[1]
    assert hints[0].startswith("hint: ")


def test_values_as_arguments(ringed: Pair) -> None:
    ring = reseal.Keyring(primary=DATA)
    for mode in ("random", "deterministic", "padded"):
        sealed = ringed.run("seal", *CONTEXT, "--mode", mode, "one", "zwei €", "").out.splitlines()
        assert [ring.open_str(value, HERE) for value in sealed] == ["one", "zwei €", ""]
        assert {reseal.inspect(value).mode for value in sealed} == {mode}
        assert ringed.run("open", *CONTEXT, *sealed).out == "one\nzwei €\n\n"
    refused = ringed.run("open", "-c", "table=other", *sealed, code=1)
    assert refused.out == "\n\n\n"
    assert refused.err.count("[auth-failed]") == 3


def test_values_as_lines(ringed: Pair) -> None:
    lines = "".join(f"value {number}\n" for number in range(5000))
    sealed = ringed.run("seal", stdin=lines).out
    assert sealed.count("\n") == 5000
    assert ringed.run("open", stdin=sealed.replace("\n", "\r\n")).out == lines
    broken = ringed.run("open", stdin=sealed.encode() + b"\xff\n" + b"rs1.oops\n", code=1)
    assert broken.out == lines + "\n\n"
    assert "value 5001" in broken.err
    assert "value 5002" in broken.err


def test_values_as_json_lines(ringed: Pair) -> None:
    rows: list[dict[str, Any]] = [
        {"id": number, "value": f"line\n{number}", "context": {**HERE, "row": number}}
        for number in range(100)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    sealed = ringed.run("seal", "--jsonl", "--json", stdin=lines).out.splitlines()
    for row, line in zip(rows, map(json.loads, sealed), strict=True):
        assert line.pop("ok") is True
        row["value"] = line["value"]
        assert line == {"id": row["id"], "value": row["value"]}
    stored = "".join(json.dumps(row) + "\n" for row in rows) + '{"value":7,"id":"x"}\n'
    opened = ringed.run("open", "--jsonl", "--json", stdin=stored, code=1).out.splitlines()
    refused = json.loads(opened.pop())
    assert (refused["id"], refused["code"]) == ("x", "invalid-argument")
    values = [json.loads(line)["value"] for line in opened]
    assert values == [f"line\n{number}" for number in range(100)]


def test_bytes_and_binary_forms(ringed: Pair) -> None:
    ring = reseal.Keyring(primary=DATA)
    value = bytes(range(256))
    encoded = {"base64": base64.b64encode(value).decode(), "hex": value.hex()}
    for given, text in encoded.items():
        options = [f"--bytes={given}", "--binary=hex", "--mode=deterministic"]
        sealed = ringed.run("seal", *options, text).out.strip()
        assert ring.open_binary(bytes.fromhex(sealed), {}) == value
        for form in ("base64", "hex", "text"):
            other = ringed.run("convert", "--to", form, sealed).out.strip()
            shown = json.loads(ringed.run("inspect", "--json", other).out)
            assert (shown["form"], shown["key_id"]) == (form, DATA.id)
            for printed, expected in encoded.items():
                assert ringed.run("open", f"--bytes={printed}", other).out.strip() == expected
        assert "[invalid-text]" in ringed.run("open", sealed, code=1).err
    assert "[invalid-argument]" in ringed.run("seal", "--bytes", "no base64!", code=1).err
