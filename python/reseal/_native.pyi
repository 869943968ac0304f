from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import datetime
from os import PathLike
from typing import Any, Literal, TypeAlias, final, overload
from uuid import UUID

from typing_extensions import Buffer, Self, disjoint_base

from reseal._database import Database
from reseal._errors import ResealError
from reseal._info import KekInfo, KeyInfo, KeysetInspection, KeysetKey, LiveStatus
from reseal._manifest import CodecSpec, ColumnSpec, Problem
from reseal._providers import KekProvider

__all__ = [
    "ERROR_CODES",
    "Classified",
    "Codec",
    "Column",
    "Current",
    "Field",
    "Held",
    "HeldAttribute",
    "Inspection",
    "Key",
    "Keyring",
    "Keyset",
    "KeysetStore",
    "LiveKeyring",
    "Manifest",
    "N8nDataKey",
    "N8nKeyRow",
    "Null",
    "Opened",
    "OpenedBytes",
    "Origin",
    "Recognized",
    "Refused",
    "Resealed",
    "__version__",
    "_error",
    "_external_keks",
    "_insert_keyset_row",
    "_read_keyset_row",
    "_update_keyset_row",
    "_writing_transactions",
    "django_cryptography",
    "django_fernet",
    "fernet",
    "fernet_fields",
    "freeboard",
    "hold",
    "hold_reporting",
    "inspect",
    "inspect_keyset",
    "metabase",
    "n8n",
    "plain",
    "rails",
    "recognize",
    "reseal",
    "run_command",
    "run_job",
    "sentry",
    "sqlalchemy_utils",
    "to_binary",
    "to_text",
]

_Value: TypeAlias = str | Buffer
_ContextValue: TypeAlias = str | int | bytes | bytearray | memoryview | UUID
# Its values are `_ContextValue`s. A type checker takes `{"table": "users", "row": 42}` for a mapping
# to `object`, though, and that is what a context looks like.
_Context: TypeAlias = Mapping[str, object]
_Contexts: TypeAlias = _Context | Iterable[_Context]
_Index: TypeAlias = Mapping[str, object]
_Mode: TypeAlias = Literal["random", "deterministic", "padded"]
_Use: TypeAlias = Literal["data", "index", "kek"]
_State: TypeAlias = Literal["introduced", "primary", "decrypt_only", "disabled", "destroyed"]
_RingUse: TypeAlias = Literal["data", "index"]
_Kek: TypeAlias = Key | str
_Path: TypeAlias = str | bytes | PathLike[str] | PathLike[bytes]
_Now: TypeAlias = datetime | float
_Checked: TypeAlias = Literal[
    "ok", "unknown-key", "auth-failed", "key-disabled", "key-destroyed", "key-wrong-use"
]
_Normalizer: TypeAlias = Literal["raw", "ascii-lower-trim", "digits"]
_Stored: TypeAlias = str | Buffer
_Type: TypeAlias = Literal[
    "text",
    "bytes",
    "integer",
    "decimal",
    "boolean",
    "date",
    "time",
    "timestamp",
    "uuid",
    "json",
]
_Kind: TypeAlias = Literal[
    "plain",
    "reseal",
    "fernet",
    "django-fernet",
    "fernet-fields",
    "django-cryptography",
    "sqlalchemy-utils",
    "sentry",
    "rails",
    "metabase",
    "n8n",
    "freeboard",
]
_Certainty: TypeAlias = Literal["maybe", "yes"]
_Trust: TypeAlias = Literal["authenticated", "plain", "checked", "unchecked"]
_Expect: TypeAlias = Literal["json", "utf8"]
_Outcome: TypeAlias = Null | Current | Resealed | Refused

__version__: str
ERROR_CODES: tuple[str, ...]

