"""What values are bound to, in columns of all types: what the database gives back, however it was given."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import reseal
import sqlalchemy as sa
from job_support import KINDS
from reseal.sqlalchemy import BlindIndex, Encrypted, manifest_of
from sqlalchemy import Column, String, insert, select, update
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session, registry
from sqlalchemy_app import table_of
from sqlalchemy_support import engine_of, own_database

pytestmark = pytest.mark.usefixtures("keys")


class Ward(enum.Enum):
    north = "b"
    south = "north"


class Shift(enum.StrEnum):
    day = "d"
    night = "n"


class Lowered(sa.types.TypeDecorator[str]):
    """What is given in any case, and kept in lower case."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else value.lower()


class Guid(sa.types.TypeDecorator[uuid.UUID]):
    """A UUID as text, given in any spelling."""

    impl = String(36)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else str(uuid.UUID(str(value)))

    def process_result_value(self, value: str | None, dialect: Any) -> uuid.UUID | None:
        return None if value is None else uuid.UUID(value)


class Doc(sa.types.TypeDecorator[uuid.UUID]):
    """A UUID whose column differs from one database to another."""

    impl = sa.CHAR
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        own = sa.Uuid() if dialect.name == "postgresql" else sa.CHAR(32)
        return dialect.type_descriptor(own)

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return (value if isinstance(value, uuid.UUID) else uuid.UUID(value)).hex

    def process_result_value(self, value: Any, dialect: Any) -> uuid.UUID | None:
        return value if value is None or isinstance(value, uuid.UUID) else uuid.UUID(value)


class Spelled(sa.types.TypeDecorator[str]):
    """A UUID as its text."""

    impl = sa.Uuid(as_uuid=False)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else str(uuid.UUID(str(value)))


class Plain(sa.types.TypeDecorator[str]):
    """Text that is only called otherwise."""

    impl = String(40)
    cache_ok = True


class Kind(sa.types.TypeDecorator[int]):
    """Numbers under names."""

    impl = String(10)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else f"kind-{value}"

    def process_result_value(self, value: str | None, dialect: Any) -> int | None:
        return None if value is None else int(value.removeprefix("kind-"))


KEY = uuid.UUID("6d1f0c5a-0b1e-4a7e-9c53-00000000abcd")
#: A type, values of the same row however they are given, and what is bound.
GIVEN: dict[str, tuple[Any, list[Any], Any]] = {
    "integer": (sa.Integer, [7, "7"], 7),
    "text": (sa.String(10), ["7 "], "7 "),
    "characters": (sa.CHAR(3), ["abc"], "abc"),
    "bytes": (sa.LargeBinary(8), [b"x"], b"x"),
    "uuid": (sa.Uuid, [KEY], KEY),
    "uuid as text": (sa.Uuid(as_uuid=False), [KEY.hex, str(KEY)], KEY),
    "members": (sa.Enum(Ward), [Ward.north, "north"], "north"),
    "members that are text": (sa.Enum(Shift), [Shift.day, "day", "d"], "day"),
    "members by their values": (
        sa.Enum(Ward, name="by_value", values_callable=lambda kind: [it.value for it in kind]),
        [Ward.south],
        "north",
    ),
    "names": (sa.Enum("a", "b", name="names"), ["b"], "b"),
    "a type that makes it lower": (Lowered, ["ABC", "abc"], "abc"),
    "a type of UUIDs": (Guid, [KEY, KEY.hex, str(KEY).upper()], KEY),
    "a type of columns that differ": (Doc, [KEY], KEY),
    "a type of text that is a UUID": (Spelled, [KEY, KEY.hex], KEY),
    "a type that makes nothing": (Plain, ["A "], "A "),
    "a type of numbers": (Kind, [7, "7"], 7),
}


@pytest.fixture(params=KINDS)
def session(
    request: pytest.FixtureRequest, servers: dict[str, str], tmp_path: Path
) -> Iterator[Session]:
    """A session of a database of each kind."""
    with own_database(request.param, servers, tmp_path) as url:
        engine = engine_of(url)
        with Session(engine) as session:
            yield session
        engine.dispose()


def model_of(type_: Any) -> Any:
    """A class whose values are bound to a tenant of a type."""
    table = table_of(
        Column("tenant", type_),
        Column("text", Encrypted(String, tenant="tenant")),
        Column("text_index", BlindIndex("text")),
    )
    return registry(metadata=table.metadata).mapped(type("Thing", (), {"__table__": table}))


