"""The defaults of columns that migrations add: sealed where rows need them, and asked for nowhere else."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.core.exceptions import FieldError

from reseal.django.fields.base import EncryptedField


def seal_defaults_for_rows() -> None:
    """Let a schema editor seal the default of an encrypted field only where there are rows to fill with it.

    So it needs no key for an empty table, and the field may be bound to its rows.
    """
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

    own: Any = BaseDatabaseSchemaEditor.effective_default
    if hasattr(own, "knows_encrypted"):
        return

    @wraps(own)
    def effective_default(self: Any, field: Any) -> Any:
        if not isinstance(field, EncryptedField):
            return own(self, field)
        default = self._effective_default(field)
        if isinstance(default, str | bytes) and not field.has_default():
            # Django chose by the kind of the column.
            default = b"" if field.reseal_type == "bytes" else ""
        if default is None:
            return None
        if not field.needs_row:
            is_needed = self.collect_sql or _has_rows(self.connection, field)
            return field.get_db_prep_save(default, self.connection) if is_needed else None
        if not self.collect_sql and _has_rows(self.connection, field, to_fill=True):
            raise FieldError(
                f"{field} is bound to its row, so that no default can fill the rows that are there: add it with "
                "null=True and without a default, fill it by save() on each instance, as with RunPython, and "
                "take null=True away in a later migration"
            )
        return None

    effective_default.knows_encrypted = True  # type: ignore[attr-defined]
    BaseDatabaseSchemaEditor.effective_default = effective_default


def _has_rows(connection: Any, field: Any, *, to_fill: bool = False) -> bool:
    """Whether the table of a field has rows: any, or those that lack the column or have NULL there."""
    quote, table = connection.ops.quote_name, field.model._meta.db_table
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, table)
        has_column = any(column.name == field.column for column in described)
        where = f" WHERE {quote(field.column)} IS NULL" if to_fill and has_column else ""
        cursor.execute(f"SELECT 1 FROM {quote(table)}{where} LIMIT 1")  # noqa: S608
        return cursor.fetchone() is not None
