"""What never reaches an encrypted column: plaintext by a way around its type, a value of another row, an old term."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import reseal
import sqlalchemy as sa
from job_support import KINDS
from reseal.sqlalchemy import BlindIndex, Encrypted
from sqlalchemy import Column, MetaData, String, func, insert, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import ArgumentError, InvalidRequestError, StatementError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    column_property,
    foreign,
    joinedload,
    make_transient,
    mapped_column,
    relationship,
)
from sqlalchemy_app import table_of
from sqlalchemy_support import own_session

pytestmark = pytest.mark.usefixtures("keys")


class Base(DeclarativeBase):
    type_annotation_map = {str: String(40)}  # noqa: RUF012


class Home(Base):
    __tablename__ = "homes"
    id: Mapped[int] = mapped_column(primary_key=True)
    pets: Mapped[list[Pet]] = relationship(back_populates="home")
    items: Mapped[list[Item]] = relationship()
    ones: Mapped[list[Item]] = relationship(
        primaryjoin=lambda: sa.and_(Home.id == foreign(Item.home_id), Item.code == "1"),
        viewonly=True,
    )


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    home_id: Mapped[int | None] = mapped_column(sa.ForeignKey("homes.id"))
    code: Mapped[str | None] = mapped_column(Encrypted(String))
    code_index: Mapped[str | None] = mapped_column(BlindIndex("code", bits=8))


class Pet(Base):
    """Of one table with dogs, which alone have what is bound to a tenant."""

    __tablename__ = "pets"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    home_id: Mapped[int | None] = mapped_column(sa.ForeignKey("homes.id"))
    name: Mapped[str | None] = mapped_column(unique=True)
    home: Mapped[Home | None] = relationship(back_populates="pets")
    __mapper_args__: Any = {"polymorphic_on": "kind", "polymorphic_identity": "pet"}  # noqa: RUF012


class Dog(Pet):
    chip: Mapped[str | None] = mapped_column(Encrypted(String, tenant="home_id"))
    chip_index: Mapped[str | None] = mapped_column(BlindIndex("chip"))
    __mapper_args__: Any = {"polymorphic_identity": "dog"}  # noqa: RUF012


class Badge(Base):
    __tablename__ = "badges"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str | None] = mapped_column(unique=True)
    text: Mapped[str | None] = mapped_column(Encrypted(String, bind_row=True))


class Share(Base):
    __tablename__ = "shares"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(sa.Uuid(as_uuid=False))
    text: Mapped[str | None] = mapped_column(Encrypted(String, tenant="owner"))
    text_index: Mapped[str | None] = mapped_column(BlindIndex("text"))


KEY = uuid.UUID("6d1f0c5a-0b1e-4a7e-9c53-00000000abcd")
ITEMS: Any = Item.__table__
BADGES: Any = Badge.__table__
_Other = aliased(Item)
Home.number = column_property(
    select(func.count(_Other.id)).where(_Other.code == "1").scalar_subquery()
)


@pytest.fixture(params=KINDS)
def session(
    request: pytest.FixtureRequest, servers: dict[str, str], tmp_path: Path
) -> Iterator[Session]:
    """A session of a database of each kind."""
    with own_session(Base.metadata, request.param, servers, tmp_path) as session:
        yield session


def dogs(session: Session, *chips: str | None) -> list[Dog]:
    """Dogs of a home, written."""
    found = [Dog(chip=chip) for chip in chips]
    session.add(Home(pets=found))
    session.commit()
    return found


def chip(session: Session) -> str | None:
    """That of the only dog."""
    session.expire_all()
    return session.scalars(select(Dog)).one().chip


# --- plaintext ------------------------------------------------------------------------------------

OTHER = table_of(Column("x", Encrypted(String)))
PARAMETERS: dict[str, Callable[[], Any]] = {
    "literal": lambda: sa.literal("plain"),
    "literal of a type": lambda: sa.literal("plain", sa.Text),
    "parameter with a value": lambda: sa.bindparam("x", "plain"),
    "parameter of a type": lambda: sa.bindparam("x", "plain", type_=String),
    "another encrypted column": lambda: sa.literal("plain", OTHER.c.x.type),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_with_a_type_of_its_own_is_refused(engine: sa.Engine, name: str) -> None:
    table: Any = Item.__table__
    Base.metadata.create_all(engine)
    given = PARAMETERS[name]()
    proposed = sqlite.insert(table).values(id=1, code="1")
    with Session(engine) as session:
        session.execute(insert(Item).values(id=1, code="1"))
        for statement in (
            insert(Item).values(code=given),
            insert(Item).values([{"code": given}]),
            insert(table).values([(2, None, given)]),
            update(Item).values(code=given),
            update(table).values({table.c.code: given}),
            proposed.on_conflict_do_update(
                index_elements=["id"],
                set_={"code": given, "code_index": proposed.excluded.code_index},
            ),
        ):
            with pytest.raises(InvalidRequestError, match="a parameter of another type"):
                session.execute(statement)
        session.add(Item(code=given))
        with pytest.raises(InvalidRequestError, match="a parameter of another type"):
            session.flush()


def test_rows_without_names_are_looked_at(session: Session) -> None:
    table: Any = Badge.__table__
    with pytest.raises(InvalidRequestError, match="set to an expression"):
        session.execute(insert(ITEMS).values([(1, None, func.upper("plain"))]))
    with pytest.raises(InvalidRequestError, match="list of parameters"):
        session.execute(insert(table).values([(uuid.uuid4(), "a", func.upper("plain"))]))


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("server_default", {"server_default": "plain"}),
        ("server_default", {"server_default": sa.text("upper('plain')")}),
        ("server_default", {"server_default": sa.FetchedValue()}),
        ("server_onupdate", {"server_onupdate": sa.FetchedValue()}),
        ("default", {"default": func.upper("plain")}),
        ("onupdate", {"onupdate": func.upper("plain")}),
    ],
)
def test_a_default_of_the_database_is_refused(name: str, option: Any) -> None:
    with pytest.raises(ArgumentError, match=f"the database cannot seal what {name} gives"):
        table_of(Column("x", Encrypted(String), **option))


def test_a_computed_column_is_refused() -> None:
    with pytest.raises(ArgumentError, match="the database cannot seal"):
        table_of(Column("y", String), Column("x", Encrypted(String), sa.Computed("y")))


def test_defaults_in_python_and_null_are_none(engine: sa.Engine) -> None:
    table = table_of(
        Column("x", Encrypted(String), default="d", onupdate=lambda: "u"),
        Column("y", Encrypted(String), server_default=sa.text("NULL")),
        Column("z", String),
    )
    table.create(engine)
    with engine.connect() as connection:
        connection.execute(insert(table))
        assert connection.execute(select(table.c.x, table.c.y)).one() == ("d", None)
        connection.execute(update(table).values(z="z"))
        assert connection.scalar(select(table.c.x)) == "u"


# --- values of another row ------------------------------------------------------------------------


def test_a_tenant_is_not_changed_without_its_values(session: Session) -> None:
    [dog] = dogs(session, "s")
    key, home = dog.id, dog.home_id
    assert home is not None
    table: Any = Pet.__table__
    for statement, rows in (
        (update(Dog).where(Dog.id == key).values(home_id=home), None),
        (update(table).values({table.c.home_id: home}), None),
        (update(table).where(table.c.id == key), {"home_id": home}),
        (update(Dog), [{"id": key, "home_id": home}]),
    ):
        with pytest.raises(InvalidRequestError, match="left as it is where home_id changes"):
            session.execute(statement, rows)
    with pytest.raises(reseal.ResealError, match="bound to its tenant"):
        session.execute(
            update(Dog).where(Dog.home_id == home).values(home_id=Dog.home_id + 1, chip="t")
        )
    session.rollback()
    assert chip(session) == "s"
    other = Home()
    session.add(other)
    session.flush()
    session.execute(
        update(Dog).where(Dog.home_id == home).values(home_id=other.id, chip="t", chip_index=None)
    )
    assert chip(session) == "t"


def test_a_row_of_another_class_moves_without_a_value(session: Session) -> None:
    session.add(Home(pets=[Pet(), Dog(chip=None), Dog(chip="s")]))
    session.commit()
    other = Home()
    for pet in session.scalars(select(Pet)).all():
        pet.home = other
    session.commit()
    assert sorted(one.chip or "" for one in session.scalars(select(Dog))) == ["", "s"]
    assert {one.home for one in session.scalars(select(Pet))} == {other}


def test_a_value_moves_with_its_primary_key(session: Session) -> None:
    session.add(Badge(text="s"))
    session.commit()
    for look in (True, False):
        badge = session.scalars(select(Badge)).one()
        assert not look or badge.text == "s"
        badge.id = uuid.uuid4()
        session.commit()
        session.expunge_all()
        assert session.scalars(select(Badge)).one().text == "s"
    with pytest.raises(InvalidRequestError, match="left as it is where id changes"):
        session.execute(update(Badge).values(id=uuid.uuid4()))


@pytest.mark.parametrize("spelled", [KEY.hex, str(KEY)])
def test_a_tenant_is_bound_as_the_database_gives_it_back(session: Session, spelled: str) -> None:
    session.add(Share(owner=spelled, text="s"))
    session.commit()
    session.expunge_all()
    assert session.scalars(select(Share)).one().text == "s"
    for owner in (spelled, str(KEY)):
        asked = select(Share).where(Share.owner == owner, Share.text == "s")
        assert session.scalars(asked).one().owner == str(KEY)


def upsert(session: Session, table: Any, on: str, names: list[str], **values: Any) -> None:
    """Insert a row, or set columns of the one that it is in conflict with to what it has."""
    kind = session.get_bind().dialect.name
    if kind in ("mysql", "mariadb"):
        mine = mysql.insert(table).values(**values)
        session.execute(mine.on_duplicate_key_update({it: mine.inserted[it] for it in names}))
        return
    dialect: Any = postgresql if kind == "postgresql" else sqlite
    own = dialect.insert(table).values(**values)
    session.execute(
        own.on_conflict_do_update(
            index_elements=[on], set_={name: own.excluded[name] for name in names}
        )
    )


def test_an_upsert_leaves_no_value_in_another_row(session: Session) -> None:
    [dog] = dogs(session, "s")
    dog.name = "a"
    badge = Badge(name="a", text="s")
    session.add(badge)
    session.commit()
    other, key = Home(), badge.id
    session.add(other)
    session.commit()
    moved = {"kind": "dog", "name": "a", "home_id": other.id, "chip": "t"}
    with pytest.raises(InvalidRequestError, match="may have another home_id"):
        upsert(session, Pet.__table__, "name", ["chip", "chip_index"], **moved)
    with pytest.raises(InvalidRequestError, match="left as it is where home_id changes"):
        upsert(session, Pet.__table__, "name", ["home_id"], **moved)
    with pytest.raises(InvalidRequestError, match="may have another id"):
        upsert(session, Badge.__table__, "name", ["text"], id=uuid.uuid4(), name="a", text="t")
    session.rollback()
    assert (chip(session), badge.text) == ("s", "s")
    upsert(session, Pet.__table__, "name", ["home_id", "chip", "chip_index"], **moved)
    assert chip(session) == "t"
    found = select(Dog.home_id).where(Dog.home_id == other.id, Dog.chip == "t")
    assert session.scalars(found).one() == other.id
    if session.get_bind().dialect.name in ("postgresql", "sqlite"):
        upsert(session, Badge.__table__, "id", ["text"], id=key, name="a", text="t")
        session.expire_all()
        assert badge.text == "t"


def test_an_upsert_of_a_table_with_one_key(engine: sa.Engine) -> None:
    columns = [Column("id", sa.Uuid, primary_key=True), Column("x", Encrypted(bind_row=True))]
    table, key = sa.Table("one_key", MetaData(), *columns), uuid.uuid4()
    mine = mysql.insert(table).values(id=key, x="t")
    statement = mine.on_duplicate_key_update(x=mine.inserted.x)
    from reseal.sqlalchemy.guard import check

    check(statement)
    table.append_constraint(sa.UniqueConstraint("id", "x"))
    with pytest.raises(InvalidRequestError, match="may have another id"):
        check(statement)


def test_core_names_what_a_value_is_bound_to(session: Session) -> None:
    home = Home()
    session.add(home)
    session.flush()
    pets: Any = Pet.__table__
    session.execute(insert(pets).values(kind="dog", home_id=home.id, chip="s"))
    assert chip(session) == "s"
    session.execute(update(pets).where(pets.c.home_id == home.id).values(chip="t"))
    assert chip(session) == "t"
    session.execute(insert(BADGES).values(text="s"))
    assert session.scalars(select(Badge)).one().text == "s"


def test_what_is_returned_without_its_row_is_refused(engine: sa.Engine) -> None:
    Base.metadata.create_all(engine)
    asked: list[Any] = [insert(Badge).values(text="s"), insert(BADGES).values(text="s")]
    with Session(engine) as session:
        for statement in asked:
            with pytest.raises(InvalidRequestError, match="bound to its row"):
                session.execute(statement.returning(Badge.text))
        badge = session.scalars(insert(Badge).values(text="s").returning(Badge)).one()
        assert badge.text == "s"


# --- terms ----------------------------------------------------------------------------------------


def found(session: Session, *codes: str) -> list[list[int]]:
    """The ids of the items that have each code."""
    return [sorted(session.scalars(select(Item.id).where(Item.code == code))) for code in codes]


def test_a_copy_has_the_terms_of_its_own_value(session: Session) -> None:
    session.add(Item(code="1"))
    session.commit()
    writes: list[Callable[[Item], None]] = [
        session.add,
        lambda one: session.bulk_save_objects([one]),
    ]
    for write in writes:
        item = session.scalars(select(Item).order_by(Item.id)).first()
        assert item is not None
        session.expunge(item)
        make_transient(item)
        item.id, item.code = None, "2"  # type: ignore[assignment]
        write(item)
        session.commit()
    rows = [dict(row._mapping) for row in session.execute(select(ITEMS).limit(1))]
    session.execute(insert(ITEMS), [row | {"id": 9, "code": "2"} for row in rows])
    first, others = found(session, "1", "2")
    assert (len(first), len(others)) == (1, 3)
    [dog] = dogs(session, "s")
    session.refresh(dog)
    session.expunge(dog)
    home = Home()
    session.add(home)
    session.flush()
    make_transient(dog)
    dog.id, dog.home_id = None, home.id  # type: ignore[assignment]
    session.add(dog)
    session.commit()
    assert session.scalars(select(Dog).where(Dog.home_id == home.id, Dog.chip == "s")).one() is dog


def test_a_part_of_a_statement_leaves_no_index_behind(session: Session) -> None:
    session.add(Item(code="1"))
    session.commit()
    for part in (
        update(Item).values(code="2").returning(Item.id),
        insert(Item).values(code="2").returning(Item.id),
    ):
        with pytest.raises(InvalidRequestError, match="by a part of another statement"):
            session.execute(select(part.cte("part")))
        session.rollback()
    assert [len(ids) for ids in found(session, "1", "2")] == [1, 0]


def test_instances_that_a_statement_returns_have_their_terms(engine: sa.Engine) -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Item(code="1"))
        session.commit()
        changed = update(Item).values(code="2").returning(Item)
        [item] = session.scalars(select(Item).from_statement(changed)).all()
        assert (item.code, found(session, "1", "2")) == ("2", [[], [item.id]])


def test_onupdate_leaves_no_index_behind(engine: sa.Engine) -> None:
    table = table_of(
        Column("x", Encrypted(String), onupdate=lambda: "u"), Column("x_index", BlindIndex("x"))
    )
    table.create(engine)
    with engine.connect() as connection, pytest.raises(StatementError, match="onupdate"):
        connection.execute(insert(table).values(x="x"))


def test_onupdate_of_a_tenant_leaves_no_value_behind(engine: sa.Engine) -> None:
    for option in ({"onupdate": 8}, {"server_onupdate": sa.FetchedValue()}):
        tenant: Any = Column("tenant", sa.Integer, **option)
        table = table_of(tenant, Column("x", Encrypted(String, tenant="tenant")), name="moved")
        with engine.connect() as connection, pytest.raises(StatementError, match="onupdate of ten"):
            connection.execute(insert(table).values(x="x", tenant=7))


def test_hits_of_a_mapping_are_verified(session: Session) -> None:
    home = Home(items=[Item(code=str(number)) for number in range(600)])
    session.add(home)
    session.commit()
    session.expunge_all()
    home = session.scalars(select(Home)).one()
    assert [item.code for item in home.ones] == ["1"]
    assert home.number == 1  # type: ignore[attr-defined]
    session.expunge_all()
    [home] = session.scalars(select(Home).options(joinedload(Home.ones))).unique()
    assert [item.code for item in home.ones] == ["1"]
    assert len(session.scalars(select(Home.id).join(Home.ones)).all()) == 1
    assert len(session.scalars(select(Home.id).where(Home.ones.any())).all()) == 1
