"""Names and row ids that look like SQL, like marks of parameters, and like nothing."""

from __future__ import annotations

import json

import reseal
from cli_support import INDEX
from job_support import CODECS, HERE, RING, Place, column, findings, found, total

NAMES = [
    "it's",
    'the "one"',
    "back`tick",
    "back\\slash",
    "100%s %d %%",
    "a?b ??",
    "$1 :name @v",
    "x;-- /* */",
    "ünï 名前 🔑",
    "select",
    "Order By",
    "n" * 60,
    " lead {0} [x]",
]
#: Outside the first plane MariaDB has no names; a space at the end is none either.
KEPT = {"mysql": [name.replace(" 🔑", "") for name in NAMES]}
HOSTILE_IDS = [
    "'; DROP TABLE users; --",
    "\\",
    "\\'",
    '"',
    "`",
    "%s",
    "%(id)s",
    "?",
    "$1",
    ":id",
    "\n\t\r",
    "NULL",
    "0",
    "{}",
    '["a", 1]',
    "ünï\u2028🔑",
    "\x1a",
    "a" * 60,
]


def test_hostile_names(base: Place) -> None:
    """Tables, columns, keys, facts and terms have them, and so have all statements."""
    text = "varchar(300)"
    names = KEPT.get(base.kind, NAMES)
    described = []
    for place, table in enumerate(names):
        parts = {part: f"{table[:50]}{part}" for part in ("key", "fact", "value", "term")}
        quoted = {part: base.quoted(it) for part, it in parts.items()}
        base.do(
            f"CREATE TABLE {base.quoted(table)} ({quoted['key']} varchar(80) PRIMARY KEY, "
            f"{quoted['fact']} varchar(80), {quoted['value']} {text}, {quoted['term']} varchar(80))"
        )
        ids = HOSTILE_IDS if place < 3 else HOSTILE_IDS[:3]
        base.insert(
            table,
            [{parts["key"]: it, parts["fact"]: f"{it}!", parts["value"]: f"v{it}"} for it in ids],
        )
        index = {"name": "eq", "column": parts["term"], "bits": 32}
        context = {"t": table, "fact": {"column": parts["fact"]}}
        described.append(
            column(
                table,
                parts["value"],
                row_id=[parts["key"]],
                context=context,
                bind_row=True,
                indexes=[index],
            )
        )
    base.env["RESEAL_INDEX_KEY"] = INDEX.export()
    base.describe(*described)
    planned = base.report("plan")
    assert all(findings(planned, place) == {} for place in range(len(names)))
    report = base.report("apply", "--batch", "4", "--verify-one-in", "1")
    again = base.report("apply", "--reindex")
    census = base.report("census", "--keys-only")
    for place, one in enumerate(described):
        number = len(HOSTILE_IDS) if place < 3 else 3
        assert total(report, place)["resealed"] == number
        assert total(again, place) == {"scanned": number, "current": number}
        assert found(census, place) == {("app", RING.primary_id): number}
        assert "CREATE INDEX" in findings(census, place)["key-index"]
        key, value = one["row_id"][0], one["column"]
        fact, term = one["context"]["fact"]["column"], one["indexes"][0]["column"]
        columns = ", ".join(map(base.quoted, (key, fact, value, term)))
        rows = base.do(f"SELECT {columns} FROM {base.quoted(one['table'])}")
        assert len(rows) == number
        for row_id, now, stored, index_term in rows:
            context = {"t": one["table"], "fact": now, "row": row_id}
            assert (RING.open_str(stored, context), now) == (f"v{row_id}", f"{row_id}!")
            assert index_term
    assert total(base.report("verify", "--column", f"{names[0]}.{names[0]}value"))["found"] == len(
        HOSTILE_IDS
    )
    assert base.report("discover")["discovered"] == []


FERNET = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="


def test_hostile_rows_are_named_by_a_person(base: Place) -> None:
    """A row id that looks like a list is given as a list of one."""
    tokens = reseal.codecs.fernet(keys=[FERNET])
    base.do("CREATE TABLE users (id varchar(80) PRIMARY KEY, ssn varchar(400))")
    twice = RING.seal(tokens.seal("inner"), HERE)
    base.insert("users", [{"id": row, "ssn": twice} for row in [*HOSTILE_IDS, "other"]])
    base.env["FERNET_KEY"] = FERNET
    codec = {"kind": "fernet", "keys": ["env:FERNET_KEY"]}
    base.describe(column(read=["tokens"]), codecs=CODECS | {"tokens": codec})
    rows = [json.dumps([row]) if row.startswith("[") else row for row in HOSTILE_IDS]
    arguments = [f"--row={row}" for row in rows]
    report = base.report("apply", "--repair", "unwrap", *arguments)
    assert total(report)["resealed"] == len(HOSTILE_IDS)
    left = base.do("SELECT id FROM users WHERE ssn = %s", twice)
    assert left == [("other",)]
