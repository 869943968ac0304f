"""Values in rows of instances, which wait until they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm.context import _MapperEntity

from reseal.sqlalchemy.comparators import refusal
from reseal.sqlalchemy.types import Encrypted


def let_wait(compiled: Any, state: Any) -> None:
    """Let values in rows of instances wait until they are asked for.

    Errors: `InvalidRequestError` for a value without the row that it is bound to.
    """
    entries = getattr(compiled, "_result_columns", None)
    if not entries or not any(isinstance(entry.type, Encrypted) for entry in entries):
        return
    # What a statement that writes returns is of a state of its own.
    state = getattr(state, "from_statement_ctx", None) or state
    shown = _shown(entries, state)
    for place, entry in enumerate(entries):
        type_ = entry.type
        if not isinstance(type_, Encrypted):
            continue
        if not shown[place]:
            if type_.lazy and not type_._place.is_composed:
                # In place: the execution that has begun has this list already.
                entries[place] = entry._replace(type=type_.waiting())
        elif type_.row_bound:
            raise refusal(
                type_,
                "be selected by itself, since it is bound to its row,",
                "select instances, with load_only() if they are to be small",
            )


def _shown(entries: Any, state: Any) -> list[bool]:
    """Which columns of a result are values by themselves, and not of instances."""
    entities = getattr(state, "_entities", None)
    if not entities:
        return [True] * len(entries)
    places = [{hash(it) for it in entry.objects} for entry in entries]
    wanted = [hash(_fetched(one, state)) for one in _columns(entities)]
    if not all(any(one in place for place in places) for one in wanted):
        # What cannot be told apart is no instance's.
        return [True] * len(entries)
    return [not place.isdisjoint(wanted) for place in places]


def _columns(entities: Any) -> Iterator[Any]:
    """The parts of a result that are values of an encrypted column, and no instances."""
    for entity in entities:
        if isinstance(entity, _MapperEntity):
            continue
        parts = getattr(entity, "_entities", None)
        if parts is not None:
            yield from _columns(parts)
        elif isinstance(getattr(getattr(entity, "column", None), "type", None), Encrypted):
            yield entity


def _fetched(entity: Any, state: Any) -> Any:
    """The column of the result that an entity has its value from."""
    column = entity.column if entity._fetch_column is None else entity._fetch_column
    adapter = getattr(state, "compound_eager_adapter", None)
    return column if adapter is None else adapter.columns[column]
