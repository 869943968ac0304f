"""Makes a frozen vector file of what one language sealed, once per release:

    python scripts/freeze.py node 0.1.0 target/interop/node.jsonl 60

writes `spec/vectors/frozen/0.1.0-node.json` from the first 60 lines of an interop file. A file of a
release is never written again: `spec/vectors/README.md` says why.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "spec" / "vectors" / "frozen"


def frozen(language: str, release: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """The document: each line has a key of its own, the first is the primary of the ring."""
    return {
        "format": "RS1 frozen",
        "release": release,
        "language": language,
        "keys": {
            f"k{number}": {
                "text": line["key_text"],
                "state": "decrypt_only" if number else "primary",
            }
            for number, line in enumerate(lines)
        },
        "envelopes": [envelope(number, line) for number, line in enumerate(lines)],
    }


def envelope(number: int, line: dict[str, Any]) -> dict[str, Any]:
    """Text and binary in turns: they are one envelope."""
    mode = line["mode"][0]
    form = "binary" if number % 3 == 2 else "text"
    return {
        "id": f"{mode}-{number}",
        "mode": mode,
        "key": f"k{number}",
        "context": line["context"],
        "plaintext": line["plaintext"],
        form: line["binary_hex"] if form == "binary" else line["text"],
    }


def main(language: str, release: str, source: str, count: str) -> None:
    """Refuses to change a file that is there."""
    lines = [json.loads(line) for line in Path(source).read_text("utf-8").splitlines()]
    short = [line for line in lines if len(line["text"]) < 1200][: int(count)]
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{release}-{language}.json").open("x", encoding="utf-8") as file:
        json.dump(frozen(language, release, short), file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
