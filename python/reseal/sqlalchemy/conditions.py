"""What a statement says of its rows: the columns that have a known value in all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BindParameter, BooleanClauseList, Grouping

_MISSING = object()


def asked_for(lookup: Any, statement: Any, params: Any) -> dict[Any, Any]:
    """Return the values that a statement asks for beside a lookup, by the columns of its table."""
    tenant = lookup.type.tenant_column()
    if tenant is None:
        return {}
    beside = lookup.expr.table.corresponding_column(tenant)
    if beside is None or not hasattr(statement, "get_children"):
        return {}
    # An alias has columns of its own; the ORM annotates copies, which have the hash of the original.
    wanted = hash(beside)
    for one in visitors.iterate(statement):
        for column, value in equalities(getattr(one, "_where_criteria", ()), params):
            if hash(column) == wanted:
                return {tenant: value}
    return {}


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
