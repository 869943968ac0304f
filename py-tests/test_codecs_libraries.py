"""The codecs of Django's and SQLAlchemy's libraries against the libraries themselves, in both directions."""

from __future__ import annotations

import base64
import datetime
import decimal
import pickle
import warnings
from typing import Any

import django_support
import pytest
import reseal
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.test.utils import override_settings
from django_support import OLD_SECRET, SALTS, SECRET
from reseal import codecs

django_support.setup()

from django.db import models  # noqa: E402
from django_cryptography.core.signing import FernetSigner  # noqa: E402
from django_cryptography.fields import encrypt  # noqa: E402
from django_cryptography.utils.crypto import FernetBytes, pbkdf2  # noqa: E402
from encrypted_fields import fields as django_fernet  # noqa: E402
from fernet_fields import fields as fernet_fields  # noqa: E402
from sqlalchemy import Boolean, Date, Integer, Unicode  # noqa: E402
from sqlalchemy_utils.types.encrypted import encrypted_type as alchemy  # noqa: E402

TEXTS = ["hello", "Zażółć 🚀", " ", "x" * 1000, "a\0b", "line\n"]
UTC = datetime.timezone.utc


def opened(codec: codecs.Codec, stored: str | bytes) -> bytes:
    found = codec.open(stored)
    assert (found.key, found.current) == ("1", True)
    return found.plaintext


def value_of(column: reseal.Column, stored: str | bytes) -> object:
    found = column.open(stored)
    return found and found.value


# --- django-fernet-encrypted-fields -----------------------------------------------------------


def tokens(**options: Any) -> codecs.Codec:
    return codecs.django_fernet(**{"secrets": [SECRET, OLD_SECRET], "salts": SALTS, **options})


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        *((django_fernet.EncryptedTextField(), text, text) for text in TEXTS),
        (django_fernet.EncryptedCharField(max_length=9), "hello", "hello"),
        (django_fernet.EncryptedEmailField(), "a@b.example", "a@b.example"),
        (django_fernet.EncryptedIntegerField(), -42, "-42"),
        (django_fernet.EncryptedFloatField(), 1.5, "1.5"),
        (django_fernet.EncryptedDateField(), datetime.date(2026, 1, 17), "2026-01-17"),
        (
            django_fernet.EncryptedDateTimeField(),
            datetime.datetime(2026, 1, 17, 8, 30, 0, 5, tzinfo=UTC),
            "2026-01-17 08:30:00.000005+00:00",
        ),
        (django_fernet.EncryptedBooleanField(), True, "True"),
    ],
)
def test_a_field_of_django_fernet(field: Any, value: object, text: str) -> None:
    assert opened(tokens(), field.get_prep_value(value)) == text.encode()
    assert field.from_db_value(tokens().seal(text), None, None) == value


def test_keys_of_django_fernet_are_those_of_every_secret_and_salt() -> None:
    keys = django_fernet.EncryptedTextField().keys
    for place, key in enumerate(keys, 1):
        assert tokens().open(Fernet(key).encrypt(b"x").decode()).key == str(place)
    rotated = tokens().rotate(Fernet(keys[3]).encrypt(b"x").decode())
    assert Fernet(keys[0]).decrypt(rotated) == b"x"
    with pytest.raises(InvalidToken):
        Fernet(keys[1]).decrypt(rotated)


def test_what_django_stores_as_null_comes_back_where_it_was_sealed() -> None:
    field = django_fernet.EncryptedTextField()
    assert field.get_prep_value("") is None
    assert field.from_db_value(tokens().seal(""), None, None) == ""
    number = django_fernet.EncryptedIntegerField()
    assert number.get_prep_value(0) is None
    assert number.from_db_value(tokens().seal("0"), None, None) == 0


