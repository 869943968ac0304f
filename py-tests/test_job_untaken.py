"""One value that a database does not take, for whatever reason: its row is refused, and all others are done."""

from __future__ import annotations

import json
from typing import Any

import pytest
from job_support import HERE, RING, Place, column, each, on

ROWS = 50
#: The row of the odd one, in the second batch.
ODD = 40


def texts(odd: str) -> list[str]:
    return [odd if n == ODD else f"Row {n}" for n in range(1, ROWS + 1)]


def refused(place: Place, *arguments: str) -> list[Any]:
    """What is stored after a job that refuses the odd one alone, also when it is run again."""
    for _ in range(2):
        ended = place.run(
            "apply", "--batch", "20", "--refused", "refused.jsonl", *arguments, code=1
        )
        assert "1  refused: constraint-violated" in ended.out
        lines = (place.folder / "refused.jsonl").read_text().splitlines()
        listed = [json.loads(line) for line in lines]
        assert {(it["row_id"][0], it["code"]) for it in listed} == {
            (str(ODD), "constraint-violated")
        }
    return place.stored()


def back(place: Place, kind: str, odd: str) -> None:
    """A column that goes back to plaintext, and one value of it cannot."""
    place.do(f"CREATE TABLE users (id integer PRIMARY KEY, ssn {kind})")
    sealed = [RING.seal(text, HERE) for text in texts(odd)]
    place.insert("users", [{"id": n, "ssn": it} for n, it in enumerate(sealed, 1)])
    place.describe(column(write="plain", read=["app"]))
    stored = refused(place, "--yes")
    assert stored == [sealed[n] if n == ODD - 1 else it for n, it in enumerate(texts(odd))]


def sealed_all_but_one(stored: list[Any], odd: str) -> None:
    assert stored[ODD - 1] == odd
    rest = [RING.open_str(it, HERE) for it in stored if it != odd]
    assert rest == [it for it in texts(odd) if it != odd]


@on("mysql")
@pytest.mark.parametrize("odd", ["Łódź", "\U0001f511"])
def test_what_a_character_set_lacks(place: Place, odd: str) -> None:
    back(place, "text CHARACTER SET latin1", odd)


@on("postgresql")
def test_a_zero_byte(place: Place) -> None:
    back(place, "text", "a\0b")


@on("postgresql")
def test_an_envelope_that_its_index_does_not_take(place: Place) -> None:
    odd = "long " * 600
    place.users(texts(odd))
    place.do("CREATE INDEX users_ssn ON users (ssn)")
    sealed_all_but_one(refused(place), odd)


@on("postgresql")
def test_an_expression_that_reads_plaintext(place: Place) -> None:
    place.users(texts("7"))
    place.do(f"CREATE INDEX users_ssn ON users ((ssn::int)) WHERE id = {ODD}")
    sealed_all_but_one(refused(place), "7")


@on("postgresql")
@pytest.mark.parametrize("state", ["45000", "22012", "MY001"])
def test_a_trigger_that_raises_a_code_of_its_own(place: Place, state: str) -> None:
    place.users(texts("odd"))
    place.do(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE 'no' USING ERRCODE = '{state}'; END $$"
    )
    place.do(
        "CREATE TRIGGER refusal BEFORE UPDATE ON users FOR EACH ROW"
        f" WHEN (NEW.id = {ODD}) EXECUTE FUNCTION refuse()"
    )
    sealed_all_but_one(refused(place), "odd")


@on("mysql")
@pytest.mark.parametrize("number", [1264, 30001])
def test_a_trigger_that_signals_a_number_of_its_own(place: Place, number: int) -> None:
    place.users(texts("odd"))
    place.do(
        "CREATE TRIGGER refusal BEFORE UPDATE ON users FOR EACH ROW"
        f" IF NEW.id = {ODD} THEN SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {number}; END IF"
    )
    sealed_all_but_one(refused(place), "odd")


@on("sqlite")
def test_a_column_of_another_type_in_a_strict_table(place: Place) -> None:
    """A trigger writes what it is given where a number has to be."""
    place.users(texts("7"))
    place.do("CREATE TABLE copies (id integer PRIMARY KEY, ssn integer) STRICT")
    place.do(
        f"CREATE TRIGGER copy AFTER UPDATE ON users WHEN NEW.id = {ODD}"
        " BEGIN INSERT INTO copies (ssn) VALUES (NEW.ssn); END"
    )
    sealed_all_but_one(refused(place), "7")


@each
def test_where_no_value_is_taken_the_job_ends(place: Place) -> None:
    """It would be told of each row."""
    place.users(texts("odd"))
    if place.kind == "postgresql":
        place.do("DELETE FROM users")
        place.insert("users", [{"id": n, "ssn": str(n)} for n in range(1, ROWS + 1)])
        place.do("CREATE INDEX users_ssn ON users ((ssn::int))")
        code = "22P02"
    elif place.kind == "mysql":
        place.do(
            "CREATE TRIGGER refusal BEFORE UPDATE ON users FOR EACH ROW"
            " SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30001"
        )
        code = "30001"
    else:
        place.do("CREATE TABLE copies (ssn integer) STRICT")
        place.do(
            "CREATE TRIGGER copy AFTER UPDATE ON users"
            " BEGIN INSERT INTO copies (ssn) VALUES (NEW.ssn); END"
        )
        code = "3091"
    ended = place.run("apply", code=4)
    assert f"({code})" in ended.err
    assert "speak of a sealed column?" in ended.err
    assert not any(str(it).startswith("rs1.") for it in place.stored())


@on("postgresql")
@pytest.mark.parametrize("code", ["55000", "XX000", "42883", "42P17"])
def test_whatever_code_a_trigger_raises_for_one_row(place: Place, code: str) -> None:
    """Codes that are of whole tables elsewhere."""
    place.users(texts("odd"))
    place.do(
        "CREATE FUNCTION raises() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NEW.id = {ODD} THEN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END IF;"
        " RETURN NEW; END $$"
    )
    place.do("CREATE TRIGGER raises BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION raises()")
    sealed_all_but_one(refused(place), "odd")


@on("postgresql")
@pytest.mark.parametrize("code", ["55000", "42883"])
def test_a_code_that_is_of_all_rows_ends_the_job(place: Place, code: str) -> None:
    place.users(texts("odd"))
    place.do(
        "CREATE FUNCTION raises() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$"
    )
    place.do("CREATE TRIGGER raises BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION raises()")
    ended = place.run("apply", "--batch", "20", code=4)
    assert f"({code})" in ended.err
    assert place.stored() == texts("odd")
