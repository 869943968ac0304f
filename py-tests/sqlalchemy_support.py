"""Databases for SQLAlchemy: each test has one of its own, with its sync and async drivers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from job_support import connect
from reseal._database_url import parse
from sqlalchemy import URL, Engine, MetaData, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Session

DRIVERS = {
    "sync": {"postgresql": "psycopg", "mysql": "pymysql", "sqlite": "pysqlite"},
    "async": {"postgresql": "asyncpg", "mysql": "aiomysql", "sqlite": "aiosqlite"},
}
_NUMBERS = count(1)


@contextmanager
def own_database(kind: str, servers: Mapping[str, str], folder: Path) -> Iterator[str]:
    """The URL of an empty database, which is gone afterwards."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/app-{next(_NUMBERS)}.db"
        return
    name = f"alchemy_{os.getpid()}_{next(_NUMBERS)}"
    server = connect(kind, servers[kind])
    server.cursor().execute(f"CREATE DATABASE {name}")
    try:
        yield servers[kind].rpartition("/")[0] + f"/{name}"
    finally:
        force = " WITH (FORCE)" if kind == "postgresql" else ""
        server.cursor().execute(f"DROP DATABASE {name}{force}")
        server.close()


@contextmanager
def own_session(
    metadata: MetaData, kind: str, servers: Mapping[str, str], folder: Path
) -> Iterator[Session]:
    """A session of a database of its own, with its tables."""
    with own_database(kind, servers, folder) as url:
        engine = engine_of(url)
        metadata.create_all(engine)
        with Session(engine) as session:
            yield session
        engine.dispose()


def url_of(url: str, style: str = "sync") -> URL:
    """A URL of ours, as SQLAlchemy writes it."""
    target = parse(url)
    kind = target.dialect
    driver = f"{kind}+{DRIVERS[style][kind]}"
    if kind == "sqlite":
        return URL.create(driver, database=target.database)
    more, password = {}, target.password
    if kind == "mysql":
        more = {"charset": "utf8mb4"}
        # Its drivers send a password as Latin-1, and the server takes it for UTF-8.
        password = (password or "").encode().decode("latin-1")
    return URL.create(
        driver,
        username=target.user,
        password=password,
        host=target.host,
        port=target.port,
        database=target.database,
        query=more,
    )


def engine_of(url: str, **more: Any) -> Engine:
    """An engine with the sync driver."""
    return _patient(create_engine(url_of(url), **more))


def async_engine_of(url: str, **more: Any) -> AsyncEngine:
    """An engine with the async driver."""
    engine = create_async_engine(url_of(url, "async"), **more)
    _patient(engine.sync_engine)
    return engine


def _patient(engine: Engine) -> Engine:
    """Writers of SQLite wait for each other."""
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _connected(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA busy_timeout = 30000")

    return engine
