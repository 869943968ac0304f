"""The contract's adapters of `reseal.sqlalchemy`: with sync engines, and with async ones."""

from __future__ import annotations

import asyncio
import datetime
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar

from adapters.base import Adapter, Row
from reseal._adapters import Codecs
from reseal.sqlalchemy import BlindIndex, Encrypted, configure
from reseal.sqlalchemy.config import settings_of
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    Integer,
    String,
    Text,
    Uuid,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy_support import async_engine_of, engine_of


class Base(DeclarativeBase):
    pass


def index(of: str, **more: Any) -> Any:
    return mapped_column(BlindIndex(of, **more), index=True)


class Person(Base):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(Encrypted(String))
    note: Mapped[str | None] = mapped_column(Encrypted(Text))
    ssn: Mapped[str | None] = mapped_column(Encrypted(String))
    ssn_index: Mapped[str | None] = index("ssn", normalizer="digits")
    email: Mapped[str | None] = mapped_column(Encrypted(String))
    email_index: Mapped[str | None] = index("email", normalizer="ascii-lower-trim")
    code: Mapped[str | None] = mapped_column(Encrypted(String))
    code_index: Mapped[str | None] = index("code", bits=8)
    age: Mapped[int | None] = mapped_column(Encrypted(BigInteger))
    active: Mapped[bool | None] = mapped_column(Encrypted(Boolean))
    born: Mapped[datetime.date | None] = mapped_column(Encrypted(Date))
    data: Mapped[Any] = mapped_column(Encrypted(JSON), nullable=True)
    legacy: Mapped[str | None] = mapped_column(Encrypted(String, read=["tokens", "plain"]))
    tag: Mapped[str | None] = mapped_column(Encrypted(String, mode="deterministic"))
    rank: Mapped[int | None] = mapped_column(Integer)


class Member(Base):
    __tablename__ = "member"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant: Mapped[int | None] = mapped_column(Integer)
    secret: Mapped[str | None] = mapped_column(Encrypted(String, tenant="tenant"))
    secret_index: Mapped[str | None] = index("secret")


class Badge(Base):
    __tablename__ = "badge"
    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    secret: Mapped[str | None] = mapped_column(Encrypted(String, bind_row=True))


MODELS: dict[str, Any] = {"person": Person, "member": Member, "badge": Badge}


