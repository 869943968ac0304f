"""What SQLAlchemy's own ways of writing, reading and asking do with encrypted columns."""

from __future__ import annotations

import copy
import datetime
import decimal
import doctest
import inspect
import logging
import pickle
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import pytest
import reseal
import reseal.sqlalchemy.alembic
import sqlalchemy as sa
from reseal import codecs, hooks
from reseal.sqlalchemy import BlindIndex, Encrypted, Unopened, configure, manifest_of, on_error
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import ArgumentError, InvalidRequestError, StatementError
from sqlalchemy.ext.mutable import MutableDict
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    defer,
    joinedload,
    load_only,
    mapped_column,
    relationship,
    selectinload,
    with_loader_criteria,
)

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


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    monkeypatch.setenv("RESEAL_INDEX_KEY", INDEX.export())
    configure()
    yield
    configure()


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


def stored(session: Session, column: str, table: str) -> list[Any]:
    return list(session.scalars(sa.text(f"SELECT {column} FROM {table} ORDER BY id")))


def table_of(*columns: Any, name: str = "things", **more: Any) -> Table:
    return Table(name, MetaData(), Column("id", Integer, primary_key=True), *columns, **more)


# --- documentation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [reseal.sqlalchemy, reseal.sqlalchemy.alembic])
def test_examples_in_docstrings_run(module: Any) -> None:
    for name in module.__all__:
        thing = getattr(module, name)
        text = inspect.getdoc(thing)
        assert text, name
        scope = {**vars(module), "reseal": reseal}
        test = doctest.DocTestParser().get_doctest(text, scope, name, None, None)
        output: list[str] = []
        assert doctest.DocTestRunner().run(test, out=output.append).failed == 0, "".join(output)


# --- types ----------------------------------------------------------------------------------------

ZONE = datetime.timezone(datetime.timedelta(hours=2))
TYPES: list[tuple[Any, Any, Any]] = [
    (String, "é", "é"),
    (sa.Text(), "", ""),
    (sa.Unicode(5), "12345", "12345"),
    (Integer, 0, 0),
    (sa.BigInteger, -(2**62), -(2**62)),
    (sa.Numeric(10, 2), decimal.Decimal("1.5"), decimal.Decimal("1.50")),
    (sa.Numeric, decimal.Decimal("1.50"), decimal.Decimal("1.5")),
    (sa.Numeric(10, 2, asdecimal=False), 0.25, 0.25),
    (sa.Date, datetime.date(2024, 2, 29), datetime.date(2024, 2, 29)),
    (sa.DateTime, datetime.datetime(2024, 2, 29, 1, 2, 3, 4), None),
    (
        sa.DateTime(timezone=True),
        datetime.datetime(2024, 2, 29, 12, tzinfo=ZONE),
        datetime.datetime(2024, 2, 29, 10, tzinfo=datetime.timezone.utc),
    ),
    (sa.Time, datetime.time(1, 2, 3), datetime.time(1, 2, 3)),
    (sa.Boolean, False, False),
    (sa.JSON, {"a": [1, None]}, {"a": [1, None]}),
    (postgresql.JSONB, [], []),
    (sa.LargeBinary, b"\x00\xff", b"\x00\xff"),
    (sa.Uuid, uuid.UUID(int=7), uuid.UUID(int=7)),
    (sa.Uuid(as_uuid=False), uuid.UUID(int=7).hex, uuid.UUID(int=7).hex),
]


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize(("type_", "value", "given"), TYPES, ids=lambda one: str(one)[:20])
def test_each_type(engine: sa.Engine, type_: Any, value: Any, given: Any, binary: bool) -> None:
    table = table_of(Column("x", Encrypted(type_, binary=binary)))
    table.create(engine)
    with engine.connect() as connection:
        connection.execute(insert(table), [{"x": value}, {"x": None}])
        found, null = connection.scalars(select(table.c.x).order_by(table.c.id)).all()
        given = value if given is None else given
        assert (found, type(found), null) == (given, type(given), None)
        assert str(found) == str(given)
        raw = connection.scalars(sa.text("SELECT x FROM things ORDER BY id")).all()
        assert raw[1] is None
        assert isinstance(raw[0], bytes if binary else str)
        assert reseal.inspect(raw[0]).mode == "random"


