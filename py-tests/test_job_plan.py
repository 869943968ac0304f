"""What `plan` tells before anything is written: lengths, and what stands in the way."""

from __future__ import annotations

import re

import pytest
from cli_support import INDEX
from job_support import (
    CODECS,
    HERE,
    RING,
    Json,
    Place,
    column,
    findings,
    manifest,
    of_servers,
    total,
)

FERNET = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
TOKENS = CODECS | {"tokens": {"kind": "fernet", "keys": ["env:FERNET_KEY"]}}
LIMITED = {
    "postgresql": ["varchar({})", "char({})"],
    "mysql": ["varchar({})", "varchar({}) CHARACTER SET latin1", "varbinary({})"],
}
#: Characters that take two and four bytes, which lengthen what is sealed and not what is counted.
WIDE = {"postgresql": "é🔑" * 10, "mysql": "éü" * 10, "sqlite": "é🔑" * 10}


def test_the_length_that_a_column_needs(base: Place) -> None:
    """Too short by one is too short, and the length that it says is enough."""
    base.env["FERNET_KEY"] = FERNET
    texts = ["a", WIDE[base.kind], None, "078-05-1120"]
    if base.kind == "sqlite":
        base.do("CREATE TABLE users (id integer PRIMARY KEY, ssn varchar(20))")
        base.insert("users", [{"id": n, "ssn": it} for n, it in enumerate(texts)])
        base.describe(column())
        planned = base.report("plan")
        length = planned["columns"][0]["length"]
        assert (length["longest"], length["allowed"]) == (20, None)
        assert length["needed"] <= length["bound"]
        assert total(base.report("apply"))["resealed"] == 3
        assert max(len(it) for it in base.stored() if it) == length["needed"]
        return
    cases = [(of, write) for of in LIMITED[base.kind] for write in ("app", "tokens")]
    tables = [f"t{place}" for place in range(len(cases))]
    described = []
    for table, (of, write) in zip(tables, cases, strict=True):
        base.do(f"CREATE TABLE {table} (id integer PRIMARY KEY, ssn {of.format(60)})")
        is_bytes = "binary" in of
        rows = [it if it is None or not is_bytes else it.encode() for it in texts]
        base.insert(table, [{"id": n, "ssn": it} for n, it in enumerate(rows)])
        described.append(column(table, write=write))
    base.describe(*described, codecs=TOKENS)
    planned = base.report("plan", code=2)
    needed = []
    for place in range(len(cases)):
        length = planned["columns"][place]["length"]
        said = findings(planned, place)["column-too-short"]
        [number] = re.findall(r"make it at least (\d+)", said)
        assert int(number) == length["needed"] > length["allowed"] == 60
        assert length["needed"] <= length["bound"]
        needed.append(int(number))
    # The person reads the same.
    assert base.run("plan", code=2).out.count("[column-too-short]") == len(cases)

    def alter(less: int) -> None:
        for table, (of, _), chars in zip(tables, cases, needed, strict=True):
            word = "ALTER COLUMN ssn TYPE" if base.kind == "postgresql" else "MODIFY ssn"
            base.do(f"ALTER TABLE {table} {word} {of.format(chars - less)}")

    alter(1)
    planned = base.report("plan", code=2)
    assert all("column-too-short" in findings(planned, n) for n in range(len(cases)))
    before = [base.rows(table) for table in tables]
    # What is too long stays as it is, and what fits does not wait for it.
    refused = base.report("apply", code=1)
    for place, (table, was) in enumerate(zip(tables, before, strict=True)):
        counts = refused["columns"][place]["total"]
        fit = [row for row in base.rows(table) if row not in was]
        assert counts["refused"] == {"column-unsuitable": len(was) - 1 - len(fit)}
        assert counts["refused"]["column-unsuitable"] > 0
    alter(0)
    planned = base.report("plan")
    assert [findings(planned, place) for place in range(len(cases))] == [{}] * len(cases)
    report = base.report("apply")
    for place, table in enumerate(tables):
        assert total(report, place)["current"] == 3
        stored = [it for it in base.stored(table=table) if it is not None]
        assert max(map(len, stored)) == needed[place]


def test_a_sample_tells_what_it_cannot_know(base: Place) -> None:
    base.users([f"it {n}" for n in range(3_000)])
    base.describe(column())
    sampled = base.report("plan", "--sample", "10")
    assert sampled["sample_one_in"] == 10
    assert 100 < sampled["columns"][0]["total"]["scanned"] < 900
    assert sampled["columns"][0]["length"]["longest"] == 7
    whole = base.report("plan", "--sample", "1")
    assert total(whole) == {"scanned": 3_000, "resealed": 3_000}
    if base.kind != "sqlite":
        base.do("CREATE TABLE short (id integer PRIMARY KEY, ssn varchar(90))")
        base.insert("short", [{"id": n, "ssn": "x"} for n in range(200)])
        base.insert("short", [{"id": 200, "ssn": "x" * 90}])
        base.describe(column("short"))
        said = findings(base.report("plan", "--sample", "10", code=2))
        # The short ones need 93 characters.
        assert set(said) == {"column-too-short"}


