"""Makes `testkit/fixtures/conversions.json`: codecs in every variant that writes, the values that go
through all pairs of them, and what is refused on the way.

    python py-tests/conversion_cases.py > testkit/fixtures/conversions.json

Codecs and values come from a seed. What is refused is what this build refuses: look at the difference
before it is committed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import zlib
from typing import Any

import foreign
import reseal
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SEED = 20260117
DATA_KEY_ID = 7

Json = dict[str, Any]


def made() -> Json:
    """The codecs and the values; the same for every version of Python."""
    rng = random.Random(SEED)
    systems, made = codec_options(rng), values(rng)
    return {"seed": SEED, "codecs": {**systems, **library_options(rng)}, "values": made}


# --- codecs -----------------------------------------------------------------------------------


def codec_options(rng: random.Random) -> Json:
    """Each variant has keys of its own, so that only the right one opens a value. `mode` is that of
    a column that writes it, `binary` says that it is written as bytes alone."""
    ours = [{"kind": "reseal", "options": {"key": ring_key(rng)}} for _ in range(3)]
    rows = [n8n_row(rng, identity) for identity in ("bEc5AmLGiLrtdybl", "Zk2pQ0vR8sXy1aBc")]
    return {
        "plain": {"kind": "plain", "options": {}},
        "reseal": ours[0],
        "reseal_deterministic": {**ours[1], "mode": "deterministic"},
        "reseal_padded": {**ours[2], "mode": "padded"},
        "fernet": {"kind": "fernet", "options": {"keys": [fernet_key(rng)]}},
        "sentry": sentry(rng, "text"),
        "sentry_json": sentry(rng, "json"),
        "sentry_plaintext": sentry(rng, "text", method="plaintext"),
        "sentry_json_plaintext": sentry(rng, "json", method="plaintext"),
        "rails": rails(rng),
        "rails_uncompressed": rails(rng, compress=False),
        "rails_sha1": rails(rng, digests=["sha1"]),
        "rails_references": rails(rng, store_key_references=True),
        "rails_envelope": rails(rng, envelope=True),
        "rails_deterministic": rails(rng, deterministic=True),
        "rails_message_pack": rails(rng, serializer="message_pack"),
        "rails_message_pack_deterministic": rails(
            rng, serializer="message_pack", deterministic=True
        ),
        "rails_message_pack_envelope": rails(rng, serializer="message_pack", envelope=True),
        "metabase": {"kind": "metabase", "options": {"keys": [secret(rng)]}},
        "metabase_aad": {
            "kind": "metabase",
            "options": {"keys": [secret(rng)], "aad": "setting.{key}"},
        },
        "metabase_data_key": metabase_data_key(rng),
        "n8n": {"kind": "n8n", "options": {"instance_keys": [secret(rng)], "expect": "json"}},
        "n8n_text": {"kind": "n8n", "options": {"instance_keys": [secret(rng)], "expect": "utf8"}},
        "n8n_custom": {"kind": "n8n", "options": {"custom_key": secret(rng), "expect": "json"}},
        "n8n_prefixed": n8n_prefixed(rows[0]),
        "freeboard": {
            "kind": "freeboard",
            "options": {"keys": [base64.b64encode(rng.randbytes(32)).decode()]},
        },
    }


def library_options(rng: random.Random) -> Json:
    """The libraries of Python. A field of django-cryptography that is no text or bytes has values of its
    own alone, and JSON in another spelling: the vectors have them."""
    return {
        "django_fernet": {
            "kind": "django-fernet",
            "options": {"secrets": [secret(rng)], "salts": [secret(rng)]},
        },
        "fernet_fields": {"kind": "fernet-fields", "options": {"secrets": [secret(rng)]}},
        "fernet_fields_prefix": {
            "kind": "fernet-fields",
            "options": {"secrets": [secret(rng)], "prefix": "another-prefix"},
        },
        "fernet_fields_raw": {
            "kind": "fernet-fields",
            "options": {"secrets": [fernet_key(rng)], "hkdf": False},
        },
        "django_cryptography": django_cryptography(rng, "text"),
        "django_cryptography_bytes": django_cryptography(rng, "bytes"),
        "django_cryptography_key": django_cryptography(
            rng, "text", cryptography_keys=[secret(rng)], salt=secret(rng)
        ),
        "sqlalchemy": sqlalchemy_utils(rng, expect="json"),
        "sqlalchemy_text": sqlalchemy_utils(rng, expect="utf8"),
        "sqlalchemy_pkcs5": sqlalchemy_utils(rng, padding="pkcs5", expect="json"),
        "sqlalchemy_oneandzeroes": sqlalchemy_utils(rng, padding="oneandzeroes", expect="json"),
        "sqlalchemy_zeroes": sqlalchemy_utils(rng, padding="zeroes", expect="json"),
        "sqlalchemy_gcm": sqlalchemy_utils(rng, engine="aes-gcm"),
        "sqlalchemy_fernet": sqlalchemy_utils(rng, engine="fernet"),
    }


def ring_key(rng: random.Random) -> str:
    return reseal.Key.from_bytes("data", rng.randbytes(32)).export()


def fernet_key(rng: random.Random) -> str:
    return base64.urlsafe_b64encode(rng.randbytes(32)).decode()


def secret(rng: random.Random) -> str:
    """What all of Rails, Metabase, n8n and the libraries of Python take for a key."""
    return base64.b64encode(rng.randbytes(24)).decode()


def sentry(rng: random.Random, field: str, **more: Any) -> Json:
    identity = f"key{rng.randrange(10**6)}"
    options = {"keys": {identity: fernet_key(rng)}, "primary": identity, "field": field, **more}
    return {"kind": "sentry", "options": options}


def rails(rng: random.Random, **more: Any) -> Json:
    keys = "deterministic_keys" if more.get("deterministic") else "primary_keys"
    options = {keys: [secret(rng)], "key_derivation_salt": secret(rng), **more}
    binary = {"binary": True} if more.get("serializer") == "message_pack" else {}
    return {"kind": "rails", "options": options, **binary}


def metabase_data_key(rng: random.Random) -> Json:
    text = secret(rng)
    nonce, data_key = rng.randbytes(12), rng.randbytes(32)
    row = nonce + AESGCM(foreign.metabase_key(text)[:32]).encrypt(nonce, data_key, None)
    options = {"keys": [text], "data_keys": {str(DATA_KEY_ID): row.hex()}}
    return {"kind": "metabase", "options": options}


def n8n_row(rng: random.Random, identity: str) -> tuple[str, Json]:
    """An instance key, and a row that it wraps."""
    instance_key, data_key, salt = secret(rng), rng.randbytes(32).hex(), rng.randbytes(32)
    key = hashlib.sha256(instance_key.encode()).digest()
    derived = HKDF(hashes.SHA256(), 44, salt, b"n8n-encryption-v1").derive(key)
    sealed = AESGCM(derived[:32]).encrypt(derived[32:], data_key.encode(), None)
    value = base64.b64encode(b"\1" + salt + sealed[-16:] + sealed[:-16]).decode()
    row = {
        "id": identity,
        "type": "data_encryption",
        "value": value,
        "algorithm": "aes-256-gcm",
        "status": "active",
    }
    return instance_key, row


def n8n_prefixed(made: tuple[str, Json]) -> Json:
    instance_key, row = made
    options = {"instance_keys": [instance_key], "rows": [row], "write": "prefixed"}
    return {"kind": "n8n", "options": {**options, "expect": "json"}}


def django_cryptography(rng: random.Random, field: str, **more: Any) -> Json:
    options = {"secrets": [secret(rng)], "field": field, **more}
    return {"kind": "django-cryptography", "options": options, "binary": True}


def sqlalchemy_utils(rng: random.Random, **more: Any) -> Json:
    return {"kind": "sqlalchemy-utils", "options": {"keys": [secret(rng)], **more}}


# --- values -----------------------------------------------------------------------------------

#: What each format marks its values with; none of them opens.
MARKS = [
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4Iwq"
    "DA==",
    "enc:fernet:another:gAAAAA",
    "enc:plaintext:aGVsbG8=",
    '{"p":"aGVsbG8=","h":{"iv":"AAAAAAAAAAAAAAAA","at":"AAAAAAAAAAAAAAAAAAAAAA=="}}',
    "U2FsdGVkX1/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    '{"algorithm":"aes-256-gcm","keyId":"v1","iv":"AAAA","ciphertext":"","authTag":"AAAA"}',
    "rs1.",
    "rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.AQFyg",
    "rs2.something",
    '{"encrypted":"x"}',
    "0123456789abcdef:" + base64.b64encode(b"\1" + bytes(60)).decode(),
    base64.b64encode(bytes(80)).decode(),
]


def values(rng: random.Random) -> list[Json]:
    texts = [
        "",
        " ",
        "0",
        "null",
        "hello",
        "é🌍\u0301",
        "a\0b",
        "\ufeffx",
        "line\nline\r\n",
        *MARKS,
    ]
    texts += ["{}", "[]", '"x"', '{"a":1,"a":2}', '{"a":1', "1e3", '{"token":"é🌍"}', "[{},[null]]"]
    texts += [document(rng, size) for size in (1, 2, 3, 8, 40)]
    texts += ["x" * 139, "x" * 140, "x" * 141, json.dumps("y" * 3000)]
    texts += [base64.b64encode(rng.randbytes(1000)).decode(), characters(rng, 300)]
    raw = [b"\xff", bytes(16), rng.randbytes(33), rng.randbytes(64), rng.randbytes(2000)]
    raw += [b"MB\2" + rng.randbytes(60), b"Salted__" + rng.randbytes(24), b"\xc1\x5e\x52\x53\1"]
    raw += [zlib.compress(bytes(400)), b"\xcc\x80\x82\xa1p\xc4\1x", b'{"a":"\xff"}']
    # What paddings of SQLAlchemy-Utils lose, and what its values and those of django-cryptography look like.
    texts += ["hello*", "x\x80", "TK6BdvqZbLgCdkBS0tg9eQ=="]
    raw += [b"\x80" + bytes(88), b"\x80\0\0\0\0"]
    return [{"text": text} for text in texts] + [{"hex": value.hex()} for value in raw]


def document(rng: random.Random, size: int) -> str:
    return json.dumps({characters(rng, 4): characters(rng, 9) for _ in range(size)})


def characters(rng: random.Random, count: int) -> str:
    """Of one, two, three and four bytes, and no surrogates."""
    tops = (0x7F, 0x7FF, 0xD7FF, 0x10FFFF)
    points = (
        rng.randrange(0x10000 if top > 0xFFFF else 0x20, top) for top in _picks(rng, tops, count)
    )
    return "".join(map(chr, points))


def _picks(rng: random.Random, tops: tuple[int, ...], count: int) -> list[int]:
    return [tops[rng.randrange(len(tops))] for _ in range(count)]


def main() -> None:
    import conversions

    cases = made()
    cases["refused"] = conversions.refusals(conversions.Cases(cases))
    print(conversions.lines_of(cases))


if __name__ == "__main__":
    main()