WRONG: list[tuple[Any, Any]] = [
    (String(3), "four"),
    (sa.Numeric(10, 2), decimal.Decimal("0.123")),
    (sa.Numeric, decimal.Decimal("NaN")),
    (sa.DateTime, datetime.datetime(2024, 1, 1, tzinfo=ZONE)),
    (sa.DateTime(timezone=True), datetime.datetime(2024, 1, 1)),
    (sa.JSON, sa.JSON.NULL),
    (sa.Boolean, "true-secret"),
    (Integer, "4711"),
]


@pytest.mark.parametrize(("type_", "value"), WRONG, ids=lambda one: str(one)[:20])
def test_what_does_not_fit_is_refused(engine: sa.Engine, type_: Any, value: Any) -> None:
    table = table_of(Column("x", Encrypted(type_)))
    table.create(engine)
    with engine.connect() as connection, pytest.raises(reseal.ResealError) as caught:
        connection.execute(insert(table), {"x": value})
    assert caught.value.code in ("value-invalid", "invalid-argument")
    assert str(value) not in str(caught.value)


@pytest.mark.parametrize(
    "type_", [sa.Enum("a", "b"), sa.Float, sa.Interval, sa.Time(timezone=True), sa.ARRAY(Integer)]
)
def test_types_that_cannot_be_encrypted(type_: Any) -> None:
    with pytest.raises(ArgumentError, match="cannot be encrypted"):
        Encrypted(type_)


def test_there_is_room_for_long_values() -> None:
    table = table_of(Column("x", Encrypted(String(5))), Column("y", Encrypted(String, binary=True)))
    words = {
        mysql: ("LONGTEXT", "LONGBLOB"),
        postgresql: ("TEXT", "BYTEA"),
        sqlite: ("TEXT", "BLOB"),
    }
    for dialect, (text, blob) in words.items():
        ddl = str(sa.schema.CreateTable(table).compile(dialect=dialect.dialect()))
        assert f"x {text}" in ddl
        assert f"y {blob}" in ddl


# --- declarations ---------------------------------------------------------------------------------


def test_a_type_belongs_to_one_column(engine: sa.Engine) -> None:
    shared = Encrypted(String)
    table = table_of(Column("x", shared), Column("y", shared))
    table.create(engine)
    with engine.connect() as connection:
        connection.execute(insert(table), {"x": "of x", "y": "of y"})
        connection.execute(sa.text("UPDATE things SET y = x"))
        assert connection.scalar(select(table.c.x)) == "of x"
        with pytest.raises(reseal.DecryptError, match=r"things\.y"):
            connection.scalar(select(table.c.y))


def test_tables_of_a_copied_metadata_are_the_same(engine: sa.Engine) -> None:
    table = table_of(Column("x", Encrypted(String)), Column("x_index", BlindIndex("x")))
    copied = table.to_metadata(MetaData())
    table.create(engine)
    with engine.connect() as connection:
        connection.execute(insert(copied), {"x": "v"})
        assert connection.scalar(select(table.c.x).where(table.c.x == "v")) == "v"
        assert connection.scalar(select(copied.c.x).where(copied.c.x == "v")) == "v"
        assert connection.scalar(select(copied.c.x).where(copied.c.x == "w")) is None


def test_the_context_survives_a_rename(engine: sa.Engine) -> None:
    old = table_of(Column("x", Encrypted(String)))
    new = table_of(Column("z", Encrypted(String, context_name="things.x")), name="items")
    column: Any = Column(
        "z", Encrypted(String, earlier_contexts=[{"table": "things", "column": "x"}])
    )
    old.create(engine)
    with engine.connect() as connection:
        connection.execute(insert(old), {"x": "v"})
        connection.execute(sa.text("CREATE TABLE items AS SELECT id, x AS z FROM things"))
        assert connection.scalar(select(new.c.z)) == "v"
        assert connection.scalar(select(table_of(column, name="items").c.z)) == "v"


