"""^C, as a command meets it that works on a database: it finishes what it is at."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from types import FrameType

_Handler = Callable[[int, FrameType | None], object] | int


class Interrupts:
    """Keeps in mind that ^C was pressed, or that somebody asked the process to end."""

    def __init__(self) -> None:
        self._seen = False
        self._before: dict[signal.Signals, _Handler] | None = None

    def seen(self) -> bool:
        """Return whether it was; from the first call on it ends the program only the second time."""
        if self._before is None:
            self._before = {}
            with contextlib.suppress(ValueError):  # in a thread that signals do not come to
                self._listen(self._before)
        return self._seen

    def forget(self) -> None:
        """Let signals do what they did before."""
        before, self._before = self._before or {}, {}
        for number, handler in before.items():
            signal.signal(number, handler)

    def _listen(self, before: dict[signal.Signals, _Handler]) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            # What the caller has chosen to ignore stays so.
            if handler is not None and handler is not signal.SIG_IGN:
                before[number] = handler
                signal.signal(number, self._react)

    def _react(self, number: int, frame: FrameType | None) -> None:
        self._seen = True
        self.forget()
