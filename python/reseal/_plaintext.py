"""The warning about columns that write plaintext."""

from __future__ import annotations

import warnings


class PlaintextWarning(UserWarning):
    """A column was made that writes plaintext: whoever sees the database reads its values.

    >>> import warnings
    >>> import reseal
    >>> warnings.simplefilter("ignore", reseal.PlaintextWarning)  # if it is meant so

    Where data is real, set `RESEAL_REQUIRE_ENCRYPTION=1`: such columns are refused then.
    """


def warn_of_plaintext(column: str, codec: str) -> None:
    """Warn whoever makes a column. The frames of native code do not count."""
    message = (
        f"{column} writes plaintext (codec {codec}): whoever sees the database reads its values"
    )
    warnings.warn(message, PlaintextWarning, stacklevel=2)


PlaintextWarning.__module__ = "reseal"