def test_typed_columns_of_django_fernet() -> None:
    date = django_fernet.EncryptedDateTimeField()
    moment = datetime.datetime(2026, 1, 17, 8, 30, tzinfo=UTC)
    column = reseal.Column(tokens(), type="timestamp")
    assert value_of(column, date.get_prep_value(moment)) == moment
    assert date.from_db_value(column.seal(moment), None, None) == moment
    number = reseal.Column(tokens(), type="integer")
    assert value_of(number, django_fernet.EncryptedIntegerField().get_prep_value(7)) == 7
    truth = django_fernet.EncryptedBooleanField()
    column = reseal.Column(tokens(), type="boolean")
    assert value_of(column, truth.get_prep_value(True)) is True
    for value in (True, False):
        stored = column.seal(value)
        assert truth.from_db_value(stored, None, None) is value
        assert value_of(column, stored) is value


# --- django-fernet-fields ---------------------------------------------------------------------


@pytest.mark.parametrize("text", [*TEXTS, ""])
def test_a_field_of_fernet_fields(text: str) -> None:
    field = fernet_fields.EncryptedTextField()
    codec = codecs.fernet_fields(secrets=["new key", "old key"])
    stored = field.fernet.encrypt(text.encode())
    assert opened(codec, stored) == text.encode()
    assert field.from_db_value(codec.seal(text, binary=True), None, None) == text


def test_fernet_fields_without_hkdf_and_with_a_prefix() -> None:
    key = Fernet.generate_key().decode()
    with override_settings(FERNET_USE_HKDF=False, FERNET_KEYS=[key]):
        field = fernet_fields.EncryptedTextField()
        codec = codecs.fernet_fields(secrets=[key], hkdf=False)
        assert opened(codec, field.fernet.encrypt(b"x")) == b"x"
        assert field.from_db_value(codec.seal("x", binary=True), None, None) == "x"
    # As djfernet derives it with DJFERNET_PREFIX.
    derived = HKDF(hashes.SHA256(), 32, b"my-app-hkdf-salt", b"my-app").derive(b"new key")
    own = Fernet(base64.urlsafe_b64encode(derived))
    codec = codecs.fernet_fields(secrets=["new key"], prefix="my-app")
    assert opened(codec, own.encrypt(b"x")) == b"x"
    assert own.decrypt(codec.seal("x", binary=True)) == b"x"


# --- django-cryptography ----------------------------------------------------------------------


def pickled(field: Any, **options: Any) -> codecs.Codec:
    return codecs.django_cryptography(**{"secrets": [SECRET], "field": field, **options})


DOCUMENT: dict[str, Any] = {"a": [1, -2.5, True, None, "Zażółć 🚀", {}], "b": {"c": []}}


@pytest.mark.parametrize(
    ("kind", "field", "value", "plaintext"),
    [
        *(("text", models.TextField(), text, text.encode()) for text in [*TEXTS, ""]),
        *(
            ("integer", models.BigIntegerField(), number, str(number).encode())
            for number in (0, 1, -1, 255, 256, 65536, -(2**31), 2**31, -(2**63), 2**63 - 1)
        ),
        ("boolean", models.BooleanField(), True, b"true"),
        ("boolean", models.BooleanField(), False, b"false"),
        ("float", models.FloatField(), 0.1, b"0.1"),
        ("float", models.FloatField(), -1e22, b"-10000000000000000000000"),
        ("bytes", models.BinaryField(), bytes(range(256)), bytes(range(256))),
        ("bytes", models.BinaryField(), b"", b""),
    ],
)
def test_a_field_of_django_cryptography(
    kind: str, field: models.Field[Any, Any], value: object, plaintext: bytes
) -> None:
    encrypted: Any = encrypt(field)
    assert opened(pickled(kind), encrypted._dump(value)) == plaintext
    written = encrypted.from_db_value(pickled(kind).seal(plaintext, binary=True))
    assert (written, type(written)) == (value, type(value))


def test_a_document_of_django_cryptography() -> None:
    field: Any = encrypt(models.JSONField())
    column = reseal.Column(pickled("json"), type="json", binary=True)
    found = column.open(field._dump(DOCUMENT))
    assert found
    assert found.value == DOCUMENT
    assert field._load(column.seal(DOCUMENT)) == DOCUMENT


