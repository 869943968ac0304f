"""What a statement sets elsewhere than in a table by its own name, where nothing is completed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reseal.sqlalchemy.comparators import refusal
from reseal.sqlalchemy.index import companions_of
from reseal.sqlalchemy.targets import is_elsewhere, key_of, said_by
from reseal.sqlalchemy.types import Encrypted


def refuse_alias(element: Any, rows: Any) -> None:
    """Refuse a statement over an alias or a join that sets what is written together; `rows` are given with it.

    Errors: `InvalidRequestError`.
    """
    columns = element.table.columns
    for target in _targets(element, rows):
        named = [target]
        if not is_elsewhere(element, target):
            # A join may have it of several tables.
            named = [one for one in columns if one.key == key_of(target)]
        for column in named:
            type_ = type_beside(column)
            if type_ is not None:
                raise unkept(type_, column, "an alias or a join", "name the table itself")


def unkept(type_: Encrypted, column: Any, means: str, instead: str) -> Exception:
    """The error of what sets an encrypted column, or one that is written together with it, and cannot keep them so."""
    done = (
        "be" if isinstance(column.type, Encrypted) else f"be left as it is where {column.name} is"
    )
    return refusal(type_, f"{done} set by {means}", instead)


def type_beside(column: Any) -> Any:
    """Return the type of the encrypted column that is written together with a column, if there is one.

    Such are the columns of its terms, and of what its values are bound to, and the column itself, where it has
    such; in an alias as well.
    """
    for base in getattr(column, "base_columns", ()):
        for one in getattr(base.table, "columns", ()):
            if not isinstance(one.type, Encrypted):
                continue
            parts = [*companions_of(one), *one.type.fact_columns()]
            if parts and any(hash(part) == hash(base) for part in (one, *parts)):
                return one.type
    return None


def _targets(element: Any, rows: Any) -> Iterator[Any]:
    """The columns that a statement sets, or their names."""
    yield from (target for target, _ in said_by(element))
    yield from getattr(element, "_select_names", None) or ()
    for many in getattr(element, "_multi_values", None) or ():
        for row in many:
            yield from row if hasattr(row, "keys") else list(element.table.columns)[: len(row)]
    for row in rows:
        yield from row
