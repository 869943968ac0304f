"""What can be asked of encrypted columns: what is found, what is refused, and what needs no plaintext."""

from __future__ import annotations

from typing import Any

import pytest
import reseal
import sqlalchemy as sa
from reseal.sqlalchemy import BlindIndex, Encrypted
from sqlalchemy import Column, String, func, insert, select, update
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session, aliased, with_loader_criteria
from sqlalchemy_app import Card, Note, Owner, numbers, table_of

pytestmark = pytest.mark.usefixtures("keys")


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


@pytest.mark.parametrize("of", ["function", "column"])
def test_rows_of_another_tenant_that_share_a_term_do_not_end_a_search(
    engine: sa.Engine, of: str
) -> None:
    """With few bits there are many; those of a column may be damaged as well."""
    now = ["a"]
    tenant: Any = (lambda: now[0]) if of == "function" else "tenant"
    table = table_of(
        Column("tenant", String(9)),
        Column("x", Encrypted(String, tenant=tenant)),
        Column("x_index", BlindIndex("x", bits=8)),
    )
    table.create(engine)

    def found(number: int) -> Any:
        asked = select(table.c.id).where(table.c.tenant == "a", table.c.x == f"a {number}")
        return connection.scalars(asked).all()

    with engine.begin() as connection:
        for name in ("b", "a"):
            now[0] = name
            rows = [{"tenant": name, "x": f"{name} {number}"} for number in range(200)]
            connection.execute(insert(table), rows)
        if of == "column":
            damage(connection, table.c.tenant == "b")
        for number in range(0, 200, 10):
            assert found(number) == [201 + number]
        if of == "column":
            damage(connection, table.c.id == 201)
            with pytest.raises(reseal.FormatError):
                found(0)


def damage(connection: sa.Connection, rows: Any) -> None:
    """Store what does not open, past the types."""
    table = rows.left.table.name
    where = rows.compile(compile_kwargs={"literal_binds": True})
    connection.exec_driver_sql(f"UPDATE {table} SET x = 'rs1.no' WHERE {where}")


# --- what is refused, and what is not -------------------------------------------------------------


CARDS: Any = Card.__table__
REFUSED: dict[str, Any] = {
    "order": lambda: select(Card).order_by(Card.number),
    "order desc": lambda: select(Card).order_by(Card.number.desc()),
    "order by name": lambda: select(Card.number).order_by("number"),
    "order by name desc": lambda: select(Card).order_by(sa.desc("number")),
    "order by name, nulls last": lambda: select(Card).order_by(sa.nulls_last(sa.asc("number"))),
    "order by a name of the table": lambda: select(Card.id).order_by("number"),
    "order by a name of an alias": lambda: select(CARDS.alias().c.id).order_by(sa.desc("number")),
    "order by a name of a join": lambda: (
        select(Owner.id).join(Owner.cards).order_by(sa.desc("number"))
    ),
    "order by a label": lambda: select(Card).order_by("cards_number"),
    "order a union by name desc": lambda: sa.union_all(
        select(Card.number), select(Card.number)
    ).order_by(sa.desc("number")),
    "group by name": lambda: select(func.count()).select_from(Card).group_by("number"),
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
    "order of itself": lambda: select(CARDS.c.number).order_by(CARDS.c.number),
    "group of itself": lambda: select(CARDS.c.number).group_by(CARDS.c.number),
    "order in a subquery": lambda: select(
        select(CARDS.c.number).order_by(CARDS.c.number).limit(1).subquery()
    ),
    "order in exists": lambda: select(sa.exists(select(Card.number).order_by(Card.number))),
    "distinct in exists": lambda: select(select(Card.number).distinct().exists()),
    "union all after text": lambda: sa.union_all(select(Card.label), select(Card.number)),
    "union all after null": lambda: sa.union_all(select(sa.null()), select(Card.number)),
    "union all in a subquery": lambda: select(
        sa.union_all(select(Card.label), select(Card.number)).subquery()
    ),
    "union all in a cte": lambda: select(
        select(Card.label.label("x")).cte(recursive=True).union_all(select(Card.number))
    ),
    "union after text": lambda: sa.union(select(Card.label), select(Card.number)),
    "except after text": lambda: sa.except_(select(Card.label), select(Card.number)),
    "intersect after text": lambda: sa.intersect(select(Card.label), select(Card.number)),
    "intersect before text": lambda: sa.intersect(select(Card.number), select(Card.label)),
    "except all after text": lambda: sa.except_all(select(Card.label), select(Card.number)),
    "intersect all with text": lambda: sa.intersect_all(select(Card.number), select(Card.label)),
    "except all with another": lambda: sa.except_all(select(Card.number), select(Owner.name)),
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
    "window by name": lambda: select(Card.id, func.row_number().over(order_by=sa.desc("number"))),
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
    "by a name": lambda: select(Card, func.row_number().over(order_by="id")).order_by("label"),
    "by a name of its own": lambda: select(Card.id.label("number")).order_by(sa.desc("number")),
    "stored": lambda: select(sa.type_coerce(Card.number, sa.Text)),
    "label": lambda: select(Card.number.label("x")),
    "set to itself": lambda: update(Card).values(number=Card.number),
    "set to null": lambda: update(Card).values(number=None),
    "copy": lambda: insert(Card).from_select(
        ["number", "number_index"], select(Card.number, Card.number_index)
    ),
    "union all": lambda: sa.union_all(select(Card.number), select(Card.number)),
    "exists": lambda: select(sa.exists().where(Card.number == "1")),
    "exists a value": lambda: select(sa.exists(select(Card.number).where(Card.id == 1))),
    "exists no value": lambda: select(Card).where(~select(Card.number).exists()),
    "text": lambda: sa.text("SELECT number FROM cards").columns(Card.number),
    "subquery of text": lambda: select(
        sa.text("SELECT number FROM cards").columns(CARDS.c.number).subquery()
    ),
    "instances of text": lambda: select(Owner).from_statement(
        sa.text("SELECT id, name FROM owners").columns(Owner.id, Owner.name)
    ),
    "cte": lambda: select(select(Card).cte().c.number),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_needs_no_plaintext_is_done(session: Session, name: str) -> None:
    numbers(session, "1", None)
    session.execute(ALLOWED[name]())
    session.execute(ALLOWED[name]())


def test_what_text_selects_is_opened(session: Session) -> None:
    numbers(session, "1")
    asked = sa.text("SELECT number FROM cards").columns(CARDS.c.number)
    assert session.scalars(asked).all() == ["1"]
    assert session.scalars(select(asked.subquery())).all() == ["1"]
    inner = asked.subquery()
    with pytest.raises(InvalidRequestError, match="be ordered by"):
        session.execute(select(inner).order_by(inner.c.number))
    text = sa.text("SELECT text FROM notes").columns(Note.text)
    with pytest.raises(InvalidRequestError, match="bound to its row"):
        session.execute(text)
