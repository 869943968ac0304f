"""The Python service of the demo: seal, check, reseal. Prints one line of JSON."""

from __future__ import annotations

import json
import sqlite3
import sys

import reseal

MODES = {
    "email": "deterministic",
    "phone": "random",
    "ssn": "random",
    "birth_date": "random",
    "balance": "random",
    "notes": "padded",
    "avatar": "random",
}
ring = reseal.Keyring.from_env()
fields = {
    column: ring.field({"table": "customers", "column": column}, mode=mode)
    for column, mode in MODES.items()
}


def row_of(column: str, row: int) -> dict[str, int]:
    """What a value is bound to besides table and column: `email` must be found in any row."""
    return {} if column == "email" else {"row": row}


def customer(row: int) -> dict[str, str | bytes]:
    """The plaintext of one row, made up by a rule that both services know."""
    return {
        "email": f"customer{row}@example.com",
        "phone": f"+44 20 7946 {row % 10000:04d}",
        "ssn": f"{row % 900 + 100:03d}-{row % 89 + 10:02d}-{row % 10000:04d}",
        "birth_date": f"{1940 + row % 60}-{row % 12 + 1:02d}-{row % 28 + 1:02d}",
        "balance": f"{row * 7919 % 1000000 - 500000}.{row % 100:02d}",
        "notes": "prefers letters 📮 " * (row % 5),
        "avatar": bytes((row * 31 + i) % 256 for i in range(64)),
    }


def phone_terms(phone: str) -> list[str]:
    return fields["phone"].index_terms(phone, index="phone_eq", normalizer="digits", bits=64)


def seal(db: sqlite3.Connection, first: int, last: int) -> dict[str, int]:
    rows = list(range(first, last + 1))
    customers = [customer(row) for row in rows]
    sealed: dict[str, list[str | bytes]] = {}
    for column, field in fields.items():
        values = [customer[column] for customer in customers]
        contexts = [row_of(column, row) for row in rows]
        many = field.seal_many_binary if column == "avatar" else field.seal_many
        sealed[column] = [raise_or(value) for value in many(values, contexts=contexts)]
    terms = [phone_terms(str(customer["phone"]))[0] for customer in customers]
    with db:
        db.executemany(
            f"INSERT INTO customers (id, phone_index, {', '.join(fields)}) VALUES (?, ?{', ?' * len(fields)})",
            zip(rows, terms, *sealed.values(), strict=True),
        )
    return {"rows": len(rows), "values": len(rows) * len(fields)}


def raise_or(item: str | bytes | reseal.ResealError) -> str | bytes:
    """A batch gives an error in the place of a bad value; here there must be none."""
    if isinstance(item, reseal.ResealError):
        raise item
    return item


def open_value(column: str, stored: str | bytes, row: int) -> str | bytes:
    field = fields[column]
    if isinstance(stored, bytes):
        return field.open_binary(stored, **row_of(column, row))
    return field.open_str(stored, **row_of(column, row))


def check(db: sqlite3.Connection) -> dict[str, int]:
    """Opens every value, compares it, and finds each customer by e-mail and by phone."""
    values = wrong = found = rows = 0
    for row, *stored in db.execute(f"SELECT id, {', '.join(fields)} FROM customers").fetchall():
        expected = customer(row)
        rows += 1
        for column, value in zip(fields, stored, strict=True):
            values += 1
            wrong += open_value(column, value, row) != expected[column]
        if row % 50 == 0:
            emails = fields["email"].lookup_values(expected["email"])
            phones = phone_terms(str(expected["phone"]).replace(" ", "-"))
            found += find(db, "email", emails, row) and find(db, "phone_index", phones, row)
    return {"rows": rows, "values": values, "wrong": wrong, "found": found, "sought": rows // 50}


def find(db: sqlite3.Connection, column: str, wanted: list[str], row: int) -> bool:
    marks = ", ".join("?" * len(wanted))
    hits = db.execute(f"SELECT id FROM customers WHERE {column} IN ({marks})", wanted).fetchall()
    return (row,) in hits


def reseal_rows(db: sqlite3.Connection, remainder: int) -> dict[str, int]:
    """Reseals every second row; a value that changed meanwhile is not overwritten."""
    resealed = raced = 0
    rows = db.execute(
        f"SELECT id, {', '.join(fields)} FROM customers WHERE id % 2 = ?", [remainder]
    ).fetchall()
    for row, *stored in rows:
        with db:
            for column, old in zip(fields, stored, strict=True):
                field = fields[column]
                again = field.reseal_binary if column == "avatar" else field.reseal
                new = again(old, **row_of(column, row))
                if new == old:
                    continue
                written = db.execute(
                    f"UPDATE customers SET {column} = ? WHERE id = ? AND {column} = ?",
                    [new, row, old],
                ).rowcount
                resealed += written
                raced += 1 - written
            term = phone_terms(str(customer(row)["phone"]))[0]
            db.execute("UPDATE customers SET phone_index = ? WHERE id = ?", [term, row])
    return {"resealed": resealed, "raced": raced}


def refuse(db: sqlite3.Connection) -> dict[str, str]:
    """Opens the sealed number of row 1 as if it stood in row 2."""
    [stored] = db.execute("SELECT ssn FROM customers WHERE id = 1").fetchone()
    try:
        open_value("ssn", stored, 2)
    except reseal.DecryptError as error:
        return {"code": error.code}
    return {"code": "opened"}


def main(command: str, path: str, *arguments: str) -> None:
    db = sqlite3.connect(path, timeout=60)
    commands = {"seal": seal, "check": check, "reseal": reseal_rows, "refuse": refuse}
    print(json.dumps(commands[command](db, *map(int, arguments))))


main(*sys.argv[1:])
