"""Values that an application changes between the read of a job and its write: nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest
import reseal
from cli_support import DATA, OLD
from job_support import Json, Place, column, each, total
from job_writers import Running, transaction

NEW, FORMER = reseal.Keyring(DATA), reseal.Keyring(OLD)
#: Types of columns, and what they take for equal that is not the same.
COLUMNS = {
    "postgresql": {
        "exact": "text",
        "padded": "char(400)",
        "folded": "citext",
        "alike": "text COLLATE alike",
        "raw": "bytea",
    },
    "mysql": {
        "exact": "varchar(400) COLLATE utf8mb4_bin",
        "padded": "char(250) CHARACTER SET latin1 COLLATE latin1_swedish_ci",
        "folded": "varchar(400) COLLATE utf8mb4_general_ci",
        "alike": "text COLLATE utf8mb4_unicode_ci",
        "raw": "varbinary(400)",
    },
    "sqlite": {
        "exact": "text",
        "padded": "text COLLATE RTRIM",
        "folded": "text COLLATE NOCASE",
        "alike": "varchar(400)",
        "raw": "blob",
    },
}
#: An application's change: what stands there before, and then; None for NULL.
CHANGES = {
    "case": ("Value", "vALUE"),
    "space": ("Value", "Value "),
    "accent": ("Value", "Valué"),
    "null": ("Value", None),
    "envelope": ("sealed with the former key", "sealed anew with the former key"),
    "current": ("Value", "sealed already"),
}
#: The first batch has them all.
FIRST_ROWS = 32
#: Columns that are bound to a value: their types, and what an application makes of what there is.
BOUND = {
    "number": ("integer", 1, 2),
    "exact": ("varchar(40)", "a", "b"),
    "case": ("varchar(40)", "a", "A"),
    "space": ("varchar(40)", "a", "a "),
    "raw": ("bytes", b"a", b"b"),
    "at": ("timestamp", "2001-02-03 04:05:06", "2001-02-03 04:05:07"),
    "amount": ("decimal(9, 2)", "1.50", "1.51"),
    "none": ("varchar(40)", "a", None),
}
MORE_ROWS = 100
GONE = 1


@pytest.fixture
def place(place: Place) -> Place:
    """With the types of the columns."""
    place.env["RESEAL_DECRYPT_KEYS"] = OLD.export()
    if place.kind == "postgresql":
        place.do("CREATE EXTENSION citext")
        options = "provider = icu, locale = 'und-u-ks-level1', deterministic = false"
        place.do(f"CREATE COLLATION alike ({options})")
    return place


def stored(name: str, change: str, text: str | None) -> str | bytes | None:
    """What an application stores."""
    if text is None:
        return None
    former = change == "envelope"
    if not former and text != "sealed already":
        return text.encode() if name == "raw" else text
    ring, here = FORMER if former else NEW, {"table": "users", "column": name}
    return ring.seal_binary(text, here) if name == "raw" else ring.seal(text, here)


def opened(name: str, value: Any) -> str | None:
    """What a value opens to that is under the primary key."""
    if value is None:
        return None
    here = {"table": "users", "column": name}
    if isinstance(value, str):
        # The type char(n) of PostgreSQL fills up with spaces.
        return NEW.open_str(value.rstrip(), here)
    return NEW.open_binary(bytes(value), here).decode()


class Table:
    """A table of many columns: in each of the first rows an application changes one of them."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.types = COLUMNS[place.kind]
        cells = ", ".join(f"{name} {of}" for name, of in self.types.items())
        place.do(f"CREATE TABLE users (id integer PRIMARY KEY, {cells})")
        place.describe(*(column(name=name) for name in self.types))
        # What is to be begun makes the table of checkpoints, which a lock would keep it from.
        place.run("apply")
        pairs = [(name, change) for name in self.types for change in CHANGES]
        self.changed = dict(enumerate(pairs, GONE + 1))
        assert len(self.changed) + GONE <= FIRST_ROWS
        rows = range(1, MORE_ROWS + 1)
        place.insert("users", [{"id": row} | self.row(row) for row in rows])
        self.expected: dict[tuple[int, str], str | None] = {
            (row, name): self.first(row, name)[1] for row in rows for name in self.types
        }

    def first(self, row: int, name: str) -> tuple[str, str]:
        """The change that a value is of, and its text before."""
        of, change = self.changed.get(row, ("", "case"))
        return (change, CHANGES[change][0]) if of == name else ("case", "Value")

    def row(self, row: int) -> Json:
        return {name: stored(name, *self.first(row, name)) for name in self.types}

    def change(self, application: Place) -> None:
        """Change what an application changes."""
        application.do(f"DELETE FROM users WHERE id <= {GONE}")
        for name in self.types:
            del self.expected[GONE, name]
        for row, (name, change) in self.changed.items():
            text = CHANGES[change][1]
            value = stored(name, change, text)
            application.do(f"UPDATE users SET {name} = %s WHERE id = {row}", value)
            # The type itself keeps no space at the end.
            is_cut = self.types[name].startswith("char")
            self.expected[row, name] = text.rstrip() if is_cut and text else text

    def opened(self) -> dict[tuple[int, str], str | None]:
        """What there is in the end."""
        names = ", ".join(self.types)
        return {
            (row, name): opened(name, value)
            for row, *values in self.place.do(f"SELECT id, {names} FROM users")
            for name, value in zip(self.types, values, strict=True)
        }


