"""What the page shows: the keys of each codec, and where their rotation stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal

from django.core.exceptions import ImproperlyConfigured

from reseal._errors import ResealError
from reseal._keyset_store import EditableStore
from reseal._native import LiveKeyring
from reseal.django import conf
from reseal.django.admin.census import Counts

_Use = Literal["data", "index"]
STATES = {
    "introduced": "introduced: opens, does not seal yet",
    "primary": "primary: seals and opens",
    "decrypt_only": "decrypt only: opens",
    "disabled": "disabled: neither seals nor opens",
    "destroyed": "destroyed",
}


@dataclass(frozen=True)
class ShownKey:
    """A key, as it may be shown."""

    id: str
    use: str
    state: str
    label: str
    values: int
    created: datetime | None = None
    changed: datetime | None = None

    @property
    def short(self) -> str:
        """The start of the id, which commands take as well."""
        return self.id[:8]

    @property
    def kind(self) -> str:
        """What it is for."""
        return "blind indexes" if self.use == "index" else "values"

    @property
    def says(self) -> str:
        """The state in words."""
        return STATES.get(self.state, self.state)


@dataclass(frozen=True)
class Offer:
    """A move that may be made now."""

    move: str
    label: str
    key: str = ""
    use: str = "data"


@dataclass(frozen=True)
class Step:
    """A step of a rotation: done, now or later."""

    title: str
    text: str
    state: Literal["done", "now", "later"]
    offers: tuple[Offer, ...] = ()

    @property
    def says(self) -> str:
        """The state, for who does not see the mark."""
        return {"done": "done", "now": "now", "later": "later"}[self.state]


@dataclass(frozen=True)
class Rotation:
    """The steps of the keys of one use."""

    use: str
    steps: tuple[Step, ...]

    @property
    def title(self) -> str:
        """What is rotated."""
        return (
            "Rotate the key of blind indexes" if self.use == "index" else "Rotate the key of values"
        )


@dataclass
class Ring:
    """The keys of one codec, with what may be done with them."""

    codec: str
    source: str
    keys: list[ShownKey]
    error: str = ""
    editable: bool = False
    generation: int = 0
    lease_seconds: int = 0
    rotations: tuple[Rotation, ...] = ()
    ring_id: str = ""

    def key(self, key_id: str) -> ShownKey | None:
        """Return the key of an id."""
        return next((key for key in self.keys if key.id == key_id), None)

    def replaced(self, use: str) -> ShownKey | None:
        """Return the key that the primary one replaced, where a keyset tells: it has sealed."""
        changed = [key.changed for key in self.of(use, "primary")]
        found = [key for key in self.of(use, "decrypt_only") if key.changed in changed]
        return found[0] if len(found) == 1 else None

    def of(self, use: str, *states: str) -> list[ShownKey]:
        """Return the keys of a use that are in one of the states."""
        return [key for key in self.keys if key.use == use and key.state in states]

    def wait(self, key: ShownKey) -> int:
        """Return for how many seconds yet a process may not know the state of a key."""
        if key.changed is None or not self.lease_seconds:
            return 0
        over = key.changed + timedelta(seconds=self.lease_seconds)
        left = (over - datetime.now(timezone.utc)).total_seconds()
        return max(0, int(left) + (left > int(left)))


def rings(counts: Counts) -> list[Ring]:
    """Return the keys of every codec of envelopes."""
    codecs = conf.codecs()
    return [ring(name, counts) for name, kind in codecs.kinds().items() if kind == "reseal"]


def ring(codec: str, counts: Counts) -> Ring:
    """Return the keys of a codec; what is wrong with them is its `error`."""
    source = str(conf.codecs().options().get(codec, {}).get("keyring", "an object of the program"))
    try:
        store = conf.codecs().store(codec)
        if store is not None:
            return _of_keyset(codec, store, counts)
        return _of_ring(codec, source, counts)
    except (ResealError, ImproperlyConfigured) as error:
        why = f"{error} ({getattr(error, 'code', 'settings')})"
        return Ring(codec, source, [], error=why)


def _of_keyset(codec: str, store: EditableStore, counts: Counts) -> Ring:
    from reseal.django.admin.steps import rotations  # it needs the classes of this module

    keyset = store.load()
    stored = keyset.keys()
    keys = [
        ShownKey(
            key.id,
            key.use,
            key.state,
            key.label,
            counts.under(key.id),
            _moment(key.created),
            _moment(key.changed),
        )
        for key in stored
    ]
    place = "the database" if store.path.startswith("sql:") else store.path
    found = Ring(
        codec,
        f"a keyset in {place}",
        keys,
        editable=True,
        generation=keyset.generation,
        lease_seconds=keyset.lease_seconds,
        ring_id=keyset.ring_id,
    )
    found.rotations = rotations(found, counts)
    return found


def _of_ring(codec: str, source: str, counts: Counts) -> Ring:
    kind, _, rest = source.partition(":")
    known = conf.codecs().ring(codec)
    words = {"env": "the environment", "dir": f"the directory {rest}"}.get(kind, source)
    keys = [] if known is None else known.keys()
    if isinstance(known, LiveKeyring):
        known.refresh()
        keys = known.keys()
    return Ring(
        codec,
        words,
        [
            ShownKey(key.id, key.use or "data", key.state, key.label, counts.under(key.id))
            for key in keys
        ],
    )


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
