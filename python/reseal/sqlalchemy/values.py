"""What a type of SQLAlchemy is among the types of the package, and how its values are converted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, final
from uuid import UUID

from sqlalchemy import types as sa

from reseal.sqlalchemy.errors import undeclared, wrong

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

    from reseal._native import _Type


@final
@dataclass(frozen=True)
class Values:
    """The values of one type: `taken` is what the column seals, `given` what it hands out."""

    of: TypeEngine[Any]
    type: _Type

    def taken(self, value: Any) -> Any:
        """Return what is to be sealed.

        Errors: `value-invalid`.
        """
        value = self.sought(value)
        check = _LIMITS.get(self.type)
        if check is not None:
            check(self, value)
        return value

    def sought(self, value: Any) -> Any:
        """Return what is looked for, which may be longer or more exact than any value that is sealed.

        Errors: `value-invalid`.
        """
        check = _CHECKS.get(self.type)
        return value if check is None else check(self, value)

    def given(self, value: Any) -> Any:
        """Return what an application gets."""
        if self.type == "decimal":
            return self._give_decimal(value)
        if self.type == "uuid" and not self._has("as_uuid"):
            return str(value)
        return value

    def spelled(self, value: Any) -> list[Any]:
        """Return a value that was taken, and again as the column of a database would have it."""
        if not isinstance(value, Decimal) or not value.is_finite():
            return [value]
        return [value, self._zeros(value.normalize(_EXACT))]

    def _has(self, name: str) -> Any:
        return getattr(self.of, name, None)

    def _limit_text(self, value: Any) -> None:
        length = self._has("length")
        if length is not None and isinstance(value, str) and len(value) > length:
            raise wrong(f"the value is longer than the {length} characters of its column")

    def _limit_decimal(self, value: Any) -> None:
        scale = self._has("scale")
        if scale is not None and isinstance(value, Decimal) and value.is_finite():
            exponent = value.normalize(_EXACT).as_tuple().exponent
            if isinstance(exponent, int) and -exponent > scale:
                raise wrong(f"the value has more than {scale} decimal places: nothing is rounded")

    def _take_decimal(self, value: Any) -> Any:
        # Of a class of its own, such as one of NumPy, it would be shown with the name of that.
        return Decimal(float.__repr__(value)) if isinstance(value, float) else value

    def _give_decimal(self, value: Decimal) -> Any:
        if not self._has("asdecimal"):
            return float(value)
        return self._zeros(value)

    def _zeros(self, value: Decimal) -> Decimal:
        """The number with the zeros of its places."""
        sign, digits, exponent = value.as_tuple()
        scale = self._has("scale")
        if scale is not None and isinstance(exponent, int) and exponent > -scale:
            return Decimal((sign, digits + (0,) * (exponent + scale), -scale))
        return value

    def _take_uuid(self, value: Any) -> Any:
        if isinstance(value, str) and not self._has("as_uuid"):
            try:
                return UUID(value)
            except ValueError:
                raise wrong("the value is no UUID, of 32 hexadecimal digits") from None
        return value

    def _take_timestamp(self, value: Any) -> Any:
        wanted = bool(self._has("timezone"))
        if isinstance(value, datetime) and (value.utcoffset() is not None) is not wanted:
            raise wrong(
                "the column is DateTime(timezone=True), and a value needs its zone"
                if wanted
                else "the value has a zone, which DateTime(timezone=True) is for"
            )
        return value

    def _take_json(self, value: Any) -> Any:
        if value is sa.JSON.NULL:
            raise wrong("the document null cannot be told from NULL: store None")
        try:
            return json.loads(json.dumps(value)) if _has_other_keys(value) else value
        except RecursionError:
            return value  # which is refused as it is
        except (TypeError, ValueError):
            raise wrong("the document has something that is not of JSON") from None


def _has_other_keys(value: Any) -> bool:
    """Whether a document has a key that is no text, such as a number, which is spelled as text then."""
    if isinstance(value, dict):
        every = (not isinstance(key, str) or _has_other_keys(it) for key, it in value.items())
        return any(every)
    return isinstance(value, list | tuple) and any(map(_has_other_keys, value))


_CHECKS: Mapping[str, Callable[[Values, Any], Any]] = {
    "decimal": Values._take_decimal,
    "uuid": Values._take_uuid,
    "timestamp": Values._take_timestamp,
    "json": Values._take_json,
}

#: What a value has to keep to be sealed.
_LIMITS: Mapping[str, Callable[[Values, Any], None]] = {
    "text": Values._limit_text,
    "decimal": Values._limit_decimal,
}

_EXACT = Context(prec=200_000, traps=[InvalidOperation])

#: The first that fits counts: some are derived from others.
_REFUSED: tuple[tuple[type, str], ...] = (
    (sa.Enum, "use String, and convert the members yourself"),
    (sa.Float, "use Numeric(asdecimal=False)"),
)
_TYPES: tuple[tuple[type, _Type], ...] = (
    (sa.JSON, "json"),
    (sa.Uuid, "uuid"),
    (sa.Boolean, "boolean"),
    (sa.Integer, "integer"),
    (sa.Numeric, "decimal"),
    (sa.DateTime, "timestamp"),
    (sa.Date, "date"),
    (sa.Time, "time"),
    (sa._Binary, "bytes"),
    (sa.String, "text"),
)


def values_of(type_: TypeEngine[Any]) -> Values:
    """Return how values of a type are sealed.

    Errors: `ArgumentError` for a type that cannot be encrypted.
    """
    for kind, instead in _REFUSED:
        if isinstance(type_, kind):
            raise undeclared(f"{type(type_).__name__} cannot be encrypted: {instead}")
    for kind, name in _TYPES:
        if isinstance(type_, kind):
            if name == "time" and getattr(type_, "timezone", False):
                break
            return Values(type_, name)
    raise undeclared(
        f"{type_!r} cannot be encrypted: it takes String, Text, Integer, BigInteger, Numeric, Date, "
        "DateTime, Time without zone, Boolean, JSON, LargeBinary and Uuid"
    )
