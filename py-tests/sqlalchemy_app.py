"""An application of SQLAlchemy: its models, and what tests ask of their tables."""

from __future__ import annotations

import uuid
from contextvars import ContextVar
from typing import Any

import reseal
import sqlalchemy as sa
from reseal.sqlalchemy import BlindIndex, Encrypted
from sqlalchemy import Column, Integer, MetaData, String, Table, select
from sqlalchemy.ext.mutable import MutableDict
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

DATA, INDEX = reseal.Key.generate("data"), reseal.Key.generate("index")
RING = reseal.Keyring(primary=DATA, index=INDEX)
TENANT: ContextVar[int | None] = ContextVar("tenant", default=None)


class Base(DeclarativeBase):
    pass


class Owner(Base):
    __tablename__ = "owners"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(Encrypted(String(20)))
    cards: Mapped[list[Card]] = relationship(back_populates="owner", order_by="Card.id")


class Card(Base):
    __tablename__ = "cards"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("owners.id"))
    kind: Mapped[str | None] = mapped_column(default="card")
    label: Mapped[str | None]
    number: Mapped[str | None] = mapped_column(Encrypted(String))
    number_index: Mapped[str | None] = mapped_column(
        BlindIndex("number", normalizer="digits", bits=8), index=True
    )
    owner: Mapped[Owner | None] = relationship(back_populates="cards")
    __mapper_args__: Any = {"polymorphic_on": "kind", "polymorphic_identity": "card"}  # noqa: RUF012


class Special(Card):
    __tablename__ = "specials"
    id: Mapped[int] = mapped_column(sa.ForeignKey("cards.id"), primary_key=True)
    pin: Mapped[str | None] = mapped_column(Encrypted(String))
    __mapper_args__: Any = {"polymorphic_identity": "special"}  # noqa: RUF012


class Note(Base):
    """Bound to a tenant, and to its row."""

    __tablename__ = "notes"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    tenant_id: Mapped[int | None]
    text: Mapped[str | None] = mapped_column(Encrypted(String, tenant="tenant_id", bind_row=True))
    doc: Mapped[Any] = mapped_column(
        MutableDict.as_mutable(Encrypted(sa.JSON, lazy=False)), nullable=True
    )


def stored(session: Session, column: str, table: str) -> list[Any]:
    """What the database holds, by id."""
    return list(session.scalars(sa.text(f"SELECT {column} FROM {table} ORDER BY id")))


def table_of(*columns: Any, name: str = "things", **more: Any) -> Table:
    """A table with an id, of a metadata of its own."""
    return Table(name, MetaData(), Column("id", Integer, primary_key=True), *columns, **more)


def numbers(session: Session, *values: str | None) -> list[Card]:
    """Cards with these numbers, written."""
    cards = [Card(number=value) for value in values]
    session.add_all(cards)
    session.flush()
    return cards


def found(session: Session, value: str) -> list[int]:
    """The ids of the cards that have a number."""
    return sorted(session.scalars(select(Card.id).where(Card.number == value)))
