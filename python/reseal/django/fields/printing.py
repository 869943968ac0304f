"""Queries that are printed: `str(queryset.query)` asks no database, so that it may stand anywhere."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from django.db.models.sql import Query

_is_printed: ContextVar[bool] = ContextVar("reseal_is_printed", default=False)


def is_printed() -> bool:
    """Whether the statement of now is for somebody to read, and not for a database."""
    return _is_printed.get()


class PrintedQuery(Query):
    """A query whose text leaves out which hits are sorted out; no database is sent this text."""

    def __str__(self) -> str:
        """Return the statement with its parameters, as Django shows it."""
        before = _is_printed.set(True)
        try:
            return str(super().__str__())
        finally:
            _is_printed.reset(before)


def printed(query: Any, model: Any) -> Any:
    """Return a query as it is given, or a new one of a model, which may be printed."""
    return PrintedQuery(model) if query is None else query


__all__ = ["PrintedQuery", "is_printed", "printed"]
