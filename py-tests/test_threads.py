from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import reseal


def test_four_threads_on_one_ring() -> None:
    ring = reseal.Keyring(primary=reseal.Key.generate(), index=reseal.Key.generate("index"))
    field = ring.field({"table": "t"})
    together = threading.Barrier(4)

    def work(number: int) -> set[bytes]:
        together.wait()
        found = set()
        for row in range(3000):
            value = f"{number}/{row}"
            stored = field.seal(value, row=row)
            assert ring.open_str(stored, {"table": "t", "row": row}) == value
            found.add(reseal.to_binary(stored)[26:50])
            if row % 100 == 0:
                many = field.seal_many([value] * 100, rows=range(100))
                texts = [text for text in many if isinstance(text, str)]
                assert field.open_many_str(texts, rows=range(100)) == [value] * 100
                found.update(reseal.to_binary(text)[26:50] for text in texts)
        return found

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, range(4)))
    assert len(set().union(*found)) == 4 * (3000 + 30 * 100)


@pytest.fixture
def quick_switches() -> Iterator[None]:
    """A thread that asks for the lock gets it soon, between two instructions of the other."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("quick_switches")
def test_a_batch_lets_other_threads_run() -> None:
    ring = reseal.Keyring(primary=reseal.Key.generate())
    values = [bytes(2**20)] * 64
    stored: Any = ring.seal_many_binary(values, {})
    for batch in (lambda: ring.seal_many(values, {}), lambda: ring.open_many_binary(stored, {})):
        # While the lock is held, no tick of this thread falls into the middle of the call. A busy
        # machine may stop a thread as well, so it is five calls, and most of them count.
        assert sum(ticks_in_the_middle(batch) > 0 for _ in range(5)) >= 3


def ticks_in_the_middle(batch: Callable[[], object]) -> int:
    times: list[float] = []

    def timed() -> None:
        times.append(time.perf_counter())
        batch()
        times.append(time.perf_counter())

    thread, ticks = threading.Thread(target=timed), []
    thread.start()
    while thread.is_alive():
        ticks.append(time.perf_counter())
    thread.join()
    start, end = times
    quarter = (end - start) / 4
    return sum(start + quarter < tick < end - quarter for tick in ticks)
