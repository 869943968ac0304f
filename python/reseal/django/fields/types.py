"""The encrypted fields, one for each of Django's."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
import warnings
from types import NoneType
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from reseal.django.fields.base import EncryptedField

#: Of a decimal without `max_digits`: as many as Python computes with.
_DIGITS = 28
_BOOLEANS = {"1": "true", "0": "false"}


class EncryptedTextField(EncryptedField, models.TextField):
    """A `TextField` whose values are sealed. See `reseal.django` for the options of all of them."""


class EncryptedCharField(EncryptedField, models.CharField):
    """A `CharField` whose values are sealed; `max_length` counts for forms and `full_clean()`."""


class EncryptedEmailField(EncryptedField, models.EmailField):
    """An `EmailField` whose values are sealed."""


class EncryptedURLField(EncryptedField, models.URLField):
    """A `URLField` whose values are sealed."""


class _Whole(EncryptedField):
    """Integers: the limits of Django's fields, which the column does not have."""

    reseal_type = "integer"
    exact = int
    largest: int

    @cached_property
    def validators(self) -> list[Any]:
        """Return the validators of the field, with the limits where nobody set others."""
        own = [*self.default_validators, *self._validators]
        if not any(isinstance(it, MinValueValidator) for it in own):
            own.append(MinValueValidator(-self.largest - 1))
        if not any(isinstance(it, MaxValueValidator) for it in own):
            own.append(MaxValueValidator(self.largest))
        return own


class EncryptedIntegerField(_Whole, models.IntegerField):
    """An `IntegerField` whose values are sealed: 32 bits in forms."""

    largest = 2**31 - 1


class EncryptedBigIntegerField(_Whole, models.BigIntegerField):
    """A `BigIntegerField` whose values are sealed: 64 bits in forms."""

    largest = 2**63 - 1


class EncryptedDecimalField(EncryptedField, models.DecimalField):
    """A `DecimalField` whose values are sealed, and read with their `decimal_places`."""

    reseal_type = "decimal"
    exact = NoneType

    def to_plain(self, value: Any) -> Any:
        """Return it rounded to its places, as a column of the database would.

        Errors: `ValueError` where it has too many digits.
        """
        value = self.to_python(value)
        if self.decimal_places is None:
            return value
        return self._with_places(value, self.max_digits or _DIGITS)

    def from_plain(self, value: Any) -> Any:
        """Return it with the zeros of its places, which are not stored."""
        if self.decimal_places is None:
            return value
        # What is stored is read, whatever the field allows now.
        return self._with_places(value, decimal.MAX_PREC)

    def _with_places(self, value: decimal.Decimal, digits: int) -> decimal.Decimal:
        context = decimal.Context(prec=digits)
        try:
            return value.quantize(decimal.Decimal(1).scaleb(-self.decimal_places), context=context)
        except decimal.InvalidOperation:
            raise ValueError("too many digits") from None


class EncryptedDateField(EncryptedField, models.DateField):
    """A `DateField` whose values are sealed."""

    reseal_type = "date"
    exact = datetime.date


class EncryptedDateTimeField(EncryptedField, models.DateTimeField):
    """A `DateTimeField` whose values are sealed: with `USE_TZ` instants in UTC, else as they are."""

    reseal_type = "timestamp"
    exact = NoneType

    def to_python(self, value: Any) -> Any:
        """Return a moment as Django's field does, whose warning of a date would show it."""
        if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
            value = datetime.datetime(value.year, value.month, value.day)
            return self._aware(value)
        return super().to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        """Return a moment as Django's field does, whose warning of one without a zone would show it."""
        # What is lazy is asked for at first.
        value = self.to_python(models.Field.get_prep_value(self, value))
        if isinstance(value, datetime.datetime):
            value = self._aware(value)
        return super().get_prep_value(value)

    def _aware(self, value: datetime.datetime) -> datetime.datetime:
        if not settings.USE_TZ or timezone.is_aware(value):
            return value
        warnings.warn(
            f"{self} received a naive datetime while time zone support is active.",
            RuntimeWarning,
            stacklevel=2,
        )
        return timezone.make_aware(value, timezone.get_default_timezone())

    def from_plain(self, value: datetime.datetime) -> Any:
        """Return it aware or naive, as the settings want it."""
        zone = timezone.get_default_timezone()
        if settings.USE_TZ and timezone.is_naive(value):
            return timezone.make_aware(value, zone)
        if not settings.USE_TZ and timezone.is_aware(value):
            return timezone.make_naive(value, zone)
        return value

    def to_plain(self, value: Any) -> Any:
        """Return it aware or naive, as the settings want it."""
        return self.from_plain(value)


