"""The fields that have what values are bound to: no statement changes them, or the values, alone."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet, UniqueConstraint
from django.db.models.sql import Query

from reseal._errors import ResealError
from reseal._native import Held
from reseal.django.fields.binding import RowBinding, as_fact


def watch(fact: Any) -> None:
    """Be asked when a statement writes a field to which values are bound, whichever manager makes it."""
    if isinstance(fact, RowBinding):
        fact.watch_writes()
        return
    if hasattr(fact.__dict__.get("get_placeholder"), "watched"):
        return
    asked = getattr(fact, "get_placeholder", None)
    asked_sql = getattr(fact, "get_placeholder_sql", None)

    def placeholder(value: Any, compiler: Any, connection: Any) -> Any:
        check(compiler)
        return "%s" if asked is None else asked(value, compiler, connection)

    def placeholder_sql(value: Any, compiler: Any, connection: Any) -> Any:
        check(compiler)
        if asked_sql is not None:
            return asked_sql(value, compiler, connection)
        return compiler.compile(value) if hasattr(value, "as_sql") else ("%s", [value])

    placeholder.watched = True  # type: ignore[attr-defined]
    fact.get_placeholder = placeholder
    fact.get_placeholder_sql = placeholder_sql  # of Django 6.1


def check(compiler: Any) -> None:
    """Refuse to write what values are bound to without them, or them into a row that may have it otherwise.

    Where there is no value, nothing is left behind: a tenant without any may be deleted.

    Errors: `FieldError`.
    """
    query, named = compiler.query, set[Any]()
    is_upsert = bool(getattr(query, "update_fields", None))
    if hasattr(query, "add_update_values"):
        named = {field for field, _, _ in query.values}
    elif is_upsert:
        named = set(query.update_fields)
    for field in query.model._meta.concrete_fields if named else ():
        if not isinstance(field, RowBinding):
            continue
        for fact in field.bound_fields():
            if field not in named:
                if fact in named and (is_upsert or _is_parted(compiler, field, fact)):
                    raise parted(field, fact)
            elif is_upsert and fact not in named and fact not in _in_common(query):
                raise FieldError(
                    f"{field} is bound to {fact.name}, which a row that is there may have otherwise: "
                    f"{fact.name} has to be in unique_fields"
                    + ("" if fact.primary_key else ", or in update_fields as well")
                )


def parted(field: Any, fact: Any) -> FieldError:
    """The error of a change of what values are bound to, without them."""
    return FieldError(
        f"{field} is bound to {fact.name}, which is to be changed without it: change it on each "
        "instance and save() it"
    )


def not_opened(field: Any, instance: Any, error: ResealError) -> Exception:
    """The error of a value that does not open when it is to be written: of its tenant, if it was bound to another one.

    An instance whose tenant was deferred, and was assigned before the value was read, never knew that.
    """
    found = instance.__dict__.get(field.attname)
    is_known = type(found) is not Held or found.binding is not None
    if error.code != "auth-failed" or is_known or not isinstance(field.tenant, str):
        return error
    fact, alias = field.tenant_field(), instance._state.db or DEFAULT_DB_ALIAS
    rows = field.model._base_manager.using(alias).filter(pk=instance.pk)
    if not are_otherwise(rows, fact, getattr(instance, fact.attname), connections[alias]):
        return error
    return FieldError(
        f"{field} is bound to {fact.name}, which was deferred and is another one now: read {field.name} first, "
        f"or load {fact.name} with it"
    )


def are_otherwise(rows: Any, fact: Any, given: Any, connection: Any) -> bool:
    """Whether one of the rows has another fact than it is given."""
    if hasattr(given, "prepare_database_save"):
        given = given.prepare_database_save(fact)
    if hasattr(given, "resolve_expression"):
        return bool(rows.exists())
    known = as_fact(fact, given, connection)
    # The database might take another spelling for the same.
    facts = rows.order_by().values_list(fact.attname, flat=True)
    return any(as_fact(fact, one, connection) != known for one in facts.iterator())


def _is_parted(compiler: Any, field: Any, fact: Any) -> bool:
    """Whether a row that is updated has a value that would be left behind."""
    query = compiler.query
    rows = QuerySet(query.model, query.chain(klass=Query), compiler.using)
    rows = rows.filter(**{f"{field.name}__isnull": False})
    given = (value for one, _, value in query.values if one == fact)
    return any(are_otherwise(rows, fact, one, compiler.connection) for one in given)


def _in_common(query: Any) -> set[Any]:
    """The fields that a row has in common with the new one that is in conflict with it."""
    if query.unique_fields:
        return set(query.unique_fields)
    # MySQL takes no names, so that it may be any key.
    meta = query.model._meta
    is_other = (
        any(field.unique and not field.primary_key for field in meta.local_concrete_fields)
        or meta.unique_together
        or any(isinstance(one, UniqueConstraint) for one in meta.constraints)
    )
    return set() if is_other else {meta.pk}
