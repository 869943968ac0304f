"""SQLite, through Python's own module."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from typing import Any, ClassVar, cast

from reseal._database_base import (
    Cell,
    Database,
    DatabaseError,
    Failure,
    Param,
    Row,
    Source,
    unusable,
)
from reseal._database_url import Target
from reseal._disk import named

_BUSY_SECONDS = 5
_CANNOT_OPEN = "14"
_FROM_TRIGGER = 1811
_NO_DATABASE = 26
_LEGACY = -1
_CELLS = frozenset((type(None), int, str, bytes))
# Python 3.10 does not tell the code; these are its messages.
_CODES = {
    "database is locked": 5,
    "database table is locked": 6,
    "attempt to write a readonly database": 8,
    "disk I/O error": 10,
    "database disk image is malformed": 11,
    "database or disk is full": 13,
    "unable to open database file": 14,
    "file is not a database": 26,
    "UNIQUE constraint failed": 2067,
    "NOT NULL constraint failed": 1299,
    "CHECK constraint failed": 275,
    "FOREIGN KEY constraint failed": 787,
    "constraint failed": 19,
    "datatype mismatch": 20,
    "cannot store ": 3091,
}


def open_sqlite(target: Target) -> sqlite3.Connection:
    """Open a file that is there: a job that makes an empty one has the wrong path."""
    path = named(target.database)
    if not os.path.isfile(path):
        why = f'there is no database file "{target.database}"'
        raise DatabaseError("sqlite", Failure(_CANNOT_OPEN, why))
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        _check_file(connection)
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
    except BaseException:
        connection.close()
        raise
    return connection


def _check_file(connection: sqlite3.Connection) -> None:
    """SQLite opens whatever is there, and tells only when it reads that it is no database."""
    try:
        connection.execute("PRAGMA schema_version").fetchall()
    except sqlite3.DatabaseError as error:
        # Whatever else it is, such as a lock, the first statement meets it, and waits where that helps.
        if _code_of(error, str(error)) == _NO_DATABASE:
            raise


class Sqlite(Database):
    """A connection of sqlite3."""

    dialect: ClassVar[str] = "sqlite"
    lost_code: ClassVar[str] = _CANNOT_OPEN

    def __init__(self, source: Source) -> None:
        self._before: dict[str, Any] = {}
        self._cursor: Any = None
        super().__init__(source)

    def _adopt(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                raise unusable("the connection is in a transaction: commit or roll back first")
        except sqlite3.ProgrammingError:
            raise unusable("the connection is closed, or belongs to another thread") from None
        if getattr(connection, "autocommit", _LEGACY) is False:
            raise unusable("the connection is always in a transaction: set autocommit to True")
        self._before = {
            "isolation_level": connection.isolation_level,
            "text_factory": connection.text_factory,
        }
        connection.isolation_level = None
        self._cursor = connection.cursor()
        self._cursor.row_factory = None

    def _restore(self, connection: sqlite3.Connection) -> None:
        self._cursor.close()
        for name, value in self._before.items():
            setattr(connection, name, value)

    def _lost(self, connection: sqlite3.Connection) -> bool:
        try:
            return connection.total_changes < 0
        except sqlite3.ProgrammingError:
            return True

    def _query(self, connection: Any, sql: str, params: Sequence[Param]) -> list[Row]:
        if sql.lstrip()[:6].upper() != "SELECT":
            return self._rows(connection, sql, params, _text_or_bytes)
        try:
            return self._rows(connection, sql, params, str)
        except sqlite3.OperationalError as error:
            if not str(error).startswith("Could not decode"):
                raise
        return self._rows(connection, sql, params, _text_or_bytes)

    def _rows(self, connection: Any, sql: str, params: Sequence[Param], text: Any) -> list[Row]:
        connection.text_factory = text
        rows = self._cursor.execute(sql, params).fetchall()
        if all(type(cell) in _CELLS for row in rows for cell in row):
            return cast("list[Row]", rows)
        return [tuple(map(_cell, row)) for row in rows]

    def _execute(self, connection: Any, sql: str, params: Sequence[Param]) -> int:
        before = connection.total_changes
        self._cursor.execute(sql, params).fetchall()
        if connection.total_changes == before:
            return 0
        # The cursor does not count what begins with WITH.
        return int(self._cursor.execute("SELECT changes()").fetchone()[0])

    def _begin(self, connection: Any) -> None:
        # What begins to write later may find that it read what is no longer true.
        self._cursor.execute("BEGIN IMMEDIATE")

    def _commit(self, connection: Any) -> None:
        self._cursor.execute("COMMIT")

    def _rollback(self, connection: Any) -> None:
        # A full disk, for one, has ended it already.
        if connection.in_transaction:
            self._cursor.execute("ROLLBACK")

    def _failure(self, error: BaseException) -> Failure:
        if not isinstance(error, sqlite3.Error):
            return Failure("", f"the driver failed with {type(error).__name__}")
        message = str(error)
        code = getattr(error, "sqlite_errorcode", None) or _code_of(error, message)
        if code is None:
            return Failure("", f"the driver refused a value with {type(error).__name__}")
        if code == _FROM_TRIGGER:
            message = "a trigger refused the statement"
        return Failure(str(code), message)


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, (int, str, bytes, float)):
        return value
    raise unusable("the connection converts values: connect without detect_types")


def _code_of(error: sqlite3.Error, message: str) -> int | None:
    for start, code in _CODES.items():
        if message.startswith(start):
            return code
    if isinstance(error, sqlite3.IntegrityError):
        # Its words are those of the trigger.
        return _FROM_TRIGGER
    return 1 if message.startswith(("no such", "near ", "table ")) else None


def _text_or_bytes(value: bytes) -> str | bytes:
    """What stands there as text, but is no UTF-8, is given as it is."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value
