"""Finds encrypted columns where the database would look into them, once for each compiled statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from sqlalchemy import Delete, Insert, Select, UniqueConstraint, Update
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BindParameter,
    Grouping,
    Label,
    Null,
    TypeCoerce,
    _label_reference,
    _textual_label_reference,
)
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import (
    AliasedReturnsRows,
    CompoundSelect,
    Exists,
    FromClause,
    ScalarSelect,
    SelectBase,
    SelectStatementGrouping,
    TableClause,
    TextualSelect,
)

from reseal.sqlalchemy.assigned import (
    IN_PYTHON,
    is_beside,
    is_null,
    is_sql,
    refuse_terms,
    refuse_value,
)
from reseal.sqlalchemy.comparators import Lookup, parted, refusal
from reseal.sqlalchemy.elsewhere import type_beside, unkept
from reseal.sqlalchemy.index import BlindIndex, companions_of
from reseal.sqlalchemy.targets import column_of, is_elsewhere, key_of, said_by
from reseal.sqlalchemy.types import Encrypted
from reseal.sqlalchemy.unions import EACH, is_of_many, selects_of, together

_PROPOSED = "set both it and {} to what the insert proposes, or both to null()"
_WHERE = "be ordered by, grouped by, compared or computed with"


def check(*statements: Any) -> None:
    """Refuse statements in which an encrypted column is more than selected, set, or found by its index.

    Errors: `InvalidRequestError`.
    """
    seen: set[int] = set()
    for one in statements:
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            _walk(one, False)


def _walk(one: Any, selected: bool) -> None:
    walk = next((known for kind, known in _KNOWN if isinstance(one, kind)), None)
    if walk is not None:
        walk(one, selected)
        return
    type_ = getattr(one, "type", None)
    if isinstance(type_, Encrypted) and not selected:
        raise refusal(type_, _WHERE)
    _walk_all(one.get_children(), False)


def _walk_all(many: Iterable[Any], selected: bool) -> None:
    for one in many:
        _walk(one, selected)


def _nothing(one: Any, selected: bool) -> None:
    """A table has columns, which this statement need not use; a parameter is sealed; text says what it selects."""


def _inner(one: Any, selected: bool) -> None:
    _walk(one.element, selected)


def _aliased(one: Any, selected: bool) -> None:
    if isinstance(one.element, (Insert, Update)):
        _part(one.element)
    _walk(one.element, False)


def _part(one: Any) -> None:
    """Refuse to write by a part of a statement what only a statement by itself is completed with."""
    for target, value in chain.from_iterable(_pairs_of(one)):
        column = column_of(one, target)
        type_ = type_beside(column)
        if type_ is None:
            continue
        is_value = isinstance(column.type, Encrypted)
        is_copied = is_sql(value) and not (is_null(value) or isinstance(value, BindParameter))
        if is_copied and (is_value or isinstance(column.type, BlindIndex)):
            continue
        if is_value or isinstance(one, Update):
            raise unkept(type_, column, "a part of another statement", "execute it by itself")


def _select(one: Any, selected: bool) -> None:
    columns = list(one._raw_columns)
    distinct = bool(one._distinct) and not one._distinct_on
    for column in columns:
        for part in getattr(column, "_select_iterable", (column,)):
            if not isinstance(part, TableClause):
                _column(part, distinct)
    # They come first, and may stand in other clauses as well.
    left = [id(column) for column in columns]
    for child in one.get_children():
        _names(one, child)
        if id(child) in left:
            left.remove(id(child))
        else:
            _walk(child, False)


def _names(select: Any, part: Any) -> None:
    """Look for names, by which a statement may be ordered, or grouped, in a part that is of no other statement."""
    if isinstance(part, _textual_label_reference):
        _by_name(select, part.element)
    elif not isinstance(part, (FromClause, SelectBase)):
        for child in part.get_children():
            _names(select, child)


def _column(one: Any, distinct: bool) -> None:
    type_ = getattr(one, "type", None)
    if distinct and isinstance(type_, Encrypted):
        raise refusal(type_, "be made distinct")
    _walk(one, True)


def _by_name(select: Any, name: str) -> None:
    """Look for a name where SQLAlchemy does: among what is selected, and what it is selected from."""
    selected = list(select.selected_columns)
    froms = select.get_final_froms() if isinstance(select, Select) else ()
    named = {column.key: column for one in froms for column in getattr(one, "c", ())}
    for column in selected:
        named[getattr(column, "_tq_label", None) or getattr(column, "key", None)] = column
    same = [
        one for one in selected if name in (getattr(one, "key", None), getattr(one, "name", None))
    ]
    for one in (*same, named.get(name)):
        type_ = getattr(one, "type", None)
        if isinstance(type_, Encrypted):
            raise refusal(type_, "be ordered by, or grouped by,")


def _compound(one: Any, selected: bool) -> None:
    _walk_all(one.selects, False)
    for columns in zip(*(select.selected_columns for select in one.selects), strict=False):
        together(one.keyword, [column.type for column in columns])
    for clause in (one._order_by_clauses, one._group_by_clauses):
        for part in clause:
            _names(one, part)
            _walk(part, False)


def _exists(one: Any, selected: bool) -> None:
    """Whether there is a row, whatever it has."""
    inner = one.element
    while isinstance(inner, (Grouping, ScalarSelect, SelectStatementGrouping)):
        inner = inner.element
    _walk(inner, False)


def _scalar(one: Any, selected: bool) -> None:
    if isinstance(one.type, Encrypted) and not selected:
        raise refusal(one.type, _WHERE)
    _walk(one.element, False)


def _function(one: Any, selected: bool) -> None:
    if getattr(one, "name", None) == "count":
        # How many are not NULL.
        for argument in one.clauses:
            _walk(argument, isinstance(getattr(argument, "type", None), Encrypted))
        return
    _walk_all(one.get_children(), False)


def _binary(one: Any, selected: bool) -> None:
    if one.operator in (operators.is_, operators.is_not) and isinstance(one.right, Null):
        _walk(one.left, True)
        return
    lookup = getattr(getattr(one.right, "callable", None), "__self__", None)
    if isinstance(lookup, Lookup) and is_of_many(one.left):
        raise refusal(lookup.type, "be found in a union with another column,", EACH)
    _walk_all(one.get_children(), False)


def _dml(one: Any, selected: bool) -> None:
    _walk_all(getattr(one, "_where_criteria", ()), False)
    _walk_all(one._returning or (), True)
    _walk_all(one._independent_ctes, False)
    if isinstance(one, Delete):
        return
    for pairs in _pairs_of(one):
        given = list(pairs)
        values = {key_of(it): value for it, value in given if not is_elsewhere(one, it)}
        for target, value in given:
            _set(one, target, value, values)
    if isinstance(one, Insert):
        _in_rows(one)
        _from_select(one)
        _upsert(one)


def _pairs_of(one: Any) -> Iterable[Iterable[tuple[Any, Any]]]:
    yield said_by(one)
    yield from _rows_of(one)


def _rows_of(one: Any) -> Iterable[Iterable[tuple[Any, Any]]]:
    """The many rows of values()."""
    for many in one._multi_values or ():
        for row in many:
            yield (
                row.items() if hasattr(row, "items") else zip(one.table.columns, row, strict=False)
            )


def _set(
    one: Any, target: Any, value: Any, values: Mapping[Any, Any], *, is_upsert: bool = False
) -> None:
    column = column_of(one, target)
    if is_elsewhere(one, target):
        type_ = column.type if isinstance(column.type, Encrypted) else type_beside(column)
        if type_ is not None:
            raise unkept(type_, column, "an update of another table", "update its own table")
    if column is not None and isinstance(column.type, Encrypted):
        error = refuse_value(column, value, values, is_upsert=is_upsert)
        if error is not None:
            raise error
    elif is_sql(value) and hasattr(value, "get_children"):
        _walk(value, False)


def _key(column: Any) -> Any:
    return getattr(column, "key", None)


def _in_rows(one: Any) -> None:
    """Refuse parameters whose value would be stored as it is: only in the first row they have the type of their column."""
    for pairs in _rows_of(one):
        for target, value in pairs:
            type_ = getattr(column_of(one, target), "type", None)
            is_parameter = isinstance(value, BindParameter) and value.type._isnull
            if isinstance(type_, Encrypted) and is_parameter:
                raise refusal(
                    type_,
                    "be inserted by values() with many rows and parameters",
                    "give the rows as a list of parameters",
                )


def _from_select(one: Any) -> None:
    if one.select is None:
        return
    _walk(one.select, False)
    targets = [column_of(one, name) for name in one._select_names or ()]
    for select in selects_of(one.select):
        _copied(dict(zip(targets, select.selected_columns, strict=False)))


def _copied(values: dict[Any, Any]) -> None:
    named = {_key(target): value for target, value in values.items()}
    for target, value in values.items():
        type_ = getattr(target, "type", None)
        if not isinstance(type_, Encrypted):
            if isinstance(value.type, Encrypted):
                raise refusal(value.type, "be copied into a column that is not encrypted")
            continue
        if value.type is not type_:
            raise refusal(type_, "be filled by a select", IN_PYTHON)
        for fact in type_.fact_columns():
            if not is_beside(value, fact, named.get(fact.key)):
                raise refusal(
                    type_,
                    f"be copied to another {fact.name}, to which it is bound,",
                    f"select {fact.name} of the same row beside it, or read the values, and write them",
                )
        unnamed = {companion.key: None for companion in companions_of(target)}
        error = refuse_terms(target, value, unnamed | named, "select {} of the same row beside it")
        if error is not None:
            raise error


def _upsert(one: Any) -> None:
    clause = getattr(one, "_post_values_clause", None)
    for name in ("inferred_target_whereclause", "update_whereclause"):
        where = getattr(clause, name, None)
        if where is not None:
            _walk(where, False)
    found = getattr(clause, "update_values_to_set", None) or getattr(clause, "update", None)
    if not found:
        return
    pairs = list(found.items() if hasattr(found, "items") else found)
    values = {}
    for target, value in pairs:
        column = column_of(one, target)
        # The dialect takes a name for a key, but no column of another table.
        if column is None or not (isinstance(target, str) or hash(target) == hash(column)):
            _unknown(one, getattr(target, "name", target))
        values[_key(column)] = value
    for target, value in pairs:
        _set(one, target, value, values, is_upsert=True)
    for column in getattr(one.table, "columns", ()):
        if isinstance(column.type, Encrypted):
            proposed = values.get(column.key, column)
            error = refuse_terms(column, proposed, values, _PROPOSED)
            if error is not None:
                raise error
            _with_facts(one, clause, column, values)


def _unknown(one: Any, name: str) -> None:
    """Refuse a name of an encrypted column that is not its key: the dialect would store the value as it is."""
    for column in getattr(one.table, "columns", ()):
        if isinstance(column.type, Encrypted) and column.name.casefold() == name.casefold():
            raise refusal(
                column.type, f"be set by the name {name!r}", f"use its key, {column.key!r}"
            )


def _with_facts(one: Any, clause: Any, column: Any, values: dict[Any, Any]) -> None:
    """Refuse to put a value into a row that is there already, and has not what the value is bound to."""
    same = _conflicting(one, clause)
    for fact in column.type.fact_columns():
        if column.key not in values:
            if fact.key in values:
                raise parted(column.type, fact)
            continue
        proposed = values.get(fact.key)
        is_proposed = getattr(proposed, "key", None) == fact.key and proposed is not fact
        if not is_proposed and fact.key not in same:
            raise refusal(
                column.type,
                f"be set in a row that may have another {fact.name}, to which it is bound,",
                f"let the insert conflict on {fact.name}, or set that as well to what the insert proposes",
            )


def _conflicting(one: Any, clause: Any) -> set[Any]:
    """The keys of columns that a row has in common with the one that the insert proposes."""
    table = one.table
    unique = [
        it
        for it in (*table.constraints, *table.indexes)
        if isinstance(it, UniqueConstraint) or getattr(it, "unique", False)
    ]
    if not hasattr(clause, "inferred_target_elements"):
        # MySQL asks for no key, so that it may be any.
        return set() if unique else {column.key for column in table.primary_key}
    named = getattr(clause, "constraint_target", None)
    if named is not None:
        known = (it for it in (table.primary_key, *unique) if it.name == named)
        return {column.key for it in known for column in it.columns}
    return {
        getattr(column_of(one, target), "key", None)
        for target in clause.inferred_target_elements or ()
    }


#: The first kind that fits counts.
_KNOWN: tuple[tuple[Any, Any], ...] = (
    ((TableClause, BindParameter, TypeCoerce, TextualSelect), _nothing),
    ((Label, Grouping, SelectStatementGrouping, _label_reference), _inner),
    (AliasedReturnsRows, _aliased),
    (Select, _select),
    (CompoundSelect, _compound),
    (Exists, _exists),
    (ScalarSelect, _scalar),
    (FunctionElement, _function),
    (BinaryExpression, _binary),
    ((Insert, Update, Delete), _dml),
)
