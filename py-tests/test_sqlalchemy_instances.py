"""Instances beside other things: values in the same rows, what they bring along, attributes that come later."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from reseal.sqlalchemy import BlindIndex, Encrypted
from sqlalchemy import String, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import (
    Bundle,
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    configure_mappers,
    joinedload,
    mapped_column,
    relationship,
)
from sqlalchemy_app import Note, Owner

pytestmark = pytest.mark.usefixtures("keys")


def test_an_instance_waits_beside_a_value(session: Session) -> None:
    session.add_all([Note(tenant_id=7, text="x"), Owner(name="Ann")])
    session.commit()
    session.expunge_all()
    joined = select(Note, Owner.name).join(Owner, sa.true())
    note, name = session.execute(joined).one()
    assert (note.text, name) == ("x", "Ann")
    session.expunge_all()
    other = aliased(Owner)
    asked = (
        select(Owner, other.name, other.name.label("again"), Note)
        .join(other, other.id == Owner.id)
        .join(Note, sa.true())
    )
    owner, name, again, note = session.execute(asked).one()
    assert repr(vars(owner)["name"]) == "<sealed>"
    assert (owner.name, name, again, note.text) == ("Ann", "Ann", "Ann", "x")
    for refused in (select(Note, Note.text), joined.add_columns(Note.text)):
        with pytest.raises(InvalidRequestError, match="bound to its row"):
            session.execute(refused)


def test_an_instance_waits_with_what_it_brings(engine: sa.Engine) -> None:
    class Own(DeclarativeBase):
        pass

    class Child(Own):
        __tablename__ = "children"
        id: Mapped[int] = mapped_column(primary_key=True)
        parent_id: Mapped[int] = mapped_column(sa.ForeignKey("parents.id"))
        name: Mapped[str] = mapped_column(Encrypted(String, tenant="parent_id"))

    class Parent(Own):
        __tablename__ = "parents"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(Encrypted(String))
        other: Mapped[str] = mapped_column(Encrypted(String))
        eager: Mapped[str] = mapped_column(Encrypted(String, lazy=False))
        children: Mapped[list[Child]] = relationship(order_by=Child.id)

    Own.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(
            Parent(name="p", other="o", eager="e", children=[Child(name="c"), Child(name="d")])
        )
        session.commit()
        # With a limit, the rows of the eager join come from a subquery.
        asked = select(Parent, Parent.other).options(joinedload(Parent.children)).limit(1)
        [(parent, other)] = session.execute(asked).unique()
        assert (repr(vars(parent)["name"]), vars(parent)["eager"]) == ("<sealed>", "e")
        assert (parent.name, parent.other, other) == ("p", "o", "o")
        assert [child.name for child in parent.children] == ["c", "d"]
        both: Any = Bundle("both", Parent.id, Parent.name)
        parent, bundle = session.execute(select(Parent, both)).one()
        assert (parent.other, bundle.name) == ("o", "p")


def test_an_attribute_of_a_configured_class_opens(engine: sa.Engine) -> None:
    class Own(DeclarativeBase):
        pass

    class Place(Own):
        __tablename__ = "places"
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str] = mapped_column(String(9))
        clinic: Mapped[int] = mapped_column()
        __mapper_args__: Any = {"polymorphic_on": "kind", "polymorphic_identity": "place"}  # noqa: RUF012

    class Room(Place):
        __mapper_args__: Any = {"polymorphic_identity": "room"}  # noqa: RUF012

    configure_mappers()
    later: Any = Place
    later.first = mapped_column(Encrypted(String))
    later.bound = mapped_column(Encrypted(String, tenant="clinic"))
    later.bound_index = mapped_column(BlindIndex("bound"))
    own: Any = Room
    own.own = mapped_column(Encrypted(String, tenant="clinic"))
    Own.metadata.create_all(engine)
    with Session(engine) as session:
        values = {"clinic": 7, "first": "a", "bound": "b"}
        session.add_all([Place(**values), Room(**values, own="c")])
        session.commit()
        session.expunge_all()
        place, room = session.scalars(select(Place).order_by(Place.id))
        assert (place.first, place.bound) == ("a", "b")  # type: ignore[attr-defined]
        assert (room.first, room.bound, room.own) == ("a", "b", "c")  # type: ignore[attr-defined]
        for one in (place, room):
            one.clinic = 8
        session.commit()
        session.expunge_all()
        asked = select(Place).where(Place.clinic == 8, later.bound == "b").order_by(Place.id)
        assert [one.bound for one in session.scalars(asked)] == ["b", "b"]  # type: ignore[attr-defined]
        assert session.scalars(select(Room)).one().own == "c"  # type: ignore[attr-defined]
