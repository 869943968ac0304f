"""The command `reseal`. What it does is native; here is what needs a runtime: files, streams, clock.

The same stands in `wasm/ts/cli-host.ts`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import stat
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager

from reseal._cli_terminal import ask_secret_elsewhere, without_echo
from reseal._disk import POSIX, named, quoted, shown, unreadable
from reseal._errors import KeyFileWarning
from reseal._files import create_private_file, file_facts, read_keyset, read_secret
from reseal._interrupts import Interrupts
from reseal._job_files import append_file, read_beginning, save_file
from reseal._native import run_command
from reseal._sources import read_key_files

#: A command is short: `typing`, and what only a few of them need, would take longer to import than it runs.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess

    from reseal._database import Database

INPUT, OUTPUT, ERRORS = 0, 1, 2
CHUNK_BYTES = 65_536
# With -m the folder that the command is called in would be searched for modules.
_WORKER = (
    "import sys; sys.path[:] = filter(None, sys.path);"
    " from reseal._cli import main; sys.exit(main())"
)
# Tells a worker who has started it.
_PARENT = "_RESEAL_PARENT"
# So long it takes at most until a pause ends after ^C.
_PAUSE_SECONDS = 0.05
# After ^C nothing waits longer.
_INTERRUPTED_MS = 20
# A file, a stream, the database or the command itself failed.
FAILED = 4
# As a shell reports a program that ^C, or a reader that went away, has ended.
INTERRUPTED, READER_GONE = 130, 141
_STREAMS = ("standard input", "standard output", "standard error")


class StreamError(Exception):
    """A standard stream failed; the sentence says which and how."""

    def __init__(self, stream: str) -> None:
        """The native part looks for the attribute."""
        super().__init__(stream)
        self.stream = stream


class ReaderGoneError(Exception):
    """The reader of our output went away, as `head` does."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command with the arguments of the process, and return its exit code."""
    if arguments is None:
        given = [_unicode(argument) for argument in sys.argv[1:]]
    else:
        given = [_without_escapes(shown(argument)) for argument in arguments]
    _open_closed_streams()
    host = Host()
    try:
        return run_command(given, host)
    except ReaderGoneError:
        return READER_GONE
    except KeyboardInterrupt:
        return _interrupted()
    except BaseException as error:  # a panic of the native part is no Exception
        host.write(ERRORS, _broken(error, as_json="--json" in given))
        return FAILED
    finally:
        host.interrupts.forget()


def _open_closed_streams() -> None:
    """Let a stream that the caller has closed be empty, so that no file takes its number."""
    for stream in (INPUT, OUTPUT, ERRORS):
        try:
            os.fstat(stream)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _interrupted() -> int:
    """End as a program does that ^C ends, so that a script around it ends as well."""
    if POSIX:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return INTERRUPTED


def _broken(error: BaseException, *, as_json: bool) -> bytes:
    """Tell what nobody foresaw by its kind and its places alone: its message may hold a value."""
    import json
    from traceback import extract_tb

    frames = reversed(extract_tb(error.__traceback__))
    places = [f"at {frame.name} ({frame.filename}:{frame.lineno})" for frame in frames]
    message = " ".join(["the command broke:", _name_of(error), *places])
    said = {"code": "unexpected", "message": message, "exit": FAILED}
    text = json.dumps({"error": said}) if as_json else f"error: {message} [unexpected]"
    return f"{text}\n".encode("utf-8", "replace")


def _unicode(text: str) -> str:
    """Return text of the system as Node does: UTF-8 in every locale, with U+FFFD for what is none."""
    return os.fsencode(text).decode("utf-8", "replace")


def _is_left_alone() -> bool:
    """Whether this is a worker whose parent has ended. Elsewhere the parent may be a launcher."""
    parent = os.environ.get(_PARENT)
    return POSIX and parent is not None and parent != str(os.getppid())


