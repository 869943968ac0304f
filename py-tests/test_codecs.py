"""The codecs by themselves: their options, what they recognise, and what they refuse."""

from __future__ import annotations

import base64
import copy
import os
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import reseal
from reseal import codecs
from support import code_of, error_of

KEY = reseal.Key.generate("data")
RING = reseal.Keyring(KEY)
FERNET = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
METABASE = "a secret of sixteen characters"
FREEBOARD = base64.b64encode(os.urandom(32)).decode()
SECRETS = [
    *(FERNET, METABASE, FREEBOARD, "rails-primary-key", "rails-salt", "the-instance-key"),
    *("django-secret", "django-salt", "alchemy-key"),
]

MAKERS: dict[str, Callable[..., codecs.Codec]] = {
    "plain": codecs.plain,
    "reseal": lambda **options: codecs.reseal(RING, **options),
    "fernet": lambda **options: codecs.fernet(keys=[FERNET], **options),
    "sentry": lambda **options: codecs.sentry(keys={"k": FERNET}, primary="k", **options),
    "rails": lambda **options: codecs.rails(
        primary_keys=["rails-primary-key"], key_derivation_salt="rails-salt", **options
    ),
    "metabase": lambda **options: codecs.metabase(keys=[METABASE], **options),
    "n8n": lambda **options: codecs.n8n(
        instance_keys=["the-instance-key"], expect="json", **options
    ),
    "freeboard": lambda **options: codecs.freeboard(keys=[FREEBOARD], **options),
    "django-fernet": lambda **options: codecs.django_fernet(
        secrets=["django-secret"], salts=["django-salt"], **options
    ),
    "fernet-fields": lambda **options: codecs.fernet_fields(secrets=["django-secret"], **options),
    "sqlalchemy-utils": lambda **options: codecs.sqlalchemy_utils(
        keys=["alchemy-key"], expect="json", **options
    ),
}
# A token does not show which library derived its key.
SHOWN_AS = {"django-fernet": "fernet", "fernet-fields": "fernet"}
CODECS = {kind: make() for kind, make in MAKERS.items()}
VALUE = b'{"a":1}'


@pytest.mark.parametrize("kind", MAKERS)
def test_every_codec_opens_what_it_wrote(kind: str) -> None:
    codec = CODECS[kind]
    for stored in (codec.seal(VALUE), codec.seal(VALUE, binary=True), codec.seal('{"a":1}')):
        opened = codec.open(stored)
        assert (opened.plaintext, opened.current) == (VALUE, True)
        trust = {"n8n": "checked", "plain": "plain", "sqlalchemy-utils": "checked"}.get(
            kind, "authenticated"
        )
        assert (opened.trust, opened.encoding) == (trust, "UTF-8" if kind == "rails" else None)
        shown = codec.recognize(stored)
        assert shown is not None
        assert codec.is_current(stored) in (True, None)
        assert codec.open(codec.rotate(stored)).plaintext == VALUE
        assert SHOWN_AS.get(kind, kind) in [found for found, _ in codecs.recognize(stored)]
    assert isinstance(codec.seal(VALUE, {}, "random", True), bytes)


@pytest.mark.parametrize("kind", MAKERS)
def test_names(kind: str) -> None:
    codec = CODECS[kind]
    assert (codec.name, codec.kind) == (kind, kind)
    assert MAKERS[kind](name="another").name == "another"
    assert MAKERS[kind](name=None).name == kind
    assert MAKERS[kind](name="é" * 32).name == "é" * 32
    for name in ("", 7, "x" * 65):
        assert code_of(lambda n=name: MAKERS[kind](name=n)) == "invalid-argument"  # type: ignore[misc]


@pytest.mark.parametrize("kind", MAKERS)
def test_nothing_shows_a_key(kind: str) -> None:
    codec = CODECS[kind]
    shown = repr(codec) + str(codec) + f"{codec}" + repr(dir(codec))
    assert repr(codec) == f'Codec({kind} "{kind}")'
    for secret in (*SECRETS, KEY.export()):
        assert secret[3:15] not in shown
    assert copy.copy(codec) is codec is copy.deepcopy(codec)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match=r"^a Codec is not pickled"):
            pickle.dumps(codec, protocol)


