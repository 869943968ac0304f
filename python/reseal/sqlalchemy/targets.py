"""Which column a statement sets by a key of its values, as SQLAlchemy takes it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Update
from sqlalchemy.sql.util import tables_from_leftmost


def table_of(statement: Any) -> Any:
    """Return what a statement writes to: the ORM runs one of many rows for each table of their class."""
    table = _run_for(statement)
    return statement.table if table is None else table


def column_of(statement: Any, target: Any) -> Any:
    """Return the column that a statement sets by a target: its own of that key, whatever table the target is of.

    One of a second table is returned as it is, as one that has no such key is; None for an unknown name.
    """
    if is_elsewhere(statement, target):
        return target
    own = table_of(statement).columns.get(key_of(target))
    return target if own is None and not isinstance(target, str) else own


def said_by(statement: Any) -> list[tuple[Any, Any]]:
    """Return the targets of values() with what they are set to, but those that are not of the table of many rows."""
    pairs = getattr(statement, "_ordered_values", None) or ()
    table = _run_for(statement)
    return [
        (target, value)
        for target, value in (*(statement._values or {}).items(), *pairs)
        if table is None or hash(getattr(target, "table", table)) == hash(table)
    ]


def is_elsewhere(statement: Any, target: Any) -> bool:
    """Whether a target is a column of a second table, which MySQL updates as well, or of a part of a join."""
    table = getattr(target, "table", None)
    if table is None or hash(table) == hash(table_of(statement)):
        return False
    return isinstance(statement, Update) and table in _froms(statement)


def key_of(target: Any) -> str:
    """Return the key of a target, which is a name, a column or an attribute of a class."""
    if isinstance(target, str):
        return target
    clause = getattr(target, "__clause_element__", None)
    return str(getattr(target if clause is None else clause(), "key", None))


def _run_for(statement: Any) -> Any:
    notes = statement._annotations
    table = notes.get("_emit_update_table")
    return notes.get("_emit_insert_table") if table is None else table


def _froms(update: Any) -> set[Any]:
    """The tables of an update beside its own, or all of a join."""
    said = (*update._where_criteria, *(value for _, value in said_by(update)))
    froms = {one for part in said for one in getattr(part, "_from_objects", ())}
    return froms.union(tables_from_leftmost(update.table))
