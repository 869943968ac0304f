"""What a manifest says, and what it is read from. `python/src/manifest.rs` has `Manifest` itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from reseal._disk import PathLike, open_regular, path_text, quoted, unreadable
from reseal._errors import ResealError
from reseal._info import _Facts

if TYPE_CHECKING:
    from reseal._native import _Kind, _Mode, _Normalizer, _Type

# No database has longer ones, and Python does not print every integer.
_MAX_BITS = 64


@final
@dataclass(frozen=True)
class CodecSpec(_Facts):
    """A codec of a manifest, without its secrets."""

    __slots__ = {
        "kind": 'The format, such as "reseal" or "rails".',
        "name": "Its name in the manifest and in reports.",
        "writes_plaintext": "Whether what it writes can be read by whoever sees it.",
    }
    name: str
    kind: _Kind
    writes_plaintext: bool


@final
@dataclass(frozen=True)
class FromRow(_Facts):
    """A value of a context that each row has itself."""

    __slots__ = {"column": "The column of the table that holds it."}
    column: str


@final
@dataclass(frozen=True)
class IndexSpec(_Facts):
    """A blind index beside a column."""

    __slots__ = {
        "bits": "How many bits of the hash it keeps.",
        "column": "The column that holds the terms.",
        "name": "Its name, which is part of every term.",
        "normalizer": "What two values must have in common to count as equal.",
    }
    name: str
    column: str
    normalizer: _Normalizer
    bits: int


@final
@dataclass(frozen=True)
class ColumnSpec(_Facts):
    """A column of a manifest: where it is, what is bound to its values, and their formats."""

    __slots__ = {
        "bind_row": "Whether the row id is bound as `row`.",
        "column": "The column.",
        "context": "What is bound to every value: text, or a `FromRow`.",
        "earlier_contexts": "What older values may have in the place of the fixed texts.",
        "indexes": "Its blind indexes.",
        "mode": "The mode of envelopes.",
        "path": "The members of a JSON column that are sealed, or None.",
        "read": "The names of the codecs that are read, without the one that is written.",
        "readers": "Other applications, and the kinds that they can read.",
        "row_id": "The columns of a unique key.",
        "table": "The table, as the database calls it.",
        "type": "The type of the values.",
        "where": "A condition in SQL, where the column has only some rows, or None.",
        "write": "The name of the codec that is written.",
    }
    table: str
    column: str
    row_id: list[str]
    where: str | None
    path: str | None
    context: dict[str, str | FromRow]
    bind_row: bool
    earlier_contexts: list[dict[str, str]]
    type: _Type
    mode: _Mode
    write: str
    read: list[str]
    readers: dict[str, list[_Kind]]
    indexes: list[IndexSpec]


@final
@dataclass(frozen=True)
class Problem(_Facts):
    """What the author of a manifest should know."""

    __slots__ = {
        "line": "The line, from 1.",
        "message": "What may be wrong, and how to mend it.",
        "place": "The member, such as `columns[1].write`; lists count from 0.",
    }
    place: str
    line: int
    message: str

    def __str__(self) -> str:
        """Return place, message and line in one."""
        return f"{self.place}: {self.message} (line {self.line})"


def read_manifest(path: PathLike, limit: int) -> tuple[str, bytes]:
    """Return the path as it may be shown, and at most `limit` bytes of the file.

    Errors: `source-unreadable`.
    """
    name = path_text(path)
    try:
        with open_regular(name) as file:
            return quoted(name), file.read(limit)
    except (OSError, ValueError) as error:
        raise unreadable(name, None, error) from None


def rows_document(table: str, rows: object, columns: list[str]) -> bytes:
    """Return the rows of a table as JSON: of each the columns that it has, and no others.

    Errors: `invalid-argument`, which shows no value.
    """
    if isinstance(rows, (str, bytes, Mapping)) or not hasattr(rows, "__iter__"):
        raise _wrong(f"the rows of {table} in tables are a list, not {type(rows).__name__}")
    document = []
    for number, row in enumerate(rows):
        place = f"row {number} of {table} in tables"
        if not isinstance(row, Mapping):
            raise _wrong(f"{place} is a mapping, not {type(row).__name__}")
        found = {column: row[column] for column in columns if column in row}
        for column, value in found.items():
            _check_cell(value, f"{column} of {place}")
        document.append(found)
    return json.dumps(document).encode()


def _check_cell(value: object, place: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (str, int, type(None))):
        raise _wrong(f"{place} is text, an integer or None")
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        raise _wrong(f"{place} has more than {_MAX_BITS} bits")


def _wrong(message: str) -> ResealError:
    return ResealError("invalid-argument", message)


for _class in (CodecSpec, ColumnSpec, FromRow, IndexSpec, Problem):
    _class.__module__ = "reseal"
