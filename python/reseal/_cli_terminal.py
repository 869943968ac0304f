"""The terminal of the command, where a secret is typed and not seen.

The same stands in `wasm/ts/cli-terminal.ts`.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from types import FrameType

_INPUT = 0


@contextlib.contextmanager
def without_echo(terminal: int) -> Iterator[None]:
    """Let nobody see what is typed."""
    import termios  # Windows has none

    before = termios.tcgetattr(terminal)
    silent = [*before]
    silent[3] &= ~termios.ECHO

    def hide() -> None:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)

    def show() -> None:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)

    with _signals_show(show, hide):
        hide()
        try:
            yield
        finally:
            show()


@contextlib.contextmanager
def _signals_show(show: Callable[[], None], hide: Callable[[], None]) -> Iterator[None]:
    """Let a terminal echo again before a signal ends this process, or stops it for a while."""

    def react(number: int, frame: FrameType | None) -> None:
        show()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        # Here it goes on after a stop, such as by ^Z and fg.
        signal.signal(number, react)
        hide()

    numbers = [signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP]
    # What the caller has chosen to ignore, as nohup does, stays so.
    numbers = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, react)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def ask_secret_elsewhere(question: str) -> str | None:
    """Ask where there is no terminal of POSIX."""
    import getpass

    return getpass.getpass(question) if os.isatty(_INPUT) else None