def test_what_cannot_be_declared() -> None:
    with pytest.raises(ArgumentError, match="primary key"):
        Table("t", MetaData(), Column("id", Encrypted(String), primary_key=True))
    with pytest.raises(ArgumentError, match="foreign key"):
        table_of(Column("x", Encrypted(String), sa.ForeignKey("things.id")))
    with pytest.raises(ArgumentError, match="normalizer"):
        BlindIndex("x", normalizer="lower")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="bits"):
        BlindIndex("x", bits=4)
    with pytest.raises(ArgumentError, match="tenant"):
        Encrypted(String, tenant=7)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="on_error"):
        Encrypted(String, on_error="hide")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="on_error"), on_error("hide"):  # type: ignore[arg-type]
        pass


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ([Column("x", Encrypted(String, bind_row=True))], "a primary key that the program gives"),
        ([Column("x", Encrypted(String, tenant="none"))], "no column 'none'"),
        ([Column("x", Encrypted(String)), Column("y", BlindIndex("z"))], "no encrypted column 'z'"),
        ([Column("x", Encrypted(sa.JSON)), Column("y", BlindIndex("x"))], "documents"),
        ([Column("y", BlindIndex("x")), Column("x", Encrypted(String), default="d")], "after it"),
    ],
)
def test_what_is_found_to_be_wrong_at_the_first_use(
    engine: sa.Engine, columns: list[Any], match: str
) -> None:
    table = table_of(*columns)
    table.create(engine)
    names: dict[str, Any] = {
        one.name: {} if one.name == "x" and "JSON" in repr(one.type) else "v"
        for one in columns
        if one.name == "x" and one.default is None
    }
    with engine.connect() as connection, pytest.raises(Exception, match=match):
        connection.execute(insert(table), names or {"id": 1})


def test_a_type_says_how_it_was_declared() -> None:
    one = Encrypted(String(5), read=["plain"], mode="padded", tenant="tenant_id", bind_row=True)
    shown = repr(one)
    assert eval(shown).__dict__["read"] == ("plain",)
    assert (
        shown
        == "Encrypted(String(length=5), read=('plain',), mode='padded', tenant='tenant_id', bind_row=True)"
    )
    assert repr(BlindIndex("ssn", name="n")) == "BlindIndex('ssn', name='n')"
    assert Encrypted(Integer).python_type is int


