"""What a row binds to its values: its tenant and its primary key, as a field is declared and as a row has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import DEFAULT_DB_ALIAS, connections

from reseal._errors import ResealError

Tenant = str | Callable[[Any], Any]
#: The module of models as they were between two operations of migrations. There a field may come before what it
#: names, as `makemigrations` orders them, and stay after it went.
HISTORICAL = "__fake__"


class RowBinding:
    """The part of an encrypted field that knows what a row binds to its value."""

    model: Any
    tenant: Tenant | None
    bind_row: bool
    #: Whether a row binds anything.
    needs_row: bool

    def is_bound_by_fields(self) -> bool:
        """Whether a row tells what it binds by its fields, and not by a function only."""
        return self.bind_row or isinstance(self.tenant, str)

    def bound_fields(self) -> list[Any]:
        """Return the fields that have what is bound: the tenant and the primary key."""
        found = [self.tenant_field()] if isinstance(self.tenant, str) else []
        return [*found, self.model._meta.pk] if self.bind_row else found

    def tenant_field(self) -> Any:
        """Return the field of the tenant.

        Errors: `FieldError` where the model has none of this name.
        """
        try:
            return self.model._meta.get_field(self.tenant)
        except FieldDoesNotExist:
            raise FieldError(
                f"{self} is bound to its tenant {self.tenant!r}, which is no field of {self.model.__name__}"
                + (" at this point of the migrations" if self.is_historical() else "")
            ) from None

    def is_historical(self) -> bool:
        """Whether its model is one of a migration."""
        return bool(self.model.__module__ == HISTORICAL)

    def is_half_way(self) -> bool:
        """Whether its model is one between two operations of migrations, which has no tenant yet or any more."""
        if not (self.is_historical() and isinstance(self.tenant, str)):
            return False
        try:
            self.model._meta.get_field(self.tenant)
        except FieldDoesNotExist:
            return True
        return False

    def watch_writes(self) -> None:
        """Be asked when a statement writes the field."""
        raise NotImplementedError

    def waits(self, instance: Any) -> bool:
        """Whether a field that binds was deferred, or a function is to be called."""
        if callable(self.tenant):
            return True
        return isinstance(self.tenant, str) and (
            self.tenant_field().attname not in instance.__dict__
        )

    def binding(self, instance: Any) -> tuple[Any, ...]:
        """Return what an instance binds, as it has it: the tenant and the primary key."""
        tenant = key = None
        if callable(self.tenant):
            tenant = self.tenant(instance)
        elif self.tenant is not None:
            tenant = getattr(instance, self.tenant_field().attname)
        if self.bind_row:
            key = getattr(instance, self.model._meta.pk.attname)
        return tenant, key

    def facts(
        self, instance: Any, connection: Any = None, binding: tuple[Any, ...] | None = None
    ) -> dict[str, Any]:
        """Return what a row binds to its value, as its database has it.

        Errors: `context-invalid` where the row has nothing there; `FieldError` for an expression.
        """
        if not self.needs_row:
            return {}
        tenant, key = self.binding(instance) if binding is None else binding
        for name, value in (("tenant", tenant), ("primary key", key)):
            if hasattr(value, "resolve_expression"):
                raise FieldError(
                    f"{self} is bound to its {name}, which the database is to compute: assign a value"
                )
        if connection is None:
            connection = _known(instance._state.db or DEFAULT_DB_ALIAS)
        facts: dict[str, Any] = {}
        if callable(self.tenant):
            facts["tenant"] = tenant
        elif self.tenant is not None:
            field = self.tenant_field()
            facts["tenant"] = as_fact(field, tenant, connection)
        if self.bind_row:
            facts["row"] = as_fact(self.model._meta.pk, key, connection)
        for name, value in facts.items():
            if value is None:
                raise ResealError("context-invalid", f"{self}: its {name} is not set")
        return facts

    def fact_fields(self) -> dict[str, Any] | None:
        """Return the fields of the same table that it is bound to; None where a row of a query has them not."""
        if callable(self.tenant):
            return None
        found: dict[str, Any] = {}
        if self.tenant is not None:
            found["tenant"] = self.tenant_field()
        if self.bind_row:
            found["row"] = self.model._meta.pk
        return found if all(it.model is self.model for it in found.values()) else None

    def row_facts(self) -> dict[str, str | None]:
        """Return the column of the tenant, as a manifest has it; None for what a function returns."""
        if self.tenant is None:
            return {}
        if callable(self.tenant):
            return {"tenant": None}
        return {"tenant": self.tenant_field().column}


#: By alias: whether a database has a type for UUIDs, on which their spelling depends.
_has_uuids: dict[str, bool] = {}


def learn(connection: Any) -> None:
    """Remember what facts need to know of a database, where a query is made of it."""
    _has_uuids[connection.alias] = connection.features.has_native_uuid_field


def _known(alias: str) -> Any:
    """The connection of this thread, or of an event loop, which need not ask what another one knows."""
    connection = connections[alias]
    if alias in _has_uuids:
        vars(connection.features).setdefault("has_native_uuid_field", _has_uuids[alias])
    return connection


def as_fact(field: Any, value: Any, connection: Any) -> Any:
    """A fact as the database has it: a job that reads the row binds the same."""
    while field.remote_field is not None:
        field = field.target_field
    if isinstance(field, RowBinding):
        return value
    return field.get_db_prep_value(value, connection, prepared=False)
