"""How many values and terms are under each key, in all databases of the models."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace

from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from reseal import _writers, jobs
from reseal._adapters import manifest_text
from reseal._errors import ResealError
from reseal._native import Manifest
from reseal.django import conf, databases

#: How long a page may count.
SECONDS = 10.0
#: How long of these it waits for transactions that write.
_WRITERS_SECONDS = 3.0
_SHORT_ID = 8


@dataclass
class Counts:
    """What was counted. Where something was not, no key may go."""

    keys: Counter[str] = field(default_factory=Counter)
    """Values by the id of their key."""
    terms: Counter[str] = field(default_factory=Counter)
    """Terms of blind indexes by the first 8 characters of the id of their key."""
    keyless: int = 0
    """Values in formats that name no key, plaintext among them."""
    missing: list[str] = field(default_factory=list)
    """What was not counted, and why."""

    def under(self, key_id: str) -> int:
        """Return how many values and terms are under a key."""
        return self.keys[key_id] + self.terms[key_id[:_SHORT_ID]]


def count(seconds: float = SECONDS) -> Counts:
    """Count what is stored; no key is needed, and no value is shown."""
    counts = Counts()
    deadline = time.monotonic() + seconds
    for alias in connections:
        try:
            _count(alias, counts, deadline)
        except (ResealError, ImproperlyConfigured) as error:
            counts.missing.append(f"{alias}: {error}")
    return counts


def _count(alias: str, counts: Counts, deadline: float) -> None:
    # Who counts opens nothing, so what is bound to a value is not needed, nor what a function gives.
    declared = [
        replace(one, row_facts=None, bind_row=False) for one in databases.declarations(alias)
    ]
    if not declared:
        return
    url = databases.url(alias)
    if not _writers.have_ended(url, min(deadline, time.monotonic() + _WRITERS_SECONDS)):
        counts.missing.append(
            f"{alias}: a transaction has written and does not end, so that nobody can count what it wrote"
        )
    left = max(1.0, deadline - time.monotonic())
    report = jobs.census(
        url,
        manifest=Manifest.parse(manifest_text(conf.codecs(), declared)),
        keys_only=True,
        statement_timeout_ms=int(left * 1000),
        stop=lambda: time.monotonic() >= deadline,
    )
    for column in report["columns"]:
        for found in column["total"]["found"]:
            key = found["in"]["key"]
            if key is None:
                counts.keyless += found["values"]
            else:
                counts.keys[key] += found["values"]
        for term in column.get("terms", ()):
            counts.terms[term["key"] or ""] += term["values"]
    if report["end"] != "complete":
        counts.missing.append(f"{alias}: counting takes longer than this page may wait")