def test_codecs_of_one_metadata(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
    monkeypatch.setenv("TOKENS", key)
    metadata = MetaData()
    configure(
        {"tokens": {"kind": "fernet", "keys": ["env:TOKENS"]}}, write="tokens", metadata=metadata
    )
    table = Table(
        "t", metadata, Column("id", Integer, primary_key=True), Column("x", Encrypted(String))
    )
    table.create(engine)
    with engine.connect() as connection:
        connection.execute(insert(table), {"x": "v"})
        raw = connection.scalar(sa.text("SELECT x FROM t"))
        assert codecs.fernet(keys=[key]).open(raw).plaintext == b"v"
        assert connection.scalar(select(table.c.x)) == "v"
    assert 'write = "tokens"' in manifest_of(metadata)


def test_the_manifest_is_that_of_the_tables() -> None:
    metadata = MetaData()
    Table(
        "users",
        metadata,
        Column("id", sa.Uuid, primary_key=True),
        Column("tenant_id", Integer),
        Column("age", Encrypted(Integer, tenant="tenant_id", bind_row=True, read=["plain"])),
        Column("ssn", Encrypted(String)),
        Column("ssn_index", BlindIndex("ssn", bits=32)),
        Column("other", String),
    )
    age, ssn = reseal.Manifest.parse(manifest_of(metadata)).columns
    assert (age.table, age.column, age.type, age.bind_row, list(age.read)) == (
        "users",
        "age",
        "integer",
        True,
        ["plain"],
    )
    assert ssn.indexes[0].column == "ssn_index"
    Table(
        "more",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("x", Encrypted(String, tenant=TENANT.get)),
    )
    with pytest.raises(reseal.ResealError, match="comes from a function"):
        manifest_of(metadata)


# --- writing --------------------------------------------------------------------------------------


def numbers(session: Session, *values: str | None) -> list[Card]:
    cards = [Card(number=value) for value in values]
    session.add_all(cards)
    session.flush()
    return cards


def found(session: Session, value: str) -> list[int]:
    return sorted(session.scalars(select(Card.id).where(Card.number == value)))


def test_terms_follow_every_way_of_writing(session: Session) -> None:
    card = numbers(session, "1")[0]
    assert (
        card.number_index
        == RING.index_terms(
            "1",
            {"table": "cards", "column": "number"},
            index="number_index",
            normalizer="digits",
            bits=8,
        )[0]
    )
    card.number = "2"
    session.flush()
    assert (found(session, "1"), found(session, "2")) == ([], [card.id])
    session.execute(update(Card).where(Card.number == "2").values(number="3"))
    assert found(session, "3") == [card.id]
    session.execute(update(Card), [{"id": card.id, "number": "4"}])
    assert found(session, "4") == [card.id]
    table: Any = Card.__table__
    session.execute(
        table.update().where(table.c.id == sa.bindparam("key")).values(number=sa.bindparam("new")),
        [{"key": card.id, "new": "5"}],
    )
    assert found(session, "5") == [card.id]
    session.execute(table.update().where(table.c.id == card.id), {"number": "6"})
    assert found(session, "6") == [card.id]
    session.execute(update(Card).values(number=sa.null()))
    assert stored(session, "number_index", "cards") == [None]
    session.execute(insert(Card).values([{"number": "7"}, {"number": "8"}]))
    assert len(found(session, "7") + found(session, "8")) == 2
    new = session.execute(insert(Card).values(number="9").returning(Card)).scalar_one()
    assert (new.number, found(session, "9")) == ("9", [new.id])
    session.execute(insert(Card), [{"number": "10"}, {"number": "11"}])
    assert found(session, "11")
    session.bulk_save_objects([Card(number="12")])
    assert found(session, "12")
    session.execute(update(Card).where(Card.id == new.id).values(label="x"))
    assert found(session, "9") == [new.id]
    with pytest.raises(InvalidRequestError, match="ordered_values"):
        session.execute(update(Card).ordered_values((Card.number, "13")))


def test_an_upsert_names_the_terms(session: Session) -> None:
    card = numbers(session, "1")[0]
    statement = sqlite.insert(Card).values(id=card.id, number="2")
    with pytest.raises(InvalidRequestError, match="number_index"):
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["id"], set_={"number": statement.excluded.number}
            )
        )
    both = {name: statement.excluded[name] for name in ("number", "number_index")}
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=both))
    session.expire_all()
    assert (found(session, "2"), card.number) == ([card.id], "2")


def test_an_instance_is_copied_and_merged(session: Session) -> None:
    card = numbers(session, "1")[0]
    key = card.id
    before = stored(session, "number", "cards")
    session.commit()
    session.expunge_all()
    card = session.get_one(Card, key)
    again = pickle.loads(pickle.dumps(card))
    assert again.number == "1"
    session.expunge(card)
    merged = session.merge(card)
    session.flush()
    assert merged.number == "1"
    session.expunge_all()
    card = session.get_one(Card, key)
    sa.orm.make_transient(card)
    card.id = None  # type: ignore[assignment]
    session.add(card)
    session.flush()
    old, new = stored(session, "number", "cards")
    assert old != new
    assert new not in before
    assert len(found(session, "1")) == 2


def test_rows_are_read_in_every_way(session: Session) -> None:
    owner = Owner(name="Ann", cards=[Card(number="1"), Special(number="2", pin="9")])
    session.add(owner)
    session.commit()
    for option in (selectinload(Owner.cards), joinedload(Owner.cards)):
        session.expunge_all()
        with hooks.Counters() as counters:
            one = session.scalars(select(Owner).options(option)).unique().one()
            assert counters.total("opened") == 0
            assert [card.number for card in one.cards] == ["1", "2"]
            assert counters.total("opened") == 2
    session.expunge_all()
    special = session.scalars(select(Special)).one()
    assert (special.number, special.pin) == ("2", "9")
    assert (
        session.execute(select(Owner, Card.number).join(Owner.cards).order_by(Card.id)).all()[1][1]
        == "2"
    )
    session.expunge_all()
    card = session.scalars(select(Card).options(load_only(Card.label)).order_by(Card.id)).first()
    assert card is not None
    assert card.number == "1"
    session.expire(card)
    assert card.number == "1"
    session.refresh(card, ["number"])
    assert card.number == "1"
    alias = aliased(Card)
    assert session.scalars(select(alias.number).where(alias.number == "1")).all() == ["1"]
    sub = select(Card).subquery()
    assert session.scalars(select(sub.c.number).where(sub.c.number == "1")).all() == ["1"]
    own = aliased(Card, sub)
    assert session.scalars(select(own).where(own.number == "1")).one().number == "1"
    text = select(Card).from_statement(sa.text("SELECT * FROM cards ORDER BY id"))
    assert session.scalars(text).first() is card
    assert (
        session.scalars(select(Owner).where(Owner.cards.any(Card.number == "1"))).one().name
        == "Ann"
    )
    union = sa.union_all(select(Card.number), select(Card.number)).subquery()
    assert sorted(session.scalars(select(union.c.number))) == ["1", "1", "2", "2"]
    assert session.scalar(select(func.count(Card.number))) == 2
    assert session.query(Card).filter_by(number="2").count() == 1


