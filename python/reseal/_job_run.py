"""Runs a job: options go in as JSON, a report comes out, and what went wrong is raised."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Sequence
from threading import Event as ThreadEvent
from typing import Any

from reseal._disk import PathLike, path_text
from reseal._errors import ResealError
from reseal._job_host import CallerError, JobHost
from reseal._job_report import Event, Report
from reseal._native import Manifest, _error, run_job

_FLAGS = (
    *("dry_run", "reopen", "reindex", "keys_only", "allow_plaintext", "share"),
    "early",
)
_NUMBERS = (
    *("batch", "rate", "pause_ms", "statement_timeout_ms", "sample"),
    *("max_refused", "verify_one_in", "max_passes", "worker_lease"),
)
# What all of them can hold.
_MOST = 2**32 - 1


class JobError(ResealError):
    """A job that could not go on. The same call goes on from what is committed.

    >>> import sqlite3
    >>> from reseal import jobs
    >>> manifest = reseal.Manifest.parse('''
    ... version = 1
    ... [[columns]]
    ... table = "users"
    ... column = "ssn"
    ... row_id = ["id"]
    ... write = "plain"
    ... ''')
    >>> try:
    ...     jobs.census(sqlite3.connect(":memory:"), manifest=manifest)
    ... except jobs.JobError as error:
    ...     print(error.code, error.report["end"])
    column-unsuitable failed
    """

    report: Report
    """What was done until then."""

    def __init__(self, code: str, message: str, report: Report) -> None:
        """Errors are made by the package; the arguments are what a pickle needs."""
        super().__init__(code, message)
        self.report = report

    def __reduce__(self) -> tuple[type[JobError], tuple[str, str, Report]]:
        """Return what a pickle needs."""
        return type(self), (self.code, str(self), self.report)


def walk(
    columns: Iterable[str] | None,
    batch: int | None,
    rate: int | None,
    pause_ms: int | None,
    statement_timeout_ms: int | None,
) -> dict[str, Any]:
    """Return the options of all that walk over tables.

    Errors: `invalid-argument` for columns that are none: what a filter left may not mean all.
    """
    named = [] if columns is None else _items(columns, "columns")
    if columns is not None and not named:
        raise _wrong("columns names none: leave it out for all columns of the manifest")
    return {
        "columns": named,
        "batch": batch,
        "rate": rate,
        "pause_ms": pause_ms,
        "statement_timeout_ms": statement_timeout_ms,
    }


def _items(given: Iterable[Any], name: str) -> list[Any]:
    if isinstance(given, (str, bytes)) or not hasattr(given, "__iter__"):
        raise _wrong(f"{name} is a list, not {type(given).__name__}")
    return list(given)


def row_ids(rows: Iterable[object]) -> list[str]:
    """Return the rows of a repair as the options have them."""
    return [_row_id(row) for row in _items(rows, "rows")]


def path_of(path: PathLike | None, name: str) -> str | None:
    """Return the path of a file, which is shown in messages."""
    return None if path is None else path_text(path, name)


def _row_id(row: object) -> str:
    """A row id as the options have it: a JSON list."""
    values = row if isinstance(row, Sequence) and not isinstance(row, (str, bytes)) else [row]
    return json.dumps([_row_value(value) for value in values])


def _row_value(value: object) -> str | dict[str, str]:
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise _wrong(f"a row id is text, an integer or bytes, not {type(value).__name__}")
    return str(value)


def run(
    command: str,
    database: object,
    options: dict[str, Any],
    on_event: Callable[[Event], object] | None,
    stop: Callable[[], object] | ThreadEvent | None,
) -> Any:
    """Run one of the commands, and return its report."""
    manifest = options.pop("manifest")
    if isinstance(manifest, Manifest):
        options["manifest_text"] = manifest._text
    elif manifest is not None:
        options["manifest"] = path_text(manifest, "manifest")
    if isinstance(database, str):
        options["database"] = database
    elif database is not None:
        options["connected"] = True
    asked = stop.is_set if isinstance(stop, ThreadEvent) else stop
    for name, called in (("stop", asked), ("on_event", on_event)):
        if called is not None and not callable(called):
            raise _wrong(f"{name} is a function, not {type(called).__name__}")
    host = JobHost(database, on_event, asked)
    document = _document(options)
    with contextlib.suppress(CallerError):
        run_job(command, document, host)
    if host.raised is not None:
        raise host.raised
    report, error = host.report(), host.error
    if error is None:
        return report
    if report is None:
        raise _error(error["code"], error["message"])
    raise JobError(error["code"], error["message"], report)


def _document(options: dict[str, Any]) -> str:
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        kind = type(value).__name__
        if name in _FLAGS and not isinstance(value, bool):
            raise _wrong(f"{name} is True or False, not {kind}")
        if name in _NUMBERS:
            if isinstance(value, bool) or not isinstance(value, int):
                raise _wrong(f"{name} is an integer, not {kind}")
            if not 0 <= value <= _MOST:
                raise _wrong(f"{name} is an integer from 0 to {_MOST}")
    try:
        return json.dumps(given)
    except (TypeError, ValueError):
        raise _wrong("columns are a list of text, and repair is text") from None


def _wrong(message: str) -> ResealError:
    return ResealError("invalid-argument", message)
