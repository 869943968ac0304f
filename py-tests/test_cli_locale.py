"""Whatever the locale: both commands take the bytes of arguments, variables and names for UTF-8."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
import reseal
from cli_support import DATA, KEK, OLD, ROOT, Pair

LATIN = "de_DE.ISO-8859-1"
NAME = "Zoë-€"
# Without these, Python would take C for a locale of UTF-8.
NOT_UTF8 = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
MANIFEST = f"""
version = 1
[codecs.app]
kind = "reseal"
keyring = "env"
[[columns]]
table = "{NAME}"
column = "ssn"
row_id = ["id"]
context = {{ table = "{NAME}" }}
write = "app"
read = ["plain"]
"""


@pytest.fixture(scope="session")
def latin_locale(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A locale of ISO-8859-1, in which every byte is another character than in UTF-8."""
    if shutil.which("localedef") is None:
        pytest.skip("nothing here makes a locale")
    folder = tmp_path_factory.mktemp("locales")
    line = ["localedef", "-i", "de_DE", "-f", "ISO-8859-1", str(folder / LATIN)]
    made = subprocess.run(line, check=False, capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"localedef has no source of {LATIN}: {made.stderr}")
    return {"LOCPATH": str(folder), "LC_ALL": LATIN}


@pytest.fixture(params=["latin", "c"])
def abroad(request: pytest.FixtureRequest, pair: Pair) -> Pair:
    latin = request.param == "latin"
    locale = request.getfixturevalue("latin_locale") if latin else {"LC_ALL": "C"}
    pair.env |= NOT_UTF8 | locale
    return pair


def test_arguments(abroad: Pair) -> None:
    abroad.env["RESEAL_PRIMARY_KEY"] = DATA.export()
    sealed = abroad.run("seal", "--context", f"user={NAME}", stdin="x\n").out.strip()
    assert reseal.Keyring(DATA).open_str(sealed, {"user": NAME}) == "x"
    assert abroad.run("open", "-c", f"user={NAME}", stdin=sealed).out == "x\n"


def test_a_passphrase_in_a_variable(abroad: Pair) -> None:
    abroad.env |= {"RESEAL_KEYSET": "ring.json", "RESEAL_PASSPHRASE": f"a long one of {NAME}"}
    abroad.run("keyset", "init")
    for ours, theirs in (("python", "node"), ("node", "python")):
        document = abroad.read("ring.json", ours)
        (abroad.root / theirs / f"of-{ours}.json").write_text(document)
        abroad.one(theirs, "keyset", "verify", "--keyset", f"of-{ours}.json")


def test_names_of_files(abroad: Pair) -> None:
    for new in ([], ["--use", "kek"]):
        abroad.run("keys", "new", *new, "--out", f"{NAME}{len(new)}")
        assert (
            "exists already" in abroad.run("keys", "new", "--out", f"{NAME}{len(new)}", code=4).err
        )
    abroad.env |= {"RESEAL_KEYSET": f"{NAME}.json", "RESEAL_KEK_FILE": f"{NAME}2"}
    abroad.run("keyset", "init", "--label", NAME)
    for command in ("python", "node"):
        found = sorted(os.listdir(abroad.root / command))
        assert found == sorted([f"{NAME}0", f"{NAME}2", f"{NAME}.json"])
    abroad.run("keyset", "rotate", code=None)
    assert f"{NAME}.json" in abroad.run("keyset", "init", code=3).err
    assert f'"no-{NAME}"' in abroad.run("keyset", "show", "--keyset", f"no-{NAME}", code=4).err


def test_what_is_told_of_files(abroad: Pair) -> None:
    abroad.write(f"{NAME}", KEK.export())
    for command in ("python", "node"):
        (abroad.root / command / NAME).chmod(0o604)
    abroad.env |= {"RESEAL_KEYSET": "ring.json", "RESEAL_KEK_FILE": NAME}
    ended = abroad.run("keyset", "init")
    assert f'rights to "{NAME}"' in ended.err
    assert NAME in abroad.run("doctor", code=None).out


def test_a_directory_of_keys(abroad: Pair) -> None:
    abroad.write(f"keys-{NAME}/new", DATA.export())
    abroad.write(f"keys-{NAME}/{NAME}", OLD.export())
    abroad.env |= {"RESEAL_KEY_DIR": f"keys-{NAME}", "RESEAL_PRIMARY": NAME}
    ended = abroad.run("seal", stdin="x\n")
    assert reseal.Keyring(OLD).open_str(ended.out.strip(), {}) == "x"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_job(abroad: Pair, jobs: str) -> None:
    for command in ("python", "node"):
        folder = abroad.root / command
        (folder / "node_modules").symlink_to(ROOT / "js-tests/node_modules")
        (folder / f"{NAME}.toml").write_text(MANIFEST)
        _table(folder / f"{NAME}.db")
    given = ("--manifest", f"{NAME}.toml", "--db", f"sqlite:///{NAME}.db", "--jobs", jobs)
    abroad.env["RESEAL_PRIMARY_KEY"] = DATA.export()
    for command in ("python", "node"):
        ended = abroad.one(command, "apply", *given, "--json")
        assert "warning" not in ended.err
        assert json.loads(ended.out)["columns"][0]["total"]["resealed"][0]["values"] == 200
        assert not [name for name in os.listdir(abroad.root / command) if "Ã" in name]
    elsewhere = abroad.run("census", *given[:2], "--db", f"sqlite:///no-{NAME}.db", code=4)
    assert f"no-{NAME}.db" in elsewhere.err


def _table(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute(f'CREATE TABLE "{NAME}" (id INTEGER PRIMARY KEY, ssn TEXT)')
    rows = [(number, f"078-05-{number:04}") for number in range(200)]
    database.executemany(f'INSERT INTO "{NAME}" VALUES (?, ?)', rows)
    database.commit()
    database.close()
