"""Field-level encryption with key rotation: the same bytes in Python, Node and browsers.

A value is sealed under the primary key of a ring, bound to a context that says where it belongs,
and stored as text or bytes.

>>> import reseal
>>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))  # or reseal.Keyring.from_env()
>>> ctx = {"table": "users", "column": "ssn", "row": 42}
>>> stored = ring.seal("078-05-1120", ctx)
>>> ring.open_str(stored, ctx)
'078-05-1120'

Keys that a team manages are in a `Keyset`, in a `KeysetFile` or `SqlKeysetStore`; a `LiveKeyring` follows
it, so that a rotation reaches a running process. `Keyring.canary` tells at a start whether the keys are right.

A `Column` reads what other systems stored as well, by the codecs of `reseal.codecs`, gives values of
its type, and reseals what is not yet as it is to be.

A `Manifest` describes the columns of a database once, in `reseal.toml`, and makes them. The module
`reseal.jobs` brings all values of a database to what it says.

The format is specified in `spec/envelope.md` of the project; docstrings name its sections.
"""

from reseal._errors import (
    DecryptError,
    FormatError,
    KeyFileWarning,
    KeyringError,
    ResealError,
)
from reseal._native import (
    ERROR_CODES,
    Classified,
    Column,
    Current,
    Field,
    Inspection,
    Key,
    Keyring,
    Keyset,
    LiveKeyring,
    Manifest,
    Null,
    Opened,
    Origin,
    Refused,
    Resealed,
    __version__,
    inspect,
    inspect_keyset,
    to_binary,
    to_text,
)

#: What type checkers read. The module `typing` would take as long to import as all of this.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from reseal import codecs
    from reseal._info import KekInfo, KeyInfo, KeysetInspection, KeysetKey, LiveStatus
    from reseal._keyset_file import KeysetFile
    from reseal._manifest import CodecSpec, ColumnSpec, FromRow, IndexSpec, Problem
    from reseal._plaintext import PlaintextWarning
    from reseal._providers import KekProvider, MemoryKekProvider
    from reseal._sql_keyset_store import SqlKeysetStore
else:
    # Imported when first used: a program that seals and opens starts four times as quickly.
    _LATER = {
        "codecs": "codecs",
        "CodecSpec": "_manifest",
        "ColumnSpec": "_manifest",
        "FromRow": "_manifest",
        "IndexSpec": "_manifest",
        "KekInfo": "_info",
        "KekProvider": "_providers",
        "KeyInfo": "_info",
        "KeysetFile": "_keyset_file",
        "KeysetInspection": "_info",
        "KeysetKey": "_info",
        "LiveStatus": "_info",
        "MemoryKekProvider": "_providers",
        "PlaintextWarning": "_plaintext",
        "Problem": "_manifest",
        "SqlKeysetStore": "_sql_keyset_store",
    }

    def __getattr__(name):
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        module = import_module(f"{__name__}.{_LATER[name]}")
        found = globals()[name] = module if name == "codecs" else getattr(module, name)
        return found

    def __dir__():
        return sorted({*globals(), *_LATER} - {"TYPE_CHECKING", "_LATER"})


__all__ = [
    "ERROR_CODES",
    "Classified",
    "CodecSpec",
    "Column",
    "ColumnSpec",
    "Current",
    "DecryptError",
    "Field",
    "FormatError",
    "FromRow",
    "IndexSpec",
    "Inspection",
    "KekInfo",
    "KekProvider",
    "Key",
    "KeyFileWarning",
    "KeyInfo",
    "Keyring",
    "KeyringError",
    "Keyset",
    "KeysetFile",
    "KeysetInspection",
    "KeysetKey",
    "LiveKeyring",
    "LiveStatus",
    "Manifest",
    "MemoryKekProvider",
    "Null",
    "Opened",
    "Origin",
    "PlaintextWarning",
    "Problem",
    "Refused",
    "ResealError",
    "Resealed",
    "SqlKeysetStore",
    "__version__",
    "codecs",
    "inspect",
    "inspect_keyset",
    "to_binary",
    "to_text",
]