def test_unopened_values_stay_as_they_are(session: Session) -> None:
    numbers(session, "1")
    session.commit()
    before = stored(session, "number", "cards")
    card = session.scalars(select(Card)).one()
    assert "1" not in repr(card.__dict__["number"])
    card.label = "new"
    session.commit()
    assert stored(session, "number", "cards") == before
    # What was opened and not changed is not written, either.
    assert card.number == "1"
    card.number = "1"
    session.commit()
    assert stored(session, "number", "cards") == before


def test_documents_that_change_in_place(session: Session) -> None:
    session.add(Note(doc={"a": 1}))
    session.commit()
    note = session.scalars(select(Note)).one()
    note.doc["b"] = 2
    session.commit()
    assert session.scalars(select(Note.doc)).one() == {"a": 1, "b": 2}


# --- what is bound to its row ---------------------------------------------------------------------


def test_bound_to_tenant_and_row(session: Session) -> None:
    session.add_all([Note(tenant_id=1, text="one"), Note(tenant_id=2, text="two"), Note(text=None)])
    session.commit()
    ring = reseal.Column(write=codecs.reseal(RING), context={"table": "notes", "column": "text"})
    for note in session.scalars(select(Note).where(Note.tenant_id.is_not(None))):
        [raw] = session.scalars(
            select(sa.type_coerce(Note.text, sa.Text)).where(Note.id == note.id)
        )
        opened = ring.open(raw, tenant=note.tenant_id or 0, row=note.id)
        assert opened is not None
        assert opened.value == note.text
    note = session.scalars(select(Note).where(Note.tenant_id == 1)).one()
    note.tenant_id = 5
    session.commit()
    assert note.text == "one"
    session.expire_all()
    # The database has changed it meanwhile, and then this program changes it once more.
    session.execute(sa.text("UPDATE notes SET doc = NULL"))
    note.text = "changed"
    session.commit()
    assert note.text == "changed"
    session.execute(
        update(Note).where(Note.id == note.id, Note.tenant_id == 5).values(text="by a statement")
    )
    session.expire_all()
    assert note.text == "by a statement"
    session.execute(
        insert(Note), [{"tenant_id": 7, "text": "many"}, {"tenant_id": 8, "text": "more"}]
    )
    assert sorted(one.text or "" for one in session.scalars(select(Note))) == [
        "",
        "by a statement",
        "many",
        "more",
        "two",
    ]


def test_what_lacks_its_row_is_refused(session: Session) -> None:
    session.add(Note(tenant_id=1, text="one"))
    session.commit()
    for asked in (select(Note.text), select(Note.__table__), select(Note, Note.text)):
        with pytest.raises(InvalidRequestError, match="bound to its row"):
            session.execute(asked)
    with pytest.raises(reseal.ResealError, match="bound to its row"):
        session.execute(update(Note).where(Note.tenant_id == 1).values(text="x"))
    with pytest.raises(reseal.ResealError, match="bound to its tenant"):
        session.execute(insert(Note).values(text="x"))
    with pytest.raises(InvalidRequestError, match="list of parameters"):
        session.execute(insert(Note).values([{"tenant_id": 1, "text": "x"}]))
    session.add(Note(text="no tenant"))
    with pytest.raises(reseal.ResealError, match="bound to its tenant"):
        session.flush()


