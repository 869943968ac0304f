"""Encrypted columns in unions of selects, whose rows have the types of the first one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, CompoundSelect
from sqlalchemy.sql.selectable import SelectStatementGrouping, _CompoundSelectKeyword

from reseal.sqlalchemy.comparators import refusal
from reseal.sqlalchemy.types import Encrypted

_ALL = (
    _CompoundSelectKeyword.UNION_ALL,
    _CompoundSelectKeyword.INTERSECT_ALL,
    _CompoundSelectKeyword.EXCEPT_ALL,
)

#: What to do where a union has values of several columns.
EACH = "ask for each by itself"


def together(keyword: Any, types: list[Any]) -> None:
    """Refuse what compares ciphertext, or gives it under the type of another column; `types` stand in one place.

    Errors: `InvalidRequestError`.
    """
    for type_ in types:
        if not isinstance(type_, Encrypted):
            continue
        if keyword not in _ALL:
            raise refusal(type_, "be made distinct by UNION", "use union_all()")
        if not isinstance(types[0], Encrypted):
            raise refusal(
                type_,
                "come after a select without it, whose type the rows have,",
                "select it first, or by itself, and put the rows together in Python",
            )
        same = all(getattr(one, "_place", None) is type_._place for one in types)
        if keyword is not _CompoundSelectKeyword.UNION_ALL and not same:
            raise refusal(type_, "be compared with another column", "do it in Python")


def is_of_many(*exprs: Any) -> bool:
    """Whether a union has the values of several columns where expressions are, each sealed for its own."""
    columns = (getattr(one, "clause", one) for one in exprs)
    every = {it for column in columns for it in getattr(column, "base_columns", ())}
    return len({hash(one) for one in every if isinstance(one, Column)}) > 1


def in_one_place(statement: Any) -> list[Any]:
    """The columns of a union that is executed by itself, by their places."""
    if not isinstance(statement, CompoundSelect):
        return []
    every = (one.selected_columns for one in selects_of(statement))
    return list(zip(*every, strict=False))


def selects_of(statement: Any) -> list[Any]:
    """A select, or those of a union."""
    while isinstance(statement, SelectStatementGrouping):
        statement = statement.element
    if not isinstance(statement, CompoundSelect):
        return [statement]
    return [part for one in statement.selects for part in selects_of(one)]
