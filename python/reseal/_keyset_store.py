"""What the places of keysets have in common: loading, saving, and edits of several at once."""

from __future__ import annotations

import inspect
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from reseal._errors import KeyringError, ResealError
from reseal._native import Keyset, KeysetStore

if TYPE_CHECKING:
    from reseal._native import _Now

T = TypeVar("T")

# How long an edit begins anew because others were quicker.
EDIT_SECONDS = 10.0
PAUSE_SECONDS = 0.02


class EditableStore(KeysetStore):
    """A place where several people and processes edit one keyset."""

    __slots__ = ()

    def load(self) -> Keyset:
        """Return the keyset that is stored, verified under everything that was given.

        Errors: source-missing where nothing was given; source-unreadable; those of `Keyset.load`.
        """
        return self._open(self._read)

    def save(self, keyset: Keyset, *, now: _Now | None = None) -> None:
        """Replace the keyset that was loaded by its next generation.

        Errors: keyset-conflict if somebody else has saved since: load it and try again, or `edit`;
        those of `Keyset.save`. What is stored is as it was then.
        """
        _check(isinstance(keyset, Keyset), "a Keyset is stored", keyset)
        if keyset._document is None:
            what = "this keyset was never stored: create its place with create"
            raise ResealError("invalid-argument", what)
        document = keyset.save(now=now)
        self._replace(keyset, document)
        keyset.saved(document)

    def create(self, keyset: Keyset, *, now: _Now | None = None) -> None:
        """Store a keyset in a new place.

        Errors: keyset-conflict if there is one already; those of `Keyset.save`.
        """
        _check(isinstance(keyset, Keyset), "a Keyset is stored", keyset)
        document = keyset.save(now=now)
        self._begin(keyset, document)
        keyset.saved(document)

    def edit(self, change: Callable[[Keyset], T], *, now: _Now | None = None) -> T:
        """Load the keyset, change it, save it, and return what `change` gave.

        Where somebody else was quicker it begins anew, for up to 10 seconds, so `change` may be
        called more than once. If it raises, nothing is saved. What has to be awaited does not go
        into an edit: load the keyset, await it, and save.

        Errors: as of load and save.
        """
        _check(callable(change), "change is a function", change)
        deadline = time.monotonic() + EDIT_SECONDS
        while True:
            keyset = self.load()
            result = change(keyset)
            _check_done(result)
            try:
                self.save(keyset, now=now)
            except KeyringError as error:
                if error.code != "keyset-conflict" or time.monotonic() >= deadline:
                    raise
                time.sleep(random.uniform(0, PAUSE_SECONDS))  # noqa: S311
            else:
                return result

    def _read(self) -> bytes:
        """The document that is stored."""
        raise NotImplementedError

    def _replace(self, keyset: Keyset, document: str) -> None:
        """Put a document into the place of the one that the keyset was loaded from."""
        raise NotImplementedError

    def _begin(self, keyset: Keyset, document: str) -> None:
        """Store the first document."""
        raise NotImplementedError

    def _check_followed(self) -> None:
        """Raise where a live ring cannot read this while others use it."""


def _check(good: bool, what: str, given: object) -> None:
    if not good:
        raise ResealError("invalid-argument", f"{what}, not {type(given).__name__}")


def _check_done(result: object) -> None:
    """Refuse what a function gives that has not run yet, as its changes would be lost."""
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        what = "change is a function that waits: load the keyset, await the change, and save"
        raise ResealError("invalid-argument", what)
