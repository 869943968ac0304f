"""The readers and writers of the guides, which say what Rails and Sentry read: proven on every vector that
these systems made. They share no code with the codecs."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
Case = dict[str, Any]


def part(name: str) -> ModuleType:
    path = ROOT / f"examples/guides/{name}/{name}.py"
    spec = importlib.util.spec_from_file_location(f"guides_{name}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases_of(system: str) -> list[Case]:
    path = ROOT / f"spec/vectors/{system}/public.json"
    cases: list[Case] = json.loads(path.read_text(encoding="utf-8"))["vectors"]
    return cases


rails, sentry = part("rails"), part("sentry")

# --- Rails ------------------------------------------------------------------------------------


def rails_keys(case: Case) -> list[bytes]:
    """As the variables would have them, and keys of the attribute."""
    keys, is_fixed = case["keys"], case["attribute"].get("deterministic")
    texts = keys["deterministic_key" if is_fixed else "primary_key"]
    texts = [texts] if isinstance(texts, str) else list(texts)
    texts += [scheme["key"] for scheme in case["attribute"].get("previous", [])]
    salt = keys["key_derivation_salt"]
    return [rails.derived(text, salt, digest) for digest in ("sha256", "sha1") for text in texts]


def plain_attributes() -> list[Case]:
    """Those of text without an envelope, which are all that the guide has."""
    return [
        case
        for case in cases_of("rails")
        if case["column"] == "text" and case["settings"]["key_provider"] == "derived"
    ]


def test_the_guide_reads_what_rails_wrote() -> None:
    ran = refused = 0
    for case in plain_attributes():
        stored, keys = case["ciphertext"]["value"], rails_keys(case)
        if case["kind"] in ("decrypt", "encrypt_exact"):
            plaintext = case["plaintext"]["value"]
            assert rails.read(stored, keys) == str(plaintext), case["id"]
            ran += 1
        else:
            with pytest.raises(rails.UnreadableError):
                rails.read(stored, keys)
            refused += 1
    assert (ran, refused) == (18, 4)


def test_the_guide_writes_the_bytes_that_rails_writes() -> None:
    ran = 0
    for case in plain_attributes():
        if case["kind"] == "encrypt_exact":
            digest = case["settings"]["hash_digest_class"].lower()
            keys = case["keys"]
            key = rails.derived(keys["deterministic_key"], keys["key_derivation_salt"], digest)
            text = case["plaintext"]["value"]
            stored = rails.write(text, key, deterministic=True)
            assert stored == case["ciphertext"]["value"], case["id"]
            ran += 1
    assert ran == 5


@pytest.mark.parametrize("text", ["", "x" * 140, "x" * 141, "Žluťoučký Kůň 🐴" * 40])
def test_the_guide_reads_what_it_wrote_as_rails_does(text: str) -> None:
    key = rails.derived("a key", "a salt")
    stored = rails.write(text, key)
    assert rails.read(stored, [rails.derived("another", "a salt"), key]) == text
    assert json.loads(stored)["h"].get("c", False) is (len(text.encode()) > 140)
    with pytest.raises(rails.UnreadableError):
        rails.read(stored, [rails.derived("another", "a salt")])


# --- Sentry -----------------------------------------------------------------------------------


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a key directory for a case, and the variables of Sentry."""
    monkeypatch.setenv("DATABASE_ENCRYPTION_FERNET_KEYS_LOCATION", str(tmp_path))

    def keys_of(case: Case) -> None:
        for file in tmp_path.iterdir():
            file.unlink()
        for name, text in case["keyring"].items():
            (tmp_path / name).write_text(f"{text}\n")
        monkeypatch.setenv("DATABASE_ENCRYPTION_FERNET_PRIMARY_KEY_ID", case["primary_key_id"])

    return keys_of


#: What Sentry gives to the application as it is stored, and the guide refuses.
UNREADABLE = {"unknown_key", "invalid_token", "bad_format", "unsupported", "ok_bytes"}
#: Base64 that Sentry reads although it is none.
SLOPPY = {"ok_noncanonical"}


def test_the_guide_reads_what_sentry_wrote(use: Any) -> None:
    ran = refused = 0
    for case in cases_of("sentry"):
        if "field" not in case or case["strict_class"] in SLOPPY:
            continue
        use(case)
        read = (lambda text: sentry.read_json(json.loads(text))) if is_json(case) else sentry.read
        if case["strict_class"] in UNREADABLE:
            with pytest.raises(sentry.UnreadableError):
                read(case["ciphertext"])
            refused += 1
        else:
            found = read(case["ciphertext"])
            if is_json(case):
                assert json.loads(found) == case["plaintext_json"], case["id"]
            else:
                assert found == case["plaintext"], case["id"]
            ran += 1
    assert (ran, refused) == (26, 12)


def is_json(case: Case) -> bool:
    return bool(case["field"] == "json")


@pytest.mark.parametrize("method", ["fernet", "plaintext"])
@pytest.mark.parametrize("text", ["1", "[2]", '{"token":"ключ 🔓"}'])
def test_the_guide_reads_what_it_wrote_as_sentry_does(use: Any, text: str, method: str) -> None:
    use(cases_of("sentry")[0])
    stored = sentry.write(text, method)
    assert stored.startswith(
        "enc:plaintext:" if method == "plaintext" else "enc:fernet:key_2024_02:Z0FBQUFB"
    )
    assert sentry.read(stored) == text
    assert sentry.read_json({sentry.MEMBER: stored}) == text
