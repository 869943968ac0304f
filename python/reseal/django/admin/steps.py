"""The steps of a rotation, and which of them may be taken now."""

from __future__ import annotations

from typing import Literal

from reseal.django.admin.census import Counts
from reseal.django.admin.rings import Offer, Ring, Rotation, ShownKey, Step

_State = Literal["done", "now", "later"]
_STAGES = ("introduce", "wait", "promote", "apply", "disable")


def rotations(ring: Ring, counts: Counts) -> tuple[Rotation, ...]:
    """Return the steps for the data keys, and for the index keys where there are any."""
    known = ("introduced", "primary", "decrypt_only")
    uses = [use for use in ("data", "index") if use == "data" or ring.of(use, *known)]
    return tuple(Rotation(use, _steps(ring, use, counts)) for use in uses)


def stage(ring: Ring, use: str) -> str:
    """Return the step that is next."""
    introduced = ring.of(use, "introduced")
    if introduced:
        return "wait" if any(map(ring.wait, introduced)) else "promote"
    old = ring.of(use, "decrypt_only")
    if any(key.values for key in old):
        return "apply"
    return "disable" if old else "introduce"


def may_disable(ring: Ring, key: ShownKey, counts: Counts) -> str:
    """Return why a key cannot be disabled; nothing where it can."""
    if key.state not in ("introduced", "decrypt_only"):
        return f"a key that is {key.state.replace('_', ' ')} is not disabled here"
    if key.values:
        return f"{key.values} values or terms are under it: reseal them first"
    if counts.missing:
        return "not everything could be counted, so nobody knows what is under it"
    # A key that never sealed has sealed nothing since.
    if key.state == "decrypt_only" and ring.wait(key):
        return f"a process may seal under it for {seconds(ring.wait(key))} yet"
    return ""


def seconds(number: int) -> str:
    """Return a time in words."""
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if number >= 2 * size:
            return f"{-(-number // size)} {word}s"
    return "1 second" if number == 1 else f"{number} seconds"


def _steps(ring: Ring, use: str, counts: Counts) -> tuple[Step, ...]:
    now = _STAGES.index(stage(ring, use))
    makers = (_introduce, _wait, _promote, _apply, _disable)
    found = []
    for at, make in enumerate(makers):
        state: _State = "done" if at < now else "now" if at == now else "later"
        found.append(make(ring, use, counts, state))
    return tuple(found)


def _introduce(ring: Ring, use: str, _: Counts, state: _State) -> Step:
    text = "A new key comes into the keyset. It opens, and seals nothing yet."
    offers = (Offer("introduce", "Introduce a key", use=use),) if state == "now" else ()
    return Step("Introduce", text, state, offers)


def _wait(ring: Ring, use: str, counts: Counts, state: _State) -> Step:
    text = "Every process of Django learns of the new key within one lease"
    text += f", {seconds(ring.lease_seconds)}." if ring.lease_seconds else "; this keyset has none."
    text += " A program without a live ring has to be restarted."
    offers: tuple[Offer, ...] = ()
    if state == "now":
        left = max(map(ring.wait, ring.of(use, "introduced")))
        text += f" {seconds(left).capitalize()} are left: load this page again then."
        given_up, kept = _given_up(ring, use, counts)
        offers, text = given_up, text + kept
    if state == "later" or ring.lease_seconds:
        return Step("Wait", text, state, offers)
    return Step("Wait", text + " Make sure that every process has read it.", state, offers)


def _promote(ring: Ring, use: str, counts: Counts, state: _State) -> Step:
    text = "The new key seals from now on; the old one still opens."
    offers: tuple[Offer, ...] = ()
    if state == "now":
        new = ring.of(use, "introduced")
        offers = tuple(Offer("promote", f"Promote {key.short}", key.id, use) for key in new)
        given_up, kept = _given_up(ring, use, counts)
        offers, text = offers + given_up, text + kept
    return Step("Promote", text, state, offers)


def _apply(ring: Ring, use: str, _: Counts, state: _State) -> Step:
    what = "terms of blind indexes" if use == "index" else "values"
    text = f"The {what} that are under an old key are brought to the new one. "
    offers: tuple[Offer, ...] = ()
    if state == "now":
        left = sum(key.values for key in ring.of(use, "decrypt_only"))
        text += f"{left} are left. "
        offers = (Offer("apply", "Reseal", use=use), *_back(ring, use), _another(use))
    text += "For a large database run manage.py reseal apply in a terminal."
    return Step("Reseal", text, state, offers)


def _disable(ring: Ring, use: str, counts: Counts, state: _State) -> Step:
    text = "The old key, under which nothing is left, opens no more. It can be brought back."
    offers: list[Offer] = []
    if state == "now":
        old = ring.of(use, "decrypt_only")
        reasons = [may_disable(ring, key, counts) for key in old]
        for key, why in zip(old, reasons, strict=True):
            if not why:
                offers.append(Offer("disable", f"Disable {key.short}", key.id, use))
            else:
                text += f" Not yet for {key.short}: {why}."
        offers += [*_back(ring, use), _another(use)]
    return Step("Disable", text, state, tuple(offers))


def _back(ring: Ring, use: str) -> tuple[Offer, ...]:
    """To the key that sealed before; where nobody knows which one did, to each that opens.

    A key that was brought back may never have sealed: it was given up before it was promoted.
    """
    before = ring.replaced(use)
    if before is not None:
        return (Offer("revert", f"Go back to {before.short}", before.id, use),)
    old = [key for key in ring.of(use, "decrypt_only") if not ring.wait(key)]
    return tuple(Offer("promote", f"Promote {key.short}", key.id, use) for key in old)


def _another(use: str) -> Offer:
    """For who keeps an old key on purpose, or cannot wait for the values under it."""
    return Offer("introduce", "Begin another rotation", use=use)


def _given_up(ring: Ring, use: str, counts: Counts) -> tuple[tuple[Offer, ...], str]:
    """Return how new keys are given up, and why some are not."""
    offers, text = [], ""
    for key in ring.of(use, "introduced"):
        why = may_disable(ring, key, counts)
        if why:
            text += f" {key.short} cannot be given up: {why}."
        else:
            offers.append(Offer("disable", f"Give {key.short} up", key.id, use))
    return tuple(offers), text
