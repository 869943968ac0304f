"""What a row binds to its values: remembered when it is loaded, heeded when it is saved."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldError
from django.db import connections
from django.db.models.signals import class_prepared, post_init, pre_save

from reseal._adapters import Unopened
from reseal._native import Held
from reseal.django import conf
from reseal.django.fields.base import EncryptedField
from reseal.django.fields.facts import are_otherwise, watch
from reseal.django.fields.index import BlindIndexField
from reseal.django.fields.parents import link_parents


def encrypted_fields(model: Any) -> list[EncryptedField]:
    """Return the encrypted fields of a model, with those that it inherits."""
    return [field for field in model._meta.concrete_fields if isinstance(field, EncryptedField)]


def _prepared(sender: Any, **_: object) -> None:
    if sender._meta.abstract:
        return
    fields = encrypted_fields(sender)
    if not fields:
        return
    link_parents(sender)
    receivers = sender._reseal_receivers = _Receivers()
    pre_save.connect(receivers.before_save, sender=sender)
    bound = [it for it in fields if it.is_bound_by_fields() and not it.is_half_way()]
    for field in bound:
        for fact in field.bound_fields():
            watch(fact)
    if bound:
        post_init.connect(receivers.loaded, sender=sender)


class _Receivers:
    """What a model is asked by: signals hold it weakly, and it goes with its model.

    Migrations make a new class of each model again and again, which nothing may keep.
    """

    def before_save(self, sender: Any, **named: Any) -> None:
        """Look after an instance that is saved."""
        _before_save(sender, **named)

    def loaded(self, sender: Any, **named: Any) -> None:
        """Look after an instance that was made."""
        _loaded(sender, **named)


def _loaded(sender: Any, instance: Any, **_: object) -> None:
    """Remember to what the values are bound that were not opened yet."""
    for field in encrypted_fields(sender):
        found = instance.__dict__.get(field.attname)
        if type(found) is Held and field.is_bound_by_fields() and not field.waits(instance):
            held = Held(found.raw, field.binding(instance), found.reports)
            instance.__dict__[field.attname] = held


def _before_save(
    sender: Any, instance: Any, raw: bool, using: str, update_fields: Any, **_: object
) -> None:
    """Seal what a fixture holds, and refuse to change what values are bound to without them.

    Errors: those of sealing; `FieldError`.
    """
    fields = encrypted_fields(sender)
    if raw:
        # Django asks no field then what it saves, and leaves the tables of parents alone.
        own = sender._meta.concrete_model._meta.local_concrete_fields
        for field in own:
            if isinstance(field, BlindIndexField):
                source = field._source()
                value = source.plain(getattr(instance, source.attname))
                term = field.term_of(value, instance, connections[using])
                setattr(instance, field.attname, term)
        for field in fields:
            if field not in own or not field.needs_row:
                continue
            if getattr(instance, field.attname) is not None:
                sealed = field.assigned(instance, connections[using])
                instance.__dict__[field.attname] = sealed
        return
    written = [it for it in fields if update_fields is None or it.name in update_fields]
    open_for(using, instance, written)
    if update_fields is None:
        return
    for field in fields:
        for fact in field.bound_fields():
            if field.name in update_fields or not {fact.name, fact.attname} & set(update_fields):
                continue
            # Django names all fields that were not deferred.
            rows = sender._base_manager.using(using).filter(pk=instance.pk)
            given = getattr(instance, fact.attname)
            if are_otherwise(rows, fact, given, connections[using]):
                raise FieldError(
                    f"{field} is bound to {fact.name}, which is to be saved without it: name "
                    f"{field.name!r} in update_fields as well"
                )


def open_for(using: str, instance: Any, fields: list[EncryptedField]) -> None:
    """Open what another database than that of the instance is to get: its row has other values.

    Errors: `ResealError`; `ImproperlyConfigured` for a wrong setting of replicas.
    """
    before = instance._state.db
    if before in (None, using) or conf.primary(before) == conf.primary(using):
        return
    for field in fields:
        value = getattr(instance, field.attname)
        if isinstance(value, Unopened):
            raise value.error


class_prepared.connect(_prepared, dispatch_uid="reseal.django.rows")
