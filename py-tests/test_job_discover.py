"""What is in a database: columns that the manifest lacks, and what a census counts."""

from __future__ import annotations

import base64
import json
import re

import pytest
import reseal
from cli_support import DATA, OLD
from cryptography.fernet import Fernet
from job_support import RING, Json, Place, column, findings, found, of_servers, on, total

OTHER = reseal.Keyring(OLD)
FERNET = Fernet(Fernet.generate_key())


def sealed(text: str) -> str:
    return RING.seal(text, {})


def test_what_the_manifest_lacks_is_found(base: Place) -> None:
    text, raw = base.type("text"), base.type("bytes")
    doc = {"postgresql": "jsonb", "mysql": "json", "sqlite": "text"}[base.kind]
    base.do(
        f"CREATE TABLE users (id integer PRIMARY KEY, ssn {text}, phone {text}, photo {raw}, "
        f"doc {doc}, name {text}, token {text}, secret {text})"
    )
    base.do(f"CREATE TABLE notes (id integer PRIMARY KEY, doc {text})")
    for n in range(6):
        document = {"pin": sealed("1"), "open": "x", "list": [{"a b": sealed("2")}]}
        row = {
            "id": n,
            "ssn": sealed("s"),
            "phone": OTHER.seal("p", {}) if n % 2 else sealed("p"),
            "photo": RING.seal_binary(b"\0", {}),
            "doc": json.dumps(document),
            "name": f"somebody {n}",
            "token": FERNET.encrypt(b"t").decode(),
            "secret": reseal.Key.generate("data").export() if n == 2 else "nothing",
        }
        base.insert("users", [row])
        base.insert("notes", [{"id": n, "doc": json.dumps([{"pin": sealed("n")}])}])
    base.describe(
        column(),
        column(name="photo", type="bytes"),
        column(name="doc", type="json", path="$.pin"),
    )
    base.env.pop("RESEAL_PRIMARY_KEY")
    before = base.rows()
    report: Json = base.report("discover")
    seen = {
        (it["table"], it["column"], it.get("path")): (
            {(one["in"]["codec"], one["in"]["key"]): one["values"] for one in it["found"]},
            it["key_like"],
        )
        for it in report["discovered"]
    }
    assert seen == {
        ("users", "phone", None): ({("reseal", DATA.id): 3, ("reseal", OLD.id): 3}, 0),
        ("users", "doc", "$.list[*]['a b']"): ({("reseal", DATA.id): 6}, 0),
        ("users", "token", None): ({("fernet", None): 6}, 0),
        ("users", "secret", None): ({}, 1),
        ("notes", "doc", "$[*].pin"): ({("reseal", DATA.id): 6}, 0),
    }
    ended = base.run("discover")
    assert "a key that should be no value" in ended.out
    assert "rsk1." not in ended.out + ended.err
    assert base.rows() == before
    # Without a manifest the columns of it are found as well.
    (base.folder / "reseal.toml").unlink()
    everything = base.report("discover")["discovered"]
    assert len(everything) == len(seen) + 3


@on("postgresql")
def test_a_table_of_the_same_name_in_another_schema_is_another_one(place: Place) -> None:
    place.do("CREATE SCHEMA first")
    place.do("CREATE SCHEMA second")
    for table in ("users", "first.users", "second.users", "second.notes"):
        place.do(f"CREATE TABLE {table} (id integer PRIMARY KEY, ssn text)")
        place.do(f"INSERT INTO {table} VALUES (1, %s)", sealed("s"))

    def seen(*tables: str) -> set[str]:
        place.describe(*(column(table) for table in tables))
        return {it["table"] for it in place.report("discover")["discovered"]}

    assert seen("users") == {"first.users", "second.users", "second.notes"}
    assert seen("public.users", "second.users") == {"first.users", "second.notes"}
    # What a manifest finds without a schema is named without one.
    [[name]] = place.do("SELECT current_database()")
    place.do(f"ALTER DATABASE {name} SET search_path = first, second")
    assert seen("users") == {"public.users", "second.users", "notes"}
    assert seen("first.users", "notes") == {"public.users", "second.users"}


