"""What a job needs of Python when a program calls it: nothing is read or written but its files."""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from reseal import _database
from reseal._cli import OUTPUT, Host
from reseal._database import Database
from reseal._job_files import append_file, save_file
from reseal._job_report import Event


class CallerError(BaseException):
    """What a function of the caller raised: no error of the job, whatever its attributes say."""


class JobHost(Host):
    """Nobody sits at a terminal, no signal is caught, and what is said is kept or passed on."""

    def __init__(
        self,
        connection: object,
        on_event: Callable[[Event], object] | None,
        stop: Callable[[], object] | None,
    ) -> None:
        super().__init__()
        self._connection = connection
        self._on_event = on_event
        self._stop = stop
        self._output = bytearray()
        self.error: dict[str, Any] | None = None
        """The error that the job ended with: its code and message."""
        self.raised: BaseException | None = None
        """What a function of the caller raised."""

    def report(self) -> Any:
        """Return what came to standard output; None where there is nothing."""
        return json.loads(self._output) if self._output else None

    def write(self, stream: int, content: bytes) -> None:
        """Take what is said: a report, or one document on each line."""
        if stream == OUTPUT:
            self._output += content
            return
        for line in content.splitlines():
            self._tell(json.loads(line))

    def _tell(self, said: Any) -> None:
        if "event" in said:
            if self._on_event is not None:
                with self._called():
                    self._on_event(said)
        elif "warning" in said:
            warnings.warn(said["warning"], UserWarning, stacklevel=4)
        else:
            self.error = said["error"]

    def connect(self, url: str | None) -> Database:
        """Return the database of a URL, or the one behind the connection of the caller."""
        return _database.of(self._connection) if url is None else _database.connect(url)

    def interrupted(self) -> bool:
        """Whether the caller wants it to stop."""
        if self._stop is None:
            return False
        with self._called():
            return bool(self._stop())

    def save_file(self, path: str, content: bytes) -> None:
        """Replace the file of the checkpoint. Errors: those of the system, for the caller."""
        save_file(path, content)

    def append_file(self, path: str, content: bytes, is_new: bool) -> None:
        """Append to the file of refused values. Errors: those of the system, for the caller."""
        append_file(path, content, is_new=is_new)

    def read_input(self) -> bytes:
        """Return nothing: there is no input."""
        return b""

    def is_terminal(self, stream: int) -> bool:
        """Nobody sits there."""
        return False

    def ask_secret(self, question: str) -> str | None:
        """Nobody can be asked."""
        return None

    def ask(self, question: str) -> str:
        """Nobody can be asked."""
        return ""

    def loses_output(self) -> bool:
        """What is said is not lost."""
        return False

    @contextlib.contextmanager
    def _called(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.raised = error
        # Not in the handler: what is raised is to be as the caller raised it.
        if self.raised is not None:
            raise CallerError

    def _warnings_kept(self) -> AbstractContextManager[None]:
        """A warning about a file is one of Python."""
        return contextlib.nullcontext()
