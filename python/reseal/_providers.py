"""Key services, which keep key-encrypting keys: the port, one for tests, and what keysets do with it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from reseal._errors import KeyringError, ResealError
from reseal._native import Key, Keyring, Keyset, _external_keks

if TYPE_CHECKING:
    from reseal._native import _Kek, _Now

KEY_BYTES = 32


@runtime_checkable
class KekProvider(Protocol):
    """A key service: it wraps and unwraps 32 bytes, and never shows its own key.

    What it raises is raised by whatever asked it. `MemoryKekProvider` is an example.

    Spec: section 9, "source".
    """

    @property
    def name(self) -> str:
        """The name that a keyset notes: 1 to 32 characters, `[a-z][a-z0-9_-]*`."""
        ...

    async def unwrap(self, reference: str, blob: bytes, /) -> bytes:
        """Return the bytes that `blob` hides, under the service's key `reference`.

        Both come from the keyset before it is verified: refuse every reference that is not yours.
        """
        ...

    async def wrap(self, reference: str, content: bytes, /) -> bytes:
        """Return a blob that hides 32 bytes, under the service's key `reference`."""
        ...


class MemoryKekProvider:
    """A key service in this process, for tests: its key is a ring.

    >>> import asyncio, reseal
    >>> service = reseal.MemoryKekProvider(reseal.Keyring(reseal.Key.generate("data")))
    >>> blob = asyncio.run(service.wrap("keys/app", b"x" * 32))
    >>> asyncio.run(service.unwrap("keys/app", blob)) == b"x" * 32
    True

    Security: a keyset is no safer than the ring that this service holds.
    """

    __slots__ = ("_ring",)

    def __init__(self, ring: Keyring | None = None) -> None:
        """Without a ring it makes one, which ends with it. Errors: `invalid-argument`."""
        if ring is not None:
            _check(ring, Keyring, "a MemoryKekProvider takes a Keyring")
        self._ring = Keyring(Key.generate("data")) if ring is None else ring

    @property
    def name(self) -> str:
        """The name that keysets note."""
        return "memory"

    async def unwrap(self, reference: str, blob: bytes, /) -> bytes:
        """Return the bytes that `blob` hides. Errors: as of `Keyring.open_binary`."""
        return self._ring.open_binary(blob, {"reference": reference})

    async def wrap(self, reference: str, content: bytes, /) -> bytes:
        """Return a blob that hides `content`. Errors: as of `Keyring.seal_binary`."""
        return self._ring.seal_binary(content, {"reference": reference}, "deterministic")


for _class in (KekProvider, MemoryKekProvider):
    _class.__module__ = "reseal"


async def create(
    provider: KekProvider, reference: str, *, lease_seconds: int = 0, now: _Now | None = None
) -> Keyset:
    """See `Keyset.create_async`."""
    # What is wrong with these is told before a service has wrapped a key that nobody needs.
    Keyset.create(kek=Key.generate("kek"), lease_seconds=lease_seconds, now=now)
    return Keyset._create_external(await _new(provider, reference), lease_seconds, now)


async def add(keyset: Keyset, provider: KekProvider, reference: str) -> str:
    """See `Keyset.add_provider_kek`."""
    return keyset._add_external(await _new(provider, reference))


async def load(
    document: str | bytes,
    providers: Iterable[KekProvider],
    *,
    kek: _Kek | Iterable[_Kek] | None = None,
    passphrase: str | bytes | None = None,
    ring: str | None = None,
    min_generation: int = 0,
) -> Keyset:
    """See `Keyset.load_async`."""
    given = _given(kek)
    keks: list[_Kek] = [*given, *await _unwrap_all(document, providers, given or passphrase)]
    return Keyset.load(
        document, kek=keks, passphrase=passphrase, ring=ring, min_generation=min_generation
    )


async def _unwrap_all(
    document: str | bytes, providers: Iterable[KekProvider], others: object
) -> list[Key]:
    """Return the keys that services give. One is enough, so an error counts where there is none."""
    keys, failed = [], None
    named = {_name(provider): provider for provider in providers}
    for kek_id, name, reference, blob in _external_keks(document):
        if name not in named:
            continue
        try:
            keys.append(await _unwrap(named[name], kek_id, reference, blob))
        except Exception as error:
            failed = failed or error
    if keys or others:
        return keys
    if failed:
        raise failed
    names = ", ".join(sorted(named)) or "a key service that was given"
    raise KeyringError("kek-mismatch", f"this keyset has no key of {names}")


async def _unwrap(provider: KekProvider, kek_id: str, reference: str, blob: bytes) -> Key:
    key = Key.from_bytes("kek", await provider.unwrap(reference, blob))
    if key.id != kek_id:
        what = "the key service gave another key than the one of this keyset"
        raise KeyringError("kek-mismatch", what)
    return key


async def _new(provider: KekProvider, reference: str) -> tuple[Key, str, str, bytes]:
    """Return a fresh key-encrypting key, and what a keyset notes of it."""
    name = _name(provider)
    _text(reference, "a reference is text")
    content = os.urandom(KEY_BYTES)
    blob = await provider.wrap(reference, content)
    _check(blob, bytes, "a key service wraps into bytes")
    return Key.from_bytes("kek", content), name, reference, blob


def _name(provider: KekProvider) -> str:
    name = getattr(provider, "name", None)
    if not all(callable(getattr(provider, method, None)) for method in ("wrap", "unwrap")):
        raise ResealError("invalid-argument", "a key service has the methods wrap and unwrap")
    return _text(name, "the name of a key service is text")


def _given(kek: _Kek | Iterable[_Kek] | None) -> list[_Kek]:
    if kek is None:
        return []
    # What is neither one nor several is refused where keys are read.
    return list(kek) if isinstance(kek, Iterable) and not isinstance(kek, str) else [kek]


def _text(value: object, what: str) -> str:
    _check(value, str, what)
    text = str(value)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ResealError("invalid-argument", f"{what} without lone surrogates")
    return text


def _check(value: object, expected: type, what: str) -> None:
    if not isinstance(value, expected):
        raise ResealError("invalid-argument", f"{what}, not {type(value).__name__}")
