"""What a database refuses a job: it says so, leaves no batch in part, and goes on when that is mended."""

from __future__ import annotations

import json
import re
import resource
import signal
from collections.abc import Iterator

import pytest
import reseal
from cli_support import COMMANDS, Ended
from job_support import HERE, RING, Place, column, each, of_servers, of_sqlite, on, total
from job_writers import Running, transaction

ROWS = 100
TEXTS = [f"secret {number}" for number in range(1, ROWS + 1)]
PASSWORD = "hunter2-wrong"
#: A port that nobody listens on, and no server takes meanwhile.
NOBODY = 1


def opened(place: Place) -> tuple[list[str], int]:
    """All values, and how many of them are sealed."""
    values: list[str] = place.stored()
    sealed = [value for value in values if value.startswith("rs1.")]
    texts = [RING.open_str(it, HERE) if it.startswith("rs1.") else it for it in values]
    return texts, len(sealed)


def failed(place: Place, *arguments: str, code: int = 4) -> Ended:
    """The command after a failure, which leaves all values as they can be read."""
    ended = place.run("apply", *arguments, code=code)
    assert opened(place)[0] == TEXTS
    assert "secret" not in ended.out + ended.err
    assert "nothing is left" not in ended.out
    return ended


def refused(place: Place) -> set[tuple[str, str]]:
    """Row ids and codes in the file of `--refused`."""
    lines = (place.folder / "refused.jsonl").read_text().splitlines()
    return {("".join(one["row_id"]), one["code"]) for one in map(json.loads, lines)}


def mended(place: Place, *arguments: str) -> None:
    """The same command completes."""
    assert "resealed" in place.run("apply", *arguments).out
    assert opened(place) == (TEXTS, ROWS)


@of_servers
def test_a_server_that_cannot_be_reached(filled: Place) -> None:
    head, at, database = re.fullmatch(r"(.*:)[^:]*(@[^/]*/)(.*)", filled.url).groups()  # type: ignore[union-attr]
    urls = {
        "port": re.sub(r":\d+/", f":{NOBODY}/", f"{head}{PASSWORD}{at}{database}"),
        "password": f"{head}{PASSWORD}{at}{database}",
        "host": f"{head}{PASSWORD}@nowhere.invalid/{database}",
        "database": filled.url.rpartition("/")[0] + "/missing",
    }
    for what, url in urls.items():
        ended = failed(filled, "--db", url)
        assert "[database-error]" in ended.err, what
        assert PASSWORD not in ended.out + ended.err
    mended(filled)


@of_sqlite
def test_a_file_that_is_no_database(filled: Place) -> None:
    (filled.folder / "text").write_text("no database" * 1000)
    for url in ("sqlite:///missing.db", "sqlite:///text", f"sqlite:///{filled.folder}"):
        assert "[database-error]" in failed(filled, "--db", url).err
    mended(filled)


class User:
    """A user of a server with no rights but those it is given."""

    def __init__(self, place: Place) -> None:
        self.place = place
        name = place.url.rpartition("/")[2]
        self.name = f"little_{name}"
        if place.kind == "postgresql":
            place.do(f"CREATE USER {self.name} PASSWORD '{PASSWORD}'")
            self.grantee = self.name
        else:
            self.grantee = f"'{self.name}'@'%'"
            place.do(f"CREATE USER {self.grantee} IDENTIFIED BY '{PASSWORD}'")
        self.url = re.sub(r"//.*@", f"//{self.name}:{PASSWORD}@", place.url)

    def may(self, *rights: str) -> None:
        """Give rights."""
        for right in rights:
            self.place.do(f"GRANT {right} TO {self.grantee}")

    def drop(self) -> None:
        """Take it away."""
        if self.place.kind == "postgresql":
            self.place.do(f"DROP OWNED BY {self.grantee}")
        self.place.do(f"DROP USER {self.grantee}")


@pytest.fixture
def user(filled: Place) -> Iterator[User]:
    user = User(filled)
    yield user
    user.drop()


