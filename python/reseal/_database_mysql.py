"""MariaDB and MySQL, through PyMySQL or mysqlclient. Values stand in the text of a statement.

Both drivers write values into the statement themselves; here it is done without them, since their
placeholder `%s` may be part of an identifier, and since this way does not depend on `sql_mode`.
"""

from __future__ import annotations

import importlib
import re
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import ModuleType
from typing import Any, ClassVar, cast

from reseal._database_base import Database, Failure, Param, Row, Source, unusable
from reseal._database_url import KEEP_ALIVE, Target, root_of
from reseal._disk import named

_LOST = "2013"
_LOST_CODES = frozenset((0, 1047, 1153, 1927, 2006, 2013, 2055))
_IN_TRANSACTION = 1
# The numbers of TINY, SHORT, LONG, LONGLONG, INT24 and YEAR, and those of text and bytes.
_NUMBERS = (1, 2, 3, 8, 9, 13)
_TEXTS = (15, 16, 245, 249, 250, 251, 252, 253, 254, 255)
_OTHERS = (0, 4, 5, 7, 10, 11, 12, 14, 246, 247, 248)
# What is quoted, or a remark, has no placeholder.
_PIECES = re.compile(
    r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`|\#[^\n]*|--[\s][^\n]*|/\*.*?\*/|(\?)""",
    re.DOTALL,
)
# What the meaning of a backslash depends on; it is written in hexadecimal.
_DELICATE = re.compile(r"[\\\0\x1a]")
_MATCHED = re.compile(r"Rows matched: (\d+)")
# Their messages speak of names and states, and never of values.
_OPEN_CODES = frozenset(
    (
        *(1005, 1006, 1007, 1008, 1021, 1037, 1038, 1040, 1041, 1044, 1045, 1046, 1048, 1049, 1050),
        *(1051, 1053, 1054, 1060, 1061, 1072, 1091, 1114, 1118, 1130, 1133, 1136, 1141, 1142, 1143),
        *(1146, 1153, 1158, 1159, 1160, 1161, 1180, 1192, 1203, 1205, 1206, 1213, 1226, 1227, 1264),
        *(1267, 1270, 1271, 1290, 1298, 1317, 1364, 1406, 1451, 1452, 1698, 1792, 1836, 1927, 1969),
        *(2002, 2003, 2005, 2006, 2013, 2026, 2055, 3024, 3159, 3572, 4025),
    )
)
_SENTENCES = {
    1062: "a value that must be unique is there already",
    1064: "the server does not understand the statement",
    1366: "a value does not fit the type or the character set of its column",
    1644: "a trigger or a function refused the statement",
}


def open_mysql(driver: ModuleType, target: Target) -> Any:
    """Connect with PyMySQL."""
    connection = driver.connect(
        host=target.host,
        port=target.port,
        unix_socket=target.socket and named(target.socket),
        user=target.user,
        # It would encode text as Latin-1.
        password=(target.password or "").encode(),
        database=target.database,
        connect_timeout=target.connect_seconds,
        # What answers with nothing is no server, and the time to connect does not count for its greeting.
        read_timeout=target.connect_seconds,
        charset="utf8mb4",
        autocommit=True,
        ssl_disabled=target.sslmode == "disable",
        ssl=_tls(target),
    )
    connection._read_timeout = target.read_seconds
    stream = getattr(connection, "_sock", None)
    if target.socket is None and stream is not None:
        _keep_alive(stream)
    return connection


def _keep_alive(stream: socket.socket) -> None:
    """Notice within a minute that a server has vanished without a word."""
    names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
    for name, value in zip(names, (*KEEP_ALIVE, 60_000), strict=True):
        # Not each system has all of them.
        if hasattr(socket, name):
            stream.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _tls(target: Target) -> ssl.SSLContext | None:
    if target.sslmode in ("disable", "prefer"):
        return None
    root = root_of(target)
    context = ssl.create_default_context(cafile=root and named(root))
    context.check_hostname = target.sslmode == "verify-full"
    if target.sslmode == "require" and target.sslrootcert is None:
        context.verify_mode = ssl.CERT_NONE
    return context


def over_pymysql(source: Source) -> Database:
    """Return the database behind a connection of PyMySQL."""
    return PyMysql(source)


def over_mysqlclient(source: Source) -> Database:
    """Return the database behind a connection of mysqlclient."""
    return MysqlClient(source)


class _Mysql(Database):
    """What both drivers have in common."""

    dialect: ClassVar[str] = "mysql"
    lost_code: ClassVar[str] = _LOST

    def __init__(self, source: Source) -> None:
        self._autocommit = True
        self._cursor: Any = None
        self._is_lost = False
        super().__init__(source)

    def _adopt(self, connection: Any) -> None:
        self._is_lost = False
        self._prepare(connection)
        try:
            self._check(connection)
            if not self._autocommit:
                connection.autocommit(True)
        except BaseException:
            self._undo(connection)
            raise

    def _check(self, connection: Any) -> None:
        settings = "@@character_set_client, @@character_set_results, @@autocommit"
        [[client, results, autocommit]] = self._query(connection, f"SELECT {settings}", ())
        if (client, results) != ("utf8mb4", "utf8mb4"):
            raise unusable(f"the connection has the character set {client!s}: connect with utf8mb4")
        self._autocommit = autocommit == 1

    def _restore(self, connection: Any) -> None:
        self._cursor.close()
        if not self._autocommit:
            connection.autocommit(False)
        self._undo(connection)

    def _lost(self, connection: Any) -> bool:
        return self._is_lost

    def _query(self, connection: Any, sql: str, params: Sequence[Param]) -> list[Row]:
        self._do(sql, params)
        return cast("list[Row]", list(self._cursor.fetchall()))

    def _execute(self, connection: Any, sql: str, params: Sequence[Param]) -> int:
        self._do(sql, params)
        matched = _MATCHED.search(self._info(connection))
        return int(matched[1]) if matched else max(self._cursor.rowcount, 0)

    def _begin(self, connection: Any) -> None:
        self._do("START TRANSACTION", ())

    def _commit(self, connection: Any) -> None:
        self._do("COMMIT", ())

    def _rollback(self, connection: Any) -> None:
        self._do("ROLLBACK", ())

    def _do(self, sql: str, params: Sequence[Param]) -> None:
        try:
            self._cursor.execute(written(sql, params))
        except Exception as error:
            self._is_lost = _number_of(error) in _LOST_CODES
            raise

    def _failure(self, error: BaseException) -> Failure:
        number = _number_of(error)
        if number is None:
            return Failure("", f"the driver failed with {type(error).__name__}")
        # A connection that was closed before has no number.
        code = str(number or 2006)
        if number in _OPEN_CODES:
            return Failure(code, str(error.args[1]))
        if number == 0:
            return Failure(code, "the connection to the server is closed")
        return Failure(
            code, _SENTENCES.get(number, f"the server refused the statement with {code}")
        )

    def _prepare(self, connection: Any) -> None:
        raise NotImplementedError

    def _undo(self, connection: Any) -> None:
        raise NotImplementedError

    def _info(self, connection: Any) -> str:
        raise NotImplementedError


class PyMysql(_Mysql):
    """A connection of PyMySQL."""

    def __init__(self, source: Source) -> None:
        self._decoders: Any = None
        self._use_unicode = True
        super().__init__(source)

    def _prepare(self, connection: Any) -> None:
        from pymysql.cursors import Cursor

        if not connection.open:
            raise unusable("the connection is closed")
        if connection.server_status & _IN_TRANSACTION:
            raise unusable("the connection is in a transaction: commit or roll back first")
        self._decoders, self._use_unicode = connection.decoders, connection.use_unicode
        connection.decoders, connection.use_unicode = dict.fromkeys(_NUMBERS, int), True
        self._cursor = connection.cursor(Cursor)

    def _undo(self, connection: Any) -> None:
        connection.decoders, connection.use_unicode = self._decoders, self._use_unicode

    def _info(self, connection: Any) -> str:
        result = getattr(connection, "_result", None)
        message = getattr(result, "message", None) or b""
        return message.decode("ascii", "replace") if isinstance(message, bytes) else str(message)


class MysqlClient(_Mysql):
    """A connection of mysqlclient."""

    def __init__(self, source: Source) -> None:
        self._converter: Any = None
        super().__init__(source)

    def _prepare(self, connection: Any) -> None:
        text = [(_of_mysqlclient("constants.FLAG").BINARY, bytes), (None, str)]
        self._converter = connection.converter
        connection.converter = {
            **dict.fromkeys(_NUMBERS, int),
            **dict.fromkeys(_TEXTS, text),
            **dict.fromkeys(_OTHERS, str),
        }
        self._cursor = connection.cursor(_of_mysqlclient("cursors").Cursor)

    def _undo(self, connection: Any) -> None:
        connection.converter = self._converter

    def _info(self, connection: Any) -> str:
        return str(connection.info() or "")


def _of_mysqlclient(module: str) -> Any:
    return importlib.import_module(f"MySQLdb.{module}")


def _number_of(error: BaseException) -> int | None:
    # Those of the system have numbers of their own.
    if isinstance(error, OSError):
        return None
    number = error.args[0] if error.args else None
    return number if isinstance(number, int) else None


# --- values in the text of a statement --------------------------------------------------------


def written(sql: str, params: Sequence[Param]) -> str:
    """Return the statement with its values.

    Errors: `invalid-argument`, which shows no value.
    """
    pieces = _pieces(sql)
    if len(params) != len(pieces) - 1:
        raise unusable(f"a statement has {len(pieces) - 1} placeholders, not {len(params)}")
    if not params:
        return sql
    whole = [pieces[0]]
    for param, piece in zip(params, pieces[1:], strict=True):
        whole.append(_WRITERS.get(type(param), _refused)(param))
        whole.append(piece)
    return "".join(whole)


def _split(sql: str) -> tuple[str, ...]:
    """What stands before, between and after the placeholders."""
    pieces, start = [], 0
    for found in _PIECES.finditer(sql):
        if found[1]:
            pieces.append(sql[start : found.start()])
            start = found.end()
    return (*pieces, sql[start:])


_pieces = lru_cache(maxsize=64)(_split)


def _text(value: str) -> str:
    if _DELICATE.search(value):
        return f"_utf8mb4 x'{value.encode().hex()}'"
    return "'" + value.replace("'", "''") + "'"


def _refused(value: object) -> str:
    raise unusable(f"a value is None, int, str or bytes, not {type(value).__name__}")


_WRITERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "NULL",
    int: str,
    str: _text,
    bytes: lambda value: f"x'{value.hex()}'",
}
