"""Makes the tables of a Rails application and fills them as it did over the years: plaintext from before
encryption, rows of the 7.0 defaults, and rows of today. Some are real ones, written by Rails itself.

fill.py          makes the tables
fill.py late     adds what a process writes that still has the old key
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import rails

sys.path.append(str(Path(__file__).resolve().parents[1]))
import guide

REAL = Path(__file__).resolve().parents[3] / "spec/vectors/rails/public.json"
TABLES = """
    CREATE TABLE users (
        id bigserial PRIMARY KEY,
        email varchar(510) UNIQUE,
        name varchar(510),
        updated_at timestamp(6) NOT NULL DEFAULT now()
    );
    CREATE TABLE credentials (
        id bigserial PRIMARY KEY,
        user_id bigint NOT NULL REFERENCES users (id),
        value text
    );
"""
#: Attributes, and whether they are deterministic: `encrypts :email, deterministic: true`.
ATTRIBUTES = {"users.email": True, "users.name": False, "credentials.value": False}
#: Rows from before the application encrypted anything.
PLAIN_USERS, PLAIN_CREDENTIALS = 60, 30
#: What Rails wrote in the tests of its format: attribute, row, and the name of the case.
REAL_ROWS = [
    ("users.email", 101, "rails-pub-03"),
    ("users.email", 102, "rails-pub-06"),
    ("users.email", 103, "rails-pub-23"),
    ("users.name", 101, "rails-pub-01"),
    ("users.name", 102, "rails-pub-02"),
    ("users.name", 103, "rails-pub-05"),
    ("users.name", 104, "rails-pub-07"),
    ("credentials.value", 51, "rails-pub-04"),
    ("credentials.value", 52, "rails-pub-09"),
    ("credentials.value", 53, "rails-pub-15"),
]


def user(row: int) -> dict[str, str | None]:
    names = [f"Person {row}", "", "Žluťoučký Kůň 🐴", f"{row} von und zu " * 12]
    return {
        "users.email": None if row % 17 == 0 else f"person{row}@example.com",
        "users.name": None if row % 13 == 0 else names[row % len(names)],
    }


def credential(row: int) -> dict[str, str | None]:
    values = [json.dumps({"token": f"t-{row:08}"}), "", f"-----BEGIN KEY-----\n{row:064}\n" * 40]
    return {"credentials.value": None if row % 7 == 0 else values[row % len(values)]}


def main(late: bool) -> None:
    # Only the old keys: variables of a rotation may be left from a walk that was broken off.
    primary = rails.keys_of("PRIMARY_KEY", ["sha256", "sha1"], ends=[""])
    lookup = rails.keys_of("DETERMINISTIC_KEY", ends=[""])[0]
    known: guide.Known = json.loads(guide.KNOWN.read_text()) if late else {}
    for name in ATTRIBUTES:
        known.setdefault(name, {})
    stored: dict[str, dict[int, str | None]] = {name: {} for name in ATTRIBUTES}

    def attribute(name: str, row: int, text: str | None, *, plain: bool) -> None:
        # With the defaults of Rails 7.0, what is not deterministic was under SHA-1.
        key = lookup if ATTRIBUTES[name] else primary[-1 if row % 5 == 0 and not late else 0]
        known[name][str(row)] = text
        keep = text is None or plain
        stored[name][row] = text if keep else rails.write(text, key, deterministic=ATTRIBUTES[name])

    first = 1 + len(known["users.email"])
    for row in range(first, first + 3) if late else range(1, 241):
        for name, text in user(row).items():
            attribute(name, row, text, plain=row <= PLAIN_USERS)
    first = 1 + len(known["credentials.value"])
    for row in range(first, first + 2) if late else range(1, 121):
        for name, text in credential(row).items():
            attribute(name, row, text, plain=row <= PLAIN_CREDENTIALS)
    for name, row, case in [] if late else REAL_ROWS:
        known[name][str(row)], stored[name][row] = real(case)
    insert(stored, make=not late)
    guide.note(known)


def real(case: str) -> tuple[str, str]:
    """The plaintext and the column of a value that Rails wrote."""
    cases: list[dict[str, Any]] = json.loads(REAL.read_text(encoding="utf-8"))["vectors"]
    found = next(one for one in cases if one["id"] == case)
    return found["plaintext"]["value"], found["ciphertext"]["value"]


def insert(stored: dict[str, dict[int, str | None]], *, make: bool) -> None:
    users = [
        (email, stored["users.name"][row]) for row, email in sorted(stored["users.email"].items())
    ]
    credentials = [
        (row % 40 + 1, value) for row, value in sorted(stored["credentials.value"].items())
    ]
    with guide.connect() as db, db.cursor() as cursor:
        if make:
            cursor.execute(TABLES)
        cursor.executemany("INSERT INTO users (email, name) VALUES (%s, %s)", users)
        cursor.executemany("INSERT INTO credentials (user_id, value) VALUES (%s, %s)", credentials)


if __name__ == "__main__":
    main(sys.argv[1:] == ["late"])