class _Alchemy(Adapter):
    """What both do, in a session that runs synchronously."""

    refusal: ClassVar[type[Exception]] = InvalidRequestError

    def run(self, work: Callable[[Session], Any]) -> Any:
        """Do something in the session of the transaction, or in one of its own that is committed."""
        raise NotImplementedError

    def use(self, codecs: Mapping[str, object]) -> Codecs:
        configure(codecs)
        return settings_of(None).codecs

    def insert(self, table: str, **values: Any) -> Any:
        def work(session: Session) -> Any:
            made = MODELS[table](**values)
            session.add(made)
            session.flush()
            return made.id

        return self.run(work)

    def insert_many(self, table: str, rows: Iterable[Row]) -> None:
        self.run(lambda session: _done(session.execute(insert(MODELS[table]), list(rows))))

    def read(self, table: str, key: Any, *names: str) -> Row:
        def work(session: Session) -> Row:
            found = session.get_one(MODELS[table], key)
            return {name: getattr(found, name) for name in names}

        found: Row = self.run(work)
        return found

    def read_all(self, table: str, *names: str) -> list[Row]:
        def work(session: Session) -> list[Row]:
            rows = session.scalars(select(MODELS[table]).order_by(MODELS[table].id))
            return [{name: getattr(row, name) for name in names} for row in rows]

        found: list[Row] = self.run(work)
        return found

    def select(self, table: str, *names: str) -> list[tuple[Any, ...]]:
        columns = [getattr(MODELS[table], name) for name in names]
        asked = select(*columns).order_by(MODELS[table].id)
        return [tuple(row) for row in self.run(lambda session: session.execute(asked).all())]

    def change(self, table: str, key: Any, **values: Any) -> None:
        def work(session: Session) -> None:
            found = session.get_one(MODELS[table], key)
            for name, value in values.items():
                setattr(found, name, value)

        self.run(work)

    def change_many(self, table: str, values: Mapping[Any, Row]) -> None:
        def work(session: Session) -> None:
            model = MODELS[table]
            for found in session.scalars(select(model).where(model.id.in_(list(values)))).all():
                for name, value in values[found.id].items():
                    setattr(found, name, value)

        self.run(work)

    def update(self, table: str, rank: int, **values: Any) -> int:
        model = MODELS[table]
        statement = update(model).where(model.rank == rank).values(**values)
        return int(self.run(lambda session: _many(session.execute(statement))))

    def find(self, table: str, **equal: Any) -> list[Any]:
        return self._keys(table, *self._equal(table, equal))

    def find_in(self, table: str, name: str, values: Iterable[Any]) -> list[Any]:
        return self._keys(table, getattr(MODELS[table], name).in_(list(values)))

    def find_not(self, table: str, **equal: Any) -> list[Any]:
        columns = [(getattr(MODELS[table], name), value) for name, value in equal.items()]
        return self._keys(table, *(or_(one != value, one.is_(None)) for one, value in columns))

    def find_null(self, table: str, name: str) -> list[Any]:
        return self._keys(table, getattr(MODELS[table], name).is_(None))

    def count(self, table: str, **equal: Any) -> int:
        asked = select(func.count()).select_from(MODELS[table]).where(*self._equal(table, equal))
        return int(self.run(lambda session: session.scalar(asked)))

    def delete(self, table: str, **equal: Any) -> int:
        statement = delete(MODELS[table]).where(*self._equal(table, equal))
        return int(self.run(lambda session: _many(session.execute(statement))))

    def order_by(self, table: str, name: str) -> None:
        asked = select(MODELS[table]).order_by(getattr(MODELS[table], name))
        self.run(lambda session: _done(session.execute(asked).all()))

    def compare(self, table: str, name: str, value: Any) -> None:
        asked = select(MODELS[table].id).where(getattr(MODELS[table], name) > value)
        self.run(lambda session: _done(session.execute(asked).all()))

    def _equal(self, table: str, equal: Mapping[str, Any]) -> list[Any]:
        return [getattr(MODELS[table], name) == value for name, value in equal.items()]

    def _keys(self, table: str, *conditions: Any) -> list[Any]:
        asked = select(MODELS[table].id).where(*conditions)
        return sorted(self.run(lambda session: session.scalars(asked).all()))


def _many(result: Any) -> int:
    return int(result.rowcount)


def _done(_result: object) -> None:
    """A result of a session is gone with it."""


class SqlAlchemyAdapter(_Alchemy):
    def __init__(self, kind: str, url: str) -> None:
        self.engine = engine_of(url)
        self._local = threading.local()
        Base.metadata.create_all(self.engine)

    def close(self) -> None:
        self.engine.dispose()
        configure()

    def leave_thread(self) -> None:
        """Connections go back to the pool after each piece of work."""

    def run(self, work: Callable[[Session], Any]) -> Any:
        session = getattr(self._local, "session", None)
        if session is not None:
            found = work(session)
            session.flush()
            return found
        with Session(self.engine) as session, session.begin():
            return work(session)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with Session(self.engine) as session, session.begin():
            self._local.session = session
            try:
                yield
            finally:
                self._local.session = None

    def transaction(self) -> AbstractContextManager[object]:
        return self._transaction()


class AsyncSqlAlchemyAdapter(_Alchemy):
    """All work is done in one loop, of a thread of its own."""

    def __init__(self, kind: str, url: str) -> None:
        self._local = threading.local()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.engine = async_engine_of(url)

        async def make() -> None:
            async with self.engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)

        self._await(make())

    def _await(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def close(self) -> None:
        self._await(self.engine.dispose())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
        configure()

    def leave_thread(self) -> None:
        """Connections go back to the pool after each piece of work."""

    def run(self, work: Callable[[Session], Any]) -> Any:
        session = getattr(self._local, "session", None)
        if session is not None:
            return self._await(session.run_sync(lambda own: (work(own), own.flush())[0]))

        async def once() -> Any:
            async with AsyncSession(self.engine) as own, own.begin():
                return await own.run_sync(work)

        return self._await(once())

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        session = AsyncSession(self.engine)
        self._local.session = session
        try:
            yield
            self._await(session.commit())
        finally:
            self._local.session = None
            self._await(session.close())

    def transaction(self) -> AbstractContextManager[object]:
        return self._transaction()
