"""Speed of reseal beside other libraries, all in one process.

Both sides bind the same 66 bytes of associated data (Fernet has none to bind) and make or read
base64url text, as a text column needs it. Rounds alternate between the libraries, and a ratio is
taken in each round before the median, so that a clock that changes meanwhile changes both sides.

    python py-tests/bench/bench_peers.py [--json FILE] [--sizes 64,4096] [--rounds N]

Prints a Markdown table; judges nothing.
"""

from __future__ import annotations

import argparse
import base64
import importlib
import importlib.metadata
import json
import os
import platform
import statistics
import timeit
from typing import Any

import reseal
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SIZES = (16, 64, 256, 1024, 4096, 65536)
CONTEXT = {"table": "users", "column": "email", "row": 42}
# As long as the header of an envelope and the encoded context: 26 and 40 bytes.
AAD = bytes(26) + b"\0\3\0\6column\0\5email\0\3row\0\x0242\0\5table\0\5users"
BATCH = 10_000
ROUND_SECONDS = 0.02

# What a user of each library writes, for one value and for a list of them.
STATEMENTS = {
    "seal": {
        "reseal": "ring.seal(value, context)",
        "reseal, as a field": "field.seal(value)",
        "AESGCM": "nonce = urandom(12); encode(nonce + aesgcm.encrypt(nonce, value, aad)).decode()",
        "Fernet": "fernet.encrypt(value)",
        "tink": "encode(tink.encrypt(value, aad)).decode()",
    },
    "open": {
        "reseal": "ring.open(sealed, context)",
        "reseal, as a field": "field.open(sealed)",
        "AESGCM": "raw = decode(aesgcm_sealed); aesgcm.decrypt(raw[:12], raw[12:], aad)",
        "Fernet": "fernet.decrypt(fernet_sealed)",
        "tink": "tink.decrypt(decode(tink_sealed), aad)",
    },
    "seal_many": {
        "reseal": "ring.seal_many(values, context)",
        "AESGCM": "[aesgcm_seal(value) for value in values]",
    },
    "open_many": {
        "reseal": "ring.open_many(sealed_values, context)",
        "AESGCM": "[aesgcm_open(sealed) for sealed in aesgcm_values]",
    },
}


def tink_aead() -> Any:
    """Tink's AES-256-GCM, or None where the package is not installed."""
    try:
        tink: Any = importlib.import_module("tink")
        aead: Any = importlib.import_module("tink.aead")
    except ImportError:
        return None
    aead.register()
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    return handle.primitive(aead.Aead)


def names(size: int) -> dict[str, Any]:
    """What the statements speak of, for values of one size."""
    value = os.urandom(size)
    values = [os.urandom(size) for _ in range(max(1, min(BATCH, 64 * BATCH // size)))]
    ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    aesgcm, fernet, tink = (
        AESGCM(AESGCM.generate_key(256)),
        Fernet(Fernet.generate_key()),
        tink_aead(),
    )
    urandom, encode, decode = os.urandom, base64.urlsafe_b64encode, base64.urlsafe_b64decode

    def aesgcm_seal(value: bytes) -> str:
        nonce = urandom(12)
        return encode(nonce + aesgcm.encrypt(nonce, value, AAD)).decode()

    def aesgcm_open(sealed: str) -> bytes:
        raw = decode(sealed)
        return aesgcm.decrypt(raw[:12], raw[12:], AAD)

    sealed, aesgcm_sealed = ring.seal(value, CONTEXT), aesgcm_seal(value)
    if not ring.open(sealed, CONTEXT) == aesgcm_open(aesgcm_sealed) == value:
        raise RuntimeError("a library does not open what it sealed")
    return {
        "context": CONTEXT,
        "aad": AAD,
        "field": ring.field(CONTEXT),
        "fernet_sealed": fernet.encrypt(value),
        "tink_sealed": encode(tink.encrypt(value, AAD)).decode() if tink else None,
        "sealed_values": ring.seal_many(values, CONTEXT),
        "aesgcm_values": [aesgcm_seal(value) for value in values],
        **locals(),
    }


def measure(statements: dict[str, str], scope: dict[str, Any], rounds: int) -> dict[str, Any]:
    """Seconds per statement of each library, round by round."""
    timers = {name: timeit.Timer(text, globals=scope) for name, text in statements.items()}
    repeats = {}
    for name, timer in timers.items():
        once = min(timer.repeat(5, 1))
        repeats[name] = max(1, round(ROUND_SECONDS / once))
    times: dict[str, Any] = {name: [] for name in timers}
    for number in range(rounds):
        for name in sorted(timers, reverse=bool(number % 2)):
            times[name].append(timers[name].timeit(repeats[name]) / repeats[name])
    return times


def rows_of(size: int, rounds: int) -> Any:
    scope = names(size)
    for operation, statements in STATEMENTS.items():
        present = {
            name: text for name, text in statements.items() if scope.get(name, 0) is not None
        }
        times = measure(present, scope, rounds)
        values = len(scope["values"]) if operation.endswith("_many") else 1
        for name, own in times.items():
            ratios = [ours / theirs for ours, theirs in zip(times["reseal"], own, strict=True)]
            yield {
                "operation": operation,
                "bytes": size,
                "library": name,
                "microseconds": statistics.median(own) / values * 1e6,
                "reseal_ratio": statistics.median(ratios),
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", metavar="FILE", help="write the numbers there")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="sizes in bytes")
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    print("| operation | bytes | library | µs per value | time of reseal / time of it |")
    print("|---|---:|---|---:|---:|")
    line = "| {operation} | {bytes} | {library} | {microseconds:.2f} | {reseal_ratio:.2f} |"
    rows = []
    for size in map(int, options.sizes.split(",")):
        for row in rows_of(size, options.rounds):
            print(line.format(**row), flush=True)
            rows.append(row)
    if options.json:
        found = {d.metadata["Name"].lower(): d.version for d in importlib.metadata.distributions()}
        packages = [name for name in ("reseal", "cryptography", "tink") if name in found]
        document = {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "versions": {name: found[name] for name in packages},
            "rows": rows,
        }
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)


if __name__ == "__main__":
    main()
