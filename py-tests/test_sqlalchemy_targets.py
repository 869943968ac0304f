"""What a statement sets by a key of its values: a column by its key, whatever table it is of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from job_support import KINDS
from reseal.sqlalchemy import BlindIndex, Encrypted
from sqlalchemy import ForeignKey, String, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy_support import own_session

pytestmark = pytest.mark.usefixtures("keys")


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "persons"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), default="person")
    name: Mapped[str | None] = mapped_column(String(20))
    ssn: Mapped[str | None] = mapped_column(Encrypted(String))
    ssn_index: Mapped[str | None] = mapped_column(BlindIndex("ssn"))
    __mapper_args__: Any = {"polymorphic_on": "kind", "polymorphic_identity": "person"}  # noqa: RUF012


class Nurse(Person):
    __tablename__ = "nurses"
    id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    ward: Mapped[str | None] = mapped_column(String(20))
    code: Mapped[str | None] = mapped_column(Encrypted(String))
    pin: Mapped[str | None] = mapped_column(Encrypted(String))
    pin_index: Mapped[str | None] = mapped_column(BlindIndex("pin"))
    __mapper_args__: Any = {"polymorphic_identity": "nurse"}  # noqa: RUF012


class Letter(Base):
    __tablename__ = "letters"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), default="letter")
    clinic: Mapped[int | None]
    note: Mapped[str | None] = mapped_column(Encrypted(String, tenant="clinic"))
    __mapper_args__: Any = {"polymorphic_on": "kind", "polymorphic_identity": "letter"}  # noqa: RUF012


class Report(Letter):
    __tablename__ = "reports"
    id: Mapped[int] = mapped_column(ForeignKey("letters.id"), primary_key=True)
    title: Mapped[str | None] = mapped_column(String(20))
    __mapper_args__: Any = {"polymorphic_identity": "report"}  # noqa: RUF012


class File(Base):
    """With columns by other names than their attributes."""

    __tablename__ = "files"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), default="file")
    inner: Mapped[str | None] = mapped_column("note", Encrypted(String))
    inner_term: Mapped[str | None] = mapped_column("note_index", BlindIndex("note"))
    __mapper_args__: Any = {"polymorphic_on": "kind", "polymorphic_identity": "file"}  # noqa: RUF012


class Folder(File):
    """With columns of the same names as those of its parent."""

    __tablename__ = "folders"
    id: Mapped[int] = mapped_column(ForeignKey("files.id"), primary_key=True)
    note: Mapped[str | None] = mapped_column(Encrypted(String))
    note_index: Mapped[str | None] = mapped_column(BlindIndex("note"))
    __mapper_args__: Any = {"polymorphic_identity": "folder"}  # noqa: RUF012


PERSONS: Any = Person.__table__
NURSES: Any = Nurse.__table__
LETTERS: Any = Letter.__table__
LIGHT = {
    "persons": sa.table("persons", *map(sa.column, ("id", "name", "ssn", "ssn_index"))),
    "nurses": sa.table("nurses", *map(sa.column, ("id", "code", "pin"))),
    "letters": sa.table("letters", *map(sa.column, ("id", "clinic", "note"))),
}
WAYS: dict[str, Any] = {
    "bare": lambda table: {key: sa.column(key) for key in table.c.keys()},  # noqa: SIM118
    "light": lambda table: LIGHT[table.name].c,
    "alias": lambda table: table.alias().c,
    "copy": lambda table: table.to_metadata(sa.MetaData()).c,
}


@pytest.fixture(params=KINDS)
def session(
    request: pytest.FixtureRequest, servers: dict[str, str], tmp_path: Path
) -> Iterator[Session]:
    """A session of a database of each kind, with a row of each class."""
    with own_session(Base.metadata, request.param, servers, tmp_path) as session:
        session.add_all([Nurse(id=1, name="Ann", ssn="1"), Report(id=1, clinic=7, note="x")])
        session.commit()
        yield session


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Any:
    """The columns of a table, by their keys, that are not its own."""
    return WAYS[request.param]


def found(session: Session, *numbers: str) -> list[int]:
    """How many people have each number."""
    return [len(session.scalars(select(Person.id).where(Person.ssn == it)).all()) for it in numbers]


def letters(session: Session) -> list[tuple[Any, ...]]:
    """The clinic and the value of each letter."""
    session.expunge_all()
    return [(it.clinic, it.note) for it in session.scalars(select(Letter).order_by(Letter.id))]


# --- columns by their keys ------------------------------------------------------------------------


def test_a_tenant_is_moved_by_no_key(session: Session, way: Any) -> None:
    c = way(LETTERS)
    for statement in (
        update(LETTERS).values({c["clinic"]: 8}),
        update(Letter).values({c["clinic"]: 8}),
        update(LETTERS).ordered_values((c["clinic"], 8)),
    ):
        with pytest.raises(InvalidRequestError, match=r"letters.note .*clinic changes"):
            session.execute(statement)
        session.rollback()
    part = update(LETTERS.alias()).values({c["clinic"]: 8})
    with pytest.raises(InvalidRequestError, match="name the table itself"):
        session.execute(part)
    assert letters(session) == [(7, "x")]


def test_terms_follow_a_value_by_its_key(session: Session, way: Any) -> None:
    c = way(PERSONS)
    session.execute(update(PERSONS).values({c["ssn"]: "2"}))
    assert found(session, "1", "2") == [0, 1]
    session.execute(update(Person).values({c["ssn"]: "3", c["ssn_index"]: "old"}))
    assert found(session, "2", "3") == [0, 1]
    session.execute(
        insert(PERSONS).values({c["id"]: 2, "kind": "person", c["ssn"]: "4", c["ssn_index"]: "old"})
    )
    assert found(session, "4") == [1]
    rows = [{c["id"]: it, "kind": "person", c["ssn"]: "5", c["ssn_index"]: "old"} for it in (3, 4)]
    session.execute(insert(PERSONS).values(rows))
    assert found(session, "5") == [2]


def test_a_bound_value_is_given_by_its_key(session: Session, way: Any) -> None:
    c = way(LETTERS)
    session.execute(
        insert(LETTERS).values({c["id"]: 2, "kind": "letter", c["clinic"]: 8, c["note"]: "y"})
    )
    session.execute(
        update(LETTERS).where(LETTERS.c.id == 1).values({c["clinic"]: 9, c["note"]: "z"})
    )
    assert letters(session) == [(9, "z"), (8, "y")]


def test_no_plaintext_is_stored_by_a_key(session: Session, way: Any) -> None:
    c = way(PERSONS)
    name = select(sa.literal("PLAIN")).scalar_subquery()
    copied = select(sa.literal(2), sa.literal("person"), sa.literal("PLAIN"))
    for statement in (
        update(PERSONS).values({c["ssn"]: PERSONS.c.name}),
        update(Person).values({c["ssn"]: name}),
        insert(PERSONS).values({c["id"]: 2, "kind": "person", c["ssn"]: name}),
        insert(PERSONS).from_select([c["id"], "kind", c["ssn"]], copied),
        insert(PERSONS).values(
            [{c["id"]: it, "kind": "person", c["ssn"]: sa.bindparam(None, "5")} for it in (2, 3)]
        ),
    ):
        with pytest.raises(InvalidRequestError, match=r"persons.ssn .*cannot be"):
            session.execute(statement, execution_options={"synchronize_session": False})
        session.rollback()
    assert found(session, "1") == [1]


@pytest.mark.filterwarnings("ignore:Additional column names")
def test_an_upsert_takes_no_column_of_another_table(session: Session, way: Any) -> None:
    kind: Any = {"postgresql": postgresql, "sqlite": sqlite}.get(session.get_bind().dialect.name)
    if kind is None:
        return  # MySQL takes names alone
    c = way(NURSES)
    given = kind.insert(NURSES).values(id=1)
    for column in (c["code"], c["pin"]):
        stored = given.on_conflict_do_update(index_elements=["id"], set_={column: "PLAIN"})
        with pytest.raises(InvalidRequestError, match=rf"nurses.{column.key} .*cannot be"):
            session.execute(stored)
        session.rollback()
    for key in ("code", NURSES.c.code, Nurse.code):
        session.execute(given.on_conflict_do_update(index_elements=["id"], set_={key: "q"}))
        assert session.scalar(select(Nurse.code)) == "q"


# --- many rows of a joined class ------------------------------------------------------------------


def test_many_rows_of_a_joined_class_have_their_terms(session: Session) -> None:
    rows: list[dict[str, Any]] = [
        {"id": it, "ssn": f"{it}", "ssn_index": "old", "ward": "w", "pin": "p", "pin_index": "old"}
        for it in (2, 3)
    ]
    session.execute(insert(Nurse), rows)
    kept = session.scalars(
        insert(Nurse).returning(Nurse.id), [row | {"id": row["id"] + 2} for row in rows]
    )
    assert sorted(kept) == [4, 5]
    assert found(session, "2", "3") == [2, 2]
    session.execute(update(Nurse), [{"id": it, "ssn": "9", "ward": "x"} for it in (2, 3)])
    session.execute(update(Nurse), [{"id": 4, "ssn": None, "pin": "q"}])
    assert found(session, "2", "3", "9") == [0, 1, 2]
    wards = select(Nurse.id, Nurse.ward).where(Nurse.pin == "p").order_by(Nurse.id)
    assert session.execute(wards).all() == [(2, "x"), (3, "x"), (5, "w")]
    assert session.scalars(select(Nurse.id).where(Nurse.pin == "q")).all() == [4]
    assert session.scalars(select(PERSONS.c.id).where(PERSONS.c.ssn_index.is_(None))).all() == [4]


def test_many_rows_of_a_joined_class_keep_their_tenant(session: Session) -> None:
    with pytest.raises(InvalidRequestError, match=r"letters.note .*clinic changes"):
        session.execute(update(Report), [{"id": 1, "clinic": 8}])
    session.rollback()
    session.execute(insert(Report), [{"id": 2, "clinic": 8, "note": "y", "title": "t"}])
    session.execute(update(Report), [{"id": 1, "clinic": 9, "note": "z", "title": "t"}])
    assert letters(session) == [(9, "z"), (8, "y")]


def test_values_beside_many_rows_are_of_their_own_table(session: Session) -> None:
    session.execute(insert(Nurse).values(ssn="2", pin="p"), [{"id": 2}, {"id": 3, "ward": "w"}])
    assert found(session, "2") == [2]
    assert len(session.scalars(select(Nurse.id).where(Nurse.pin == "p")).all()) == 2
    session.execute(
        update(Nurse).values({Person.ssn: "3"}), [{"id": it, "ward": "v"} for it in (2, 3)]
    )
    assert found(session, "2", "3") == [0, 2]


def test_values_of_two_tables_are_not_confused(session: Session) -> None:
    session.execute(insert(Folder).values({Folder.note: "2"}), [{"id": 1, "inner": "1"}])
    session.execute(update(Folder).values({Folder.note: "3"}), [{"id": 1, "inner": "2"}])
    for condition, count in (
        (Folder.inner == "2", 1),
        (Folder.note == "3", 1),
        (Folder.inner == "1", 0),
        (Folder.note == "2", 0),
    ):
        assert len(session.scalars(select(Folder.id).where(condition)).all()) == count


def test_attributes_name_the_terms_of_many_rows(session: Session) -> None:
    rows = [
        {File.id: it, File.kind: "file", File.inner: "1", File.inner_term: "old"} for it in (1, 2)
    ]
    session.execute(insert(File).values(rows))
    assert len(session.scalars(select(File.id).where(File.inner == "1")).all()) == 2
