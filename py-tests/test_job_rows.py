"""What rows hold: several columns, contexts, bytes, terms and documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import reseal
from cli_support import DATA, INDEX
from job_support import HERE, RING, Place, column, total

#: Each driver has types of its own.
OF_DRIVERS = True

Row = dict[str, Any]


def counting(base: Place) -> Callable[[], int]:
    """How many rows were updated, as a trigger counts them."""
    base.do("CREATE TABLE updates (n integer)")
    if base.kind == "postgresql":
        base.do(
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN INSERT INTO updates VALUES (1); RETURN NEW; END $$"
        )
        base.do("CREATE TRIGGER noted AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION note()")
    elif base.kind == "mysql":
        base.do(
            "CREATE TRIGGER noted AFTER UPDATE ON users FOR EACH ROW INSERT INTO updates VALUES (1)"
        )
    else:
        base.do(
            "CREATE TRIGGER noted AFTER UPDATE ON users BEGIN INSERT INTO updates VALUES (1); END"
        )
    return lambda: int(base.do("SELECT count(*) FROM updates")[0][0])


def test_columns_of_a_row_are_written_together(base: Place) -> None:
    """With a condition, contexts from the row, bytes, and terms of blind indexes."""
    text, raw = base.type("text"), base.type("bytes")
    base.do(
        f"CREATE TABLE users (id integer PRIMARY KEY, tenant bigint, team varchar(20), "
        f"ssn {text}, ssn_bidx varchar(80), phone {text}, photo {raw}, note {text}, kept integer)"
    )
    rows: list[Row] = [
        {
            "id": number,
            "tenant": 2**53 + number,
            "team": f"équipe {number % 3}",
            "ssn": None if number == 3 else f"078-05-{number % 5}",
            "phone": f"555-{number}",
            "photo": bytes([0, 255, number]) * number,
            "note": "untouched",
            "kept": number % 4,
        }
        for number in range(40)
    ]
    base.insert("users", rows)
    updates = counting(base)
    row_context = {"tenant": {"column": "tenant"}, "team": {"column": "team"}}
    index = {"name": "ssn_eq", "column": "ssn_bidx", "normalizer": "digits", "bits": 64}
    where = {"where": "kept <> 0 -- some stay"}
    base.describe(
        column(context=HERE | row_context, bind_row=True, indexes=[index], **where),
        column(name="phone", context=row_context, mode="deterministic", **where),
        column(name="photo", context={"of": "photo"}, type="bytes", **where),
    )
    base.env["RESEAL_INDEX_KEY"] = INDEX.export()
    report = base.report("apply", "--batch", "7")
    meant = [row for row in rows if row["kept"]]
    nulls = sum(row["ssn"] is None for row in meant)
    assert [total(report, place)["resealed"] for place in range(3)] == [
        len(meant) - nulls,
        len(meant),
        len(meant),
    ]
    assert updates() == len(meant)
    ring = reseal.Keyring(DATA, index=INDEX)
    terms = [{"index": "ssn_eq", "normalizer": "digits", "bits": 64}]
    indexed = reseal.Column(write=reseal.codecs.reseal(ring), context=HERE, indexes=terms)
    names = ("tenant", "team", "ssn", "ssn_bidx", "phone", "photo", "note")
    for row in rows:
        cells = base.do(f"SELECT {', '.join(names)} FROM users WHERE id = %s", row["id"])[0]
        now = dict(zip(names, cells, strict=True))
        assert now["note"] == "untouched"
        facts = {"tenant": row["tenant"], "team": row["team"]}
        if not row["kept"]:
            assert [now[name] for name in ("ssn", "ssn_bidx", "phone", "photo")] == [
                row["ssn"],
                None,
                row["phone"],
                row["photo"],
            ]
            continue
        assert bytes(now["photo"]).startswith(b"\xc1\x5eRS\x01")
        assert ring.open_binary(bytes(now["photo"]), {"of": "photo"}) == row["photo"]
        assert ring.open_str(now["phone"], facts) == row["phone"]
        if row["ssn"] is None:
            assert (now["ssn"], now["ssn_bidx"]) == (None, None)
            continue
        assert ring.open_str(now["ssn"], HERE | facts | {"row": row["id"]}) == row["ssn"]
        same = indexed.index_term(row["ssn"], "ssn_eq", tenant=row["tenant"], team=row["team"])
        assert now["ssn_bidx"] == same
    # What lost its terms gets them again, and nothing else is written.
    base.do("UPDATE users SET ssn_bidx = NULL WHERE id IN (1, 5, 6)")
    before, noted = base.rows(), updates()
    assert total(base.report("apply"))["scanned"] == len(meant)
    assert base.rows() == before
    assert total(base.report("apply", "--reindex"))["reindexed"] == 3
    assert updates() == noted + 3
    stored = [it for [it] in base.do("SELECT ssn_bidx FROM users WHERE kept <> 0 ORDER BY id")]
    assert stored.count(None) == nulls


JSON_TYPES = [
    ("postgresql", "json"),
    ("postgresql", "jsonb"),
    ("postgresql", "text"),
    ("mysql", "json"),
    ("mysql", "longtext"),
    ("sqlite", "text"),
]


def test_members_of_documents(base: Place) -> None:
    types = [of for kind, of in JSON_TYPES if kind == base.kind]
    documents = [
        {"cards": [{"pan": "4111 é", "n": 1}, {"pan": None}, {"n": 2}], "a.b": "x", "keep": "1.50"},
        {"cards": [], "a.b": "", "deep": {"a.b": "no"}},
        {"a.b": 'quoted " \\ / \u2028 🔑', "number": 12345678901234567890, "f": 1.0},
        {"cards": [{"pan": 7}], "a.b": "y"},
        None,
    ]
    pan, dotted = "$.cards[*].pan", "$['a.b']"
    for place, of in enumerate(types):
        table = f"t{place}"
        base.do(f"CREATE TABLE {table} (id integer PRIMARY KEY, doc {of})")
        base.insert(
            table,
            [
                {"id": n, "doc": None if it is None else json.dumps(it, ensure_ascii=False)}
                for n, it in enumerate(documents)
            ],
        )
    base.describe(
        *(
            column(f"t{place}", "doc", type="json", path=path, context={"path": path})
            for place in range(len(types))
            for path in (pan, dotted)
        )
    )
    report = base.report("apply", code=1)
    for place in range(len(types)):
        assert total(report, 2 * place) | {"verified": 0} == {
            "scanned": 4,
            "null": 2,
            "resealed": 1,
            "refused": 1,
            "current": 1,
            "verified": 0,
        }
        assert report["columns"][2 * place]["total"]["refused"] == {"value-invalid": 1}
        assert total(report, 2 * place + 1)["resealed"] == 4
        for n, [stored] in enumerate(base.do(f"SELECT doc FROM t{place} ORDER BY id")):
            now = json.loads(stored) if isinstance(stored, str) else stored
            was = documents[n]
            if was is None:
                assert now is None
                continue
            assert now["a.b"].startswith("rs1.")
            now["a.b"] = RING.open_str(now["a.b"], {"path": dotted})
            for card in now.get("cards", []):
                if isinstance(card.get("pan"), str):
                    assert card["pan"].startswith("rs1.")
                    card["pan"] = RING.open_str(card["pan"], {"path": pan})
            assert now == was
