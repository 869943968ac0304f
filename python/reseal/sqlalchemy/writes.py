"""What is added to a statement that writes encrypted columns: the terms, and the facts of the row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Column, Insert, Table, Update, bindparam
from sqlalchemy.sql.elements import BindParameter, Null

from reseal.sqlalchemy.comparators import parted, refusal
from reseal.sqlalchemy.conditions import equalities, is_missing, value_of
from reseal.sqlalchemy.defaults import default_of, is_of_program
from reseal.sqlalchemy.elsewhere import refuse_alias
from reseal.sqlalchemy.index import companions_of, term_of
from reseal.sqlalchemy.targets import is_elsewhere, key_of, said_by, table_of
from reseal.sqlalchemy.types import Encrypted
from reseal.sqlalchemy.underway import Bound


class Flush(NamedTuple):
    """What the ORM knows of a row that it writes, by its table and its row id."""

    is_moved: Callable[[Table, Any], bool]
    """Whether it is moved, and has no value of its own."""
    facts_of_row: Callable[[Table, Any], dict[Any, Any]]
    """What its values are bound to, where it is not moved."""


def completed(element: Any, multiparams: Any, params: Any, flush: Flush) -> Any:
    """Return a statement with its parameters, in which each value has what belongs to it.

    Errors: those of the terms; `InvalidRequestError` for values whose row cannot be known.
    """
    table = table_of(element)
    if not isinstance(table, Table):
        refuse_alias(element, multiparams or [params or {}])
        return element, multiparams, params
    encrypted = [one for one in table.columns if isinstance(one.type, Encrypted)]
    if not encrypted:
        return element, multiparams, params
    write = _Write(element, table, multiparams, params, flush)
    for column in encrypted:
        write.complete(column)
    return write.result()


class _Write:
    """One statement: values stand in it, or are given with it, once or many times."""

    def __init__(
        self, element: Any, table: Table, multiparams: Any, params: Any, flush: Flush
    ) -> None:
        self.element, self.table = element, table
        self._flush = flush
        self._are_moved: bool | None = None
        self.many, self.is_many = [], bool(multiparams)
        given = multiparams or ([params] if params else [])
        self.many = [dict(one) for one in given]
        self.said: dict[str, Any] = {}
        for one, value in said_by(element):
            if not is_elsewhere(element, one):
                self.said[key_of(one)] = value
        # By the names that the parameters had at first.
        self._standing = self._facts_of_rows()
        self._stay()

    def result(self) -> Any:
        if self.is_many:
            return self.element, self.many, {}
        return self.element, [], self.many[0] if self.many else {}

    def complete(self, column: Column[Any]) -> None:
        type_: Any = column.type
        if type_.row_bound and self._is_in_rows(column):
            raise refusal(
                type_,
                "be inserted by values() with many rows, since each is bound to its own,",
                "give the rows as a list of parameters",
            )
        if type_.row_bound:
            self._give_defaults(column, type_)
        self._leave_terms_out(column)
        given = self._is_given(column)
        if not given and column.key not in self.said:
            self._check_facts(type_)
            return
        is_update = isinstance(self.element, Update)
        for companion in companions_of(column):
            # One that is given beside its value may be of another value, that of a copy, or of the row
            # before; an insert that has none gets it by the default of its column.
            if is_update or self._is_given(companion) or companion.key in self.said:
                self._add_term(column, companion, given)
        if type_.row_bound:
            self._bind(column, type_, given)

    def _is_in_rows(self, column: Column[Any]) -> bool:
        """Whether one of the many rows of values() has a value of it, or a name that no column has."""
        columns = self.table.columns
        place = list(columns).index(column)
        return any(
            any(key_of(name) == column.key or key_of(name) not in columns for name in row)
            if hasattr(row, "keys")
            else len(row) > place
            for many in getattr(self.element, "_multi_values", None) or ()
            for row in many
        )

    def _leave_terms_out(self, column: Column[Any]) -> None:
        """Take the terms out of the many rows of values(): their default makes those of each value."""
        if not self._is_in_rows(column):
            return
        terms = {companion.key for companion in companions_of(column)}
        every = [[self._named(row) for row in many] for many in self.element._multi_values]
        if any(terms & {key_of(name) for name in row} for many in every for row in many):
            self.element = self.element._generate()
            self.element._multi_values = tuple(
                [{name: row[name] for name in row if key_of(name) not in terms} for row in many]
                for many in every
            )

    def _named(self, row: Any) -> dict[Any, Any]:
        """One of the many rows of values(), which may have its values by their places."""
        keys = (column.key for column in self.table.columns)
        return dict(row) if hasattr(row, "keys") else dict(zip(keys, row, strict=False))

    def _check_facts(self, type_: Encrypted) -> None:
        """Refuse to change what a value is bound to without it."""
        if not isinstance(self.element, Update):
            return
        for fact in type_.fact_columns():
            is_set = self._is_given(fact) or fact.key in self.said
            if is_set and not (type_._place.is_partial and self._is_of_flush()):
                raise parted(type_, fact)

    def _is_of_flush(self) -> bool:
        """Whether a flush moves all the rows, which are of a class without what has to move with them."""
        if self._are_moved is None:
            rows = map(self._row_id, self.many or [{}])
            self._are_moved = all(self._flush.is_moved(self.table, row) for row in rows)
        return self._are_moved

    def _facts_of_rows(self) -> list[dict[Any, Any]]:
        """What a flush knows of the rows that it does not move, all of them or none."""
        if not isinstance(self.element, Update):
            return []
        rows = [self._flush.facts_of_row(self.table, self._row_id(one)) for one in self.many]
        return rows if all(rows) else []

    def _stay(self) -> None:
        """Write rows only as long as they have what their values are bound to."""
        for fact in self._standing[0] if self._standing else ():
            name = f"reseal_was_{fact.key}"
            for one, known in zip(self.many, self._standing, strict=True):
                one[name] = known[fact]
            was = bindparam(name, type_=fact.type)
            self.element = self.element.where(fact.is_not_distinct_from(was))

    def _row_id(self, params: dict[str, Any]) -> tuple[Any, ...]:
        found = {
            hash(column): value
            for column, value in equalities(self.element._where_criteria, params)
        }
        return tuple(found.get(hash(key)) for key in self.table.primary_key)

    def _add_term(self, column: Column[Any], companion: Column[Any], given: bool) -> None:
        def term(value: Any, values: dict[Any, Any]) -> Any:
            return term_of(companion, value, values)

        if given:
            for one in self.many:
                one[companion.key] = term(one[column.key], self._values(one))
            return
        # What is given with the statement counts before what stands in it.
        self.many = [
            {key: value for key, value in one.items() if key != companion.key} for one in self.many
        ]
        said = self.said[column.key]
        if said is None or isinstance(said, Null):
            self._say(companion, None)
        elif isinstance(said, BindParameter):
            self._replace(said, companion, term)
        # Whatever else it is, it is the column itself, or refused when the statement is compiled.

    def _bind(self, column: Column[Any], type_: Encrypted, given: bool) -> None:
        def bound(value: Any, values: dict[Any, Any]) -> Any:
            return None if value is None else Bound(value, type_.facts_of(values))

        if given:
            for one in self.many:
                one[column.key] = bound(one[column.key], self._values(one))
            return
        said = self.said[column.key]
        if isinstance(said, BindParameter):
            self._replace(said, column, bound)

    def _give_defaults(self, column: Column[Any], type_: Encrypted) -> None:
        """What the defaults of the program would give when it is too late."""
        element = self.element
        if not isinstance(element, Insert) or element._multi_values or element.select is not None:
            return
        self._give_default(column)
        if not self._is_given(column) and column.key not in self.said:
            return
        row = type_.row_column()
        for fact in type_.fact_columns():
            # The ORM gives None where it knows no row id.
            self._give_default(fact, is_empty=fact is row)

    def _give_default(self, column: Column[Any], *, is_empty: bool = False) -> None:
        if not is_of_program(column) or column.key in self.said:
            return
        if not self.many:
            self._say(column, default_of(column, self._by_key({})))
            return
        for one in self.many:
            if column.key not in one or (is_empty and one[column.key] is None):
                one[column.key] = default_of(column, self._by_key(one))

    def _by_key(self, params: dict[str, Any]) -> dict[str, Any]:
        return {column.key: value for column, value in self._values(params).items()}

    def _is_given(self, column: Column[Any]) -> bool:
        return bool(self.many) and column.key in self.many[0]

    def _replace(self, said: Any, column: Column[Any], make: Any) -> None:
        """Set a column to what is made of a parameter: once, or of each of many."""
        if any(is_missing(value_of(said, one)) for one in self.many or [{}]):
            return
        if not self.many:
            self._say(column, make(value_of(said, None), self._values({})))
            return
        name = f"reseal_{column.key}"
        for one in self.many:
            one[name] = make(value_of(said, one), self._values(one))
        self._say(column, bindparam(name))

    def _say(self, column: Column[Any], value: Any) -> None:
        ordered = ("_ordered_values", "_maintain_values_ordering")
        if any(getattr(self.element, name, None) for name in ordered):
            raise refusal(
                column.type if isinstance(column.type, Encrypted) else _source_type(column),
                "be set by ordered_values()",
                "use values()",
            )
        # By the name that it has there: a column and its name would be two.
        there = (
            one
            for one, _ in said_by(self.element)
            if key_of(one) == column.key and not is_elsewhere(self.element, one)
        )
        known = next(there, column)
        self.element = self.element.values({known: value})
        self.said[column.key] = self.element._values[known]

    def _values(self, params: dict[str, Any]) -> dict[Any, Any]:
        """The values of a row as far as the statement says them, by column."""
        found: dict[Any, Any] = {}
        for fact in self._standing[0] if self._standing else ():
            found[fact] = params.get(f"reseal_was_{fact.key}")
        for column, value in equalities(getattr(self.element, "_where_criteria", ()), params):
            own = self.table.columns.get(getattr(column, "key", ""))
            if own is not None and hash(own) == hash(column):
                found[own] = value
        for key, value in self.said.items():
            own = self.table.columns.get(key)
            if own is None:
                continue
            known = value_of(value, params) if isinstance(value, BindParameter) else value
            if is_missing(known) or hasattr(known, "_compiler_dispatch"):
                found.pop(own, None)  # the database computes it
            else:
                found[own] = known
        for key, value in params.items():
            own = self.table.columns.get(key)
            if own is not None:
                found[own] = value
        return found


def _source_type(companion: Column[Any]) -> Any:
    from reseal.sqlalchemy.index import source_of

    return source_of(companion).type
