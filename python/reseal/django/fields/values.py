"""`values()` and `values_list()` of what is bound to its row: what it is bound to is selected beside it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from django.db.models.query import (
    FlatValuesListIterable,
    NamedValuesListIterable,
    ValuesIterable,
    ValuesListIterable,
)
from django.db.models.sql import Query

from reseal._native import Held
from reseal.django.fields.expressions import EncryptedCol
from reseal.django.fields.printing import PrintedQuery

#: What the columns are called that nobody asked for, with the first numbers that are free.
_NAME = "reseal_fact_{}"


class _Opening:
    """Iterates over rows with the facts, which it leaves out of what it gives."""

    queryset: Any

    def __iter__(self) -> Iterator[Any]:
        query = self.queryset.query
        if type(query) in (Query, PrintedQuery) and _bound_columns(query):
            self.queryset = self.queryset._chain()
            self.queryset.query = query.chain(_FactsQuery)
        return super().__iter__()  # type: ignore[misc]


class _Values(_Opening, ValuesIterable):
    pass


class _ValuesList(_Opening, ValuesListIterable):
    pass


class _NamedValuesList(_Opening, NamedValuesListIterable):
    pass


class _FlatValuesList(_Opening, FlatValuesListIterable):
    pass


#: By what Django iterates with: what opens as well what is bound to its row.
OPENING: dict[Any, Any] = {
    ValuesIterable: _Values,
    ValuesListIterable: _ValuesList,
    NamedValuesListIterable: _NamedValuesList,
    FlatValuesListIterable: _FlatValuesList,
}


class _FactsQuery(Query):
    """A query that selects what its columns are bound to as well, after what was asked for."""

    def get_compiler(self, *args: Any, **kwargs: Any) -> Any:
        """Return what makes rows as they were asked for."""
        query = self.chain(Query)
        places: dict[Any, str] = {}
        taken = {*query.annotations, *query.extra, *(getattr(query, "selected", None) or ())}
        names = (name for name in map(_NAME.format, count()) if name not in taken)
        query.reseal_has_facts = True
        for column in _bound_columns(self):
            for fact in column.target.fact_fields().values():
                if (column.alias, fact) not in places:
                    name = next(names)
                    places[column.alias, fact] = name
                    query.annotations[name] = fact.get_col(column.alias)
                    query.append_annotation_mask([name])
                    if getattr(query, "selected", None) is not None:
                        query.selected[name] = name
        return _Rows(query.get_compiler(*args, **kwargs), places)


class _Rows:
    """The rows of a compiler, opened, without the columns that nobody asked for."""

    def __init__(self, compiler: Any, names: dict[Any, str]) -> None:
        self.compiler, self.names = compiler, names

    def results_iter(self, **options: Any) -> Iterator[tuple[Any, ...]]:
        """Run the query."""
        rows = self.compiler.results_iter(**options)
        selected = self.compiler.select[: self.compiler.col_count]
        places = {alias: place for place, (_, _, alias) in enumerate(selected)}
        bound = []
        for place, (column, _, _) in enumerate(selected):
            if isinstance(column, EncryptedCol) and column.target.needs_row:
                facts = column.target.fact_fields()
                named = {name: places[self.names[column.alias, it]] for name, it in facts.items()}
                bound.append((place, column.target, named.get("tenant"), named.get("row")))
        width = len(selected) - len(self.names)
        return (self._opened(list(row), bound)[:width] for row in rows)

    def _opened(self, row: list[Any], bound: list[Any]) -> tuple[Any, ...]:
        for place, field, tenant, key in bound:
            held = row[place]
            if type(held) is Held:
                binding = (
                    None if tenant is None else row[tenant],
                    None if key is None else row[key],
                )
                row[place] = field.open_bound(held, binding, self.compiler.connection)
        return tuple(row)


def _bound_columns(query: Any) -> list[EncryptedCol]:
    """What a query selects that is bound to its rows, where it can select the facts as well."""
    if query.group_by is not None or query.distinct or query.combinator:
        return []
    found = [
        column
        for column in (*query.select, *query.annotation_select.values())
        if isinstance(column, EncryptedCol) and column.target.needs_row
    ]
    return found if all(it.target.fact_fields() is not None for it in found) else []