@each
def test_what_changes_between_read_and_write_is_kept(place: Place) -> None:
    table = Table(place)
    with transaction(place) as application:
        table.change(application)
        job = Running(place, "apply", "--json")
        # It has read the old values, and cannot write.
        job.until(job.waits_for_lock)
    report = job.report()
    assert table.opened() == table.expected
    raced = {GONE + len(table.changed) - unseen(table)}
    assert {total(report, n).get("raced") for n in range(len(table.types))} == raced
    assert {total(report, n).get("gone") for n in range(len(table.types))} == {GONE}
    assert {total(report, n).get("left") for n in range(len(table.types))} == {None}
    assert "resealed" not in total(place.report("apply"))


def unseen(table: Table) -> int:
    """Changes that are none, since the type keeps no space at the end."""
    is_cut = {name for name, of in table.types.items() if of.startswith("char")}
    return sum(name in is_cut and change == "space" for name, change in table.changed.values())


@each
def test_what_is_bound_and_changes_between_read_and_write_is_bound_as_it_is_then(
    place: Place,
) -> None:
    types = {name: of for name, (of, *_) in BOUND.items()}
    types |= {"raw": "varbinary(40)" if place.kind == "mysql" else place.type("bytes")}
    if place.kind == "sqlite":
        # A float is bound to nothing.
        types |= {"amount": "text"}
    columns = [f"b_{name} {of} NULL" for name, of in types.items()]
    sealed = [f"s_{name} {place.type('text')}" for name in types]
    place.do(f"CREATE TABLE users (id integer PRIMARY KEY, {', '.join(columns + sealed)})")
    place.describe(
        *(column(name=f"s_{name}", context={"of": {"column": f"b_{name}"}}) for name in types)
    )
    place.run("apply")
    before = {f"b_{name}": was for name, (_, was, _) in BOUND.items()}
    texts = {f"s_{name}": f"of {name}" for name in types}
    place.insert("users", [{"id": row} | before | texts for row in range(FIRST_ROWS)])
    with transaction(place) as application:
        for row, (name, (_, _, now)) in enumerate(BOUND.items()):
            application.do(f"UPDATE users SET b_{name} = %s WHERE id = {row}", now)
        job = Running(place, "apply", "--json")
        job.until(job.waits_for_lock)
    # What has nothing that could be bound to it is refused, and stays.
    report = job.report(code=1)
    for at, name in enumerate(types):
        counts = total(report, at)
        expected = {"resealed": FIRST_ROWS - (name == "none"), "left": None, "raced": len(types)}
        assert {part: counts.get(part) for part in expected} == expected, name
    opens = place.report("verify", code=1)
    for at, name in enumerate(types):
        assert total(opens, at)["found"] == FIRST_ROWS - (name == "none"), name
