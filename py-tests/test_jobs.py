"""The jobs that a program calls, on a file of SQLite; the command is in test_cli_jobs.py."""

from __future__ import annotations

import json
import os
import pickle
import signal
import sqlite3
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_type_hints

import pytest
import reseal
import sqlalchemy
from cli_support import DATA, OLD, run
from reseal import jobs
from reseal._database_sqlite import Sqlite

RING, OTHER = reseal.Keyring(DATA), reseal.Keyring(OLD)
HERE = {"table": "users", "column": "ssn"}
ROWS = 12
MINUTES = 600_000
CODECS = """
version = 1
[codecs.app]
kind = "reseal"
keyring = "env"
"""
COLUMN = """
[[columns]]
table = "users"
column = "ssn"
row_id = ["id"]
context = { table = "users", column = "ssn" }
write = "app"
read = ["plain"]
"""
MANIFEST = reseal.Manifest.parse(CODECS + COLUMN)
# What was encrypted twice is a token of Fernet within an envelope.
FERNET = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
TOKENS = reseal.codecs.fernet(keys=[FERNET])
WITH_TOKENS = (
    f'{CODECS}[codecs.tokens]\nkind = "fernet"\nkeys = ["env:FERNET_KEY"]\n'
    + COLUMN.replace('["plain"]', '["tokens"]')
)
PLAIN = reseal.Manifest.parse(
    CODECS + COLUMN.replace('"app"', '"plain"').replace('["plain"]', '["app"]')
)
PLAINTEXTS = [f"078-05-{number:04}" for number in range(1, ROWS + 1)]
CALLS: dict[str, Callable[..., Any]] = {
    "census": jobs.census,
    "discover": jobs.discover,
    "plan": jobs.plan,
    "apply": jobs.apply,
    "verify": jobs.verify,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("RESEAL")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    monkeypatch.setenv("FERNET_KEY", FERNET)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def database(folder: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(folder / "app.db")
    connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT)")
    connection.executemany("INSERT INTO users (ssn) VALUES (?)", [(it,) for it in PLAINTEXTS])
    connection.commit()
    yield connection
    connection.close()


def stored(database: sqlite3.Connection) -> list[str]:
    return [value for [value] in database.execute("SELECT ssn FROM users ORDER BY id")]


def opened(database: sqlite3.Connection) -> list[str]:
    return [RING.open_str(value, HERE) for value in stored(database)]


def put(database: sqlite3.Connection, row: int, value: object) -> None:
    database.execute("UPDATE users SET ssn = ? WHERE id = ?", [value, row])
    database.commit()


def moved(report: jobs.Report) -> int:
    return sum(it["values"] for it in report["columns"][0]["total"]["resealed"])


def refusal(call: Callable[[], object]) -> reseal.ResealError:
    with pytest.raises(reseal.ResealError) as caught:
        call()
    return caught.value


# --- what they do -----------------------------------------------------------------------------


def test_apply_encrypts_and_then_nothing_is_left(database: sqlite3.Connection) -> None:
    report = jobs.apply(database, manifest=MANIFEST, batch=5)
    assert (report["work"], report["end"], moved(report)) == ("apply", "complete", ROWS)
    assert report["milliseconds"] >= 0
    assert opened(database) == PLAINTEXTS
    assert moved(jobs.apply(database, manifest=MANIFEST)) == 0
    verified = jobs.verify(database, manifest=MANIFEST)["columns"][0]["total"]
    assert sum(found["values"] for found in verified["found"]) == ROWS


@pytest.mark.parametrize("name", CALLS)
def test_the_report_is_that_of_the_command(
    name: str, database: sqlite3.Connection, folder: Path
) -> None:
    put(database, 3, OTHER.seal("x", HERE))
    put(database, 4, RING.seal("x", HERE))
    (folder / "reseal.toml").write_text(CODECS + COLUMN)
    database.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)")
    database.execute("INSERT INTO notes VALUES (1, ?)", [RING.seal("x", {})])
    database.commit()
    env = {"RESEAL_PRIMARY_KEY": DATA.export()}
    more = {"dry_run": True} if name == "apply" else {}
    options = ["--dry-run"] if name == "apply" else []
    url = "sqlite:///app.db"
    ended = run("python", name, "--json", "--db", url, *options, cwd=folder, env=env)
    events = list[jobs.Event]()
    report = CALLS[name](database, on_event=events.append, **more)
    command = json.loads(ended.out)
    for one in (report, command):
        assert one.pop("milliseconds") >= 0
    assert report == command
    assert events == [json.loads(line) for line in ended.err.splitlines()]
    again = CALLS[name](url, manifest=Path("reseal.toml"), **more)
    assert again["milliseconds"] >= 0
    assert again == report | {"milliseconds": again["milliseconds"]}


