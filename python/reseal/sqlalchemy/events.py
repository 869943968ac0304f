"""What is done around each statement: hits are verified, terms kept, and mistakes refused."""

from __future__ import annotations

from functools import partial
from typing import Any
from weakref import WeakSet

from sqlalchemy import Insert, Update, event
from sqlalchemy.engine import Compiled, Engine
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Mapper
from sqlalchemy.orm.context import FromStatement
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BindParameter

from reseal.sqlalchemy import comparators, rows, standing, writes
from reseal.sqlalchemy.comparators import Lookup
from reseal.sqlalchemy.conditions import asked_for
from reseal.sqlalchemy.guard import check
from reseal.sqlalchemy.waiting import as_executed, let_wait

_checked: WeakSet[Any] = WeakSet()


def listen() -> None:
    """Begin. It is called once, when the package is imported."""
    event.listen(Engine, "before_execute", _before_execute, retval=True)
    event.listen(Engine, "before_cursor_execute", _before_cursor_execute)
    event.listen(Engine, "handle_error", _handle_error)
    event.listen(Mapper, "mapper_configured", rows.configured)
    event.listen(object, "attribute_instrument", rows.instrumented)
    event.listen(Mapper, "before_insert", rows.before_insert)
    event.listen(Mapper, "before_update", rows.before_update)
    event.listen(Mapper, "after_update", standing.after_update)


def _before_execute(
    connection: Any, element: Any, multiparams: Any, params: Any, execution_options: Any
) -> Any:
    returns = element if isinstance(element, FromStatement) else None
    written = element if returns is None else returns.element
    if isinstance(written, (Insert, Update)):
        flush = writes.Flush(
            partial(rows.is_moved, connection), partial(standing.facts_of_row, connection)
        )
        written, multiparams, params = writes.completed(written, multiparams, params, flush)
        if returns is None:
            element = written
        else:
            element = returns._generate()
            element.element = written
    element = as_executed(element, execution_options)
    execution = comparators.Execution(connection, execution_options)
    for one in _lookups(element):
        execution.verify(one, asked_for(one, element, params))
    execution.begin()
    return element, multiparams, params


def _lookups(element: Any) -> list[Lookup]:
    found = [getattr(bind.callable, "__self__", None) for bind in _binds(element)]
    return [one for one in dict.fromkeys(found) if isinstance(one, Lookup)]


def _binds(element: Any) -> Any:
    if isinstance(element, Compiled):
        return getattr(element, "bind_names", ())
    # SQLAlchemy asks for it next, and keeps it until then.
    make = getattr(element, "_generate_cache_key", None)
    key = make() if make is not None else None
    if key is not None:
        return key.bindparams
    if not hasattr(element, "get_children"):
        return ()
    return [one for one in visitors.iterate(element) if isinstance(one, BindParameter)]


def _before_cursor_execute(
    _connection: Any, _cursor: Any, _sql: str, _params: Any, context: Any, _many: bool
) -> None:
    comparators.end()
    compiled = getattr(context, "compiled", None)
    if compiled is None or compiled in _checked:
        return
    if getattr(compiled, "isddl", False) or not hasattr(compiled, "bind_names"):
        return
    state = getattr(compiled, "compile_state", None)
    check(getattr(state, "statement", None), compiled.statement)
    let_wait(compiled, state)
    _checked.add(compiled)


def _handle_error(context: Any) -> None:
    """Parameters that were not sealed yet are not shown."""
    error = context.sqlalchemy_exception
    if isinstance(error, StatementError) and context.execution_context is None:
        error.hide_parameters = True


__all__ = ["listen"]
