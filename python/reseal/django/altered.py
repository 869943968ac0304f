"""Columns that a migration alters from text to bytes or back, where PostgreSQL would take the one for the other."""

from __future__ import annotations

from functools import wraps
from typing import Any

from reseal.django.fields.base import EncryptedField

_TEXTS = ("text", "varchar", "char", "citext")


def keep_what_columns_say() -> None:
    """Let a schema editor of PostgreSQL keep the characters of an encrypted field that is altered.

    Django casts: `bytea` takes each backslash of a text for the beginning of an escape, and `text` of bytes is their
    hexadecimal form. Bytes that are no text end the migration, and the column stays as it is.
    """
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

    own: Any = BaseDatabaseSchemaEditor._alter_field
    if hasattr(own, "knows_encrypted"):
        return

    @wraps(own)
    def _alter_field(
        self: Any, model: Any, old_field: Any, new_field: Any, *rest: Any, **options: Any
    ) -> None:
        using = _using(self.connection, old_field, new_field)
        if using:
            self._using_sql = lambda _new_field, _old_field: using
        try:
            own(self, model, old_field, new_field, *rest, **options)
        finally:
            if using:
                del self._using_sql

    _alter_field.knows_encrypted = True  # type: ignore[attr-defined]
    BaseDatabaseSchemaEditor._alter_field = _alter_field


def _using(connection: Any, old_field: Any, new_field: Any) -> str:
    """Return how the values of a column become those of its new type; nothing where a cast does it."""
    fields = (old_field, new_field)
    if connection.vendor != "postgresql" or not any(
        isinstance(field, EncryptedField) for field in fields
    ):
        return ""
    old, new = ((field.db_type(connection) or "").partition("(")[0] for field in fields)
    if old in _TEXTS and new == "bytea":
        return " USING convert_to(%(column)s, 'UTF8')"
    if old == "bytea" and new in _TEXTS:
        return " USING convert_from(%(column)s, 'UTF8')::%(type)s"
    return ""
