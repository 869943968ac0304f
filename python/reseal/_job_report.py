"""What jobs tell: reports, and events on the way. They are the JSON documents of the command."""

from __future__ import annotations

from typing import Literal, TypedDict

# Names that are words of Python can only be written so.
_InKind = TypedDict("_InKind", {"in": "Kind"})
_FromKind = TypedDict("_FromKind", {"from": "Kind"})
_InPass = TypedDict("_InPass", {"pass": int})


class Kind(TypedDict):
    """What a value is in: the codec, the key, and the variant of the format."""

    codec: str
    """The name of the codec in the manifest."""
    key: str | None
    """The key, where it is known."""
    scheme: str
    """The variant, such as `random`."""


class Found(_InKind):
    """How many values are `in` what, and how large they are."""

    sure: bool
    """Whether the format has a mark of its own; without one the values may be something else."""
    values: int
    """How many."""
    bytes: int
    """Their bytes, as they are stored."""


class Moved(_FromKind):
    """How many values went `from` what to what."""

    to: Kind
    """What they are in now."""
    values: int
    """How many."""


class Counts(TypedDict):
    """What was counted: `scanned` is the sum of the others but `raced` and `verified`."""

    scanned: int
    """Values that were read."""
    null: int
    """Those that are NULL."""
    current: int
    """Those that are as the column writes them."""
    reindexed: int
    """Those whose terms of blind indexes alone were written, or are to be."""
    resealed: list[Moved]
    """Those that were resealed, or are to be."""
    refused: dict[str, int]
    """Those that stay as they are, by the code of the error."""
    gone: int
    """Those of rows that were deleted meanwhile."""
    left: int
    """Those that changed so often that the next pass takes them."""
    raced: int
    """How often a row changed between read and write, and was taken again."""
    verified: int
    """Resealed values that were read back."""
    found: list[Found]
    """Those that a census recognised, or that verify opened."""


class Length(TypedDict):
    """How long the values of a column are, in characters; of a column of bytes in bytes."""

    longest: int
    """That of the longest value."""
    needed: int
    """That of the longest new value among those that were read."""
    bound: int | None
    """What a new value takes at most, where the codec can tell."""
    allowed: int | None
    """What the column takes, where that is limited."""


class Finding(TypedDict):
    """Something that a person should know of a column."""

    code: str
    """Such as `column-too-short`, `column-unsuitable` or `key-index`."""
    message: str
    """A sentence about it, without any value."""


class TermCount(TypedDict):
    """How many terms of a blind index are under one key."""

    index: str
    """The name of the index."""
    column: str
    """The column of the terms."""
    key: str | None
    """The first 8 characters of the id of the index key; None for what is no term."""
    values: int
    """How many."""


class _AnyColumn(TypedDict):
    table: str
    column: str
    total: Counts
    passes: list[Counts]


class ColumnReport(_AnyColumn, total=False):
    """What was counted of a column: in `total`, and in each of the `passes` over its table."""

    path: str
    """The path into its documents, where it has one."""
    terms: list[TermCount]
    """What `census` counted of the terms of its blind indexes; NULL is not counted."""
    length: Length
    """What `plan` measured."""
    findings: list[Finding]
    """What a person should know."""


class DiscoveredValues(_InKind):
    """How many values of a column look as if they were `in` what."""

    values: int
    """How many."""


class _AnyDiscovered(TypedDict):
    table: str
    """The table, with its schema where it is not the usual one."""
    column: str
    """The column."""
    values: int
    """Values that were looked at."""
    key_like: int
    """Those that start like a key."""
    found: list[DiscoveredValues]
    """In what how many of them are, by the kind of the codec."""


class Discovered(_AnyDiscovered, total=False):
    """A column that the manifest does not name, and that holds what looks encrypted."""

    path: str
    """Where in its JSON documents."""


class ReportedError(TypedDict):
    """Why a job could not go on."""

    code: str
    """One of `reseal.ERROR_CODES`."""
    message: str
    """A sentence for a person."""


class _AnyReport(TypedDict):
    work: Literal["apply", "reopen", "verify", "census", "plan", "discover", "unwrap", "keep"]
    end: Literal["complete", "stopped", "too-many-refused", "unsettled", "failed"]
    dry_run: bool
    columns: list[ColumnReport]
    milliseconds: int


