"""Statements of instances that a connection executes, whose rows have values and no instances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session, aliased, load_only
from sqlalchemy_app import Card, Note, numbers

pytestmark = pytest.mark.usefixtures("keys")

ASKED: dict[str, Callable[[], Any]] = {
    "instances": lambda: select(Card),
    "an alias": lambda: select(aliased(Card)),
    "of an option": lambda: select(Card).options(load_only(Card.number)),
    "of a lambda": lambda: sa.lambda_stmt(lambda: select(Card)),
    "of a lambda with more": lambda: (
        sa.lambda_stmt(lambda: select(Card)) + (lambda one: one.where(Card.id > 0))
    ),
    "of a query": lambda: Session().query(Card).statement,
    "inserted": lambda: insert(Card).values(number="1").returning(Card),
    "updated": lambda: update(Card).values(label="x").returning(Card),
    "updated and selected": lambda: select(Card).from_statement(
        update(Card).values(number="1").returning(Card)
    ),
    "deleted": lambda: delete(Card).returning(Card),
}
BOUND: list[Callable[[], Any]] = [
    lambda: select(Note),
    lambda: update(Note).where(Note.tenant_id == 1).values(doc={}).returning(Note),
]


def of_connection(engine: sa.Engine, statement: Any) -> list[Any]:
    """The numbers in the rows of a connection."""
    with engine.connect() as connection:
        return [row.number for row in connection.execute(statement)]


def of_session(engine: sa.Engine, statement: Any) -> list[Any]:
    """What instances of a session hold, as nobody has asked for it."""
    with Session(engine) as session:
        return [repr(vars(card)["number"]) for card in session.scalars(statement)]


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("is_first", [True, False])
def test_values_open_in_rows_and_wait_in_instances(
    engine: sa.Engine, name: str, is_first: bool
) -> None:
    with Session(engine) as session:
        numbers(session, "1")
        session.commit()
    ask = ASKED[name]
    if is_first:
        assert of_connection(engine, ask()) == ["1"]
    # The engine keeps what was compiled for either of them.
    assert of_session(engine, ask()) == ["<sealed>"]
    assert of_connection(engine, ask()) == ["1"]
    assert of_session(engine, ask()) == ["<sealed>"]


@pytest.mark.parametrize("ask", BOUND)
def test_what_is_bound_to_its_row_is_refused(engine: sa.Engine, ask: Callable[[], Any]) -> None:
    with Session(engine) as session:
        session.add(Note(tenant_id=1, text="one"))
        session.commit()
        for _ in range(2):
            assert [note.text for note in session.scalars(ask())] == ["one"]
            with pytest.raises(InvalidRequestError, match="with a Session"):
                session.connection().execute(ask())
