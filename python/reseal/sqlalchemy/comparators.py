"""What may be asked of an encrypted column: equality, by a blind index or by deterministic values."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, final

from sqlalchemy import String, and_, bindparam, func, not_, or_, select, true, tuple_, type_coerce
from sqlalchemy.sql import operators
from sqlalchemy.sql.lambdas import PyWrapper
from sqlalchemy.types import TypeDecorator

from reseal._errors import ResealError
from reseal.sqlalchemy.errors import bare, refused
from reseal.sqlalchemy.index import companions_of
from reseal.sqlalchemy.reporting import reporting

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement
    from sqlalchemy.engine import Connection

    from reseal.sqlalchemy.types import Encrypted

_EQUAL = {operators.eq, operators.in_op}
_UNEQUAL = {operators.ne, operators.not_in_op}
_NAMES = {
    "asc_op": "be ordered by",
    "desc_op": "be ordered by",
    "nulls_first_op": "be ordered by",
    "nulls_last_op": "be ordered by",
    "distinct_op": "be made distinct",
    "like_op": "be found by like",
    "ilike_op": "be found by ilike",
    "getitem": "be looked into",
}

#: Options of a statement that count for the query of its candidates as well.
_KEPT = ("schema_translate_map",)
#: The statement that is being executed, until its parameters are made.
_now: ContextVar[Execution | None] = ContextVar("reseal_execution", default=None)


class EncryptedComparator(TypeDecorator.Comparator[Any]):
    """`==`, `!=`, `in_`, `not_in`, `is_(None)` and `is_not(None)`; everything else is refused."""

    __slots__ = ()

    def operate(self, op: Any, *other: Any, **kwargs: Any) -> ColumnElement[Any]:
        """Return a condition.

        Errors: `InvalidRequestError` with the reason and what to do instead.
        """
        if op in (operators.is_, operators.is_not) or (
            op in (operators.eq, operators.ne) and (other[0] is None or _is_sql(other[0]))
        ):
            # Two columns are compared whenever SQLAlchemy looks one up; executed, it is refused.
            return super().operate(op, *other, **kwargs)
        if op not in _EQUAL and op not in _UNEQUAL:
            name = str(getattr(op, "__name__", None) or getattr(op, "opstring", "it"))
            raise refusal(self._type(), _NAMES.get(name, f"be computed or compared with ({name})"))
        found = self._equal(_values(self._type(), op, other[0]))
        return found if op in _EQUAL else not_(found)

    def reverse_operate(self, op: Any, other: Any, **kwargs: Any) -> ColumnElement[Any]:
        """Refuse it.

        Errors: `InvalidRequestError`.
        """
        raise refusal(self._type(), "be computed or compared with")

    def _type(self) -> Encrypted:
        type_: Any = self.expr.type
        if type_._place.column is None:
            raise refused("a value", "be compared", "Encrypted is the type of a column of a table")
        found: Encrypted = type_
        return found

    def _equal(self, values: list[Any]) -> ColumnElement[Any]:
        type_ = self._type()
        expr: Any = self.expr
        if getattr(expr, "table", None) is None:
            raise refusal(type_, "be computed with, or found by a label,")
        companions = companions_of(type_.column())
        if companions:
            # One that is as exact as can be.
            index = min(companions, key=lambda one: one.type.normalizer != "raw")
            lookup = Lookup(type_, index, values, expr)
            keys = [_beside(expr, key, type_) for key in type_.column().table.primary_key]
            if not keys:
                raise refusal(type_, "be found", "its table needs a primary key")
            key: Any = keys[0] if len(keys) == 1 else tuple_(*keys)
            # The type is said once more so that the ORM does not evaluate it in Python, without a database.
            term = type_coerce(_beside(expr, index, type_), String())
            hit = lookup.among(term, type_coerce(expr, type_.stored_type()))
            return and_(hit, key.not_in(_list(lookup.false_hits)))
        if type_.mode != "deterministic":
            raise refusal(type_, "be found")
        lookup = Lookup(type_, None, values, expr)
        stored = type_coerce(expr, type_.stored_type())
        return and_(true(), stored.in_(_list(lookup.terms, type_.stored_type())))


@final
class Lookup:
    """Values to be found. What stands for them in the database is asked for with each execution."""

    __slots__ = ("expr", "index", "type", "values")

    def __init__(
        self, type_: Encrypted, index: Column[Any] | None, values: list[Any], expr: Any
    ) -> None:
        self.type, self.index, self.values, self.expr = type_, index, values, expr

    def __repr__(self) -> str:
        # What is looked for is a plaintext.
        return f"<lookup in {self.type.name()}>"

    def terms(self) -> list[Any]:
        """Return what rows may have, for the statement of now: terms, or deterministic values."""
        execution = _now.get()
        facts = self.facts({}) if execution is None else execution.known(self)[0]
        return self.terms_with(facts)

    def among(self, term: Any, stored: Any) -> ColumnElement[Any]:
        """Return the condition on a term; where the column reads plaintext as well, that on it beside it.

        It is false for plaintext that is another, and NULL, which is unknown, for what is sealed and has no
        term.
        """
        found: ColumnElement[Any] = term.in_(_list(self.terms, String()))
        unsealed = self.type.bound().unsealed()
        if unsealed is None:
            return found
        if unsealed.starts:
            start = func.substr(stored, 1, 4, type_=stored.type)
            found = and_(found, or_(term.is_not(None), start.in_(unsealed.starts)))
        plain = stored.in_(_list(self.spellings, stored.type))
        return or_(found, and_(term.is_(None), plain))

    def spellings(self) -> list[Any]:
        """Return what rows that are not sealed yet may have.

        Errors: those of `reseal.Column.lookup_values`.
        """
        unsealed, name = self.type.bound().unsealed(), self._index_name()
        if unsealed is None:
            return []
        found: list[Any] = []
        try:
            for value in self._sought():
                for one in self.type.values.spelled(value):
                    found += unsealed.spellings(one, name)
        except ResealError as error:
            raise bare(error) from None
        return list(dict.fromkeys(found))

    def false_hits(self) -> list[Any]:
        """Return the keys of rows that share a term and not the value, for the statement of now."""
        execution = _now.get()
        return [] if execution is None else execution.known(self)[1]

    def facts(self, values: Mapping[Any, Any]) -> dict[str, Any]:
        """Return what the terms are bound to; `values` are those that the statement asks for, by column.

        Errors: `InvalidRequestError` where the tenant is missing.
        """
        tenant = self.type.tenant_column()
        if tenant is not None and values.get(tenant) is None:
            raise refusal(
                self.type,
                "be found without its tenant, to which its terms are bound,",
                f"add where({tenant.key} == …) beside it",
            )
        return self.type.facts_of(values, with_row=False)

    def terms_with(self, facts: dict[str, Any]) -> list[Any]:
        """Return the terms, or the stored values, under every key that opens.

        Errors: those of `reseal.Column.index_terms` and `reseal.Column.lookup_values`.
        """
        bound = self.type.bound()
        found: list[Any] = []
        try:
            for value in self._sought():
                if self.index is None:
                    found += bound.lookup_values(value, facts)
                else:
                    found += bound.terms(value, self._index_name(), facts)
        except ResealError as error:
            raise bare(error) from None
        return list(dict.fromkeys(found))

    def verify(
        self, connection: Connection, facts: dict[str, Any], options: dict[str, Any]
    ) -> list[Any]:
        """Open the candidates, and return the keys of those that are none.

        Errors: those of `reseal.Column.open`, with the row id.
        """
        index, type_ = self.index, self.type
        terms = self.terms_with(facts)
        if index is None or not terms:
            return []
        column = type_.column()
        keys = list(column.table.primary_key)
        asked = list(dict.fromkeys([*keys, *filter_none(type_.tenant_column())]))
        stored = type_coerce(column, type_.stored_type())
        possible: ColumnElement[bool] = index.in_(terms)
        bound, name = type_.bound(), self._index_name()
        if bound.unsealed() is not None:
            # A value without a tenant is never opened.
            beside = [one.is_not(None) for one in filter_none(type_.tenant_column())]
            plain = stored.in_(self.spellings())
            possible = or_(possible, and_(index.is_(None), plain, *beside))
        rows = connection.execute(
            select(*asked, stored).where(possible), execution_options=options
        ).all()
        same = (bound.exact_terms(value, name, facts) for value in self._sought())
        wanted = frozenset[str]().union(*same)
        found = []
        for *known, raw in rows:
            values = dict(zip(asked, known, strict=True))
            key = [values[one] for one in keys]
            row = key[0] if len(key) == 1 else tuple(key)
            theirs: dict[str, Any] = {}
            try:
                theirs = type_.facts_of(values, reading=True)
                opened = bound.open(raw, theirs, row)
            except ResealError as error:
                if not (reporting() or self._may_be_elsewhere(theirs, facts, error)):
                    raise bare(error) from None
                # It is none, or cannot be known to be one.
                found.append(row)
                continue
            if not wanted & bound.exact_terms(opened, name, facts):
                found.append(row)
        return found

    def _may_be_elsewhere(
        self, theirs: dict[str, Any], asked: dict[str, Any], error: ResealError
    ) -> bool:
        """Whether a row that shares a term is another tenant's, or may be, where a function alone knows the tenant."""
        if callable(self.type.tenant):
            return error.code == "auth-failed"
        return theirs.get("tenant") != asked.get("tenant")

    def _index_name(self) -> str:
        index: Any = self.index
        name: str = index.type.index_name(index)
        return name

    def _sought(self) -> list[Any]:
        return [self.type.sought(value) for value in self.values]


