"""Tables that do not store what they are told to: nothing is lost, and nothing is counted that is not so."""

from __future__ import annotations

import json

import pytest
from cli_support import COMMANDS
from job_support import KINDS, Place, balanced, column, on, total
from test_job_faults import opened

#: Fewer than one of so many is read back of.
ROWS = 50
TEXTS = [f"secret {number}" for number in range(1, ROWS + 1)]
#: What each kind of database does to every new value: it is cut, or the old one stays.
CHANGES = {"cut": "substr(NEW.{name}, 1, 40)", "kept": "OLD.{name}"}
CASES = [(kind, command, change) for kind in KINDS for command in COMMANDS for change in CHANGES]


def trigger(place: Place, change: str, name: str = "ssn") -> None:
    """Let a change of a column become another one."""
    value = CHANGES[change].format(name=name)
    if place.kind == "postgresql":
        place.do(
            "CREATE FUNCTION changed() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN NEW.{name} = {value}; RETURN NEW; END $$"
        )
        how = f"BEFORE UPDATE OF {name} ON users FOR EACH ROW EXECUTE FUNCTION changed()"
    elif place.kind == "mysql":
        how = f"BEFORE UPDATE ON users FOR EACH ROW SET NEW.{name} = {value}"
    else:
        how = (
            f"AFTER UPDATE OF {name} ON users WHEN NEW.{name} LIKE 'rs1.%'"
            f" BEGIN UPDATE users SET {name} = {value} WHERE id = NEW.id; END"
        )
    place.do(f"CREATE TRIGGER changes {how}")


def refused(place: Place) -> None:
    """The job says that a value is not what it sealed, and has changed nothing."""
    before = place.rows()
    ended = place.run("apply", "--json", code=4)
    report = balanced(json.loads(ended.out))
    assert "verification-failed" in ended.err
    assert "does a trigger" in ended.err
    assert "resealed" not in total(report)
    assert place.rows() == before


@pytest.mark.parametrize(
    ("place", "change"),
    [((kind, command), change) for kind, command, change in CASES],
    indirect=["place"],
    ids=["-".join(one) for one in CASES],
)
def test_a_trigger_that_changes_every_value_of_a_small_table(place: Place, change: str) -> None:
    place.users(TEXTS)
    trigger(place, change)
    refused(place)
    place.do("DROP TRIGGER changes" + (" ON users" if place.kind == "postgresql" else ""))
    assert total(place.report("apply"))["resealed"] == ROWS
    assert opened(place) == (TEXTS, ROWS)


@on(*KINDS)
def test_a_trigger_of_one_column_of_two(place: Place) -> None:
    """A value of each column is read back before anything of it is committed."""
    text = place.type("text")
    place.do(f"CREATE TABLE users (id integer PRIMARY KEY, name {text}, ssn {text})")
    place.insert("users", [{"id": n, "name": f"name {n}", "ssn": it} for n, it in enumerate(TEXTS)])
    place.describe(column(name="name"), column())
    trigger(place, "cut")
    refused(place)


@on("postgresql", "sqlite")
def test_a_trigger_that_leaves_rows_out(place: Place) -> None:
    """The statement says nothing of them: they are listed, and all others are done."""
    place.users(TEXTS)
    if place.kind == "postgresql":
        place.do(
            "CREATE FUNCTION left_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF NEW.id % 10 = 0 THEN RETURN NULL; END IF; RETURN NEW; END $$"
        )
        how = "FOR EACH ROW EXECUTE FUNCTION left_out()"
    else:
        how = "WHEN NEW.id % 10 = 0 BEGIN SELECT RAISE(IGNORE); END"
    place.do(f"CREATE TRIGGER leaves BEFORE UPDATE ON users {how}")
    report = place.report("apply", "--refused", "refused.jsonl", code=1)
    assert report["end"] == "complete"
    last = report["columns"][0]["passes"][-1]
    assert last["refused"] == {"verification-failed": 5}
    assert (last["current"], last["left"], total(report)["resealed"]) == (45, 0, 45)
    lines = (place.folder / "refused.jsonl").read_text().splitlines()
    listed = {(it["row_id"][0], it["code"]) for it in map(json.loads, lines)}
    assert listed == {(str(n), "verification-failed") for n in range(10, 51, 10)}
    place.do("DROP TRIGGER leaves" + (" ON users" if place.kind == "postgresql" else ""))
    assert total(place.report("apply"))["resealed"] == 5
    assert opened(place) == (TEXTS, ROWS)


@on("postgresql")
def test_a_rule_that_leaves_a_row_out(place: Place) -> None:
    place.users(TEXTS)
    place.do("CREATE RULE out AS ON UPDATE TO users WHERE NEW.id = 5 DO INSTEAD NOTHING")
    report = place.report("apply", code=1)
    assert report["columns"][0]["passes"][-1]["refused"] == {"verification-failed": 1}
    place.do("DROP RULE out ON users")
    place.run("apply")
    assert opened(place) == (TEXTS, ROWS)