class Report(_AnyReport, total=False):
    """What a job did: its `work`, how it came to its `end`, and what it counted in the `columns`.

    `complete`: the last pass found nothing to do. `stopped`, `too-many-refused` and `unsettled`
    (somebody writes old values) can be gone on with by the same call. `failed` is in the report of
    a `JobError` alone.
    """

    sample_one_in: int
    """Of so many rows one was read."""
    error: ReportedError
    """Why it could not go on, where it ended as `failed`."""


class DiscoverReport(Report):
    """What `discover` found."""

    discovered: list[Discovered]
    """The columns that hold what looks encrypted."""
    unread: list[str]
    """The columns that this user may not read, and that were not looked at: `table.column`."""


class _AnyShare(TypedDict):
    table: str
    column: str
    values: int
    """How many."""


class Share(_AnyShare, total=False):
    """Values of a column, or terms of one of its blind indexes."""

    path: str
    """The path into its documents, where it has one."""
    index: str
    """The index, where these are terms."""
    code: str
    """Why the values do not open, or are not recognised."""


class _AnyRetireReport(TypedDict):
    work: Literal["retire"]
    end: Literal["complete", "in-use", "stopped"]
    target: str
    """The name of the codec, or the whole id of the key."""
    kind: Literal["codec", "key"]
    left: list[Share]
    """What still needs it."""
    unrecognized: list[Share]
    """What shows no key, so that this one opens none of it."""
    plain_unused: list[Share]
    """The columns that read `plain`, and of which no value is plaintext."""
    next: list[str]
    """What is to be done next."""
    columns: list[ColumnReport]
    """What was counted last."""
    milliseconds: int


class RetireReport(_AnyRetireReport, total=False):
    """What came of a retirement.

    `complete`: nothing needs it. `in-use`: something does, and nothing is changed. `stopped`: it was
    asked to stop, and nothing is changed.
    """

    action: Literal["disabled", "enabled-again"]
    """What was done to a key of a keyset: it is enabled again where somebody wrote meanwhile."""
    state: Literal["introduced", "decrypt_only", "disabled", "destroyed"]
    """The state of the key, where it is known."""
    database: str
    """The URL of the database in which it was counted, without the password."""
    keyset: str
    """The path of the keyset in which the key is disabled."""


class ProgressEvent(_InPass):
    """How far a job is: at most one a second."""

    event: Literal["progress"]
    table: str
    """The table that is walked."""
    rows: int
    """Rows that this run has read."""
    total: int | None
    """About all rows of the first pass, where that is known."""
    resealed: int
    """Values that it has resealed."""
    rows_per_second: int
    seconds_left: int | None
    """About how long it takes yet, where that is known."""


class Extent(TypedDict):
    """A table that each pass reads."""

    table: str
    rows: int | None
    """About how many rows it has, where the database knows."""


class BeganEvent(TypedDict):
    """The tables were looked at, and the first batch comes next."""

    event: Literal["began"]
    tables: list[Extent]
    """In their order; one that is read in several ways stands here several times."""


class ResumedEvent(_InPass):
    """The job goes on from where an earlier run stopped."""

    event: Literal["resumed"]
    rows: int | None
    """Rows that earlier runs have read in this pass, where that is known."""


class RetryEvent(TypedDict):
    """The database did not do something, and it is tried again."""

    event: Literal["retry"]
    database_code: str
    """The code of the database."""
    attempts: int
    """How often it was tried."""


class _AnyRefusedEvent(_InPass):
    event: Literal["refused"]
    table: str
    column: str
    row_id: list[str]
    """A text for each column of the row id; bytes in hexadecimal."""
    code: str
    """Why: one of `reseal.ERROR_CODES`."""


class RefusedEvent(_AnyRefusedEvent, total=False):
    """A value that stays as it is."""

    path: str
    """Where it stands in a JSON document."""


class WaitingEvent(TypedDict):
    """A retirement waits until a lease has passed; it is told each second."""

    event: Literal["waiting"]
    seconds_left: int


class KeyEvent(TypedDict):
    """A retirement has disabled a key, or enabled it again."""

    event: Literal["disabled", "enabled"]
    key: str
    """Its id."""


Event = (
    BeganEvent | ProgressEvent | ResumedEvent | RetryEvent | RefusedEvent | WaitingEvent | KeyEvent
)