SILENT: list[Callable[[], object]] = [
    lambda: codecs.fernet(keys=[FERNET[:-3]]),
    lambda: codecs.fernet(keys=FERNET),
    lambda: codecs.fernet(keys=[FERNET.encode()]),  # type: ignore[list-item]
    lambda: codecs.fernet(keys=[FERNET + "\ud800"]),
    lambda: codecs.fernet(keys=[]),
    lambda: codecs.fernet_fields(secrets=["a"], prefix="\ud800"),
    lambda: codecs.metabase(keys=[METABASE], aad="\ud800"),
    lambda: codecs.sentry(keys={"\ud800": FERNET}, primary="\ud801"),
    lambda: codecs.sentry(keys={"k": FERNET[:-3]}, primary="k"),
    lambda: codecs.sentry(keys={"k": FERNET}, primary="other"),
    lambda: codecs.sentry(keys={"k": FERNET.encode()}, primary="k"),  # type: ignore[dict-item]
    lambda: codecs.sentry(keys=[FERNET], primary="k"),  # type: ignore[arg-type]
    lambda: codecs.sentry(keys={"k": FERNET}, primary="k", field="blob"),  # type: ignore[arg-type]
    lambda: codecs.sentry(keys={"k": FERNET}, primary="k", method="rot13"),  # type: ignore[arg-type]
    lambda: codecs.rails(primary_keys=["rails-primary-key"], key_derivation_salt=""),
    lambda: codecs.rails(primary_keys=["rails-primary-key"]),  # type: ignore[call-arg]
    lambda: codecs.rails(key_derivation_salt="rails-salt"),
    lambda: codecs.rails(primary_keys=[" "], key_derivation_salt="rails-salt"),
    lambda: codecs.rails(primary_keys="rails-primary-key", key_derivation_salt="rails-salt"),
    lambda: MAKERS["rails"](digests=["md5"]),
    lambda: MAKERS["rails"](serializer="xml"),
    lambda: MAKERS["rails"](deterministic=True),
    lambda: MAKERS["rails"](compress="rails-salt"),
    lambda: MAKERS["rails"](previous=[{"primary": ["rails-primary-key"]}]),
    lambda: MAKERS["rails"](previous=[["rails-primary-key"]]),
    lambda: MAKERS["rails"](previous=[{"primary_keys": ["x"]}]),
    lambda: codecs.metabase(keys=["short"]),
    lambda: codecs.metabase(keys=[METABASE], data_keys={1: b"x"}),
    lambda: codecs.metabase(keys=[METABASE], data_keys={1: METABASE}),  # type: ignore[dict-item]
    lambda: codecs.metabase(keys=[METABASE], data_keys={-1: b"x"}),
    lambda: codecs.metabase(keys=[METABASE], data_keys={True: b"x"}),
    lambda: codecs.metabase(keys=[METABASE], data_keys={1: bytes(2**17)}),
    lambda: codecs.metabase(keys=[METABASE], data_keys={1: bytearray(2**17)}),
    lambda: codecs.metabase(keys=[METABASE], aad="{"),
    lambda: codecs.metabase(keys=[METABASE], expect="xml"),  # type: ignore[arg-type]
    lambda: codecs.n8n(),
    lambda: codecs.n8n(instance_keys=[""]),
    lambda: codecs.n8n(instance_keys=["the-instance-key"] * 2),
    lambda: codecs.n8n(instance_keys=["the-instance-key"], custom_key="x"),
    lambda: codecs.n8n(instance_keys=["the-instance-key"], write="prefixed"),
    lambda: codecs.n8n(instance_keys=["the-instance-key"], write="both"),  # type: ignore[arg-type]
    lambda: codecs.n8n(instance_keys=["the-instance-key"], rows=[{"id": "the-instance-key"}]),
    lambda: codecs.n8n(instance_keys=["the-instance-key"], rows=["the-instance-key"]),  # type: ignore[list-item]
    lambda: codecs.freeboard(keys=[FREEBOARD[:20]]),
    lambda: codecs.django_fernet(secrets=[], salts=["django-salt"]),
    lambda: codecs.django_fernet(secrets=["django-secret"], salts=[]),
    lambda: codecs.django_fernet(secrets="django-secret", salts=["django-salt"]),
    lambda: codecs.fernet_fields(secrets=["django-secret"], hkdf=False),
    lambda: codecs.fernet_fields(secrets=["django-secret"], hkdf=False, prefix="x"),
    lambda: codecs.fernet_fields(secrets=["django-secret", ""]),
    lambda: codecs.django_cryptography(secrets=[]),
    lambda: codecs.django_cryptography(secrets=["django-secret"], cryptography_keys=[""]),
    lambda: codecs.django_cryptography(secrets=["django-secret"], field="date"),  # type: ignore[arg-type]
    lambda: codecs.django_cryptography(secrets=["django-secret"], salt=7),  # type: ignore[arg-type]
    lambda: codecs.django_cryptography(secrets=["django-secret"], digest="sha384"),  # type: ignore[arg-type]
    lambda: codecs.django_cryptography(secrets=["django-secret"], field_keys=["x" * 32]),  # type: ignore[list-item]
    lambda: codecs.django_cryptography(secrets=["django-secret"], field_keys=[bytes(31)]),
    lambda: codecs.django_cryptography(secrets=["django-secret"], field_keys=[bytes(1000)]),
    lambda: codecs.django_cryptography(
        secrets=["django-secret"], field_keys=[bytes(32)], digest="md5"
    ),
    lambda: codecs.sqlalchemy_utils(keys=[]),
    lambda: codecs.sqlalchemy_utils(keys=["alchemy-key", ""]),
    lambda: codecs.sqlalchemy_utils(keys=["alchemy-key"], engine="des"),  # type: ignore[arg-type]
    lambda: codecs.sqlalchemy_utils(keys=["alchemy-key"], engine="fernet", padding="pkcs5"),
    lambda: codecs.sqlalchemy_utils(keys=["alchemy-key"], engine="fernet", expect="utf8"),
    lambda: codecs.sqlalchemy_utils(keys=["alchemy-key"], padding="none"),  # type: ignore[arg-type]
    lambda: codecs.reseal(KEY),  # type: ignore[arg-type]
    lambda: codecs.reseal(KEY.export()),  # type: ignore[arg-type]
    lambda: codecs.N8nDataKey.from_text(""),
    lambda: codecs.N8nDataKey.unwrap_value("the-instance-key", ["x"]),
    lambda: codecs.N8nKeyRow(1, "", "the-instance-key", None, ""),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("step", SILENT, ids=range(len(SILENT)))
def test_options_that_are_wrong(step: Callable[[], object]) -> None:
    error = error_of(step)
    assert error.code in {
        *("invalid-argument", "invalid-key", "duplicate-key", "no-primary"),
        *("malformed", "auth-failed", "format-mismatch"),
    }
    for secret in (*SECRETS, KEY.export()):
        assert secret[3:15] not in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None


def test_an_option_that_there_is_not() -> None:
    for maker in (codecs.rails, codecs.fernet):
        with pytest.raises(TypeError, match="unexpected keyword argument 'key'"):
            maker(key="x")  # type: ignore[call-arg]


def test_what_the_caller_raises_is_raised() -> None:
    class Broken(list[str]):
        def __iter__(self) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        codecs.fernet(keys=Broken())


# --- recognition ------------------------------------------------------------------------------


def test_the_surest_comes_first() -> None:
    for kind, codec in CODECS.items():
        found = codecs.recognize(codec.seal(VALUE))
        sure = [name for name, shown in found if shown.certainty == "yes"]
        assert [name for name, _ in found[: len(sure)]] == sure
        assert found[-1][0] == "plain"
        if kind not in ("plain", "metabase", "sqlalchemy-utils"):
            assert sure == [SHOWN_AS.get(kind, kind)]
    assert [kind for kind, _ in codecs.recognize("")] == ["plain"]
    assert codecs.recognize(b"\xff")[-1][0] == "plain"


def test_recognized_values_are_values() -> None:
    one, two = (codecs.recognize(CODECS["reseal"].seal("x"))[0][1] for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert one.key == KEY.id
    assert repr(one) == f"Recognized(certainty='yes', scheme='random', key='{KEY.id}')"


def test_no_codec_takes_the_values_of_another() -> None:
    for kind, codec in CODECS.items():
        for other, reader in CODECS.items():
            if other in (kind, "plain") or (kind, other) == ("plain", "metabase"):
                continue
            assert code_of(lambda r=reader, c=codec: r.open(c.seal(VALUE))) in (  # type: ignore[misc]
                "format-mismatch",
                "auth-failed",
            )
    assert code_of(lambda: CODECS["plain"].open(RING.seal("x", {}))) == "looks-sealed"
    assert code_of(lambda: CODECS["plain"].seal(RING.seal("x", {})[:50])) == "looks-sealed"


@pytest.mark.parametrize("stored", [None, 7, 1.5, [], {}, object()])
def test_what_is_stored_is_text_or_bytes(stored: Any) -> None:
    codec = CODECS["fernet"]
    for step in (
        lambda: codec.open(stored),
        lambda: codec.recognize(stored),
        lambda: codec.is_current(stored),
        lambda: codec.rotate(stored),
        lambda: codecs.recognize(stored),
    ):
        assert code_of(step) == "invalid-argument"


def test_arguments_of_values() -> None:
    codec = CODECS["reseal"]
    context = {"table": "users"}
    stored = codec.seal("x", context, "deterministic")
    assert stored == codec.seal("x", context, "deterministic")
    assert (codec.is_current(stored), codec.is_current(stored, "deterministic")) == (False, True)
    assert codec.open(stored, context).scheme == "deterministic"
    assert code_of(lambda: codec.open(stored)) == "auth-failed"
    none: Any = None
    for step in (
        lambda: codec.seal("x", {}, "fast"),  # type: ignore[call-overload]
        lambda: codec.seal("x", binary="yes"),  # type: ignore[call-overload]
        lambda: codec.seal("x", now="today"),  # type: ignore[call-overload]
        lambda: codec.seal(none),
    ):
        assert code_of(step) == "invalid-argument"
    assert code_of(lambda: codec.seal("x", {"row": 1.5})) == "context-invalid"
    assert code_of(lambda: codec.seal("x", 7)) == "context-invalid"  # type: ignore[call-overload]
    assert code_of(lambda: codec.open("\ud800")) == "invalid-text"


# --- options that change something ------------------------------------------------------------


def test_a_previous_scheme_of_rails() -> None:
    before = codecs.rails(
        primary_keys=["a"], key_derivation_salt="salt of before", digests=["sha1"]
    )
    scheme = {"primary_keys": ["a"], "key_derivation_salt": "salt of before", "digests": ["sha1"]}
    now = codecs.rails(primary_keys=["b"], key_derivation_salt="salt", previous=[scheme])
    opened = now.open(before.seal("x"))
    assert (opened.plaintext, opened.current) == (b"x", False)
    assert now.open(now.rotate(before.seal("x"))).current
    older = codecs.rails(primary_keys=["c"], key_derivation_salt="s", previous_keys=["b"])
    assert code_of(lambda: older.open(before.seal("x"))) == "auth-failed"


def test_the_last_key_of_rails_writes() -> None:
    both = codecs.rails(primary_keys=["a", "b"], key_derivation_salt="salt")
    last = codecs.rails(primary_keys=["b"], key_derivation_salt="salt")
    assert last.open(both.seal("x")).current
    assert not both.open(
        codecs.rails(primary_keys=["a"], key_derivation_salt="salt").seal("x")
    ).current


def test_fields_of_sentry_that_were_never_encrypted() -> None:
    marked = codecs.sentry(keys={"k": FERNET}, primary="k", method="plaintext").seal("x")
    believing = codecs.sentry(keys={"k": FERNET}, primary="k")
    opened = believing.open(marked)
    assert (opened.plaintext, opened.trust, opened.current) == (b"x", "plain", False)
    strict = codecs.sentry(keys={"k": FERNET}, primary="k", plaintext=False)
    assert code_of(lambda: strict.open(marked)) == "format-unsupported"
    assert strict.open(believing.rotate(marked)).plaintext == b"x"


def test_rows_of_n8n() -> None:
    key = codecs.N8nDataKey.generate()
    row = codecs.N8nKeyRow("abc", "data_encryption", key.wrap("old"), "aes-256-gcm", "active")
    assert (row.id, row.type, row.algorithm, row.status) == (
        "abc",
        "data_encryption",
        "aes-256-gcm",
        "active",
    )
    moved = row.rewrap(["old"], "new")
    assert moved.data_key(["new"]).text == key.text == row.data_key(["x", "old"]).text
    assert code_of(lambda: row.rewrap(["x"], "new")) == "auth-failed"
    assert code_of(lambda: row.rewrap(["old"], "")) == "invalid-key"
    stored = codecs.n8n(instance_keys=["old"], rows=[row], write="prefixed").seal("x")
    new = codecs.n8n(instance_keys=["new"], rows=[moved], write="prefixed")
    assert new.open(stored).plaintext == b"x"
    # Nothing loses its authentication unasked.
    assert code_of(lambda: codecs.n8n(instance_keys=["new"], rows=[moved])) == "invalid-argument"
    legacy = codecs.n8n(instance_keys=["new"], rows=[moved], write="legacy")
    assert legacy.open(stored).plaintext == b"x"
    for thing in (row, key):
        with pytest.raises(TypeError, match="is not pickled"):
            pickle.dumps(thing)


def test_a_metabase_aad_needs_its_context() -> None:
    codec = codecs.metabase(keys=[METABASE], aad="setting.{key}")
    stored = codec.seal("x", {"key": "a"})
    assert codec.open(stored, {"key": "a"}).plaintext == b"x"
    assert code_of(lambda: codec.open(stored, {"key": "b"})) == "auth-failed"
    assert code_of(lambda: codec.open(stored)) == "context-invalid"


def test_the_limit_of_a_value() -> None:
    codec = CODECS["fernet"]
    big = bytes(2**24)
    assert codec.open(codec.seal(big)).plaintext == big
    assert code_of(lambda: codec.seal(bytes(2**24 + 1))) == "too-large"
    assert code_of(lambda: codec.open("A" * (2**25 + 1))) == "too-large"
    assert code_of(lambda: codec.open(bytearray(2**26 + 1))) == "too-large"
