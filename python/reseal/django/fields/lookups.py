"""The lookups of encrypted fields: by the terms of a blind index, or by deterministic values."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import Any

from django.core.exceptions import EmptyResultSet, FieldError
from django.db.models import Lookup, Q
from django.db.models.expressions import Col
from django.db.models.lookups import Exact, IsNull

from reseal.django.fields.base import EncryptedField
from reseal.django.fields.binding import as_fact
from reseal.django.fields.expressions import EncryptedCol, refusal
from reseal.django.fields.printing import is_printed
from reseal.django.fields.unsealed import candidates_of, with_unsealed

_CASELESS = "ascii-lower-trim"


def lookup_of(field: EncryptedField, name: str) -> type[Lookup[Any]]:
    """Return the lookup of this name.

    Errors: `FieldError` where the database cannot do it on ciphertext.
    """
    if name == "isnull":
        return EncryptedIsNull
    found = {"exact": EncryptedExact, "in": EncryptedIn, "iexact": EncryptedIExact}.get(name)
    if found is None:
        raise refusal(field, f"be found by {name}")
    return found


def check_findable(field: EncryptedField, name: str) -> None:
    """Refuse to look for values of a field that has no fitting companion.

    Errors: `FieldError`.
    """
    indexed = any(name != "iexact" or it.normalizer == _CASELESS for it in field.companions)
    if indexed or (field.mode == "deterministic" and name != "iexact"):
        return
    what = f"be found by {name}"
    if name == "iexact" and field.companions:
        what += f" without a BlindIndexField with normalizer={_CASELESS!r}"
    raise refusal(field, what)


class _EncryptedLookup(Lookup):
    prepare_rhs = False
    #: A column in it is not one that the database computes with.
    is_encrypted_lookup = True

    def __repr__(self) -> str:
        # What is looked for is a plaintext.
        return f"{type(self).__name__}({self.lhs!r}, …)"

    def get_prep_lookup(self) -> Any:
        """Take values only, of the field's type.

        Errors: `FieldError`; those of `EncryptedField.plain`.
        """
        found, field = self.rhs, self._field()
        if found is None:
            return None  # Django asks for NULL then
        check_findable(field, self.lookup_name)
        if self.lookup_name == "in" and not hasattr(found, "resolve_expression"):
            found = list(found)  # it may be read only once
        values = found if isinstance(found, list) and self.lookup_name == "in" else [found]
        if any(hasattr(value, "resolve_expression") for value in values):
            raise refusal(field, "be compared with an expression or a subquery")
        for value in values:
            field.plain(value)
        return found

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Return the condition.

        Errors: those of opening the candidates; `FieldError` where the tenant is missing.
        """
        field = self._field()
        if self.lhs.alias is None:
            # Of a constraint, an index or a computed column, which would keep the terms of today.
            raise refusal(field, "be a condition of a constraint or an index")
        values = [field.plain(value) for value in self._values() if value is not None]
        if not values:
            raise EmptyResultSet
        index = self._index()
        if index is None:
            return self._deterministic(values, compiler)
        return self._by_terms(index, values, compiler)

    def get_group_by_cols(self) -> list[Any]:
        """Return what the condition asks for where it stands in HAVING: the value, its terms and the key."""
        return _grouped(self._column())

    def _values(self) -> Iterable[Any]:
        return list(self.rhs) if self.lookup_name == "in" else [self.rhs]

    def _field(self) -> EncryptedField:
        field: EncryptedField = self._column().target
        return field

    def _column(self) -> EncryptedCol:
        if not isinstance(self.lhs, EncryptedCol):
            raise FieldError("what an expression makes of an encrypted field cannot be looked up")
        return self.lhs

    def _index(self) -> Any:
        """The index that is as exact as can be."""
        fitting = [
            it
            for it in self._field().companions
            if self.lookup_name != "iexact" or it.normalizer == _CASELESS
        ]
        return min(fitting, key=lambda it: it.normalizer != "raw", default=None)

    def _deterministic(self, values: list[Any], compiler: Any) -> tuple[str, list[Any]]:
        field, facts = self._field(), self._facts(compiler)
        bound, both = field.bound(), compiler.connection.vendor == "sqlite"
        found = (bound.lookup_values(value, facts, both_forms=both) for value in values)
        return _among(self.lhs.column_sql(compiler), [one for stored in found for one in stored])

    def _by_terms(self, index: Any, values: list[Any], compiler: Any) -> tuple[str, list[Any]]:
        field, facts = self._field(), self._facts(compiler)
        bound, name = field.bound(), index.index_name()
        terms = [term for value in values for term in bound.terms(value, name, facts)]
        by_terms = _among(self._name(index, compiler), terms)
        column: Any = self.lhs
        sql, params = with_unsealed(by_terms, column, index, values, compiler)
        wanted = [bound.exact_terms(value, name, facts) for value in values]
        if is_printed():
            return sql, params
        asked = candidates_of(field, index, set(terms), values)
        false_hits = self._false_hits(index, asked, frozenset().union(*wanted), compiler)
        if not false_hits:
            return sql, params
        keys = [self._name(key, compiler) for key, _ in false_hits[0]]
        if len(keys) == 1:  # one condition, whose depth does not grow
            sql += f" AND {keys[0]} NOT IN ({', '.join(['%s'] * len(false_hits))})"
        else:
            same = " AND ".join(f"{key} = %s" for key in keys)
            sql += f" AND NOT ({same})" * len(false_hits)
        return f"({sql})", params + [value for row in false_hits for _, value in row]

    def _false_hits(
        self, index: Any, asked: Q, wanted: frozenset[str], compiler: Any
    ) -> list[list[tuple[Any, Any]]]:
        """The keys of the rows that are candidates and have another value.

        Terms are short, and not authenticated, and a database may compare plaintext without case.
        """
        field, facts = self._field(), self._facts(compiler)
        bound, name = field.bound(), index.index_name()
        meta = field.model._meta
        rows = field.model._base_manager.using(compiler.using).filter(asked)
        found = []
        keys = getattr(meta, "pk_fields", [meta.pk])
        with closing(rows.iterator(chunk_size=2000)) as candidates:
            for row in candidates:
                value = field.plain(getattr(row, field.attname))
                if wanted & bound.exact_terms(value, name, facts):
                    continue
                found.append(
                    [
                        (key, key.get_db_prep_value(getattr(row, key.attname), compiler.connection))
                        for key in keys
                    ]
                )
        return found

    def _facts(self, compiler: Any) -> dict[str, Any]:
        """What the terms are bound to, which the query has to name as well."""
        field = self._field()
        if field.tenant is None:
            return {}
        if callable(field.tenant):
            raise refusal(field, "be found, since a function binds it to its tenant,")
        tenant = field.tenant_field()
        for one in _conjuncts(compiler.query.where):
            column = getattr(one, "lhs", None)
            if (
                isinstance(one, Exact)
                and getattr(column, "target", None) is tenant
                and column.alias == self.lhs.alias  # type: ignore[union-attr]
                and not hasattr(one.rhs, "resolve_expression")
            ):
                return {"tenant": as_fact(tenant, one.rhs, compiler.connection)}
        raise FieldError(
            f"{field} is bound to its tenant, so that a query has to name it: "
            f"filter({field.tenant}=…, {field.name}=…)"
        )

    def _name(self, field: Any, compiler: Any) -> str:
        return EncryptedCol(self.lhs.alias, field).column_sql(compiler)


