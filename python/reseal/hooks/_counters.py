"""Counters: how often each event came, and how long it took in all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple, TypeAlias, final

from reseal.hooks._bus import Event, subscribe


class Count(NamedTuple):
    """How often an event came with these labels."""

    name: str
    action: str
    table: str
    column: str
    codec: str | None
    key: str | None
    code: str | None
    values: int
    seconds: float


_Labels: TypeAlias = tuple[str, str, str, str, str | None, str | None, str | None]


@final
class Counters:
    """Counts all events from now on, until `stop`.

    >>> from reseal import hooks
    >>> with hooks.Counters() as counters:
    ...     pass  # requests are served
    >>> counters.total("opened"), counters.total("refused", code="auth-failed")
    (0, 0)

    Threads may share it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[_Labels, tuple[int, float]] = {}
        self._stop: Callable[[], None] = subscribe(self._count)

    def __enter__(self) -> Counters:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop counting."""
        self.stop()

    def stop(self) -> None:
        """Count no more; what was counted stays."""
        self._stop()

    def counts(self) -> list[Count]:
        """Return what was counted, one entry for each set of labels, in the order of their first event."""
        with self._lock:
            found = list(self._counts.items())
        return [Count(*labels, *count) for labels, count in found]

    def total(self, name: str, **labels: str | None) -> int:
        """Return how often an event came.

        With labels, those that have them: `table`, `column`, `codec`, `key`, `code`, `action`.
        """
        wanted = {"name": name, **labels}
        return sum(
            count.values
            for count in self.counts()
            if all(getattr(count, label) == value for label, value in wanted.items())
        )

    def _count(self, event: Event) -> None:
        labels: _Labels = (
            *(event.name, event.action, event.table, event.column),
            *(event.codec, event.key, event.code),
        )
        with self._lock:
            values, seconds = self._counts.get(labels, (0, 0.0))
            self._counts[labels] = values + 1, seconds + (event.seconds or 0.0)


for _class in (Count, Counters):
    _class.__module__ = "reseal.hooks"
