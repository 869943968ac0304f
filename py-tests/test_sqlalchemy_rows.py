"""What becomes of rows: every way of writing and of reading them, and what is bound to its row."""

from __future__ import annotations

import pickle
import uuid
from typing import Any

import pytest
import reseal
import sqlalchemy as sa
from reseal import codecs, hooks
from reseal.sqlalchemy import BlindIndex, Encrypted
from sqlalchemy import Column, String, func, insert, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    defer,
    joinedload,
    load_only,
    mapped_column,
    selectinload,
)
from sqlalchemy_app import (
    RING,
    TENANT,
    Card,
    Note,
    Owner,
    Special,
    found,
    numbers,
    stored,
    table_of,
)

pytestmark = pytest.mark.usefixtures("keys")


# --- writing --------------------------------------------------------------------------------------


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


# --- reading --------------------------------------------------------------------------------------


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


def test_deferred_columns_stay_deferred(session: Session) -> None:
    numbers(session, "1")
    session.commit()
    card = session.scalars(select(Card).options(defer(Card.number))).one()
    assert "number" not in card.__dict__
    assert card.number == "1"


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


def test_many_rows_in_one_statement_leave_out_what_is_bound(session: Session) -> None:
    table: Any = Note.__table__
    keys = [uuid.UUID(int=number) for number in range(6)]
    rows = [{"id": key, "tenant_id": 1} for key in keys[:2]]
    session.execute(insert(Note).values(rows))
    session.execute(insert(table).values([(key, 2) for key in keys[2:4]]))
    assert [note.text for note in session.scalars(select(Note))] == [None] * 4
    named: list[Any] = [
        {"id": keys[4], "tenant_id": 1, "text": "s"},
        {table.c.id: keys[4], table.c.tenant_id: 1, table.c.text: "s"},
        (keys[4], 1, "s"),
    ]
    for row in named:
        with pytest.raises(InvalidRequestError, match="list of parameters"):
            session.execute(insert(table).values([row]))


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


def test_the_tenant_of_a_function_is_that_of_the_query(engine: sa.Engine) -> None:
    class Own(DeclarativeBase):
        pass

    class House(Own):
        __tablename__ = "houses"
        id: Mapped[int] = mapped_column(primary_key=True)
        x: Mapped[str | None] = mapped_column(Encrypted(String, tenant=known))

    Own.metadata.create_all(engine)
    try:
        with Session(engine) as session:
            TENANT.set(1)
            session.add(House(x="v"))
            session.commit()
            found = {}
            for tenant in (1, 2, None):
                TENANT.set(tenant)
                session.expunge_all()
                found[tenant] = session.scalars(select(House)).one()
            assert found[1].x == "v"
            with pytest.raises(reseal.DecryptError):
                assert found[2].x
            # One that was not known is that of the first look.
            with pytest.raises(LookupError):
                assert found[None].x
            TENANT.set(1)
            assert found[None].x == "v"
            assert repr(found[2].__dict__["x"]) == "<sealed>"
    finally:
        TENANT.set(None)


def known() -> int:
    """The tenant, as a function gives it that has no default."""
    tenant = TENANT.get()
    if tenant is None:
        raise LookupError
    return tenant
