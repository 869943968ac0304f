"""Keysets in files: loading, saving, conflicts. `test_files.py` tests what happens on the disk."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import reseal
from support import code_of, error_of

KEK, OTHER = reseal.Key.generate("kek"), reseal.Key.generate("kek")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keyset.json"


@pytest.fixture
def file(path: Path) -> reseal.KeysetFile:
    file = reseal.KeysetFile(path, kek=KEK)
    keyset = reseal.Keyset.create(kek=KEK)
    keyset.rotate("data", label="first")
    file.create(keyset)
    assert keyset.generation == 1
    return file


def labels(file: reseal.KeysetFile) -> list[str]:
    keys = file.load().keys()
    return [key.label for key in keys]


def test_load_and_save(file: reseal.KeysetFile, path: Path) -> None:
    keyset = file.load()
    keyset.introduce("data", label="second")
    file.save(keyset, now=0)
    assert (keyset.generation, keyset.issued) == (2, "1970-01-01T00:00:00Z")
    keyset.introduce("data", label="third")
    file.save(keyset)  # it goes on from what it saved
    assert labels(file) == ["first", "second", "third"]
    assert file.path == str(path)
    assert sorted(os.listdir(path.parent)) == ["keyset.json"]


def test_the_second_of_two_gets_a_conflict(file: reseal.KeysetFile) -> None:
    mine, theirs = file.load(), file.load()
    theirs.introduce("data", label="theirs")
    file.save(theirs)
    mine.introduce("data", label="mine")
    assert code_of(lambda: file.save(mine)) == "keyset-conflict"
    assert labels(file) == ["first", "theirs"]
    assert mine.generation == 1


def test_an_edit_begins_anew(file: reseal.KeysetFile) -> None:
    calls = []

    def change(keyset: reseal.Keyset) -> str:
        calls.append(keyset.generation)
        if len(calls) == 1:
            file.edit(lambda other: other.introduce("data", label="quicker"))
        return keyset.introduce("data", label="mine")

    key_id = file.edit(change)
    assert calls == [1, 2]
    assert labels(file) == ["first", "quicker", "mine"]
    assert file.load().keys()[-1].id == key_id


def test_an_edit_that_fails_saves_nothing(file: reseal.KeysetFile, path: Path) -> None:
    before = path.read_bytes()

    def change(keyset: reseal.Keyset) -> None:
        keyset.introduce("data")
        raise KeyError("x")

    with pytest.raises(KeyError):
        file.edit(change)
    assert code_of(lambda: file.edit(lambda keyset: keyset.enable("aaaa"))) == "invalid-argument"
    assert path.read_bytes() == before


EDITOR = """
import sys, reseal
file = reseal.KeysetFile(sys.argv[1], kek_file=sys.argv[2])
for number in range(10):
    file.edit(lambda keyset: keyset.introduce("data", label=f"{sys.argv[3]}-{number}"))