def _without_escapes(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class Host:
    """What the native part asks for. The methods are those of the trait `Host` of the crate `cli`."""

    def __init__(self) -> None:
        """Nothing is open, nothing was said."""
        self._warnings: list[str] = []
        self._workers: list[subprocess.Popen[bytes]] = []
        self.interrupts = Interrupts()

    def variable(self, name: str) -> str | None:
        """Return an environment variable."""
        value = os.environ.get(named(name))
        return None if value is None else _unicode(value)

    def variable_names(self) -> list[str]:
        """Return the names of the variables that may concern us."""
        return [_unicode(name) for name in os.environ if name.startswith("RESEAL")]

    def read_secret(self, path: str, named_by: str | None) -> bytes:
        """Return the content of a file with a secret."""
        with self._warnings_kept():
            return read_secret(named(path), named_by, pipes=True)

    def read_key_directory(self, path: str, named_by: str) -> list[tuple[str, bytes]]:
        """Return names and contents of the files of a key directory."""
        with self._warnings_kept():
            return read_key_files(named(path), named_by)

    def file_facts(self, path: str) -> tuple[int, bool, int | None, int] | None:
        """Return kind (0 file, 1 directory, 2 other), link, mode and time; None for nothing."""
        path = named(path)
        try:
            status = os.stat(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise unreadable(path, None, error) from None
        facts = file_facts(path)
        kind = 0 if stat.S_ISREG(status.st_mode) else 1 if stat.S_ISDIR(status.st_mode) else 2
        return kind, facts.is_link, facts.mode, max(0, int(status.st_mtime))

    def read_keyset(self, path: str, named_by: str | None) -> bytes:
        """Return the content of a keyset file."""
        return read_keyset(named(path), named_by)

    def read_beginning(self, path: str) -> bytes:
        """Return the first bytes of a file that is no secret."""
        path = named(path)
        try:
            return read_beginning(path)
        except (OSError, ValueError) as error:
            raise unreadable(path, None, error) from None

    def save_keyset(self, path: str, loaded: bytes | None, document: bytes) -> None:
        """Replace a keyset file, or create it."""
        from reseal._save import save_keyset

        save_keyset(named(path), loaded, document)

    def create_private_file(self, path: str, content: bytes) -> None:
        """Create a file that only its owner may read."""
        with self._warnings_kept():
            create_private_file(named(path), content)

    def save_file(self, path: str, content: bytes) -> None:
        """Replace a file that is no secret, all or nothing."""
        with _written(named(path)):
            save_file(named(path), content)

    def append_file(self, path: str, content: bytes, is_new: bool) -> None:
        """Append to a file that is no secret, or begin it anew."""
        with _written(named(path)):
            append_file(named(path), content, is_new=is_new)

    def read_input(self) -> bytes:
        """Return what comes next on standard input; nothing at its end."""
        return _read(INPUT, CHUNK_BYTES)

    def is_terminal(self, stream: int) -> bool:
        """Whether a person sits at a stream."""
        return os.isatty(stream)

    def ask_secret(self, question: str) -> str | None:
        """Return what a person types and nobody sees; None without a terminal."""
        if not POSIX:
            return ask_secret_elsewhere(question)
        try:
            terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
        except OSError:
            return None
        try:
            with without_echo(terminal):
                os.write(terminal, question.encode())
                try:
                    return _text(_read_line(terminal)[0])
                finally:
                    os.write(terminal, b"\n")
        finally:
            os.close(terminal)

    def ask(self, question: str) -> str:
        """Return the line that a person answers."""
        self.write(ERRORS, question.encode())
        ended = False
        try:
            line, ended = _read_line(INPUT)
        finally:
            if not ended:  # nobody has pressed return
                self.write(ERRORS, b"\n")
        return _text(line)

    def write(self, stream: int, content: bytes) -> None:
        """Write all to a stream. Nobody could be told that standard error fails."""
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[_write(stream, rest) :]
        except BrokenPipeError:
            if stream == OUTPUT:
                raise ReaderGoneError from None
        except OSError as error:
            if stream == OUTPUT:
                raise _stream_error(stream, "written", error) from None

    def loses_output(self) -> bool:
        """Whether standard output is closed, or the null device."""
        status = os.fstat(OUTPUT)
        # A closed one was made the null device.
        nothing = os.stat(os.devnull)
        is_same = stat.S_ISCHR(status.st_mode) and status.st_rdev == nothing.st_rdev
        return POSIX and is_same

    def take_warnings(self) -> list[str]:
        """Return what there is to say of the files that were read."""
        said, self._warnings = self._warnings, []
        return said

    def start_worker(self, arguments: list[str], database: str | None) -> None:
        """Start another process of this command, which only says what went wrong."""
        import subprocess

        more = {_PARENT: str(os.getpid())}
        if database is not None:
            more["RESEAL_DATABASE_URL"] = named(database)
        try:
            worker = subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", _WORKER, *map(named, arguments)],
                env={**os.environ, **more},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        except OSError as error:
            message = f"a worker cannot be started ({_name_of(error)})"
            raise StreamError(message) from None
        self._workers.append(worker)

    def ended_workers(self) -> list[int]:
        """Return the exit codes of those that ended since this was asked last."""
        ended = [worker for worker in self._workers if worker.poll() is not None]
        self._workers = [worker for worker in self._workers if worker not in ended]
        # As a shell reports a program that a signal ended.
        codes = [worker.returncode for worker in ended]
        return [min(code if code >= 0 else 128 - code, 255) for code in codes]

    def stop_workers(self) -> None:
        """Let those that run end their batches."""
        for worker in self._workers:
            worker.terminate()

    def interrupted(self) -> bool:
        """Whether ^C was pressed; from the first call on it ends the program only the second time.

        To a worker it is the same that who started it has ended: nobody else would stop it.
        """
        return self.interrupts.seen() or _is_left_alone()

    def milliseconds(self) -> int:
        """Return the milliseconds of a clock that never goes back."""
        return time.monotonic_ns() // 1_000_000

    def now(self) -> int:
        """Return the seconds since 1970."""
        return int(time.time())

    def connect(self, url: str | None) -> Database:
        """Return the database of a URL."""
        from reseal import _database  # other commands need none

        return _database.connect(url or "")

    def sleep(self, milliseconds: int) -> None:
        """Wait, not long once ^C is pressed."""
        if self.interrupted():
            milliseconds = min(milliseconds, _INTERRUPTED_MS)
            time.sleep(milliseconds / 1000)
            return
        end = time.monotonic() + milliseconds / 1000
        while (rest := end - time.monotonic()) > 0 and not self.interrupted():
            time.sleep(min(rest, _PAUSE_SECONDS))

    def _warnings_kept(self) -> AbstractContextManager[None]:
        return _warnings_into(self._warnings)


@contextlib.contextmanager
def _warnings_into(said: list[str]) -> Iterator[None]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", KeyFileWarning)
        try:
            yield
        finally:
            said += [str(warning.message) for warning in caught]


def _read(stream: int, length: int) -> bytes:
    while True:
        try:
            return os.read(stream, length)
        except BlockingIOError:
            select.select([stream], [], [])
        except OSError as error:
            raise _stream_error(INPUT, "read", error) from None


def _read_line(stream: int) -> tuple[bytes, bool]:
    """Return a line without its end, and whether it had one; read no more than that."""
    line = bytearray()
    while (byte := _read(stream, 1)) not in (b"", b"\n"):
        line += byte
    return bytes(line.removesuffix(b"\r")), byte != b""


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeError:
        raise StreamError("the answer is no text (UTF-8)") from None


def _write(stream: int, content: memoryview) -> int:
    try:
        return os.write(stream, content)
    except BlockingIOError:
        select.select([], [stream], [])
        return 0


@contextlib.contextmanager
def _written(path: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise StreamError(f"{quoted(path)} cannot be written ({_name_of(error)})") from None


def _stream_error(stream: int, done: str, error: OSError) -> StreamError:
    return StreamError(f"{_STREAMS[stream]} cannot be {done} ({_name_of(error)})")


def _name_of(error: BaseException) -> str:
    return errno.errorcode.get(getattr(error, "errno", None) or 0, type(error).__name__)
