"""An encrypted column in a query: where it may stand, and what is assigned to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError
from django.db.models import Case, Count, Expression, Value
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import Col
from django.db.models.functions import Cast
from django.db.models.sql.compiler import (
    SQLDeleteCompiler,
    SQLInsertCompiler,
    SQLUpdateCompiler,
)

from reseal._native import hold, hold_reporting
from reseal.django.fields.binding import learn

if TYPE_CHECKING:
    from reseal.django.fields.base import EncryptedField

_Sql = tuple[str, Any]
#: Of two queries: what looks for equal rows, where a union only leaves them twice.
_COMPARING = ("intersection", "difference")


class EncryptedCol(Col):
    """The column of an encrypted field: it may be selected as it is, and nothing else.

    A row of a model holds it sealed until it is asked for; `values()` and annotations open it.
    """

    target: Any
    _reports = False
    _is_of_row = False
    _is_selected = False
    #: Whether the row has what it is bound to, and is opened as a whole.
    _waits_for_facts = False

    def __init__(self, alias: str | None, target: Any, output_field: Any = None) -> None:
        super().__init__(alias, target, output_field)
        #: Which one it is; the copies that Django makes of an annotation keep it.
        self.origin = object()

    def column_sql(self, compiler: Any) -> str:
        """Return the quoted name, for the lookups."""
        return str(super().as_sql(compiler, compiler.connection)[0])

    def as_sql(self, compiler: Any, connection: Any) -> _Sql:
        """Return the column where it is selected.

        Errors: `FieldError` wherever the database would look into it.
        """
        query = compiler.query
        if self.alias is None:
            # Of a computed column, a constraint or an index.
            raise refusal(self.target, "be computed with")
        if self._is_counted(query):
            return self.column_sql(compiler), []
        if isinstance(compiler, (SQLDeleteCompiler, SQLUpdateCompiler)) or (
            compiler.select is not None and not self._is_of_group(query)
        ):
            raise refusal(self.target, "be ordered by, grouped by, compared or computed with")
        for annotation in query.annotation_select.values():
            if annotation is not self and self in _parts(annotation):
                raise refusal(self.target, "be computed with")
        return self.column_sql(compiler), []

    def select_format(self, compiler: Any, sql: str, params: Any) -> _Sql:
        """Learn whether it is a part of a row of a model. Django calls it for what is selected only."""
        query = compiler.query
        if compiler.select is not None and self._is_of_group(query):
            return sql, params
        self._is_selected = True
        is_of_row = query.default_cols and all(
            one is not self for one in query.annotation_select.values()
        )
        if is_of_row:
            if query.combinator and self.target in _ordered_by(query):
                raise refusal(self.target, "be ordered by")
            self._is_of_row = True
            self._reports = getattr(query, "reseal_on_error", "raise") == "report"
        elif self in _ordered_by(query):
            raise refusal(self.target, "be ordered by")
        elif query.combinator in _COMPARING and not self._is_beside_its_key(query):
            raise refusal(self.target, f"be compared by {query.combinator}()")
        elif query.distinct:
            raise refusal(self.target, "be made distinct")
        elif self.target.needs_row:
            if not getattr(query, "reseal_has_facts", False):
                raise no_facts(self.target)
            self._waits_for_facts = True
        return sql, params

    def _is_beside_its_key(self, query: Any) -> bool:
        """Whether the primary key of its row is selected as well, so that equal rows are one and the same."""
        return self._has_its_key(query.select)

    def _is_counted(self, query: Any) -> bool:
        """Whether it stands in a COUNT only, which asks of each value whether there is one."""
        annotations = query.annotations.values()
        grouping = query.group_by if isinstance(query.group_by, tuple) else ()
        if any(self._is_as(one) for one in (*annotations, *grouping)):
            return False
        return any(
            isinstance(part, Count)
            and not part.distinct
            and self._is_as(part.get_source_expressions()[0])
            for annotation in annotations
            for part in _parts(annotation)
        )

    def _is_as(self, other: Any) -> bool:
        return isinstance(other, EncryptedCol) and other.origin is self.origin

    def _is_of_group(self, query: Any) -> bool:
        """Whether rows are grouped by it and by their primary key, so that it makes no difference."""
        if not isinstance(query.group_by, tuple):
            return False
        if not self._is_selected and all(one is not self for one in query.group_by):
            return False
        return self._has_its_key(query.group_by)

    def _has_its_key(self, columns: Iterable[Any]) -> bool:
        """Whether all columns of the primary key of its row are among them."""
        meta, alias = self.target.model._meta, self.alias
        found = [
            getattr(it, "target", None) for it in columns if getattr(it, "alias", None) == alias
        ]
        return all(any(key is it for it in found) for key in getattr(meta, "pk_fields", [meta.pk]))

    def get_db_converters(self, connection: Any) -> list[Any]:
        """Return what makes a value of what is stored, or lets it wait.

        What is in no SELECT of a compiler is of a row as well: raw queries, and RETURNING.
        """
        if self.target.needs_row:
            learn(connection)
        if self._is_selected and not self._is_of_row and not self._waits_for_facts:
            return [self.target.from_db_value]
        return [hold_reporting if self._reports else hold]

    def get_group_by_cols(self) -> list[Any]:
        """Return nothing for a row of a model, which is grouped by its primary key."""
        return [] if self._is_of_row else [self]


def _ordered_by(query: Any) -> list[Any]:
    """What a query is ordered by that is encrypted: Django orders by the place of what is selected."""
    meta = query.get_meta()
    ordering = query.order_by or (meta.ordering if meta and query.default_ordering else ())
    found = []
    for item in ordering:
        name = getattr(item, "expression", item)
        name = getattr(name, "name", name)
        if not isinstance(name, str):
            continue
        name = name.lstrip("-+")
        if name in query.annotations:
            found.append(query.annotations[name])
        elif name != "?" and meta is not None:
            try:
                _, field, _, _ = query.names_to_path(name.split(LOOKUP_SEP), meta)
            except FieldError:
                continue  # a column of extra()
            found += [one for one in query.select if getattr(one, "target", None) is field]
            if query.default_cols:
                found.append(field)
    return found


def _parts(expression: Any) -> list[Any]:
    """All expressions in it, by identity, but for those of a lookup, which knows the column."""
    found, waiting = _Same(), [expression]
    while waiting:
        one = waiting.pop()
        if one is None or getattr(one, "is_encrypted_lookup", False):
            continue
        found.append(one)
        if hasattr(one, "get_source_expressions"):
            waiting += one.get_source_expressions()
    return found


class _Same(list[Any]):
    """Membership by identity."""

    def __contains__(self, wanted: object) -> bool:
        return any(one is wanted for one in self)


def no_facts(field: EncryptedField) -> FieldError:
    """The error of a value that is selected without what it is bound to."""
    return FieldError(
        f"{field} is bound to its row, which this query does not select: select instances, with only() if "
        "they are to be small; values() of an EncryptedManager select a tenant that is a field, and the "
        "primary key"
    )


def refusal(field: EncryptedField, done: str) -> FieldError:
    """The error of what a database cannot do with ciphertext."""
    instead = (
        "find it by its BlindIndexField"
        if field.companions
        else "give it a BlindIndexField to find it by"
    )
    return FieldError(
        f"{field} is encrypted (mode {field.mode}) and cannot {done} in the database: {instead}, "
        "or select it and do the rest in Python"
    )


class Unchanged(Expression):
    """A column as it is: what was not opened is not written, also if it was rotated meanwhile."""

    def __init__(self, field: Any) -> None:
        super().__init__(output_field=field)

    def as_sql(self, compiler: Any, connection: Any) -> _Sql:
        """Return the column itself."""
        return connection.ops.quote_name(self.output_field.column), []


class Assigned(Expression):
    """A sealed value, and the terms of its indexes, which are written with it also where nobody named them."""

    def __init__(self, field: EncryptedField, stored: Any, terms: Mapping[Any, str | None]) -> None:
        super().__init__(output_field=field)
        self.stored, self.terms = stored, terms

    def as_sql(self, compiler: Any, connection: Any) -> _Sql:
        """Return a parameter; in an update also the assignments that are missing."""
        sql, params = "%s", [self.stored]
        if isinstance(compiler, SQLUpdateCompiler) and not isinstance(compiler, SQLInsertCompiler):
            named = {field for field, _, _ in compiler.query.values}
            for index, term in self.terms.items():
                if index not in named:
                    sql += f", {connection.ops.quote_name(index.column)} = %s"
                    params.append(term)
        return sql, params


def check_assigned(field: EncryptedField, expression: Any) -> None:
    """Refuse an expression whose result would not be sealed.

    Errors: `FieldError`.
    """
    if isinstance(expression, (Unchanged, Assigned)):
        return
    if type(expression) is Value:  # others write a value of their own, such as JSONNull
        if not expression.for_save or expression._output_field_or_none is not field:
            raise not_sealed(field)
        return
    if isinstance(expression, Cast):
        check_assigned(field, expression.get_source_expressions()[0])
        return
    if isinstance(expression, Case):
        results = [*(when.result for when in expression.cases), expression.default]
        for result in results:
            # What no condition matches stays out of the statement, or is NULL.
            if not (type(result) is Value and result.value is None):
                check_assigned(field, result)
        return
    raise not_sealed(field)


def not_sealed(field: EncryptedField) -> FieldError:
    """The error of what is computed by the database, which cannot seal it."""
    return FieldError(
        f"{field} is encrypted, and the database cannot seal what an expression such as F() gives: "
        "assign a value, or set it on each instance and call bulk_update()"
    )


__all__ = [
    "Assigned",
    "EncryptedCol",
    "Unchanged",
    "check_assigned",
    "no_facts",
    "not_sealed",
    "refusal",
]