def test_the_tenant_of_a_function(engine: sa.Engine) -> None:
    table = table_of(
        Column("x", Encrypted(String, tenant=TENANT.get)), Column("x_index", BlindIndex("x"))
    )
    table.create(engine)
    with engine.connect() as connection:
        with pytest.raises(reseal.ResealError, match="tenant"):
            connection.execute(insert(table), {"x": "v"})
        for tenant in (1, 2):
            TENANT.set(tenant)
            connection.execute(insert(table), {"x": "v"})
        asked = select(table.c.id).where(table.c.x == "v")
        assert connection.scalars(asked).all() == [2]
        TENANT.set(1)
        assert connection.scalars(asked).all() == [1]
        with pytest.raises(reseal.DecryptError):
            connection.execute(select(table.c.x)).all()
        TENANT.set(None)


# --- finding --------------------------------------------------------------------------------------


def test_false_hits_are_left_out_everywhere(session: Session) -> None:
    numbers(session, *map(str, range(1000)))
    assert session.scalars(select(Card.number).where(Card.number == "17")).all() == ["17"]
    assert session.scalar(select(func.count()).select_from(Card).where(Card.number != "17")) == 999
    assert session.scalar(select(func.count()).where(Card.number.not_in(["1", "2"]))) == 998
    some = session.scalars(select(Card.number).where(Card.number.in_(["5", "6", None])))
    assert sorted(map(str, some)) == ["5", "6"]
    assert session.scalars(select(Card.number).where(Card.number.in_([]))).all() == []
    result: Any = session.execute(sa.delete(Card).where(Card.number == "17"))
    assert result.rowcount == 1
    either = select(Card.number).where(sa.or_(Card.number == "1", ~(Card.number != "2")))
    assert sorted(map(str, session.scalars(either))) == ["1", "2"]
    # A statement that was built once is executed with the keys and the rows of each time.
    asked = select(func.count()).where(Card.number == "new")
    assert session.scalar(asked) == 0


def test_a_statement_is_compiled_once(session: Session, engine: sa.Engine) -> None:
    numbers(session, "1", "2")
    session.scalars(select(Card.id).where(Card.number == "1")).all()
    cache: Any = engine._compiled_cache
    before = len(cache)
    for value in ("1", "2", "3"):
        session.scalars(select(Card.id).where(Card.number == value)).all()
    assert len(cache) == before


def test_a_variable_of_a_lambda_is_no_value(session: Session) -> None:
    numbers(session, "1", "2")
    for value in ("1", "2"):
        with pytest.raises(InvalidRequestError):
            session.scalars(
                sa.lambda_stmt(lambda: select(Card.number).where(Card.number == value))  # noqa: B023
            )
        with pytest.raises(InvalidRequestError, match="is encrypted"):
            session.scalars(
                select(Card).options(
                    with_loader_criteria(Card, lambda one: one.number == value)  # noqa: B023
                )
            )
        known = with_loader_criteria(Card, Card.number == value)
        assert session.scalars(select(Card).options(known)).one().number == value


def test_an_alias_is_joined_by_values(session: Session) -> None:
    session.add(Owner(name="Ann", cards=[Card(number="1"), Card(number="2")]))
    session.flush()
    first, second = aliased(Card), aliased(Card)
    asked = (
        select(first.id, second.id)
        .join(second, first.owner_id == second.owner_id)
        .where(first.number == "1", second.number == "2")
    )
    assert len(session.execute(asked).all()) == 1


def test_deterministic_values_are_found_by_themselves(engine: sa.Engine) -> None:
    table = table_of(Column("x", Encrypted(String, mode="deterministic")))
    table.create(engine)
    with engine.connect() as connection:
        connection.execute(insert(table), [{"x": "a"}, {"x": "b"}, {"x": "a"}, {"x": None}])
        asked = select(table.c.id).where(table.c.x == "a")
        assert connection.scalars(asked).all() == [1, 3]
        assert connection.scalars(select(table.c.id).where(table.c.x.in_(["a", "b"]))).all() == [
            1,
            2,
            3,
        ]
        assert connection.scalars(select(table.c.id).where(table.c.x != "a")).all() == [2]


