"""The column of a blind index beside an encrypted one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, ColumnDefault, String, Table, event
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.types import TypeDecorator

from reseal._errors import ResealError
from reseal.sqlalchemy.errors import bare, undeclared
from reseal.sqlalchemy.underway import Row

if TYPE_CHECKING:
    from reseal._native import _Normalizer

_NORMALIZERS = ("raw", "ascii-lower-trim", "digits")
#: 8 characters of the key id, a point, and 256 bits: with room.
_LENGTH = 96


class BlindIndex(TypeDecorator[str]):
    """A column with the terms of an encrypted one, so that its values can be found by equality.

    >>> from sqlalchemy import Column, Integer, MetaData, String, Table, select
    >>> from reseal.sqlalchemy import BlindIndex, Encrypted
    >>> users = Table("users", MetaData(), Column("id", Integer, primary_key=True),
    ...     Column("ssn", Encrypted(String)), Column("ssn_index", BlindIndex("ssn", normalizer="digits"), index=True))
    >>> found = select(users).where(users.c.ssn == "078-05-1120")

    `of` is the name of the encrypted column of the same table. `normalizer` says when two values are
    equal: `raw`, `ascii-lower-trim` or `digits`. `bits`, 8 to 256, are those of a term: fewer tell an
    observer less, and cost more false hits, which are opened and sorted out. `name` is bound to the terms;
    it is that of the column if nothing is said.

    The column is filled whenever the encrypted one is written. `index=True` of the column itself makes an
    index of the database; `unique=True` holds for terms, so as long as there is one index key.

    Errors: `ArgumentError` for what cannot be declared. When rows are written and found: those of
    `reseal.Column.index_term`, such as `no-primary` without an index key.
    """

    impl = String
    cache_ok = True

    def __init__(
        self,
        of: str,
        *,
        normalizer: _Normalizer = "raw",
        bits: int = 64,
        name: str | None = None,
    ) -> None:
        super().__init__(_LENGTH)
        if normalizer not in _NORMALIZERS:
            raise undeclared(f"normalizer is one of {', '.join(_NORMALIZERS)}")
        if not 8 <= bits <= 256:
            raise undeclared("bits are 8 to 256")
        self.of, self.bits, self.name = of, bits, name
        self.normalizer: _Normalizer = normalizer

    def index_name(self, column: Column[Any]) -> str:
        """Return the name that is bound to the terms."""
        return self.name or column.name

    def _set_parent(self, parent: Any, outer: bool = False, **kw: Any) -> None:
        super()._set_parent(parent, outer, **kw)
        if isinstance(parent, Column):
            event.listen(parent, "after_parent_attach", _attached)

    def __repr__(self) -> str:
        """Return what declares it."""
        parts = [repr(self.of)]
        for name, usual in (("normalizer", "raw"), ("bits", 64), ("name", None)):
            if getattr(self, name) != usual:
                parts.append(f"{name}={getattr(self, name)!r}")
        return f"BlindIndex({', '.join(parts)})"


def companions_of(column: Column[Any]) -> list[Any]:
    """Return the columns with the terms of an encrypted column."""
    names = (column.key, column.name)
    return [
        one
        for one in column.table.columns
        if isinstance(one.type, BlindIndex) and one.type.of in names
    ]


def source_of(companion: Column[Any]) -> Any:
    """Return the encrypted column that a companion has the terms of.

    Errors: `ArgumentError` where there is none.
    """
    from reseal.sqlalchemy.types import Encrypted

    type_: Any = companion.type
    for one in companion.table.columns:
        if type_.of in (one.key, one.name) and isinstance(one.type, Encrypted):
            if one.type.values.type == "json":
                raise undeclared(f"{one}: documents are not found by their equality")
            return one
    raise undeclared(f"{companion}: there is no encrypted column {type_.of!r} in its table")


def term_of(companion: Column[Any], value: Any, values: Row) -> str | None:
    """Return the term of a value of the encrypted column; `values` are those of the row, by column.

    Errors: those of `reseal.Column.index_term`.
    """
    source = source_of(companion)
    if value is None:
        return None
    type_: Any = companion.type
    try:
        facts = source.type.facts_of(values, with_row=False)
        taken = source.type.taken(source.type.plain(value))
        name = type_.index_name(companion)
        found: str | None = source.type.bound().term(taken, name, facts)
        return found
    except ResealError as error:
        raise bare(error) from None


def _attached(companion: Column[Any], table: Any) -> None:
    """An insert that says nothing of the terms makes them, be it of the ORM or not."""
    if not isinstance(table, Table):
        return

    # It is an item of the schema, which is attached as all are.
    ColumnDefault(_Term(companion))._set_parent_with_dispatch(companion)


class _Term:
    """The default of a companion."""

    def __init__(self, companion: Column[Any]) -> None:
        self.companion = companion

    def __call__(self, context: Any) -> str | None:
        companion, source = self.companion, source_of(self.companion)
        columns = list(companion.table.columns)
        if source.default is not None and _place(columns, companion) < _place(columns, source):
            raise undeclared(f"{source} has a default: declare {companion} after it")
        given = _given(context)
        values = {one: given[one.key] for one in columns if one.key in given}
        value = given.get(source.key)
        # One that is bound to its row comes with its facts.
        return term_of(companion, getattr(value, "value", value), values)


def _place(columns: list[Column[Any]], wanted: Column[Any]) -> int:
    return next(place for place, one in enumerate(columns) if one is wanted)


def _given(context: Any) -> dict[str, Any]:
    """The parameters of the row that is inserted, by column; many rows in one statement have numbered ones."""
    params: dict[str, Any] = context.current_parameters
    statement: Any = getattr(context.compiled, "statement", None)
    rows = [row for many in getattr(statement, "_multi_values", None) or () for row in many]
    if not rows:
        return params | _named(getattr(statement, "_values", None), params)
    column = context.current_column
    number = column.index + 1 if hasattr(column, "original") else 0
    end, row = f"_m{number}", rows[number]
    own = {key.removesuffix(end): value for key, value in params.items() if key.endswith(end)}
    if not hasattr(row, "items"):
        row = dict(zip(statement.table.columns, row, strict=False))
    return own | _named(row, params)


def _named(row: Any, params: dict[str, Any]) -> dict[str, Any]:
    """What a statement gives by parameters that have a name of their own."""
    found = {}
    for key, value in (row or {}).items():
        if isinstance(value, BindParameter) and not value.unique and value.key in params:
            found[key if isinstance(key, str) else str(key.key)] = params[value.key]
    return found


__all__ = ["BlindIndex", "companions_of", "source_of", "term_of"]
