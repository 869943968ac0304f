"""What is added to a statement that writes encrypted columns: the terms, and the facts of the row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Insert, Table, Update, bindparam
from sqlalchemy.sql.elements import BindParameter, Null

from reseal.sqlalchemy.comparators import refusal
from reseal.sqlalchemy.conditions import equalities, is_missing, value_of
from reseal.sqlalchemy.index import companions_of, term_of
from reseal.sqlalchemy.types import Encrypted
from reseal.sqlalchemy.underway import Bound


def completed(element: Any, multiparams: Any, params: Any) -> Any:
    """Return a statement with its parameters, in which each value has what belongs to it.

    Errors: those of the terms; `InvalidRequestError` for values whose row cannot be known.
    """
    table = element.table
    if not isinstance(table, Table):
        return element, multiparams, params
    encrypted = [one for one in table.columns if isinstance(one.type, Encrypted)]
    if not encrypted:
        return element, multiparams, params
    write = _Write(element, table, multiparams, params)
    for column in encrypted:
        write.complete(column)
    return write.result()


class _Write:
    """One statement: values stand in it, or are given with it, once or many times."""

    def __init__(self, element: Any, table: Table, multiparams: Any, params: Any) -> None:
        self.element, self.table = element, table
        self.many, self.is_many = [], bool(multiparams)
        given = multiparams or ([params] if params else [])
        self.many = [dict(one) for one in given]
        self.said: dict[str, Any] = {}
        for one, value in (element._values or {}).items():
            self.said[_key(one)] = value
        for one, value in getattr(element, "_ordered_values", None) or ():
            self.said[_key(one)] = value

    def result(self) -> Any:
        if self.is_many:
            return self.element, self.many, {}
        return self.element, [], self.many[0] if self.many else {}

    def complete(self, column: Column[Any]) -> None:
        type_: Any = column.type
        if type_.row_bound and getattr(self.element, "_multi_values", None):
            raise refusal(
                type_,
                "be inserted by values() with many rows, since each is bound to its own,",
                "give the rows as a list of parameters",
            )
        given = bool(self.many) and column.key in self.many[0]
        if not given and column.key not in self.said:
            return
        if isinstance(self.element, Update):
            for companion in companions_of(column):
                if companion.key not in self.said and not (
                    self.many and companion.key in self.many[0]
                ):
                    self._add_term(column, companion, given)
        if type_.row_bound:
            self._bind(column, type_, given)

    def _add_term(self, column: Column[Any], companion: Column[Any], given: bool) -> None:
        if given:
            for one in self.many:
                one[companion.key] = term_of(companion, one[column.key], self._values(one))
            return
        said = self.said[column.key]
        if said is None or isinstance(said, Null):
            self._say(companion, None)
        elif isinstance(said, BindParameter):
            self._replace(said, companion, lambda value, values: term_of(companion, value, values))
        # Whatever else it is, it is the column itself, or refused when the statement is compiled.

    def _bind(self, column: Column[Any], type_: Encrypted, given: bool) -> None:
        def bound(value: Any, values: dict[Any, Any]) -> Any:
            return None if value is None else Bound(value, type_.facts_of(values))

        if isinstance(self.element, Insert):
            self._give_row_ids(type_)
        if given:
            for one in self.many:
                one[column.key] = bound(one[column.key], self._values(one))
            return
        said = self.said[column.key]
        if isinstance(said, BindParameter):
            self._replace(said, column, bound)

    def _give_row_ids(self, type_: Encrypted) -> None:
        """What a default of the program would give when it is too late."""
        row: Any = type_.row_column()
        if row is None or row.default is None or row.key in self.said:
            return
        default = row.default
        if not self.many:
            self._say(row, default.arg(None) if default.is_callable else default.arg)
            return
        for one in self.many:
            if one.get(row.key) is None:
                one[row.key] = default.arg(None) if default.is_callable else default.arg

    def _replace(self, said: Any, column: Column[Any], make: Any) -> None:
        """Set a column to what is made of a parameter: once, or of each of many."""
        if self.many and said.key in self.many[0]:
            name = f"reseal_{column.key}"
            for one in self.many:
                one[name] = make(one[said.key], self._values(one))
            self._say(column, bindparam(name))
            return
        value = value_of(said, None)
        if not is_missing(value):
            self._say(column, make(value, self._values({})))

    def _say(self, column: Column[Any], value: Any) -> None:
        ordered = ("_ordered_values", "_maintain_values_ordering")
        if any(getattr(self.element, name, None) for name in ordered):
            raise refusal(
                column.type if isinstance(column.type, Encrypted) else _source_type(column),
                "be set by ordered_values()",
                "use values()",
            )
        self.element = self.element.values({column: value})
        self.said[column.key] = self.element._values[column]

    def _values(self, params: dict[str, Any]) -> dict[Any, Any]:
        """The values of a row as far as the statement says them, by column."""
        found: dict[Any, Any] = {}
        for column, value in equalities(getattr(self.element, "_where_criteria", ()), params):
            own = self.table.columns.get(getattr(column, "key", ""))
            if own is not None and hash(own) == hash(column):
                found[own] = value
        for key, value in self.said.items():
            own = self.table.columns.get(key)
            if own is None:
                continue
            known = value_of(value, params) if isinstance(value, BindParameter) else value
            if not is_missing(known) and not hasattr(known, "_compiler_dispatch"):
                found[own] = known
        for key, value in params.items():
            own = self.table.columns.get(key)
            if own is not None:
                found[own] = value
        return found


def _key(column: Any) -> str:
    return column if isinstance(column, str) else str(column.key)


def _source_type(companion: Column[Any]) -> Any:
    from reseal.sqlalchemy.index import source_of

    return source_of(companion).type
