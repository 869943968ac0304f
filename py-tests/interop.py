"""What each language seals, the others open.

interop.py seal COUNT SEED FILE   writes random values, contexts and modes as JSON lines
interop.py open FILE…             opens and compares every one

The same program stands in `testkit/src/bin/interop.rs` and in `js-tests/interop.mjs`.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import reseal

MODES: list[Any] = ["random", "deterministic", "padded"]
NAMES = ["row", "a", "tenant_", "z9_"]


def sealed_line(rng: random.Random) -> dict[str, Any]:
    key = reseal.Key.from_bytes("data", rng.randbytes(32))
    ring = reseal.Keyring(primary=key)
    names = [f"{rng.choice(NAMES)}{number}" for number in range(rng.randrange(17))]
    context = {name: rng.randbytes(rng.randrange(80)) for name in names}
    mode = rng.choice(MODES)
    plaintext = rng.randbytes(rng.randrange(rng.choice([1, 17, 65, 301, 5001])))
    text = ring.seal(plaintext, context, mode)
    return {
        "key_text": key.export(),
        "mode": mode,
        "context": [[name, value.hex()] for name, value in context.items()],
        "plaintext": plaintext.hex(),
        "text": text,
        "binary_hex": reseal.to_binary(text).hex(),
    }


def opens(line: dict[str, Any]) -> bool:
    ring = reseal.Keyring(primary=line["key_text"])
    context = {name: bytes.fromhex(value) for name, value in line["context"]}
    plaintext, binary = bytes.fromhex(line["plaintext"]), bytes.fromhex(line["binary_hex"])
    text, mode = line["text"], line["mode"]
    return (
        ring.open(text, context) == plaintext
        and ring.open_binary(binary, context) == plaintext
        and reseal.to_text(binary) == text
        and ring.is_current(text, mode)
        and (mode != "deterministic" or ring.lookup_values(plaintext, context) == [text])
    )


def seal_file(count: int, seed: int, file: str) -> int:
    rng = random.Random(seed)
    with Path(file).open("w", encoding="utf-8") as out:
        for _ in range(count):
            out.write(json.dumps(sealed_line(rng)) + "\n")
    return 0


def open_files(files: list[str]) -> int:
    good = True
    for file in files:
        passed = failed = 0
        for line in Path(file).read_text(encoding="utf-8").splitlines():
            try:
                opened = opens(json.loads(line))
            except reseal.ResealError:
                opened = False
            passed, failed = passed + opened, failed + (not opened)
        print(f"python {file} run={passed + failed} passed={passed} failed={failed}", flush=True)
        good = good and passed > 0 and failed == 0
    return 0 if good else 1


def main(arguments: list[str]) -> int:
    match arguments:
        case ["seal", count, seed, file]:
            return seal_file(int(count), int(seed), file)
        case ["open", *files] if files:
            return open_files(files)
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
