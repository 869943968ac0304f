"""Databases that let nobody in, and encryption on the way; js-tests/database-connect.test.ts is the twin."""

from __future__ import annotations

import socket
import threading
import traceback
from pathlib import Path

import database_support
import pytest
import reseal
from database_support import (
    CODES,
    SECRET,
    Place,
    everywhere,
    servers_only,
)
from reseal import _database
from reseal._database import DatabaseError, Failure
from reseal._database_url import parse, root_of

place = database_support.place


@everywhere
def test_what_cannot_be_reached(place: Place) -> None:
    if place.kind == "sqlite":
        url = "sqlite:////nowhere/app.db"
    else:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        url = f"{place.kind}://anna:{SECRET}@127.0.0.1:{port}/shop"
    error = connect_error(url)
    assert error.failure.code == CODES["unreachable"][place.kind]
    assert (error.dialect, str(error)) == (place.kind, error.failure.message)


@servers_only
def test_who_is_not_let_in(place: Place) -> None:
    target = parse(place.url)
    server = f"127.0.0.1:{target.port}"
    error = connect_error(f"{place.kind}://anna:{SECRET}@{server}/{target.database}")
    assert error.failure.code == CODES["password"][place.kind]
    head, _, _ = place.url.rpartition("/")
    error = connect_error(f"{head}/nowhere")
    assert error.failure.code == {"postgresql": "3D000", "mysql": "1049"}[place.kind]


@servers_only
@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_encryption_that_is_asked_for_is_not_left_out(place: Place, mode: str) -> None:
    url = f"{place.url}?sslmode={mode}"
    if mode != "verify-ca":
        failure = connect_error(url).failure
        assert failure.code == {"postgresql": "08001", "mysql": "2026"}[place.kind]
    with pytest.raises(reseal.ResealError) as caught:
        _database.connect(f"{url}&sslrootcert=/nowhere/ca.pem")
    assert (caught.value.code, str(caught.value)) == (
        "invalid-argument",
        'sslrootcert: cannot read "/nowhere/ca.pem" (ENOENT)',
    )
    for mode in ("disable", "prefer"):
        ignored = f"{place.url}?sslmode={mode}&sslrootcert=/nowhere/ca.pem"
        assert place.open(ignored).query("SELECT 1") == [(1,)]


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_the_certificates_of_the_system_are_no_file(scheme: str) -> None:
    target = parse(f"{scheme}://db/app?sslmode=verify-full&sslrootcert=system")
    assert root_of(target) is None


def test_a_number_of_the_system_is_none_of_the_driver(tmp_path: Path) -> None:
    root = tmp_path / "ca.pem"
    root.write_text("no certificate")
    error = connect_error(f"mysql://anna:x@127.0.0.1:1/d?sslmode=verify-ca&sslrootcert={root}")
    assert error.failure == Failure("", "the driver failed with SSLError")


def connect_error(url: str) -> DatabaseError:
    with pytest.raises(DatabaseError) as caught:
        _database.connect(url)
    text = "".join(traceback.format_exception(caught.value))
    assert SECRET not in text
    assert (parse(url).password or SECRET) not in text
    return caught.value


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_server_that_never_greets_is_given_up(scheme: str) -> None:
    """A proxy without a server behind it takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"{scheme}://nobody:{SECRET}@127.0.0.1:{port}/none?connect_timeout=2"
        found: list[DatabaseError] = []
        asking = threading.Thread(target=lambda: found.append(connect_error(url)), daemon=True)
        asking.start()
        asking.join(60)
        assert not asking.is_alive()
    assert len(found) == 1
