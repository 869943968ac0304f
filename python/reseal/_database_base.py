"""What every database has in common: statements, transactions, and what remains of a failure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeVar

from reseal._errors import ResealError

Cell = int | str | bytes | float | None
"""What a database gives; floats only SQLite, where a column may hold what it likes."""
Param = int | str | bytes | Sequence[int | str | bytes | None] | None
"""What it takes; a list is an array, and only PostgreSQL has arrays."""
Row = tuple[Cell, ...]

_T = TypeVar("_T")
LONGEST_MESSAGE = 300


class Failure(NamedTuple):
    """What went wrong, without any value of a row, a parameter or a password."""

    code: str
    """The SQLSTATE of PostgreSQL, the error number of MySQL, the extended result code of SQLite."""
    message: str


class DatabaseError(Exception):
    """There is no connection: it could not be made, or it was lost in a transaction."""

    def __init__(self, dialect: str, failure: Failure) -> None:
        """Take what happened; nothing else is kept, since an error of a driver holds values."""
        super().__init__(dialect, failure)
        self.dialect = dialect
        self.failure = failure

    def __str__(self) -> str:
        """Return the sentence for a person."""
        return self.failure.message


@dataclass(frozen=True)
class Source:
    """Where connections come from, and go to."""

    take: Callable[[], Any]
    give_back: Callable[[Any], None]
    again: bool
    """Whether it gives another one in the place of one that was lost."""


class Database(ABC):
    """One connection. Statements have the placeholders of the dialect: `$1`, or `?`.

    Outside `begin` and `commit` every statement is a transaction of its own. Statements raise what
    the driver raises, and `failure` tells what it means. A connection that is lost is replaced by
    the next statement, after `rollback` if it was lost in a transaction; settings of the session
    are then to be made again.
    """

    dialect: ClassVar[str]
    lost_code: ClassVar[str]

    def __init__(self, source: Source) -> None:
        self._source = source
        self._connection: Any = None
        self._in_transaction = False
        self._connecting = False
        self._closed = False
        self._taken()

    def query(self, sql: str, params: Sequence[Param] = ()) -> list[Row]:
        """Return the rows of a statement, cells as None, int, str or bytes."""
        return self._run(lambda connection: self._query(connection, sql, params))

    def execute(self, sql: str, params: Sequence[Param] = ()) -> int:
        """Run a statement; return how many rows it matched, also where they stay as they were."""
        return self._run(lambda connection: self._execute(connection, sql, params))

    def begin(self) -> None:
        """Begin a transaction."""
        self._run(self._begin)
        self._in_transaction = True

    def commit(self) -> None:
        """Commit it. After an error `rollback` is due."""
        self._run(self._commit)
        self._in_transaction = False

    def rollback(self) -> None:
        """Leave the transaction without a trace; nothing to do where there is none any more."""
        if self._in_transaction and self._connection is not None:
            self._run(self._rollback)
        self._in_transaction = False

    def close(self) -> None:
        """Give the connection back in the state that it had; twice is as good as once."""
        connection, self._connection, self._closed = self._connection, None, True
        if connection is not None:
            try:
                if not self._lost(connection):
                    if self._in_transaction:
                        self._rollback(connection)
                    self._restore(connection)
            finally:
                self._in_transaction = False
                self._source.give_back(connection)

    def failure(self, error: BaseException) -> Failure:
        """Return code and message of what a statement raised."""
        if isinstance(error, DatabaseError):
            return error.failure
        if isinstance(error, ResealError):
            return Failure("", str(error))
        code, message = self._failure(error)
        return Failure(code, message.strip().partition("\n")[0][:LONGEST_MESSAGE])

    def _run(self, step: Callable[[Any], _T]) -> _T:
        connection = self._taken()
        try:
            return step(connection)
        except Exception:
            if self._source.again and self._lost(connection):
                self._connection = None
                self._source.give_back(connection)
            raise

    def _taken(self) -> Any:
        """The connection, or another one if it was lost outside a transaction."""
        if self._closed:
            raise ResealError("invalid-argument", "this database is closed")
        if self._connection is None:
            if self._in_transaction:
                why = "the connection was lost in a transaction: roll back, and begin again"
                raise DatabaseError(self.dialect, Failure(self.lost_code, why))
            self._connection = self._connected()
        return self._connection

    def _connected(self) -> Any:
        connection: Any = None
        self._connecting = True
        try:
            connection = self._source.take()
            self._connecting = False
            self._adopt(connection)
            return connection
        except BaseException as error:
            failure = self.failure(error)
            if connection is not None:
                self._source.give_back(connection)
            if not isinstance(error, Exception) or isinstance(error, (ResealError, DatabaseError)):
                raise
        finally:
            self._connecting = False
        # Not in the handler: an error of a driver would be kept as the context of this one.
        raise DatabaseError(self.dialect, failure)

    @abstractmethod
    def _adopt(self, connection: Any) -> None:
        """Bring a connection into the state that statements need, and remember the one it had."""

    @abstractmethod
    def _restore(self, connection: Any) -> None: ...

    @abstractmethod
    def _lost(self, connection: Any) -> bool: ...

    @abstractmethod
    def _query(self, connection: Any, sql: str, params: Sequence[Param]) -> list[Row]: ...

    @abstractmethod
    def _execute(self, connection: Any, sql: str, params: Sequence[Param]) -> int: ...

    @abstractmethod
    def _begin(self, connection: Any) -> None: ...

    @abstractmethod
    def _commit(self, connection: Any) -> None: ...

    @abstractmethod
    def _rollback(self, connection: Any) -> None: ...

    @abstractmethod
    def _failure(self, error: BaseException) -> Failure: ...


def unusable(message: str) -> ResealError:
    """The error of a connection that cannot be worked with."""
    return ResealError("invalid-argument", message)
