"""Both commands with the formats of other systems and the manifest."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import reseal
from cli_support import (
    COMMANDS,
    CONTEXT,
    DATA,
    HERE,
    ROOT,
    Pair,
)


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
