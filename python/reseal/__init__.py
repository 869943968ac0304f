"""Field-level encryption with key rotation: the same bytes in Python, Node and browsers.

A value is sealed under the primary key of a ring, bound to a context that says where it belongs,
and stored as text or bytes.

>>> import reseal
>>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))  # or reseal.Keyring.from_env()
>>> ctx = {"table": "users", "column": "ssn", "row": 42}
>>> stored = ring.seal("078-05-1120", ctx)
>>> ring.open_str(stored, ctx)
'078-05-1120'

The format is specified in `spec/envelope.md` of the project; docstrings name its sections.
"""

from reseal._errors import DecryptError, FormatError, KeyringError, ResealError
from reseal._native import (
    ERROR_CODES,
    Field,
    Inspection,
    Key,
    KeyInfo,
    Keyring,
    __version__,
    inspect,
    to_binary,
    to_text,
)

__all__ = [
    "ERROR_CODES",
    "DecryptError",
    "Field",
    "FormatError",
    "Inspection",
    "Key",
    "KeyInfo",
    "Keyring",
    "KeyringError",
    "ResealError",
    "__version__",
    "inspect",
    "to_binary",
    "to_text",
]
