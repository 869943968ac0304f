"""Makes `testkit/fixtures/census.json`: a column of text and one of bytes, with values of all formats,
plain text and NULLs in random order, and for each what has to be told of it without its key.

    python py-tests/census_cases.py > testkit/fixtures/census.json

The values are sealed anew each time, under keys that are random or stand in `conversions.json`; what is
expected comes from what was put in, and not from the classification.
"""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from typing import Any

import reseal
from conversions import CONTEXT, FORMS, Cases, Form, cases, lines_of
from cryptography.fernet import Fernet

SEED = 41
EACH = 8
PLAINTEXTS = ["{}", '{"token":"é🌍"}', '["a", "b"]', '{"user":"x","password":"0123456789"}']
PLAIN = [
    "",
    "hello",
    "078-05-1120",
    "a@b.example",
    "{}",
    '{"p":1}',
    "[1, 2]",
    "é🌍",
    "gAA",
    "enc",
    "rs1",
]
#: A token whose time stands in more bytes than those of this age have.
ANOTHER_AGE = 1 << 40

Json = dict[str, Any]


def row(
    stored: Any,
    kind: str | None,
    key: str | None = None,
    certainty: str = "yes",
    made_by: str | None = None,
) -> Json:
    """A stored value, with what is to be told of it, and the kind of codec that made it."""
    spelled = {"hex": stored.hex()} if isinstance(stored, bytes) else stored
    certain = None if kind is None else certainty
    shown = {"kind": kind, "key": key, "certainty": certain}
    return {"stored": spelled, **shown, "made_by": made_by or kind}


def key_of(of: Cases, name: str, stored: Any) -> str | None:
    """The key or the generation that stands in the bytes, found without the codecs."""
    spec = of.specs[name]
    options = spec["options"]
    if spec["kind"] == "reseal":
        return reseal.Key.parse(options["key"]).id
    if spec["kind"] == "sentry" and options.get("method") != "plaintext":
        identity: str = options["primary"]
        return identity
    if name == "rails_references":
        text = stored.decode() if isinstance(stored, bytes) else stored
        return base64.b64decode(json.loads(text)["h"]["i"]).decode()
    if name == "n8n_prefixed":
        row_id: str = options["rows"][0]["id"]
        return row_id
    return next(iter(options["data_keys"])) if name == "metabase_data_key" else None


def shown(of: Cases, name: str, stored: Any) -> tuple[str, str]:
    """The kind that a value shows, which is not always the one that made it, and how surely."""
    kind: str = of.specs[name]["kind"]
    if kind in ("django-fernet", "fernet-fields") or name == "sqlalchemy_fernet":
        return "fernet", "yes"
    if kind == "sqlalchemy-utils":
        # Base64, in which AES-GCM leaves no mark at all.
        length = len(base64.b64decode(stored))
        if is_metabase(length) or (isinstance(stored, bytes) and is_metabase(len(stored))):
            return "metabase", "maybe"
        return "plain" if name == "sqlalchemy_gcm" else kind, "maybe"
    # Base64, or bytes, of a certain length: that may be anything.
    return kind, "maybe" if name in ("metabase", "metabase_aad") else "yes"


def is_metabase(length: int) -> bool:
    """An IV, a block and a tag at least, in whole blocks."""
    return length >= 64 and length % 16 == 0


def sealed(of: Cases, form: Form) -> list[Json]:
    rows = []
    for name in of.names(form):
        kind = of.specs[name]["kind"]
        if kind == "plain":
            continue
        for number in range(EACH):
            plaintext = PLAINTEXTS[number % len(PLAINTEXTS)]
            stored = of.column(form, plaintext, name).seal(plaintext, row=1)
            told, certainty = shown(of, name, stored)
            rows.append(row(stored, told, key_of(of, name, stored), certainty, kind))
    return rows


def others(form: Form) -> list[Json]:
    plain = [text.encode() if form == "binary" else text for text in PLAIN]
    rows = [row(value, "plain", certainty="maybe") for value in plain]
    if form == "binary":
        rows += [row(bytes([0xFF, number]), "plain", certainty="maybe") for number in range(4)]
    token = Fernet(Fernet.generate_key()).encrypt_at_time(b"x", ANOTHER_AGE)
    rows.append(row(token if form == "binary" else token.decode(), "fernet", certainty="maybe"))
    return rows + [row(None, None) for _ in range(17)]


def main() -> None:
    rng, of = random.Random(SEED), cases()
    document: Json = {"context": CONTEXT}
    for form in FORMS:
        rows = sealed(of, form) + others(form)
        rng.shuffle(rows)
        counts = Counter(one["kind"] or "null" for one in rows)
        document[f"{form}_counts"] = dict(sorted(counts.items()))
        document[form] = rows
    print(lines_of(document))


if __name__ == "__main__":
    main()
