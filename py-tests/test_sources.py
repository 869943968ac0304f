"""Keyring.from_env, with every source."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

import pytest
import reseal
from support import code_of, error_of, reachable, without_rights

DATA = [reseal.Key.generate("data") for _ in range(3)]
INDEX = [reseal.Key.generate("index") for _ in range(2)]
TEXTS = [key.export() for key in DATA]
KEK = reseal.Key.generate("kek").export()
NAMES = [
    *(
        f"RESEAL_{name}{end}"
        for name in (
            "PRIMARY_KEY",
            "INDEX_KEY",
            "DECRYPT_KEYS",
            "INTRODUCED_KEYS",
            "KEK",
            "PASSPHRASE",
        )
        for end in ("", "_FILE")
    ),
    *("RESEAL_KEY_DIR", "RESEAL_PRIMARY", "RESEAL_INDEX_PRIMARY"),
    *("RESEAL_KEYSET", "RESEAL_RING", "RESEAL_MIN_GENERATION"),
]


def states(ring: reseal.Keyring) -> dict[str, str]:
    keys = ring.keys()
    return {key.id: key.state for key in keys}


def test_variables() -> None:
    ring = reseal.Keyring.from_env(
        {
            "RESEAL_PRIMARY_KEY": TEXTS[0] + "\n",
            "RESEAL_INDEX_KEY": INDEX[0].export(),
            "RESEAL_DECRYPT_KEYS": f"{TEXTS[1]}, {INDEX[1].export()}",
            "RESEAL_INTRODUCED_KEYS": f"\t{TEXTS[2]} ",
            "OTHER": "x",
        }
    )
    assert states(ring) == {
        DATA[0].id: "primary",
        DATA[1].id: "decrypt_only",
        DATA[2].id: "introduced",
        INDEX[0].id: "primary",
        INDEX[1].id: "decrypt_only",
    }
    assert ring.index_primary_id == INDEX[0].id


def test_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    assert code_of(reseal.Keyring.from_env) == "source-missing"
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", TEXTS[0])
    assert reseal.Keyring.from_env().primary_id == DATA[0].id
    assert reseal.Keyring.from_env(None).primary_id == DATA[0].id
    assert code_of(lambda: reseal.Keyring.from_env({})) == "source-missing"


@pytest.mark.parametrize(
    ("environ", "code", "named"),
    [
        ({}, "source-missing", ["RESEAL_PRIMARY_KEY", "RESEAL_KEY_DIR", "RESEAL_PRIMARY"]),
        ({"RESEAL_PRIMARY_KEY": ""}, "source-missing", ["RESEAL_PRIMARY_KEY"]),
        ({"RESEAL_PRIMARY_KEY": " \n"}, "source-missing", ["RESEAL_PRIMARY_KEY"]),
        ({"RESEAL_DECRYPT_KEYS": TEXTS[0]}, "source-missing", ["RESEAL_PRIMARY_KEY"]),
        ({"RESEAL_KEY_DIR": "/tmp"}, "source-missing", ["RESEAL_KEY_DIR", "RESEAL_PRIMARY"]),
        ({"RESEAL_KEYSET": "/x"}, "source-missing", ["RESEAL_KEYSET", "RESEAL_KEK"]),
        (
            {"RESEAL_PRIMARY_KEY": TEXTS[0], "RESEAL_KEY_DIR": "/tmp"},
            "source-conflict",
            ["RESEAL_PRIMARY_KEY", "RESEAL_KEY_DIR"],
        ),
        (
            {"RESEAL_PRIMARY_KEY": TEXTS[0], "RESEAL_KEYSET": "/x"},
            "source-conflict",
            ["RESEAL_KEYSET"],
        ),
        (
            {"RESEAL_PRIMARY_KEY": TEXTS[0], "RESEAL_KEYSET": "", "RESEAL_RING": "x"},
            "source-conflict",
            ["RESEAL_PRIMARY_KEY", "RESEAL_KEYSET is set but empty", "RESEAL_RING"],
        ),
        ({"RESEAL_PRIMARY_KEY": f'"{TEXTS[0]}"'}, "invalid-key", ["RESEAL_PRIMARY_KEY"]),
        ({"RESEAL_PRIMARY_KEY": TEXTS[0][:-1]}, "invalid-key", ["RESEAL_PRIMARY_KEY"]),
        (
            {"RESEAL_PRIMARY_KEY": "\udc80"},
            "source-unreadable",
            ["the variable RESEAL_PRIMARY_KEY is no text (UTF-8)"],
        ),
        (
            {"RESEAL_KEYSET": "/x", "RESEAL_PASSPHRASE": "correct h\udcf6rse battery"},
            "source-unreadable",
            ["the variable RESEAL_PASSPHRASE is no text (UTF-8)"],
        ),
        ({"RESEAL_PRIMARY_KEY": "🔑" * 1000}, "invalid-key", ["RESEAL_PRIMARY_KEY"]),
        ({"RESEAL_PRIMARY_KEY": "x" * 50_000_000}, "invalid-key", ["RESEAL_PRIMARY_KEY"]),
        ({"RESEAL_PRIMARY_KEY": INDEX[0].export()}, "key-wrong-use", ["RESEAL_PRIMARY_KEY"]),
        (
            {"RESEAL_PRIMARY_KEY": TEXTS[0], "RESEAL_INDEX_KEY": TEXTS[1]},
            "key-wrong-use",
            ["RESEAL_INDEX_KEY"],
        ),
        (
            {"RESEAL_PRIMARY_KEY": TEXTS[0], "RESEAL_DECRYPT_KEYS": f"{TEXTS[1]},"},
            "invalid-key",
            ["RESEAL_DECRYPT_KEYS"],
        ),
        (
            {"RESEAL_PRIMARY_KEY": TEXTS[0], "RESEAL_DECRYPT_KEYS": f"{TEXTS[1]},{TEXTS[1]}"},
            "duplicate-key",
            ["RESEAL_DECRYPT_KEYS"],
        ),
    ],
)
def test_wrong_environments(environ: dict[str, str], code: str, named: list[str]) -> None:
    error = error_of(lambda: reseal.Keyring.from_env(environ))
    assert error.code == code
    assert (
        isinstance(error, (reseal.KeyringError, reseal.DecryptError)) or code == "invalid-argument"
    )
    assert all(name in str(error) for name in named)
    for text in (*TEXTS, KEK, *(key.export() for key in INDEX)):
        assert text[15:30] not in str(error)


@pytest.mark.parametrize(
    "environ", [[], "x", 1, {"RESEAL_PRIMARY_KEY": 1}, {"RESEAL_KEY_DIR": b"/tmp"}]
)
def test_no_environment(environ: Any) -> None:
    assert code_of(lambda: reseal.Keyring.from_env(environ)) == "invalid-argument"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """As Kubernetes mounts a secret: links to a hidden directory that is swapped."""
    data = tmp_path / "..2026_11_20"
    data.mkdir()
    (data / "2026-q4").write_text(TEXTS[0] + "\n")
    (data / "2026-q3").write_text(TEXTS[1])
    (data / "index").write_text(INDEX[0].export())
    (tmp_path / "..data").symlink_to(data.name)
    for name in ("2026-q4", "2026-q3", "index"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    (tmp_path / ".hidden").write_text("no key")
    (tmp_path / "sub").mkdir()
    return tmp_path


def from_directory(path: Path, primary: str = "2026-q4", **more: str) -> reseal.Keyring:
    environ = {"RESEAL_KEY_DIR": str(path), "RESEAL_PRIMARY": primary}
    return reseal.Keyring.from_env({**environ, **more})


def test_directory(directory: Path) -> None:
    ring = from_directory(directory, RESEAL_INDEX_PRIMARY="index")
    assert states(ring) == {
        DATA[0].id: "primary",
        DATA[1].id: "decrypt_only",
        INDEX[0].id: "primary",
    }
    assert from_directory(directory, "2026-q3").primary_id == DATA[1].id
    assert from_directory(directory, " 2026-q4 \n").index_primary_id is None


def test_a_rotation_by_files(directory: Path) -> None:
    (directory / "2027-q1").write_text(TEXTS[2])
    before, after = from_directory(directory), from_directory(directory, "2027-q1")
    assert before.open(after.seal("x", {}), {}) == after.open(before.seal("x", {}), {}) == b"x"


@pytest.mark.parametrize(
    ("primary", "index", "code"),
    [
        ("missing", None, "source-unreadable"),
        (".hidden", None, "source-unreadable"),
        ("sub", None, "source-unreadable"),
        ("../key", None, "source-unreadable"),
        ("2026-q4", "missing", "source-unreadable"),
        ("index", None, "key-wrong-use"),
        ("2026-q4", "2026-q3", "key-wrong-use"),
    ],
)
def test_wrong_names(directory: Path, primary: str, index: str | None, code: str) -> None:
    more = {"RESEAL_INDEX_PRIMARY": index} if index else {}
    error = error_of(lambda: from_directory(directory, primary, **more))
    assert error.code == code
    assert "RESEAL_" in str(error) or primary in str(error) or (index or "") in str(error)


def put(content: bytes) -> Any:
    return lambda path: path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (put(b""), "invalid-key"),
        (put(b"no key"), "invalid-key"),
        (put(TEXTS[0][:-1].encode()), "invalid-key"),
        (put(TEXTS[1].encode()), "duplicate-key"),
        (put(reseal.Key.generate("kek").export().encode()), "key-wrong-use"),
        (put(b"\xff\xfe"), "source-unreadable"),
        (put(b" " * 65537), "source-unreadable"),
        (lambda path: path.symlink_to("nowhere"), "source-unreadable"),
        (lambda path: path.symlink_to(path.name), "source-unreadable"),
        (os.mkfifo, "source-unreadable"),
        (lambda path: path.symlink_to("/dev/zero"), "source-unreadable"),
    ],
)
def test_wrong_files(directory: Path, make: Any, code: str) -> None:
    make(directory / "extra")
    error = error_of(lambda: from_directory(directory))
    assert error.code == code
    assert "extra" in str(error) or code in ("duplicate-key", "key-wrong-use")
    assert error.__cause__ is None


def test_a_file_of_65536_bytes_is_read(directory: Path) -> None:
    (directory / "extra").write_text(TEXTS[2].ljust(65536))
    assert DATA[2].id in states(from_directory(directory))


@pytest.mark.parametrize("name", [b"\xff", b"a\nb", b"x" * 65])
def test_wrong_file_names(directory: Path, name: bytes) -> None:
    with open(os.path.join(os.fsencode(directory), name), "w") as file:
        file.write(TEXTS[2])
    error = error_of(lambda: from_directory(directory))
    assert error.code == "source-unreadable"
    str(error).encode()


def test_wrong_directories(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(TEXTS[0])
    paths = ["/nowhere", str(tmp_path / "file"), "a\0b", "x" * 10_000, "\udcff", "relative"]
    for environ in ({"RESEAL_KEY_DIR": path, "RESEAL_PRIMARY": "key"} for path in paths):
        error = error_of(functools.partial(reseal.Keyring.from_env, environ))
        assert (error.code, type(error)) == ("source-unreadable", reseal.KeyringError)
        assert "RESEAL_KEY_DIR" in str(error)
        str(error).encode()


def test_missing_rights(directory: Path) -> None:
    reachable(directory / "2026-q3")
    (directory / "2026-q3").chmod(0)
    with without_rights():
        error = error_of(lambda: from_directory(directory))
    assert error.code == "source-unreadable"
    assert "2026-q3" in str(error)


def test_files_that_variables_name(tmp_path: Path) -> None:
    def put(name: str, content: str) -> str:
        (tmp_path / name).write_text(content)
        return str(tmp_path / name)

    ring = reseal.Keyring.from_env(
        {
            "RESEAL_PRIMARY_KEY_FILE": put("primary", TEXTS[0] + "\n"),
            "RESEAL_INDEX_KEY_FILE": put("index", INDEX[0].export()),
            "RESEAL_DECRYPT_KEYS_FILE": put("old", f"{TEXTS[1]},\n{INDEX[1].export()}\n"),
            "RESEAL_INTRODUCED_KEYS": TEXTS[2],
        }
    )
    assert states(ring) == {
        DATA[0].id: "primary",
        DATA[1].id: "decrypt_only",
        DATA[2].id: "introduced",
        INDEX[0].id: "primary",
        INDEX[1].id: "decrypt_only",
    }
    broken = {"RESEAL_PRIMARY_KEY_FILE": put("primary", TEXTS[0][:-1])}
    error = error_of(lambda: reseal.Keyring.from_env(broken))
    assert (error.code, "RESEAL_PRIMARY_KEY_FILE" in str(error)) == ("invalid-key", True)
    Path(tmp_path / "primary").write_bytes(b"\xff")
    assert code_of(lambda: reseal.Keyring.from_env(broken)) == "source-unreadable"


@pytest.fixture
def keyset(tmp_path: Path) -> reseal.Keyset:
    """Saved as keyset.json, and opened by the files `kek` and `phrase`."""
    keyset = reseal.Keyset.create(kek=KEK)
    keyset.rotate("data", label="2026-q4")
    keyset.add_passphrase("several words ")
    reseal.KeysetFile(tmp_path / "keyset.json").create(keyset)
    (tmp_path / "kek").write_text(KEK + "\n")
    (tmp_path / "phrase").write_text("several words \n")
    return keyset


def test_a_keyset(keyset: reseal.Keyset, tmp_path: Path) -> None:
    path, kek_file, phrase_file = (tmp_path / name for name in ("keyset.json", "kek", "phrase"))
    openers: list[tuple[str, str]] = [
        ("RESEAL_KEK", f" {KEK}\n"),
        ("RESEAL_KEK_FILE", str(kek_file)),
        ("RESEAL_PASSPHRASE", "several words "),
        ("RESEAL_PASSPHRASE_FILE", f"{phrase_file}\n"),
    ]
    for name, value in openers:
        environ = {"RESEAL_KEYSET": str(path), name: value, "RESEAL_RING": keyset.ring_id}
        ring = reseal.Keyring.from_env({**environ, "RESEAL_MIN_GENERATION": "1"})
        keys = ring.keys()
        assert [(key.label, key.state) for key in keys] == [("2026-q4", "primary")]
        outdated = {**environ, "RESEAL_MIN_GENERATION": "2"}
        assert code_of(functools.partial(reseal.Keyring.from_env, outdated)) == "keyset-outdated"
    make: Any = reseal.Keyring.from_keyset
    for options in (
        {"kek": KEK},
        {"kek_file": kek_file},
        {"passphrase": "several words "},
        {"passphrase_file": os.fsencode(phrase_file)},
    ):
        assert make(path, ring=keyset.ring_id, **options).primary_id == keyset.primary_id
    assert code_of(lambda: make(path, kek=KEK, ring="a" * 26)) == "keyset-wrong-ring"
    assert code_of(lambda: make(path, kek=KEK, ring="")) == "invalid-argument"
    assert code_of(lambda: make(path, kek=KEK, min_generation=True)) == "invalid-argument"
    assert code_of(lambda: make(path, kek=KEK, min_generation=2)) == "keyset-outdated"
    assert code_of(lambda: make(path, passphrase="several words")) == "kek-mismatch"
    assert code_of(lambda: make(path)) == "invalid-argument"
    assert code_of(lambda: make(tmp_path, kek=KEK)) == "source-unreadable"
    assert code_of(lambda: make(None, kek=KEK)) == "invalid-argument"


def test_a_directory_as_an_argument(directory: Path) -> None:
    make: Any = reseal.Keyring.from_directory
    ring = make(directory, primary="2026-q4", index_primary="index")
    keys = ring.keys()
    assert {key.label: key.state for key in keys} == {
        "2026-q4": "primary",
        "2026-q3": "decrypt_only",
        "index": "primary",
    }
    assert make(os.fsencode(directory), primary="2026-q3").primary_id == DATA[1].id
    error = error_of(lambda: make(directory / "no", primary="x"))
    assert (error.code, "RESEAL_" in str(error)) == ("source-unreadable", False)
    assert code_of(lambda: make(directory, primary="x")) == "source-unreadable"
    for options in ({"primary": 1}, {"primary": "x", "index_primary": 1}):
        assert code_of(functools.partial(make, directory, **options)) == "invalid-argument"
    with pytest.raises(TypeError):
        make(directory)
