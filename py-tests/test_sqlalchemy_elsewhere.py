"""What a statement sets elsewhere than in its own table: by an alias, a join, a second table, another class, a CTE."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from job_support import KINDS
from reseal.sqlalchemy import BlindIndex, Encrypted
from sqlalchemy import String, insert, select, update
from sqlalchemy.exc import CompileError, InvalidRequestError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, mapped_column
from sqlalchemy_support import own_session

pytestmark = pytest.mark.usefixtures("keys")


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "persons"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(String(20))
    pin: Mapped[str | None] = mapped_column(Encrypted(String))
    ssn: Mapped[str | None] = mapped_column(Encrypted(String))
    ssn_index: Mapped[str | None] = mapped_column(BlindIndex("ssn"))


class Letter(Base):
    __tablename__ = "letters"
    id: Mapped[int] = mapped_column(primary_key=True)
    clinic: Mapped[int | None]
    text: Mapped[str | None] = mapped_column(Encrypted(String, tenant="clinic"))
    note: Mapped[str | None] = mapped_column(Encrypted(String, tenant="clinic"))


class Envelope(Base):
    """Of the rows of letters, without what is in them."""

    clinic: Mapped[int | None]
    __table__ = Letter.__table__
    __mapper_args__: Any = {"include_properties": ["id", "clinic"]}  # noqa: RUF012


class Heading(Base):
    """With one of the two values."""

    clinic: Mapped[int | None]
    __table__ = Letter.__table__
    __mapper_args__: Any = {"exclude_properties": ["text"]}  # noqa: RUF012


class Copy(Base):
    """With columns of the same names, of which none is encrypted."""

    __tablename__ = "copies"
    id: Mapped[int] = mapped_column(primary_key=True)
    clinic: Mapped[int | None]
    ssn: Mapped[str | None] = mapped_column(String(20))
    ssn_index: Mapped[str | None] = mapped_column(String(20))


PERSONS: Any = Person.__table__
LETTERS: Any = Letter.__table__
COPIES: Any = Copy.__table__


@pytest.fixture(params=KINDS)
def session(
    request: pytest.FixtureRequest, servers: dict[str, str], tmp_path: Path
) -> Iterator[Session]:
    """A session of a database of each kind, with a row of each table."""
    with own_session(Base.metadata, request.param, servers, tmp_path) as session:
        session.add_all([Person(id=1, pin="p", ssn="1"), Letter(id=1, clinic=7, text="x")])
        session.add(Copy(id=1))
        session.commit()
        yield session


def is_mysql(session: Session) -> bool:
    """Whether its database updates several tables at once."""
    return session.get_bind().dialect.name in ("mysql", "mariadb")


def found(session: Session, *numbers: str) -> list[int]:
    """How many people have each number."""
    return [len(session.scalars(select(Person.id).where(Person.ssn == it)).all()) for it in numbers]


def letter(session: Session) -> tuple[Any, ...]:
    """The clinic and the values of the only letter."""
    session.rollback()
    session.expunge_all()
    one = session.scalars(select(Letter)).one()
    return one.clinic, one.text, one.note


# --- aliases and joins ----------------------------------------------------------------------------


@pytest.mark.parametrize("is_given", [True, False])
def test_an_alias_parts_nothing(session: Session, is_given: bool) -> None:
    other, person = LETTERS.alias(), PERSONS.alias()
    for target, values, name in (
        (other, {"clinic": 8}, "letters.text"),
        (other, {"clinic": 8, "text": "y", "note": None}, "letters.text"),
        (other.alias(), {"clinic": 8}, "letters.text"),
        (person, {"ssn": "2"}, "persons.ssn"),
        (person, {"ssn_index": None}, "persons.ssn"),
    ):
        statement, given = update(target).where(target.c.id == 1), values
        if not is_given:
            statement, given = statement.values(values), {}
        with pytest.raises(InvalidRequestError, match=f"{name} .*name the table itself"):
            session.connection().execute(statement, given)
    with pytest.raises(InvalidRequestError, match=r"persons.ssn .*name the table itself"):
        session.execute(insert(person).values(id=2, ssn="2"))
    assert (letter(session), found(session, "1", "2")) == ((7, "x", None), [1, 0])


def test_an_alias_of_a_class_parts_nothing(session: Session) -> None:
    other, person = aliased(Letter), aliased(Person)
    for statement in (
        update(other).where(other.id == 1).values(clinic=8),
        update(person).where(person.id == 1).values(ssn="2"),
        update(person).where(person.id == 1).values({person.ssn_index: None}),
    ):
        with pytest.raises(InvalidRequestError, match="name the table itself"):
            session.execute(statement, execution_options={"synchronize_session": False})
    assert (letter(session), found(session, "1", "2")) == ((7, "x", None), [1, 0])


def test_an_alias_sets_what_stands_by_itself(session: Session) -> None:
    person = PERSONS.alias()
    statement = update(person).where(person.c.id == 1)
    session.execute(statement.values(name="Ann", pin="q"))
    session.connection().execute(statement, {"name": "Bob"})
    one = session.scalars(select(Person)).one()
    assert (one.name, one.pin, found(session, "1")) == ("Bob", "q", [1])


def test_a_join_parts_nothing(session: Session) -> None:
    letters = LETTERS.join(COPIES, LETTERS.c.id == COPIES.c.id)
    persons = COPIES.join(PERSONS, PERSONS.c.id == COPIES.c.id)
    for statement in (
        update(letters).values({LETTERS.c.clinic: 8}),
        update(persons).values({PERSONS.c.ssn: "2"}),
        update(persons).values({PERSONS.c.ssn_index: None}),
        update(letters.join(PERSONS, sa.true())).values({LETTERS.c.clinic: 8}),
    ):
        with pytest.raises(InvalidRequestError, match="name the table itself"):
            session.execute(statement)
    with pytest.raises(InvalidRequestError, match="name the table itself"):
        session.connection().execute(update(letters), {"clinic": 8})
    assert (letter(session), found(session, "1", "2")) == ((7, "x", None), [1, 0])
    if is_mysql(session):
        session.execute(update(persons).values({COPIES.c.ssn: "2", PERSONS.c.name: "Ann"}))
        assert (found(session, "1"), session.scalar(select(Copy.ssn))) == ([1], "2")


# --- a second table -------------------------------------------------------------------------------


def test_a_column_of_the_same_name_is_no_value(session: Session) -> None:
    mine = update(PERSONS).where(PERSONS.c.id == COPIES.c.id)
    term = session.scalar(select(Person.ssn_index))
    moved = update(LETTERS).where(LETTERS.c.id == COPIES.c.id)
    statements = [
        mine.values({COPIES.c.ssn: "2"}),
        mine.values({COPIES.c.ssn: "2", COPIES.c.ssn_index: "3"}),
        moved.values({COPIES.c.clinic: 8}),
    ]
    if not is_mysql(session):
        for statement in statements:
            with pytest.raises(CompileError, match="additional tables"):
                session.execute(statement)
        return
    for statement in statements:
        session.execute(statement)
    session.expire_all()
    copy = session.get_one(Copy, 1)
    assert (copy.ssn, copy.ssn_index, copy.clinic) == ("2", "3", 8)
    assert session.scalar(select(Person.ssn_index)) == term
    for values in (
        {COPIES.c.ssn: "4", PERSONS.c.ssn: "5", COPIES.c.ssn_index: "6"},
        {PERSONS.c.ssn: "5", COPIES.c.ssn: "4", PERSONS.c.ssn_index: "6"},
    ):
        session.execute(mine.values(values))
        assert (found(session, "4", "5"), session.scalar(select(Copy.ssn))) == ([0, 1], "4")
    one = PERSONS.alias()
    stale = mine.where(one.c.id == COPIES.c.id)
    with pytest.raises(InvalidRequestError, match="set without its BlindIndex"):
        session.execute(
            stale.values({PERSONS.c.ssn: one.c.ssn, COPIES.c.ssn_index: one.c.ssn_index})
        )


def test_a_second_table_is_not_parted(session: Session) -> None:
    other = LETTERS.alias()
    for column, name in (
        (LETTERS.c.clinic, "letters.text"),
        (other.c.clinic, "letters.text"),
        (PERSONS.c.ssn_index, "persons.ssn"),
        (PERSONS.c.pin, "persons.pin"),
    ):
        statement = update(COPIES).where(column.table.c.id == COPIES.c.id).values({column: "8"})
        error = InvalidRequestError if is_mysql(session) else CompileError
        with pytest.raises(error, match=f"{name} .*update of another table|additional tables"):
            session.execute(statement)
    assert (letter(session), found(session, "1")) == ((7, "x", None), [1])


# --- another class of the same table --------------------------------------------------------------


@pytest.mark.parametrize("kind", [Envelope, Heading])
def test_a_class_without_a_value_moves_no_row_that_has_it(session: Session, kind: Any) -> None:
    session.get_one(kind, 1).clinic = 8
    with pytest.raises(InvalidRequestError, match=r"letters.text .* clinic changes.* that has it"):
        session.commit()
    assert letter(session) == (7, "x", None)


def test_a_class_without_a_value_moves_a_row_that_has_none(session: Session) -> None:
    session.add_all([Letter(id=2, clinic=7), Letter(id=3, clinic=7, note="n")])
    session.commit()
    kinds: list[Any] = [Envelope, Heading]
    for kind in kinds:
        session.get_one(kind, 2).clinic = 8
        session.commit()
    session.get_one(Heading, 3).clinic = 8
    session.commit()
    moved = session.get_one(Letter, 3)
    assert (moved.clinic, moved.text, moved.note) == (8, None, "n")
    # One of several that has a value.
    for one in session.scalars(select(Envelope)).all():
        one.clinic = 9
    with pytest.raises(InvalidRequestError, match="clinic changes"):
        session.commit()
    session.rollback()
    assert sorted(session.scalars(select(LETTERS.c.clinic))) == [7, 8, 8]


def test_what_a_flush_was_to_move_is_not_moved_later(session: Session) -> None:
    session.add(Letter(id=2, clinic=7))
    session.commit()
    with session.bind.connect() as connection, Session(connection) as own:  # type: ignore[union-attr]
        point = own.begin_nested()
        for one in own.scalars(select(Envelope)).all():
            one.clinic = 8
        with pytest.raises(InvalidRequestError, match="clinic changes"):
            own.flush()
        point.rollback()
        own.get_one(Letter, 2).text = "y"
        own.flush()
        with pytest.raises(InvalidRequestError, match="clinic changes"):
            own.connection().execute(update(LETTERS).where(LETTERS.c.id == 2).values(clinic=8))


# --- parts of a statement -------------------------------------------------------------------------


def test_a_part_of_a_statement_parts_nothing(session: Session) -> None:
    other = PERSONS.alias()
    term = session.scalar(select(Person.ssn_index))
    for part in (
        update(PERSONS).values(ssn="2", ssn_index=term).returning(PERSONS.c.id),
        update(PERSONS).values(ssn=None, ssn_index=term).returning(PERSONS.c.id),
        insert(PERSONS).values(id=2, ssn="2", ssn_index=term).returning(PERSONS.c.id),
        insert(PERSONS).values([{"id": 2, "ssn": "2", "ssn_index": term}]).returning(PERSONS.c.id),
        update(LETTERS).values(clinic=8).returning(LETTERS.c.id),
        update(other).values(ssn="2", ssn_index=term).returning(other.c.id),
        update(LETTERS.alias()).values(clinic=8).returning(LETTERS.c.id),
    ):
        for statement in (select(part.cte("part")), select(Copy).add_cte(part.cte("part"))):
            with pytest.raises(InvalidRequestError, match="a part of another statement"):
                session.execute(statement)
        session.rollback()
    assert (letter(session), found(session, "1", "2")) == ((7, "x", None), [1, 0])
    if session.get_bind().dialect.name != "postgresql":
        return
    session.execute(insert(PERSONS).values(id=2, ssn="2"))
    copied = update(PERSONS).where(PERSONS.c.id == 1, other.c.id == PERSONS.c.id + 1)
    copied = copied.values(ssn=other.c.ssn, ssn_index=other.c.ssn_index)
    session.execute(select(copied.returning(PERSONS.c.id).cte("part")))
    plain = update(PERSONS).values(name="Ann", pin="q").returning(PERSONS.c.id)
    session.execute(select(plain.cte("part")))
    session.expire_all()
    assert (found(session, "1", "2"), session.get_one(Person, 1).pin) == ([0, 2], "q")
