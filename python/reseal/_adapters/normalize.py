"""When two values are equal in the sense of a blind index: a hit is compared so after it was opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reseal._native import _Normalizer

_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_DIGITS = frozenset("0123456789")
_BLANKS = " \t\n\r\x0b\x0c"


def normalized(value: object, normalizer: _Normalizer) -> object:
    """Return what two values have in common that are equal for an index."""
    if not isinstance(value, str):
        return bytes(value) if isinstance(value, (bytearray, memoryview)) else value
    if normalizer == "digits":
        return "".join(character for character in value if character in _DIGITS)
    if normalizer == "ascii-lower-trim":
        return value.strip(_BLANKS).translate(_LOWER)
    return value