def test_the_types_name_every_member(database: sqlite3.Connection) -> None:
    put(database, 3, OTHER.seal("x", HERE))
    put(database, 4, RING.seal("x", HERE))
    report = jobs.plan(database, manifest=MANIFEST)
    [column] = report["columns"]
    assert set(report) <= set(get_type_hints(jobs.Report))
    assert set(column) <= set(get_type_hints(jobs.ColumnReport))
    assert set(column["total"]) == set(get_type_hints(jobs.Counts))
    assert set(column["length"]) == set(get_type_hints(jobs.Length))
    assert set(column["total"]["resealed"][0]) == set(get_type_hints(jobs.Moved))
    assert set(column["total"]["resealed"][0]["to"]) == set(get_type_hints(jobs.Kind))
    counted = jobs.census(database, manifest=MANIFEST)["columns"][0]["total"]["found"]
    assert set(counted[0]) == set(get_type_hints(jobs.Found))
    found = jobs.discover(database)
    assert set(found) <= set(get_type_hints(jobs.DiscoverReport))
    assert set(found["discovered"][0]) | {"path"} == set(get_type_hints(jobs.Discovered))
    assert set(found["discovered"][0]["found"][0]) == set(get_type_hints(jobs.DiscoveredValues))


def test_census_samples_and_counts_by_key(database: sqlite3.Connection) -> None:
    jobs.apply(database, manifest=MANIFEST)
    report = jobs.census(database, manifest=MANIFEST, keys_only=True, columns=["users.ssn"])
    [found] = report["columns"][0]["total"]["found"]
    assert (found["in"]["key"], found["values"]) == (DATA.id, ROWS)
    assert jobs.census(database, manifest=MANIFEST, sample=1)["sample_one_in"] == 1