@pytest.mark.parametrize("name", GIVEN)
def test_a_value_opens_under_what_the_database_gives_back(session: Session, name: str) -> None:
    type_, spellings, fact = GIVEN[name]
    model = model_of(type_)
    model.__table__.metadata.create_all(session.connection())
    [column] = reseal.Manifest.parse(manifest_of(model.__table__.metadata)).build()
    raw = select(sa.type_coerce(model.text, sa.Text))
    for tenant in spellings:
        # PostgreSQL compares no number with text.
        known = fact if name == "integer" else tenant
        # Instances, and statements that name it.
        session.add(model(tenant=tenant, text="s"))
        session.execute(insert(model), [{"tenant": tenant, "text": "s"}])
        session.flush()
        session.execute(update(model).where(model.tenant == known).values(text="s"))
        session.expunge_all()
        things = session.scalars(select(model).order_by(model.id)).all()
        assert [it.text for it in things] == ["s", "s"]
        for one in session.scalars(raw):
            opened = column.open(one, tenant=fact)
            assert opened is not None
            assert opened.value == "s"
        asked = select(model).where(model.tenant == known, model.text == "s")
        assert len(session.scalars(asked).all()) == 2
        things[0].text = "t"
        session.flush()
        session.expire_all()
        assert things[0].text == "t"
        session.execute(sa.delete(model))


@pytest.mark.parametrize(
    ("type_", "tenant"),
    [
        (sa.Integer, "07"),
        (sa.Integer, " 7"),
        (sa.Integer, "7.0"),
        (sa.CHAR(10), "abc"),
        (sa.CHAR(3), "ab "),
        (sa.Enum(Ward), "west"),
        (sa.Enum("a", "b"), "A"),
        (sa.BINARY(4), b"x"),
    ],
)
def test_what_would_come_back_otherwise_is_refused(
    engine: sa.Engine, type_: Any, tenant: Any
) -> None:
    model = model_of(type_)
    model.__table__.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(model(tenant=tenant, text="s"))
        with pytest.raises(
            reseal.ResealError, match="tenant, whose value is not spelled"
        ) as caught:
            session.flush()
        assert caught.value.code == "invalid-argument"
        session.rollback()
        with pytest.raises(reseal.ResealError, match="not spelled"):
            session.execute(update(model).where(model.tenant == tenant).values(text="s"))


@pytest.mark.parametrize(
    ("type_", "tenant"),
    [
        (sa.Numeric(10, 2), 7),
        (sa.Float, 7),
        (sa.Boolean, 1),
        (sa.Date, "2026-01-01"),
        (sa.DateTime, "2026-01-01"),
        (sa.JSON, "x"),
        (sa.PickleType, 7),
        (sa.Numeric, Decimal(7)),
    ],
)
def test_a_type_whose_values_are_no_facts_is_refused(
    engine: sa.Engine, type_: Any, tenant: Any
) -> None:
    model = model_of(type_)
    model.__table__.metadata.create_all(engine)
    with (
        Session(engine) as session,
        pytest.raises(ArgumentError, match="cannot be bound to tenant"),
    ):
        session.execute(insert(model), [{"tenant": tenant, "text": "s"}])
    with pytest.raises(ArgumentError, match="bind it to a column of Integer, String, Uuid"):
        manifest_of(model.__table__.metadata)


def test_the_row_id_is_bound_as_it_comes_back(engine: sa.Engine) -> None:
    key: Any = Column("id", Lowered, primary_key=True)
    text: Any = Column("text", Encrypted(String, bind_row=True))
    table = sa.Table("rows", sa.MetaData(), key, text)
    model: Any = registry(metadata=table.metadata).mapped(type("Row", (), {"__table__": table}))
    table.create(engine)
    with Session(engine) as session:
        session.add(model(id="ABC", text="s"))
        session.commit()
        session.expunge_all()
        assert session.scalars(select(model)).one().text == "s"


def test_what_was_sealed_under_what_is_stored_still_opens(session: Session) -> None:
    model = model_of(Lowered)
    model.__table__.metadata.create_all(session.connection())
    [column] = reseal.Manifest.parse(manifest_of(model.__table__.metadata)).build()
    sealed = column.seal("s", tenant="ABC")
    row = {"sealed": sealed}
    session.execute(sa.text("INSERT INTO things (tenant, text) VALUES ('ABC', :sealed)"), row)
    [thing] = session.scalars(select(model))
    assert thing.text == "s"
    thing.text = "t"
    session.flush()
    session.expire_all()
    assert (thing.tenant, thing.text) == ("abc", "t")
