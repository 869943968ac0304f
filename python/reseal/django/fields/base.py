"""What every encrypted field has: its declaration, how values go in and out, and what is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.core.checks import CheckMessage
from django.core.exceptions import FieldError, ImproperlyConfigured, ValidationError
from django.db.models import AutoField, Field, Lookup
from django.db.models.signals import class_prepared

from reseal._adapters import BoundColumn, Declaration, Index, Unopened
from reseal._errors import ResealError
from reseal._native import Held
from reseal.django import conf
from reseal.django.fields.attribute import NO_FACTS, EncryptedAttribute
from reseal.django.fields.binding import RowBinding, Tenant
from reseal.django.fields.expressions import (
    Assigned,
    EncryptedCol,
    Unchanged,
    check_assigned,
    no_facts,
    not_sealed,
    refusal,
)
from reseal.django.fields.facts import check as check_facts
from reseal.django.fields.facts import not_opened
from reseal.django.fields.unopened import check_shown, is_shown, keeping

_OPTIONS: dict[str, Any] = {
    "write": None,
    "read": (),
    "context_name": None,
    "tenant": None,
    "bind_row": False,
    "mode": "random",
    "binary": False,
    "earlier_contexts": (),
}

#: Why no field is a part of another.
NO_PARTS = (
    "no job would count or reseal its values: use an EncryptedJSONField, or a row for each value"
)


class Pending:
    """A value that is to be sealed as soon as the connection is known."""

    __slots__ = ("add", "instance", "value")

    def __init__(self, value: Any, instance: Any, add: bool) -> None:
        self.value, self.instance, self.add = value, instance, add


class Ready(tuple[Any]):
    """What is sealed already."""

    __slots__ = ()


class EncryptedField(RowBinding, Field):
    """The part that all encrypted fields share; see `reseal.django` for their options."""

    #: What the values are, of `spec/values.md`.
    reseal_type: ClassVar[Any] = "text"
    #: The class of values that need no conversion.
    exact: type = str
    descriptor_class = EncryptedAttribute
    non_db_attrs = (
        *Field.non_db_attrs,
        *(name for name in _OPTIONS if name != "binary"),
        *("max_length", "max_digits", "decimal_places", "db_collation"),
    )

    def __init__(
        self,
        *args: Any,
        write: str | None = None,
        read: Iterable[str] = (),
        context_name: str | None = None,
        tenant: Tenant | None = None,
        bind_row: bool = False,
        mode: str = "random",
        binary: bool = False,
        earlier_contexts: Iterable[Mapping[str, str] | str] = (),
        **kwargs: Any,
    ) -> None:
        self.write = write
        self.read = _names(read, "read")
        self.context_name = context_name
        self.tenant = tenant
        self.bind_row = bind_row
        self.mode = mode
        self.binary = binary
        self.earlier_contexts = tuple(earlier_contexts)
        self.companions: tuple[Any, ...] = ()
        self._bound: BoundColumn | None = None
        self._key = "id"
        #: Whether a model has it by itself, and not as a part of another field.
        self._is_of_model = False
        self.needs_row = bind_row or tenant is not None
        #: Whether models have just what was sealed.
        self.is_as_sealed = type(self).from_plain is EncryptedField.from_plain
        #: Whether columns have the spelling of its type, whatever they were altered from.
        self.is_as_spelled = type(self).spelled is EncryptedField.spelled
        super().__init__(*args, **kwargs)
        if getattr(self, "auto_now", False) or getattr(self, "auto_now_add", False):
            self.exact = Ready  # Django has the value
        elif not _is_as_assigned(type(self)):
            self.exact = Ready

    # --- declaration ----------------------------------------------------------------------------

    def contribute_to_class(self, cls: Any, name: str, **kwargs: Any) -> None:
        """Become a field of a model."""
        # A field of an abstract model is copied to each of its children.
        self.companions, self._bound, self._is_of_model = (), None, True
        self._set_placeholder(self.is_bound_by_fields())
        super().contribute_to_class(cls, name, **kwargs)
        if not cls._meta.abstract:
            class_prepared.connect(self._prepared, sender=cls)

    def _prepared(self, sender: Any, **_: object) -> None:
        """Refuse a declaration that cannot be kept.

        Errors: `ImproperlyConfigured`.
        """
        self._key = sender._meta.pk.attname
        if self.is_half_way():
            return
        try:
            self.declaration().check()
        except ResealError as error:
            raise ImproperlyConfigured(f"{self}: {error}") from None
        for fact in self.bound_fields():
            if fact.model is not self.model:
                raise ImproperlyConfigured(
                    f"{self}: {fact.name} is a column in the table of {fact.model.__name__}, which changes "
                    "without this one: declare the field there, or the tenant here"
                )
        if self.has_db_default():
            raise ImproperlyConfigured(
                f"{self}: the database cannot seal a db_default, use default"
            )
        if self.bind_row:
            key = sender._meta.pk
            if isinstance(key, AutoField) or getattr(key, "db_returning", False):
                raise ImproperlyConfigured(
                    f"{self}: bind_row needs a primary key that is known before the row is inserted, "
                    f"and {key.name} is given by the database: use a UUIDField with a default, or "
                    "a natural key"
                )

    def companion(self, field: Any) -> None:
        """Take a column with the terms of a blind index."""
        self.companions = (*self.companions, field)
        self._bound = None
        self.watch_writes()

    def watch_writes(self) -> None:
        """Be asked when a statement writes the field."""
        self._set_placeholder(True)

    def _set_placeholder(self, is_watched: bool) -> None:
        """Be asked for placeholders only where it is needed: the fastest way to insert rows goes without."""
        if is_watched or self.binary:
            self.get_placeholder = self._placeholder
            self.get_placeholder_sql = self._placeholder_sql  # of Django 6.1
        else:
            self.__dict__.pop("get_placeholder", None)
            self.__dict__.pop("get_placeholder_sql", None)

    def declaration(self) -> Declaration:
        """Return what `reseal._adapters` and a manifest need to know.

        Errors: `FieldError` for a field of no model.
        """
        if not hasattr(self, "model"):
            raise FieldError(f"{self} belongs to no model, to whose table its values are bound")
        meta = self.model._meta
        return Declaration(
            table=meta.db_table,
            column=self.column or "",
            context=self._context(),
            write=self.write or conf.write(),
            read=self.read,
            type=self.reseal_type,
            mode=self.mode,  # type: ignore[arg-type]
            binary=self.binary,
            row_facts=self.row_facts(),
            bind_row=self.bind_row,
            row_id=tuple(field.column for field in getattr(meta, "pk_fields", [meta.pk])),
            earlier_contexts=tuple(map(self._earlier, self.earlier_contexts)),
            indexes=tuple(
                Index(it.index_name(), it.column, it.normalizer, it.bits) for it in self.companions
            ),
        )

    def is_part(self) -> bool:
        """Whether it is a part of another field, such as an `ArrayField`, which no job finds."""
        return hasattr(self, "model") and not self._is_of_model

    def _context(self) -> dict[str, str]:
        table, column = self.model._meta.db_table, self.column or ""
        if self.context_name is not None:
            before, _, last = self.context_name.rpartition(".")
            table, column = before or table, last
        return {"table": table, "column": column}

    def _earlier(self, given: Mapping[str, str] | str) -> dict[str, str]:
        if not isinstance(given, str):
            return dict(given)
        before, _, last = given.rpartition(".")
        return {"table": before or self._context()["table"], "column": last}

    def bound(self) -> BoundColumn:
        """Return the column that seals and opens; its keys are read at the first use."""
        bound = self._bound
        if bound is None or bound.codecs is not conf.current:
            declared = self.declaration()
            bound = self._bound = BoundColumn(declared, conf.codecs(), self.model._meta.label)
        return bound

    def deconstruct(self) -> Any:
        """Return what a migration writes."""
        name, path, args, kwargs = super().deconstruct()
        path = path.replace("reseal.django.fields.types.", "reseal.django.")
        for option, usual in _OPTIONS.items():
            value = getattr(self, option)
            if value != usual:
                kwargs[option] = list(value) if isinstance(value, tuple) else value
        return name, path, args, kwargs

    # --- the column -----------------------------------------------------------------------------

    def get_internal_type(self) -> str:
        """Return the kind of the column in the database, whatever the values are."""
        return "BinaryField" if self.binary else "TextField"

    def db_type(self, connection: Any) -> str:
        """Return the type of the column: text, or bytes."""
        return str(connection.data_types[self.get_internal_type()])

    def db_check(self, connection: Any) -> None:
        """No check of the database holds for ciphertext."""

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        """Return the type of the column, without a collation."""
        return {"type": self.db_type(connection), "check": None}

    def cast_db_type(self, connection: Any) -> str:
        """Return the type that a cast has."""
        types = connection.ops.cast_data_types
        return str(types.get(self.get_internal_type(), self.db_type(connection)))

    # --- into the database ----------------------------------------------------------------------

    def plain(self, value: Any) -> Any:
        """Return a value of the field's type, of what a program assigned.

        Errors: those of `Field.get_prep_value`, without the value in them; that of an `Unopened`.
        """
        if value is None:
            return None
        if hasattr(value, "resolve_expression"):
            raise not_sealed(self)
        if isinstance(value, Unopened):
            raise value.error
        try:
            return self.to_plain(self.get_prep_value(value))
        except (TypeError, ValueError, ValidationError) as error:
            kinds = (TypeError, ValueError, ValidationError)
            kind = next(it for it in kinds if isinstance(error, it))
        # Django's own message would show the value.
        raise kind(f"{self}: the value is none of the field's type ({self.reseal_type})")

    def _writable(self, value: Any) -> Any:
        """Return a value as `plain` does, and refuse what only stands for one."""
        plain = self.plain(value)
        check_shown(self, plain)
        return plain

    def to_plain(self, value: Any) -> Any:
        """Return what is sealed; types that differ from Django's override it."""
        return value

    def from_plain(self, value: Any) -> Any:
        """Return what a model has, of what was sealed."""
        return value

    def spelled(self, raw: Any) -> Any:
        """Return what a column has, where its database may spell plaintext otherwise than the type does."""
        return raw

    def respelled(self, plain: list[Any]) -> list[Any]:
        """Return what else a column may have for plaintexts: what `spelled` makes them of."""
        del plain
        return []

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """Return what is to be written: the column itself where nobody looked at the value."""
        known = model_instance.__dict__
        found = known.get(self.attname)
        if add and type(found) is self.exact and not self.needs_row:
            # As a rule, and many times where many rows are inserted.
            bound = self._bound
            if bound is None or bound.codecs is not conf.current:
                bound = self.bound()
            check_shown(self, found)
            return Ready((bound.seal(found, NO_FACTS, known.get(self._key)),))
        if not add and self._is_untouched(model_instance, found):
            return Unchanged(self)
        try:
            value = super().pre_save(model_instance, add)
        except ResealError as error:
            raise not_opened(self, model_instance, error) from None
        if isinstance(value, Unopened):
            raise value.error
        if hasattr(value, "resolve_expression"):
            return value
        return Pending(value, model_instance, add)

    def _is_untouched(self, instance: Any, found: Any) -> bool:
        if isinstance(found, Unopened):
            return True
        if type(found) is not Held or getattr(self, "auto_now", False):
            return False
        if found.binding is not None:
            # What is bound to another tenant or row than before has to be sealed anew.
            return found.binding == self.binding(instance)
        if not self.needs_row:
            return True
        # Nobody knows what it is bound to, and only opening it shows whether that is the same still. A
        # tenant that nobody read is.
        return not callable(self.tenant) and not self.bind_row and self.waits(instance)

    def to_write(self, instance: Any) -> Any:
        """Return what an instance has, opened.

        Errors: `ResealError`; `FieldError` where it was bound to a tenant that the instance never knew.
        """
        try:
            return getattr(instance, self.attname)
        except ResealError as error:
            raise not_opened(self, instance, error) from None

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Return what the database gets: sealed, or NULL.

        Errors: those of sealing; `FieldError` for an expression, for a value that is bound to a row
        which is not known here, and for a part of another field.
        """
        if type(value) is Ready:
            return value[0]
        if value is None:
            return None
        if type(value) is Pending:
            return self._sealed(value, connection)
        if hasattr(value, "as_sql"):
            check_assigned(self, value)
            return value
        if self.needs_row:
            raise FieldError(
                f"{self} is bound to its row, which this call does not know: use the EncryptedManager, "
                "or save() on each instance"
            )
        if self.is_part():
            raise FieldError(f"{type(self).__name__} as a part of another field: {NO_PARTS}")
        return self.bound().seal(self._writable(value), {})

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """As `get_db_prep_save`: a value never goes to the database as it is."""
        return self.get_db_prep_save(value, connection)

    def _sealed(self, pending: Pending, connection: Any) -> Any:
        value, instance = self._writable(pending.value), pending.instance
        facts = self.facts(instance, connection) if value is not None else {}
        stored = self.bound().seal(value, facts, instance.pk)
        if pending.add or not self.companions:
            return stored
        terms = {it: it.term_of(value, instance, connection) for it in self.companions}
        return Assigned(self, stored, terms)

    def assigned(self, instance: Any, connection: Any) -> Any:
        """Return an expression with what an instance has, for statements over many rows."""
        found = instance.__dict__.get(self.attname)
        if self._is_untouched(instance, found):
            return Unchanged(self)
        value = self._writable(self.to_write(instance))
        facts = self.facts(instance, connection) if value is not None else {}
        return Assigned(self, self.bound().seal(value, facts, instance.pk), {})

    def _placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        """Return the mark of a parameter. Django asks where a value is written.

        Errors: those of `_check_indexes`; `FieldError` for what it is bound to without it.
        """
        self._check_indexes(value, compiler)
        check_facts(compiler)
        is_marked = self.binary and connection.vendor == "mysql" and value is not None
        return "_binary %s" if is_marked and not hasattr(value, "as_sql") else "%s"

    def _placeholder_sql(self, value: Any, compiler: Any, connection: Any) -> tuple[str, Any]:
        """As `_placeholder`, with the parameters."""
        mark = self._placeholder(value, compiler, connection)
        if hasattr(value, "as_sql"):
            found: tuple[str, Any] = compiler.compile(value)
            return found
        return mark, [value]

    def _check_indexes(self, value: Any, compiler: Any) -> None:
        """Refuse to leave the terms of an index behind.

        Errors: `FieldError`.
        """
        query = compiler.query
        named: set[Any] = set()
        if hasattr(query, "add_update_values") and not isinstance(value, (Assigned, Unchanged)):
            named = {field for field, _, _ in query.values}
        elif getattr(query, "update_fields", None):
            named = set(query.update_fields)  # of rows that are there already
        if self in named:
            missing = [it.name for it in self.companions if it not in named]
            if missing:
                raise FieldError(
                    f"this update of {self} would leave {', '.join(missing)} behind: use "
                    "EncryptedManager, whose update() and bulk_update() write both"
                )

    # --- out of the database --------------------------------------------------------------------

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Return the value of what a query gave, where there is no row: `values()`, a subquery.

        Errors: `ResealError`; `FieldError` for what is bound to its row.
        """
        if value is None:
            return None
        if self.needs_row:
            raise no_facts(self)
        return self.from_plain(self.bound().open(self.spelled(value), {}))

    def open_bound(self, held: Held, binding: tuple[Any, ...], connection: Any) -> Any:
        """Return the value of what a query gave, with the tenant and the primary key that it is bound to.

        Errors: `ResealError`.
        """
        facts = self.facts(None, connection, binding)
        return self.from_plain(self.bound().open(self.spelled(held.raw), facts, binding[1]))

    def get_col(self, alias: str | None, output_field: Any = None) -> Any:
        """Return the column in a query, a new one each time: it learns where it stands."""
        return EncryptedCol(alias, self, output_field)

    # --- queries --------------------------------------------------------------------------------

    def get_lookup(self, lookup_name: str) -> type[Lookup[Any]] | None:
        """Return a lookup that a database can do on ciphertext.

        Errors: `FieldError` for all others, with the alternative.
        """
        from reseal.django.fields.lookups import lookup_of

        return lookup_of(self, lookup_name)

    def get_transform(self, lookup_name: str) -> Any:
        """No part of ciphertext can be asked for.

        Errors: `FieldError`.
        """
        raise refusal(self, f"be looked into by {lookup_name}")

    def select_format(self, compiler: Any, sql: str, params: Any) -> Any:
        """Leave what is selected as it is."""
        return sql, params

    # --- forms, checks and serialization --------------------------------------------------------

    def clean(self, value: Any, model_instance: Any) -> Any:
        """Validate a value; what could not be opened is not judged, since it is not written."""
        if isinstance(value, Unopened):
            return value
        check_shown(self, value)
        return super().clean(value, model_instance)

    def formfield(self, *args: Any, **kwargs: Any) -> Any:
        """Return a field of a form, which keeps what could not be opened."""
        made = super().formfield(*args, **kwargs)
        return None if made is None else keeping(made)

    def save_form_data(self, instance: Any, data: Any) -> None:
        """Take what a form has, unless it only shows that the value cannot be opened."""
        if instance._state.adding or not (isinstance(data, Unopened) or is_shown(data)):
            super().save_form_data(instance, data)

    def value_to_string(self, obj: Any) -> Any:
        """Return a value as a fixture has it.

        Errors: that of an `Unopened`.
        """
        value = self.value_from_object(obj)
        if isinstance(value, Unopened):
            raise value.error
        return super().value_to_string(obj)

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """Return what is wrong with the declaration."""
        from reseal.django.field_checks import of_field

        return [*super().check(**kwargs), *of_field(self)]


def _is_as_assigned(kind: type) -> bool:
    """Whether it seals what is assigned: no class but ours and Django's turns values into others."""
    for name in ("pre_save", "plain", "get_prep_value", "to_python", "to_plain"):
        owner = next(it for it in kind.__mro__ if name in vars(it))
        if owner.__module__.partition(".")[0] not in ("django", "reseal"):
            return False
    return True


def _names(given: Iterable[str], option: str) -> tuple[str, ...]:
    if isinstance(given, str):
        raise ImproperlyConfigured(f"{option} is a list of the names of codecs")
    return tuple(given)
