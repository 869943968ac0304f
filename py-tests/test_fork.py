"""Prefork servers: a ring that was used before a fork repeats no nonce after it."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest
import reseal

CHILDREN, SEALS = 8, 10_000
NONCE, RECORD = slice(26, 50), 24


def warmed_ring() -> reseal.Keyring:
    ring = reseal.Keyring(primary=reseal.Key.generate())
    ring.seal_binary(b"x", {})
    ring.seal_many_binary([b"x"] * 10, {})
    return ring


def nonces(ring: reseal.Keyring) -> bytes:
    field = ring.field({"row": 1})
    single = [ring.seal_binary(b"x", {}) for _ in range(SEALS // 2)]
    single += [field.seal_binary(b"x") for _ in range(SEALS // 2)]
    batch = ring.seal_many_binary([b"x"] * SEALS, {})
    return b"".join(item[NONCE] for item in (*single, *batch) if isinstance(item, bytes))


def distinct(parts: list[bytes]) -> int:
    return len({part[at : at + RECORD] for part in parts for at in range(0, len(part), RECORD)})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_forked_children_repeat_no_nonce(tmp_path: Path) -> None:
    ring = warmed_ring()
    children = []
    for number in range(CHILDREN):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                (tmp_path / str(number)).write_bytes(nonces(ring))
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * CHILDREN
    parts = [(tmp_path / str(number)).read_bytes() for number in range(CHILDREN)]
    parts.append(nonces(ring))
    assert [len(part) for part in parts] == [2 * SEALS * RECORD] * (CHILDREN + 1)
    assert distinct(parts) == 2 * SEALS * (CHILDREN + 1)


RING = warmed_ring()


def in_a_pool(_: int) -> bytes:
    return nonces(RING)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_pool_of_multiprocessing_repeats_no_nonce() -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        parts = pool.map(in_a_pool, range(4))
    assert distinct(parts) == 2 * SEALS * 4