"""


def test_processes_and_threads_that_edit_at_once(file: reseal.KeysetFile, path: Path) -> None:
    kek_file = path.with_name("kek")
    kek_file.write_text(KEK.export() + "\n")
    command = [sys.executable, "-c", EDITOR, str(path), str(kek_file)]
    processes = [subprocess.Popen([*command, str(number)]) for number in range(3)]

    def work(name: int) -> None:
        for number in range(10):
            file.edit(lambda keyset, n=number: keyset.introduce("data", label=f"t{name}-{n}"))  # type: ignore[misc]

    threads = [threading.Thread(target=work, args=(name,)) for name in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in processes] == [0, 0, 0]
    found = labels(file)
    assert len(found) == len(set(found)) == 51
    assert file.load().generation == 51


def test_everything_that_opens_a_keyset(path: Path, tmp_path: Path) -> None:
    keyset = reseal.Keyset.create(kek=KEK)
    keyset.add_kek(OTHER)
    keyset.add_passphrase("several words")
    reseal.KeysetFile(path).create(keyset)
    for name, text in (
        ("kek", KEK.export() + "\n"),
        ("other", OTHER.export()),
        ("phrase", "several words\n"),
    ):
        (tmp_path / name).write_text(text)
    kek, other, phrase = tmp_path / "kek", str(tmp_path / "other"), os.fsencode(tmp_path / "phrase")
    options: list[tuple[list[bool], dict[str, Any]]] = [
        ([True, False, False], {"kek": KEK.export()}),
        ([True, True, False], {"kek": [KEK, OTHER]}),
        ([True, False, False], {"kek_file": kek}),
        ([True, True, False], {"kek_file": [kek, other]}),
        ([False, False, True], {"passphrase": b"several words"}),
        ([False, False, True], {"passphrase_file": phrase}),
        ([True, True, True], {"kek": KEK, "kek_file": other, "passphrase_file": phrase}),
    ]
    for held, opener in options:
        file = reseal.KeysetFile(path, **opener)
        assert [kek.held for kek in file.load().keks()] == held
        save = functools.partial(file.edit, reseal.Keyset.verify)
        if all(held):
            save()
        else:
            assert code_of(save) == "kek-mismatch"
    assert reseal.KeysetFile(path, kek=KEK).load().generation == 2
    (tmp_path / "phrase").write_text("several words\n\n")
    wrong = reseal.KeysetFile(path, passphrase_file=tmp_path / "phrase")
    assert code_of(wrong.load) == "kek-mismatch"


def test_files_that_do_not_open_it(file: reseal.KeysetFile, path: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"\xff")

    def code(**options: Any) -> str:
        return code_of(reseal.KeysetFile(path, **options).load)

    assert code() == "source-missing"
    assert code(kek_file=secret) == code(passphrase_file=secret) == "source-unreadable"
    assert code(kek_file=tmp_path / "no") == "source-unreadable"
    secret.write_text("rsk1.kek.")
    assert code(kek_file=secret) == "invalid-key"
    assert code(passphrase_file=secret) == "kek-mismatch"
    assert code(kek=OTHER) == "kek-mismatch"
    assert code(kek=KEK, min_generation=2) == "keyset-outdated"
    assert code(kek=KEK, ring="a" * 26) == "keyset-wrong-ring"
    path.write_bytes(b"{}")
    assert code(kek=KEK) == "keyset-malformed"
    path.write_bytes(b"\xff")
    assert code(kek=KEK) == "keyset-malformed"
    path.write_bytes(b" " * 2_000_000)
    assert code(kek=KEK) == "keyset-malformed"
    path.unlink()
    assert code(kek=KEK) == "source-unreadable"


def test_wrong_arguments(path: Path) -> None:
    make: Any = reseal.KeysetFile
    for options in (
        {"path": None},
        {"path": 1},
        {"path": path, "kek": 1},
        {"path": path, "kek_file": 1},
        {"path": path, "passphrase": 1},
        {"path": path, "passphrase_file": [1]},
        {"path": path, "passphrase": "x", "passphrase_file": path},
        {"path": path, "ring": 1},
        {"path": path, "min_generation": "1"},
    ):
        assert code_of(functools.partial(make, **options)) == "invalid-argument"
    assert code_of(lambda: make(path, kek="rsk1.kek.")) == "invalid-key"
    file = make(path, kek=KEK)
    for step in (file.save, file.create, file.edit):
        for wrong in (None, "x", KEK):
            assert code_of(functools.partial(step, wrong)) == "invalid-argument"


def test_an_edit_does_not_lose_what_is_awaited(file: reseal.KeysetFile, path: Path) -> None:
    before, service = path.read_bytes(), reseal.MemoryKekProvider()

    async def change(keyset: reseal.Keyset) -> None:
        await keyset.add_provider_kek(service, "keys/app")

    for edit in (change, lambda keyset: keyset.add_provider_kek(service, "keys/app")):
        error = error_of(functools.partial(file.edit, edit))
        assert (error.code, "await" in str(error)) == ("invalid-argument", True)
    assert path.read_bytes() == before


def test_new_files(file: reseal.KeysetFile, path: Path, tmp_path: Path) -> None:
    keyset = reseal.Keyset.create(kek=KEK)
    assert code_of(lambda: file.create(keyset)) == "keyset-conflict"
    assert code_of(lambda: file.save(keyset)) == "invalid-argument"
    assert keyset.generation == 0
    assert labels(file) == ["first"]
    copy = reseal.KeysetFile(tmp_path / "copy.json", kek=KEK)
    copy.create(file.load())
    assert copy.load().generation == 2
    nowhere = reseal.KeysetFile(tmp_path / "no" / "keyset.json")
    error = error_of(lambda: nowhere.create(keyset))
    assert (error.code, type(error)) == ("keyset-unwritable", reseal.KeyringError)


def test_a_link_is_read_and_not_saved_to(file: reseal.KeysetFile, path: Path) -> None:
    link = path.with_name("link.json")
    link.symlink_to(path)
    linked = reseal.KeysetFile(link, kek=KEK)
    assert labels(linked) == ["first"]
    assert code_of(lambda: linked.edit(lambda keyset: None)) == "keyset-unwritable"
    assert link.is_symlink()
    assert file.load().generation == 1
