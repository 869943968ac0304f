"""Reading key files and keysets, and making key files. test_saves.py saves keysets."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from reseal import KeyringError
from reseal._errors import KeyFileWarning
from reseal._files import create_private_file, file_facts, read_keyset, read_secret
from reseal._save import save_keyset
from support import code_of, error_of, names, reachable, without_rights

MIB = 1_048_576


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keyset.json"
    path.write_bytes(b"old")
    return path


def test_reading(file: Path) -> None:
    file.write_bytes(b"\xff key\r\n\n")
    link = file.with_name("link")
    link.symlink_to(file.name)
    for path in (file, str(file), os.fsencode(file), link):
        assert read_secret(path) == read_keyset(path) == b"\xff key\r\n\n"


@pytest.mark.parametrize(
    ("read", "limit", "code"),
    [(read_secret, 65_536, "source-unreadable"), (read_keyset, MIB, "keyset-malformed")],
)
def test_sizes(file: Path, read: Callable[..., bytes], limit: int, code: str) -> None:
    file.write_bytes(b"x" * limit)
    assert len(read(file)) == limit
    for size in (limit + 1, 2 * MIB, 2**40):
        os.truncate(file, size)
        error = error_of(lambda: read(file, "RESEAL_SOURCE"))
        assert (error.code, type(error)) == (code, KeyringError)
        assert str(error).startswith("RESEAL_SOURCE: ")
        assert str(limit) in str(error)
        assert str(file) in str(error)


@pytest.mark.parametrize("read", [read_secret, read_keyset])
@pytest.mark.parametrize(
    "make",
    [
        lambda path: None,
        os.mkdir,
        os.mkfifo,
        lambda path: path.symlink_to("nowhere"),
        lambda path: path.symlink_to(path.name),
        lambda path: path.symlink_to("/dev/zero"),
    ],
    ids=["nothing", "directory", "fifo", "dangling", "circle", "device"],
)
def test_what_is_no_file(tmp_path: Path, read: Callable[..., bytes], make: Any) -> None:
    path = tmp_path / "thing"
    make(path)
    error = error_of(lambda: read(path, "RESEAL_SOURCE"))
    assert error.code == "source-unreadable"
    assert str(error).startswith(f'RESEAL_SOURCE: cannot read "{path}": ')
    assert error.__cause__ is None


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 5000, "\udcff", "new\nline", "/"])
def test_odd_paths(path: str) -> None:
    for step in (read_secret, read_keyset, file_facts):
        if step is not file_facts or path != "/":
            error = error_of(functools.partial(step, path))
            assert error.code == "source-unreadable"
            assert "\n" not in str(error)
            str(error).encode()
    for write in (create_private_file, lambda path, new: save_keyset(path, None, new)):
        assert code_of(functools.partial(write, path + "/", b"x")) == "keyset-unwritable"


def test_a_path_of_another_type() -> None:
    for path in (None, 1, [], object()):
        wrong: Any = path
        for step in (read_secret, read_keyset, file_facts):
            assert code_of(functools.partial(step, wrong)) == "invalid-argument"


def test_missing_rights_to_read(file: Path) -> None:
    reachable(file)
    file.chmod(0)
    with without_rights():
        for read in (read_secret, read_keyset):
            error = error_of(functools.partial(read, file))
            assert error.code == "source-unreadable"
            assert "EACCES" in str(error)


def test_files_of_secrets_that_others_may_read(file: Path) -> None:
    for mode in (0o600, 0o640, 0o660):
        file.chmod(mode)
        assert read_secret(file) == b"old"
        assert not file_facts(file).open_to_others
    file.chmod(0o604)
    with pytest.warns(KeyFileWarning, match="chmod 600") as caught:
        assert [read_secret(file, "RESEAL_KEK_FILE") for _ in range(2)] == [b"old"] * 2
    assert len(caught) == 1
    assert str(file) in str(caught[0].message)
    assert str(caught[0].message).startswith("RESEAL_KEK_FILE: ")
    assert read_keyset(file) == b"old"
    assert file_facts(file).open_to_others
    assert issubclass(KeyFileWarning, UserWarning)


def test_a_warning_that_is_an_error_shows_no_secret(file: Path) -> None:
    file.write_bytes(b"the secret")
    file.chmod(0o644)
    with pytest.raises(KeyFileWarning) as caught:
        read_secret(file)
    frames = [entry.frame for entry in caught.traceback]
    assert all("the secret" not in repr(frame.raw.f_locals) for frame in frames)


def test_facts(file: Path) -> None:
    link = file.with_name("link")
    link.symlink_to(file)
    file.chmod(0o640)
    facts = file_facts(link)
    assert (facts.mode, facts.is_link) == (0o640, True)
    assert not file_facts(file).is_link
    assert file_facts(file.parent).mode == file.parent.stat().st_mode & 0o777


def test_private_files(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create_private_file(tmp_path / "key", b"secret\n")
    finally:
        os.umask(before)
    assert (tmp_path / "key").read_bytes() == b"secret\n"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "link").symlink_to("elsewhere")
    for path in (tmp_path / "key", tmp_path / "link", tmp_path):
        error = error_of(functools.partial(create_private_file, path, b"other"))
        assert error.code == "keyset-unwritable"
        assert "exists already" in str(error)
    assert (tmp_path / "key").read_bytes() == b"secret\n"
    assert names(tmp_path) == ["key", "link"]
    assert code_of(lambda: create_private_file(tmp_path / "no/key", b"x")) == "keyset-unwritable"
