"""Rotation inside the format of each other system: to a new key, and back. A reader that shares no code
with the codecs opens every step under the key that is due, and under no other."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import foreign
import pytest
import reseal
from cryptography.fernet import Fernet, InvalidToken
from foreign import UnreadableError
from reseal import codecs

CONTEXT = {"table": "settings", "key": "site-url"}
TEXTS = ["{}", '{"user":"é🌍"}', '"x"', json.dumps("long " * 20), "12345678901"]

OLD_FERNET, NEW_FERNET = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))
OLD_BASE64, NEW_BASE64 = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
OLD, NEW = "the old secret, long enough", "the new secret, long enough"


class Rotation(NamedTuple):
    """A format, its two keys, a codec whose first key writes, and an independent reader."""

    keys: tuple[str, str]
    codec: Callable[[list[str]], codecs.Codec]
    read: Callable[[Any, str], bytes]
    binary: bool = False


def fernet_read(token: str, key: str) -> bytes:
    try:
        return Fernet(key).decrypt(token)
    except InvalidToken as error:
        raise UnreadableError from error


def sentry(field: Any) -> Rotation:
    ids = {OLD_FERNET: "key_old", NEW_FERNET: "key_new"}

    def codec(keys: list[str]) -> codecs.Codec:
        known = {ids[key]: key for key in keys}
        return codecs.sentry(keys=known, primary=ids[keys[0]], field=field)

    def read(stored: str, key: str) -> bytes:
        if field == "json":
            stored = json.loads(stored)["sentry_encrypted_field_value"]
        marker, method, identity, payload = stored.split(":")
        assert (marker, method) == ("enc", "fernet")
        if identity != ids[key]:
            raise UnreadableError
        return fernet_read(base64.b64decode(payload, validate=True).decode(), key)

    return Rotation((OLD_FERNET, NEW_FERNET), codec, read)


def rails(binary: bool = False, **options: Any) -> Rotation:
    def codec(keys: list[str]) -> codecs.Codec:
        # The last primary key writes; there is one deterministic key.
        given: Any = {"primary_keys": keys[::-1]}
        if options.get("deterministic"):
            given = {"deterministic_keys": keys[:1], "previous_keys": keys[1:]}
        return codecs.rails(key_derivation_salt="a salt", **given, **options)

    def read(stored: str | bytes, key: str) -> bytes:
        return foreign.open_rails(stored, [foreign.rails_key(key, "a salt", "sha256")])

    return Rotation((OLD, NEW), codec, read, binary)


def rails_digests() -> Rotation:
    """The key stays, and what derives it changes."""

    def codec(digests: list[Any]) -> codecs.Codec:
        return codecs.rails(primary_keys=[OLD], key_derivation_salt="a salt", digests=digests)

    def read(stored: str, digest: str) -> bytes:
        return foreign.open_rails(stored, [foreign.rails_key(OLD, "a salt", digest)])

    return Rotation(("sha1", "sha256"), codec, read)


def metabase(aad: str | None = None, binary: bool = False) -> Rotation:
    bound = aad.format(**CONTEXT).encode() if aad else None

    def read(stored: str | bytes, key: str) -> bytes:
        raw = base64.b64decode(stored, validate=True) if isinstance(stored, str) else stored
        return foreign.open_metabase(raw, key, aad=bound)

    return Rotation((OLD, NEW), lambda keys: codecs.metabase(keys=keys, aad=aad), read, binary)


def n8n() -> Rotation:
    def codec(keys: list[str]) -> codecs.Codec:
        return codecs.n8n(instance_keys=keys, expect="json")

    def read(stored: str, key: str) -> bytes:
        plaintext = foreign.open_n8n_with_openssl(stored, key)
        try:
            json.loads(plaintext)  # a wrong key gives garbage once in 256 times
        except ValueError as error:
            raise UnreadableError from error
        return plaintext

    return Rotation((OLD, NEW), codec, read)


def n8n_rows() -> Rotation:
    """Two rows under one instance key, of which one is active."""
    data_keys = {identity: codecs.N8nDataKey.generate() for identity in ("old", "new")}

    def codec(ids: list[str]) -> codecs.Codec:
        rows = [
            {
                "id": identity,
                "type": "data_encryption",
                "value": data_keys[identity].wrap(OLD),
                "algorithm": "aes-256-gcm",
                "status": "active" if identity == ids[0] else "inactive",
            }
            for identity in ids
        ]
        return codecs.n8n(instance_keys=[OLD], rows=rows, write="prefixed")

    def read(stored: str, wanted: str) -> bytes:
        identity, _, body = stored.partition(":")
        key = bytes.fromhex(data_keys[wanted].text)
        if identity != wanted:
            with pytest.raises(UnreadableError):
                foreign.open_n8n_gcm(body, key)
            raise UnreadableError
        return foreign.open_n8n_gcm(body, key)

    return Rotation(("old", "new"), codec, read)


ROTATIONS = {
    "fernet": Rotation(
        (OLD_FERNET, NEW_FERNET), lambda keys: codecs.fernet(keys=keys), fernet_read
    ),
    "sentry": sentry("text"),
    "sentry, JSON field": sentry("json"),
    "rails": rails(),
    "rails, key references": rails(store_key_references=True),
    "rails, envelope": rails(envelope=True),
    "rails, deterministic": rails(deterministic=True),
    "rails, MessagePack": rails(binary=True, serializer="message_pack"),
    "rails, digests": rails_digests(),
    "metabase": metabase(),
    "metabase, bytes": metabase(binary=True),
    "metabase, associated data": metabase("setting.{key}"),
    "n8n": n8n(),
    "n8n, rows": n8n_rows(),
    "freeboard": Rotation(
        (OLD_BASE64, NEW_BASE64),
        lambda keys: codecs.freeboard(keys=keys),
        lambda stored, key: foreign.open_freeboard(json.loads(stored), key),
    ),
}


@pytest.mark.parametrize("name", ROTATIONS)
def test_to_the_new_key_and_back(name: str) -> None:
    rotation = ROTATIONS[name]
    old, new = rotation.keys

    @cache
    def column(*keys: str) -> reseal.Column:
        codec = rotation.codec(list(keys))
        return reseal.Column(write=codec, context=CONTEXT, binary=rotation.binary)

    def is_read(stored: list[Any], key: str, other: str) -> None:
        alone = column(key).open_many(stored)
        assert [item.value for item in alone if isinstance(item, reseal.Opened)] == TEXTS
        for text, value in zip(TEXTS, stored, strict=True):
            assert rotation.read(value, key) == text.encode()
            with pytest.raises(UnreadableError):
                rotation.read(value, other)
        refused = column(other).reseal_many(stored)
        assert {getattr(item, "code", None) for item in refused} <= {"auth-failed", "unknown-key"}

    before = column(old).seal_many(TEXTS)
    is_read(before, old, new)
    rotated = moved(column(new, old), before)
    is_read(rotated, new, old)
    back = moved(column(old, new), rotated)
    is_read(back, old, new)
    # What is deterministic comes back as it was, and nothing else does.
    assert [one == other for one, other in zip(before, back, strict=True)] == [
        "deterministic" in name
    ] * len(TEXTS)


def moved(column: reseal.Column, stored: list[Any]) -> list[Any]:
    """What becomes of values under another key; afterwards they are current, and stay."""
    outcomes = column.reseal_many(stored)
    assert all(isinstance(outcome, reseal.Resealed) for outcome in outcomes), outcomes
    values = [outcome.value for outcome in outcomes if isinstance(outcome, reseal.Resealed)]
    assert all(isinstance(outcome, reseal.Current) for outcome in column.reseal_many(values))
    return values


def test_generations_of_metabase() -> None:
    """Values without a data key, under the first, under the second, and without one again."""
    kek = foreign.metabase_key(OLD)[:32]
    rows = {number: foreign.wrap_metabase(kek, bytes([number]) * 32) for number in (1, 2)}
    plain = codecs.metabase(keys=[OLD], name="before")
    first = codecs.metabase(keys=[OLD], data_keys={1: rows[1]}, name="first")
    both = codecs.metabase(keys=[OLD], data_keys=rows, name="both")
    stored = reseal.Column(plain).seal_many(TEXTS)
    for codec, read, known in (
        (first, plain, {1: rows[1]}),
        (both, first, {2: rows[2]}),
        (plain, both, {}),
    ):
        stored = moved(reseal.Column(codec, [read]), stored)
        opened = [foreign.open_metabase(base64.b64decode(one), OLD, known) for one in stored]
        assert opened == [text.encode() for text in TEXTS]
