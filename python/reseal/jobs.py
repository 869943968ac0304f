"""The bulk job: every stored value of a database brought to the codec that its column writes.

Encrypting, rotating a key, moving to another format and going back are all `apply`. `census` and
`discover` tell what is there and need no key, `plan` tells what `apply` would do, `verify` opens
everything, and `retire` proves that a key or a codec may go. They are the commands of the same names, with the same options and reports.

>>> import os, sqlite3
>>> import reseal
>>> from reseal import jobs
>>> os.environ["TOKENS_KEY"] = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
>>> manifest = reseal.Manifest.parse('''
... version = 1
... [codecs.tokens]
... kind = "fernet"
... keys = ["env:TOKENS_KEY"]
... [[columns]]
... table = "users"
... column = "token"
... row_id = ["id"]
... write = "tokens"
... read = ["plain"]
... ''')
>>> database = sqlite3.connect(":memory:")
>>> _ = database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, token TEXT)")
>>> _ = database.execute("INSERT INTO users VALUES (1, 'a'), (2, 'b')")
>>> database.commit()
>>> report = jobs.apply(database, manifest=manifest)
>>> report["end"], report["columns"][0]["total"]["resealed"][0]["values"]
('complete', 2)

What all of them take:

- `database`: a URL such as `postgresql://…`, `mysql://…` or `sqlite:///file`, or a connection of
  psycopg 3, PyMySQL, mysqlclient or sqlite3, or an engine or a connection of SQLAlchemy, which is in
  no transaction. A connection stays open, gets its settings back, and is used in the thread that
  calls. The default is the variable `RESEAL_DATABASE_URL`.
- `manifest`: a path, or a `reseal.Manifest`.
- `columns`: only these of the manifest, as `table.column`. An empty list is refused: it is not all of them.
- `batch`, `rate`, `pause_ms`: the most rows of a batch (1 to 5000, usually 500), the most rows that
  are read in a second, and a pause after each batch.
- `statement_timeout_ms`: how long a statement may take.
- `on_event`: is called with each `Event`. What it raises ends the job, and is raised.
- `stop`: a function or a `threading.Event`; once it is true the job finishes its batch, and ends as
  `stopped`.

Errors are `reseal.ResealError`, those of the keys and of the manifest among them; `invalid-argument`
for options; `engine-unsupported` where a driver is missing; `database-error` where there is no
database. A job that could not go on raises `JobError`, with the report of what it did. What an
interrupted job has committed stays, and the next call goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from threading import Event as _ThreadEvent
from typing import Literal

from reseal import _job_report
from reseal._errors import ResealError
from reseal._job_report import (
    BeganEvent,
    ColumnReport,
    Counts,
    Discovered,
    DiscoveredValues,
    DiscoverReport,
    Event,
    Extent,
    Finding,
    Found,
    KeyEvent,
    Kind,
    Length,
    Moved,
    ProgressEvent,
    RefusedEvent,
    Report,
    ReportedError,
    ResumedEvent,
    RetireReport,
    RetryEvent,
    Share,
    TermCount,
    WaitingEvent,
)
from reseal._job_run import JobError, path_of, row_ids, run, walk
from reseal._native import Manifest

__all__ = [
    "BeganEvent",
    "ColumnReport",
    "Counts",
    "DiscoverReport",
    "Discovered",
    "DiscoveredValues",
    "Event",
    "Extent",
    "Finding",
    "Found",
    "JobError",
    "KeyEvent",
    "Kind",
    "Length",
    "Moved",
    "ProgressEvent",
    "RefusedEvent",
    "Report",
    "ReportedError",
    "ResumedEvent",
    "RetireReport",
    "RetryEvent",
    "Share",
    "TermCount",
    "WaitingEvent",
    "apply",
    "census",
    "discover",
    "plan",
    "retire",
    "verify",
]

_Path = str | PathLike[str]
_OnEvent = Callable[[Event], object] | None
_Stop = Callable[[], object] | _ThreadEvent | None
_RowId = int | str | bytes | Sequence[int | str | bytes]


def census(
    database: object = None,
    *,
    manifest: _Path | Manifest = "reseal.toml",
    columns: Iterable[str] | None = None,
    sample: int | None = None,
    keys_only: bool = False,
    batch: int | None = None,
    rate: int | None = None,
    pause_ms: int | None = None,
    statement_timeout_ms: int | None = None,
    on_event: _OnEvent = None,
    stop: _Stop = None,
) -> Report:
    """Count the values of each column by codec, key and mode. It needs no key and writes nothing.

    With `sample` it reads one row of so many, as the database picks them. With `keys_only` it counts
    columns of envelopes in the database, by their public start, and reads no value.

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
    >>> database = sqlite3.connect(":memory:", isolation_level=None)
    >>> _ = database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT)")
    >>> _ = database.execute("INSERT INTO users VALUES (1, '078-05-1120'), (2, NULL)")
    >>> total = jobs.census(database, manifest=manifest)["columns"][0]["total"]
    >>> total["found"][0]["in"]["codec"], total["found"][0]["values"], total["null"]
    ('plain', 1, 1)

    Errors: those of all jobs, see `reseal.jobs`.
    """
    options = {
        **walk(columns, batch, rate, pause_ms, statement_timeout_ms),
        "manifest": manifest,
        "sample": sample,
        "keys_only": keys_only,
    }
    report: Report = run("census", database, options, on_event, stop)
    return report


def discover(
    database: object = None,
    *,
    manifest: _Path | Manifest | None = None,
    statement_timeout_ms: int | None = None,
    on_event: _OnEvent = None,
    stop: _Stop = None,
) -> DiscoverReport:
    """List columns that hold what looks encrypted, or like a key, and are not in the manifest.

    It looks at 200 values of each column, needs no key and writes nothing. Where nothing is said the
    manifest is that of `reseal.toml`, if there is one.

    >>> import sqlite3
    >>> from reseal import jobs
    >>> database = sqlite3.connect(":memory:", isolation_level=None)
    >>> _ = database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT)")
    >>> stored = reseal.Keyring(reseal.Key.generate("data")).seal("078-05-1120", {})
    >>> _ = database.execute("INSERT INTO users VALUES (1, ?)", [stored])
    >>> found = jobs.discover(database)["discovered"][0]
    >>> found["column"], found["found"][0]["in"]["codec"]
    ('ssn', 'reseal')

    Errors: those of all jobs, see `reseal.jobs`.
    """
    options = {"manifest": manifest, "statement_timeout_ms": statement_timeout_ms}
    report: DiscoverReport = run("discover", database, options, on_event, stop)
    return report


def plan(
    database: object = None,
    *,
    manifest: _Path | Manifest = "reseal.toml",
    columns: Iterable[str] | None = None,
    sample: int | None = None,
    batch: int | None = None,
    rate: int | None = None,
    pause_ms: int | None = None,
    statement_timeout_ms: int | None = None,
    on_event: _OnEvent = None,
    stop: _Stop = None,
) -> Report:
    """Tell what `apply` would do, and what stands in its way. It writes nothing.

    Each column of the report has its `length`, and `findings` such as `column-too-short`. With
    `sample` it reads one row of so many.

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
    >>> database = sqlite3.connect(":memory:", isolation_level=None)
    >>> _ = database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT)")
    >>> _ = database.execute("INSERT INTO users VALUES (1, '078-05-1120')")
    >>> jobs.plan(database, manifest=manifest)["columns"][0]["total"]["current"]
    1

    Errors: those of all jobs, see `reseal.jobs`; what is in the way of a column is no error.
    """
    options = {
        **walk(columns, batch, rate, pause_ms, statement_timeout_ms),
        "manifest": manifest,
        "sample": sample,
    }
    report: Report = run("plan", database, options, on_event, stop)
    return report


def apply(
    database: object = None,
    *,
    manifest: _Path | Manifest = "reseal.toml",
    columns: Iterable[str] | None = None,
    dry_run: bool = False,
    reopen: bool = False,
    reindex: bool = False,
    repair: Literal["unwrap", "keep"] | None = None,
    rows: Iterable[_RowId] = (),
    allow_plaintext: bool = False,
    max_refused: int | None = None,
    refused: _Path | None = None,
    checkpoint: Literal["table", "none"] | _Path = "table",
    verify_one_in: int | None = None,
    max_passes: int | None = None,
    share: bool = False,
    worker_lease: int | None = None,
    batch: int | None = None,
    rate: int | None = None,
    pause_ms: int | None = None,
    statement_timeout_ms: int | None = None,
    on_event: _OnEvent = None,
    stop: _Stop = None,
) -> Report:
    """Reseal every value to the codec that its column writes.

    A value that changes meanwhile is never overwritten, and one that cannot be opened stays as it
    is. `reopen` reseals current values too that were sealed with an earlier context, `reindex`
    writes the terms of their blind indexes. `repair` mends the named `rows` alone, each a value or
    a list of values: `unwrap` seals once what was encrypted twice, `keep` seals the plaintext that
    looks sealed.

    - `dry_run`: compute everything and write nothing.
    - `allow_plaintext`: a column that writes plaintext is refused without it.
    - `max_refused`: end as `too-many-refused` when more values than this cannot be opened.
    - `refused`: a file that they are listed in, as lines of JSON, without the values.
    - `checkpoint`: where it stands how far the job is: in the `table` reseal_jobs, in a file, or
      `none`.
    - `verify_one_in`: read back one of so many resealed values, usually 100; 0 for none.
    - `max_passes`: the most passes over the tables, usually 10.
    - `share`: do the job together with other calls, and commands, that say so: in other threads and
      processes, and on other machines. Each works on ranges of rows that are leased to it, and
      reports the whole job.
    - `worker_lease`: with `share`, after so many seconds without a word a worker is taken for dead,
      usually 60.

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
    >>> database = sqlite3.connect(":memory:", isolation_level=None)
    >>> _ = database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT)")
    >>> _ = database.execute("INSERT INTO users VALUES (1, '078-05-1120')")
    >>> report = jobs.apply(database, manifest=manifest, dry_run=True)
    >>> report["end"], report["columns"][0]["total"]["current"]
    ('complete', 1)

    Errors: those of all jobs, see `reseal.jobs`; `encryption-required` for a column that writes
    plaintext where `RESEAL_REQUIRE_ENCRYPTION` is set; as `JobError` also `job-conflict`,
    `verification-failed` and `column-unsuitable`; `OSError` for a file that cannot be written.
    """
    options = {
        **walk(columns, batch, rate, pause_ms, statement_timeout_ms),
        "manifest": manifest,
        "dry_run": dry_run,
        "reopen": reopen,
        "reindex": reindex,
        "repair": repair,
        "rows": row_ids(rows),
        "allow_plaintext": allow_plaintext,
        "max_refused": max_refused,
        "refused": path_of(refused, "refused"),
        "checkpoint": None if checkpoint == "table" else path_of(checkpoint, "checkpoint"),
        "verify_one_in": verify_one_in,
        "max_passes": max_passes,
        "share": share,
        "worker_lease": worker_lease,
    }
    report: Report = run("apply", database, options, on_event, stop)
    return report


def verify(
    database: object = None,
    *,
    manifest: _Path | Manifest = "reseal.toml",
    columns: Iterable[str] | None = None,
    sample: int | None = None,
    max_refused: int | None = None,
    refused: _Path | None = None,
    batch: int | None = None,
    rate: int | None = None,
    pause_ms: int | None = None,
    statement_timeout_ms: int | None = None,
    on_event: _OnEvent = None,
    stop: _Stop = None,
) -> Report:
    """Open every value, with all codecs and keys that its column reads. It writes nothing.

    With `sample` it reads one row of so many; `max_refused` and `refused` are those of `apply`.

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
    >>> database = sqlite3.connect(":memory:", isolation_level=None)
    >>> _ = database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT)")
    >>> _ = database.execute("INSERT INTO users VALUES (1, '078-05-1120')")
    >>> total = jobs.verify(database, manifest=manifest)["columns"][0]["total"]
    >>> total["found"][0]["values"], total["refused"]
    (1, {})

    Errors: those of all jobs, see `reseal.jobs`; `OSError` for a file that cannot be written. A value that does not open is no error.
    """
    options = {
        **walk(columns, batch, rate, pause_ms, statement_timeout_ms),
        "manifest": manifest,
        "sample": sample,
        "max_refused": max_refused,
        "refused": path_of(refused, "refused"),
    }
    report: Report = run("verify", database, options, on_event, stop)
    return report


def retire(
    target: str,
    database: object = None,
    *,
    manifest: _Path | Manifest = "reseal.toml",
    early: bool = False,
    batch: int | None = None,
    rate: int | None = None,
    pause_ms: int | None = None,
    statement_timeout_ms: int | None = None,
    on_event: _OnEvent = None,
    stop: _Stop = None,
) -> RetireReport:
    """Prove that nothing needs a codec or a key any more, and disable the key.

    `target` is the name of a codec of the manifest, or the id of a key or its first 4 characters or
    more. A codec may go when every value opens without it. A key may go when no value and no term
    of any column is under it: one of a keyset is disabled then, and enabled again where a second
    count finds something. Before that a lease passes since the key sealed; with `early` it does not
    wait. Whatever ends as `in-use` or `stopped` has changed nothing.

    >>> import os, sqlite3
    >>> from reseal import jobs
    >>> manifest = reseal.Manifest.parse('''
    ... version = 1
    ... [codecs.tokens]
    ... kind = "fernet"
    ... keys = ["env:TOKENS_KEY"]
    ... [[columns]]
    ... table = "users"
    ... column = "token"
    ... row_id = ["id"]
    ... write = "tokens"
    ... read = ["plain"]
    ... ''')
    >>> os.environ["TOKENS_KEY"] = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
    >>> database = sqlite3.connect(":memory:", isolation_level=None)
    >>> _ = database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, token TEXT)")
    >>> _ = database.execute("INSERT INTO users VALUES (1, 'a')")
    >>> jobs.retire("plain", database, manifest=manifest)["end"]
    'in-use'
    >>> _ = jobs.apply(database, manifest=manifest)
    >>> jobs.retire("plain", database, manifest=manifest)["end"]
    'complete'

    Errors: those of all jobs, see `reseal.jobs`; those of the keys, as `keyset-conflict` and
    `kek-mismatch`; `still-in-use` for a key that seals and a codec that a column writes.
    """
    if not isinstance(target, str):
        raise ResealError("invalid-argument", f"target is text, not {type(target).__name__}")
    options = {
        **walk(None, batch, rate, pause_ms, statement_timeout_ms),
        "manifest": manifest,
        "target": target,
        "early": early,
    }
    report: RetireReport = run("retire", database, options, on_event, stop)
    return report


JobError.__module__ = __name__
for _name in __all__:
    if hasattr(_job_report, _name) and _name != "Event":
        getattr(_job_report, _name).__module__ = __name__