#: What is made, what is described, and what is said of it.
WAYS: dict[str, tuple[list[str], Json, str]] = {
    "no table": ([], {"table": "missing"}, "there is none of this name"),
    "no column": ([], {"column": "missing"}, "it has no column missing"),
    "no fact": ([], {"context": {"t": {"column": "nobody"}}}, "it has no column nobody"),
    "no row id": ([], {"row_id": ["nobody"]}, "it has no column nobody"),
    "no key": ([], {"table": "bare"}, "the table has no unique key"),
    "half a key": ([], {"table": "pairs", "row_id": ["a"]}, r"its unique keys are \(a, b\)"),
    "a null in the key": (
        ["INSERT INTO loose VALUES (NULL, 'x')"],
        {"table": "loose"},
        "NULL in its row id",
    ),
    "no term": (
        [],
        {"indexes": [{"name": "e", "column": "no_term", "bits": 64}]},
        "it has no column no_term",
    ),
}


@pytest.mark.parametrize("ready", ["plan", "apply"])
def test_what_stands_in_the_way(base: Place, ready: str) -> None:
    """`plan` tells all of it, `apply` stops at the first, and both before anything is written."""
    text = "varchar(400)"
    base.users(["a", "b"])
    base.do(
        f"CREATE TABLE pairs (a integer NOT NULL, b integer NOT NULL, ssn {text}, UNIQUE (a, b))"
    )
    base.do(f"CREATE TABLE loose (id integer UNIQUE, ssn {text})")
    base.do(f"CREATE TABLE bare (id integer, ssn {text})")
    sound = column()
    before = base.rows()
    described = []
    for statements, members, _ in WAYS.values():
        for statement in statements:
            base.do(statement)
        table = str(members.get("table", "users"))
        described.append(column(table, **{k: v for k, v in members.items() if k != "table"}))
    if ready == "plan":
        # Two of the same name need a condition that tells them apart.
        for place, one in enumerate(described):
            one["where"] = f"{place} = {place}"
        base.describe(*described, sound)
        report = base.report("plan", code=2)
        for place, (_, _, message) in enumerate(WAYS.values()):
            said = findings(report, place)
            assert list(said) == ["column-unsuitable"], place
            assert re.search(message, said["column-unsuitable"]), (place, said)
        assert findings(report, len(WAYS)) == {}
        assert total(report, len(WAYS)) == {"scanned": 2, "resealed": 2}
    else:
        for one, (_, _, message) in zip(described, WAYS.values(), strict=True):
            base.describe(sound, one | {"where": "1 = 1"})
            ended = base.run("apply", code=2)
            assert re.search(message, ended.err), ended
            assert "[column-unsuitable]" in ended.err
    assert base.rows() == before


def test_any_unique_key_is_a_row_id(base: Place) -> None:
    """Also one that is not the primary key."""
    base.do(
        "CREATE TABLE users (n integer PRIMARY KEY, a varchar(20) NOT NULL, b integer NOT NULL, "
        "ssn varchar(400), UNIQUE (b, a))"
    )
    base.insert("users", [{"n": n, "a": f"é{n % 3}", "b": n // 3, "ssn": "s"} for n in range(9)])
    base.describe(column(row_id=["a", "b"]))
    assert total(base.report("apply", "--batch", "2"))["resealed"] == 9
    assert {RING.open_str(it, HERE) for it in base.stored(by="n")} == {"s"}


def test_a_condition_that_is_none(base: Place) -> None:
    base.users(["a"])
    base.describe(column(where="ssn ="))
    ended = base.run("plan", code=4)
    assert "[database-error]" in ended.err
    assert manifest(column(where="ssn =")) == (base.folder / "reseal.toml").read_text()


def test_what_another_application_cannot_read_is_not_written(base: Place) -> None:
    """`plan` tells it, `apply` refuses, and both say who."""
    base.users(["a", None, "b"])
    base.describe(column(read=["plain"], readers={"billing": ["rails"], "shop": ["reseal"]}))
    before = base.stored()
    said = findings(base.report("plan", code=2))["reader-unable"]
    assert said == "billing cannot read reseal, which users.ssn writes with the codec app"
    assert "[reader-unable]" in base.run("plan", code=2).out
    refused = base.run("apply", code=2).err
    assert said in refused
    assert "[reader-unable]" in refused
    assert base.stored() == before
    base.describe(
        column(read=["plain"], readers={"billing": ["rails", "reseal"], "shop": ["reseal"]})
    )
    assert total(base.report("apply"))["resealed"] == 2


@of_servers
def test_the_length_that_a_column_of_terms_needs(place: Place) -> None:
    place.env["RESEAL_INDEX_KEY"] = INDEX.export()
    place.do(
        "CREATE TABLE users (id integer PRIMARY KEY, ssn varchar(200), a varchar(25), b varchar(26))"
    )
    place.insert("users", [{"id": 1, "ssn": "078-05-1120"}])
    indexes = [{"name": name, "column": name, "bits": 64} for name in ("a", "b")]
    place.describe(column(indexes=indexes))
    said = findings(place.report("plan", code=2))
    assert said == {"column-too-short": "a term takes 26 characters, and a 25: make it at least 26"}
    place.do(f"ALTER TABLE users {'MODIFY a' if place.kind == 'mysql' else 'ALTER a TYPE'} text")
    assert findings(place.report("plan")) == {}
    assert total(place.report("apply"))["resealed"] == 1
    assert [len(place.stored(name)[0]) for name in ("a", "b")] == [26, 26]
