from __future__ import annotations

import copy
import json
import os
import pickle
import re
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
import reseal
from reseal import codecs
from support import Clock, code_of, error_of

SPEC = Path(__file__).resolve().parents[1] / "spec"
VECTORS = SPEC / "vectors/reseal/v1.json"
LAW = (SPEC / "errors.md").read_text(encoding="utf-8")
TABLE = re.findall(r"^\| `([a-z-]+)` \| (\w+) \|", LAW, re.MULTILINE)
CLASSES = {
    name: getattr(reseal, name)
    for name in ("ResealError", "DecryptError", "KeyringError", "FormatError")
}


def test_the_codes_are_those_of_the_specification() -> None:
    assert set(reseal.ERROR_CODES) == {code for code, _ in TABLE}
    assert len(set(reseal.ERROR_CODES)) == len(reseal.ERROR_CODES) == len(TABLE)


def reachable() -> dict[str, reseal.ResealError]:
    """An error of every code that Python code can cause."""
    data, other = reseal.Key.generate("data"), reseal.Key.generate("data")
    index = reseal.Key.generate("index")
    ring = reseal.Keyring(data, index=index)
    stored = ring.seal("x", {})
    without = {
        "unknown-key": reseal.Keyring(other),
        "key-destroyed": reseal.Keyring(other, destroyed=[data.id]),
        "key-disabled": reseal.Keyring(other, disabled=[data]),
    }
    steps = {
        "not-envelope": lambda: reseal.inspect(""),
        "unsupported-version": lambda: reseal.inspect("rs2" + stored[3:]),
        "unsupported-mode": lambda: reseal.inspect(stored[:37] + "BA" + stored[39:]),
        "malformed": lambda: reseal.inspect(stored[:60]),
        "too-large": lambda: ring.seal(bytes(2**24 + 1), {}),
        "context-invalid": lambda: ring.seal("", {"Row": 1}),
        "invalid-text": lambda: ring.seal("\ud800", {}),
        "key-wrong-use": lambda: ring.open(stored.replace(data.id, index.id), {}),
        "auth-failed": lambda: ring.open(stored, {"row": 1}),
        "no-primary": lambda: reseal.Keyring().seal("", {}),
        "invalid-key": lambda: reseal.Key.parse(""),
        "duplicate-key": lambda: reseal.Keyring(decrypt_only=[data, data]),
        "invalid-argument": lambda: reseal.Key.generate("x"),  # type: ignore[arg-type]
        "source-missing": lambda: reseal.Keyring.from_env({}),
        "source-conflict": lambda: reseal.Keyring.from_env(
            {"RESEAL_KEY_DIR": "/", "RESEAL_PRIMARY_KEY": data.export()}
        ),
        "source-unreadable": lambda: reseal.Keyring.from_env(
            {"RESEAL_KEY_DIR": "/nowhere", "RESEAL_PRIMARY": "key"}
        ),
        **{code: lambda r=r: r.open(stored, {}) for code, r in without.items()},  # type: ignore[misc]
        **of_keysets(),
        **of_codecs(stored),
    }
    return {code: error_of(step) for code, step in steps.items()}


def of_keysets() -> dict[str, Callable[[], object]]:
    kek, folder = reseal.Key.generate("kek"), tempfile.mkdtemp()
    keyset = reseal.Keyset.create(kek=kek, lease_seconds=1)
    key_id = keyset.rotate("data", label="a")
    text, file = keyset.save(), reseal.KeysetFile(f"{folder}/keyset.json", kek=kek)
    file.create(keyset)
    clock = Clock()
    live = reseal.LiveKeyring.from_keyset(file.path, kek=kek, clock=clock)
    live.refresh()
    os.unlink(file.path)
    clock.now += 10
    other = json.loads(text)
    other["keys"][0]["label"] = "b"
    nowhere = reseal.KeysetFile(f"{folder}/nowhere/keyset.json")
    # A wrapped key that is not the one that the keyset names takes the KEK to make: a vector.
    cases = json.loads(VECTORS.read_text(encoding="utf-8"))["keyset"]
    (alien,) = (case["text"] for case in cases["negative"] if case["expect"] == "KeyIdMismatch")
    load = reseal.Keyset.load
    return {
        "keyset-malformed": lambda: reseal.inspect_keyset("{}"),
        "keyset-tampered": lambda: load(json.dumps(other), kek=kek),
        "keyset-wrong-ring": lambda: load(text, kek=kek, ring="a" * 26),
        "keyset-outdated": lambda: load(text, kek=kek, min_generation=2),
        "keyset-transition": lambda: keyset.destroy(key_id),
        "keyset-conflict": lambda: file.save(keyset),
        "keyset-unwritable": lambda: nowhere.create(keyset),
        "kek-mismatch": lambda: load(text, kek=reseal.Key.generate("kek")),
        "key-id-mismatch": lambda: load(alien, kek=cases["kek1_text"]),
        "ring-stale": lambda: live.seal("x", {}),
    }


