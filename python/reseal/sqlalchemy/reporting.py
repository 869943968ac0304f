"""What a list shows in the place of a value that cannot be opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

from reseal.sqlalchemy.errors import undeclared

OnError = Literal["raise", "report"]

_reports: ContextVar[bool] = ContextVar("reseal_reports", default=False)


@contextmanager
def on_error(what: OnError) -> Iterator[None]:
    """Within the block, a value that cannot be opened is an `Unopened` in its place, for a list to show.

    It is never written back: assigned elsewhere, it raises its error. Rows have to be fetched within the
    block.

    >>> from reseal.sqlalchemy import on_error
    >>> with on_error("report"):
    ...     pass  # users = session.scalars(select(User)).all()

    Errors: `ArgumentError` for anything but `raise` and `report`.
    """
    if what not in ("raise", "report"):
        raise undeclared("on_error is raise or report")
    before = _reports.set(what == "report")
    try:
        yield
    finally:
        _reports.reset(before)


def reporting() -> bool:
    """Whether what cannot be opened is shown as such."""
    return _reports.get()
