"""The manifest of an application, made from its tables."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import MetaData

from reseal._adapters import Declaration, manifest_text
from reseal.sqlalchemy.config import settings_of
from reseal.sqlalchemy.types import Encrypted


def manifest_of(metadata: MetaData) -> str:
    """Return the text of a `reseal.toml` with the encrypted columns of all tables, for the command `reseal`.

    >>> from sqlalchemy import Column, Integer, MetaData, String, Table
    >>> from reseal.sqlalchemy import Encrypted, manifest_of
    >>> metadata = MetaData()
    >>> users = Table("users", metadata, Column("id", Integer, primary_key=True),
    ...     Column("ssn", Encrypted(String)))
    >>> [(one.table, one.column) for one in reseal.Manifest.parse(manifest_of(metadata)).columns]
    [('users', 'ssn')]

    Errors: `invalid-argument` for a codec that was given as an object, and for a `tenant`, which is a
    function that no manifest can call.
    """
    return manifest_text(settings_of(metadata).codecs, _declarations(metadata))


def _declarations(metadata: MetaData) -> Iterator[Declaration]:
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Encrypted):
                yield column.type.declaration()