@final
class Execution:
    """A statement that is executed next: what its lookups are bound to, and their false hits."""

    __slots__ = ("connection", "found", "options")

    def __init__(self, connection: Connection, options: Mapping[str, Any]) -> None:
        self.connection, self.options = connection, options
        self.found: dict[Lookup, tuple[dict[str, Any], list[Any]]] = {}

    def begin(self) -> None:
        """Be the statement of now."""
        _now.set(self)

    def known(self, lookup: Lookup) -> tuple[dict[str, Any], list[Any]]:
        """Return what a lookup is bound to, and its false hits; it may be of a mapping, and in no statement.

        Errors: those of `Lookup.verify`.
        """
        if lookup not in self.found:
            try:
                self.verify(lookup, {})
            finally:
                _now.set(self)
        return self.found[lookup]

    def verify(self, lookup: Lookup, values: Any) -> None:
        """Find the false hits of a lookup; `values` are those that the statement asks for beside it.

        Errors: those of `Lookup.verify`.
        """
        facts = lookup.facts(values)
        options = {name: self.options[name] for name in _KEPT if name in self.options}
        self.found[lookup] = facts, lookup.verify(self.connection, facts, options)


def end() -> None:
    """Forget the statement, whose parameters are made."""
    _now.set(None)


def filter_none(one: Any) -> list[Any]:
    """Return a list with it, or without."""
    return [] if one is None else [one]


