"""No way of printing, copying or failing shows a key or a plaintext."""

from __future__ import annotations

import base64
import contextlib
import gc
import json
import pickle
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import reseal
from reseal._files import create_private_file, file_facts, read_keyset, read_secret
from reseal._save import save_keyset
from support import error_of

SECRET = bytes(range(200, 232))
PLAINTEXT = "a very secret plaintext"
KEY = reseal.Key.from_bytes("data", SECRET)
INDEX = reseal.Key.from_bytes("index", SECRET)
RING = reseal.Keyring(KEY, index=INDEX, disabled=[reseal.Key.generate()])
FIELD = RING.field({"tenant": PLAINTEXT})
KEK = reseal.Key.from_bytes("kek", SECRET)
KEYSET = reseal.Keyset.create(kek=KEK)
KEYSET.introduce(KEY, label="a label")
KEYSET.promote(KEY.id)
FILE = reseal.KeysetFile("/nowhere/keyset.json", kek=KEK.export(), passphrase=PLAINTEXT)
LIVE = reseal.LiveKeyring.from_env({"RESEAL_PRIMARY_KEY": KEY.export()})
LIVE.refresh()
BROKEN = reseal.LiveKeyring.from_keyset("/nowhere/keyset.json", passphrase=PLAINTEXT)
FACTS = [
    *RING.keys(),
    *KEYSET.keys(),
    *KEYSET.keks(),
    LIVE.status(),
    BROKEN.status(),
    reseal.inspect_keyset(KEYSET.save()),
]
CODECS = [
    reseal.codecs.reseal(RING),
    reseal.codecs.reseal(LIVE),
    reseal.codecs.fernet(keys=[base64.urlsafe_b64encode(SECRET).decode()]),
    reseal.codecs.freeboard(keys=[base64.b64encode(SECRET).decode()]),
    reseal.codecs.metabase(keys=[KEY.export()]),
    reseal.codecs.n8n(instance_keys=[KEY.export()]),
    reseal.codecs.rails(primary_keys=[KEY.export()], key_derivation_salt=PLAINTEXT),
    reseal.codecs.django_fernet(secrets=[KEY.export()], salts=[PLAINTEXT]),
    reseal.codecs.fernet_fields(secrets=[KEY.export()]),
    reseal.codecs.django_cryptography(secrets=[KEY.export()], salt=PLAINTEXT),
    reseal.codecs.sqlalchemy_utils(keys=[KEY.export()]),
]
COLUMN = reseal.Column(CODECS[0], CODECS[2:4], {"tenant": PLAINTEXT}, [{"tenant": PLAINTEXT}])
HOLDERS = [KEY, INDEX, RING, FIELD, KEYSET, FILE, LIVE, BROKEN, *CODECS, COLUMN]


def spellings(secret: bytes) -> Iterator[str]:
    """Parts of the ways in which bytes are written."""
    yield secret.hex()[8:24]
    yield secret.hex(" ")[6:30]
    yield base64.b64encode(secret).decode()[4:20]
    yield base64.urlsafe_b64encode(secret).decode()[4:20]
    yield str(list(secret))[5:30]
    yield repr(secret)[6:30]


FORBIDDEN = [*spellings(SECRET), *KEY.export()[10:].split(".")[-1:], KEY.export()[20:40]]


def assert_silent(text: str) -> None:
    for part in (*FORBIDDEN, PLAINTEXT[2:15]):
        assert part not in text


@pytest.mark.parametrize("thing", [*HOLDERS, *FACTS], ids=repr)
def test_printing(thing: Any) -> None:
    assert_silent(repr(thing) + str(thing) + f"{thing}" + repr([thing]) + ascii(thing))
    assert_silent(repr(dir(thing)))
    for name in dir(thing):
        if thing is BROKEN and name.endswith("primary_id"):
            continue
        value = getattr(thing, name)
        if not callable(value):
            assert_silent(repr(value))
    with pytest.raises(TypeError):
        vars(thing)
    with pytest.raises(TypeError):
        json.dumps(thing)
    with pytest.raises(TypeError):
        bytes(thing)


