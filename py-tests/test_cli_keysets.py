"""Both commands with keysets, sources of keys, canaries and the doctor."""

from __future__ import annotations

import json
import os
import stat
import subprocess

import pytest
import reseal
from cli_support import (
    COMMANDS,
    DATA,
    INDEX,
    KEK,
    OLD,
    SECONDS,
    Pair,
    environment,
    fixed_key,
    normalized,
    run,
    shown,
    states,
)


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


def test_secrets_that_are_no_text(pair: Pair) -> None:
    """What is no UTF-8 must not become U+FFFD: other passphrases would be the same."""
    passphrase = os.fsdecode(b"correct h\xf6rse battery")
    no_text = "the variable RESEAL_PASSPHRASE is no text (UTF-8)"
    pair.env = {"RESEAL_PASSPHRASE": passphrase, "RESEAL_KEYSET": "ring.json"}
    for call in (["keyset", "init"], ["seal", "a"]):
        assert f"{no_text} [source-unreadable]" in pair.run(*call, code=4).err
    assert no_text in pair.run("doctor", code=3).out
    keyring = 'keyring = "keyset:ring.json"\npassphrase = "env:PASS"'
    pair.write("reseal.toml", f'version = 1\n[codecs.app]\nkind = "reseal"\n{keyring}\n')
    pair.env = {"PASS": passphrase}
    refused = pair.run("convert", "--from", "plain", "--to", "app", "a", code=4)
    assert "the variable PASS is no text (UTF-8) [source-unreadable]" in refused.err


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
