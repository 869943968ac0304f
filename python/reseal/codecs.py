"""Codecs: the formats of stored values, each with its keys.

A codec reads and writes what another system stored, or the envelopes of this project. A
`reseal.Column` puts several together: one that it writes, and others that its values may be in.

>>> import reseal
>>> from reseal import codecs
>>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
>>> column = reseal.Column(write=codecs.reseal(ring), read=[codecs.plain()])
>>> outcome = column.reseal("078-05-1120")
>>> outcome.from_.codec, outcome.to.codec
('plain', 'reseal')

Keys are text, taken as it is. They are derived once, and shown nowhere.
"""

from reseal._native import (
    Codec,
    N8nDataKey,
    N8nKeyRow,
    OpenedBytes,
    Recognized,
    django_cryptography,
    django_fernet,
    fernet,
    fernet_fields,
    freeboard,
    metabase,
    n8n,
    plain,
    rails,
    recognize,
    reseal,
    sentry,
    sqlalchemy_utils,
)

__all__ = [
    "Codec",
    "N8nDataKey",
    "N8nKeyRow",
    "OpenedBytes",
    "Recognized",
    "django_cryptography",
    "django_fernet",
    "fernet",
    "fernet_fields",
    "freeboard",
    "metabase",
    "n8n",
    "plain",
    "rails",
    "recognize",
    "reseal",
    "sentry",
    "sqlalchemy_utils",
]
