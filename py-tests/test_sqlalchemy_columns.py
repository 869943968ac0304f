"""Which types a column can have, and how it is declared."""

from __future__ import annotations

import copy
import dataclasses
import datetime
import decimal
import doctest
import inspect
import pickle
import uuid
from typing import Any

import pytest
import reseal
import reseal.sqlalchemy.alembic
import sqlalchemy as sa
from reseal import codecs
from reseal.sqlalchemy import BlindIndex, Encrypted, configure, manifest_of, on_error
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import ArgumentError, IntegrityError, SAWarning, StatementError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    composite,
    configure_mappers,
    mapped_column,
)
from sqlalchemy_app import TENANT, table_of

pytestmark = pytest.mark.usefixtures("keys")


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


class Shown(float):
    """As NumPy shows its numbers."""

    def __repr__(self) -> str:
        return f"float64({float.__repr__(self)})"


TYPES: list[tuple[Any, Any, Any]] = [
    (String, "é", "é"),
    (sa.Text(), "", ""),
    (sa.Unicode(5), "12345", "12345"),
    (Integer, 0, 0),
    (sa.BigInteger, -(2**62), -(2**62)),
    (sa.Numeric(10, 2), decimal.Decimal("1.5"), decimal.Decimal("1.50")),
    (sa.Numeric, decimal.Decimal("1.50"), decimal.Decimal("1.5")),
    (sa.Numeric(10, 2, asdecimal=False), 0.25, 0.25),
    (sa.Numeric(10, 2, asdecimal=False), Shown(1.5), 1.5),
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
    (
        sa.JSON,
        {1: ("a", {None: 2.5, True: {"b": 1}})},
        {"1": ["a", {"null": 2.5, "true": {"b": 1}}]},
    ),
    (sa.LargeBinary, b"\x00\xff", b"\x00\xff"),
    (sa.Uuid, uuid.UUID(int=7), uuid.UUID(int=7)),
    (sa.Uuid(as_uuid=False), uuid.UUID(int=7).hex, str(uuid.UUID(int=7))),
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
    (sa.JSON, {1: uuid.UUID(int=7)}),
    (sa.JSON, {("a", "b"): 1}),
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
    assert str(caught.value).startswith(f"{table}.x: ")
    assert (caught.value.table, caught.value.column) == (str(table), "x")  # type: ignore[attr-defined]


@pytest.mark.parametrize("read", [[], ["plain"]])
def test_what_no_row_can_hold_is_not_found(engine: sa.Engine, read: list[str]) -> None:
    table = table_of(
        Column("x", Encrypted(String(11), read=read)),
        Column("x_index", BlindIndex("x", normalizer="digits")),
        Column("y", Encrypted(sa.Numeric(10, 2), read=read)),
        Column("y_index", BlindIndex("y")),
        Column("z", Encrypted(String(3), mode="deterministic")),
    )
    table.create(engine)
    with engine.connect() as connection:
        connection.execute(
            insert(table), {"x": "078-05-1120", "y": decimal.Decimal("1.23"), "z": "abc"}
        )
        for condition, count in (
            (table.c.x == "078 - 05 - 1120", 1),
            (table.c.x == "078 - 05 - 1121", 0),
            (table.c.x != "078 - 05 - 1121", 1),
            (table.c.y == decimal.Decimal("1.234"), 0),
            (table.c.y == 1.234, 0),
            (table.c.y.not_in([decimal.Decimal("1.234")]), 1),
            (table.c.y == decimal.Decimal("1.230"), 1),
            (table.c.z == "abcd", 0),
        ):
            assert len(connection.execute(select(table.c.id).where(condition)).all()) == count


@pytest.mark.parametrize(
    "type_", [sa.Enum("a", "b"), sa.Float, sa.Interval, sa.Time(timezone=True), sa.ARRAY(Integer)]
)
def test_types_that_cannot_be_encrypted(type_: Any) -> None:
    with pytest.raises(ArgumentError, match="cannot be encrypted"):
        Encrypted(type_)


class Lowered(sa.types.TypeDecorator[str]):
    """What would be kept in lower case."""

    impl = Encrypted(String)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return value and value.lower()


WRAPPED: list[Any] = [
    Lowered,
    String().with_variant(Encrypted(String), "sqlite"),
    Encrypted(String).with_variant(String(), "sqlite"),
    sa.ARRAY(Encrypted(String)),
]


@pytest.mark.parametrize("type_", WRAPPED, ids=range(len(WRAPPED)))
def test_a_column_is_encrypted_by_its_own_type(type_: Any) -> None:
    with pytest.raises(ArgumentError, match="column x: Encrypted is the type of its column itself"):
        table_of(Column("x", type_))


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
    for option in ("unique", "index"):
        with pytest.raises(ArgumentError, match=rf"things.x: {option} means nothing.*BlindIndex"):
            table_of(Column("x", Encrypted(String), **{option: True}))  # type: ignore[arg-type]
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


CONSTRAINED: dict[str, Any] = {
    "UniqueConstraint one": lambda x: sa.UniqueConstraint("id", x, name="one"),
    "a UniqueConstraint": lambda _: sa.UniqueConstraint("x"),
    "Index one": lambda x: sa.Index("one", "id", x),
    "Index two": lambda x: sa.Index("two", func.lower(x)),
    "Index three": lambda x: sa.Index("three", "id", postgresql_where=func.length(x) > 1),
    "a CheckConstraint": lambda x: sa.CheckConstraint(func.length(x) > 1),
    "ExcludeConstraint one": lambda x: postgresql.ExcludeConstraint((x, "="), name="one"),
    "a primary key": lambda x: sa.PrimaryKeyConstraint(x),
    "a foreign key": lambda x: sa.ForeignKeyConstraint([x], ["others.id"]),
}


@pytest.mark.parametrize("name", CONSTRAINED)
def test_what_compares_ciphertext_is_told(engine: sa.Engine, name: str) -> None:
    x: Any = Column("x", Encrypted(String))
    columns: list[Any] = [Column("id", Integer), x, Column("x_index", BlindIndex("x"))]
    table = Table("things", MetaData(), *columns, CONSTRAINED[name](x))
    with engine.connect() as connection:
        if "key" in name:
            with pytest.raises(StatementError, match=name) as caught:
                connection.execute(insert(table).values(x="x"))
            assert isinstance(caught.value.orig, ArgumentError)
            return
        # A database may have it still: whoever reads is not kept from it.
        with pytest.warns(SAWarning, match=f"things.x: {name} means nothing"):
            x.type.bound()


@pytest.mark.parametrize("of", ["option", "constraint", "index"])
def test_what_is_deterministic_may_be_unique(engine: sa.Engine, of: str) -> None:
    x: Any = Column("x", Encrypted(String, mode="deterministic"), unique=of == "option")
    more: dict[str, Any] = {
        "constraint": lambda: [sa.UniqueConstraint(x)],
        "index": lambda: [sa.Index("one", x, unique=True)],
    }
    table = table_of(x, *more.get(of, list)())
    table.create(engine)
    with engine.connect() as connection:
        connection.execute(insert(table), {"x": "1"})
        with pytest.raises(IntegrityError):
            connection.execute(insert(table), {"x": "1"})
        assert connection.scalar(select(table.c.x).where(table.c.x == "1")) == "1"


def test_what_asks_for_null_is_harmless(engine: sa.Engine) -> None:
    x: Any = Column("x", Encrypted(String))
    x_index: Any = Column("x_index", BlindIndex("x"), unique=True)
    table = table_of(
        x,
        x_index,
        sa.UniqueConstraint("id", "x_index"),
        sa.CheckConstraint(x.is_not(None)),
        sa.CheckConstraint("x IS NOT NULL"),
        sa.Index("one", x_index, sqlite_where=sa.and_(x.is_not(None), x_index.is_not(None))),
        sa.Index("two", x.is_(None)),
    )
    table.create(engine)
    with engine.connect() as connection:
        connection.execute(insert(table), {"x": "1"})
        assert connection.scalar(select(table.c.x)) == "1"
        with pytest.raises(IntegrityError):
            connection.execute(insert(table), {"x": "1"})


def test_a_type_without_a_table_seals_nothing(engine: sa.Engine) -> None:
    with (
        engine.connect() as connection,
        pytest.raises((StatementError, ArgumentError), match="a column of a table"),
    ):
        connection.execute(select(sa.literal("x", Encrypted(String))))


@pytest.mark.parametrize("by_name", [False, True])
def test_a_composite_is_made_of_values(engine: sa.Engine, by_name: bool) -> None:
    class Base(DeclarativeBase):
        pass

    @dataclasses.dataclass
    class Point:
        x: int | None
        y: int | None

        def __post_init__(self) -> None:
            # What is made of a row has to be as what the program makes.
            self.sum = (self.x or 0) + (self.y or 0)

    class Place(Base):
        __tablename__ = "places"
        id: Mapped[int] = mapped_column(primary_key=True)
        x: Mapped[int | None] = mapped_column(Encrypted(Integer))
        y: Mapped[int | None] = mapped_column(Encrypted(Integer))
        note: Mapped[str | None] = mapped_column(Encrypted(String))
        point: Mapped[Point] = composite(Point, "x", "y") if by_name else composite(Point, x, y)

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Place(point=Point(1, 2), note="n"))
        session.commit()
        place = session.scalars(select(Place)).one()
        assert (place.point, place.point.sum, place.x) == (Point(1, 2), 3, 1)
        # What is no part of it waits as ever.
        assert repr(vars(place)["note"]) == "<sealed>"
        place.point = Point(3, None)
        session.commit()
        assert (place.point, place.note) == (Point(3, None), "n")
        session.expire(place, ["x"])
        assert place.point == Point(3, None)
        assert session.execute(select(Place.point)).all() == [(Point(3, None),)]
        session.connection().exec_driver_sql("UPDATE places SET x = 'rs1.'")
        session.expire_all()
        with on_error("report"):
            assert not session.scalars(select(Place)).one().point.x
    # What a migration renders has nothing of it.
    assert repr(Place.__table__.columns["x"].type) == "Encrypted(Integer())"


def test_a_composite_of_what_is_bound_to_its_row_is_refused() -> None:
    class Base(DeclarativeBase):
        pass

    @dataclasses.dataclass
    class Pair:
        left: str
        right: str

    class Place(Base):
        __tablename__ = "places"
        id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
        left: Mapped[str] = mapped_column(String)
        right: Mapped[str] = mapped_column(Encrypted(String, bind_row=True))
        pair: Mapped[Pair] = composite(Pair, left, right)

    with pytest.raises(ArgumentError, match=r"places.right is bound to its row.*composite pair"):
        configure_mappers()
    Base.registry.dispose()


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
