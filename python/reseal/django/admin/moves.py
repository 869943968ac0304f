"""The moves that the page makes, each refused where it is not due."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from django.db import connections

from reseal import jobs
from reseal._errors import KeyringError, ResealError
from reseal._keyset_store import EditableStore
from reseal._native import Keyset, LiveKeyring, Manifest
from reseal.django import conf, databases
from reseal.django.admin import census
from reseal.django.admin.rings import Offer, Ring

#: How long a request reseals before it answers; the next one goes on from there.
SECONDS = 15.0
_Use = Literal["data", "index"]


@dataclass(frozen=True)
class Move:
    """A move, as the page that asks for confirmation tells it."""

    title: str
    text: str
    button: str


MOVES = {
    "introduce": Move(
        "Introduce a new key",
        "A fresh key is made and stored in the keyset. It opens, and seals nothing until it is promoted.",
        "Yes, introduce it",
    ),
    "promote": Move(
        "Promote the key",
        "It seals every new value from now on. The key that seals now still opens. You can go back.",
        "Yes, promote it",
    ),
    "revert": Move(
        "Go back to the old key",
        "The key that sealed before seals again. What the new key has sealed stays readable.",
        "Yes, go back",
    ),
    "apply": Move(
        "Reseal what is under old keys",
        f"Every value is brought to the key that seals now, for up to {SECONDS:.0f} seconds; then you can "
        "go on. A value that somebody changes meanwhile is never overwritten.",
        "Yes, reseal",
    ),
    "disable": Move(
        "Disable the key",
        "It opens no more. Everything was counted, and nothing is under it; it is counted once more "
        "afterwards. Backups may still need it. You can bring it back.",
        "Yes, disable it",
    ),
    "enable": Move(
        "Bring the key back",
        "It opens again, and does not seal.",
        "Yes, bring it back",
    ),
}


def offered(ring: Ring, move: str, key: str, use: str) -> Offer | None:
    """Return the move, where the page offers it now."""
    for rotation in ring.rotations:
        for step in rotation.steps:
            for offer in step.offers:
                if (offer.move, offer.key, offer.use) == (move, key, use):
                    return offer
    found = ring.key(key)
    if move == "enable" and ring.editable and found is not None and found.state == "disabled":
        return Offer("enable", "Bring back", key, found.use)
    return None


def make(ring: Ring, offer: Offer, *, label: str, generation: int) -> tuple[str, str]:
    """Make a move that is offered; return the id of its key, and what to tell.

    Errors: `keyset-conflict` where the keyset has another generation than the page that was confirmed;
    those of the keyset and of the job; `still-in-use` where somebody sealed under a key meanwhile.
    """
    if offer.move == "apply":
        return "", _apply(reindex=offer.use == "index")
    store = conf.codecs().store(ring.codec)
    if store is None:
        raise ResealError("invalid-argument", "these keys are in no keyset")
    use: _Use = "index" if offer.use == "index" else "data"
    states = [key.state for key in ring.keys if key.id == offer.key]
    changes: dict[str, Callable[[Keyset], str | None]] = {
        "introduce": lambda keyset: keyset.introduce(use, label=label),
        # A key that opens already was introduced before, and brought back.
        "promote": lambda keyset: keyset.promote(offer.key, back="decrypt_only" in states),
        "revert": lambda keyset: keyset.revert(use),
        "disable": lambda keyset: keyset.disable(offer.key),
        "enable": lambda keyset: keyset.enable(offer.key),
    }
    key = _edit(store, changes[offer.move], generation) or offer.key
    if offer.move == "disable":
        _check_unused(store, key)
    _follow(ring.codec)
    said = {
        "introduce": "was introduced",
        "promote": "seals now",
        "revert": "seals again",
        "disable": "was disabled",
        "enable": "opens again",
    }
    return key, f"The key {key[:8]} {said[offer.move]}."


def _edit(
    store: EditableStore, change: Callable[[Keyset], str | None], generation: int
) -> str | None:
    def checked(keyset: Keyset) -> str | None:
        if keyset.generation != generation:
            raise KeyringError(
                "keyset-conflict", "somebody changed the keyset meanwhile: look at it again"
            )
        return change(keyset)

    return store.edit(checked)


def _check_unused(store: EditableStore, key: str) -> None:
    """Count once more: whoever wrote before it was disabled would be locked out."""
    counts = census.count()
    values = counts.under(key)
    if values or counts.missing:
        store.edit(lambda keyset: keyset.enable(key))
        why = (
            f"{values} values are"
            if values
            else "not everything could be counted, so values may be"
        )
        raise ResealError(
            "still-in-use", f"{why} under the key, which opens again: reseal them first"
        )


def _apply(*, reindex: bool) -> str:
    deadline = time.monotonic() + SECONDS
    moved, refused, over = 0, 0, True
    for alias in connections:
        if not databases.declarations(alias):
            continue
        report = jobs.apply(
            databases.url(alias),
            manifest=Manifest.parse(databases.manifest(alias)),
            reindex=reindex,
            stop=lambda: time.monotonic() >= deadline,
        )
        over = over and report["end"] == "complete"
        for column in report["columns"]:
            total = column["total"]
            moved += total["reindexed"] + sum(one["values"] for one in total["resealed"])
            refused += sum(total["refused"].values())
    said = f"{moved} values were brought to the key that seals."
    if refused:
        said += f" {refused} could not be opened: manage.py reseal verify lists them."
    return said if over else f"{said} There are more: go on."


def _follow(codec: str) -> None:
    """Let this process use the new ring at once; others do when they look next."""
    ring = conf.codecs().ring(codec)
    if isinstance(ring, LiveKeyring):
        ring.refresh()
