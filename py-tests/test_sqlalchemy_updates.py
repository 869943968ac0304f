"""What an update leaves together: a value and its term, a value and the tenant that it is bound to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from job_support import KINDS
from reseal.sqlalchemy import BlindIndex, Encrypted
from sqlalchemy import String, select, update
from sqlalchemy.exc import CompileError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    defer,
    load_only,
    mapped_column,
    relationship,
)
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy_support import async_engine_of, engine_of, own_database

pytestmark = [
    pytest.mark.usefixtures("keys"),
    pytest.mark.parametrize("database", KINDS, indirect=True),
]


class Base(DeclarativeBase):
    pass


class Card(Base):
    __tablename__ = "cards"
    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str | None] = mapped_column(String(20))
    number: Mapped[str | None] = mapped_column(Encrypted(String))
    number_index: Mapped[str | None] = mapped_column(BlindIndex("number"))


class Clinic(Base):
    __tablename__ = "clinics"
    id: Mapped[int] = mapped_column(primary_key=True)


class Person(Base):
    """Of one table with patients, who alone have what is bound to a clinic."""

    __tablename__ = "persons"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    clinic_id: Mapped[int | None] = mapped_column(sa.ForeignKey("clinics.id"))
    clinic: Mapped[Clinic | None] = relationship()
    __mapper_args__: Any = {"polymorphic_on": "kind", "polymorphic_identity": "person"}  # noqa: RUF012


class Patient(Person):
    ssn: Mapped[str | None] = mapped_column(Encrypted(String, tenant="clinic_id"))
    ssn_index: Mapped[str | None] = mapped_column(BlindIndex("ssn"))
    note: Mapped[str | None] = mapped_column(Encrypted(String, tenant="clinic_id"))
    later: Mapped[Clinic | None] = relationship(post_update=True, overlaps="clinic")
    __mapper_args__: Any = {"polymorphic_identity": "patient"}  # noqa: RUF012


CARDS: Any = Card.__table__
CLINICS: Any = Clinic.__table__


@pytest.fixture
def database(
    request: pytest.FixtureRequest, servers: dict[str, str], tmp_path: Path
) -> Iterator[str]:
    """The URL of a database of each kind, with the tables."""
    with own_database(request.param, servers, tmp_path) as url:
        engine = engine_of(url)
        Base.metadata.create_all(engine)
        engine.dispose()
        yield url


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    """A session of it."""
    engine = engine_of(database)
    with Session(engine) as session:
        yield session
    engine.dispose()


# --- terms ----------------------------------------------------------------------------------------


def by_instance(session: Session, row: dict[str, Any]) -> None:
    card = session.get_one(Card, row["id"])
    assert card.number_index == row["number_index"]
    # The next flush would write it once more.
    session.expunge(card)
    card.number = row["number"]
    session.bulk_save_objects([card], update_changed_only=False)


def by_core(session: Session, row: dict[str, Any]) -> None:
    statement = CARDS.update().where(CARDS.c.id == row["id"])
    session.connection().execute(statement, {key: row[key] for key in row if key != "id"})


def by_values(session: Session, row: dict[str, Any]) -> None:
    session.execute(update(Card).where(Card.id == row["id"]).values(row))


WRITES: dict[str, Callable[[Session, dict[str, Any]], Any]] = {
    "rows": lambda session, row: session.execute(update(Card), [row]),
    "mappings": lambda session, row: session.bulk_update_mappings(Card, [row]),
    "instances": by_instance,
    "values": by_values,
    "core": by_core,
}


@pytest.mark.parametrize("name", WRITES)
def test_the_old_term_beside_a_new_value_is_not_kept(session: Session, name: str) -> None:
    session.add(Card(number="1"))
    session.commit()
    row = dict(session.execute(select(CARDS)).one()._mapping)
    WRITES[name](session, row | {"number": "2"})
    session.commit()
    found = [session.scalars(select(Card.number).where(Card.number == it)).all() for it in "12"]
    assert found == [[], ["2"]]
    assert not session.scalars(select(Card).where(Card.number != "2")).all()


def test_an_update_of_several_tables_leaves_no_term_behind(session: Session) -> None:
    statement = update(CLINICS).where(CLINICS.c.id == CARDS.c.id).values({CARDS.c.number: "2"})
    # Other databases update no second table.
    error = InvalidRequestError if session.get_bind().dialect.name == "mysql" else CompileError
    with pytest.raises(error, match=r"update of another table|additional tables"):
        session.execute(statement)


# --- tenants --------------------------------------------------------------------------------------


def patient(session: Session) -> tuple[Patient, int, int]:
    """A patient of the first of two clinics, written and expired, and the ids of both."""
    clinics = [Clinic(), Clinic()]
    session.add_all(clinics)
    session.flush()
    first, second = (one.id for one in clinics)
    one = Patient(clinic_id=first, ssn="s", note="n")
    session.add(one)
    session.commit()
    return one, first, second


def values(session: Session) -> tuple[Any, ...]:
    """Those of the only patient, who is found by them."""
    session.expunge_all()
    one = session.scalars(select(Patient)).one()
    asked = select(Patient).where(Patient.clinic_id == one.clinic_id, Patient.ssn == one.ssn)
    assert one.ssn is None or session.scalars(asked).one() is one
    return one.clinic_id, one.ssn, one.note


def test_a_tenant_is_set_before_anything_is_loaded(session: Session) -> None:
    one, _, second = patient(session)
    one.clinic_id = second
    session.commit()
    assert values(session) == (second, "s", "n")


def test_a_tenant_is_set_by_its_relationship(session: Session) -> None:
    one, _, second = patient(session)
    one.clinic = session.get_one(Clinic, second)
    session.commit()
    assert values(session) == (second, "s", "n")


OPTIONS: list[Any] = [
    load_only(Patient.ssn),
    defer(Patient.clinic_id),
    load_only(Patient.kind),
]


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("is_read", [True, False])
def test_a_tenant_is_set_that_was_not_loaded(session: Session, option: Any, is_read: bool) -> None:
    _, _, second = patient(session)
    session.expunge_all()
    one = session.scalars(select(Patient).options(option)).one()
    one.clinic_id = second
    with session.no_autoflush:
        assert not is_read or (one.ssn, one.note) == ("s", "n")
    session.commit()
    assert values(session) == (second, "s", "n")


def test_a_value_is_set_before_anything_is_loaded(session: Session) -> None:
    one, first, second = patient(session)
    one.ssn = "t"
    session.commit()
    assert values(session) == (first, "t", "n")
    one = session.scalars(select(Patient)).one()
    session.commit()
    one.clinic_id, one.ssn = second, None
    session.commit()
    assert values(session) == (second, None, "n")


def test_a_tenant_becomes_what_it_was(session: Session) -> None:
    one, first, second = patient(session)
    assert one.clinic_id == first
    session.expire(one, ["ssn", "note"])
    one.clinic_id = second
    one.clinic_id = first
    with session.no_autoflush:
        assert (one.ssn, one.note) == ("s", "n")
    session.commit()
    assert values(session) == (first, "s", "n")


def test_a_tenant_is_set_in_an_event_loop(database: str) -> None:
    async def move() -> None:
        engine = async_engine_of(database)
        async with AsyncSession(engine) as session:
            one, _, second = await session.run_sync(patient)
            one.clinic_id = second
            await session.commit()
            assert await session.run_sync(values) == (second, "s", "n")
        await engine.dispose()

    asyncio.run(move())


def by_relationship(session: Session, one: Patient, to: int) -> None:
    one.later = session.get_one(Clinic, to)
    session.commit()


def by_saving(session: Session, one: Patient, to: int) -> None:
    session.refresh(one)
    session.expunge(one)
    one.clinic_id = to
    session.bulk_save_objects([one])


def without_a_cache(session: Session, one: Patient, to: int) -> None:
    engine: Any = session.get_bind()
    statement = update(Patient).where(Patient.id == one.id).values(clinic_id=to)
    with engine.connect() as connection:
        connection.execute(statement, execution_options={"compiled_cache": None})


MOVES: dict[str, Callable[[Session, Patient, int], Any]] = {
    "mappings": lambda session, one, to: session.bulk_update_mappings(
        Patient,
        [{"id": one.id, "clinic_id": to}],
    ),
    "mappings of another class": lambda session, one, to: session.bulk_update_mappings(
        Person,
        [{"id": one.id, "clinic_id": to}],
    ),
    "instances": by_saving,
    "after the flush": by_relationship,
    "rows": lambda session, one, to: session.execute(
        update(Patient), [{"id": one.id, "clinic_id": to}]
    ),
    "without a cache": without_a_cache,
}


@pytest.mark.parametrize("name", MOVES)
def test_no_tenant_is_changed_without_its_values(session: Session, name: str) -> None:
    one, first, second = patient(session)
    key = one.id
    session.rollback()
    one = session.get_one(Patient, key)
    with pytest.raises(InvalidRequestError, match="left as it is where clinic_id changes"):
        MOVES[name](session, one, second)
    session.rollback()
    assert values(session) == (first, "s", "n")


def test_rows_of_another_class_move_with_a_flush(session: Session) -> None:
    one, first, second = patient(session)
    people = [Person(clinic_id=first), Person(clinic_id=first)]
    session.add_all(people)
    session.commit()
    for to in (second, first, second):
        for person in (*people, one):
            person.clinic_id = to
        session.commit()
    assert {person.clinic_id for person in people} == {second}
    with pytest.raises(InvalidRequestError, match="left as it is where clinic_id changes"):
        session.execute(update(Person).values(clinic_id=first))
    session.rollback()
    assert values(session) == (second, "s", "n")


# --- two values of one tenant ---------------------------------------------------------------------


class Pair(Base):
    __tablename__ = "pairs"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant: Mapped[int]
    first: Mapped[str | None] = mapped_column(Encrypted(String, tenant="tenant"))
    second: Mapped[str | None] = mapped_column(Encrypted(String, tenant="tenant"))
    second_index: Mapped[str | None] = mapped_column(BlindIndex("second"))


@pytest.fixture
def pair(session: Session) -> Pair:
    pair = Pair(tenant=1, first="a", second="b")
    session.add(pair)
    session.commit()
    return pair


@pytest.mark.parametrize("name", ["first", "second"])
def test_one_of_two_values_of_a_tenant_is_written_alone(
    session: Session, pair: Pair, name: str
) -> None:
    other = "second" if name == "first" else "first"
    session.connection().execute(sa.text(f"UPDATE pairs SET {other} = 'rs1.damaged'"))
    session.commit()
    setattr(pair, name, "new")
    session.commit()
    assert getattr(pair, name) == "new"
    stored = session.connection().execute(sa.text(f"SELECT {other} FROM pairs"))
    assert stored.scalar() == "rs1.damaged"
    if name == "second":
        found = select(Pair.id).where(Pair.tenant == 1, Pair.second == "new")
        assert session.scalars(found).all() == [pair.id]


def test_what_another_session_wrote_meanwhile_is_kept(session: Session, pair: Pair) -> None:
    assert (pair.first, pair.second) == ("a", "b")
    key = pair.id
    session.expunge(pair)
    session.commit()
    with Session(session.get_bind()) as another:
        another.get_one(Pair, key).second = "theirs"
        another.commit()
    session.add(pair)
    pair.first = "ours"
    session.commit()
    assert (pair.first, pair.second) == ("ours", "theirs")


def test_a_row_that_another_session_moved_is_not_written(session: Session, pair: Pair) -> None:
    assert (pair.first, pair.tenant) == ("a", 1)
    key = pair.id
    session.expunge(pair)
    session.commit()
    with Session(session.get_bind()) as another:
        another.get_one(Pair, key).tenant = 2
        another.commit()
    session.add(pair)
    pair.first = "ours"
    with pytest.raises(StaleDataError):
        session.commit()
    session.rollback()
    assert (pair.tenant, pair.first, pair.second) == (2, "a", "b")


def test_many_rows_are_written_beside_each_other(session: Session) -> None:
    session.add_all([Pair(tenant=one % 2, first=f"{one}", second=None) for one in range(9)])
    session.commit()
    pairs = session.scalars(select(Pair)).all()
    for pair in pairs:
        pair.first = None if pair.first == "3" else f"{pair.first}!"
        if pair.id % 3 == 0:
            pair.tenant = 7
    session.commit()
    wanted = [None if one == 3 else f"{one}!" for one in range(9)]
    assert [pair.first for pair in pairs] == wanted
