"""The manager of models with encrypted fields: what it does beyond Django's is to keep indexes right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from django.db import connections, transaction
from django.db.models import Manager, QuerySet

from reseal.django.fields.base import EncryptedField
from reseal.django.fields.expressions import EncryptedCol, refusal
from reseal.django.fields.facts import parted
from reseal.django.fields.index import BlindIndexField
from reseal.django.fields.ordering import ordered_by
from reseal.django.fields.printing import printed
from reseal.django.fields.rows import encrypted_fields, open_for
from reseal.django.fields.values import OPENING

_ROWS_AT_ONCE = 500
#: What is refused for the column of a subquery.
_COMPARED = "be compared or computed with as the column of a subquery"
_WRITTEN = "be copied to another column by a subquery"


class EncryptedQuerySet(QuerySet):
    """A query set whose `update()` and `bulk_update()` write the terms of blind indexes as well.

    It knows the rows to which values are bound, refuses at once to order by ciphertext, and can show a
    list in which a value does not open:

    ```python
    for patient in Patient.objects.on_error("report"):
        print(patient.ssn)  # "[cannot be opened: auth-failed]" where it is so
    ```
    """

    def __init__(
        self, model: Any = None, query: Any = None, using: str | None = None, hints: Any = None
    ) -> None:
        """Take what Django gives."""
        super().__init__(model, printed(query, model), using, hints)

    def on_error(self, mode: Literal["raise", "report"]) -> EncryptedQuerySet:
        """Return a copy: with `report` a value that cannot be opened is an `Unopened`, which is never saved.

        It has the error as `error` and prints its code. It is for instances; `values()` raises.

        Errors: `ValueError` for another word.
        """
        if mode not in ("raise", "report"):
            raise ValueError('on_error is "raise" or "report"')
        copy: Any = self._chain()
        copy.query.reseal_on_error = mode
        return copy

    def order_by(self, *field_names: Any) -> Any:
        """As Django's. Errors: `FieldError` for an encrypted field."""
        for name in field_names:
            field = ordered_by(self.model, name, self.query.annotations)
            if isinstance(field, EncryptedField):
                raise refusal(field, "be ordered by")
        return super().order_by(*field_names)

    def values(self, *fields: Any, **expressions: Any) -> Any:
        """As Django's; what values are bound to is selected with them, and left out."""
        return _opening(super().values(*fields, **expressions))

    def values_list(self, *fields: Any, **options: Any) -> Any:
        """As Django's; what values are bound to is selected with them, and left out."""
        return _opening(super().values_list(*fields, **options))

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        """Become a part of another query.

        Errors: `FieldError` for an encrypted column where it would be compared with, or written.
        """
        # An annotation selects the column, which opens it: it says just this, and lookups and updates more.
        is_selected = len(args) == 1 and set(kwargs) == {"allow_joins", "reuse"}
        if self.query.has_select_fields and not is_selected:
            for column in (*self.query.select, *self.query.annotation_select.values()):
                if isinstance(column, EncryptedCol):
                    is_written = kwargs.get("for_save", False)
                    raise refusal(column.target, _WRITTEN if is_written else _COMPARED)
        return super().resolve_expression(*args, **kwargs)

    resolve_expression.queryset_only = True  # type: ignore[attr-defined]

    def update(self, **kwargs: Any) -> int:
        """As Django's; where values are bound to their rows, each row is sealed by itself.

        Errors: those of sealing; `FieldError` for expressions, and for a tenant that is changed without
        the fields that are bound to it.
        """
        fields = [it for it in encrypted_fields(self.model) if it.name in kwargs]
        self._check_facts(kwargs)
        if any(it.needs_row and _is_value(kwargs[it.name]) for it in fields):
            return self._update_rows(kwargs)
        for field in fields:
            value = kwargs[field.name]
            if value is None or _is_value(value):
                plain = field.plain(value)
                for it in field.companions:
                    kwargs[it.name] = (
                        None if plain is None else field.bound().term(plain, it.index_name(), {})
                    )
        return super().update(**kwargs)

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_update(
        self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None
    ) -> int:
        """As Django's; what nobody looked at is not written, and indexes are.

        Errors: those of sealing.
        """
        # One that is named twice would be assigned what was made of its value.
        objs, names = list({id(it): it for it in objs}.values()), list(fields)
        named = [self.model._meta.get_field(name) for name in names]
        sealed = [it for it in named if isinstance(it, EncryptedField)]
        sources = [it._source() for it in named if isinstance(it, BlindIndexField)]
        for field in sealed:
            names += [it.name for it in field.companions if it.name not in names]
        self._for_write = True
        connection, before = connections[self.db], []
        written = [
            field
            for field in map(self.model._meta.get_field, names)
            if isinstance(field, (EncryptedField, BlindIndexField))
        ]
        try:
            for instance in objs:
                open_for(self.db, instance, [*sealed, *sources])
                values = {it.attname: it.assigned(instance, connection) for it in written}
                before.append((instance, {name: instance.__dict__.get(name) for name in values}))
                instance.__dict__.update(values)
            return super().bulk_update(objs, names, batch_size)
        finally:
            for instance, values in before:
                instance.__dict__.update(values)

    bulk_update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(
        self,
        objs: Any,
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Any = None,
        unique_fields: Any = None,
    ) -> Any:
        """As Django's; on a conflict the indexes are updated with their fields."""
        if update_fields:
            update_fields = list(update_fields)
            for field in encrypted_fields(self.model):
                if field.name in update_fields:
                    names = (it.name for it in field.companions)
                    update_fields += [it for it in names if it not in update_fields]
        return super().bulk_create(
            objs, batch_size, ignore_conflicts, update_conflicts, update_fields, unique_fields
        )

    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def _check_facts(self, kwargs: dict[str, Any]) -> None:
        for field in encrypted_fields(self.model):
            for fact in field.bound_fields():
                if field.name not in kwargs and {fact.name, fact.attname} & set(kwargs):
                    raise parted(field, fact)

    def _update_rows(self, kwargs: dict[str, Any]) -> int:
        """Each row by itself: what is bound to it differs."""
        if self.query.is_sliced:
            raise TypeError("Cannot update a query once a slice has been taken.")
        if self.query.distinct_fields:
            raise TypeError("Cannot update one row of each group: distinct() has names of fields.")
        self._for_write = True
        changed, model = 0, self.model
        with transaction.atomic(using=self.db, savepoint=False):
            keys = self._locked_keys()
            manager = EncryptedQuerySet(model, using=self.db)
            for first in range(0, len(keys), _ROWS_AT_ONCE):
                instances = list(manager.filter(pk__in=keys[first : first + _ROWS_AT_ONCE]))
                for instance in instances:
                    for name, value in kwargs.items():
                        setattr(instance, name, value)
                changed += manager.bulk_update(instances, list(kwargs))
        return changed

    def _locked_keys(self) -> list[Any]:
        """The primary keys of the rows, each once; no other transaction changes these rows any more."""
        connection, rows = connections[self.db], self.order_by().values_list("pk", flat=True)
        if connection.vendor == "postgresql":
            # It locks no rows of groups, of distinct ones or of an outer join: lock them by themselves, then
            # ask which of them still fit, since one that was waited for may have been changed.
            rows.query.select_for_update = False  # of a program, which would be in the way as well
            own = self.model._base_manager.using(self.db).order_by().filter(pk__in=rows)
            locked = set(own.select_for_update().values_list("pk", flat=True))
            return [key for key in dict.fromkeys(rows.all()) if key in locked]
        if connection.features.has_select_for_update:
            rows = rows.select_for_update()
        return list(dict.fromkeys(rows))


_Manager: Any = Manager.from_queryset(EncryptedQuerySet)


class EncryptedManager(_Manager):
    """The manager of a model with a `BlindIndexField`, or with fields that are bound to their rows.

    ```python
    class Patient(models.Model):
        ssn = EncryptedTextField()
        ssn_index = BlindIndexField("ssn", normalizer="digits")
        objects = EncryptedManager()
    ```

    Other managers read as well as this one, and refuse what they would leave half done.
    """


def _opening(rows: Any) -> Any:
    rows._iterable_class = OPENING.get(rows._iterable_class, rows._iterable_class)
    return rows


def _is_value(value: Any) -> bool:
    return value is not None and not hasattr(value, "resolve_expression")
