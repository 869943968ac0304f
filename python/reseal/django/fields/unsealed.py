"""Rows that are not sealed yet: while a field reads plaintext as well, lookups ask for that beside the terms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import F, Lookup, Q

from reseal.django.fields.base import EncryptedField
from reseal.django.fields.expressions import EncryptedCol

_Sql = tuple[str, list[Any]]


class NotSealed(Lookup):
    """Whether a row has no term, and one of several plaintexts; the right side is the index, and those."""

    lookup_name = "not_sealed"
    prepare_rhs = False
    #: A column in it is not one that the database computes with.
    is_encrypted_lookup = True

    def __repr__(self) -> str:
        # What is looked for is a plaintext.
        return f"{type(self).__name__}({self.lhs!r}, …)"

    def as_sql(self, compiler: Any, connection: Any) -> _Sql:
        """Return the condition."""
        index, spelled = self.rhs
        return _not_sealed(self.lhs, index, spelled, compiler)


def candidates_of(
    field: EncryptedField, index: Any, terms: Iterable[str], values: Iterable[Any], **beside: Any
) -> Q:
    """Return what finds the rows that may have one of several values: by their terms, or as plaintext.

    `beside` are conditions on other fields. Errors: those of the terms.
    """
    found = Q(**beside, **{f"{index.name}__in": terms})
    spelled = _spelled(field, index, values)
    if not spelled:
        return found
    if isinstance(field.tenant, str):
        # A value without a tenant is never opened.
        beside.setdefault(f"{field.tenant}__isnull", False)
    return found | Q(NotSealed(F(field.name), (index, spelled)), **beside)


def with_unsealed(
    by_terms: _Sql, column: EncryptedCol, index: Any, values: Iterable[Any], compiler: Any
) -> _Sql:
    """Return a condition on terms, and beside it that on plaintext where the field reads it.

    It is false for plaintext that is another, and NULL, which is unknown, for what is sealed and has no
    term. Errors: those of the terms.
    """
    unsealed = column.target.bound().unsealed()
    if unsealed is None:
        return by_terms
    sql, params = by_terms[0], list(by_terms[1])
    if unsealed.starts:
        term, value = _name(column, index, compiler), _value(column, compiler)
        starts = unsealed.starts_of_bytes if _has_both_forms(compiler) else unsealed.starts
        marks = _marks(starts)
        sql = f"({sql} AND ({term} IS NOT NULL OR SUBSTR({value}, 1, 4) IN ({marks})))"
        params += starts
    spelled = _spelled(column.target, index, values)
    if spelled:
        more, plain = _not_sealed(column, index, spelled, compiler)
        sql, params = f"({sql} OR {more})", [*params, *plain]
    return sql, params


def _spelled(field: EncryptedField, index: Any, values: Iterable[Any]) -> list[Any]:
    unsealed = field.bound().unsealed()
    if unsealed is None:
        return []
    found = [one for it in values for one in unsealed.spellings(it, index.index_name())]
    return list(dict.fromkeys([*found, *field.respelled(found)]))


def _not_sealed(column: Any, index: Any, spelled: list[Any], compiler: Any) -> _Sql:
    term, value = _name(column, index, compiler), _value(column, compiler)
    if _has_both_forms(compiler):
        spelled = [one.encode() if isinstance(one, str) else one for one in spelled]
    return f"({term} IS NULL AND {value} IN ({_marks(spelled)}))", spelled


def _name(column: Any, field: Any, compiler: Any) -> str:
    return EncryptedCol(column.alias, field).column_sql(compiler)


def _value(column: Any, compiler: Any) -> str:
    """What is stored: bytes, where it may be text or bytes."""
    name: str = column.column_sql(compiler)
    return f"CAST({name} AS BLOB)" if _has_both_forms(compiler) else name


def _has_both_forms(compiler: Any) -> bool:
    """Whether the database leaves text as it is in a column that becomes one of bytes, and the reverse."""
    return bool(compiler.connection.vendor == "sqlite")


def _marks(values: Iterable[Any]) -> str:
    return ", ".join("%s" for _ in values)