REFUSED: dict[str, Any] = {
    "order": lambda: select(Card).order_by(Card.number),
    "order desc": lambda: select(Card).order_by(Card.number.desc()),
    "order by name": lambda: select(Card.number).order_by("number"),
    "less": lambda: select(Card).where(Card.number < "1"),
    "between": lambda: select(Card).where(Card.number.between("1", "2")),
    "like": lambda: select(Card).where(Card.number.like("1%")),
    "ilike": lambda: select(Card).where(Card.number.ilike("1")),
    "contains": lambda: select(Card).where(Card.number.contains("1")),
    "startswith": lambda: select(Card).where(Card.number.startswith("1")),
    "concat": lambda: select(Card.number + "x"),
    "reversed": lambda: select("x" + Card.number),
    "function": lambda: select(func.lower(Card.number)),
    "max": lambda: select(func.max(Card.number)),
    "count distinct": lambda: select(func.count(Card.number.distinct())),
    "distinct": lambda: select(Card.number).distinct(),
    "distinct rows": lambda: select(Card).distinct(),
    "group": lambda: select(func.count()).group_by(Card.number),
    "having": lambda: select(func.count()).group_by(Card.id).having(func.max(Card.number) == "1"),
    "union": lambda: sa.union(select(Card.number), select(Card.number)),
    "case": lambda: select(sa.case((Card.id == 1, Card.number), else_="x")),
    "coalesce": lambda: select(func.coalesce(Card.number, "x")),
    "cast": lambda: select(sa.cast(Card.number, String)),
    "columns": lambda: select(Card).where(Card.number == Card.label),
    "parameter": lambda: select(Card).where(Card.number == sa.bindparam("x")),
    "subquery": lambda: select(Card).where(Card.number.in_(select(Card.label))),
    "scalar subquery": lambda: select(Card).where(
        Card.label == select(Card.number).scalar_subquery()
    ),
    "join": lambda: select(Card).join(Owner, Owner.name == Card.number),
    "window": lambda: select(func.row_number().over(order_by=Card.number)),
    "without index": lambda: select(Owner).where(Owner.name == "Ann"),
    "set to a column": lambda: update(Card).values(number=Card.label),
    "set to a function": lambda: update(Card).values(number=func.upper("x")),
    "set another": lambda: update(Card).values(label=Card.number),
    "insert an expression": lambda: insert(Card).values(number=func.upper("x")),
    "insert a select": lambda: insert(Card).from_select(["number"], select(Card.label)),
    "insert elsewhere": lambda: insert(Card).from_select(["label"], select(Card.number)),
    "subquery without index": lambda: select(select(Card.number).subquery().c.number).where(
        select(Card.number).subquery().c.number == "1"
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_ciphertext_cannot_do_is_refused(session: Session, name: str) -> None:
    numbers(session, "1")
    with pytest.raises(
        InvalidRequestError, match=r"(cards.number|owners.name) \(mode random\)"
    ) as caught:
        session.execute(REFUSED[name](), {"x": "1"} if name == "parameter" else {})
    assert "is encrypted and cannot" in str(caught.value)


ALLOWED: dict[str, Any] = {
    "null": lambda: select(Card).where(Card.number.is_(None)),
    "equal to none": lambda: select(Card).where(Card.number == None),  # noqa: E711
    "no null": lambda: select(Card).where(Card.number.is_not(None)),
    "all": lambda: select(Card).order_by(Card.label),
    "stored": lambda: select(sa.type_coerce(Card.number, sa.Text)),
    "label": lambda: select(Card.number.label("x")),
    "set to itself": lambda: update(Card).values(number=Card.number),
    "set to null": lambda: update(Card).values(number=None),
    "copy": lambda: insert(Card).from_select(
        ["number", "number_index"], select(Card.number, Card.number_index)
    ),
    "union all": lambda: sa.union_all(select(Card.number), select(Card.number)),
    "exists": lambda: select(sa.exists().where(Card.number == "1")),
    "cte": lambda: select(select(Card).cte().c.number),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_needs_no_plaintext_is_done(session: Session, name: str) -> None:
    numbers(session, "1", None)
    session.execute(ALLOWED[name]())
    session.execute(ALLOWED[name]())


# --- errors ---------------------------------------------------------------------------------------


def cut(session: Session) -> str:
    """The first value, cut off."""
    broken: str = stored(session, "number", "cards")[0][:50]
    session.execute(sa.text("UPDATE cards SET number = :cut WHERE id = 1"), {"cut": broken})
    return broken


def test_an_error_says_where_and_shows_nothing(session: Session) -> None:
    card = numbers(session, "1")[0]
    key = card.id
    broken = cut(session)
    session.expire_all()
    with pytest.raises(reseal.FormatError) as caught:
        _ = card.number
    error: Any = caught.value
    assert (error.code, error.model, error.table, error.column, error.row) == (
        "malformed",
        "Card",
        "cards",
        "number",
        key,
    )
    assert broken not in str(error)
    with pytest.raises(reseal.FormatError) as caught:
        session.scalars(select(Card.number)).all()
    assert (caught.value.code, pickle.loads(pickle.dumps(caught.value)).code) == ("malformed",) * 2
    with pytest.raises(reseal.FormatError) as caught:
        session.scalars(select(Card).where(Card.number == "1")).all()
    error = caught.value
    assert error.row == key


def test_a_list_shows_what_cannot_be_opened(session: Session) -> None:
    numbers(session, "1", "2")
    broken = cut(session)
    session.expunge_all()
    with on_error("report"):
        first, second = session.scalars(select(Card).order_by(Card.id)).all()
        one: Any
        one, _ = session.scalars(select(Card.number).order_by(Card.id)).all()
        assert session.scalars(select(Card.id).where(Card.number == "1")).all() == []
    assert (str(first.number), second.number) == ("[cannot be opened: malformed]", "2")
    assert isinstance(one, Unopened)
    first.label = "seen"
    session.flush()
    assert stored(session, "number", "cards")[0] == broken
    second.number = first.number
    with pytest.raises(reseal.FormatError):
        session.flush()


def test_plaintexts_are_in_no_error_of_sqlalchemy(engine: sa.Engine) -> None:
    class Broken(sa.types.TypeDecorator[str]):
        impl, cache_ok = String, True

        def process_bind_param(self, value: Any, dialect: Any) -> Any:
            raise ValueError("broken")

    table = table_of(
        Column("x", Encrypted(String)), Column("y", Broken), Column("z", String, unique=True)
    )
    table.create(engine)
    with engine.connect() as connection:
        with pytest.raises(StatementError) as caught:
            connection.execute(insert(table), {"x": "secret-text", "y": 1})
        assert "secret-text" not in str(caught.value)
        with pytest.raises(StatementError) as caught:
            connection.execute(
                insert(table), [{"x": "secret-text", "z": "a"}, {"x": "secret-text", "z": "a"}]
            )
        assert "secret-text" not in str(caught.value)


def test_plaintexts_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool, echo="debug")
    with caplog.at_level(logging.DEBUG):
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            session.add(Card(number="secret-4711", label="shown"))
            session.commit()
            assert session.scalars(select(Card).where(Card.number == "secret-4711")).one().number
    engine.dispose()
    assert "shown" in caplog.text
    assert "4711" not in caplog.text


def test_nothing_shows_what_is_looked_for() -> None:
    condition = Card.number == "4711-0815"
    assert "4711" not in str(condition)
    assert "4711" not in repr(condition)
    assert "4711" not in repr(condition.compile().params)


def test_a_type_without_a_table_seals_nothing(engine: sa.Engine) -> None:
    with (
        engine.connect() as connection,
        pytest.raises((StatementError, ArgumentError), match="a column of a table"),
    ):
        connection.execute(select(sa.literal("x", Encrypted(String))))


def test_types_are_copied_without_keys(engine: sa.Engine) -> None:
    own = table_of(Column("x", Encrypted(String)), Column("x_index", BlindIndex("x")))
    own.create(engine)
    with engine.connect() as connection:
        connection.execute(insert(own), {"x": "v"})
        table = pickle.loads(pickle.dumps(own.metadata)).tables["things"]
        connection.execute(insert(table), {"x": "w"})
        assert connection.scalars(select(table.c.x).where(table.c.x == "w")).all() == ["w"]
        assert connection.scalars(select(own.c.x)).all() == ["v", "w"]
        assert copy.copy(table.c.x.type).bound() is not None


def test_deferred_columns_stay_deferred(session: Session) -> None:
    numbers(session, "1")
    session.commit()
    card = session.scalars(select(Card).options(defer(Card.number))).one()
    assert "number" not in card.__dict__
    assert card.number == "1"
