"""Speed of the Django fields beside plain columns of equal stored length, and django-fernet-encrypted-fields.

Three text columns in SQLite in memory, which costs least of all databases: on a server the share of the
fields is smaller. Rounds alternate, and a ratio is taken in each round before the median, as in
bench_peers.py.

    python py-tests/bench/bench_django.py [--json FILE] [--values N] [--rounds N]

Prints a Markdown table; judges nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from pathlib import Path
from typing import Any

import django
import reseal
from bench_peers import measure
from django.conf import settings

ROWS = 10_000
COLUMNS = ("a", "b", "c")
os.environ["RESEAL_PRIMARY_KEY"] = reseal.Key.generate("data").export()
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["reseal.django"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    SECRET_KEY="a secret key of Django",
    SALT_KEY="a salt",
)
django.setup()

from django.db import connection, models, transaction  # noqa: E402
from encrypted_fields.fields import EncryptedTextField as TheirTextField  # noqa: E402
from reseal.django import EncryptedTextField  # noqa: E402


def model(name: str, field: type[models.Field[Any, Any]]) -> Any:
    """A model with three columns of a field."""
    meta = type("Meta", (), {"app_label": "bench"})
    members = {"__module__": __name__, "Meta": meta, **{name: field() for name in COLUMNS}}
    return type(name, (models.Model,), members)


# The first one is what the others are compared with.
MODELS = {
    "plain columns": model("Plain", models.TextField),
    "reseal.django": model("Sealed", EncryptedTextField),
    "django-fernet-encrypted-fields": model("Tokens", TheirTextField),
}


def text(number: int) -> dict[str, str]:
    """The values of a row."""
    return {name: f"{name} of the row {number}" for name in COLUMNS}


def stored_text(number: int) -> dict[str, str]:
    """Values as long as those that Reseal stores for `text`."""
    return dict.fromkeys(COLUMNS, "x" * len(SEALED.seal(text(number)["a"])))


SEALED = reseal.Keyring.from_env().field({"table": "bench_sealed", "column": "a"})


def create(way: str, values: list[dict[str, str]]) -> None:
    """Inserts the rows, and takes them back."""
    kind = MODELS[way]
    with transaction.atomic():
        kind.objects.bulk_create([kind(**row) for row in values])
        transaction.set_rollback(True)


def read(way: str) -> None:
    """Reads all rows, and looks at no value."""
    list(MODELS[way].objects.all())


def touch(way: str) -> None:
    """Reads all rows with all their values."""
    for row in MODELS[way].objects.all():
        row.a, row.b, row.c  # noqa: B018


def rows_of(count: int, rounds: int) -> Any:
    """The table, row by row."""
    values = {way: [text(number) for number in range(count)] for way in MODELS}
    values["plain columns"] = [stored_text(number) for number in range(count)]
    with connection.schema_editor() as editor:
        for kind in MODELS.values():
            editor.create_model(kind)
    for way, kind in MODELS.items():
        kind.objects.bulk_create([kind(**row) for row in values[way]])
        if [row.b for row in kind.objects.order_by("id")] != [row["b"] for row in values[way]]:
            raise RuntimeError(f"{way}: another value is read")
    operations = {
        "read, untouched": "read({way!r})",
        "read, all values": "touch({way!r})",
        "bulk_create": "create({way!r}, values[{way!r}])",
    }
    scope = {"read": read, "touch": touch, "create": create, "values": values}
    for operation, statement in operations.items():
        ways = {way: statement.format(way=way) for way in MODELS}
        times = measure(ways, scope, rounds)
        for way, own in times.items():
            pairs = zip(own, times["plain columns"], strict=True)
            yield {
                "operation": operation,
                "way": way,
                "microseconds": statistics.median(own) / count * 1e6,
                "ratio": statistics.median(mine / plain for mine, plain in pairs),
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", metavar="FILE", help="write the numbers there")
    parser.add_argument("--values", type=int, default=ROWS, help="rows of each table")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    print("| operation | way | µs per row | time of it / time of plain columns |")
    print("|---|---|---:|---:|")
    rows = []
    for row in rows_of(options.values, options.rounds):
        print(
            "| {operation} | {way} | {microseconds:.2f} | {ratio:.2f} |".format(**row), flush=True
        )
        rows.append(row)
    if options.json:
        Path(options.json).write_text(json.dumps({"rows": rows}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
