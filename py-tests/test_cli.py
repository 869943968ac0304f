"""The command `reseal` of pip and that of npm do the same on the same inputs."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import reseal
from cli_support import (
    COMMANDS,
    ROOT,
    SECONDS,
    Pair,
    environment,
    fixed_key,
    normalized,
    run,
)

GROUPS: dict[str, list[str]] = {
    "": [
        *("keys", "keyset", "seal", "open", "inspect", "convert", "manifest", "canary", "doctor"),
        "completion",
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
DATA, OLD, INDEX, KEK = (
    fixed_key("data", 1),
    fixed_key("data", 2),
    fixed_key("index", 3),
    fixed_key("kek", 9),
)
HERE = {"table": "users", "column": "ssn"}
CONTEXT = [*("--context", "table=users"), *("-c", "column=ssn")]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


@pytest.fixture
def ringed(pair: Pair) -> Pair:
    pair.env["RESEAL_PRIMARY_KEY"] = DATA.export()
    return pair


@pytest.fixture
def keyed(pair: Pair) -> Pair:
    """With a keyset of known keys: first is primary, second is introduced."""
    pair.write("kek", KEK.export() + "\n")
    pair.write("first", DATA.export())
    pair.write("second", OLD.export())
    pair.env |= {"RESEAL_KEYSET": "ring.json", "RESEAL_KEK_FILE": "kek"}
    pair.run("keyset", "init", "--empty")
    pair.run("keyset", "introduce", "--key-file", "first", "--label", "first")
    pair.run("keyset", "promote", DATA.id)
    pair.run("keyset", "introduce", "--key-file", "second", "--label", "second")
    return pair


def shown(pair: Pair) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(pair.run("keyset", "show", "--json").out)
    return found


def states(pair: Pair) -> dict[str, str]:
    return {key["label"]: key["state"] for key in shown(pair)["keys"]}


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
            assert len(text.split()) == (1 if len(names) == 1 else 7)
        # Some of them take a line end for a part of the key.
        assert in_file.endswith("\n") == (system == "rails")
        if system in ("fernet", "freeboard"):
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
    stored = "".join(json.dumps(row) + "\n" for row in rows) + '{"value":7}\n'
    opened = ringed.run("open", "--jsonl", "--json", stdin=stored, code=1).out.splitlines()
    assert json.loads(opened.pop())["code"] == "invalid-argument"
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


def test_inspect_and_convert_need_no_key(pair: Pair) -> None:
    stored = reseal.Keyring(primary=DATA).seal("0123456789", HERE, mode="deterministic")
    assert pair.run("inspect", stored).out == f"rs1 deterministic {DATA.id} 10 bytes, text\n"
    binary = pair.run("convert", stored).out.strip()
    assert base64.b64decode(binary) == reseal.to_binary(stored)
    assert pair.run("convert", binary, f"\\x{reseal.to_binary(stored).hex()}").out == 2 * (
        stored + "\n"
    )
    junk = ["", "hello", stored[:45], "rs2" + stored[3:], "wV5SUw", "c15e5253", stored + "\x1b[2J"]
    for command in ("inspect", "convert"):
        ended = pair.run(command, *junk, code=1)
        assert ended.out == "\n" * len(junk)
        assert "\x1b" not in ended.err
        lines = pair.run(command, "--json", *junk, code=1).out.splitlines()
        assert not any(json.loads(line)["ok"] for line in lines)


MANIFEST = """version = 1
[codecs.app]
kind = "reseal"
keyring = "env"
[codecs.ring]
kind = "reseal"
keyring = "keyset:ring.json"
kek = "file:kek"
[codecs.dir]
kind = "reseal"
keyring = "dir:ring"
primary = "first"
[codecs.rails_old]
kind = "rails"
primary_keys = ["env:AR_PRIMARY_KEY"]
key_derivation_salt = "file:salt"
[codecs.fields]
kind = "sentry"
key_dir = "sentry"
primary = "key_2024_02"
[codecs.rows]
kind = "metabase"
keys = ["env:AR_PRIMARY_KEY"]
data_keys = "table:data_encryption_key"
"""
COLUMN = """[[columns]]
table = "users"
column = "ssn"
row_id = ["id"]
context = { table = "users", column = "ssn" }
read = ["app", "ring", "dir", "rails_old", "fields", "rows"]
"""


def case_of(system: str, name: str) -> dict[str, Any]:
    """A case of another system."""
    file = json.loads((ROOT / f"spec/vectors/{system}/public.json").read_text())
    found: dict[str, Any] = next(case for case in file["vectors"] if case["id"] == name)
    return found


@pytest.fixture
def described(keyed: Pair) -> Pair:
    """With a manifest, and what it names: a keyset, a directory, and the keys of other systems."""
    keyed.write("reseal.toml", MANIFEST + COLUMN + 'write = "app"\n')
    rails = case_of("rails", "rails-pub-01")["keys"]
    keyed.env = {"RESEAL_PRIMARY_KEY": DATA.export(), "AR_PRIMARY_KEY": rails["primary_key"][0]}
    keyed.write("salt", rails["key_derivation_salt"] + "\n")
    keyed.write("ring/first", DATA.export())
    for name, text in case_of("sentry", "text-ascii")["keyring"].items():
        keyed.write(f"sentry/{name}", text)
    for command in COMMANDS:
        for path in (keyed.root / command).rglob("*"):
            if path.is_file():
                path.chmod(0o600)
    return keyed


def test_inspect_names_the_formats_of_other_systems(pair: Pair) -> None:
    rails = case_of("rails", "rails-pub-10")["ciphertext"]["value"]
    sentry = case_of("sentry", "text-ascii")["ciphertext"]
    metabase = case_of("metabase", "metabase-pub-16")["ciphertext"]["value"]
    lines = "\n".join([rails, sentry, metabase, "078-05-1120", "enc:fernet:a\x1b[2J:Z0FB"])
    ended = pair.run("inspect", stdin=lines, code=1)
    assert ended.out.splitlines() == [
        "rails json key 4852, sure",
        "sentry fernet key key_2024_02, sure",
        ended.out.splitlines()[2],
        "",
        "sentry fernet key a\\u{1b}[2J, sure",
    ]
    assert ended.out.splitlines()[2].startswith("metabase v2 key 1, sure")
    assert "value 4: " in ended.err
    assert ended.err.endswith("[not-envelope]\n")
    shown = [
        json.loads(line)
        for line in pair.run("inspect", "--json", stdin=lines, code=1).out.splitlines()
    ]
    formats = [line.get("formats", [{}])[0] for line in shown]
    assert [one.get("kind") for one in formats] == ["rails", "sentry", "metabase", None, "sentry"]
    assert formats[4]["key"] == "a\x1b[2J"


def test_manifest_check(described: Pair) -> None:
    assert described.run("manifest", "check").out == "0 errors, 0 warnings\n"
    described.write("bad.toml", MANIFEST + COLUMN + 'write = "ap"\nmood = "bad"\n')
    ended = described.run("manifest", "check", "bad.toml", code=2)
    places = [line.split(": ")[:3] for line in ended.out.splitlines()[:-1]]
    assert places == [
        ["bad.toml:31:9", "error", "columns[0].write"],
        ["bad.toml:32:1", "error", "columns[0].mood"],
    ]
    report = json.loads(described.run("manifest", "check", "bad.toml", "--json", code=2).out)
    assert (report["valid"], len(report["errors"])) == (False, 2)

    described.write("reseal.toml", MANIFEST + COLUMN + 'write = "plain"\n')
    ended = described.run("manifest", "check")
    assert ended.out.endswith("0 errors, 1 warning\n")
    described.env["RESEAL_REQUIRE_ENCRYPTION"] = "1"
    assert "[encryption-required]" in described.run("manifest", "check", code=2).out

    described.write("large.toml", "#" * (2**20 + 1))
    assert "[manifest-invalid]" in described.run("manifest", "check", "large.toml", code=2).err
    described.write("bytes.toml", b"\xff")
    assert "[manifest-invalid]" in described.run("manifest", "check", "bytes.toml", code=2).err
    for path in ("none.toml", "ring", "rsk1.data.secret"):
        ended = described.run("manifest", "check", path, code=2 if "rsk1" in path else 4)
        assert "secret" not in ended.err


@pytest.mark.parametrize("target", ["app", "ring", "dir"])
@pytest.mark.parametrize(
    ("source", "system", "name"),
    [("rails_old", "rails", "rails-pub-01"), ("fields", "sentry", "text-unicode")],
)
def test_convert_between_codecs(
    described: Pair, target: str, source: str, system: str, name: str
) -> None:
    case = case_of(system, name)
    stored = case["ciphertext"] if system == "sentry" else case["ciphertext"]["value"]
    plaintext = case["plaintext"] if system == "sentry" else case["plaintext"]["value"]
    rows = [
        {"id": 1, "value": stored, "context": {"row": 1}},
        {"id": 2, "value": None},
        {"id": 3, "value": stored[:-9] + "AAAA" + stored[-5:]},
        {"id": 4, "value": "078-05-1120"},
    ]
    lines = "\n".join(map(json.dumps, rows))
    there = ["convert", "--from", source, "--to", target, *CONTEXT]
    ended = described.run(*there, "--jsonl", stdin=lines, code=1)
    assert [line[:14] for line in ended.err.splitlines()] == ["error: value 3", "error: value 4"]
    sealed = ended.out.splitlines()
    assert sealed[1:] == ["", "", ""]
    ring = reseal.Keyring(primary=DATA)
    assert ring.open(sealed[0], {**HERE, "row": 1}).decode() == plaintext
    told = [
        json.loads(line)
        for line in described.run(*there, "--jsonl", "--json", stdin=lines, code=1).out.splitlines()
    ]
    assert [line.get("outcome") for line in told] == ["resealed", "null", None, None]
    assert told[3]["code"] == "format-mismatch"

    again = described.run(*there, "-c", "row=1", sealed[0])
    assert again.out == sealed[0] + "\n"
    back = ["convert", "--from", target, "--to", source, *CONTEXT, "-c", "row=1", sealed[0]]
    for command in COMMANDS:
        old = described.one(command, *back).out
        plain = described.run("convert", "--from", source, "--to", "plain", stdin=old)
        assert plain.out == plaintext + "\n"
        assert plain.err.startswith("warning: the codec plain writes plaintext")
    described.env["RESEAL_REQUIRE_ENCRYPTION"] = "1"
    ended = described.run("convert", "--from", source, "--to", "plain", stored, code=2)
    assert "[encryption-required]" in ended.err


def test_what_convert_lacks(described: Pair) -> None:
    def error(*arguments: str, code: int) -> str:
        return described.run("convert", *arguments, "x", code=code).err

    assert "file:PATH [source-missing]" in error("--from", "rows", "--to", "app", code=3)
    ended = error("--from", "Hunter2!", "--to", "app", code=2)
    assert "which has app, dir, fields, plain, rails_old, ring, rows" in ended
    assert "Hunter2" not in ended + error("--from", "app", "--to", "Hunter2!", code=2)
    assert "[source-unreadable]" in error(
        "--from", "app", "--to", "plain", "--manifest", "none.toml", code=4
    )
    del described.env["AR_PRIMARY_KEY"]
    assert "AR_PRIMARY_KEY is not set [source-missing]" in error(
        "--from", "rails_old", "--to", "app", code=3
    )
    described.write("salt", "x" * 65_537)
    described.env["AR_PRIMARY_KEY"] = "x"
    assert "[source-unreadable]" in error("--from", "rails_old", "--to", "app", code=4)


@pytest.mark.parametrize(
    ("env", "code", "error"),
    [
        ({}, 3, "source-missing"),
        ({"RESEAL_PRIMARY_KEY": "oops"}, 3, "invalid-key"),
        ({"RESEAL_PRIMARY_KEY": f"'{DATA.export()}'"}, 3, "invalid-key"),
        ({"RESEAL_PRIMARY_KEY": KEK.export()}, 3, "key-wrong-use"),
        ({"RESEAL_PRIMARY_KEY_FILE": "none"}, 4, "source-unreadable"),
        ({"RESEAL_KEY_DIR": "none", "RESEAL_PRIMARY": "a"}, 4, "source-unreadable"),
        ({"RESEAL_KEYSET": ".", "RESEAL_KEK": KEK.export()}, 4, "source-unreadable"),
        ({"RESEAL_KEYSET": "a", "RESEAL_KEY_DIR": "b"}, 3, "source-conflict"),
        ({"RESEAL_KEYSET": "a", "RESEAL_MIN_GENERATION": "b"}, 3, "source-missing"),
    ],
)
def test_sources_that_fail(pair: Pair, env: dict[str, str], code: int, error: str) -> None:
    pair.env |= env
    for line in (["seal", "x"], ["open", "x"], ["canary", "make"], ["canary", "check", "x"]):
        ended = pair.run(*line, code=code)
        assert ended.out == ""
        assert ended.err.endswith(f"[{error}]\n"), ended.err
    found = json.loads(pair.run("doctor", "--json", code=3).out)["findings"]
    assert error in [finding.get("code") for finding in found]
    assert DATA.export()[10:] not in str(found)


def test_sources_in_files_and_directories(pair: Pair) -> None:
    pair.write("keys/new", DATA.export() + "\n")
    pair.write("keys/old", OLD.export())
    pair.write("keys/.hidden", "no key")
    pair.write("index", INDEX.export())
    stored = reseal.Keyring(primary=OLD).seal("a", {})
    pair.env = {"RESEAL_KEY_DIR": "keys", "RESEAL_PRIMARY": "new"}
    assert pair.run("open", stored).out == "a\n"
    assert DATA.id in pair.run("seal", "a").out
    assert pair.run("doctor").out.endswith("\n0 errors, 0 warnings\n")
    pair.env = {"RESEAL_PRIMARY_KEY_FILE": "keys/new", "RESEAL_INDEX_KEY_FILE": "index"}
    assert "[unknown-key]" in pair.run("open", stored, code=1).err
    pair.run("doctor")
    for command in COMMANDS:
        os.chmod(pair.root / command / "keys/new", 0o644)
    ended = pair.run("seal", "a")
    assert ended.err.startswith("warning: ")
    assert "warning" in pair.run("doctor").out
    warned = pair.run("seal", "a", "--json")
    assert "everybody" in json.loads(warned.err)["warning"]


def test_canaries(ringed: Pair) -> None:
    canary = ringed.run("canary", "make").out
    assert reseal.Keyring(primary=DATA).check(canary.strip()) == "ok"
    assert ringed.run("canary", "check", stdin=canary).out == "ok: the keys are the right ones\n"
    assert json.loads(ringed.run("canary", "check", canary.strip(), "--json").out) == {"ok": True}
    ringed.env["RESEAL_PRIMARY_KEY"] = OLD.export()
    wrong = ringed.run("canary", "check", "--json", stdin=canary, code=3)
    assert json.loads(wrong.out) == {"ok": False, "code": "unknown-key"}
    assert "no canary was given" in ringed.run("canary", "check", code=2).err
    for junk in (b"hello\n", b"\xff\n"):
        assert "[not-envelope]" in ringed.run("canary", "check", stdin=junk, code=1).err


def test_a_keyset_from_first_to_last(keyed: Pair) -> None:
    assert states(keyed) == {"first": "primary", "second": "introduced"}
    keyed.run("keyset", "promote", OLD.id[:4])
    assert states(keyed) == {"first": "decrypt_only", "second": "primary"}
    assert "[keyset-transition]" in keyed.run("keyset", "promote", DATA.id, code=3).err
    keyed.run("keyset", "revert", code=2)
    keyed.run("keyset", "revert", "--yes")
    keyed.run("keyset", "promote", OLD.id, "--back", "--yes")
    keyed.run("keyset", "disable", DATA.id)
    keyed.run("keyset", "enable", DATA.id, code=2)
    keyed.run("keyset", "enable", DATA.id, "-y", "--json")
    keyed.run("keyset", "disable", DATA.id)
    keyed.run("keyset", "label", DATA.id, "gone")
    keyed.run("keyset", "destroy", DATA.id, code=2)
    keyed.run("keyset", "destroy", DATA.id, "--yes")
    assert states(keyed) == {"gone": "destroyed", "second": "primary"}
    keyed.run("keyset", "disable", OLD.id, code=3)
    keyed.run("keyset", "disable", OLD.id, "--emergency", code=2)
    keyed.run("keyset", "disable", OLD.id, "--emergency", "--yes")
    assert "[no-primary]" in keyed.run("seal", "a", code=3).err
    keyed.run("keyset", "rotate", "--label", "third")
    keyed.run("keyset", "rotate", "--use", "index", "--label", "index", "--json")
    keyed.run("keyset", "lease", "3600")
    assert "[keyset-transition]" in keyed.run("keyset", "rotate", code=3).err
    keyed.run("keyset", "introduce", "--label", "fourth")
    keyed.run("keyset", "rotate", "--early", "--label", "fifth")
    assert states(keyed)["fifth"] == "primary"
    assert shown(keyed)["lease_seconds"] == 3600
    keyed.run("keyset", "show")
    keyed.run("doctor")
    assert keyed.run("keyset", "verify").out.startswith("ok: ring ")


def test_no_key_of_a_keyset(keyed: Pair) -> None:
    for name in ("", "abc", "zzzz", "ABCD", "a" * 33, "../x", "rsk2.data"):
        for move in ("promote", "disable", "enable", "destroy"):
            assert "[invalid-argument]" in keyed.run("keyset", move, name, code=2).err
    keyed.run("keyset", "label", DATA.id, "x" * 65, code=2)
    keyed.run("keyset", "label", DATA.id, "a\x1bb", code=2)
    keyed.run("keyset", "lease", "31536001", code=2)


def test_exported_keys(keyed: Pair) -> None:
    keyed.run("keyset", "export-keys", code=2)
    lines = keyed.run("keyset", "export-keys", "--yes").out.splitlines()
    assert [line.split() for line in lines] == [
        [DATA.export(), DATA.id, "primary", "first"],
        [OLD.export(), OLD.id, "introduced", "second"],
    ]
    keys = json.loads(keyed.run("keyset", "export-keys", "--yes", "--json").out)["keys"]
    assert [key["key"] for key in keys] == [DATA.export(), OLD.export()]
    ended = keyed.run("keyset", "export-keys", "--yes", "--out", "keys")
    assert "rsk1." not in ended.out + ended.err
    for command in COMMANDS:
        assert keyed.read("keys", command).splitlines() == lines
        assert stat.S_IMODE((keyed.root / command / "keys").stat().st_mode) == 0o600


def test_key_encrypting_keys(keyed: Pair) -> None:
    keyed.write("new", fixed_key("kek", 8).export())
    keyed.write("pass", "correct horse battery staple\n")
    keyed.run("keyset", "rewrap-keys", code=2)
    keyed.run("keyset", "rewrap-keys", "--new-kek-file", "first", code=3)
    keyed.run("keyset", "rewrap-keys", "--new-kek-file", "kek", "--keep", code=3)
    keyed.run("keyset", "rewrap-keys", "--new-kek-file", "new", "--keep")
    assert "[kek-mismatch]" in keyed.run("keyset", "rotate", code=3).err
    keyed.run("keyset", "rotate", "--kek-file", "new")
    keyed.run("keyset", "verify", code=3)
    keyed.run("keyset", "verify", "--kek-file", "new")
    keyed.env["RESEAL_KEK_FILE"] = "new"
    keyed.run("keyset", "rewrap-keys", "--remove", KEK.id[:8], code=2)
    keyed.run("keyset", "rewrap-keys", "--remove", KEK.id[:8], "--yes")
    assert [kek["id"] for kek in shown(keyed)["keks"]] == [fixed_key("kek", 8).id]
    keyed.run("keyset", "rewrap-keys", "--new-passphrase-file", "pass", "--yes")
    assert "[kek-mismatch]" in keyed.run("keyset", "show", code=3).err
    keyed.env = {"RESEAL_KEYSET": "ring.json", "RESEAL_PASSPHRASE_FILE": "pass"}
    assert [kek["kind"] for kek in shown(keyed)["keks"]] == ["passphrase"]
    sealed = keyed.one("python", "seal", "a").out
    keyed.copy("ring.json", "python", "node")
    assert keyed.run("open", stdin=sealed).out == "a\n"


def test_a_new_keyset(pair: Pair) -> None:
    pair.write("kek", KEK.export())
    pair.env["RESEAL_KEYSET"] = "ring.json"
    assert "[source-missing]" in pair.run("keyset", "init", code=3).err
    made = pair.run("keyset", "init", "--kek-file", "kek", "--index", "--label", "a b", "--json")
    assert [key["use"] for key in json.loads(made.out)["keys"]] == ["data", "index"]
    assert "[keyset-conflict]" in pair.run("keyset", "init", "--kek-file", "kek", code=3).err
    for command in COMMANDS:
        assert stat.S_IMODE((pair.root / command / "ring.json").stat().st_mode) == 0o600
    assert "not verified" in pair.run("keyset", "show").out
    pair.run("keyset", "init", "--keyset", "two", "--kek-file", "none", code=4)
    pair.run("keyset", "init", "--keyset", "none/two", "--kek-file", "kek", code=4)
    pair.run(
        "keyset", "init", "--keyset", "two", "--kek-file", "kek", "--lease", "99999999", code=2
    )
    assert sorted(os.listdir(pair.root / "python")) == ["kek", "ring.json"]


@pytest.mark.parametrize(
    ("content", "code", "error"),
    [
        (b"", 3, "keyset-malformed"),
        (b"{}", 3, "keyset-malformed"),
        (b"\xff\xfe", 3, "keyset-malformed"),
        (b" " * 2_000_000, 3, "keyset-malformed"),
        (b'{"format":"reseal-keyset","version":2}', 3, "unsupported-version"),
        (None, 4, "source-unreadable"),
    ],
)
def test_keysets_that_are_none(pair: Pair, content: bytes | None, code: int, error: str) -> None:
    pair.write("kek", KEK.export())
    pair.env = {"RESEAL_KEYSET": "ring.json", "RESEAL_KEK_FILE": "kek"}
    if content is not None:
        pair.write("ring.json", content)
    for line in ("keyset show", "keyset rotate", "keyset verify", "seal x", "keyset lease 1"):
        assert pair.run(*line.split(), code=code).err.endswith(f"[{error}]\n")
    pair.run("doctor", code=3)
    if content is not None:
        assert (pair.root / "node/ring.json").read_bytes() == content


def test_a_changed_keyset_is_refused(keyed: Pair) -> None:
    for command in COMMANDS:
        path = keyed.root / command / "ring.json"
        path.write_text(path.read_text().replace('"second"', '"2nd"'))
    for line in ("show", "rotate", "verify", "export-keys --yes"):
        assert "[keyset-tampered]" in keyed.run("keyset", *line.split(), code=3).err
    assert "tampered" in keyed.run("doctor", code=3).out


def test_a_keyset_behind_a_link(keyed: Pair) -> None:
    for command in COMMANDS:
        (keyed.root / command / "link").symlink_to("ring.json")
    keyed.env["RESEAL_KEYSET"] = "link"
    keyed.run("keyset", "show")
    assert "[keyset-unwritable]" in keyed.run("keyset", "rotate", code=4).err
    assert "symbolic link" in keyed.run("doctor").out


def test_what_one_writes_the_other_edits(keyed: Pair) -> None:
    writers = ["python", "node"] * 4
    for writer in writers:
        other = "node" if writer == "python" else "python"
        keyed.one(writer, "keyset", "rotate", "--label", f"by {writer}")
        keyed.copy("ring.json", writer, other)
        ended = [run(c, "keyset", "show", cwd=keyed.root / c, env=keyed.env) for c in COMMANDS]
        assert ended[0] == ended[1]
        assert normalized(ended[0]).out.count("primary") == 1
        sealed = keyed.one(other, "seal", "a").out
        assert keyed.one(writer, "open", stdin=sealed).out == "a\n"
    assert shown(keyed)["generation"] == 4 + len(writers)
    ring = reseal.Keyring.from_env(
        {
            "RESEAL_KEYSET": str(keyed.root / "node/ring.json"),
            "RESEAL_KEK": KEK.export(),
        }
    )
    assert ring.open_str(sealed.strip(), {}) == "a"


def test_doctor(ringed: Pair) -> None:
    assert ringed.run("doctor").out.endswith("0 errors, 0 warnings\n")
    ringed.env |= {
        "RESEAL_KEK_NEW": "x",
        "RESEAL_TYPO": "x",
        "RESEAL_INDEX_KEY": f'"{INDEX.export()}"',
    }
    ended = ringed.run("doctor", code=3)
    for word in ("RESEAL_KEK_NEW is left over", "RESEAL_TYPO is read by nothing", "quotation"):
        assert word in ended.out
    assert "rsk1." not in ended.out + ended.err
    report = json.loads(ringed.run("doctor", "--json", code=3).out)
    assert (report["healthy"], report["warnings"]) == (False, 2)
    for name in COMMANDS:
        (ringed.root / name / "ring.json").symlink_to("nowhere")
    ringed.env = {"RESEAL_KEYSET": "ring.json", "RESEAL_KEK": KEK.export()}
    ringed.env |= {"RESEAL_PRIMARY": "new", "RESEAL_RING": " "}
    report = json.loads(ringed.run("doctor", "--json", code=3).out)
    assert [finding["level"] for finding in report["findings"]].count("warning") == 2
    assert "RESEAL_PRIMARY has no effect" in str(report)
    assert "RESEAL_RING is set but empty" in str(report)


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"x" * 70_000, b"hello", b"rsk1.kek."])
def test_key_files_that_are_none(pair: Pair, content: bytes | None) -> None:
    if content is not None:
        pair.write("kek", content)
    code = 3 if content in (b"", b"hello", b"rsk1.kek.") else 4
    ended = pair.run("keyset", "init", "--keyset", "a", "--kek-file", "kek", code=code)
    assert ended.err.endswith("[invalid-key]\n" if code == 3 else "[source-unreadable]\n")
    assert "hello" not in ended.err
    pair.env = {"RESEAL_PRIMARY_KEY_FILE": "kek"}
    pair.run("seal", "a", code=code)
    pair.run("doctor", code=3)


@pytest.mark.parametrize(
    "path", [".", "/dev/zero", "/dev/null", "pipe", "kek/x", "x" * 300, "loop"]
)
def test_paths_that_are_no_files(pair: Pair, path: str) -> None:
    pair.write("kek", KEK.export())
    for command in COMMANDS:
        os.mkfifo(pair.root / command / "pipe")
        (pair.root / command / "loop").symlink_to("loop")
    for line in (
        ["keyset", "init", "--keyset", "a", "--kek-file", path],
        ["keyset", "show", "--keyset", path, "--kek-file", "kek"],
        ["keyset", "rotate", "--keyset", path, "--kek-file", "kek"],
        ["keyset", "init", "--keyset", "a", "--new-passphrase-file", path],
    ):
        assert pair.run(*line, code=4).err.endswith("[source-unreadable]\n")
    pair.env = {"RESEAL_KEYSET": path, "RESEAL_KEK_FILE": "kek"}
    assert "source-unreadable" in pair.run("doctor", code=3).out
    pair.run("keyset", "init", code=None)
    assert not any((pair.root / command / "a").exists() for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_secret_out_of_a_pipe(pair: Pair, command: str) -> None:
    """As of `<(…)` of a shell; also where the writer takes its time, or writes too much."""
    pair.write("kek", KEK.export())

    def ended(writer: str) -> subprocess.CompletedProcess[str]:
        line = f'"$@" keyset init --keyset ring.json --kek-file <({writer})'
        start = ["bash", "-c", line, "bash", *COMMANDS[command]]
        cwd = pair.root / command
        env = environment({})
        return subprocess.run(
            start, check=False, cwd=cwd, env=env, capture_output=True, text=True, timeout=SECONDS
        )

    done = ended("true")
    assert (done.returncode, "nobody writes to it" in done.stderr) == (4, True), done
    done = ended("head -c 70000 /dev/zero")
    assert (done.returncode, "64 KiB" in done.stderr) == (4, True), done
    done = ended("head -c 20 kek; sleep 1.5; tail -c +21 kek")
    assert done.returncode == 0, done
    pair.one(command, "keyset", "verify", "--keyset", "ring.json", "--kek-file", "kek")


def test_the_page_of_the_command_is_current() -> None:
    command = [sys.executable, str(ROOT / "scripts/command_line.py"), "--check"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
