"""Searches while a column is on its way between plaintext and sealed values: rows of both kinds are found."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import reseal
import sqlalchemy as sa
from job_support import KINDS
from reseal.sqlalchemy import BlindIndex, Encrypted
from sqlalchemy import Column, String, delete, func, insert, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, mapped_column
from sqlalchemy_app import table_of
from sqlalchemy_support import engine_of, own_database

pytestmark = pytest.mark.usefixtures("keys")
WORD = String(40)
HERE: ContextVar[int] = ContextVar("tenant", default=1)


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    ssn: Mapped[str | None] = mapped_column(Encrypted(WORD, read=["plain"]))
    ssn_index: Mapped[str | None] = mapped_column(BlindIndex("ssn", normalizer="digits"))


def table(name: str, type_: Any, **options: Any) -> Any:
    """A table with an encrypted column `x`, of a metadata of its own."""
    return table_of(
        Column("clinic", sa.Integer),
        Column("x", Encrypted(type_, **{"read": ["plain"]} | options)),
        Column("x_index", BlindIndex("x")),
        name=name,
    )


TYPED: dict[str, tuple[Any, Any, list[Any]]] = {
    "price": (
        table("prices", sa.Numeric(9, 2)),
        Decimal("1200.5"),
        ["1200.5", "1200.50"],
    ),
    "fee": (table("fees", sa.Numeric(9, 2)), Decimal("5.000"), ["5", "5.00"]),
    "age": (table("ages", sa.Integer), 42, ["42"]),
    "token": (
        table("tokens", sa.Uuid),
        uuid.UUID(int=11),
        [str(uuid.UUID(int=11)), uuid.UUID(int=11).hex],
    ),
    "at": (
        table("moments", sa.DateTime),
        datetime.datetime(2026, 1, 2, 3, 4, 5),
        ["2026-01-02T03:04:05", "2026-01-02 03:04:05", "2026-01-02 03:04:05.000000"],
    ),
    "raw": (table("raws", WORD, binary=True), "rs", [b"rs"]),
}
WORDS = table("words", WORD)
MEMBERS = table("members", WORD, tenant="clinic")
HOUSES = table("houses", WORD, tenant=HERE.get)
BACK = table("backs", WORD, write="plain", read=["app"])
DONE = table("done", WORD, read=[])
TABLES = (WORDS, MEMBERS, HOUSES, BACK, DONE, *(one for one, _, _ in TYPED.values()))


@pytest.fixture(scope="module", params=KINDS)
def bases(
    request: pytest.FixtureRequest,
    servers: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[sa.Engine]:
    folder: Path = tmp_path_factory.mktemp("place")
    with own_database(request.param, servers, folder) as url:
        engine = engine_of(url)
        Base.metadata.create_all(engine)
        for one in TABLES:
            one.metadata.create_all(engine)
        yield engine
        engine.dispose()


@pytest.fixture
def session(bases: sa.Engine) -> Iterator[Session]:
    """A session; what a test writes is gone afterwards."""
    with Session(bases) as session:
        yield session


def put(session: Session, name: str, column: str, value: Any, clinic: int | None = None) -> int:
    """A row as a program wrote it that knew of no encryption; its primary key."""
    key = 1000 + (session.scalar(sa.text(f"SELECT count(*) FROM {name}")) or 0)
    more = {} if clinic is None else {"clinic": clinic}
    columns = {"id": key, column: value, **more}
    names, marks = ", ".join(columns), ", ".join(f":{name}" for name in columns)
    session.execute(sa.text(f"INSERT INTO {name} ({names}) VALUES ({marks})"), columns)
    return key


def add(session: Session, table: Any, value: Any, **more: Any) -> int:
    """A sealed row; its primary key."""
    result: Any = session.execute(insert(table).values(x=value, **more))
    key: int = result.inserted_primary_key[0]
    return key


def ids(session: Session, table: Any, *conditions: Any) -> set[int]:
    return set(session.scalars(select(table.c.id).where(*conditions)))


def test_rows_of_both_kinds_are_found(session: Session) -> None:
    plain, other = (put(session, "people", "ssn", one) for one in ("1-2", "5"))
    nothing = put(session, "people", "ssn", None)
    people = [Person(ssn="12"), Person(ssn="6"), Person()]
    session.add_all(people)
    session.flush()
    sealed, another, _ = (one.id for one in people)
    assert nothing
    both, ssn = {plain, sealed}, Person.ssn

    def found(*conditions: Any) -> set[int]:
        return set(session.scalars(select(Person.id).where(*conditions)))

    assert found(ssn == "1-2") == both
    assert found(ssn.in_(["1-2", "5", None])) == {*both, other}
    assert found(ssn.in_([])) == set()
    assert found(ssn != "1-2") == found(~(ssn == "1-2")) == {other, another}
    assert found(ssn.not_in(["1-2", "6"])) == {other}
    assert found(sa.or_(ssn == "5", ssn == "6")) == {other, another}
    assert found(ssn.is_not(None)) == {*both, other, another}
    one, two = aliased(Person), aliased(Person)
    asked = select(two.id).join(one, one.id == two.id).where(one.ssn == "5")
    assert session.scalars(asked).all() == [other]
    assert session.scalars(select(Person).where(ssn == "5")).one().ssn == "5"
    session.execute(update(Person).where(ssn == "5").values(ssn="55"))
    assert found(ssn == "55") == {other}
    assert session.scalar(select(Person.ssn_index).where(Person.id == other))
    gone: Any = session.execute(delete(Person).where(ssn == "1-2"))
    assert gone.rowcount == 2


def test_plaintext_is_found_as_it_is_spelled(session: Session) -> None:
    dashed, digits = (put(session, "people", "ssn", one) for one in ("1-2", "12"))
    for asked, found in (("1-2", {dashed, digits}), ("1 2", {digits}), ("12", {digits})):
        assert set(session.scalars(select(Person.id).where(Person.ssn == asked))) == found


def test_what_the_database_takes_for_equal_is_verified(session: Session) -> None:
    lower, upper, spaced = (put(session, "words", "x", one) for one in ("ann", "ANN", "ann "))
    assert ids(session, WORDS, WORDS.c.x == "ann") == {lower}
    assert ids(session, WORDS, WORDS.c.x != "ann") == {upper, spaced}
    assert ids(session, WORDS, WORDS.c.x == "Ann") == set()


@pytest.mark.parametrize("name", TYPED)
def test_types_are_found_as_columns_spell_them(session: Session, name: str) -> None:
    table, asked, spellings = TYPED[name]
    plain = {put(session, table.name, "x", one) for one in spellings}
    sealed = add(session, table, asked)
    other = add(session, table, None)
    assert other
    assert ids(session, table, table.c.x == asked) == {*plain, sealed}
    assert ids(session, table, table.c.x != asked) == set()
    found = session.scalars(select(table.c.x).where(table.c.x == asked)).all()
    assert set(found) == {asked}


@pytest.mark.parametrize("table", [WORDS, TYPED["raw"][0]], ids=["text", "bytes"])
def test_what_is_sealed_without_a_term_stays_unknown(session: Session, table: Any) -> None:
    add(session, table, "a")
    session.execute(sa.text(f"UPDATE {table.name} SET x_index = NULL"))
    other = put(session, table.name, "x", "b" if table is WORDS else b"b")
    assert ids(session, table, table.c.x == "a") == set()
    assert ids(session, table, table.c.x != "a") == {other}


def test_a_tenant_is_named(session: Session) -> None:
    first, second = (put(session, "members", "x", "a", clinic) for clinic in (1, 2))
    put(session, "members", "x", "a")
    sealed = add(session, MEMBERS, "a", clinic=1)
    assert ids(session, MEMBERS, MEMBERS.c.clinic == 1, MEMBERS.c.x == "a") == {first, sealed}
    assert ids(session, MEMBERS, MEMBERS.c.clinic == 2, MEMBERS.c.x == "a") == {second}
    assert ids(session, MEMBERS, MEMBERS.c.clinic == 3, MEMBERS.c.x == "a") == set()


def test_plaintext_is_of_no_tenant_that_a_function_gives(session: Session) -> None:
    sealed, plain = add(session, HOUSES, "a"), put(session, "houses", "x", "a", 1)
    assert ids(session, HOUSES, HOUSES.c.x == "a") == {sealed, plain}
    token = HERE.set(2)
    try:
        # Nothing says whose it is.
        assert ids(session, HOUSES, HOUSES.c.x == "a") == {plain}
    finally:
        HERE.reset(token)


def test_the_way_back_finds_both(session: Session) -> None:
    written, bare = add(session, BACK, "1"), put(session, "backs", "x", "3")
    stored = session.scalar(sa.text("SELECT x FROM backs WHERE x_index IS NOT NULL"))
    assert stored == "1"
    assert ids(session, BACK, BACK.c.x == "1") == {written}
    assert ids(session, BACK, BACK.c.x == "3") == {bare}
    assert ids(session, BACK, BACK.c.x != "3") == {written}
    assert ids(session, BACK, BACK.c.x.in_(["1", "3"])) == {written, bare}


def test_where_encryption_is_required_plaintext_is_found(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESEAL_REQUIRE_ENCRYPTION", "1")
    plain = put(session, "words", "x", "5")
    assert ids(session, WORDS, WORDS.c.x == "5") == {plain}


def test_what_reads_no_plaintext_asks_for_terms_only(bases: sa.Engine, session: Session) -> None:
    add(session, DONE, "1")
    sent: list[str] = []

    def keep(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        sent.append(sql)

    sa.event.listen(bases, "before_cursor_execute", keep)
    try:
        asked = select(func.count()).select_from(DONE).where(DONE.c.x == "1")
        assert session.scalar(asked) == 1
    finally:
        sa.event.remove(bases, "before_cursor_execute", keep)
    for sql in sent:
        where = sql.partition("WHERE ")[2]
        assert where.count("x_index IN ") == 1
        assert "substr" not in where
        assert "x_index IS" not in where
        assert ".x IN" not in where


def test_a_statement_is_compiled_once(bases: sa.Engine, session: Session) -> None:
    put(session, "words", "x", "1")
    ids(session, WORDS, WORDS.c.x == "1")
    cache: Any = bases._compiled_cache
    before = len(cache)
    for value in ("1", "2", "3"):
        ids(session, WORDS, WORDS.c.x == value)
    assert len(cache) == before


def test_a_condition_that_is_built_first_hides_no_model(engine: sa.Engine) -> None:
    class Own(DeclarativeBase):
        pass

    class Early(Own):
        __tablename__ = "early"
        id: Mapped[int] = mapped_column(primary_key=True)
        x: Mapped[str] = mapped_column(Encrypted(WORD, read=["plain"]))
        x_index: Mapped[str | None] = mapped_column(BlindIndex("x"))

    asked = select(Early).where(Early.__table__.c.x == "1")
    Own.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Early(x="1"))
        session.flush()
        session.execute(sa.text("UPDATE early SET x = substr(x, 1, 60)"))
        session.expunge_all()
        with pytest.raises(reseal.ResealError) as caught:
            session.scalars(asked).all()
    error: Any = caught.value
    assert error.model == "Early"
