"""Defaults that the program gives, of what has to be known before a statement is executed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from sqlalchemy import Column

from reseal.sqlalchemy.underway import Bound


def is_of_program(column: Column[Any]) -> bool:
    """Whether a column has a default that is no expression of the database."""
    default: Any = column.default
    return default is not None and (default.is_scalar or default.is_callable)


def default_of(column: Column[Any], known: Mapping[str, Any]) -> Any:
    """Return the default of a row whose other values are known, by the keys of their columns."""
    default: Any = column.default
    return default.arg(_Context(known)) if default.is_callable else default.arg


@final
class _Context:
    """What a default asks for the other values of its row, in place of the context of a statement."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self.current_parameters = {
            key: value.value if isinstance(value, Bound) else value for key, value in known.items()
        }

    def get_current_parameters(self, isolate_multiinsert_groups: bool = True) -> dict[str, Any]:
        """Return the other values of the row."""
        return self.current_parameters
