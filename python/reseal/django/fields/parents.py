"""The link of a model to its parent in a table of its own: what nobody asked for is handed over unopened."""

from __future__ import annotations

from typing import Any

from django.db.models.fields.related_descriptors import ForwardOneToOneDescriptor

from reseal._native import Held


def link_parents(model: Any) -> None:
    """Let the parents of a model's instances hold what the instances hold."""
    for link in model._meta.parents.values():
        # Another descriptor is of a program, which knows what it does.
        if link is not None and type(vars(model).get(link.name)) is ForwardOneToOneDescriptor:
            setattr(model, link.name, _ParentLink(link))


class _ParentLink(ForwardOneToOneDescriptor):
    """The descriptor of the link.

    Django makes the parent of the values of its child, also to delete them, and would open them all: one
    that cannot be opened would keep the row from being deleted, and the parent would write them all.
    """

    field: Any

    def get_object(self, instance: Any) -> Any:
        """Return the parent, with all that the child holds."""
        fields, known = self.field.remote_field.model._meta.concrete_fields, instance.__dict__
        held = {it.attname: one for it in fields if type(one := known.get(it.attname)) is Held}
        if not held or any(it.attname in instance.get_deferred_fields() for it in fields):
            return super().get_object(instance)  # the latter is a query
        parent = super().get_object(_Holding(instance, held))
        # As it stands here, with what it is bound to since it was loaded.
        parent.__dict__.update(held)
        return parent


class _Holding:
    """A child as Django reads it: it has what is held, and not what that opens to."""

    def __init__(self, instance: Any, held: dict[str, Held]) -> None:
        self.__dict__.update(held)
        self.__instance = instance

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__instance, name)


__all__ = ["link_parents"]
