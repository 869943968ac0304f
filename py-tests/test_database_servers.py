"""The servers of the tests themselves: scripts/databases.py."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from database_support import (
    SERVERS,
)
from reseal import _database
from reseal._database_url import parse

ROOT = Path(__file__).resolve().parents[1]
DATABASES = ROOT / "scripts/databases.py"
SERVE = """
import sys
sys.path.insert(0, sys.argv[1])
import databases
free, ports = databases.free_port, map(int, sys.argv[3:])
databases.free_port = lambda: next(ports, 0) or free()
sys.exit(databases.serve(databases.State(int(sys.argv[2]))))
"""
"""Serves the second argument, at first on the ports that follow, or on free ones for zeros."""


@pytest.fixture
def keeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process for servers to serve."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


def test_servers_are_gone_with_the_process_that_they_serve(
    keeper: subprocess.Popen[bytes],
) -> None:
    command = [sys.executable, str(DATABASES), "start", "--while", str(keeper.pid)]
    first, second = (subprocess.check_output(command) for _ in range(2))
    assert first == second
    ports = [parse(url).port for url in json.loads(first).values()]
    assert all(map(listens, ports))
    keeper.send_signal(signal.SIGKILL)
    keeper.wait()
    until = time.monotonic() + 30
    while any(map(listens, ports)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(listens, ports))


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_whose_port_is_taken_gets_another_one(
    kind: str, keeper: subprocess.Popen[bytes]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        ports = [str(taken if name == kind else 0) for name in SERVERS]
        command = [sys.executable, "-c", SERVE, str(DATABASES.parent), str(keeper.pid), *ports]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as serving:
            try:
                while serving.poll() is None and (found := urls_of(keeper)) is None:
                    time.sleep(0.05)
                assert serving.poll() is None, serving.stderr and serving.stderr.read()
                assert found is not None
                assert taken not in [parse(url).port for url in found.values()]
                for url in found.values():
                    database = _database.connect(url)
                    assert database.query("SELECT 1") == [(1,)]
                    database.close()
            finally:
                keeper.kill()
                keeper.wait()
            assert serving.wait(30) == 0


def test_servers_that_were_killed_are_not_taken_for_a_process_of_their_number(
    keeper: subprocess.Popen[bytes],
) -> None:
    noted = ROOT / "target/databases" / f"{keeper.pid}.json"
    noted.parent.mkdir(parents=True, exist_ok=True)
    noted.write_text(json.dumps({"pid": keeper.pid, "urls": {"mysql": "mysql://127.0.0.1/x"}}))
    try:
        assert urls_of(keeper) is None
    finally:
        noted.unlink()


def urls_of(keeper: subprocess.Popen[bytes]) -> dict[str, str] | None:
    """What the servers of a process can be reached under."""
    command = [sys.executable, str(DATABASES), "urls", "--while", str(keeper.pid)]
    done = subprocess.run(command, capture_output=True)
    urls: dict[str, str] | None = json.loads(done.stdout) if done.returncode == 0 else None
    return urls


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
