"""What errors and logs say of values, and what they never show."""

from __future__ import annotations

import logging
import pickle
from typing import Any

import pytest
import reseal
import sqlalchemy as sa
from reseal.sqlalchemy import Encrypted, Unopened, on_error
from sqlalchemy import Column, String, insert, select
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session
from sqlalchemy_app import Base, Card, numbers, stored, table_of

pytestmark = pytest.mark.usefixtures("keys")


# --- what cannot be opened ------------------------------------------------------------------------


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


# --- what is never shown --------------------------------------------------------------------------


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