@final
class Key:
    @staticmethod
    def generate(use: _Use = "data") -> Key: ...
    @staticmethod
    def from_bytes(use: _Use, bytes: Buffer) -> Key: ...
    @staticmethod
    def parse(text: str) -> Key: ...
    @property
    def id(self) -> str: ...
    @property
    def use(self) -> _Use: ...
    def export(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Key: ...
    def __deepcopy__(self, _memo: object) -> Key: ...

@final
class Inspection:
    def __new__(
        cls, version: int, mode: _Mode, key_id: str, ciphertext_bytes: int
    ) -> Inspection: ...
    @property
    def version(self) -> int: ...
    @property
    def mode(self) -> _Mode: ...
    @property
    def key_id(self) -> str: ...
    @property
    def ciphertext_bytes(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Keyring:
    def __new__(
        cls,
        primary: Key | str | None = None,
        *,
        decrypt_only: Iterable[Key | str] = (),
        index: Key | str | None = None,
        introduced: Iterable[Key | str] = (),
        disabled: Iterable[Key | str] = (),
        destroyed: Iterable[str] = (),
    ) -> Self: ...
    @staticmethod
    def from_env(environ: Mapping[str, str] | None = None) -> Keyring: ...
    @staticmethod
    def from_directory(
        path: _Path, *, primary: str, index_primary: str | None = None
    ) -> Keyring: ...
    @staticmethod
    def from_keyset(
        path: _Path | KeysetStore,
        *,
        kek: _Kek | None = None,
        kek_file: _Path | None = None,
        passphrase: str | Buffer | None = None,
        passphrase_file: _Path | None = None,
        ring: str | None = None,
        min_generation: int = 0,
    ) -> Keyring: ...
    def seal(self, value: _Value, context: _Context, mode: _Mode = "random") -> str: ...
    def seal_binary(self, value: _Value, context: _Context, mode: _Mode = "random") -> bytes: ...
    def open(self, stored: str, context: _Context) -> bytes: ...
    def open_str(self, stored: str, context: _Context) -> str: ...
    def open_binary(self, stored: Buffer, context: _Context) -> bytes: ...
    def is_current(self, stored: str, mode: _Mode | None = None) -> bool: ...
    def is_current_binary(self, stored: Buffer, mode: _Mode | None = None) -> bool: ...
    def reseal(self, stored: str, context: _Context, mode: _Mode | None = None) -> str: ...
    def reseal_binary(
        self, stored: Buffer, context: _Context, mode: _Mode | None = None
    ) -> bytes: ...
    def seal_many(
        self, values: Iterable[_Value | None], context: _Contexts, mode: _Mode = "random"
    ) -> list[str | ResealError]: ...
    def seal_many_binary(
        self, values: Iterable[_Value | None], context: _Contexts, mode: _Mode = "random"
    ) -> list[bytes | ResealError]: ...
    def open_many(
        self, stored: Iterable[str | None], context: _Contexts
    ) -> list[bytes | ResealError]: ...
    def open_many_str(
        self, stored: Iterable[str | None], context: _Contexts
    ) -> list[str | ResealError]: ...
    def open_many_binary(
        self, stored: Iterable[Buffer | None], context: _Contexts
    ) -> list[bytes | ResealError]: ...
    def lookup_values(self, value: _Value, context: _Context) -> list[str]: ...
    def lookup_values_binary(self, value: _Value, context: _Context) -> list[bytes]: ...
    def index_term(
        self,
        value: _Value,
        context: _Context,
        *,
        index: str,
        normalizer: _Normalizer = "raw",
        bits: int = 64,
    ) -> str: ...
    def index_terms(
        self,
        value: _Value,
        context: _Context,
        *,
        index: str,
        normalizer: _Normalizer = "raw",
        bits: int = 64,
    ) -> list[str]: ...
    def field(self, context: _Context, mode: _Mode = "random") -> Field: ...
    def keys(self) -> list[KeyInfo]: ...
    def canary(self) -> str: ...
    def check(self, canary: str, /) -> _Checked: ...
    @property
    def primary_id(self) -> str | None: ...
    @property
    def index_primary_id(self) -> str | None: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: object) -> Self: ...

@final
class LiveKeyring(Keyring):  # type: ignore[misc]  # final for others
    @staticmethod
    def from_env(
        environ: Mapping[str, str] | None = None,
        *,
        check_seconds: float = 10,
        reload_seconds: float = 1,
        clock: Callable[[], float] | None = None,
    ) -> LiveKeyring: ...
    @staticmethod
    def from_directory(
        path: _Path,
        *,
        primary: str,
        index_primary: str | None = None,
        check_seconds: float = 10,
        reload_seconds: float = 1,
        clock: Callable[[], float] | None = None,
    ) -> LiveKeyring: ...
    @staticmethod
    def from_keyset(
        path: _Path | KeysetStore,
        *,
        kek: _Kek | None = None,
        kek_file: _Path | None = None,
        passphrase: str | Buffer | None = None,
        passphrase_file: _Path | None = None,
        ring: str | None = None,
        min_generation: int = 0,
        check_seconds: float = 10,
        reload_seconds: float = 1,
        clock: Callable[[], float] | None = None,
    ) -> LiveKeyring: ...
    def refresh(self) -> None: ...
    def status(self) -> LiveStatus: ...

@final
class Keyset:
    @staticmethod
    def create(
        *,
        kek: _Kek | None = None,
        passphrase: str | Buffer | None = None,
        lease_seconds: int = 0,
        now: _Now | None = None,
    ) -> Keyset: ...
    @staticmethod
    def create_async(
        *, provider: KekProvider, reference: str, lease_seconds: int = 0, now: _Now | None = None
    ) -> Coroutine[Any, Any, Keyset]: ...
    @staticmethod
    def load(
        document: str | Buffer,
        *,
        kek: _Kek | Iterable[_Kek] | None = None,
        passphrase: str | Buffer | None = None,
        ring: str | None = None,
        min_generation: int = 0,
    ) -> Keyset: ...
    @staticmethod
    def load_async(
        document: str | Buffer,
        *,
        providers: Iterable[KekProvider],
        kek: _Kek | Iterable[_Kek] | None = None,
        passphrase: str | Buffer | None = None,
        ring: str | None = None,
        min_generation: int = 0,
    ) -> Coroutine[Any, Any, Keyset]: ...
    def introduce(
        self, key: _RingUse | Key, *, label: str = "", now: _Now | None = None
    ) -> str: ...
    def promote(
        self, id: str, *, early: bool = False, back: bool = False, now: _Now | None = None
    ) -> None: ...
    def rotate(
        self,
        key: _RingUse | Key,
        *,
        label: str = "",
        early: bool = False,
        now: _Now | None = None,
    ) -> str: ...
    def revert(self, use: _RingUse = "data", *, now: _Now | None = None) -> str: ...
    def disable(self, id: str, *, emergency: bool = False, now: _Now | None = None) -> None: ...
    def enable(self, id: str, *, now: _Now | None = None) -> None: ...
    def destroy(self, id: str, *, now: _Now | None = None) -> None: ...
    def relabel(self, id: str, label: str) -> None: ...
    def set_lease_seconds(self, seconds: int) -> None: ...
    def add_kek(self, kek: _Kek) -> str: ...
    def add_passphrase(self, passphrase: str | Buffer) -> str: ...
    def add_provider_kek(
        self, provider: KekProvider, reference: str
    ) -> Coroutine[Any, Any, str]: ...
    def remove_kek(self, id: str) -> None: ...
    def verify(self) -> None: ...
    def export_keys(self) -> dict[str, str]: ...
    def keyring(self) -> Keyring: ...
    def keys(self) -> list[KeysetKey]: ...
    def keks(self) -> list[KekInfo]: ...
    def save(self, *, now: _Now | None = None) -> str: ...
    def saved(self, document: str | Buffer) -> None: ...
    @property
    def ring_id(self) -> str: ...
    @property
    def generation(self) -> int: ...
    @property
    def issued(self) -> str: ...
    @property
    def lease_seconds(self) -> int: ...
    @property
    def primary_id(self) -> str | None: ...
    @property
    def index_primary_id(self) -> str | None: ...
    @property
    def _document(self) -> str | None: ...
    @staticmethod
    def _create_external(
        external: tuple[Key, str, str, bytes],
        lease_seconds: int | None = None,
        now: _Now | None = None,
    ) -> Keyset: ...
    def _add_external(self, external: tuple[Key, str, str, bytes]) -> str: ...

@disjoint_base
class KeysetStore:
    def __new__(
        cls,
        path: _Path,
        *,
        kek: _Kek | Iterable[_Kek] | None = None,
        kek_file: _Path | Iterable[_Path] | None = None,
        passphrase: str | Buffer | None = None,
        passphrase_file: _Path | None = None,
        ring: str | None = None,
        min_generation: int = 0,
    ) -> Self: ...
    def _open(self, read: Callable[[], bytes]) -> Keyset: ...
    @property
    def path(self) -> str: ...

def _read_keyset_row(database: Database, ring: str, /) -> str: ...
def _writing_transactions(database: Database, /) -> list[str]: ...
def _insert_keyset_row(
    database: Database, ring: str, generation: int, document: str, /
) -> None: ...
def _update_keyset_row(database: Database, ring: str, loaded: int, document: str, /) -> None: ...

@final
class Field:
    def seal(self, value: _Value, /, **context: _ContextValue) -> str: ...
    def seal_binary(self, value: _Value, /, **context: _ContextValue) -> bytes: ...
    def open(self, stored: str, /, **context: _ContextValue) -> bytes: ...
    def open_str(self, stored: str, /, **context: _ContextValue) -> str: ...
    def open_binary(self, stored: Buffer, /, **context: _ContextValue) -> bytes: ...
    def is_current(self, stored: str) -> bool: ...
    def is_current_binary(self, stored: Buffer) -> bool: ...
    def reseal(self, stored: str, /, **context: _ContextValue) -> str: ...
    def reseal_binary(self, stored: Buffer, /, **context: _ContextValue) -> bytes: ...
    def seal_many(
        self,
        values: Iterable[_Value | None],
        *,
        rows: Iterable[_ContextValue] | None = None,
        contexts: Iterable[_Context] | None = None,
    ) -> list[str | ResealError]: ...
    def seal_many_binary(
        self,
        values: Iterable[_Value | None],
        *,
        rows: Iterable[_ContextValue] | None = None,
        contexts: Iterable[_Context] | None = None,
    ) -> list[bytes | ResealError]: ...
    def open_many(
        self,
        stored: Iterable[str | None],
        *,
        rows: Iterable[_ContextValue] | None = None,
        contexts: Iterable[_Context] | None = None,
    ) -> list[bytes | ResealError]: ...
    def open_many_str(
        self,
        stored: Iterable[str | None],
        *,
        rows: Iterable[_ContextValue] | None = None,
        contexts: Iterable[_Context] | None = None,
    ) -> list[str | ResealError]: ...
    def open_many_binary(
        self,
        stored: Iterable[Buffer | None],
        *,
        rows: Iterable[_ContextValue] | None = None,
        contexts: Iterable[_Context] | None = None,
    ) -> list[bytes | ResealError]: ...
    def lookup_values(self, value: _Value, /, **context: _ContextValue) -> list[str]: ...
    def lookup_values_binary(self, value: _Value, /, **context: _ContextValue) -> list[bytes]: ...
    def index_term(
        self,
        value: _Value,
        *,
        index: str,
        normalizer: _Normalizer = "raw",
        bits: int = 64,
        context: _Context | None = None,
    ) -> str: ...
    def index_terms(
        self,
        value: _Value,
        *,
        index: str,
        normalizer: _Normalizer = "raw",
        bits: int = 64,
        context: _Context | None = None,
    ) -> list[str]: ...
    @property
    def mode(self) -> _Mode: ...
    def __copy__(self) -> Field: ...
    def __deepcopy__(self, _memo: object) -> Field: ...

@final
class Held:
    def __new__(
        cls, raw: object, binding: tuple[Any, ...] | None = None, reports: bool = False
    ) -> Held: ...
    # What a driver gave: text or bytes.
    @property
    def raw(self) -> Any: ...
    @property
    def binding(self) -> tuple[Any, ...] | None: ...
    @property
    def reports(self) -> bool: ...

@disjoint_base
class HeldAttribute:
    def __new__(cls, name: str) -> Self: ...
    def __get__(self, instance: object, owner: object = None, /) -> Any: ...
    def __set__(self, instance: object, value: object, /) -> None: ...
    def __delete__(self, instance: object, /) -> None: ...

def hold(raw: object, _expression: object, _connection: object, /) -> Held | None: ...
def hold_reporting(raw: object, _expression: object, _connection: object, /) -> Held | None: ...

@final
class Recognized:
    @property
    def certainty(self) -> _Certainty: ...
    @property
    def scheme(self) -> str: ...
    @property
    def key(self) -> str | None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class OpenedBytes:
    @property
    def plaintext(self) -> bytes: ...
    @property
    def key(self) -> str | None: ...
    @property
    def scheme(self) -> str: ...
    @property
    def encoding(self) -> str | None: ...
    @property
    def current(self) -> bool: ...
    @property
    def trust(self) -> _Trust: ...

@final
class Codec:
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> _Kind: ...
    def recognize(self, stored: _Stored) -> Recognized | None: ...
    def open(self, stored: _Stored, context: _Context = {}) -> OpenedBytes: ...
    @overload
    def seal(
        self,
        plaintext: _Value,
        context: _Context = {},
        mode: _Mode = "random",
        binary: Literal[False] = False,
        now: _Now | None = None,
    ) -> str: ...
    @overload
    def seal(
        self,
        plaintext: _Value,
        context: _Context = {},
        mode: _Mode = "random",
        *,
        binary: Literal[True],
        now: _Now | None = None,
    ) -> bytes: ...
    @overload
    def seal(
        self,
        plaintext: _Value,
        context: _Context = {},
        mode: _Mode = "random",
        binary: bool = False,
        now: _Now | None = None,
    ) -> str | bytes: ...
    @overload
    def rotate(
        self,
        stored: str,
        context: _Context = {},
        mode: _Mode = "random",
        now: _Now | None = None,
    ) -> str: ...
    @overload
    def rotate(
        self,
        stored: Buffer,
        context: _Context = {},
        mode: _Mode = "random",
        now: _Now | None = None,
    ) -> bytes: ...
    def is_current(self, stored: _Stored, mode: _Mode = "random") -> bool | None: ...
    def __copy__(self) -> Codec: ...
    def __deepcopy__(self, _memo: object) -> Codec: ...

@final
class N8nKeyRow:
    def __new__(
        cls, id: str, type: str, value: str, algorithm: str | None, status: str
    ) -> N8nKeyRow: ...
    @property
    def id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def algorithm(self) -> str | None: ...
    @property
    def status(self) -> str: ...
    def data_key(self, instance_keys: Iterable[str], *, lenient: bool = False) -> N8nDataKey: ...
    def rewrap(
        self, from_keys: Iterable[str], to_key: str, *, lenient: bool = False
    ) -> N8nKeyRow: ...

@final
class N8nDataKey:
    @staticmethod
    def generate() -> N8nDataKey: ...
    @staticmethod
    def from_text(text: str) -> N8nDataKey: ...
    @staticmethod
    def unwrap_value(
        value: str, instance_keys: Iterable[str], *, lenient: bool = False
    ) -> N8nDataKey: ...
    def wrap(self, instance_key: str) -> str: ...
    @property
    def text(self) -> str: ...

@final
class Origin:
    @property
    def codec(self) -> str: ...
    @property
    def key(self) -> str | None: ...
    @property
    def scheme(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Opened:
    # It depends on the type of the column.
    @property
    def value(self) -> Any: ...
    @property
    def codec(self) -> str: ...
    @property
    def key(self) -> str | None: ...
    @property
    def scheme(self) -> str: ...
    @property
    def current(self) -> bool: ...
    @property
    def trust(self) -> _Trust: ...
    @property
    def earlier(self) -> bool: ...
    @property
    def doubled(self) -> _Kind | None: ...

@final
class Classified:
    @property
    def codec(self) -> str | None: ...
    @property
    def key(self) -> str | None: ...
    @property
    def scheme(self) -> str | None: ...
    @property
    def certainty(self) -> _Certainty | None: ...
    @property
    def null(self) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Null:
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Current:
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Resealed:
    @property
    def value(self) -> Any: ...
    @property
    def from_(self) -> Origin: ...
    @property
    def to(self) -> Origin: ...

@final
class Refused:
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Column:
    def __new__(
        cls,
        write: Codec,
        read: Iterable[Codec] = (),
        context: _Context = {},
        earlier_contexts: Iterable[_Context] = (),
        mode: _Mode = "random",
        type: _Type = "text",
        binary: bool = False,
        indexes: Iterable[_Index] = (),
    ) -> Self: ...
    # The stored value is text or bytes, as the column is.
    def seal(self, value: object, /, **context: _ContextValue) -> Any: ...
    def open(self, stored: _Stored | None, /, **context: _ContextValue) -> Opened | None: ...
    def _value(self, stored: _Stored | None, /, **context: _ContextValue) -> Any: ...
    def classify(self, stored: _Stored | None, /) -> Classified: ...
    def reseal(self, stored: _Stored | None, /, **context: _ContextValue) -> _Outcome: ...
    def reopen(self, stored: _Stored | None, /, **context: _ContextValue) -> _Outcome: ...
    def unwrap_twice(self, stored: _Stored, /, **context: _ContextValue) -> Any: ...
    def keep_twice(self, stored: _Stored, /, **context: _ContextValue) -> Any: ...
    @overload
    def index_term(self, value: None, index: str, /, **context: _ContextValue) -> None: ...
    @overload
    def index_term(self, value: object, index: str, /, **context: _ContextValue) -> str: ...
    @overload
    def index_terms(self, value: None, index: str, /, **context: _ContextValue) -> None: ...
    @overload
    def index_terms(self, value: object, index: str, /, **context: _ContextValue) -> list[str]: ...
    @overload
    def lookup_values(self, value: None, /, **context: _ContextValue) -> None: ...
    @overload
    def lookup_values(
        self, value: object, /, **context: _ContextValue
    ) -> list[str] | list[bytes]: ...
    def seal_many(
        self,
        values: Iterable[object],
        *,
        rows: Iterable[_ContextValue] | None = None,
        contexts: Iterable[_Context] | None = None,
    ) -> list[Any]: ...
    def open_many(
        self,
        stored: Iterable[_Stored | None],
        *,
        rows: Iterable[_ContextValue] | None = None,
        contexts: Iterable[_Context] | None = None,
    ) -> list[Opened | ResealError | None]: ...
    def reseal_many(
        self,
        stored: Iterable[_Stored | None],
        *,
        rows: Iterable[_ContextValue] | None = None,
        contexts: Iterable[_Context] | None = None,
    ) -> list[_Outcome]: ...
    def reopen_many(
        self,
        stored: Iterable[_Stored | None],
        *,
        rows: Iterable[_ContextValue] | None = None,
        contexts: Iterable[_Context] | None = None,
    ) -> list[_Outcome]: ...
    def classify_many(
        self, stored: Iterable[_Stored | None], /
    ) -> list[Classified | ResealError]: ...
    @property
    def mode(self) -> _Mode: ...
    @property
    def type(self) -> _Type: ...
    @property
    def binary(self) -> bool: ...
    def __copy__(self) -> Column: ...
    def __deepcopy__(self, _memo: object) -> Column: ...

@final
class Manifest:
    @staticmethod
    def load(path: _Path = "reseal.toml") -> Manifest: ...
    @staticmethod
    def parse(text: str) -> Manifest: ...
    @property
    def codecs(self) -> list[CodecSpec]: ...
    @property
    def columns(self) -> list[ColumnSpec]: ...
    @property
    def _text(self) -> str: ...
    @property
    def warnings(self) -> list[Problem]: ...
    def build(
        self,
        rings: Mapping[str, Keyring] | None = None,
        tables: Mapping[str, Iterable[Mapping[str, object]]] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> list[Column]: ...
    def codec(
        self,
        name: str,
        rings: Mapping[str, Keyring] | None = None,
        tables: Mapping[str, Iterable[Mapping[str, object]]] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Codec: ...
    def keyless(self) -> list[Column]: ...
    def __copy__(self) -> Manifest: ...
    def __deepcopy__(self, _memo: object) -> Manifest: ...

def plain(name: str = "plain") -> Codec: ...
def reseal(ring: Keyring, name: str = "reseal") -> Codec: ...
def fernet(*, keys: Iterable[str], lenient: bool = False, name: str = "fernet") -> Codec: ...
def django_fernet(
    *,
    secrets: Iterable[str],
    salts: Iterable[str],
    lenient: bool = False,
    name: str = "django-fernet",
) -> Codec: ...
def fernet_fields(
    *,
    secrets: Iterable[str],
    prefix: str | None = None,
    hkdf: bool = True,
    lenient: bool = False,
    name: str = "fernet-fields",
) -> Codec: ...
def django_cryptography(
    *,
    secrets: Iterable[str],
    cryptography_keys: Iterable[str] = (),
    salt: str | None = None,
    digest: Literal["sha256", "sha512-256", "md5"] | None = None,
    field_keys: Iterable[bytes] = (),
    field: Literal["text", "bytes", "integer", "float", "boolean", "json"] = "text",
    name: str = "django-cryptography",
) -> Codec: ...
def sqlalchemy_utils(
    *,
    keys: Iterable[str],
    engine: Literal["aes", "aes-gcm", "fernet"] = "aes",
    padding: Literal["naive", "pkcs5", "oneandzeroes", "zeroes"] | None = None,
    expect: _Expect | None = None,
    lenient: bool = False,
    name: str = "sqlalchemy-utils",
) -> Codec: ...
def sentry(
    *,
    keys: Mapping[str, str],
    primary: str,
    field: Literal["text", "json"] = "text",
    method: Literal["fernet", "plaintext"] = "fernet",
    plaintext: bool = True,
    lenient: bool = False,
    name: str = "sentry",
) -> Codec: ...
def rails(
    *,
    primary_keys: Iterable[str] = (),
    key_derivation_salt: str,
    digests: Iterable[Literal["sha1", "sha256"]] = (),
    deterministic_keys: Iterable[str] = (),
    previous_keys: Iterable[str] = (),
    previous: Iterable[Mapping[str, object]] = (),
    deterministic: bool = False,
    envelope: bool = False,
    store_key_references: bool = False,
    serializer: Literal["json", "message_pack"] = "json",
    compress: bool = True,
    lenient: bool = False,
    name: str = "rails",
) -> Codec: ...
def metabase(
    *,
    keys: Iterable[str],
    data_keys: Mapping[int, Buffer] = {},
    aad: str | None = None,
    streams: bool = False,
    expect: _Expect | None = None,
    lenient: bool = False,
    name: str = "metabase",
) -> Codec: ...
def n8n(
    *,
    instance_keys: Iterable[str] = (),
    custom_key: str | None = None,
    rows: Iterable[N8nKeyRow | Mapping[str, object]] = (),
    write: Literal["legacy", "prefixed"] | None = None,
    expect: _Expect | None = None,
    lenient: bool = False,
    name: str = "n8n",
) -> Codec: ...
def freeboard(*, keys: Iterable[str], lenient: bool = False, name: str = "freeboard") -> Codec: ...
def recognize(stored: _Stored, /) -> list[tuple[_Kind, Recognized]]: ...
def inspect(stored: str | Buffer, /) -> Inspection: ...
def inspect_keyset(document: str | Buffer, /) -> KeysetInspection: ...
def _external_keks(document: str | Buffer, /) -> list[tuple[str, str, str, bytes]]: ...
def _error(code: str, message: str, /) -> ResealError: ...
def run_command(arguments: list[str], host: object, /) -> int: ...
def run_job(command: str, options: str, host: object, /) -> int: ...
def to_text(stored: Buffer, /) -> str: ...
def to_binary(stored: str, /) -> bytes: ...
