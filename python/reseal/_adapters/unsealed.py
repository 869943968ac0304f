"""Rows that are not sealed yet, in a column that reads plaintext as well: what they are found by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, final
from uuid import UUID

from reseal._adapters.declaration import Declaration
from reseal._native import Column, Key, Keyring, plain, reseal

if TYPE_CHECKING:
    from reseal._native import _Normalizer

#: The first characters of envelopes, and the first bytes: of `spec/envelope.md`.
_STARTS: Mapping[bool, tuple[Any, ...]] = {
    False: ("rs1.",),
    True: (b"\xc1\x5eRS", b"rs1."),
}
#: The codecs that a database can tell apart by the start of a value.
_KNOWN = frozenset(("plain", "reseal"))
_BLANKS = " \t\n\v\f\r"
_UPPER = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


@final
class Unsealed:
    """What stands in rows that are not sealed yet.

    A row that was written before there was a companion has no term. As long as its value is plaintext, a
    database finds it by the value itself, in the spelling that the row has.
    """

    __slots__ = ("_column", "_declared", "starts", "starts_of_bytes")

    def __init__(self, declared: Declaration, kinds: Iterable[str]) -> None:
        """Take the declaration, and the kinds of its codecs."""
        self._declared = declared
        #: The first four characters or bytes of what is sealed; nothing where a database cannot tell.
        self.starts = _STARTS[declared.binary] if _KNOWN.issuperset(kinds) else ()
        #: The same for a database that compares bytes, whatever the form of the column is.
        self.starts_of_bytes = _STARTS[True] if self.starts else ()
        # Nobody stores what it seals: it spells values, whatever keys the column has.
        ring = Keyring(primary=Key.generate("data"))
        self._column = Column(
            reseal(ring),
            read=[plain()],
            mode="deterministic",
            type=declared.type,
            binary=declared.binary,
        )

    def spellings(self, value: Any, index: str) -> list[Any]:
        """Return what rows may hold for a value: as it is written in plain, as it is given, and as the index has it.

        Errors: those of `Column.lookup_values`, for what is no value of the column's type.
        """
        written = [one for form in self._equal(value, index) for one in self._written(form)]
        typed = list(self._typed(value, written))
        found = [one.encode() for one in typed] if self._declared.binary else typed
        return list(dict.fromkeys([*written, *found]))

    def _written(self, value: Any) -> list[Any]:
        """A value as the codec `plain` writes it; nothing where the column cannot hold it."""
        found: list[Any] = self._column.lookup_values(value)
        # The first ones are sealed, one of each form.
        return found[len(_STARTS[self._declared.binary]) :]

    def _equal(self, value: Any, index: str) -> Iterator[Any]:
        yield value
        if isinstance(value, str) and self._declared.type == "text":
            named = (it.normalizer for it in self._declared.indexes if it.name == index)
            yield _normal(value, next(named, "raw"))

    def _typed(self, value: Any, written: list[Any]) -> Iterator[str]:
        """What databases make of a typed column that is altered to text."""
        if isinstance(value, Decimal):
            yield f"{value:f}"  # with its zeros
        elif isinstance(value, UUID):
            yield value.hex
        elif self._declared.type in ("time", "timestamp"):
            for one in written:
                yield from _moments(one.decode() if isinstance(one, bytes) else one)


def in_other_form(stored: str | bytes) -> str | bytes | None:
    """The bytes of a text, or the text of bytes; None where they are of none."""
    if isinstance(stored, str):
        return stored.encode()
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return None


def _normal(value: str, normalizer: _Normalizer) -> str:
    """A text without what the index does not count."""
    if normalizer == "digits":
        return "".join(one for one in value if one in "0123456789")
    if normalizer == "ascii-lower-trim":
        return value.strip(_BLANKS).translate(_UPPER)
    return value


def _moments(canonical: str) -> Iterator[str]:
    """A time or a timestamp with a space, all digits of a second, and an offset in place of Z."""
    moment, zone = canonical.removesuffix("Z").replace("T", " "), canonical.endswith("Z")
    seconds, _, fraction = moment.partition(".")
    for spelled in (moment, f"{seconds}.{fraction:0<6}"):
        for offset in ("+00", "+00:00") if zone else ("",):
            yield spelled + offset
