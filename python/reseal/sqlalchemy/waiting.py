"""Values in rows of instances, which wait until they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, final

from sqlalchemy.orm.context import _MapperEntity
from sqlalchemy.orm.interfaces import CompileStateOption

from reseal.sqlalchemy.comparators import refusal
from reseal.sqlalchemy.types import Encrypted
from reseal.sqlalchemy.unions import EACH, in_one_place, is_of_many


def as_executed(element: Any, execution_options: Mapping[str, Any]) -> Any:
    """Return a statement as it is executed: of instances by a connection, whose rows are no instances, with an option."""
    attrs = getattr(element, "_propagate_attrs", None) or {}
    if attrs.get("compile_state_plugin") != "orm" or _is_of_session(execution_options):
        return element
    if getattr(element, "_is_lambda_element", False):
        element = element._resolved
    return element.options(_ROWS) if hasattr(element, "options") else element


def _is_of_session(execution_options: Mapping[str, Any]) -> bool:
    return any(
        name == "_result_disable_adapt_to_context" or name.startswith("_sa_orm_")
        for name in execution_options
    )


@final
class _RowsOption(CompileStateOption):
    """It is a part of the key under which a statement is cached: sessions and connections compile it each for itself."""

    __slots__ = ()
    _cache_key_traversal: Any = ()


_ROWS = _RowsOption()


def let_wait(compiled: Any, state: Any) -> None:
    """Let values in rows of instances wait until they are asked for.

    Errors: `InvalidRequestError` for a value without the row that it is bound to.
    """
    entries = getattr(compiled, "_result_columns", None)
    if not entries or not any(isinstance(entry.type, Encrypted) for entry in entries):
        return
    # What a statement that writes returns is of a state of its own.
    state = getattr(state, "from_statement_ctx", None) or state
    is_rows = _ROWS in getattr(compiled.statement, "_with_options", ())
    shown = [True] * len(entries) if is_rows else _shown(entries, state)
    together = dict(enumerate(in_one_place(compiled.statement)))
    for place, entry in enumerate(entries):
        type_ = entry.type
        if not isinstance(type_, Encrypted):
            continue
        if not shown[place] and type_.lazy and not type_._place.is_composed:
            # In place: the execution that has begun has this list already.
            entries[place] = entry._replace(type=type_.waiting())
        elif is_of_many(*entry.objects, *together.get(place, ())):
            raise refusal(type_, "be selected by itself from a union with another column,", EACH)
        elif shown[place] and type_.row_bound:
            raise refusal(
                type_,
                "be selected by itself, since it is bound to its row,",
                "select instances with a Session, and load_only() if they are to be small",
            )


def _shown(entries: Any, state: Any) -> list[bool]:
    """Which columns of a result are values by themselves, and not of instances."""
    entities = getattr(state, "_entities", None)
    if not entities:
        return [True] * len(entries)
    places = [{hash(it) for it in entry.objects} for entry in entries]
    wanted = [hash(_fetched(one, state)) for one in _columns(entities)]
    wanted += [hash(column) for column in _expressions(state)]
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


def _expressions(state: Any) -> Iterator[Any]:
    """What attributes of `query_expression()` are filled with, which hold any value and open none."""
    for key, found in state.attributes.items():
        if not isinstance(key, tuple) or key[0] != "memoized_setups":
            continue
        for prop, column in found.items():
            is_expression = ("query_expression", True) in prop.strategy_key
            if is_expression and isinstance(getattr(column, "type", None), Encrypted):
                yield column


def _fetched(entity: Any, state: Any) -> Any:
    """The column of the result that an entity has its value from."""
    column = entity.column if entity._fetch_column is None else entity._fetch_column
    adapter = getattr(state, "compound_eager_adapter", None)
    return column if adapter is None else adapter.columns[column]
