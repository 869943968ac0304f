"""Transactions that have written and not ended, for which the admin of Django waits before it counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from job_support import KINDS, Place, places
from reseal import ResealError, _writers
from reseal._database import Database, connect


@pytest.fixture(params=KINDS)
def place(
    request: pytest.FixtureRequest, servers: dict[str, str], tmp_path: Path
) -> Iterator[Place]:
    for place in places(request.param, "python", servers, tmp_path):
        place.do("CREATE TABLE written (id integer)")
        yield place


@contextmanager
def writing(place: Place) -> Iterator[Database]:
    """A transaction that has written."""
    database = connect(place.url)
    database.begin()
    database.execute("INSERT INTO written VALUES (1)")
    try:
        yield database
    finally:
        database.rollback()
        database.close()


def test_a_transaction_that_does_not_end_is_told(place: Place) -> None:
    assert _writers.have_ended(place.url, time.monotonic())
    with writing(place):
        assert not _writers.have_ended(place.url, time.monotonic())
    assert _writers.have_ended(place.url, time.monotonic() + 60)


def test_a_transaction_that_ends_is_waited_for(place: Place) -> None:
    ended: list[bool] = []
    with writing(place) as database:
        late = time.monotonic() + 60
        asking = threading.Thread(target=lambda: ended.append(_writers.have_ended(place.url, late)))
        asking.start()
        asking.join(0.5)
        assert not ended
        database.commit()
        asking.join()
    assert ended == [True]


def test_a_transaction_that_only_reads_is_not_waited_for(place: Place) -> None:
    reader = connect(place.url)
    # A job begins one of SQLite that may write.
    reader.execute("BEGIN") if place.kind == "sqlite" else reader.begin()
    reader.query("SELECT * FROM written")
    assert _writers.have_ended(place.url, time.monotonic())
    reader.execute("ROLLBACK") if place.kind == "sqlite" else reader.rollback()
    reader.close()


def test_a_server_that_is_gone_is_an_error_of_the_package() -> None:
    with pytest.raises(ResealError) as caught:
        _writers.have_ended("postgresql://nobody@127.0.0.1:1/none", time.monotonic())
    assert caught.value.code == "database-error"