def test_going_back_to_plaintext(
    database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.apply(database, manifest=MANIFEST)
    error = refusal(lambda: jobs.apply(database, manifest=PLAIN))
    assert error.code == "invalid-argument"
    assert "allow_plaintext" in str(error)
    monkeypatch.setenv("RESEAL_REQUIRE_ENCRYPTION", "1")
    error = refusal(lambda: jobs.apply(database, manifest=PLAIN, allow_plaintext=True))
    assert error.code == "encryption-required"
    monkeypatch.delenv("RESEAL_REQUIRE_ENCRYPTION")
    assert opened(database) == PLAINTEXTS
    assert moved(jobs.apply(database, manifest=PLAIN, allow_plaintext=True)) == ROWS
    assert stored(database) == PLAINTEXTS


def twice(text: str) -> str:
    return RING.seal(TOKENS.seal(text), HERE)


def test_rows_are_repaired(database: sqlite3.Connection) -> None:
    for row in (1, 2, 3):
        put(database, row, twice(f"twice {row}"))
    manifest = reseal.Manifest.parse(WITH_TOKENS)
    report = jobs.apply(database, manifest=manifest, repair="unwrap", rows=[1, "2"])
    assert (report["work"], moved(report)) == ("unwrap", 2)
    values = stored(database)[:3]
    texts = [RING.open_str(value, HERE) for value in values]
    assert texts[:2] == ["twice 1", "twice 2"]
    assert TOKENS.open(texts[2]).plaintext == b"twice 3"


def test_row_ids_may_be_bytes_and_lists(folder: Path) -> None:
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.execute("CREATE TABLE users (a TEXT, b BLOB, ssn TEXT, PRIMARY KEY (a, b))")
    value = twice("x")
    ids = [("[1]", b"\xff\x00"), ("[1]", b"\xff\x01"), ("2", b"")]
    for pair in ids:
        database.execute("INSERT INTO users VALUES (?, ?, ?)", [*pair, value])
    manifest = reseal.Manifest.parse(WITH_TOKENS.replace('["id"]', '["a", "b"]'))
    report = jobs.apply(database, manifest=manifest, repair="unwrap", rows=[ids[0], list(ids[2])])
    assert moved(report) == 2
    left = database.execute("SELECT a, b FROM users WHERE ssn = ?", [value]).fetchall()
    assert left == [ids[1]]
    database.close()


def test_what_a_database_holds(folder: Path) -> None:
    """Cells of every kind come through: in keys, in contexts, and as values."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.execute("CREATE TABLE users (id, tenant, ssn, UNIQUE (id))")
    rows: list[tuple[Any, Any, Any]] = [
        (1, -(2**63), "a"),
        ("two ☃", 2**63 - 1, "Grüße \U0001f511"),
        (b"\x00\xff", "t", ""),
        (5, "t", None),
        (6, "t", b"blob"),
    ]
    database.executemany("INSERT INTO users VALUES (?, ?, ?)", rows)
    context = 'context = { tenant = { column = "tenant" } }'
    described = COLUMN.replace('context = { table = "users", column = "ssn" }', context)
    manifest = reseal.Manifest.parse(CODECS + described)
    report = jobs.apply(database, manifest=manifest)
    total = report["columns"][0]["total"]
    assert (report["end"], total["scanned"], total["null"]) == ("complete", len(rows), 1)
    for row_id, tenant, text in rows[:3]:
        [[value]] = database.execute("SELECT ssn FROM users WHERE id = ?", [row_id])
        assert RING.open_str(value, {"tenant": tenant}) == text
    assert sum(total["refused"].values()) + moved(report) == len(rows) - 1
    database.close()


# --- what they tell on the way, and how they stop ------------------------------------------------


def test_events(database: sqlite3.Connection) -> None:
    put(database, 3, OTHER.seal("x", HERE))
    events = list[Any]()
    report = jobs.apply(
        database, manifest=MANIFEST, batch=4, pause_ms=600, on_event=events.append, max_passes=1
    )
    assert report["columns"][0]["total"]["refused"] == {"unknown-key": 1}
    first = next(event for event in events if event["event"] == "refused")
    where = {"table": "users", "column": "ssn", "row_id": ["3"]}
    assert first == where | {"event": "refused", "code": "unknown-key", "pass": 1}
    progress = next(event for event in events if event["event"] == "progress")
    assert set(progress) == set(get_type_hints(jobs.ProgressEvent))
    assert progress["table"] == "users"


def test_it_stops_after_a_batch_and_goes_on(database: sqlite3.Connection) -> None:
    def is_enough() -> bool:
        return sum(value.startswith("rs1.") for value in stored(database)) >= 4

    report = jobs.apply(database, manifest=MANIFEST, batch=2, stop=is_enough)
    assert (report["end"], moved(report)) == ("stopped", 4)
    events = list[jobs.Event]()
    report = jobs.apply(database, manifest=MANIFEST, batch=2, on_event=events.append)
    assert events[0] == {"event": "began", "tables": [{"table": "users", "rows": ROWS}]}
    assert events[1] == {"event": "resumed", "pass": 1, "rows": 4}
    assert (report["end"], moved(report)) == ("complete", ROWS)
    assert opened(database) == PLAINTEXTS


def test_a_pause_ends_when_it_is_to_stop(database: sqlite3.Connection, folder: Path) -> None:
    stop, reports = threading.Event(), list[jobs.Report]()

    def work() -> None:
        options = {"manifest": MANIFEST, "batch": 1, "pause_ms": MINUTES}
        reports.append(jobs.apply("sqlite:///app.db", stop=stop, **options))  # type: ignore[arg-type]

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while not any(value.startswith("rs1.") for value in stored(database)):
        assert thread.is_alive()
    stop.set()
    thread.join(MINUTES / 10_000)
    assert [(report["end"], moved(report)) for report in reports] == [("stopped", 1)]


@pytest.mark.parametrize("kind", [KeyError, KeyboardInterrupt])
def test_what_a_callback_raises_is_raised(
    kind: type[BaseException], database: sqlite3.Connection
) -> None:
    put(database, 3, OTHER.seal("x", HERE))

    def broken(*_: object) -> bool:
        raise kind("mine")

    for options in ({"on_event": broken}, {"stop": broken}):
        with pytest.raises(kind, match="mine"):
            jobs.apply(database, manifest=MANIFEST, **options)  # type: ignore[arg-type]
        assert not database.in_transaction
    assert jobs.apply(database, manifest=MANIFEST)["end"] == "complete"


class StreamingError(Exception):
    stream = "standard output"


@pytest.mark.parametrize(
    "raised", [reseal.ResealError("no-primary", "mine"), StreamingError("mine")]
)
@pytest.mark.parametrize("name", ["on_event", "stop"])
def test_what_a_callback_raises_is_never_an_error_of_the_job(
    name: str, raised: Exception, database: sqlite3.Connection
) -> None:
    put(database, 3, OTHER.seal("x", HERE))
    cause = raised.__cause__ = KeyError()

    def broken(*_: object) -> bool:
        raise raised

    with pytest.raises(type(raised)) as caught:
        jobs.apply(database, manifest=MANIFEST, **{name: broken})  # type: ignore[arg-type]
    assert caught.value is raised
    assert (raised.__cause__, raised.__context__) == (cause, None)
    assert not database.in_transaction


def test_what_stop_raises_while_the_job_waits_is_raised(database: sqlite3.Connection) -> None:
    calls = iter(range(1000))

    def broken() -> bool:
        if sys._getframe(2).f_code.co_name == "sleep":
            raise ValueError("mine")
        return next(calls) > 900

    with pytest.raises(ValueError, match="mine"):
        jobs.apply(database, manifest=MANIFEST, batch=1, pause_ms=50, stop=broken)


def test_a_connection_that_cannot_be_used_any_more(
    database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver says what is wrong with it; the job says what was done until then."""
    begin, why, begun = Sqlite._begin, "the connection is in a transaction", iter(range(1))

    def refuses(self: Sqlite, connection: Any) -> None:
        if next(begun, None) is None:
            raise reseal.ResealError("invalid-argument", why)
        begin(self, connection)

    monkeypatch.setattr(Sqlite, "_begin", refuses)
    with pytest.raises(jobs.JobError, match=why) as caught:
        jobs.apply(database, manifest=MANIFEST)
    assert caught.value.code == "invalid-argument"
    assert caught.value.report["end"] == "failed"
    assert caught.value.report["error"]["message"] == why


def test_nothing_of_the_process_is_touched(
    database: sqlite3.Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    numbers = signal.SIGINT, signal.SIGTERM
    before = [signal.getsignal(number) for number in numbers]
    during = list[object]()

    def look() -> bool:
        during.append([signal.getsignal(number) for number in numbers])
        return False

    put(database, 3, OTHER.seal("x", HERE))
    jobs.apply(database, manifest=MANIFEST, stop=look)
    assert all(handlers == before for handlers in during)
    assert during
    assert capfd.readouterr() == ("", "")


def test_warnings_are_those_of_the_library(database: sqlite3.Connection, folder: Path) -> None:
    key = folder / "fernet"
    key.write_text("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=")
    key.chmod(0o644)
    codec = f'[codecs.tokens]\nkind = "fernet"\nkeys = ["file:{key}"]\n'
    manifest = reseal.Manifest.parse(CODECS + codec + COLUMN.replace('"app"', '"tokens"'))
    with pytest.warns(reseal.KeyFileWarning):
        jobs.apply(database, manifest=manifest)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jobs.verify(database, manifest=manifest)


# --- files ------------------------------------------------------------------------------------


def test_files(database: sqlite3.Connection, folder: Path) -> None:
    put(database, 3, OTHER.seal("x", HERE))
    listed, state = folder / "refused.jsonl", folder / "state"
    report = jobs.apply(
        database,
        manifest=MANIFEST,
        refused=listed,
        max_refused=0,
        checkpoint=state,
        batch=1,
    )
    assert report["end"] == "too-many-refused"
    [line] = [json.loads(line) for line in listed.read_text().splitlines()]
    assert (line["row_id"], line["code"]) == (["3"], "unknown-key")
    assert stored(database)[4] == PLAINTEXTS[4]
    put(database, 3, "078-05-0003")
    jobs.apply(database, manifest=MANIFEST, refused=listed, checkpoint=state)
    assert opened(database) == PLAINTEXTS
    tables = database.execute("SELECT name FROM sqlite_master").fetchall()
    assert ("reseal_jobs",) not in tables
    with pytest.raises(FileNotFoundError):
        jobs.verify(database, manifest=MANIFEST, refused="missing/list")
    jobs.apply(database, manifest=MANIFEST, checkpoint="none")
    assert not (folder / "none").exists()


# --- connections --------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["DEFERRED", "IMMEDIATE", None])
def test_a_connection_is_given_back_as_it_was(
    level: Literal["DEFERRED", "IMMEDIATE"] | None, folder: Path
) -> None:
    database = sqlite3.connect(folder / "b.db", isolation_level=level)
    database.row_factory = sqlite3.Row
    database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT)")
    database.execute("INSERT INTO users VALUES (1, 'a')")
    database.commit()
    unsuitable = reseal.Manifest.parse(CODECS + COLUMN.replace("users", "none"))
    for step in (
        lambda: jobs.apply(database, manifest=MANIFEST),
        lambda: refusal(lambda: jobs.apply(database, manifest=unsuitable)),
    ):
        step()
        assert database.isolation_level == level
        assert database.row_factory is sqlite3.Row
        assert not database.in_transaction
        database.execute("UPDATE users SET id = id")
        assert database.in_transaction == (level is not None)
        database.commit()
    database.close()


def test_a_connection_in_a_transaction_is_left_alone(database: sqlite3.Connection) -> None:
    database.execute("UPDATE users SET ssn = 'x' WHERE id = 1")
    error = refusal(lambda: jobs.apply(database, manifest=MANIFEST))
    assert (error.code, "transaction" in str(error)) == ("invalid-argument", True)
    assert database.in_transaction
    database.rollback()
    assert stored(database) == PLAINTEXTS


def test_engines_and_connections_of_sqlalchemy(database: sqlite3.Connection, folder: Path) -> None:
    engine = sqlalchemy.create_engine(f"sqlite:///{folder}/app.db")
    assert moved(jobs.plan(engine, manifest=MANIFEST)) == ROWS
    with engine.connect() as connection:
        assert moved(jobs.apply(connection, manifest=MANIFEST)) == ROWS
        assert not connection.in_transaction()
        count = connection.execute(sqlalchemy.text("SELECT COUNT(*) FROM users")).scalar()
        assert count == ROWS
    engine.dispose()
    assert opened(database) == PLAINTEXTS


def test_the_variable_names_the_database(
    database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = refusal(lambda: jobs.plan(manifest=MANIFEST))
    assert (error.code, "RESEAL_DATABASE_URL" in str(error)) == ("invalid-argument", True)
    monkeypatch.setenv("RESEAL_DATABASE_URL", "sqlite:///app.db")
    assert moved(jobs.plan(manifest=MANIFEST)) == ROWS


# --- errors -------------------------------------------------------------------------------------


def test_a_job_that_cannot_go_on_has_a_report(database: sqlite3.Connection) -> None:
    database.execute(
        # No constraint, which would be a matter of single rows: an overflow.
        "CREATE TRIGGER late BEFORE UPDATE ON users WHEN old.id > 6 "
        "BEGIN SELECT abs(-9223372036854775807 - 1); END"
    )
    with pytest.raises(jobs.JobError) as caught:
        jobs.apply(database, manifest=MANIFEST, batch=3)
    error = caught.value
    assert (error.code, error.report["end"], moved(error.report)) == (
        *("database-error", "failed"),
        6,
    )
    assert "078-05" not in f"{error} {error!r} {error.__cause__!r} {error.__context__!r}"
    assert error.report["error"] == {"code": error.code, "message": str(error)}
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.code, copy.report) == (jobs.JobError, error.code, error.report)
    assert not database.in_transaction
    database.execute("DROP TRIGGER late")
    assert moved(jobs.apply(database, manifest=MANIFEST)) == ROWS
    assert opened(database) == PLAINTEXTS


class Odd:
    """An object that no option is."""


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ({"batch": 0}, "invalid-argument", "batch"),
        ({"batch": "many"}, "invalid-argument", "batch"),
        ({"batch": True}, "invalid-argument", "batch is an integer, not bool"),
        ({"rate": -1}, "invalid-argument", "rate"),
        ({"rate": 2**70}, "invalid-argument", "rate"),
        ({"pause_ms": Odd()}, "invalid-argument", "pause_ms is an integer, not Odd"),
        ({"dry_run": 1}, "invalid-argument", "dry_run is True or False, not int"),
        ({"columns": "users.ssn"}, "invalid-argument", "columns is a list, not str"),
        ({"columns": ["users.name"]}, "invalid-argument", "users.name"),
        ({"columns": []}, "invalid-argument", "leave it out for all"),
        ({"columns": iter(())}, "invalid-argument", "leave it out for all"),
        ({"rows": [1]}, "invalid-argument", "repair"),
        ({"worker_lease": 30}, "invalid-argument", "several share"),
        ({"rows": [1.5], "repair": "keep"}, "invalid-argument", "not float"),
        ({"rows": [True], "repair": "keep"}, "invalid-argument", "not bool"),
        ({"repair": "mend", "rows": [1]}, "invalid-argument", "mend"),
        ({"refused": 7}, "invalid-argument", "refused is text"),
        ({"stop": 1}, "invalid-argument", "stop is a function, not int"),
        ({"on_event": "print"}, "invalid-argument", "on_event is a function, not str"),
        ({"checkpoint": b"x", "columns": [b"x"]}, "invalid-argument", "list of text"),
        ({"manifest": "missing.toml"}, "source-unreadable", "missing.toml"),
        ({"manifest": 7}, "invalid-argument", "manifest is text"),
        ({"database": 7}, "invalid-argument", "not builtins.int"),
        ({"database": "oracle://x/y"}, "invalid-argument", "oracle"),
        ({"database": "sqlite:///missing.db"}, "database-error", "missing.db"),
        ({"database": "postgresql://u:hunter2@127.0.0.1:1/app"}, "database-error", ""),
    ],
)
def test_what_cannot_be_done(
    options: dict[str, Any], code: str, message: str, database: sqlite3.Connection
) -> None:
    given: dict[str, Any] = {"database": database, "manifest": MANIFEST, **options}
    error = refusal(lambda: jobs.apply(**given))
    assert error.code == code
    assert message in str(error)
    assert "hunter2" not in repr(error)
    assert not isinstance(error, jobs.JobError)
    assert stored(database) == PLAINTEXTS


def test_a_missing_key_is_an_error_of_keys(
    database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RESEAL_PRIMARY_KEY")
    error = refusal(lambda: jobs.apply(database, manifest=MANIFEST))
    assert (type(error), error.code) == (reseal.KeyringError, "source-missing")
    assert jobs.census(database, manifest=MANIFEST)["end"] == "complete"


def test_a_connection_that_converts_values(folder: Path) -> None:
    """What is wrong with the connection of the caller is said in full."""
    database = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_DECLTYPES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, ssn DATE)")
        database.execute("INSERT INTO users VALUES (1, '2026-01-02')")
        database.commit()
        error = refusal(lambda: jobs.apply(database, manifest=MANIFEST))
    assert (error.code, "detect_types" in str(error)) == ("invalid-argument", True)
    assert not database.in_transaction
    database.close()


def test_a_manifest_keeps_its_text(folder: Path) -> None:
    assert MANIFEST._text == CODECS + COLUMN
    (folder / "reseal.toml").write_text(CODECS + COLUMN)
    assert reseal.Manifest.load()._text == CODECS + COLUMN
