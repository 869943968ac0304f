"""Classes that are mapped in other ways: by a discriminator that is computed, to unions, to what a query says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from reseal.sqlalchemy import BlindIndex, Encrypted
from sqlalchemy import String, func, null, select, type_coerce, union_all
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.declarative import AbstractConcreteBase, ConcreteBase
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    configure_mappers,
    contains_eager,
    mapped_column,
    query_expression,
    relationship,
    selectinload,
    with_expression,
)
from sqlalchemy_app import Note

pytestmark = pytest.mark.usefixtures("keys")


class Base(DeclarativeBase):
    pass


class Clerk(ConcreteBase, Base):
    __tablename__ = "clerks"
    id: Mapped[int] = mapped_column(primary_key=True)
    ssn: Mapped[str | None] = mapped_column(Encrypted(String))
    ssn_index: Mapped[str | None] = mapped_column(BlindIndex("ssn"))
    pin: Mapped[str | None] = mapped_column(Encrypted(String, mode="deterministic"))
    __mapper_args__: Any = {"polymorphic_identity": "clerk", "concrete": True}  # noqa: RUF012


class Chief(Clerk):
    __tablename__ = "chiefs"
    id: Mapped[int] = mapped_column(primary_key=True)
    ssn: Mapped[str | None] = mapped_column(Encrypted(String))
    ssn_index: Mapped[str | None] = mapped_column(BlindIndex("ssn"))
    pin: Mapped[str | None] = mapped_column(Encrypted(String, mode="deterministic"))
    bonus: Mapped[str | None] = mapped_column(Encrypted(String))
    __mapper_args__: Any = {"polymorphic_identity": "chief", "concrete": True}  # noqa: RUF012


class Trade(AbstractConcreteBase, Base):
    pass


class Smith(Trade):
    __tablename__ = "smiths"
    id: Mapped[int] = mapped_column(primary_key=True)
    ssn: Mapped[str | None] = mapped_column(Encrypted(String))
    ssn_index: Mapped[str | None] = mapped_column(BlindIndex("ssn"))
    __mapper_args__: Any = {"polymorphic_identity": "smith", "concrete": True}  # noqa: RUF012


class Baker(Trade):
    __tablename__ = "bakers"
    id: Mapped[int] = mapped_column(primary_key=True)
    ssn: Mapped[str | None] = mapped_column(Encrypted(String))
    ssn_index: Mapped[str | None] = mapped_column(BlindIndex("ssn"))
    __mapper_args__: Any = {"polymorphic_identity": "baker", "concrete": True}  # noqa: RUF012


class Ticket(Base):
    """Of the class that its code tells."""

    __tablename__ = "tickets"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String)
    name: Mapped[str | None] = mapped_column(Encrypted(String))
    smith_id: Mapped[int | None] = mapped_column(sa.ForeignKey("smiths.id"))
    smith: Mapped[Smith | None] = relationship()
    said: Mapped[str | None] = query_expression()
    __mapper_args__: Any = {  # noqa: RUF012
        "polymorphic_on": sa.case((code == "x", "special"), else_="ticket"),
        "polymorphic_identity": "ticket",
    }


class Special(Ticket):
    __mapper_args__: Any = {"polymorphic_identity": "special"}  # noqa: RUF012


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Session]:
    """A session of an engine that has these tables."""
    configure_mappers()
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session


# --- discriminators -------------------------------------------------------------------------------


def test_a_discriminator_is_no_attribute() -> None:
    """Nor is it where no class has an encrypted column."""

    class Own(DeclarativeBase):
        pass

    class Plain(ConcreteBase, Own):
        __tablename__ = "plains"
        id: Mapped[int] = mapped_column(primary_key=True)
        __mapper_args__: Any = {"polymorphic_identity": "plain", "concrete": True}  # noqa: RUF012

    class Computed(Own):
        __tablename__ = "computed"
        id: Mapped[int] = mapped_column(primary_key=True)
        code: Mapped[str] = mapped_column(String)
        __mapper_args__: Any = {  # noqa: RUF012
            "polymorphic_on": sa.case((code == "x", "special"), else_="computed"),
            "polymorphic_identity": "computed",
        }

    configure_mappers()
    assert {one.class_ for one in Own.registry.mappers} == {Plain, Computed}


def test_a_class_that_is_computed_is_written_and_read(session: Session) -> None:
    session.add_all([Ticket(code="a", name="Ann"), Special(code="x", name="Bob")])
    session.commit()
    session.expunge_all()
    found = session.scalars(select(Ticket).order_by(Ticket.id)).all()
    assert [(type(one), one.name) for one in found] == [(Ticket, "Ann"), (Special, "Bob")]
    found[1].name = "Eve"
    session.commit()
    assert session.scalars(select(Special)).one().name == "Eve"


# --- unions ---------------------------------------------------------------------------------------


def people(session: Session) -> None:
    """One of each class, all with the same values."""
    session.add_all([Clerk(ssn="a", pin="p"), Chief(ssn="a", pin="p", bonus="b")])
    session.add_all([Smith(ssn="a"), Baker(ssn="a")])
    session.commit()
    session.expunge_all()


def test_instances_of_a_union_open_as_what_they_are(session: Session) -> None:
    people(session)
    of_all: Any
    for of_all in (Clerk, Trade):
        assert [one.ssn for one in session.scalars(select(of_all))] == ["a", "a"]
    session.expunge_all()
    chief = session.scalars(select(Chief).where(Chief.ssn == "a", Chief.pin == "p")).one()
    assert (chief.ssn, chief.bonus) == ("a", "b")
    assert session.scalars(select(Baker).where(Baker.ssn == "a")).one().ssn == "a"


def of_clerks_and(table: Any) -> Any:
    """The rows of clerks and of another table."""
    names = ("id", "ssn", "ssn_index", "pin")
    first, second = (select(*(it.c[name] for name in names)) for it in (CLERKS, table))
    return union_all(first, second).subquery()


CLERKS: Any = Clerk.__table__
CHIEFS: Any = Chief.__table__
MIXED, SAME = of_clerks_and(CHIEFS), of_clerks_and(CLERKS.alias())
LABELLED = union_all(
    select(CLERKS.c.id, CLERKS.c.ssn.label("x"), CLERKS.c.ssn_index.label("y")),
    select(CHIEFS.c.id, CHIEFS.c.ssn, CHIEFS.c.ssn_index),
).subquery()
AGAIN = select(MIXED).cte()
REFUSED: dict[str, Callable[[], Any]] = {
    "concrete": lambda: select(Clerk).where(Clerk.ssn == "a"),
    "concrete, unequal": lambda: select(Clerk).where(Clerk.ssn != "z"),
    "concrete, deterministic": lambda: select(Clerk).where(Clerk.pin == "p"),
    "concrete, a value": lambda: select(Clerk.ssn),
    "abstract": lambda: select(Trade).where(Trade.ssn == "a"),  # type: ignore[attr-defined]
    "abstract, a value": lambda: select(Trade.ssn),  # type: ignore[attr-defined]
    "union": lambda: select(MIXED.c.id).where(MIXED.c.ssn == "a"),
    "union, among": lambda: select(MIXED.c.id).where(MIXED.c.ssn.in_(["a"])),
    "union, deterministic": lambda: select(MIXED.c.id).where(MIXED.c.pin == "p"),
    "union, a value": lambda: select(MIXED.c.ssn),
    "label": lambda: select(LABELLED.c.id).where(LABELLED.c.x == "a"),
    "label, a value": lambda: select(LABELLED.c.x.label("z")),
    "again": lambda: select(AGAIN.c.id).where(AGAIN.c.ssn == "a"),
    "again, a value": lambda: select(AGAIN.alias().c.ssn),
    "by itself": lambda: union_all(select(CLERKS.c.ssn), select(CHIEFS.c.ssn)),
    "of unions": lambda: union_all(
        select(CLERKS.c.ssn), union_all(select(CLERKS.c.ssn), select(CHIEFS.c.ssn))
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_values_of_several_columns_are_not_found_as_one(session: Session, name: str) -> None:
    people(session)
    with pytest.raises(InvalidRequestError, match="a union with another column"):
        session.execute(REFUSED[name]()).all()


ALLOWED: dict[str, tuple[Callable[[], Any], int]] = {
    "found": (lambda: select(SAME.c.id).where(SAME.c.ssn == "a"), 2),
    "found, deterministic": (lambda: select(SAME.c.id).where(SAME.c.pin == "p"), 2),
    "values": (lambda: select(SAME.c.id).where(SAME.c.ssn != "a"), 0),
    "by itself": (lambda: union_all(select(Clerk.__table__), select(CLERKS)), 2),
    "another column": (lambda: select(MIXED.c.id), 2),
    "what is stored": (lambda: select(type_coerce(MIXED.c.ssn, sa.Text)), 2),
    "null": (lambda: select(MIXED.c.id).where(MIXED.c.ssn.is_not(None)), 2),
    "count": (lambda: select(func.count(MIXED.c.ssn)), 1),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_opens_no_value_of_a_union_is_done(session: Session, name: str) -> None:
    people(session)
    ask, number = ALLOWED[name]
    assert len(session.execute(ask()).all()) == number


def test_a_union_with_null_has_the_values_of_one_column(session: Session) -> None:
    people(session)
    first = select(CLERKS.c.id, CLERKS.c.ssn, CLERKS.c.ssn_index)
    union = union_all(first, select(CLERKS.c.id, null(), null())).subquery()
    assert session.scalars(select(union.c.ssn)).all() == ["a", None]
    assert len(session.scalars(select(union.c.id).where(union.c.ssn == "a")).all()) == 1


# --- what a query says ----------------------------------------------------------------------------


def test_what_a_query_says_of_an_instance_is_a_value(session: Session) -> None:
    session.add(Ticket(code="a", name="Ann", smith=Smith(ssn="s")))
    session.add(Note(tenant_id=1, text="n"))
    session.commit()
    other = aliased(Smith)
    joined = select(Ticket).join(Ticket.smith)
    for asked in (
        joined.options(with_expression(Ticket.said, Smith.ssn)),
        joined.options(with_expression(Ticket.said, Smith.ssn), contains_eager(Ticket.smith)),
        select(Ticket).join(other, Ticket.smith).options(with_expression(Ticket.said, other.ssn)),
        joined.options(with_expression(Ticket.said, Smith.ssn), selectinload(Ticket.smith)),
    ):
        session.expunge_all()
        ticket = session.scalars(asked).one()
        assert (ticket.said, repr(vars(ticket)["name"])) == ("s", "<sealed>")
        assert ticket.smith is not None
        assert (ticket.name, ticket.smith.ssn) == ("Ann", "s")
    session.expunge_all()
    assert session.scalars(select(Ticket)).one().said is None
    bound = select(Ticket).join(Note, sa.true()).options(with_expression(Ticket.said, Note.text))
    with pytest.raises(InvalidRequestError, match="bound to its row"):
        session.scalars(bound)
