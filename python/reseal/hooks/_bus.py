"""Who listens, and what is said to them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Literal, TypeAlias, final

from reseal._errors import ResealError

EventName: TypeAlias = Literal["sealed", "opened", "refused", "stale_opened"]
Action: TypeAlias = Literal["seal", "open", "index"]
_LOGGER = logging.getLogger("reseal.hooks")


@final
@dataclass(frozen=True)
class Event:
    """What became of one value. It never holds the value, nor its length.

    >>> from reseal.hooks import Event
    >>> Event("refused", "open", "users", "ssn", code="auth-failed").code
    'auth-failed'
    """

    __slots__ = {
        "action": 'What was asked for: "seal", "open" or "index", the term of a blind index.',
        "code": "Why it was refused: one of `reseal.ERROR_CODES`; None for the other events.",
        "codec": "The name of the codec that wrote or opened it; None where that is not known.",
        "column": "The column, as the database calls it.",
        "key": "The id of the key, or its place in the list of the codec; None where it is not known.",
        "name": '"sealed", "opened", "refused" or "stale_opened".',
        "seconds": "How long it took; None for `stale_opened`, which follows an `opened`.",
        "table": "The table, as the database calls it.",
    }
    name: EventName
    action: Action
    table: str
    column: str
    codec: str | None
    key: str | None
    code: str | None
    seconds: float | None

    def __init__(  # slots of a frozen class have no defaults
        self,
        name: EventName,
        action: Action,
        table: str,
        column: str,
        *,
        codec: str | None = None,
        key: str | None = None,
        code: str | None = None,
        seconds: float | None = None,
    ) -> None:
        for member, value in zip(
            ("name", "action", "table", "column", "codec", "key", "code", "seconds"),
            (name, action, table, column, codec, key, code, seconds),
            strict=True,
        ):
            object.__setattr__(self, member, value)

    def __reduce__(self) -> tuple[object, ...]:
        """Return what makes it anew: slots of a frozen class are not set from outside."""
        return _again, tuple(getattr(self, name) for name in type(self).__dataclass_fields__)


Subscriber: TypeAlias = Callable[[Event], object]

# Replaced as a whole, so that whoever reads it needs no lock.
_subscribers: tuple[Subscriber, ...] = ()
_lock = threading.Lock()


def subscribe(callback: Subscriber) -> Callable[[], None]:
    """Call a function with each `Event`, in the thread that sealed or opened. Returns what ends it.

    >>> from reseal import hooks
    >>> def alarm(event):
    ...     if event.name == "refused":
    ...         print(event.table, event.column, event.code)
    >>> stop = hooks.subscribe(alarm)
    >>> stop()

    What the function raises is logged to `reseal.hooks`, and changes nothing for who seals or opens.

    Errors: `invalid-argument` for what cannot be called, and for an `async` function, which nobody awaits.
    """
    global _subscribers
    if not callable(callback):
        raise ResealError(
            "invalid-argument", f"a subscriber is a function, not {type(callback).__name__}"
        )
    if iscoroutinefunction(callback) or iscoroutinefunction(type(callback).__call__):
        raise ResealError(
            "invalid-argument",
            "a subscriber is called and not awaited: let a function hand the event to the loop",
        )
    # A bound method is another object each time, and one function may subscribe twice.
    entry = _Entry(callback)
    with _lock:
        _subscribers = (*_subscribers, entry)

    def stop() -> None:
        global _subscribers
        with _lock:
            _subscribers = tuple(there for there in _subscribers if there is not entry)

    return stop


def is_heard() -> bool:
    """Whether anybody listens: else nothing need be measured."""
    return bool(_subscribers)


def emit(event: Event) -> None:
    """Tell everybody."""
    for subscriber in _subscribers:
        subscriber(event)


class _Entry:
    __slots__ = ("_callback",)

    def __init__(self, callback: Subscriber) -> None:
        self._callback = callback

    def __call__(self, event: Event) -> None:
        try:
            self._callback(event)
        except Exception:
            _LOGGER.exception("a subscriber of reseal.hooks failed")


def _again(
    name: EventName,
    action: Action,
    table: str,
    column: str,
    codec: str | None,
    key: str | None,
    code: str | None,
    seconds: float | None,
) -> Event:
    return Event(name, action, table, column, codec=codec, key=key, code=code, seconds=seconds)


Event.__module__ = "reseal.hooks"
