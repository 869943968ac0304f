"""What a schema says of a column that is to be sealed, beside its own: foreign keys and unique indexes."""

from __future__ import annotations

import pytest
from cli_support import INDEX
from job_support import HERE, RING, Place, column, each, findings, on, total

ROWS = 5
RULES = ["CASCADE", "SET NULL", "SET DEFAULT"]


def referred(place: Place, rule: str) -> None:
    """Orders, which refer to users by what is to be sealed."""
    text = "varchar(400)"
    place.do(f"CREATE TABLE users (id integer PRIMARY KEY, ssn {text} UNIQUE, name {text})")
    place.do(
        f"CREATE TABLE orders (id integer PRIMARY KEY, owner {text}, "
        f"FOREIGN KEY (owner) REFERENCES users (ssn) ON UPDATE {rule})"
    )
    place.insert("users", [{"id": n, "ssn": f"{n}", "name": "n"} for n in range(ROWS)])
    place.insert("orders", [{"id": n, "owner": f"{n}"} for n in range(ROWS)])


@pytest.mark.parametrize("rule", RULES)
@each
def test_a_foreign_key_that_follows_is_told_before_anything_is_written(
    place: Place, rule: str
) -> None:
    """The database would write into the other table what does not open there, or NULL."""
    if (place.kind, rule) == ("mysql", "SET DEFAULT"):
        pytest.skip("InnoDB has no such rule")
    referred(place, rule)
    place.describe(column(mode="deterministic"))
    before = place.rows(), place.rows("orders")
    said = findings(place.report("plan", code=2))
    assert list(said) == ["column-unsuitable"]
    assert f"orders.owner refers to ssn with ON UPDATE {rule}: " in said["column-unsuitable"]
    assert said["column-unsuitable"] in place.run("apply", code=2).err
    assert (place.rows(), place.rows("orders")) == before
    # Whoever only looks may do so, and so may who writes another column.
    assert total(place.report("census"))["found"] == ROWS
    place.describe(column(name="name"))
    assert total(place.report("apply"))["resealed"] == ROWS


@each
def test_a_foreign_key_that_does_not_follow_is_of_no_matter(place: Place) -> None:
    referred(place, "NO ACTION")
    place.do("DELETE FROM orders")
    place.describe(column(mode="deterministic"))
    assert findings(place.report("plan")) == {}
    place.run("apply")
    assert [RING.open_str(it, HERE) for it in place.stored()] == [f"{n}" for n in range(ROWS)]


@each
def test_plaintext_may_go_to_where_it_is_referred_to(place: Place) -> None:
    """On the way back nothing stands there that does not open."""
    referred(place, "CASCADE")
    place.do("UPDATE users SET ssn = %s WHERE id = 0", RING.seal("0", HERE, "deterministic"))
    place.describe(column(mode="deterministic", write="plain", read=["app"]))
    assert findings(place.report("plan")) == {}
    place.run("apply", "--yes")
    assert sorted(place.stored("owner", "orders")) == [f"{n}" for n in range(ROWS)]


# --- unique indexes -------------------------------------------------------------------------------


@each
def test_a_unique_index_that_keeps_no_doubles_out_is_told(place: Place) -> None:
    """Equal values are no longer equal once they are sealed; terms and mode deterministic keep them so."""
    text = "varchar(200)"
    place.do(
        f"CREATE TABLE users (id integer PRIMARY KEY, ssn {text} UNIQUE, tenant integer,"
        f" email {text}, email_eq {text}, note {text}, UNIQUE (tenant, email))"
    )
    place.insert("users", [{"id": 1, "ssn": "1", "tenant": 1, "email": "a", "note": "n"}])
    place.do("CREATE UNIQUE INDEX of_notes ON users (id, note)")
    place.env["RESEAL_INDEX_KEY"] = INDEX.export()
    terms = [{"name": "eq", "column": "email_eq", "bits": 64}]
    email = column(name="email", indexes=terms)
    place.describe(column(), email, column(name="note"))
    report = place.report("plan")
    for at, name, others in [(0, "ssn", ")"), (1, "email", ", tenant)")]:
        said = findings(report, at)
        assert list(said) == ["unique-no-longer"]
        assert f"keeps no doubles of {name} out" in said["unique-no-longer"]
        assert f"(terms of {name}{others}" in said["unique-no-longer"]
    assert findings(report, 2) == {}
    place.do("CREATE UNIQUE INDEX of_terms ON users (tenant, email_eq)")
    place.describe(column(mode="deterministic"), email)
    report = place.report("plan")
    assert [findings(report, at) for at in range(2)] == [{}, {}]


@on("postgresql")
def test_unique_indexes_of_some_rows_and_of_expressions_are_told(place: Place) -> None:
    place.do("CREATE TABLE users (id integer PRIMARY KEY, ssn text, email text, note text)")
    place.do("CREATE UNIQUE INDEX of_some ON users (ssn) WHERE id > 3")
    place.do("CREATE UNIQUE INDEX of_lower ON users (lower(email))")
    place.do("CREATE INDEX of_notes ON users (note)")
    place.describe(column(), column(name="email"), column(name="note"))
    report = place.report("plan")
    assert "of_some" in findings(report, 0)["unique-no-longer"]
    assert "of_lower" in findings(report, 1)["unique-no-longer"]
    assert findings(report, 2) == {}
