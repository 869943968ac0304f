"""The columns that have what values are bound to: which may be, and what a value of theirs is bound as."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import types as sa
from sqlalchemy.engine.default import DefaultDialect

from reseal._errors import ResealError
from reseal.sqlalchemy.errors import bare, undeclared

#: What the database gives back of these is no context value, or in another spelling than it was given.
_REFUSED = (
    sa.ARRAY,
    sa.Boolean,
    sa.Date,
    sa.DateTime,
    sa.Float,
    sa.Interval,
    sa.JSON,
    sa.Numeric,
    sa.PickleType,
    sa.Time,
)
_NO_DIALECT = DefaultDialect()


def fact_column(name: str, column: Any) -> Any:
    """Return a column to which the values of another one, `name`, may be bound.

    Errors: `ArgumentError`.
    """
    if isinstance(column.type, _REFUSED):
        raise undeclared(
            f"{name} cannot be bound to {column.name}, which is {type(column.type).__name__}: bind it to a "
            "column of Integer, String, Uuid, LargeBinary or Enum, whose values come back as they were"
        )
    return column


def fact_of(name: str, column: Any, value: Any, *, reading: bool) -> Any:
    """Return what a value of a column is bound as: what the database will give back, or has given.

    Errors: `invalid-argument` for what would come back otherwise.
    """
    type_ = column.type
    if isinstance(type_, sa.Uuid) and isinstance(value, str):
        # The database gives it back in one spelling.
        try:
            return str(UUID(value))
        except ValueError:
            return value  # which the database refuses
    if value is None:
        return None
    if isinstance(type_, sa.Enum):
        return _stored_name(name, column, value, reading)
    if reading:
        return value
    if isinstance(type_, sa.TypeDecorator) and not hasattr(type_, "_place"):
        return _come_back(type_, value)
    if _comes_back_otherwise(type_, value):
        raise _wrong(name, column, "the database would give it back otherwise")
    return value


def _stored_name(name: str, column: Any, value: Any, reading: bool) -> Any:
    """What the database has for a member."""
    type_ = column.type
    try:
        process = type_.bind_processor(_NO_DIALECT)
        stored = value if process is None else process(value)
    except LookupError:
        stored = None
    if stored in type_.enums:
        return stored
    if reading:
        return value
    raise _wrong(name, column, "it is none of its members")


def _come_back(type_: Any, value: Any) -> Any:
    """What a type of the program makes of its own value, to the database and back."""
    for name in ("process_bind_param", "process_result_value"):
        if getattr(type(type_), name) is not getattr(sa.TypeDecorator, name):
            value = getattr(type_, name)(value, _NO_DIALECT)
    return value


def _comes_back_otherwise(type_: Any, value: Any) -> bool:
    if isinstance(type_, sa.Integer) and isinstance(value, str):
        # "07" is 7 there.
        return not (value.removeprefix("-").isdecimal() and str(int(value)) == value)
    if isinstance(type_, sa.CHAR) and isinstance(value, str):
        # Filled up with spaces, or without those at its end.
        return len(value) != (type_.length or 1) or value.endswith(" ")
    if isinstance(type_, sa.BINARY) and isinstance(value, bytes):
        return len(value) != (type_.length or 1)
    return False


def _wrong(name: str, column: Any, why: str) -> ResealError:
    return bare(
        ResealError(
            "invalid-argument",
            f"{name} is bound to {column.name}, whose value is not spelled as its type is: {why}",
        )
    )