@pytest.mark.parametrize("thing", HOLDERS, ids=repr)
def test_pickling_by_any_door(thing: Any) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for step in (
            lambda p=protocol: pickle.dumps(thing, p),
            lambda p=protocol: thing.__reduce_ex__(p),
            lambda p=protocol: object.__reduce_ex__(thing, p),
        ):
            with pytest.raises(TypeError, match=f"^a {type(thing).__name__} is not pickled"):
                step()


@pytest.mark.parametrize("thing", FACTS, ids=repr)
def test_facts_are_pickled(thing: Any) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        content = pickle.dumps(thing, protocol)
        assert SECRET not in content
        twin = pickle.loads(content)
        assert repr(twin) == repr(thing)
    with pytest.raises(AttributeError):
        thing.id = "x"


@pytest.mark.parametrize("thing", HOLDERS, ids=repr)
def test_objects_that_python_can_reach(thing: Any) -> None:
    seen: set[int] = set()
    todo = [thing]
    while todo and len(seen) < 50:
        found = todo.pop()
        if id(found) not in seen and not isinstance(found, type):
            seen.add(id(found))
            todo.extend(gc.get_referents(found))
    assert seen == {id(thing)}


def failures() -> Iterator[BaseException]:
    text = KEY.export()
    stored = FIELD.seal(PLAINTEXT)
    nothing: Any = None
    steps: list[Any] = [
        lambda: reseal.Key.parse(text[:-1]),
        lambda: reseal.Key.parse(text + "x"),
        lambda: reseal.Key.parse(f'"{text}"'),
        lambda: reseal.Key.from_bytes("data", SECRET[:-1]),
        lambda: reseal.Key.from_bytes("data", nothing),
        lambda: reseal.Keyring(decrypt_only=[text, text]),
        lambda: reseal.Keyring(index=text),
        lambda: reseal.Keyring(destroyed=[text]),
        lambda: reseal.Keyring.from_env({"RESEAL_PRIMARY_KEY": text, "RESEAL_KEYSET": text}),
        lambda: reseal.Keyring.from_env({"RESEAL_PRIMARY_KEY": text[1:]}),
        lambda: reseal.Keyring.from_env({"RESEAL_INDEX_KEY": INDEX.export()}),
        lambda: reseal.Keyring.from_env({"RESEAL_KEYSET": text, "RESEAL_KEK": text}),
        lambda: reseal.Keyring.from_env({"RESEAL_KEYSET": "/no", "RESEAL_KEK": text}),
        lambda: reseal.Keyring.from_env({"RESEAL_KEYSET": "/no", "RESEAL_KEK_FILE": text}),
        lambda: reseal.Keyring.from_keyset("/no", kek=text, passphrase=PLAINTEXT),
        lambda: reseal.KeysetFile("/no", kek=text[:-1]),
        lambda: reseal.KeysetFile(text),
        lambda: reseal.KeysetFile(Path("/no") / text),
        lambda: reseal.KeysetFile("/no", kek_file=text),
        lambda: reseal.KeysetFile("/no", kek_file=["/no", text.encode()]),
        lambda: reseal.KeysetFile("/no", passphrase_file=text),
        lambda: reseal.Keyring.from_keyset(text, kek=KEK),
        lambda: reseal.Keyring.from_keyset("/no", kek_file=text),
        lambda: reseal.LiveKeyring.from_keyset("/no", passphrase_file=text),
        lambda: reseal.Keyring.from_directory(text, primary="key"),
        lambda: reseal.Keyring.from_directory("/no", primary=text),
        lambda: reseal.LiveKeyring.from_directory("/no", primary="key", index_primary=text),
        lambda: read_secret(text),
        lambda: read_keyset(text),
        lambda: file_facts(text),
        lambda: create_private_file(text, b""),
        lambda: save_keyset(text, None, b""),
        lambda: reseal.Keyset.load(KEYSET.save(), passphrase=PLAINTEXT),
        lambda: reseal.Keyset.load(PLAINTEXT, kek=KEK),
        lambda: reseal.Keyset.create(kek=text),
        lambda: KEYSET.introduce(text),  # type: ignore[arg-type]
        lambda: KEYSET.promote(text),
        lambda: KEYSET.add_kek(text),
        lambda: KEYSET.remove_kek(text),
        lambda: BROKEN.seal(PLAINTEXT, {}),
        lambda: RING.seal(PLAINTEXT + "\ud800", {}),
        lambda: RING.seal(PLAINTEXT * 1_000_000, {}),
        lambda: RING.seal(PLAINTEXT, {"row": 1.0}),
        lambda: RING.seal(PLAINTEXT, {"row": PLAINTEXT + "\ud800"}),
        lambda: RING.seal(PLAINTEXT, {"row": PLAINTEXT * 1000}),
        lambda: RING.seal(PLAINTEXT, {PLAINTEXT: 1}),
        lambda: RING.open(stored, {}),
        lambda: RING.open_str(RING.seal(PLAINTEXT.encode() + b"\xff", {}), {}),
        lambda: RING.open(PLAINTEXT, {}),
        lambda: COLUMN.open(stored, row=1),
        lambda: COLUMN.open(PLAINTEXT),
        lambda: reseal.Column(CODECS[0], type="date").seal(PLAINTEXT),
        lambda: reseal.Column(reseal.codecs.plain(), type="date").open(PLAINTEXT),
        lambda: reseal.Column(CODECS[0], type="json").seal({PLAINTEXT: {PLAINTEXT}}),
        lambda: reseal.Column(CODECS[0], type=PLAINTEXT),  # type: ignore[arg-type]
        lambda: reseal.codecs.n8n(instance_keys=["x"], custom_key=text),
        lambda: reseal.codecs.metabase(keys=[KEY.export()], data_keys={1: SECRET}),
        lambda: reseal.codecs.sentry(keys={"a": text}, primary="a"),
        lambda: CODECS[3].seal(PLAINTEXT),
    ]
    for step in steps:
        yield error_of(step)


