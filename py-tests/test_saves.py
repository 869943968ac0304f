"""Saving keysets, in one process at a time. test_editors.py has several at once."""

from __future__ import annotations

import functools
import json
import os
import resource
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from reseal import KeyringError
from reseal._files import MAX_KEYSET_BYTES, create_private_file, read_keyset
from reseal._save import save_keyset
from support import code_of, error_of, names, reachable, without_rights


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keyset.json"
    path.write_bytes(b"old")
    return path


def test_saving(tmp_path: Path) -> None:
    path = tmp_path / "keyset.json"
    before = os.umask(0)
    try:
        save_keyset(path, None, b"one")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    save_keyset(str(path), b"one", b"x" * MAX_KEYSET_BYTES)
    save_keyset(os.fsencode(path), b"x" * MAX_KEYSET_BYTES, b"three")
    assert path.read_bytes() == b"three"
    assert names(tmp_path) == ["keyset.json"]


def test_saving_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_keyset("keyset.json", None, b"one")
    save_keyset("keyset.json", b"one", b"two")
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    save_keyset("link/../keyset.json", b"two", b"three")
    assert read_keyset("keyset.json") == b"three"
    assert names(tmp_path) == ["keyset.json", "link", "there"]


@pytest.mark.parametrize("loaded", [None, b"", b"other", b"old "])
def test_conflicts(file: Path, loaded: bytes | None) -> None:
    error = error_of(lambda: save_keyset(file, loaded, b"new"))
    assert (error.code, type(error)) == ("keyset-conflict", KeyringError)
    assert str(file) in str(error)
    assert file.read_bytes() == b"old"
    file.unlink()
    if loaded is not None:
        assert code_of(lambda: save_keyset(file, loaded, b"new")) == "keyset-conflict"
    assert names(file.parent) == []


def test_what_is_never_saved_to(file: Path) -> None:
    folder = file.parent
    (folder / "link").symlink_to(file.name)
    (folder / "dangling").symlink_to("nowhere")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "fifo")
    for name in ("link", "dangling", "folder", "fifo"):
        for loaded in (b"old", None):
            error = error_of(functools.partial(save_keyset, folder / name, loaded, b"new"))
            assert error.code == "keyset-unwritable"
    assert "path of the file itself" in str(
        error_of(lambda: save_keyset(folder / "link", b"", b""))
    )
    assert (
        code_of(lambda: save_keyset(file, b"old", b"x" * (MAX_KEYSET_BYTES + 1)))
        == "keyset-unwritable"
    )
    assert file.read_bytes() == b"old"
    assert names(folder) == ["dangling", "fifo", "folder", "keyset.json", "link"]


def test_a_directory_that_is_read_only(file: Path) -> None:
    reachable(file)
    file.chmod(0o644)
    file.parent.chmod(0o555)
    with without_rights():
        for path, loaded in ((file, b"old"), (file.with_name("new.json"), None)):
            error = error_of(functools.partial(save_keyset, path, loaded, b"new"))
            assert error.code == "keyset-unwritable"
            assert "EACCES" in str(error)
        assert code_of(lambda: create_private_file(file.with_name("key"), b"x")) == (
            "keyset-unwritable"
        )
    file.parent.chmod(0o755)
    assert file.read_bytes() == b"old"
    assert names(file.parent) == ["keyset.json"]


def test_rights_that_were_given_stay(file: Path) -> None:
    file.chmod(0o640)
    save_keyset(file, b"old", b"new")
    assert file.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_owners_stay(file: Path) -> None:
    reachable(file)
    file.parent.chmod(0o777)
    os.chown(file, 12345, 54321)
    save_keyset(file, b"old", b"new")
    assert (file.stat().st_uid, file.stat().st_gid) == (12345, 54321)
    # Another user may replace it where the group keeps its rights, and only there.
    file.chmod(0o644)
    with without_rights():
        error = error_of(lambda: save_keyset(file, b"new", b"newer"))
    assert error.code == "keyset-unwritable"
    assert "another user" in str(error)
    assert file.read_bytes() == b"new"
    os.chown(file, 12345, os.getegid())
    with without_rights():
        save_keyset(file, b"new", b"newer")
    assert (file.stat().st_uid, file.stat().st_gid) == (65534, os.getegid())
    assert names(file.parent) == ["keyset.json"]


def outcomes(writer: list[str], *arguments: str, **options: Any) -> list[dict[str, str | None]]:
    """What comes of a step, in a process of its own."""
    command = [*writer, "try", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, **options)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("language", ["python", "node"])
def test_a_limit_of_bytes(file: Path, writers: dict[str, list[str]], language: str) -> None:
    limit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (4096, 4096))
    [found] = outcomes(writers[language], "grow", "100000", str(file), preexec_fn=limit)
    assert found["code"] == "keyset-unwritable"
    assert "EFBIG" in str(found["message"])
    assert file.read_bytes() == b"old"
    assert names(file.parent) == ["keyset.json"]


IN_A_SMALL_DISK = """
mount -t tmpfs -o size=128k none "$1" && printf old >"$1/keyset.json" || exit 9
head -c "$2" /dev/zero >"$1/other"; folder=$1; shift 2
"$@"; ls -A "$folder" >&2; cat "$folder/keyset.json" >&2
"""


@pytest.mark.parametrize("language", ["python", "node"])
@pytest.mark.parametrize("taken", ["60000", "1000000"], ids=["nearly", "wholly"])
def test_a_full_disk(
    tmp_path: Path, writers: dict[str, list[str]], language: str, taken: str
) -> None:
    own_mounts = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", IN_A_SMALL_DISK]
    step = [*writers[language], "try", "grow", "100000", str(tmp_path / "keyset.json")]
    command = [*own_mounts, "sh", str(tmp_path), taken, *step]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if done.returncode == 9 or "unshare" in done.stderr:
        pytest.skip("this system lets nobody mount a disk")
    found = json.loads(done.stdout)
    assert found["code"] == "keyset-unwritable"
    assert "the disk is full (ENOSPC)" in found["message"]
    assert [line for line in done.stderr.splitlines() if "No space" not in line] == [
        "keyset.json",
        "other",
        "old",
    ]


def populate(folder: Path) -> list[str]:
    (folder / "folder").mkdir(parents=True)
    (folder / "keyset.json").write_bytes(b"old")
    (folder / "link").symlink_to("keyset.json")
    (folder / "circle").symlink_to("circle")
    (folder / "large").write_bytes(b"x" * (2 * MAX_KEYSET_BYTES))
    os.mkfifo(folder / "fifo")
    return [*names(folder), "none/x", "keyset.json/x", "x" * 300, "", "é\t'\"\\\x7f"]


@pytest.mark.parametrize("step", ["read", "secret", "facts", "private", "create", "stale", "save"])
def test_both_languages_say_the_same(
    tmp_path: Path, writers: dict[str, list[str]], step: str
) -> None:
    said, left = [], []
    for language, writer in writers.items():
        folder = tmp_path / language
        paths = populate(folder)
        said.append(
            dict(zip(paths, outcomes(writer, step, "new", *paths, cwd=folder), strict=True))
        )
        left.append({name: facts_of(folder / name) for name in names(folder)})
    assert said[0] == said[1]
    assert left[0] == left[1]
    assert {found["code"] for found in said[0].values()} != {None}


def facts_of(path: Path) -> tuple[int, bytes]:
    status = path.lstat()
    return status.st_mode, path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
