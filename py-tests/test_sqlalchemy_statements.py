"""What a statement says of its values elsewhere: by parameters, in other parts, in another row, by defaults."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import reseal
import sqlalchemy as sa
from job_support import KINDS
from reseal.sqlalchemy import BlindIndex, Encrypted
from sqlalchemy import String, bindparam, func, insert, select, update
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    load_only,
    mapped_column,
    with_loader_criteria,
)
from sqlalchemy.orm.exc import DetachedInstanceError
from sqlalchemy_support import own_session

pytestmark = pytest.mark.usefixtures("keys")


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "persons"
    id: Mapped[int] = mapped_column(primary_key=True)
    ssn: Mapped[str | None] = mapped_column(Encrypted(String))
    ssn_index: Mapped[str | None] = mapped_column(BlindIndex("ssn"))


class Letter(Base):
    __tablename__ = "letters"
    id: Mapped[int] = mapped_column(primary_key=True)
    clinic: Mapped[int | None]
    text: Mapped[str | None] = mapped_column(Encrypted(String, tenant="clinic"))
    text_index: Mapped[str | None] = mapped_column(BlindIndex("text"))


class Draft(Base):
    """All that it has, it may have by default."""

    __tablename__ = "drafts"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    clinic: Mapped[int | None] = mapped_column(default=lambda: next(CLINICS))
    author: Mapped[str | None] = mapped_column(String(20))
    text: Mapped[str | None] = mapped_column(
        Encrypted(String, tenant="clinic", bind_row=True),
        default=lambda context: f"by {context.get_current_parameters().get('author')}",
    )
    text_index: Mapped[str | None] = mapped_column(BlindIndex("text"))


CLINICS: Iterator[int] = iter(range(1, 1000))
PERSONS: Any = Person.__table__
LETTERS: Any = Letter.__table__
DRAFTS: Any = Draft.__table__


@pytest.fixture(params=KINDS)
def session(
    request: pytest.FixtureRequest, servers: dict[str, str], tmp_path: Path
) -> Iterator[Session]:
    """A session of a database of each kind."""
    with own_session(Base.metadata, request.param, servers, tmp_path) as session:
        yield session


def found(session: Session, ssn: str) -> int:
    """How many people have a number."""
    return session.scalar(select(func.count(Person.id)).where(Person.ssn == ssn)) or 0


def letters(session: Session, *clinics: int) -> None:
    """A letter of the same text in each clinic, written."""
    session.add_all([Letter(clinic=one, text="x") for one in clinics])
    session.commit()


# --- parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [Person, PERSONS])
def test_an_insert_by_a_parameter_of_another_name_has_its_term(
    session: Session, target: Any
) -> None:
    named = insert(target).values(ssn=bindparam("p"))
    session.execute(named, {"p": "1"})
    session.execute(named, [{"p": "2"}, {"p": "3"}])
    stale = insert(target).values({"ssn": bindparam("q"), "ssn_index": None})
    session.execute(stale, {"q": "4"})
    session.execute(stale, [{"q": "5"}, {"q": "6"}])
    session.connection().execute(
        named, [{"p": "7", "ssn_index": None}, {"p": "8", "ssn_index": "t"}]
    )
    assert [found(session, one) for one in "12345678"] == [1] * 8
    session.execute(named, {"p": None})
    null = insert(target).values(ssn=None)
    session.connection().execute(null, [{"ssn_index": "stale"}, {"ssn_index": "too"}])
    assert session.scalars(select(Person.ssn).where(Person.ssn_index.is_(None))).all() == [None] * 3


@pytest.mark.parametrize("target", [Letter, LETTERS])
def test_a_parameter_of_what_is_bound_has_its_term(session: Session, target: Any) -> None:
    named = insert(target).values(text=bindparam("p"), clinic=bindparam("c"))
    session.execute(named, {"p": "x", "c": 7})
    session.execute(named, [{"p": "x", "c": 7}, {"p": "x", "c": 8}])
    session.execute(insert(target).values(text=bindparam("p")), [{"p": "x", "clinic": 8}])
    for clinic in (7, 8):
        asked = select(Letter).where(Letter.clinic == clinic, Letter.text == "x")
        assert [one.text for one in session.scalars(asked)] == ["x", "x"]


@pytest.mark.parametrize("target", [Person, PERSONS])
def test_parameters_in_many_rows_are_no_plaintext(session: Session, target: Any) -> None:
    every: list[Any] = [
        [{"ssn": "1"}, {"ssn": bindparam("p")}],
        [{"ssn": bindparam("p")}, {"ssn": "1"}],
        [(1, bindparam("p"), None)],
    ]
    for rows in every:
        with pytest.raises(InvalidRequestError, match="many rows and parameters"):
            session.connection().execute(insert(target).values(rows), {"p": "plain"})
    typed = bindparam("p", type_=PERSONS.c.ssn.type)
    named: list[Any] = [{"ssn": "1"}, {"ssn": typed}]
    session.connection().execute(insert(target).values(named), {"p": "2"})
    assert [found(session, one) for one in "12"] == [1, 1]


# --- the tenant of a lookup -----------------------------------------------------------------------


def test_each_part_of_a_statement_has_its_own_tenant(session: Session) -> None:
    letters(session, 7, 8, 8)
    asked = {
        clinic: select(Letter.id).where(Letter.clinic == clinic, Letter.text == "x")
        for clinic in (7, 8)
    }
    assert len(session.scalars(sa.union_all(asked[7], asked[8])).all()) == 3
    assert len(session.scalars(sa.union_all(asked[8], asked[7])).all()) == 3
    counts = [
        select(func.count(Letter.id))
        .where(Letter.clinic == clinic, Letter.text == "x")
        .scalar_subquery()
        for clinic in (7, 8)
    ]
    assert session.execute(select(*counts)).one() == (1, 2)
    other = aliased(Letter)
    there = (
        select(LETTERS.c.id)
        .where(LETTERS.c.clinic == 8, LETTERS.c.text == "x")
        .correlate(None)
        .exists()
    )
    assert len(session.scalars(select(other.id).where(other.clinic == 7, there)).all()) == 1
    inner = select(Letter.id).where(Letter.clinic == 8, Letter.text == "x").cte()
    outer = select(Letter.id).where(Letter.clinic == 7, Letter.id.not_in(select(inner.c.id)))
    assert len(session.scalars(outer).all()) == 1
    gone = sa.delete(Letter).where(Letter.clinic == 7, Letter.id.not_in(asked[8]))
    assert session.execute(gone.execution_options(synchronize_session=False)).rowcount == 1  # type: ignore[attr-defined]


def test_a_tenant_of_another_part_is_none(session: Session) -> None:
    letters(session, 7, 8)
    bare = select(Letter.id).where(Letter.text == "x")
    of_seven, other = select(Letter.id).where(Letter.clinic == 7), aliased(Letter)
    for asked in (
        sa.union_all(of_seven, bare),
        of_seven.where(Letter.id.in_(bare)),
        select(bare.subquery().c.id).where(Letter.clinic == 7),
        select(Letter.id).where(Letter.text == "x", of_seven.exists()),
        bare.outerjoin(other, sa.and_(other.id == Letter.id, Letter.clinic == 7)),
        bare.select_from(sa.outerjoin(Letter, other, Letter.clinic == 7)),
    ):
        with pytest.raises(InvalidRequestError, match="found without its tenant"):
            session.execute(asked)
    condition = Letter.text == "x"
    both = [select(Letter.id).where(Letter.clinic == one, condition) for one in (7, 8)]
    with pytest.raises(InvalidRequestError, match="one condition for several values of clinic"):
        session.execute(sa.union_all(*both))
    again = sa.union_all(both[0], both[0].where(Letter.id > 0))
    assert len(session.scalars(again).all()) == 2


def test_a_tenant_is_found_where_it_stands(session: Session) -> None:
    letters(session, 7, 8)
    other = aliased(Letter)
    inner = select(Letter).where(Letter.id > 0).subquery()
    in_seven = sa.and_(Letter.id == other.id, Letter.clinic == 7, Letter.text == "x")
    for asked in (
        select(Letter.text == "x").where(Letter.clinic == 7),
        select(other.id)
        .join(Letter, sa.and_(Letter.id == other.id, Letter.text == "x"))
        .where(Letter.clinic == 7),
        select(other.id).join(Letter, in_seven),
        select(other.id).join(Letter, Letter.id == other.id).where(in_seven),
        select(other.id).select_from(sa.join(other, Letter, in_seven)).where(Letter.id > 0),
        select(inner.c.id).where(inner.c.clinic == 7, inner.c.text == "x"),
        select(other.id).where(sa.and_(other.clinic == 7, other.text == "x")),
        select(Letter)
        .where(Letter.clinic == 7)
        .options(with_loader_criteria(Letter, Letter.text == "x")),
    ):
        assert len(session.execute(asked).all()) == 1


# --- values of another row ------------------------------------------------------------------------


def test_a_value_of_another_row_comes_with_its_term(session: Session) -> None:
    session.add_all([Person(id=1, ssn="one"), Person(id=2, ssn="two")])
    session.commit()
    other, alias = aliased(Person), PERSONS.alias()
    for target, row in ((Person, other), (PERSONS, alias.c)):
        first = update(target).where(PERSONS.c.id == 1, row.id == PERSONS.c.id + 1)
        for values in (
            {"ssn": row.ssn},
            {"ssn": row.ssn, "ssn_index": PERSONS.c.ssn_index},
            {"ssn": row.ssn, "ssn_index": "term"},
            {"ssn": PERSONS.c.ssn, "ssn_index": "term"},
            {"ssn": PERSONS.c.ssn, "ssn_index": row.ssn_index},
        ):
            with pytest.raises(InvalidRequestError, match="set without its BlindIndex"):
                session.execute(first.values(values).execution_options(synchronize_session=False))
        both = first.values(ssn=row.ssn, ssn_index=row.ssn_index)
        session.execute(both.execution_options(synchronize_session=False))
        session.expire_all()
        assert (session.get_one(Person, 1).ssn, found(session, "two")) == ("two", 2)
        session.execute(update(Person).where(Person.id == 1).values(ssn="one"))
        session.execute(update(target).values(ssn=PERSONS.c.ssn))
        assert [found(session, one) for one in ("one", "two")] == [1, 1]


def test_a_term_that_is_given_with_a_statement_does_not_count(session: Session) -> None:
    session.add_all([Person(id=1, ssn="one"), Person(id=2, ssn="two")])
    session.commit()
    other, given = PERSONS.alias(), {"ssn_index": "term"}
    copied = {"ssn": other.c.ssn, "ssn_index": other.c.ssn_index}
    second = update(PERSONS).where(PERSONS.c.id == 2)
    connection = session.connection()
    connection.execute(second.values(ssn=PERSONS.c.ssn), given | {"id": 2})
    connection.execute(second.values(ssn=PERSONS.c.ssn, ssn_index=PERSONS.c.ssn_index), given)
    assert [found(session, one) for one in ("one", "two")] == [1, 1]
    connection.execute(second.where(other.c.id == PERSONS.c.id - 1).values(copied), given)
    assert [found(session, one) for one in ("one", "two")] == [2, 0]
    connection.execute(second.values(ssn=sa.null()), given)
    assert session.get_one(Person, 2).ssn_index is None
    assert found(session, "one") == 1


@pytest.mark.parametrize("target", [Person, PERSONS])
def test_what_is_copied_has_the_terms_of_its_row(session: Session, target: Any) -> None:
    session.add(Person(id=1, ssn="one"))
    session.commit()
    names, other = ["id", "ssn", "ssn_index"], PERSONS.alias()
    new, own, foreign = (PERSONS.c.id + 10, PERSONS.c.ssn, other.c.ssn_index)
    for values in (
        select(new, own, sa.literal("term")),
        select(new, own, sa.null()),
        select(new, own, foreign).where(other.c.id == PERSONS.c.id),
        sa.union_all(
            select(new, own, PERSONS.c.ssn_index), select(new + 1, own, sa.literal("term"))
        ),
    ):
        with pytest.raises(InvalidRequestError, match="select ssn_index of the same row"):
            session.execute(insert(target).from_select(names, values))
    with pytest.raises(InvalidRequestError, match="select ssn_index of the same row"):
        session.execute(insert(target).from_select(names[:2], select(new, own)))
    inner = select(Person).subquery()
    again = select(inner.c.id + 20, inner.c.ssn.label("x"), inner.c.ssn_index.label("y"))
    session.execute(insert(target).from_select(names, select(new, own, PERSONS.c.ssn_index)))
    session.execute(insert(target).from_select(names, again))
    assert found(session, "one") == 4


@pytest.mark.parametrize("target", [Person, PERSONS])
def test_rows_of_one_insert_have_their_own_terms(session: Session, target: Any) -> None:
    session.add(Person(id=1, ssn="one"))
    session.commit()
    old = session.scalar(select(Person.ssn_index))
    session.execute(
        insert(target).values(
            [
                {"id": 2, "ssn": "two", "ssn_index": old},
                {"id": 3, "ssn": "three", "ssn_index": None},
                {"id": 4, "ssn": None, "ssn_index": old},
            ]
        )
    )
    columns = [PERSONS.c.id, PERSONS.c.ssn, PERSONS.c.ssn_index]
    named = [dict(zip(columns, row, strict=True)) for row in ((5, "five", old), (6, "six", old))]
    session.execute(insert(target).values(named).values([{**named[0], PERSONS.c.id: 7}]))
    rows: list[Any] = [(8, "eight", old), (9, "nine", old)]
    session.execute(insert(target).values(rows))
    numbers = ("one", "two", "three", "five", "six", "eight", "nine")
    assert [found(session, one) for one in numbers] == [1, 1, 1, 2, 1, 1, 1]
    assert session.get_one(Person, 4).ssn_index is None


def test_what_is_bound_is_of_no_other_row(session: Session) -> None:
    letters(session, 7, 8)
    other = aliased(Letter)
    copied = update(Letter).where(Letter.id != other.id)
    with pytest.raises(InvalidRequestError, match="set to that of another row"):
        session.execute(
            copied.values(text=other.text, text_index=other.text_index),
            execution_options={"synchronize_session": False},
        )
    with pytest.raises(InvalidRequestError, match="left as it is where clinic changes"):
        session.execute(
            update(Letter).values(text=Letter.text, clinic=8),
            execution_options={"synchronize_session": False},
        )
    session.execute(
        update(Letter).values(text=Letter.text, clinic=Letter.clinic),
        execution_options={"synchronize_session": False},
    )
    assert [one.text for one in session.scalars(select(Letter))] == ["x", "x"]


@pytest.mark.parametrize("target", [Letter, LETTERS])
def test_what_is_bound_is_copied_with_its_facts(session: Session, target: Any) -> None:
    letters(session, 7)
    names = ["clinic", "text", "text_index"]
    own = [LETTERS.c[name] for name in names]
    alias = LETTERS.alias()
    for columns, values in (
        (names, select(sa.literal(8), *own[1:])),
        (names[1:], select(*own[1:])),
        (names, select(alias.c.clinic, *own[1:]).where(alias.c.id == LETTERS.c.id)),
        (names, sa.union_all(select(*own), select(LETTERS.c.id, *own[1:]))),
    ):
        with pytest.raises(InvalidRequestError, match="copied to another clinic"):
            session.execute(insert(target).from_select(columns, values))
    session.execute(insert(target).from_select(names, select(*own)))
    labelled = [alias.c[name].label(f"own_{name}") for name in names]
    session.execute(insert(target).from_select(names, select(*labelled)))
    session.execute(insert(target).from_select(names, select(Letter.clinic, *own[1:]).limit(1)))
    asked = select(Letter).where(Letter.clinic == 7, Letter.text == "x")
    assert [one.text for one in session.scalars(asked)] == ["x"] * 5


# --- defaults -------------------------------------------------------------------------------------


def drafts(session: Session) -> list[str | None]:
    """The texts of all, of which each is found by its index."""
    session.expire_all()
    every = session.scalars(select(Draft).order_by(Draft.clinic)).all()
    for one in every:
        asked = select(Draft.id).where(Draft.clinic == one.clinic, Draft.text == one.text)
        assert one.text is None or session.scalars(asked).all() == [one.id]
    return [one.text for one in every]


def test_a_default_is_bound_as_any_value(session: Session) -> None:
    given = Draft(author="b", text="a")
    session.add_all([given, Draft(author="b"), Draft(clinic=None, text=None)])
    session.flush()
    assert given.clinic is not None
    assert given.text == "a"
    assert sorted(map(str, drafts(session))) == ["a", "by None", "by b"]
    session.execute(sa.delete(Draft))
    session.bulk_save_objects([Draft(author="c"), Draft(text="d")])
    assert drafts(session) == ["by c", "d"]
    returned = insert(Draft).returning(Draft, sort_by_parameter_order=True)
    rows = session.scalars(returned, [{"author": "e"}, {"author": "f"}]).all()
    assert [one.text for one in rows] == ["by e", "by f"]


@pytest.mark.parametrize("target", [Draft, DRAFTS])
def test_a_statement_has_the_same_defaults(session: Session, target: Any) -> None:
    session.execute(insert(target).values(text="a"))
    session.execute(insert(target).values(author="b"))
    session.execute(insert(target))
    session.execute(insert(target), {"text": "c"})
    session.execute(insert(target), [{"text": "d"}, {"text": "e"}])
    session.execute(insert(target), [{"author": "g"}, {"author": "h"}])
    session.execute(insert(target).values(text=bindparam("p")), [{"p": "i"}, {"p": "j"}])
    session.execute(insert(target).values(text="k"), [{"author": "x"}, {"author": "y"}])
    assert drafts(session) == [
        "a",
        "by b",
        "by None",
        "c",
        "d",
        "e",
        "by g",
        "by h",
        "i",
        "j",
        "k",
        "k",
    ]
    with pytest.raises(reseal.ResealError, match="bound to its tenant"):
        session.connection().execute(insert(target), {"clinic": None, "text": "x"})


def test_an_instance_has_its_tenant_with_its_value(session: Session) -> None:
    letters(session, 7)
    session.expunge_all()
    for columns in ((Letter.text, Letter.clinic), (Letter.text,)):
        letter = session.scalars(select(Letter).options(load_only(*columns))).one()
        session.expunge(letter)
        if len(columns) == 2:
            assert letter.text == "x"
            continue
        with pytest.raises(DetachedInstanceError):
            assert letter.text
        session.add(letter)
        assert letter.text == "x"
