"""What no encrypted column can be, of all that a column of SQLAlchemy is declared with."""

from __future__ import annotations

import warnings
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, Table, UniqueConstraint
from sqlalchemy.exc import SAWarning
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, Null
from sqlalchemy.sql.schema import (
    CallableColumnDefault,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    ScalarElementColumnDefault,
)

from reseal.sqlalchemy.errors import undeclared
from reseal.sqlalchemy.index import companions_of

_DEFAULTS = ("default", "onupdate", "server_default", "server_onupdate")


def attached(column: Column[Any], table: Any) -> None:
    """Refuse a column of a table that the database would compare, or fill.

    Errors: `ArgumentError`.
    """
    if not isinstance(table, Table):
        return
    name = _name(column)
    if column.primary_key:
        raise _primary_key(column)
    if column.foreign_keys:
        raise _foreign_key(column)
    for option in ("unique", "index"):
        if getattr(column, option) and not _is_equal(column):
            raise undeclared(
                f"{name}: {option} means nothing for ciphertext, where equal values need not be equal: "
                f"set {option} on a BlindIndex beside it"
            )
    for option in _DEFAULTS:
        if _is_of_database(getattr(column, option)):
            raise undeclared(
                f"{name}: the database cannot seal what {option} gives: use a default in Python"
            )


def constrained(column: Column[Any]) -> None:
    """Refuse keys of a table over an encrypted column, and warn of what else it asks, but for whether it is NULL.

    What a database has is reflected as well, and does not keep anybody from reading.

    Errors: `ArgumentError`.
    """
    table = column.table
    for one in (*table.constraints, *table.indexes):
        if isinstance(one, (CheckConstraint, Index)):
            # What is text, nobody here reads.
            parts = [part for part in _parts(one) if not _is_indexed(part, column, one)]
            if any(_asks(part, column) for part in parts):
                _warn(column, one)
        elif any(it is column for it in getattr(one, "columns", ())):
            if isinstance(one, PrimaryKeyConstraint):
                raise _primary_key(column)
            if isinstance(one, ForeignKeyConstraint):
                raise _foreign_key(column)
            if not (isinstance(one, UniqueConstraint) and _is_equal(column)):
                _warn(column, one)


def updated(column: Column[Any], facts: list[Column[Any]]) -> None:
    """Refuse what changes with each statement, and leaves behind what belongs to it.

    Errors: `ArgumentError`.
    """
    if column.onupdate is not None and companions_of(column):
        raise undeclared(f"{_name(column)}: onupdate would leave its BlindIndex behind")
    for fact in facts:
        if fact.onupdate is not None or fact.server_onupdate is not None:
            raise undeclared(
                f"{_name(column)}: onupdate of {fact.name} would leave the value behind, which is bound to it"
            )


def _parts(one: CheckConstraint | Index) -> list[Any]:
    if isinstance(one, CheckConstraint):
        return [one.sqltext]
    wheres = [value for name, value in one.dialect_kwargs.items() if name.endswith("_where")]
    return [*one.expressions, *wheres]


def _is_equal(column: Any) -> bool:
    """Whether equal values are equal in the column, as long as one key seals."""
    return bool(column.type.mode == "deterministic")


def _is_indexed(part: Any, column: Column[Any], one: CheckConstraint | Index) -> bool:
    """Whether an index is of the column itself, and of use."""
    return isinstance(one, Index) and hash(part) == hash(column) and _is_equal(column)


def _asks(part: Any, column: Column[Any]) -> bool:
    """Whether an expression asks a column for more than whether it is NULL."""
    if hash(part) == hash(column):
        return True
    if not hasattr(part, "get_children"):
        return False
    if isinstance(part, BinaryExpression) and isinstance(part.right, Null):
        harmless = (operators.is_, operators.is_not)
        if part.operator in harmless and hash(part.left) == hash(column):
            return False
    return any(_asks(child, column) for child in part.get_children())


def _warn(column: Column[Any], one: Any) -> None:
    named = f"{type(one).__name__} {one.name}" if one.name else f"a {type(one).__name__}"
    warnings.warn(
        f"{_name(column)}: {named} means nothing for ciphertext, where equal values need not be equal: "
        "name a BlindIndex beside it",
        SAWarning,
        stacklevel=2,
    )


def _primary_key(column: Column[Any]) -> Exception:
    return undeclared(
        f"{_name(column)} cannot be encrypted, since it is a primary key: rows are found by it"
    )


def _foreign_key(column: Column[Any]) -> Exception:
    return undeclared(
        f"{_name(column)} cannot be encrypted, since it is a foreign key: the database compares it"
    )


def _name(column: Column[Any]) -> str:
    return f"{column.table.name}.{column.name}"


def _is_of_database(default: Any) -> bool:
    """Whether the database would make a value."""
    if default is None or isinstance(default, (ScalarElementColumnDefault, CallableColumnDefault)):
        return False
    return str(getattr(default, "arg", "")).upper() != "NULL"
