"""What may be shown of keys, keysets and rings: nothing in it is secret, so it copies and pickles."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, final

from reseal._errors import ResealError

if TYPE_CHECKING:
    from reseal._native import _State, _Use


class _Facts:
    __slots__ = ()

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Return what makes it anew, as slots of a frozen class are not set from outside."""
        names = [field.name for field in fields(self)]  # type: ignore[arg-type]
        return type(self), tuple(getattr(self, name) for name in names)


@final
@dataclass(frozen=True)
class KeyInfo(_Facts):
    """A key of a ring, as it may be shown."""

    __slots__ = {
        "id": "The key id.",
        "label": "What people call it: the label in a keyset, or the name of its file.",
        "state": '"introduced", "primary", "decrypt_only", "disabled" or "destroyed".',
        "use": "What the key is for; None for a destroyed key.",
    }
    id: str
    use: _Use | None
    state: _State
    label: str


@final
@dataclass(frozen=True)
class KeysetKey(_Facts):
    """A key of a keyset, as it may be shown."""

    __slots__ = {
        "changed": "When its state changed last.",
        "created": "When it came into the keyset, YYYY-MM-DDTHH:MM:SSZ.",
        "id": "The key id.",
        "label": "What people call it.",
        "state": '"introduced", "primary", "decrypt_only", "disabled" or "destroyed".',
        "use": 'What the key is for: "data" or "index".',
    }
    id: str
    use: Literal["data", "index"]
    state: _State
    created: str
    changed: str
    label: str


@final
@dataclass(frozen=True)
class KekInfo(_Facts):
    """A key-encrypting key of a keyset, as it may be shown."""

    __slots__ = {
        "held": "Whether it was given, and the keyset is verified under it.",
        "id": "The key id.",
        "kind": 'Where it comes from: "key" (a key text), "passphrase" or "external".',
        "provider": "The name of the key service; None for the other kinds.",
        "reference": "Which key of the service; None for the other kinds.",
    }
    id: str
    kind: Literal["key", "passphrase", "external"]
    provider: str | None
    reference: str | None
    held: bool


@final
@dataclass(frozen=True)
class KeysetInspection(_Facts):
    """What a keyset document says about itself. Nothing of it is verified.

    Spec: section 9.
    """

    __slots__ = {
        "_keks": "",
        "_keys": "",
        "generation": "How often the keyset was saved.",
        "index_primary_id": "The id of the index key whose terms are stored, or None.",
        "issued": "When it was saved last, YYYY-MM-DDTHH:MM:SSZ.",
        "lease_seconds": "How long a live ring may seal without looking again; 0 is for ever.",
        "primary_id": "The id of the data key that seals, or None.",
        "ring_id": "The id of the ring, 26 characters.",
    }
    ring_id: str
    generation: int
    issued: str
    lease_seconds: int
    primary_id: str | None
    index_primary_id: str | None
    _keys: tuple[KeysetKey, ...]
    _keks: tuple[KekInfo, ...]

    def keys(self) -> list[KeysetKey]:
        """Every key, in the order in which they came."""
        return list(self._keys)

    def keks(self) -> list[KekInfo]:
        """The key-encrypting keys, with where they come from."""
        return list(self._keks)


@final
@dataclass(frozen=True)
class LiveStatus(_Facts):
    """How a live ring found its source when it looked last."""

    __slots__ = {
        "confirmed_seconds_ago": "When the source was found in order last; None if never.",
        "generation": "The generation of a keyset; None for other sources.",
        "kind": '"keys", "directory" or "keyset".',
        "last_error": "What the last look met; None if all was well.",
        "lease_seconds": "How long the ring may seal unconfirmed; 0 is for ever.",
        "ring_id": "The ring id of a keyset; None for other sources.",
        "stale": "Whether the lease has run out and the last look failed, so that sealing is refused.",
    }
    kind: Literal["keys", "directory", "keyset"]
    generation: int | None
    ring_id: str | None
    lease_seconds: int
    confirmed_seconds_ago: float | None
    stale: bool
    last_error: ResealError | None


for _class in (KeyInfo, KeysetKey, KekInfo, KeysetInspection, LiveStatus):
    _class.__module__ = "reseal"