@of_servers
def test_what_a_user_may_not_read_is_passed_by(place: Place) -> None:
    name = f"little_{place.url.rpartition('/')[2]}"
    for table in ("users", "audits"):
        place.do(f"CREATE TABLE {table} (id integer PRIMARY KEY, ssn {place.type('text')})")
        place.do(f"INSERT INTO {table} VALUES (1, %s)", sealed("s"))
    place.describe(column("nowhere"))
    if place.kind == "postgresql":
        grantee = name
        place.do(f"CREATE USER {name} PASSWORD 'p'")
        place.do("CREATE SCHEMA cron")
        place.do("ALTER TABLE audits SET SCHEMA cron")
        place.do(f"GRANT SELECT ON users, cron.audits TO {name}")
    else:
        grantee = f"'{name}'@'%'"
        place.do(f"CREATE USER {grantee} IDENTIFIED BY 'p'")
        place.do(f"GRANT SELECT ON users TO {grantee}")
        place.do(f"GRANT INSERT ON audits TO {grantee}")
    login = re.sub(r"//.*@", f"//{name}:p@", place.url)
    try:
        report = place.report("discover", "--db", login)
        assert [it["table"] for it in report["discovered"]] == ["users"]
        # PostgreSQL tells what a user may read before it is tried.
        assert report["unread"] == ([] if place.kind == "postgresql" else ["audits.ssn"])
        said = "audits.ssn: not looked at, as this user may not read it"
        assert (said in place.run("discover", "--db", login).out) is (place.kind == "mysql")
    finally:
        if place.kind == "postgresql":
            place.do(f"DROP OWNED BY {grantee}")
        place.do(f"DROP USER {grantee}")


def test_all_ways_to_count_agree(base: Place) -> None:
    """Reading values, reading a sample of all, and counting starts in the database."""
    text, raw = base.type("text"), base.type("bytes")
    base.do(f"CREATE TABLE users (id integer PRIMARY KEY, ssn {text}, photo {raw})")
    own = ["hello", "", "rs", "rs1.", "RS1.x", "rs1é", "rs2." + "a" * 60, None, "rs1." + "!" * 60]
    for n in range(120):
        ring = (RING, OTHER)[n % 3 == 0]
        shown = ring.seal("x" * n, {}, mode=("random", "deterministic")[n % 2])
        # Of another version, and cut within its start.
        kept = {40: shown[:20], 41: shown.replace("rs1", "rs9", 1), 42: shown.upper()}.get(n, shown)
        base.insert(
            "users",
            [
                {
                    "id": n,
                    "ssn": own[n // 5] if n % 5 == 1 and n // 5 < len(own) else kept,
                    "photo": ring.seal_binary(bytes(n), {}) if n % 4 else b"\xc1\x5e",
                }
            ],
        )
    base.describe(column(), column(name="photo", type="bytes"))
    base.env.pop("RESEAL_PRIMARY_KEY")
    whole = base.report("census")
    others = base.report("census", "--sample", "1"), base.report("census", "--keys-only")
    for place in range(2):
        counts = [it["columns"][place]["total"] for it in (whole, *others)]
        assert counts[1] == counts[0]
        assert counts[2] == counts[0]
        kinds = found(whole, place)
        assert {key for codec, key in kinds if codec == "app"} >= {DATA.id, OLD.id}
    assert total(whole)["null"] == 1
    for report in (whole, others[0]):
        assert "key-index" not in findings(report)


@pytest.mark.parametrize("name", ["ssn", "photo"])
def test_the_index_of_keys_works(base: Place, name: str) -> None:
    """What is printed can be run, and answers what is under one key."""
    is_text = name == "ssn"
    of = base.type("text" if is_text else "bytes")
    base.do(f"CREATE TABLE users (id integer PRIMARY KEY, {name} {of})")
    rings = [OTHER if n % 100 == 0 else RING for n in range(300)]
    values = [it.seal("x", {}) if is_text else it.seal_binary(b"x", {}) for it in rings]
    base.insert("users", [{"id": n, name: value} for n, value in enumerate(values)])
    base.describe(column(name=name, type="text" if is_text else "bytes"))
    said = findings(base.report("census", "--keys-only"))["key-index"]
    matched = re.search(r"WHERE (.*?): (CREATE INDEX .*)$", said)
    assert matched, said
    condition, statement = matched.groups()
    base.do(statement)

    def under(key: str) -> str:
        raw = base64.b32decode(key.upper()).hex()
        literal = f"'\\x{raw}'::bytea" if base.kind == "postgresql" else f"x'{raw}'"
        return condition.replace("<key id>", key if is_text else literal)

    for key, number in ((OLD.id, 3), (DATA.id, 297)):
        assert base.do(f"SELECT count(*) FROM users WHERE {under(key)}") == [(number,)]
    explain = "EXPLAIN QUERY PLAN" if base.kind == "sqlite" else "EXPLAIN"
    if base.kind == "postgresql":
        base.do("ANALYZE users")
        # A table as small as this one is read faster without any index.
        base.do("SET enable_seqscan = off")
    assert f"{name}_key" in repr(base.do(f"{explain} SELECT id FROM users WHERE {under(OLD.id)}"))
