"""Speed of the codecs: Fernet tokens through a column beside PyCA's own loop, and each codec by itself.

Rounds alternate between the ways, and a ratio is taken in each round before the median, so that a clock
that changes meanwhile changes both sides.

    python py-tests/bench/bench_codecs.py [--json FILE] [--values N] [--rounds N]

Prints a Markdown table; judges nothing.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import reseal
from bench_peers import measure
from cryptography.fernet import Fernet
from reseal import codecs

VALUES = 10_000
CONTEXT = {"table": "users", "column": "ssn"}
RING = reseal.Keyring(reseal.Key.generate("data"))
FERNET = Fernet.generate_key().decode()

FREEBOARD = base64.b64encode(os.urandom(32)).decode()
INSTANCE_KEY = "the instance key"
ROWS = [
    {
        "id": "bEc5AmLGiLrtdybl",
        "type": "data_encryption",
        "value": codecs.N8nDataKey.generate().wrap(INSTANCE_KEY),
        "algorithm": "aes-256-gcm",
        "status": "active",
    }
]

#: How a program makes each codec, once: it derives the keys.
MAKERS: dict[str, Callable[[], codecs.Codec]] = {
    "reseal": lambda: codecs.reseal(reseal.Keyring(reseal.Key.generate("data")), "before"),
    "plain": codecs.plain,
    "fernet": lambda: codecs.fernet(keys=[FERNET]),
    "django-fernet": lambda: codecs.django_fernet(secrets=["secret"], salts=["salt"]),
    "fernet-fields": lambda: codecs.fernet_fields(secrets=["secret"]),
    "django-cryptography": lambda: codecs.django_cryptography(secrets=["secret"]),
    "sqlalchemy-utils, AES": lambda: codecs.sqlalchemy_utils(keys=["key"], expect="json"),
    "sqlalchemy-utils, GCM": lambda: codecs.sqlalchemy_utils(keys=["key"], engine="aes-gcm"),
    "sqlalchemy-utils, Fernet": lambda: codecs.sqlalchemy_utils(keys=["key"], engine="fernet"),
    "sentry": lambda: codecs.sentry(keys={"key": FERNET}, primary="key"),
    "rails": lambda: codecs.rails(primary_keys=["key"], key_derivation_salt="salt"),
    "rails, deterministic": lambda: codecs.rails(
        deterministic_keys=["key"], key_derivation_salt="salt", deterministic=True
    ),
    "rails, MessagePack": lambda: codecs.rails(
        primary_keys=["key"], key_derivation_salt="salt", serializer="message_pack"
    ),
    "metabase": lambda: codecs.metabase(keys=["a secret of sixteen characters"]),
    "n8n, CBC": lambda: codecs.n8n(instance_keys=[INSTANCE_KEY], expect="json"),
    "n8n, GCM": lambda: codecs.n8n(instance_keys=[INSTANCE_KEY], rows=ROWS, write="prefixed"),
    "freeboard": lambda: codecs.freeboard(keys=[FREEBOARD]),
}

#: What stands in binary columns.
OF_BYTES = {"fernet-fields", "django-cryptography", "rails, MessagePack"}


def plaintexts(count: int) -> list[str]:
    """JSON documents, as credentials are; every format holds them."""
    return [json.dumps({"user": f"user-{number}", "password": "x" * 12}) for number in range(count)]


def fernet_rows(count: int, rounds: int) -> Any:
    """Opening tokens in a column, beside what a user of PyCA writes."""
    peer = Fernet(FERNET)
    tokens = [peer.encrypt(text.encode()).decode() for text in plaintexts(count)]
    column = reseal.Column(codecs.fernet(keys=[FERNET]), context=CONTEXT)
    rows = list(range(count))
    scope = {"peer": peer, "tokens": tokens, "column": column, "rows": rows}
    statements = {
        "column.open_many": "column.open_many(tokens)",
        "column.open_many with rows": "column.open_many(tokens, rows=rows)",
        "PyCA in a loop": "[peer.decrypt(token) for token in tokens]",
    }
    opened: list[Any] = column.open_many(tokens)
    if [item.value for item in opened] != [peer.decrypt(token).decode() for token in tokens]:
        raise RuntimeError("the two sides differ")
    times = measure(statements, scope, rounds)
    ours = times["column.open_many"]
    for way, own in times.items():
        yield {
            "operation": "open Fernet tokens",
            "way": way,
            "microseconds": statistics.median(own) / count * 1e6,
            "ratio": statistics.median(
                theirs / mine for mine, theirs in zip(ours, own, strict=True)
            ),
        }


def codec_rows(count: int, rounds: int) -> Any:
    """Opening a batch, and converting it to envelopes of this project."""
    scope: dict[str, Any] = {}
    statements: dict[str, dict[str, str]] = {"open": {}, "convert": {}}
    for at, (name, make) in enumerate(MAKERS.items()):
        codec = make()
        binary = name in OF_BYTES
        stored = [codec.seal(text, CONTEXT, binary=binary) for text in plaintexts(count)]
        column = reseal.Column(codecs.reseal(RING), [codec], CONTEXT, binary=binary)
        if not all(isinstance(item, reseal.Resealed) for item in column.reseal_many(stored)):
            raise RuntimeError(f"{name}: a value is not converted")
        scope[f"column{at}"], scope[f"stored{at}"] = column, stored
        statements["open"][name] = f"column{at}.open_many(stored{at})"
        statements["convert"][name] = f"column{at}.reseal_many(stored{at})"
    for operation, ways in statements.items():
        times = measure(ways, scope, rounds)
        for way, own in times.items():
            yield {
                "operation": operation,
                "way": way,
                "microseconds": statistics.median(own) / count * 1e6,
                "ratio": statistics.median(
                    theirs / mine for mine, theirs in zip(times["reseal"], own, strict=True)
                ),
            }


def build_rows(_: int, rounds: int) -> Any:
    """Making each codec, which is no part of the figures above."""
    ways = {name: f"makers[{name!r}]()" for name in MAKERS}
    times = measure(ways, {"makers": MAKERS}, rounds)
    for way, own in times.items():
        yield {
            "operation": "make the codec, once",
            "way": way,
            "microseconds": statistics.median(own) * 1e6,
            "ratio": statistics.median(
                theirs / mine for mine, theirs in zip(times["reseal"], own, strict=True)
            ),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", metavar="FILE", help="write the numbers there")
    parser.add_argument("--values", type=int, default=VALUES)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    print("| operation | way | µs per value | per second | time of it / time of the first way |")
    print("|---|---|---:|---:|---:|")
    line = "| {operation} | {way} | {microseconds:.2f} | {rate:,.0f} | {ratio:.2f} |"
    rows = []
    for group in (fernet_rows, codec_rows, build_rows):
        for row in group(options.values, options.rounds):
            print(line.format(rate=1e6 / row["microseconds"], **row), flush=True)
            rows.append(row)
    if options.json:
        Path(options.json).write_text(json.dumps({"rows": rows}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