@of_servers
def test_a_user_with_few_rights(user: User) -> None:
    place, login = user.place, ("--db", user.url)
    user.may("SELECT ON users")
    ended = failed(place, *login)
    assert "reseal_jobs" in ended.err
    assert "checkpoint" in ended.err
    assert "the user may not do this here" in failed(place, *login, "--checkpoint", "state").err
    assert opened(place)[1] == 0
    place.run("census", *login)
    # It may not make the table, and needs not.
    user.may("UPDATE (ssn) ON users")
    mended(place, *login, "--checkpoint", "state")
    # One that is there is used.
    place.do("UPDATE users SET ssn = %s WHERE id = 1", TEXTS[0])
    place.run("apply", "--column", "users.ssn")
    place.do("UPDATE users SET ssn = %s WHERE id = 1", TEXTS[0])
    user.may("SELECT, INSERT, UPDATE ON reseal_jobs")
    mended(place, *login)


@on("postgresql")
def test_a_user_from_whom_rows_are_hidden(user: User) -> None:
    """What it sees is not all there is, so that nothing it counts is a proof."""
    place, login = user.place, ("--db", user.url)
    user.may("SELECT, UPDATE ON users", "CREATE ON SCHEMA public")
    place.do("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    place.do("CREATE POLICY half ON users USING (id % 2 = 0)")
    for line in (["census"], ["verify"], ["apply"], ["retire", "plain"]):
        ended = place.run(*line, *login, code=2)
        assert "row-level security hides rows from this user" in ended.err, line
        assert "[column-unsuitable]" in ended.err
    assert opened(place)[1] == 0
    place.do(f"ALTER USER {user.name} BYPASSRLS")
    mended(place, *login)


#: What refuses the values of one row, and how that is mended.
REFUSALS: dict[str, dict[str, tuple[list[str], list[str]]]] = {
    "trigger": {
        "postgresql": (
            [
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN IF NEW.id = 50 THEN RAISE 'no % here', NEW.ssn; END IF; RETURN NEW; END $$",
                "CREATE TRIGGER refusal BEFORE UPDATE ON users"
                " FOR EACH ROW EXECUTE FUNCTION refuse()",
            ],
            ["DROP TRIGGER refusal ON users"],
        ),
        "mysql": (
            [
                "CREATE TRIGGER refusal BEFORE UPDATE ON users FOR EACH ROW BEGIN"
                " IF NEW.id = 50 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no secret here';"
                " END IF; END"
            ],
            ["DROP TRIGGER refusal"],
        ),
        "sqlite": (
            [
                "CREATE TRIGGER refusal BEFORE UPDATE ON users WHEN NEW.id = 50"
                " BEGIN SELECT RAISE(ABORT, 'no secret here'); END"
            ],
            ["DROP TRIGGER refusal"],
        ),
    },
    "check": {
        "postgresql": (
            ["ALTER TABLE users ADD CONSTRAINT short CHECK (id <> 50 OR length(ssn) < 50)"],
            ["ALTER TABLE users DROP CONSTRAINT short"],
        ),
        "mysql": (
            ["ALTER TABLE users ADD CONSTRAINT short CHECK (id <> 50 OR length(ssn) < 50)"],
            ["ALTER TABLE users DROP CONSTRAINT short"],
        ),
        "sqlite": (
            [
                "ALTER TABLE users RENAME TO people",
                "CREATE TABLE users (id integer PRIMARY KEY, ssn text,"
                " CHECK (id <> 50 OR length(ssn) < 50))",
                "INSERT INTO users SELECT * FROM people",
            ],
            ["DROP TABLE users", "ALTER TABLE people RENAME TO users"],
        ),
    },
}
REFUSED = [
    (kind, command, what) for what, of in REFUSALS.items() for kind in of for command in COMMANDS
]


@pytest.mark.parametrize(
    ("place", "what"),
    [((kind, command), what) for kind, command, what in REFUSED],
    indirect=["place"],
    ids=["-".join(one) for one in REFUSED],
)
def test_a_value_that_the_table_refuses(filled: Place, what: str) -> None:
    before, after = REFUSALS[what][filled.kind]
    for statement in before:
        filled.do(statement)
    # Of the batch, that row stays alone; and so it does where all other rows are current.
    for _ in range(2):
        ended = failed(filled, "--batch", "20", "--refused", "refused.jsonl", code=1)
        assert "1  refused: constraint-violated" in ended.out
        assert opened(filled)[1] == ROWS - 1
        assert refused(filled) == {("50", "constraint-violated")}
    # What is sealed already stays so in the table that is put in place of the other.
    if filled.kind == "sqlite" and what == "check":
        filled.do("UPDATE people SET ssn = (SELECT ssn FROM users WHERE users.id = people.id)")
    for statement in after:
        filled.do(statement)
    mended(filled, "--batch", "20")


@each
def test_a_constraint_keeps_no_other_column_as_it_is(place: Place) -> None:
    text = place.type("text")
    check = "CHECK (id % 10 > 0 OR length(name) < 20)"
    place.do(
        f"CREATE TABLE users (id integer PRIMARY KEY, ssn {text}, name {text}, mail {text}, {check})"
    )
    rows = [{"id": n, "ssn": f"s{n}", "name": f"n{n}", "mail": f"m{n}"} for n in range(1, ROWS + 1)]
    place.insert("users", rows)
    place.describe(*(column(name=name) for name in ("ssn", "name", "mail")))
    for _ in range(2):
        report = place.report("apply", "--batch", "20", "--refused", "refused.jsonl", code=1)
        last = [it["passes"][-1] for it in report["columns"]]
        assert [it["current"] for it in last] == [ROWS, ROWS - 10, ROWS]
        assert last[1]["refused"] == {"constraint-violated": 10}
        lines = (place.folder / "refused.jsonl").read_text().splitlines()
        listed = [json.loads(line) for line in lines]
        wanted = [(str(n), "name") for n in range(10, ROWS + 1, 10)]
        for number in range(1, len(report["columns"][1]["passes"]) + 1):
            of_pass = [(it["row_id"][0], it["column"]) for it in listed if it["pass"] == number]
            assert sorted(of_pass, key=lambda it: int(it[0])) == wanted
    assert place.stored("name")[9] == "n10"


@each
def test_a_table_that_takes_no_sealed_value(filled: Place) -> None:
    """That is no matter of single rows: one would be told of each."""
    check = "CHECK (length(ssn) < 50)"
    if filled.kind == "sqlite":
        filled.do("ALTER TABLE users RENAME TO people")
        filled.do(f"CREATE TABLE users (id integer PRIMARY KEY, ssn text, {check})")
        filled.do("INSERT INTO users SELECT * FROM people")
    else:
        filled.do(f"ALTER TABLE users ADD CONSTRAINT short {check}")
    ended = failed(filled)
    assert {"postgresql": "(23514)", "mysql": "(4025)", "sqlite": "(275)"}[filled.kind] in ended.err
    assert "does a check, a foreign key or a trigger speak of a sealed column?" in ended.err
    assert "the same command goes on from there" in ended.err
    assert opened(filled)[1] == 0
    if filled.kind == "sqlite":
        filled.do("DROP TABLE users")
        filled.do("ALTER TABLE people RENAME TO users")
    else:
        filled.do("ALTER TABLE users DROP CONSTRAINT short")
    mended(filled)


@each
def test_two_rows_that_would_have_one_value(place: Place) -> None:
    """A key that was rotated half: one person is there under each key."""
    place.do("CREATE TABLE users (id integer PRIMARY KEY, ssn varchar(200) UNIQUE)")
    old, new = reseal.Key.generate("data"), reseal.Key.generate("data")
    before = reseal.Keyring(primary=old, decrypt_only=[new])
    after = reseal.Keyring(primary=new, decrypt_only=[old])
    values = [before.seal(text, HERE, "deterministic") for text in TEXTS]
    values += [after.seal(TEXTS[2], HERE, "deterministic")]
    place.insert("users", [{"id": at, "ssn": value} for at, value in enumerate(values, 1)])
    place.describe(column(mode="deterministic"))
    place.env |= {"RESEAL_PRIMARY_KEY": new.export(), "RESEAL_DECRYPT_KEYS": old.export()}
    ended = place.run("apply", "--batch", "20", "--refused", "refused.jsonl", code=1)
    assert "1  refused: duplicate-value" in ended.out
    assert refused(place) == {("3", "duplicate-value")}
    stored = place.stored()
    assert [reseal.inspect(it).key_id == new.id for it in stored] == [
        at != 2 for at in range(ROWS + 1)
    ]
    # Somebody decides which of the two stays.
    place.do("DELETE FROM users WHERE id = 101")
    place.run("apply")
    assert after.open_str(place.stored()[2], HERE) == TEXTS[2]


@on("postgresql")
def test_a_constraint_that_waits_for_the_end_of_the_transaction(filled: Place) -> None:
    filled.do(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF NEW.id = 50 THEN RAISE 'no % here', NEW.ssn; END IF; RETURN NEW; END $$"
    )
    filled.do(
        "CREATE CONSTRAINT TRIGGER refusal AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    ended = failed(filled, "--batch", "20", code=1)
    assert "1  refused: constraint-violated" in ended.out
    assert opened(filled)[1] == ROWS - 1
    filled.do("DROP TRIGGER refusal ON users")
    mended(filled)


@of_servers
def test_a_column_that_is_too_short(filled: Place) -> None:
    alter = "ALTER TABLE users " + ("MODIFY ssn" if filled.kind == "mysql" else "ALTER ssn TYPE")
    filled.do(f"{alter} varchar(50)")
    ended = failed(filled, code=1)
    assert f"{ROWS}  refused: column-unsuitable" in ended.out
    assert opened(filled)[1] == 0
    filled.do(f"{alter} {filled.type('text')}")
    mended(filled)


@of_sqlite
def test_a_disk_that_is_full(filled: Place) -> None:
    filled.run("plan")
    limit = (filled.folder / "app.db").stat().st_size + 8192

    def confine() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    with Running(filled, "apply", "--batch", "20", preexec_fn=confine) as job:
        ended = job.end(4)
    assert "[database-error]" in ended.err
    assert "the same command goes on from there" in ended.err
    texts, done = opened(filled)
    assert texts == TEXTS
    assert done < ROWS
    assert done % 20 == 0
    mended(filled, "--batch", "20")


@each
def test_a_lock_that_nobody_gives_back(filled: Place) -> None:
    filled.run("apply", "--dry-run")
    with transaction(filled) as application:
        application.do("UPDATE users SET ssn = ssn WHERE id = 50")
        ended = failed(filled, "--checkpoint", "state", "--statement-timeout", "300")
    why = "another transaction held a lock for too long" if filled.kind == "sqlite" else "longer"
    assert why in ended.err
    assert "the same command goes on from there" in ended.err
    # Batches became smaller, down to the row that is locked.
    assert opened(filled)[1] == (0 if filled.kind == "sqlite" else 49)
    mended(filled, "--checkpoint", "state")


@on("mysql")
def test_rows_that_are_larger_together_than_a_packet(place: Place) -> None:
    """Batches become smaller until the server takes them."""
    place.do("CREATE TABLE users (id integer PRIMARY KEY, ssn longblob)")
    [[most]] = place.do("SELECT @@max_allowed_packet")
    values = [bytes([n]) * (most // 16) for n in range(20)]
    for n, value in enumerate(values):
        place.insert("users", [{"id": n, "ssn": value}])
    place.describe(column(type="bytes"))
    assert total(place.report("apply"))["resealed"] == len(values)
    assert [RING.open_binary(stored, HERE) for stored in place.stored()] == values