@pytest.mark.parametrize(
    "value",
    [datetime.date(2026, 1, 17), decimal.Decimal("1.5"), (1, 2), {1, 2}, {1: 2}, 2**64],
    ids=repr,
)
def test_what_code_would_build_is_refused(value: object) -> None:
    stored = encrypt(models.TextField())._dump(value)
    with pytest.raises(reseal.FormatError) as refused:
        pickled("json").open(stored)
    assert refused.value.code == "format-unsupported"
    # It can be rotated all the same, since nothing of it is read.
    rotated = pickled("text", secrets=["another", SECRET]).rotate(stored)
    assert isinstance(rotated, bytes)
    assert pickle.loads(pickles("another").decrypt(rotated)) == value


CALLED: list[str] = []


class Caller:
    """Its pickle calls a function."""

    def __reduce__(self) -> tuple[Any, ...]:
        return called, ("here",)


def called(place: str) -> str:
    CALLED.append(place)
    return place


def test_a_pickle_that_calls_is_never_called() -> None:
    field: Any = encrypt(models.TextField())
    stored = field._dump(Caller())
    assert field._load(stored) == "here"  # So does the library.
    CALLED.clear()
    with pytest.raises(reseal.FormatError) as refused:
        pickled("text").open(stored)
    assert (refused.value.code, CALLED) == ("format-unsupported", [])


def pickles(secret: str, key: str | None = None, salt: str = "django-cryptography") -> FernetBytes:
    """As the settings of an application make it."""
    derived = pbkdf2(key or secret, salt, 30000, 32)
    return FernetBytes(derived, FernetSigner(secret))


def test_keys_and_salts_of_django_cryptography() -> None:
    fernet = pickles(SECRET, "its own key", "its own salt")
    codec = pickled("text", cryptography_keys=["its own key"], salt="its own salt")
    assert opened(codec, fernet.encrypt(pickle.dumps("hello"))) == b"hello"
    written = codec.seal("hello", binary=True)
    assert isinstance(written, bytes)
    assert pickle.loads(fernet.decrypt(written)) == "hello"


def test_keys_of_a_field_of_django_cryptography() -> None:
    key = bytes(range(32))
    fernet = FernetBytes(key, FernetSigner(SECRET))
    codec = pickled("text", field_keys=[key])
    assert opened(codec, fernet.encrypt(pickle.dumps("hello"))) == b"hello"
    written = codec.seal("hello", binary=True)
    assert isinstance(written, bytes)
    assert pickle.loads(fernet.decrypt(written)) == "hello"
    for options in ({"field_keys": [bytes(24)]}, {"digest": "sm3"}):
        with pytest.raises(reseal.FormatError) as refused:
            pickled("text", **options)
        assert refused.value.code == "format-unsupported"


# --- SQLAlchemy-Utils -------------------------------------------------------------------------


ENGINES: list[tuple[str, Any, dict[str, Any]]] = [
    ("aes-gcm", alchemy.AesGcmEngine, {}),
    ("fernet", alchemy.FernetEngine, {}),
    *(
        ("aes", alchemy.AesEngine, {"padding": padding, "expect": "utf8"})
        for padding in ("naive", "pkcs5", "oneandzeroes", "zeroes")
    ),
]


@pytest.fixture(params=ENGINES, ids=lambda given: f"{given[0]}-{given[2].get('padding')}")
def engine(request: pytest.FixtureRequest) -> tuple[codecs.Codec, Any]:
    name, of, options = request.param
    codec = codecs.sqlalchemy_utils(keys=["a key", "the old key"], engine=name, **options)

    def type_of(underlying: Any = Unicode, key: str = "a key", base: Any = None) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            base = base or alchemy.StringEncryptedType
            return base(underlying, key, of, options.get("padding"))

    return codec, type_of


def test_text_of_sqlalchemy_utils(engine: tuple[codecs.Codec, Any]) -> None:
    codec, type_of = engine
    assert codec.open(type_of(key="the old key").process_bind_param("x", None)).key == "2"
    for size in (*range(40), 1000):
        for text in ("x" * size, "é" * size):
            stored = type_of().process_bind_param(text, None)
            assert opened(codec, stored) == text.encode()
            assert type_of().process_result_value(codec.seal(text), None) == text
    binary = type_of(base=alchemy.EncryptedType)
    assert opened(codec, binary.process_bind_param("hello", None)) == b"hello"
    assert binary.process_result_value(codec.seal("hello", binary=True), None) == "hello"


