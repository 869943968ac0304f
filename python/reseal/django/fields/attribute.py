"""What stands in an instance before its value was asked for, and the attribute that opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from django.db.models.query_utils import DeferredAttribute

from reseal._adapters import Unopened
from reseal._errors import ResealError

if TYPE_CHECKING:
    from reseal.django.fields.base import EncryptedField


class Stored(tuple[Any, ...]):
    """A stored value in an instance, as the row has it, still sealed; then what the row bound when loaded.

    A tuple, since nothing is made faster: a list of rows makes one for each of its values.
    """

    __slots__ = ()
    #: Whether it is of a list that shows what cannot be opened.
    reports = False

    @property
    def raw(self) -> Any:
        """What the database has."""
        return self[0]

    @property
    def binding(self) -> tuple[Any, ...] | None:
        """What the row bound when it was loaded; None where nothing is bound, or it is not known."""
        return self[1] if len(self) > 1 else None

    def bound_to(self, binding: tuple[Any, ...]) -> Stored:
        """Return the same with what its row binds."""
        return type(self)((self[0], binding))

    def __repr__(self) -> str:
        return "<sealed>"


@final
class Reported(Stored):
    """A stored value of a query with `on_error("report")`."""

    __slots__ = ()
    reports = True


def hold(raw: Any, _expression: object, _connection: object) -> Stored | None:
    """Let a value wait until somebody asks for it. A converter of a column."""
    return None if raw is None else Stored((raw,))


def hold_reporting(raw: Any, _expression: object, _connection: object) -> Stored | None:
    """As `hold`, for a list that shows what cannot be opened."""
    return None if raw is None else Reported((raw,))


class EncryptedAttribute(DeferredAttribute):
    """The attribute of an encrypted field: opens what the row holds when it is first asked for."""

    field: EncryptedField

    def __init__(self, field: EncryptedField) -> None:
        super().__init__(field)
        self.name: str = field.attname

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        """Return the value.

        Errors: `ResealError` with model, column and row id.
        """
        if instance is None:
            return self
        try:
            value = instance.__dict__[self.name]
        except KeyError:
            return super().__get__(instance, cls)
        if not isinstance(value, Stored):
            return value
        try:
            opened = self.field.open_in(instance, value)
        except ResealError as error:
            if value.reports:
                # What the row holds stays there, so that nothing is written back.
                return Unopened(error)
            raise
        instance.__dict__[self.name] = opened
        return opened

    def __set__(self, instance: Any, value: Any) -> None:
        """Take a value, or what a row holds."""
        known = instance.__dict__
        if type(value) is Stored and isinstance(known.get(self.name), (Reported, Unopened)):
            # Newer versions of Django hand back what a save has left as it was.
            value = Reported(value)
        known[self.name] = value
