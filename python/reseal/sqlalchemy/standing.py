"""Rows that a flush writes and does not move: what their values are bound to stays as it was read."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import inspect

_Row = tuple[Any, tuple[Any, ...]]
_standing: WeakKeyDictionary[Any, dict[_Row, dict[Any, Any]]] = WeakKeyDictionary()


def stay(connection: Any, table: Any, target: Any, fact: Any, value: Any) -> None:
    """Note what a column of a row has that is written next, and that no part of the program changes."""
    rows = _standing.setdefault(connection, {})
    rows.setdefault((table, inspect(target).identity), {})[fact] = value


def facts_of_row(connection: Any, table: Any, row_id: tuple[Any, ...]) -> dict[Any, Any]:
    """Return what was noted of a row, by column."""
    return _standing.get(connection, {}).get((table, row_id), {})


def after_update(mapper: Any, connection: Any, target: Any) -> None:
    """The row was written."""
    rows = _standing.get(connection, {})
    for table in mapper.tables:
        rows.pop((table, inspect(target).identity), None)
