"""Nothing is leaked, by success or by failure."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import reseal

resource = pytest.importorskip("resource")

CALLS = 100_000
MOST_KILOBYTES = 4096
STATM = Path("/proc/self/statm")
RING = reseal.Keyring(primary=reseal.Key.generate(), index=reseal.Key.generate("index"))
FIELD = RING.field({"table": "users"})
CONTEXT = {"table": "users", "row": 10**30}
STORED = RING.seal("x" * 500, CONTEXT)
BINARY = reseal.to_binary(STORED)
COLUMN = reseal.Column(reseal.codecs.reseal(RING), [reseal.codecs.plain()], type="json")
JSON = COLUMN.seal({"a": 1})
BUFFER = bytearray(b"x" * 500)


def everything(number: int) -> None:
    match number % 9:
        case 0:
            RING.open(STORED, CONTEXT)
            FIELD.open_str(STORED, row=10**30)
        case 1:
            RING.seal(BUFFER, CONTEXT)
            FIELD.seal_binary("é" * 100, row=number)
        case 2:
            RING.open_binary(memoryview(BINARY), CONTEXT)
            reseal.inspect(STORED)
        case 3:
            RING.seal_many(["x", None, "\ud800"], CONTEXT)
            FIELD.open_many([STORED, "x"], rows=[number, 1.5])  # type: ignore[list-item]
        case 4:
            with contextlib.suppress(reseal.ResealError):
                RING.open(STORED, {"row": 1.5})
        case 5:
            with contextlib.suppress(reseal.ResealError):
                RING.seal("\ud800", {})
        case 6:
            RING.lookup_values("x", CONTEXT)
            RING.index_term("x", CONTEXT, index="e")
        case 7:
            RING.reseal(STORED, CONTEXT)
            _ = (RING.keys(), RING.primary_id, FIELD.mode, repr(FIELD))
        case 8:
            items = COLUMN.open_many([JSON, None, "x"])
            _ = (repr(items), COLUMN.reseal_many([JSON, "[]"]), COLUMN.reseal(b"x"))
            _ = COLUMN.seal({"a": [number, 2**70]})


def kilobytes() -> int:
    """What the process holds now, without files that are mapped where the system tells them apart."""
    if STATM.exists():
        resident, shared = map(int, STATM.read_text().split()[1:3])
        return int((resident - shared) * resource.getpagesize() // 1024)
    return int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(os.getpid())]))


def test_a_leak_is_seen_after_a_higher_peak() -> None:
    """Other tests, in the same process, may have needed much more for a while."""
    peak = b"x" * 2**26
    del peak
    before = kilobytes()
    leaked = [bytes(300) for _ in range(CALLS)]
    assert kilobytes() - before > 2 * MOST_KILOBYTES
    assert len(leaked) == CALLS


def test_the_process_does_not_grow() -> None:
    for number in range(CALLS // 10):
        everything(number)
    gc.collect()
    before = kilobytes()
    for number in range(CALLS):
        everything(number)
    assert kilobytes() - before < MOST_KILOBYTES


def test_python_holds_no_more_objects() -> None:
    for number in range(800):
        everything(number)
    gc.collect()
    tracemalloc.start()
    for number in range(800):
        everything(number)
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(8000):
        everything(number)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 20_000


def test_references_are_given_back() -> None:
    things: list[Any] = [STORED, BINARY, BUFFER, CONTEXT, RING, FIELD, "x", None]
    before = [sys.getrefcount(thing) for thing in things[:6]]
    for number in range(800):
        everything(number)
    assert [sys.getrefcount(thing) for thing in things[:6]] == before


def test_rings_are_freed() -> None:
    for _ in range(100):
        reseal.Keyring(primary=reseal.Key.generate()).field({}).seal("x")
    gc.collect()
    before = kilobytes()
    for _ in range(20_000):
        reseal.Keyring(primary=reseal.Key.generate()).field({}).seal("x")
    assert kilobytes() - before < MOST_KILOBYTES
