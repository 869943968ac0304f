"""Speed of reseal beside other libraries, all in one process.

Both sides bind the same 66 bytes of associated data and make or read base64url text, as a text
column needs it. Rounds alternate between the libraries, and the ratio of each round is taken before
the median, so that a machine that changes its clock meanwhile changes both sides alike.

    python py-tests/bench/bench_peers.py [--json FILE] [--sizes 64,4096] [--rounds N]

Prints a Markdown table; judges nothing.
"""

from __future__ import annotations

import argparse
import base64
import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import reseal

SIZES = (16, 64, 256, 1024, 4096, 65536)
CONTEXT = {"table": "users", "column": "email", "row": 42}
# The header of an envelope, and the context as it is encoded.
AAD = bytes(26) + b"".join(
    [b"\x00\x03", b"\x00\x06column\x00\x05email", b"\x00\x03row\x00\x0242", b"\x00\x05table\x00\x05users"]
)
BATCH = 10_000
ROUND_SECONDS = 0.02

Step = Callable[[], Any]
Contest = dict[str, tuple[Step, int]]  # name: what to time, and how many values it handles


def aesgcm_seal(cipher: AESGCM, plaintext: bytes) -> str:
    nonce = os.urandom(12)
    return base64.urlsafe_b64encode(nonce + cipher.encrypt(nonce, plaintext, AAD)).decode()


def aesgcm_open(cipher: AESGCM, text: str) -> bytes:
    sealed = base64.urlsafe_b64decode(text)
    return cipher.decrypt(sealed[:12], sealed[12:], AAD)


def tink_aead() -> Any:
    """Tink's AES-256-GCM, or None where the package does not install."""
    try:
        import tink
        from tink import aead
    except ImportError:
        return None
    aead.register()
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    return handle.primitive(aead.Aead)


def contests(size: int) -> dict[str, Contest]:
    plaintext = os.urandom(size)
    ring = reseal.Keyring(primary=reseal.Key.generate("data"))
    field = ring.field(CONTEXT)
    cipher = AESGCM(AESGCM.generate_key(256))
    fernet = Fernet(Fernet.generate_key())
    stored, theirs, token = ring.seal(plaintext, CONTEXT), aesgcm_seal(cipher, plaintext), fernet.encrypt(plaintext)
    assert ring.open(stored, CONTEXT) == aesgcm_open(cipher, theirs) == plaintext
    seal: Contest = {
        "reseal": (lambda: ring.seal(plaintext, CONTEXT), 1),
        "reseal field": (lambda: field.seal(plaintext), 1),
        "AESGCM": (lambda: aesgcm_seal(cipher, plaintext), 1),
        "Fernet": (lambda: fernet.encrypt(plaintext), 1),
    }
    opening: Contest = {
        "reseal": (lambda: ring.open(stored, CONTEXT), 1),
        "reseal field": (lambda: field.open(stored), 1),
        "AESGCM": (lambda: aesgcm_open(cipher, theirs), 1),
        "Fernet": (lambda: fernet.decrypt(token), 1),
    }
    if (aead := tink_aead()) is not None:
        sealed = base64.urlsafe_b64encode(aead.encrypt(plaintext, AAD))
        seal["tink"] = (lambda: base64.urlsafe_b64encode(aead.encrypt(plaintext, AAD)), 1)
        opening["tink"] = (lambda: aead.decrypt(base64.urlsafe_b64decode(sealed), AAD), 1)
    count = max(1, min(BATCH, 64 * BATCH // size))
    plaintexts = [os.urandom(size) for _ in range(count)]
    many, others = ring.seal_many(plaintexts, CONTEXT), [aesgcm_seal(cipher, p) for p in plaintexts]
    return {
        "seal": seal,
        "open": opening,
        "seal_many": {
            "reseal": (lambda: ring.seal_many(plaintexts, CONTEXT), count),
            "AESGCM": (lambda: [aesgcm_seal(cipher, p) for p in plaintexts], count),
        },
        "open_many": {
            "reseal": (lambda: ring.open_many(many, CONTEXT), count),
            "AESGCM": (lambda: [aesgcm_open(cipher, t) for t in others], count),
        },
    }


def seconds(step: Step, repeat: int) -> float:
    start = time.perf_counter()
    for _ in range(repeat):
        step()
    return time.perf_counter() - start


def run(contest: Contest, rounds: int) -> dict[str, list[float]]:
    """Seconds per value of each competitor, round by round."""
    repeats = {}
    for name, (step, _) in contest.items():
        once = min(seconds(step, 1) for _ in range(5))
        repeats[name] = max(1, round(ROUND_SECONDS / once))
    times: dict[str, list[float]] = {name: [] for name in contest}
    for number in range(rounds):
        names = list(contest) if number % 2 else list(reversed(contest))
        for name in names:
            step, values = contest[name]
            times[name].append(seconds(step, repeats[name]) / repeats[name] / values)
    return times


def result(size: int, operation: str, times: dict[str, list[float]]) -> list[dict[str, Any]]:
    rows = []
    for name, own in times.items():
        ratios = [ours / theirs for ours, theirs in zip(times["reseal"], own, strict=True)]
        rows.append(
            {
                "operation": operation,
                "bytes": size,
                "library": name,
                "microseconds": statistics.median(own) * 1e6,
                "reseal_ratio": statistics.median(ratios),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="write the numbers there")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="plaintext sizes in bytes")
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    rows = []
    print("| operation | bytes | library | µs per value | reseal takes, times that |")
    print("|---|---|---|---|---|")
    for size in map(int, options.sizes.split(",")):
        for operation, contest in contests(size).items():
            for row in result(size, operation, run(contest, options.rounds)):
                print("| {operation} | {bytes} | {library} | {microseconds:.2f} | {reseal_ratio:.2f} |".format(**row), flush=True)
                rows.append(row)
    if options.json:
        packages = ("reseal", "cryptography", "tink")
        found = {d.metadata["Name"].lower(): d.version for d in importlib.metadata.distributions()}
        document = {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "versions": {name: found[name] for name in packages if name in found},
            "rows": rows,
        }
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)


if __name__ == "__main__":
    main()
