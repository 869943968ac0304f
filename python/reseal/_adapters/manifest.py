"""The manifest of an application, made from what its models declare."""

from __future__ import annotations

from collections.abc import Iterable

from reseal._adapters import toml
from reseal._adapters.codecs import Codecs
from reseal._adapters.declaration import Declaration
from reseal._errors import ResealError


def manifest_text(codecs: Codecs, declarations: Iterable[Declaration]) -> str:
    """Return the text of a `reseal.toml`, as the commands and jobs read it.

    Errors: `invalid-argument` for a codec that was given as an object, and for what a function binds to
    the values, which no manifest can say.
    """
    columns = [_column(one) for one in declarations]
    document: dict[str, object] = {"version": 1, "codecs": codecs.described()}
    return toml.text_of(document | ({"columns": columns} if columns else {}))


def _column(one: Declaration) -> dict[str, object]:
    context: dict[str, object] = dict(one.context)
    for name, column in (one.row_facts or {}).items():
        if column is None:
            raise ResealError(
                "invalid-argument",
                f"{one.table}.{one.column}: {name} of its context comes from a function, which a "
                "manifest cannot call: bind the value of a column instead",
            )
        context[name] = {"column": column}
    indexes = [
        {"name": it.name, "column": it.column, "normalizer": it.normalizer, "bits": it.bits}
        for it in one.indexes
    ]
    members: dict[str, object] = {
        "table": one.table,
        "column": one.column,
        "row_id": list(one.row_id),
        "context": context,
        "bind_row": one.bind_row,
        "earlier_contexts": [dict(earlier) for earlier in one.earlier_contexts],
        "type": one.type,
        "mode": one.mode,
        "write": one.write,
        "read": list(one.read),
        "indexes": indexes,
    }
    # What is as it is anyway is not said.
    usual: tuple[object, ...] = ([], False, {}, "random")
    return {name: value for name, value in members.items() if value not in usual}