def test_types_of_sqlalchemy_utils(engine: tuple[codecs.Codec, Any]) -> None:
    codec, type_of = engine
    for kind, of, value in (
        ("boolean", Boolean, True),
        ("boolean", Boolean, False),
        ("integer", Integer, -42),
    ):
        column = reseal.Column(codec, type=kind)  # type: ignore[arg-type]
        found = column.open(type_of(of).process_bind_param(value, None))
        assert (found and found.value is value) or (found and found.value == value)
        assert type_of(of).process_result_value(column.seal(value), None) == value
    day = datetime.date(2026, 1, 17)
    found = reseal.Column(codec, type="date").open(type_of(Date).process_bind_param(day, None))
    assert found
    assert found.value == day


def test_what_the_library_would_lose_is_not_written(engine: tuple[codecs.Codec, Any]) -> None:
    codec, type_of = engine
    lost = 0
    for text in ("abc**", "rocket 🚀", "\0", "x\0", "x\x10", "\x01"):
        try:
            sealed = codec.seal(text)
        except reseal.ResealError as error:
            lost += error.code == "codec-read-only"
            continue
        assert type_of().process_result_value(sealed, None) == text
    padding = getattr(getattr(type_of().engine, "padding_engine", None), "__class__", type(None))
    assert lost == {"NaivePadding": 1, "OneAndZeroesPadding": 1}.get(padding.__name__, 0)


def test_a_column_is_asked_for_what_the_library_stored() -> None:
    codec = codecs.sqlalchemy_utils(keys=["new", "old"], padding="pkcs5", expect="utf8")
    column = reseal.Column(codec, [codecs.plain()])
    stored = [
        alchemy.StringEncryptedType(Unicode, key, alchemy.AesEngine, "pkcs5").process_bind_param(
            "a@b.example", None
        )
        for key in ("new", "old")
    ]
    assert column.lookup_values("a@b.example") == [*stored, "a@b.example"]


def test_a_text_of_the_library_that_is_one_under_another_key_too() -> None:
    def codec(*keys: str, **options: Any) -> codecs.Codec:
        return codecs.sqlalchemy_utils(keys=keys, padding="pkcs5", **options)

    def of(key: str) -> Any:
        return alchemy.StringEncryptedType(Unicode, key, alchemy.AesEngine, "pkcs5")

    # About one text of 15 characters in a million and a half.
    text = "8527d64cb0921ac"
    stored = of("the old key").process_bind_param(text, None)
    assert of("the new key").process_result_value(stored, None) != text
    both = codec("the new key", "the old key", expect="utf8")
    old = codec("the old key", expect="utf8")
    ring = codecs.reseal(reseal.Keyring(primary=reseal.Key.generate("data")))
    for column in (
        reseal.Column(both),
        reseal.Column(ring, [both]),
        reseal.Column(codec("the new key", expect="utf8", name="new"), [old]),
    ):
        refused = column.reseal(stored)
        assert isinstance(refused, reseal.Refused)
        assert refused.code == "auth-failed"
    moved = reseal.Column(ring, [old])
    outcome = moved.reseal(stored)
    assert isinstance(outcome, reseal.Resealed)
    found = moved.open(outcome.value)
    assert found
    assert found.value == text


def test_what_nothing_vouches_for_is_not_rotated() -> None:
    stored = codecs.sqlalchemy_utils(keys=["old"]).seal("hello")
    unchecked = codecs.sqlalchemy_utils(keys=["new", "old"])
    assert unchecked.open(stored).trust == "unchecked"
    with pytest.raises(reseal.ResealError) as refused:
        unchecked.rotate(stored)
    assert refused.value.code == "expect-required"
    checked = codecs.sqlalchemy_utils(keys=["new", "old"], expect="utf8")
    assert checked.open(checked.rotate(stored)).key == "1"