class EncryptedExact(_EncryptedLookup):
    """Equality, in the sense of the index."""

    lookup_name = "exact"


class EncryptedIn(_EncryptedLookup):
    """Equality with one of several values."""

    lookup_name = "in"


class EncryptedIExact(_EncryptedLookup):
    """Equality but for case, by an index that does not know it."""

    lookup_name = "iexact"


class EncryptedIsNull(IsNull):
    """Whether there is a value: NULL is not sealed."""

    is_encrypted_lookup = True

    def get_group_by_cols(self) -> list[Any]:
        """Return what the condition asks for where it stands in HAVING."""
        column = self.lhs
        return _grouped(column) if isinstance(column, EncryptedCol) else super().get_group_by_cols()

    def process_lhs(self, compiler: Any, connection: Any, lhs: Any = None) -> Any:
        """Return the column."""
        column = lhs or self.lhs
        if isinstance(column, EncryptedCol):
            return column.column_sql(compiler), []
        return super().process_lhs(compiler, connection, lhs)


def _grouped(column: EncryptedCol) -> list[Any]:
    meta = column.target.model._meta
    fields = (*getattr(meta, "pk_fields", [meta.pk]), *column.target.companions, column.target)
    return [_OfGroup(column, field) for field in fields]


class _OfGroup(Col):
    """A column of a condition in HAVING: the rows are grouped by their key, so that it makes no difference."""

    def __init__(self, column: EncryptedCol, target: Any) -> None:
        super().__init__(column.alias, target)
        self.column = column

    def relabeled_clone(self, relabels: Any) -> Any:
        """Return it with the aliases of a query that stands in another one."""
        return _OfGroup(self.column.relabeled_clone(relabels), self.target)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Return the column.

        Errors: `FieldError` where groups have several rows, which may have several values.
        """
        if not self._is_of_row(compiler.query):
            raise refusal(self.column.target, "be a condition of groups, which have several rows,")
        return super().as_sql(compiler, connection)

    def _is_of_row(self, query: Any) -> bool:
        alias, grouped = self.alias, query.group_by
        keys = _with_keys(grouped) if isinstance(grouped, tuple) else set()
        # A row that has its group by itself has one row of each table that it refers to.
        while alias not in keys:
            join = query.alias_map[alias]
            if join.parent_alias is None:
                return grouped is True  # as instances are
            if not (join.join_field.many_to_one or join.join_field.one_to_one):
                return False
            alias = join.parent_alias
        return True


def _with_keys(grouped: tuple[Any, ...]) -> set[Any]:
    """The aliases of the tables whose primary keys are all among the columns."""
    asked = [it for it in grouped if isinstance(it, Col) and not isinstance(it, _OfGroup)]
    known, found = {(it.alias, it.target) for it in asked}, set()
    for one in asked:
        meta = one.target.model._meta
        if all((one.alias, key) in known for key in getattr(meta, "pk_fields", [meta.pk])):
            found.add(one.alias)
    return found


def _conjuncts(node: Any) -> Iterable[Any]:
    """All conditions that hold for every row of a query."""
    if node.negated or (node.connector != "AND" and len(node.children) > 1):
        return
    for child in node.children:
        if hasattr(child, "children"):
            yield from _conjuncts(child)
        else:
            yield child


def _among(column: str, values: list[Any]) -> tuple[str, list[Any]]:
    unique = [value for _, value in dict.fromkeys((type(it), it) for it in values)]
    return f"{column} IN ({', '.join(['%s'] * len(unique))})", unique
