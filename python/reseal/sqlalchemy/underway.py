"""Values that are on their way between a row and its database."""

from __future__ import annotations

from typing import Any, Protocol, final


class Row(Protocol):
    """The values of a row by its columns; `KeyError` for what is not known."""

    def __getitem__(self, column: Any, /) -> Any:
        """Return the value of a column."""


@final
class Sealed:
    """A stored value in an instance, as the row has it: still sealed."""

    __slots__ = ("facts", "raw", "reports")

    def __init__(self, raw: Any, reports: bool = False) -> None:
        """`facts` are what it was bound to when it was loaded, where that is known."""
        self.raw, self.reports = raw, reports
        self.facts: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return "<sealed>"


@final
class Bound:
    """A value on its way to the database, with the facts of its row."""

    __slots__ = ("facts", "value")

    def __init__(self, value: Any, facts: dict[str, Any]) -> None:
        self.value, self.facts = value, facts

    def __repr__(self) -> str:
        # It is a plaintext.
        return "<bound>"
