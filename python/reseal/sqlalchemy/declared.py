"""What no encrypted column can be, of all that a column of SQLAlchemy is declared with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.sql.schema import CallableColumnDefault, ScalarElementColumnDefault

from reseal.sqlalchemy.errors import undeclared

_DEFAULTS = ("default", "onupdate", "server_default", "server_onupdate")


def attached(column: Column[Any], table: Any) -> None:
    """Refuse a column of a table that the database would compare, or fill.

    Errors: `ArgumentError`.
    """
    if not isinstance(table, Table):
        return
    name = f"{table.name}.{column.name}"
    if column.primary_key:
        raise undeclared(
            f"{name} cannot be encrypted, since it is a primary key: rows are found by it"
        )
    if column.foreign_keys:
        raise undeclared(
            f"{name} cannot be encrypted, since it is a foreign key: the database compares it"
        )
    for option in _DEFAULTS:
        if _is_of_database(getattr(column, option)):
            raise undeclared(
                f"{name}: the database cannot seal what {option} gives: use a default in Python"
            )


def _is_of_database(default: Any) -> bool:
    """Whether the database would make a value."""
    if default is None or isinstance(default, (ScalarElementColumnDefault, CallableColumnDefault)):
        return False
    return str(getattr(default, "arg", "")).upper() != "NULL"