def of_codecs(stored: str) -> dict[str, Callable[[], object]]:
    fernet = codecs.fernet(keys=["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="])
    sentry = codecs.sentry(
        keys={"key": "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="}, primary="key"
    )
    metabase = codecs.metabase(keys=["a secret of sixteen characters"])
    n8n = codecs.n8n(instance_keys=["the instance key"])
    return {
        "looks-sealed": lambda: codecs.plain().seal(stored),
        "format-mismatch": lambda: fernet.open("hello"),
        "format-unsupported": lambda: sentry.open("enc:tink:x"),
        "codec-read-only": lambda: metabase.seal(""),
        "value-invalid": lambda: reseal.Column(codecs.plain(), type="date").open("today"),
        "expect-required": lambda: n8n.rotate(n8n.seal("x")),
    }


ERRORS = reachable()


def test_every_code_of_this_language_is_reached() -> None:
    """The others need a failing system, a manifest, a job or JavaScript, or are outcomes of a column."""
    others = {
        "double-encrypted",
        "random-unavailable",
        "manifest-invalid",
        "encryption-required",
        "column-unsuitable",
        "database-error",
        "job-conflict",
        "verification-failed",
        "reader-unable",
        "duplicate-value",
        "constraint-violated",
        "still-in-use",
        "not-initialized",
        "engine-unsupported",
    }
    assert set(ERRORS) == set(reseal.ERROR_CODES) - others


@pytest.mark.parametrize("code", ERRORS)
def test_code_class_and_message(code: str) -> None:
    error, class_name = ERRORS[code], dict(TABLE)[code]
    assert error.code == code
    assert type(error) is CLASSES[class_name]
    assert isinstance(error, reseal.ResealError)
    message = str(error)
    assert message == error.args[1]
    assert message[0].islower() or message.startswith(("RESEAL_", "2^", '"', "Sentry"))
    assert not message.endswith(".")
    assert len(message) > 20
    shown = traceback.format_exception_only(error)
    assert shown == [f"reseal.{class_name}: {message}\n"]


@pytest.mark.parametrize("code", ERRORS)
def test_errors_are_pickled_and_copied(code: str) -> None:
    error = ERRORS[code]
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert (type(twin), twin.code, str(twin)) == (type(error), code, str(error))


def test_everything_that_depends_on_a_secret_is_one_error() -> None:
    key = reseal.Key.generate()
    ring = reseal.Keyring(key)
    seen = set()
    for mode in ("random", "deterministic", "padded"):
        binary = ring.seal_binary(b"x" * 40, {"row": 1}, mode)
        for at in range(26, len(binary)):
            changed = binary[:at] + bytes([binary[at] ^ 1]) + binary[at + 1 :]
            error = error_of(lambda c=changed: ring.open_binary(c, {"row": 1}))  # type: ignore[misc]
            seen.add((type(error), error.args))
        error = error_of(lambda b=binary: ring.open_binary(b, {"row": 2}))  # type: ignore[misc]
        seen.add((type(error), error.args))
        # The mode is authenticated too: sealed in one, read in another.
        other = binary[:25] + bytes([binary[25] % 3 + 1]) + binary[26:]
        error = error_of(lambda o=other: ring.open_binary(o, {"row": 1}))  # type: ignore[misc]
        seen.add((type(error), error.args))
    assert len(seen) == 1
    assert code_of(lambda: ring.open("x", {})) == "not-envelope"


def test_where_the_classes_live() -> None:
    for name, cls in CLASSES.items():
        assert (cls.__module__, cls.__qualname__) == ("reseal", name)
        assert issubclass(cls, reseal.ResealError)
    assert issubclass(reseal.ResealError, Exception)
