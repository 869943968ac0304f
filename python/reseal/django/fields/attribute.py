"""The attribute that opens what an instance holds, when its value is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models.query_utils import DeferredAttribute

from reseal._adapters import Unopened
from reseal._errors import ResealError
from reseal._native import Held, HeldAttribute
from reseal.django import conf

if TYPE_CHECKING:
    from reseal.django.fields.base import EncryptedField

#: Of a row that binds nothing.
NO_FACTS: dict[str, Any] = {}


class EncryptedAttribute(HeldAttribute, DeferredAttribute):
    """The attribute of an encrypted field: opens what the row holds when it is first asked for."""

    field: EncryptedField

    def __new__(cls, field: EncryptedField) -> EncryptedAttribute:
        """Make the attribute of a field."""
        return super().__new__(cls, field.attname)

    def __init__(self, field: EncryptedField) -> None:
        DeferredAttribute.__init__(self, field)
        self.name: str = field.attname

    def opened(self, instance: Any, held: Held) -> Any:
        """Return the value of what an instance holds, which holds the value from now on.

        Errors: `ResealError` with model, column and row id.
        """
        field, known = self.field, instance.__dict__
        try:
            facts = field.facts(instance, None, held.binding) if field.needs_row else NO_FACTS
            bound = field._bound
            if bound is None or bound.codecs is not conf.current:
                bound = field.bound()
            raw = held.raw if field.is_as_spelled else field.spelled(held.raw)
            value = bound.open(raw, facts, known.get(field._key))
            if not field.is_as_sealed:
                value = field.from_plain(value)
        except ResealError as error:
            if held.reports:
                # What the row holds stays there, so that nothing is written back.
                return Unopened(error)
            raise
        known[self.name] = value
        return value

    def missing(self, instance: Any, cls: Any) -> Any:
        """Return the value of a field that was deferred, after a query for it."""
        return DeferredAttribute.__get__(self, instance, cls)

    def kept(self, before: object, held: Held) -> Held:
        """Return what is held instead: newer versions of Django hand back what a save has left as it was."""
        reports = isinstance(before, Unopened) or (type(before) is Held and before.reports)
        binding = held.binding
        if binding is None and type(before) is Held:
            binding = before.binding  # a save leaves no other value as it was
        return Held(held.raw, binding, held.reports or reports)
