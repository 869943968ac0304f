"""What a statement says of its rows: the columns that have a known value in all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BindParameter, BooleanClauseList, ColumnElement, Grouping
from sqlalchemy.sql.selectable import Join

from reseal.sqlalchemy.comparators import refusal

_MISSING = object()


def asked_for(lookup: Any, statement: Any, params: Any) -> dict[Any, Any]:
    """Return the values that a statement asks for beside a lookup, by the columns of its table.

    Errors: `InvalidRequestError` for one lookup that stands in two places, with a value in each.
    """
    tenant = lookup.type.tenant_column()
    if tenant is None:
        return {}
    beside = lookup.expr.table.corresponding_column(tenant)
    if beside is None or not hasattr(statement, "get_children"):
        return {}
    found = []
    for one in _statements_with(lookup, statement):
        value = _value_in(one, beside, params)
        if value is _MISSING:
            return {}
        found.append(value)
    if any(value != found[0] for value in found):
        raise refusal(
            lookup.type,
            f"be found by one condition for several values of {tenant.name}",
            "build the condition anew for each of them",
        )
    return {tenant: found[0]} if found else {}


def _statements_with(lookup: Any, statement: Any) -> list[Any]:
    """The parts of a statement in whose own conditions a lookup stands: what others say is not of its rows."""
    with_it, every = [], []
    left = [(statement, statement)]
    while left:
        one, around = left.pop()
        if hasattr(one, "_where_criteria"):
            around = one
            every.append(one)
        if isinstance(one, BindParameter) and getattr(one.callable, "__self__", None) is lookup:
            with_it.append(around)
        left += [(child, around) for child in one.get_children()]
    if not with_it and len(every) == 1:
        # It is of an option of the only one, such as with_loader_criteria().
        return every
    return list({id(one): one for one in with_it}.values())


def _value_in(statement: Any, beside: Any, params: Any) -> Any:
    # An alias has columns of its own; the ORM annotates copies, which have the hash of the original.
    wanted = hash(beside)
    for column, value in equalities(_criteria(statement), params):
        if hash(column) == wanted:
            return value
    return _MISSING


def _criteria(statement: Any) -> Iterator[Any]:
    """What each row of a statement fulfils: its own conditions, and those of its inner joins."""
    yield from getattr(statement, "_where_criteria", ())
    for _, on, _, flags in getattr(statement, "_setup_joins", ()):
        if isinstance(on, ColumnElement) and not (flags["isouter"] or flags["full"]):
            yield on
    for one in getattr(statement, "_from_obj", ()):
        yield from _joined(one)


def _joined(one: Any) -> Iterator[Any]:
    if isinstance(one, Join) and not (one.isouter or one.full):
        yield one.onclause
        yield from _joined(one.left)
        yield from _joined(one.right)


def equalities(criteria: Any, params: Any) -> Iterator[tuple[Any, Any]]:
    """Yield columns and the values that they have in every row that fulfils all criteria."""
    for one in criteria:
        if isinstance(one, Grouping):
            yield from equalities([one.element], params)
        elif isinstance(one, BooleanClauseList) and one.operator is operators.and_:
            yield from equalities(one.clauses, params)
        elif getattr(one, "operator", None) is operators.eq:
            for column, bind in ((one.left, one.right), (one.right, one.left)):
                if isinstance(bind, BindParameter):
                    value = value_of(bind, params)
                    if value is not _MISSING:
                        yield column, value


def value_of(bind: Any, params: Any) -> Any:
    """Return the value of a parameter, which is given with the statement or stands in it."""
    if params and bind.key in params:
        return params[bind.key]
    if bind.required or bind.callable is not None:
        return _MISSING
    return bind.value


def is_missing(value: Any) -> bool:
    """Whether there is no value."""
    return value is _MISSING