def refusal(type_: Encrypted, done: str, instead: str | None = None) -> Exception:
    """The error of what a database cannot do with ciphertext."""
    if instead is None:
        column = type_._place.column
        known = column is not None and getattr(column, "table", None) is not None
        indexed = known and column is not None and companions_of(column)
        instead = (
            "find it with == or in_, which ask its BlindIndex"
            if indexed
            else "give it a BlindIndex to find it by equality"
        ) + ", or select it and do the rest in Python"
    return refused(f"{type_.name()} (mode {type_.mode})", done, instead)


def parted(type_: Encrypted, fact: Column[Any]) -> Exception:
    """The error of a statement that changes what values are bound to, and not them."""
    return refusal(
        type_,
        f"be left as it is where {fact.name} changes, to which it is bound,",
        "change instances of a class that has it, whose values are sealed anew, or give the value "
        "beside it",
    )


def _list(values: Any, type_: Any = None) -> Any:
    return bindparam(None, callable_=values, expanding=True, type_=type_)


def _values(type_: Encrypted, op: Any, other: Any) -> list[Any]:
    many = op in (operators.in_op, operators.not_in_op)
    values = [other]
    if many and not _is_sql(other):
        values = list(other)
    if any(map(_is_sql, values)):
        raise refusal(
            type_,
            "be compared with an expression, a parameter or a subquery",
            "give the value itself, which is known when the statement is built",
        )
    # As in SQL, nothing is equal to NULL.
    return [value for value in values if value is not None]


def _is_sql(value: Any) -> bool:
    # A variable of a lambda is one, whose value changes behind the statement.
    return (
        isinstance(value, PyWrapper)
        or hasattr(value, "__clause_element__")
        or hasattr(value, "_compiler_dispatch")
    )


def _beside(expr: Any, wanted: Column[Any], type_: Encrypted) -> Any:
    """Return the column that stands beside another one, in a table, an alias or a subquery."""
    found = expr.table.corresponding_column(wanted)
    if found is None:
        raise refusal(type_, "be found in this subquery", f"let it select {wanted.name} as well")
    kept = {
        name: value
        for name, value in expr._annotations.items()
        if name in ("parententity", "parentmapper", "entity_namespace")
    }
    return found._annotate(kept) if kept else found
