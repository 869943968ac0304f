"""A field, as an application declares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from reseal._errors import ResealError

if TYPE_CHECKING:
    from reseal._native import _Mode, _Normalizer, _Type

_MODES = ("random", "deterministic", "padded")


@final
@dataclass(frozen=True)
class Index:
    """A blind index: its name, the column with its terms, and how they are made."""

    name: str
    column: str
    normalizer: _Normalizer = "raw"
    bits: int = 64


@final
@dataclass(frozen=True)
class Declaration:
    """An encrypted column: where it is, its formats, and what is bound to its values."""

    table: str
    column: str
    context: Mapping[str, str]
    """The fixed texts, usually `table` and `column` by their logical names."""
    write: str
    read: tuple[str, ...] = ()
    type: _Type = "text"
    mode: _Mode = "random"
    binary: bool = False
    row_facts: Mapping[str, str | None] | None = None
    """Names of the context whose values differ from row to row, each with the column of the row that
    has it; None where a function makes it."""
    bind_row: bool = False
    row_id: tuple[str, ...] = ()
    """The columns of the primary key."""
    earlier_contexts: tuple[Mapping[str, str], ...] = ()
    indexes: tuple[Index, ...] = ()

    def check(self) -> None:
        """Refuse what no column can be.

        Errors: `invalid-argument`.
        """
        if self.mode not in _MODES:
            raise _wrong(f"mode is one of {', '.join(_MODES)}")
        if self.bind_row and self.mode == "deterministic":
            raise _wrong(
                "bind_row and mode deterministic exclude each other: no two values would be equal"
            )
        if self.bind_row and len(self.row_id) > 1:
            raise _wrong("bind_row needs a primary key of one column")
        twice = set(self.row_facts or ()) & set(self.context)
        if twice:
            raise _wrong(f"the context has {', '.join(sorted(twice))} twice")

    def facts_needed(self) -> bool:
        """Whether a value cannot be sealed or opened without its row."""
        return self.bind_row or bool(self.row_facts)


def _wrong(message: str) -> ResealError:
    return ResealError("invalid-argument", message)
