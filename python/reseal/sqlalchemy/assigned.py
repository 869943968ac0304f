"""What an encrypted column may be set to by a statement: a value, itself, and what stands beside its companions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.sql.elements import BindParameter, Label, Null

from reseal.sqlalchemy.comparators import parted, refusal
from reseal.sqlalchemy.index import companions_of

#: What to do where only the program can seal.
IN_PYTHON = "the database cannot seal: give the value itself"
_SEALED = "be set to an expression"
_OF_THE_ROW = "set {} to those of the same row beside it"
_UNTYPED = "give the value itself, or a bindparam() with neither value nor type"
#: What a database calls the row that an upsert proposes.
_PROPOSED = ("excluded", "inserted")


def refuse_value(
    column: Any, value: Any, values: Mapping[Any, Any], *, is_upsert: bool = False
) -> Exception | None:
    """Return why an encrypted column cannot be set to something beside other values; None if it can."""
    if is_null(value) or not is_sql(value):
        return None
    type_ = column.type
    if isinstance(value, BindParameter):
        # A type of its own, such as that of literal(), would store the value as it is.
        if value.type._isnull or getattr(value.type, "_place", None) is type_._place:
            return None
        return refusal(type_, "be set to a parameter of another type", _UNTYPED)
    if _is_same(column, value):
        # What it is bound to has to stay, and its terms.
        facts = (one for one in type_.fact_columns() if one.key in values)
        moved = next((one for one in facts if not _is_same(one, values[one.key])), None)
        return refuse_terms(column, value, values) if moved is None else parted(type_, moved)
    if getattr(value, "type", None) is not type_ or list(value.get_children()):
        return refusal(type_, _SEALED, IN_PYTHON)
    # The row that an upsert proposes comes with all that it is bound to, as is looked at there.
    if is_upsert and getattr(getattr(value, "table", None), "name", None) in _PROPOSED:
        return None
    return _of_another_row(column, value, values)


def is_beside(value: Any, wanted: Any, other: Any) -> bool:
    """Whether an expression is the column `wanted` of the row that `value` is of."""
    table = getattr(_bare(value), "table", None)
    found = None if table is None else table.corresponding_column(wanted)
    return found is not None and _is_same(found, _bare(other))


def refuse_terms(
    column: Any, value: Any, values: Mapping[Any, Any], instead: str = _OF_THE_ROW
) -> Exception | None:
    """Return why a column cannot have the value of a row beside others: if its terms are not of that row.

    What is not set stays. `instead` says what to do with the names of the companions.
    """
    companions = companions_of(column)
    for companion in companions:
        term = values.get(companion.key, companion)
        if not is_beside(value, companion, term) and not (is_null(value) and is_null(term)):
            names = ", ".join(one.name for one in companions)
            return refusal(column.type, "be set without its BlindIndex", instead.format(names))
    return None


def is_null(value: Any) -> bool:
    """Whether a value is NULL."""
    return value is None or isinstance(value, Null)


def is_sql(value: Any) -> bool:
    """Whether a value is an expression."""
    return hasattr(value, "_compiler_dispatch") or hasattr(value, "__clause_element__")


def _of_another_row(column: Any, value: Any, values: Mapping[Any, Any]) -> Exception | None:
    if column.type.row_bound:
        return refusal(
            column.type,
            "be set to that of another row, since it is bound to its own,",
            "read the value, and write it",
        )
    return refuse_terms(column, value, values)


def _is_same(column: Any, value: Any) -> bool:
    """Whether an expression is a column, which the ORM annotates copies of."""
    return is_sql(value) and hash(value) == hash(column)


def _bare(value: Any) -> Any:
    return value.element if isinstance(value, Label) else value
