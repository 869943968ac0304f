"""What no encrypted column can be, of all that a column of SQLAlchemy is declared with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, Table
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
        if getattr(column, option):
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
    """Refuse what a table asks of an encrypted column, but for whether it is NULL.

    Errors: `ArgumentError`.
    """
    table = column.table
    for one in (*table.constraints, *table.indexes):
        if isinstance(one, (CheckConstraint, Index)):
            # What is text, nobody here reads.
            if any(_asks(part, column) for part in _parts(one)):
                raise _meaningless(column, one)
        elif any(it is column for it in getattr(one, "columns", ())):
            if isinstance(one, PrimaryKeyConstraint):
                raise _primary_key(column)
            if isinstance(one, ForeignKeyConstraint):
                raise _foreign_key(column)
            raise _meaningless(column, one)


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


def _meaningless(column: Column[Any], one: Any) -> Exception:
    named = f"{type(one).__name__} {one.name}" if one.name else f"a {type(one).__name__}"
    return undeclared(
        f"{_name(column)}: {named} means nothing for ciphertext, where equal values need not be equal: "
        "name a BlindIndex beside it"
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
