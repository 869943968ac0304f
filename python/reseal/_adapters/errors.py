"""Errors with the place where they happened."""

from __future__ import annotations

from reseal._adapters.declaration import Declaration
from reseal._errors import ResealError
from reseal._native import _error


def placed(
    error: ResealError, declaration: Declaration, model: str | None, row: object = None
) -> ResealError:
    """Return the same error, of the same class and code, which says model, column and row id.

    They are its attributes `model`, `table`, `column` and `row` as well. The stored value is in none of
    them.
    """
    place = f"{declaration.table}.{declaration.column}"
    if model is not None:
        place += f" ({model})"
    if row is not None:
        place += f", row {_shown(row)}"
    found = _error(error.code, f"{place}: {error}")
    # What programs ask for; a pickle keeps it, too.
    found.__dict__.update(model=model, table=declaration.table, column=declaration.column, row=row)
    return found


def _shown(row: object) -> str:
    text = str(row)
    return text if len(text) <= 64 else text[:64] + "…"