class EncryptedBooleanField(EncryptedField, models.BooleanField):
    """A `BooleanField` whose values are sealed."""

    reseal_type = "boolean"
    exact = bool

    def spelled(self, raw: Any) -> Any:
        """Return `true` and `false` for the text that MySQL and SQLite make of a column of booleans."""
        return _BOOLEANS.get(raw, raw) if isinstance(raw, str) else raw

    def respelled(self, plain: list[Any]) -> list[Any]:
        """Return the numbers of `true` and `false`."""
        return [number for number, word in _BOOLEANS.items() if word in plain]


class EncryptedJSONField(EncryptedField, models.JSONField):
    """A `JSONField` whose documents are sealed as a whole: no lookups into them."""

    reseal_type = "json"
    exact = NoneType

    def get_internal_type(self) -> str:
        """Return the kind of the column, which XML fixtures take for that of a document."""
        return _DocumentKind(super().get_internal_type())

    def to_plain(self, value: Any) -> Any:
        """Return what JSON has, with the encoder of the field.

        Errors: `TypeError` and `ValueError` for what it cannot encode.
        """
        text = json.dumps(value, cls=self.encoder)
        if self.encoder is not None:
            return json.loads(text)
        return _with_names(value, text) if _has_other_keys(value) else value

    def from_plain(self, value: Any) -> Any:
        """Return the document, with the decoder of the field."""
        return value if self.decoder is None else json.loads(json.dumps(value), cls=self.decoder)


def _has_other_keys(document: Any) -> bool:
    """Whether an object in it has a key that is no text, of which JSON makes one."""
    waiting = [document]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if not all(isinstance(key, str) for key in one):
                return True
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one
    return False


def _with_names(document: Any, text: str) -> Any:
    """The document of a text; as it is, and so refused, where two keys would be one."""
    sizes: list[bool] = []

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        sizes.append(len(found) == len(pairs))
        return found

    found = json.loads(text, object_pairs_hook=made)
    return found if all(sizes) else document


class _DocumentKind(str):
    """The kind of a column of text or bytes, and "JSONField" where it is compared with that or shown.

    XML fixtures hold the text of a document where the kind says so, and nothing else makes them; a
    database finds the type of the column and its checks by the kind as well, and those are of the column.
    It equals two texts and has the hash of one, so in a dict or a set it is found as the kind of the column,
    never as "JSONField".
    """

    column: str

    def __new__(cls, column: str) -> _DocumentKind:
        made = super().__new__(cls, "JSONField")
        made.column = column
        return made

    def __eq__(self, other: object) -> bool:
        return other in (self.column, "JSONField")

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.column)


class EncryptedBinaryField(EncryptedField, models.BinaryField):
    """A `BinaryField` whose values are sealed; it gives `bytes`."""

    reseal_type = "bytes"
    exact = bytes

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        """Return the mark of a parameter; the column holds text unless it is `binary`."""
        return self._placeholder(value, compiler, connection)

    def get_placeholder_sql(self, value: Any, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return it as Django 6.1 asks for it."""
        return self._placeholder_sql(value, compiler, connection)


class EncryptedUUIDField(EncryptedField, models.UUIDField):
    """A `UUIDField` whose values are sealed."""

    reseal_type = "uuid"
    exact = uuid.UUID

    def to_plain(self, value: Any) -> Any:
        """Return a `uuid.UUID`."""
        return self.to_python(value)
