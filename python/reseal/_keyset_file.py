"""A keyset in a file, which several people and processes may edit."""

from __future__ import annotations

import inspect
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, final

from reseal._errors import KeyringError, ResealError
from reseal._native import Keyset, KeysetStore
from reseal._save import save_keyset

if TYPE_CHECKING:
    from reseal._native import _Now

T = TypeVar("T")

# How long an edit begins anew because others were quicker.
EDIT_SECONDS = 10.0
PAUSE_SECONDS = 0.02


@final
class KeysetFile(KeysetStore):
    """A keyset in a file, and what opens it: `kek`, `kek_file`, `passphrase`, `passphrase_file`.

    To load it, one of the key-encrypting keys that it lists is enough; to save it takes all of them,
    so `kek` and `kek_file` may be lists. `ring` is the ring id that the keyset has to have, and
    `min_generation` the lowest generation that is no old copy.

    >>> import reseal, tempfile
    >>> kek, path = reseal.Key.generate("kek"), tempfile.mkdtemp() + "/keyset.json"
    >>> file = reseal.KeysetFile(path, kek=kek)
    >>> file.create(reseal.Keyset.create(kek=kek))
    >>> id = file.edit(lambda keyset: keyset.introduce("data", label="2026-q4"))
    >>> [key.label for key in file.load().keys()]
    ['2026-q4']

    Whatever happens while a file is saved, it is the old one or the new one. Of two that edit at
    once, one gets `keyset-conflict`.

    Spec: section 9, "Files".
    """

    __slots__ = ()

    def load(self) -> Keyset:
        """Return the keyset in the file, verified under everything that was given.

        Errors: source-missing where nothing was given; source-unreadable; those of `Keyset.load`.
        """
        return super().load()

    def save(self, keyset: Keyset, *, now: _Now | None = None) -> None:
        """Replace the keyset that was loaded by its next generation.

        Errors: keyset-conflict if somebody else has saved since: load it and try again, or `edit`;
        keyset-unwritable; those of `Keyset.save`. The file is as it was then.
        """
        _check(isinstance(keyset, Keyset), "a Keyset is stored", keyset)
        loaded = keyset._document
        if loaded is None:
            what = "this keyset was never stored: create its file with create"
            raise ResealError("invalid-argument", what)
        self._store(keyset, loaded.encode(), now)

    def create(self, keyset: Keyset, *, now: _Now | None = None) -> None:
        """Store a keyset in a new file, which only its owner may read.

        Errors: keyset-conflict if the file exists; keyset-unwritable; those of `Keyset.save`.
        """
        _check(isinstance(keyset, Keyset), "a Keyset is stored", keyset)
        self._store(keyset, None, now)

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

    def _store(self, keyset: Keyset, loaded: bytes | None, now: _Now | None) -> None:
        document = keyset.save(now=now)
        save_keyset(self.path, loaded, document.encode())
        keyset.saved(document)


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


KeysetFile.__module__ = "reseal"
