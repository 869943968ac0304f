"""What an upsert says beside its values: conditions, and names that are no keys of columns."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from reseal.sqlalchemy import BlindIndex, Encrypted
from reseal.sqlalchemy.guard import check
from sqlalchemy import Column, Integer, MetaData, String, Table, select
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import InvalidRequestError, SAWarning

pytestmark = pytest.mark.usefixtures("keys")

PEOPLE = Table(
    "people",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", String),
    Column("ssn", Encrypted(String), key="social"),
    Column("ssn_index", BlindIndex("ssn")),
)
DIALECTS: list[Any] = [sqlite, postgresql]


def proposed(dialect: Any) -> Any:
    """An insert of a row that may be there already."""
    return dialect.insert(PEOPLE).values(id=1, name="Ann", social="1")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_condition_of_an_upsert_compares_no_ciphertext(dialect: Any) -> None:
    one = proposed(dialect)
    both = {"social": one.excluded.social, "ssn_index": one.excluded.ssn_index}
    conditions = (PEOPLE.c.social != one.excluded.social, PEOPLE.c.social == one.excluded.social)
    for condition in conditions:
        wrong: list[dict[str, Any]] = [
            {"index_elements": ["id"], "where": condition},
            {"index_elements": ["id"], "index_where": condition},
        ]
        for options in wrong:
            with pytest.raises(InvalidRequestError, match=r"people.ssn .* compared"):
                check(one.on_conflict_do_update(set_=both, **options))
        with pytest.raises(InvalidRequestError, match=r"people.ssn .* compared"):
            check(one.on_conflict_do_nothing(index_elements=["id"], index_where=condition))


def test_a_condition_of_an_upsert_finds_a_value(engine: sa.Engine) -> None:
    PEOPLE.create(engine)
    one = proposed(sqlite)
    rename = one.on_conflict_do_update(
        index_elements=["id"], set_={"name": "Bob"}, where=PEOPLE.c.social == "1"
    )
    other = one.on_conflict_do_update(
        index_elements=["id"], set_={"name": "Eve"}, where=PEOPLE.c.social == "2"
    )
    unknown = one.on_conflict_do_update(
        index_elements=["id"], set_={"name": "Zoe"}, where=PEOPLE.c.social.is_(None)
    )
    with engine.begin() as connection:
        for statement in (one, rename, other, unknown):
            connection.execute(statement)
        assert connection.execute(select(PEOPLE.c.name, PEOPLE.c.social)).all() == [("Bob", "1")]


def of_dialect(dialect: Any, make: Any) -> Any:
    """An upsert of a dialect, which sets what is made of the row that the insert proposes."""
    one = dialect.insert(PEOPLE).values(id=1, name="Ann", social="1")
    if dialect is mysql:
        return one.on_duplicate_key_update(make(one.inserted))
    return one.on_conflict_do_update(index_elements=["id"], set_=make(one.excluded))


STALE: dict[str, Any] = {
    "a value": lambda new: {"social": "2", "ssn_index": new.ssn_index},
    "a value, the term of the row": lambda new: {"social": "2", "ssn_index": PEOPLE.c.ssn_index},
    "a value, a term": lambda new: {"social": "2", "ssn_index": "term"},
    "a value alone": lambda new: {"social": "2"},
    "a parameter": lambda new: {"social": sa.bindparam("x"), "ssn_index": new.ssn_index},
    "none": lambda new: {"social": None, "ssn_index": new.ssn_index},
    "a parameter that is none": lambda new: {
        "social": sa.bindparam("x", None),
        "ssn_index": sa.bindparam("y", None),
    },
    "none alone": lambda new: {"social": sa.null()},
    "another term": lambda new: {"social": new.social, "ssn_index": PEOPLE.c.ssn_index},
    "a term": lambda new: {"social": new.social, "ssn_index": "term"},
    "no term": lambda new: {"social": new.social, "ssn_index": None},
    "of the row": lambda new: {"social": PEOPLE.c.social, "ssn_index": new.ssn_index},
    "the term alone": lambda new: {"ssn_index": new.ssn_index},
    "no term alone": lambda new: {"ssn_index": None},
}


@pytest.mark.parametrize("name", STALE)
def test_an_upsert_sets_no_term_of_another_value(name: str) -> None:
    for dialect in (*DIALECTS, mysql):
        with pytest.raises(InvalidRequestError, match=r"people.ssn .*BlindIndex.* ssn_index"):
            check(of_dialect(dialect, STALE[name]))


RIGHT: dict[str, Any] = {
    "proposed": lambda new: {"social": new.social, "ssn_index": new.ssn_index},
    "none": lambda new: {"social": sa.null(), "ssn_index": sa.null()},
    "of the row": lambda new: {"social": PEOPLE.c.social},
    "both of the row": lambda new: {"social": PEOPLE.c.social, "ssn_index": PEOPLE.c.ssn_index},
    "the term of the row": lambda new: {"ssn_index": PEOPLE.c.ssn_index},
    "neither": lambda new: {"name": new.name},
}


@pytest.mark.parametrize("name", RIGHT)
def test_an_upsert_keeps_a_value_and_its_term_together(engine: sa.Engine, name: str) -> None:
    for dialect in (*DIALECTS, mysql):
        check(of_dialect(dialect, RIGHT[name]))
    PEOPLE.create(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(PEOPLE).values(id=1, social="0"))
        connection.execute(of_dialect(sqlite, RIGHT[name]))
        [now] = connection.scalars(select(PEOPLE.c.social))
        assert now == {"proposed": "1", "none": None}.get(name, "0")
        found = connection.scalars(select(PEOPLE.c.id).where(PEOPLE.c.social == now)).all()
        assert found == [1]


@pytest.mark.parametrize("name", ["ssn", "SSN", "Social"])
def test_a_name_that_is_no_key_stores_no_plaintext(engine: sa.Engine, name: str) -> None:
    table = PEOPLE
    if name == "Social":
        # Where key and name are one, and the database tells no case.
        table = Table("people", MetaData(), Column("id", Integer, primary_key=True))
        table.append_column(Column("social", Encrypted(String)))
    table.create(engine)
    for dialect in (*DIALECTS, mysql):
        one = dialect.insert(table).values(id=1, social="1")
        if dialect is mysql:
            upsert = one.on_duplicate_key_update({name: "plain"})
        else:
            upsert = one.on_conflict_do_update(index_elements=["id"], set_={name: "plain"})
        with pytest.raises(InvalidRequestError, match=f"be set by the name '{name}'.*'social'"):
            check(upsert)
    one = sqlite.insert(table).values(id=1, social="1")
    upsert = one.on_conflict_do_update(index_elements=["id"], set_={name: "plain"})
    with (
        engine.begin() as connection,
        pytest.warns(SAWarning, match="not matching"),
        pytest.raises(InvalidRequestError, match="'social'"),
    ):
        connection.execute(upsert)
