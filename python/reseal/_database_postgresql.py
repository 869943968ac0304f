"""PostgreSQL through psycopg 3: parameters travel apart from the statement, in the form `$1`."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, ClassVar, cast

from reseal._database_base import Database, Failure, Param, Row, Source, unusable
from reseal._database_url import KEEP_ALIVE, Target, root_of

_LOST = "08006"
_NOT_CONNECTED = "08001"
_NOT_ENCODED = "22021"
# Messages of these classes speak of names and states, and never of values.
_OPEN_CLASSES = frozenset(
    ("08", "0A", "25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58")
)
_SENTENCES = {
    "22001": "a value is too long for its column",
    "22003": "a number is out of the range of its column",
    _NOT_ENCODED: "a text holds what the encoding of the database lacks",
    "22P02": "a value is none of the type of its column",
    "23502": "a column must not be null",
    "23503": "a row refers to one that is missing",
    "23505": "a value that must be unique is there already",
    "23514": "a row breaks a check",
    "P0001": "a trigger or a function refused the statement",
}
_AS_NUMBER = ("int2", "int4", "int8", "oid")


def open_postgresql(driver: ModuleType, target: Target) -> Any:
    """Connect; prepared statements are not used, so that poolers between do no harm."""
    # The certificates of the system, as the other drivers use them.
    root = root_of(target) or ("system" if target.sslmode == "verify-full" else None)
    options: dict[str, Any] = {
        "host": target.socket or target.host,
        "port": target.port,
        "dbname": target.database,
        "user": target.user,
        "password": target.password,
        "sslmode": target.sslmode,
        "sslrootcert": root,
        "connect_timeout": target.connect_seconds,
        "client_encoding": "UTF8",
        "application_name": "reseal",
        # A server that vanishes without a word is noticed within a minute.
        "keepalives_idle": KEEP_ALIVE[0],
        "keepalives_interval": KEEP_ALIVE[1],
        "keepalives_count": KEEP_ALIVE[2],
        "tcp_user_timeout": 60_000,
    }
    given = {name: value for name, value in options.items() if value is not None}
    return driver.connect(**given, autocommit=True, prepare_threshold=None)


class Postgresql(Database):
    """A connection of psycopg 3."""

    dialect: ClassVar[str] = "postgresql"
    lost_code: ClassVar[str] = _LOST

    def __init__(self, source: Source) -> None:
        self._autocommit = True
        self._cursor: Any = None
        super().__init__(source)

    def _adopt(self, connection: Any) -> None:
        import psycopg
        from psycopg.rows import tuple_row

        if not isinstance(connection, psycopg.Connection):
            raise unusable("an async connection cannot be used: give a psycopg.Connection")
        if connection.closed:
            raise unusable("the connection is closed")
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            raise unusable("the connection is in a transaction: commit or roll back first")
        if connection.info.encoding != "utf-8":
            raise unusable("the connection has another encoding: SET client_encoding TO 'UTF8'")
        self._autocommit = connection.autocommit
        connection.autocommit = True
        self._cursor = psycopg.RawCursor(connection, row_factory=tuple_row)
        _read_plainly(self._cursor)

    def _restore(self, connection: Any) -> None:
        self._cursor.close()
        connection.autocommit = self._autocommit

    def _lost(self, connection: Any) -> bool:
        return bool(connection.closed)

    def _query(self, connection: Any, sql: str, params: Sequence[Param]) -> list[Row]:
        self._cursor.execute(sql, list(params), prepare=False)
        if self._cursor.description is None:
            return []
        return cast("list[Row]", self._cursor.fetchall())

    def _execute(self, connection: Any, sql: str, params: Sequence[Param]) -> int:
        self._cursor.execute(sql, list(params), prepare=False)
        return max(int(self._cursor.rowcount), 0)

    def _begin(self, connection: Any) -> None:
        self._cursor.execute("BEGIN", prepare=False)

    def _commit(self, connection: Any) -> None:
        self._cursor.execute("COMMIT", prepare=False)
        if self._cursor.statusmessage != "COMMIT":
            import psycopg

            # The server ends a transaction that has failed, and calls that a success.
            raise psycopg.errors.InFailedSqlTransaction("the transaction had failed")

    def _rollback(self, connection: Any) -> None:
        self._cursor.execute("ROLLBACK", prepare=False)

    def _failure(self, error: BaseException) -> Failure:
        import psycopg

        if not isinstance(error, psycopg.Error):
            return Failure("", f"the driver failed with {type(error).__name__}")
        code, facts = error.sqlstate, error.diag
        if code is None:
            return self._without_code(error)
        if code[:2] in _OPEN_CLASSES:
            return Failure(code, facts.message_primary or str(error))
        place = [
            f"{kind} {name}"
            for kind, name in (
                ("table", facts.table_name),
                ("column", facts.column_name),
                ("constraint", facts.constraint_name),
            )
            if name is not None
        ]
        sentence = _SENTENCES.get(code, f"PostgreSQL refused the statement with {code}")
        return Failure(code, f"{sentence} ({', '.join(place)})" if place else sentence)

    def _without_code(self, error: BaseException) -> Failure:
        """What the driver says itself, which is of the connection, or of a value."""
        import psycopg

        if isinstance(error, psycopg.DataError) and "NUL" in str(error):
            return Failure(_NOT_ENCODED, _SENTENCES[_NOT_ENCODED])
        if not isinstance(error, psycopg.OperationalError):
            return Failure("", f"the driver refused a value with {type(error).__name__}")
        if self._connecting:
            return Failure(_code_in(str(error)), str(error).replace("\n", " "))
        return Failure(_LOST, "the connection to the server was lost")


def _code_in(message: str) -> str:
    """The SQLSTATE of a refused connection, of which libpq tells the message alone."""
    if "authentication failed" in message or "no pg_hba.conf entry" in message:
        return "28P01"
    if 'database "' in message and "does not exist" in message:
        return "3D000"
    if "too many clients" in message or "too many connections" in message:
        return "53300"
    return _NOT_CONNECTED


def _read_plainly(cursor: Any) -> None:
    """Everything but numbers and bytes comes as the text that the server writes."""
    from psycopg.postgres import types
    from psycopg.types.string import TextLoader

    for info in types:
        if info.name not in _AS_NUMBER and info.name != "bytea":
            cursor.adapters.register_loader(info.oid, TextLoader)
        if info.array_oid:
            cursor.adapters.register_loader(info.array_oid, TextLoader)
