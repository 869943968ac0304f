"""What keysets cost: to load one of 100 keys, and to seal through a ring that follows one.

The peers of loading are the same ring from 100 key texts, and an encrypted keyset of 100 keys of Tink
where that is installed. The peer of a live ring is a plain one with the same keys. Rounds alternate,
and a ratio is taken in each round before the median, as in bench_peers.py.

    python py-tests/bench/bench_keysets.py [--json FILE] [--rounds N]

Prints a Markdown table; judges nothing.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import reseal
from bench_peers import CONTEXT, measure

KEYS = 100
# Beside each other in every round. What is compared with comes last.
STATEMENTS = {
    "load 100 keys": {
        "KeysetFile": "Keyring.from_keyset(path, kek=kek)",
        "Keyset": "Keyset.load(document, kek=kek).keyring()",
        "100 key texts": "Keyring(primary=texts[0], decrypt_only=texts[1:])",
        "tink": "tink_load()",
    },
    "look at 100 keys, unchanged": {
        "LiveKeyring": "live.refresh()",
        "KeysetFile": "Keyring.from_keyset(path, kek=kek)",
    },
    "seal 16 bytes": {
        "LiveKeyring": "live.seal(value, CONTEXT)",
        "Keyring": "plain.seal(value, CONTEXT)",
    },
    "seal 16 bytes, as a field": {
        "LiveKeyring": "live_field.seal(value)",
        "Keyring": "plain_field.seal(value)",
    },
    "open 16 bytes": {
        "LiveKeyring": "live.open(sealed, CONTEXT)",
        "Keyring": "plain.open(sealed, CONTEXT)",
    },
}


def keyset_of(kek: reseal.Key) -> reseal.Keyset:
    keyset = reseal.Keyset.create(kek=kek, lease_seconds=3600)
    for number in range(KEYS):
        keyset.rotate("data", label=f"rotation {number}", early=True)
    return keyset


def tink_loader() -> Any:
    """Loads an encrypted keyset of Tink with 100 keys, or None where the package is missing."""
    try:
        tink: Any = importlib.import_module("tink")
        aead: Any = importlib.import_module("tink.aead")
        access: Any = importlib.import_module("tink.secret_key_access").TOKEN
        tink_pb2: Any = importlib.import_module("tink.proto.tink_pb2")
    except ImportError:
        return None
    aead.register()
    template = aead.aead_key_templates.AES256_GCM
    keyset = tink_pb2.Keyset()
    while len({key.key_id for key in keyset.key}) < KEYS:
        one = tink.proto_keyset_format.serialize(tink.new_keyset_handle(template), access)
        keyset.MergeFromString(one)
    handle = tink.proto_keyset_format.parse(keyset.SerializeToString(), access)
    master = tink.new_keyset_handle(template).primitive(aead.Aead)
    text = tink.json_proto_keyset_format.serialize_encrypted(handle, master, b"")

    def load() -> Any:
        loaded = tink.json_proto_keyset_format.parse_encrypted(text, master, b"")
        return loaded.primitive(aead.Aead)

    return load


def scope_of(folder: Path) -> dict[str, Any]:
    """What the statements speak of."""
    kek, path = reseal.Key.generate("kek"), folder / "keyset.json"
    keyset = keyset_of(kek)
    reseal.KeysetFile(path, kek=kek).create(keyset)
    exported = keyset.export_keys()
    primary = keyset.primary_id
    texts = [exported.pop(primary or ""), *exported.values()]
    plain, value = keyset.keyring(), b"x" * 16
    live = reseal.LiveKeyring.from_keyset(path, kek=kek)
    sealed = plain.seal(value, CONTEXT)
    if live.open(sealed, CONTEXT) != value:
        raise RuntimeError("the two rings differ")
    return {
        "Keyring": reseal.Keyring,
        "Keyset": reseal.Keyset,
        "CONTEXT": CONTEXT,
        "document": path.read_text(),
        "tink_load": tink_loader(),
        "plain_field": plain.field(CONTEXT),
        "live_field": live.field(CONTEXT),
        **locals(),
    }


def rows_of(scope: dict[str, Any], rounds: int) -> Any:
    for operation, statements in STATEMENTS.items():
        present = {
            name: text for name, text in statements.items() if name != "tink" or scope["tink_load"]
        }
        ours, *_ = present
        times = measure(present, scope, rounds)
        for name, own in times.items():
            ratios = [mine / other for mine, other in zip(times[ours], own, strict=True)]
            yield {
                "operation": operation,
                "way": name,
                "microseconds": statistics.median(own) * 1e6,
                "ratio": statistics.median(ratios),
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", metavar="FILE", help="write the numbers there")
    parser.add_argument("--rounds", type=int, default=41)
    options = parser.parse_args()
    print("| operation | way | µs | time of the first way / time of it |")
    print("|---|---|---:|---:|")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for row in rows_of(scope_of(Path(folder)), options.rounds):
            print(
                "| {operation} | {way} | {microseconds:.2f} | {ratio:.3f} |".format(**row),
                flush=True,
            )
            rows.append(row)
    if options.json:
        Path(options.json).write_text(json.dumps({"rows": rows}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
