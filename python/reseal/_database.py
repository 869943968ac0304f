"""Databases, as the bulk job uses them: a thin layer over the drivers that people have.

>>> from reseal import _database
>>> database = _database.of(__import__("sqlite3").connect(":memory:"))
>>> database.query("SELECT ? + 1", [41])
[(42,)]
>>> database.close()
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from types import ModuleType
from typing import Any

from reseal._database_base import Cell, Database, DatabaseError, Failure, Param, Row, Source
from reseal._database_url import parse
from reseal._errors import ResealError

__all__ = ["Cell", "Database", "DatabaseError", "Failure", "Param", "Row", "connect", "of"]

_DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql", "sqlite": "sqlite3"}


def connect(url: str, read_seconds: int | None = None) -> Database:
    """Return the database of a URL; statements of PyMySQL that take longer than `read_seconds` fail.

    It is `postgresql://user:password@host:port/database`, `mysql://…` or `sqlite:///file`, percent-encoded,
    with the parameters `sslmode` (disable, prefer, require, verify-ca, verify-full), `sslrootcert`,
    `socket` and `connect_timeout` of a server.

    Errors: `invalid-argument` for the URL, `engine-unsupported` where the driver is missing;
    `DatabaseError`.
    """
    target = replace(parse(url), read_seconds=read_seconds)
    driver = _driver(target.dialect)
    if target.dialect == "postgresql":
        from reseal._database_postgresql import Postgresql, open_postgresql

        return Postgresql(Source(lambda: open_postgresql(driver, target), _close, again=True))
    if target.dialect == "mysql":
        from reseal._database_mysql import open_mysql, over_pymysql

        return over_pymysql(Source(lambda: open_mysql(driver, target), _close, again=True))
    from reseal._database_sqlite import Sqlite, open_sqlite

    return Sqlite(Source(lambda: open_sqlite(target), _close, again=True))


def of(connection: object) -> Database:
    """Return the database behind a connection, which `close` gives back in the state that it had.

    It is a connection of psycopg 3, PyMySQL, mysqlclient or sqlite3, or an engine or a connection of
    SQLAlchemy; none of them in a transaction.

    Errors: `invalid-argument`; `DatabaseError`.
    """
    package = type(connection).__module__.partition(".")[0]
    if package == "sqlalchemy":
        return _of_sqlalchemy(connection)
    return _around(connection, Source(lambda: connection, lambda _: None, again=False))


def _around(connection: Any, source: Source) -> Database:
    """Classes may be derived ones, of another module. A cursor is one of the same package, and has none."""
    packages = {kind.__module__.partition(".")[0] for kind in type(connection).__mro__}
    if not hasattr(connection, "cursor"):
        packages.clear()
    if packages & {"sqlite3", "_sqlite3"}:
        from reseal._database_sqlite import Sqlite

        return Sqlite(source)
    if "psycopg" in packages and hasattr(connection, "pgconn"):
        from reseal._database_postgresql import Postgresql

        return Postgresql(source)
    if "pymysql" in packages:
        from reseal._database_mysql import over_pymysql

        return over_pymysql(source)
    if "MySQLdb" in packages:
        from reseal._database_mysql import over_mysqlclient

        return over_mysqlclient(source)
    kind = f"{type(connection).__module__}.{type(connection).__qualname__}"
    raise ResealError(
        "invalid-argument",
        f"a database is a connection of psycopg 3, PyMySQL, mysqlclient, sqlite3 or SQLAlchemy, not {kind}",
    )


def _of_sqlalchemy(given: Any) -> Database:
    if hasattr(given, "sync_engine") or hasattr(given, "sync_connection"):
        raise ResealError("invalid-argument", "an async engine cannot be used: give a sync one")
    if hasattr(given, "in_transaction"):
        if given.in_transaction():
            raise ResealError(
                "invalid-argument", "the connection is in a transaction: commit or roll back first"
            )
        inner = given.connection.driver_connection
        return _around(inner, Source(lambda: inner, lambda _: None, again=False))
    if not hasattr(given, "raw_connection"):
        kind = type(given).__qualname__
        raise ResealError("invalid-argument", f"give an engine or a connection, not {kind}")
    pooled: list[Any] = [given.raw_connection()]

    def take() -> Any:
        if not pooled:
            pooled.append(given.raw_connection())
        return pooled[0].driver_connection

    def give_back(_: object) -> None:
        pooled.pop().close()

    try:
        return _around(pooled[0].driver_connection, Source(take, give_back, again=True))
    except BaseException:
        if pooled:
            pooled.pop().close()
        raise


def _driver(dialect: str) -> ModuleType:
    try:
        return importlib.import_module(_DRIVERS[dialect])
    except ImportError:
        how = f"pip install reseal[{dialect}]"
        raise ResealError(
            "engine-unsupported", f"the driver {_DRIVERS[dialect]} is missing: {how}"
        ) from None


def _close(connection: Any) -> None:
    connection.close()
