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