@pytest.mark.parametrize("error", list(failures()), ids=lambda error: error.code)
def test_errors(error: reseal.ResealError) -> None:
    assert_silent(str(error) + repr(error) + repr(error.args) + repr(vars(error)))
    assert_silent(repr(pickle.dumps(error)))
    assert error.__cause__ is None
    assert error.__context__ is None
    assert_silent("".join(traceback.format_exception_only(error)))


def test_a_file_that_is_called_by_its_key(tmp_path: Path) -> None:
    (tmp_path / KEY.export()).write_text(KEY.export())
    error = error_of(lambda: reseal.Keyring.from_directory(tmp_path, primary="key"))
    assert error.code == "source-unreadable"
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert_silent(str(error))
    ours = [line for line in shown.format() if "_disk.py" in line]
    assert ours
    assert_silent("".join(ours))


def test_tracebacks_with_the_variables_of_our_files() -> None:
    """A file that cannot be read as a key: our own Python code is in the traceback."""
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "key").write_bytes(KEY.export().encode() + b"\xff")
        environ = {"RESEAL_KEY_DIR": directory, "RESEAL_PRIMARY": "key"}
        with contextlib.suppress(reseal.ResealError):
            reseal.Keyring.from_env(environ)
        error = error_of(lambda: reseal.Keyring.from_env(environ))
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert_silent("".join(shown.format()))


def test_a_traceback_of_a_keyset_file(tmp_path: Path) -> None:
    """The secrets are among no variables of our own Python code."""
    path = tmp_path / "keyset.json"
    (tmp_path / "secret").write_bytes(KEK.export().encode())
    reseal.KeysetFile(path).create(KEYSET)
    secret = str(tmp_path / "secret")
    steps = [
        lambda: reseal.KeysetFile(path, kek_file=[secret, "/no"]).load(),
        lambda: reseal.KeysetFile(path, passphrase_file=secret).edit(lambda keyset: None),
        lambda: reseal.KeysetFile(path, kek_file=secret).edit(lambda keyset: keyset.enable(KEY.id)),
    ]
    for step in steps:
        error = error_of(step)
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert_silent("".join(shown.format()))
