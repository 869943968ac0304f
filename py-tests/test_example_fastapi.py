"""The example with FastAPI, started as its README says, and asked over HTTP."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import reseal

EXAMPLE = Path(__file__).resolve().parents[1] / "examples/fastapi"
SECONDS = 60


class Service:
    def __init__(self, url: str, database: Path) -> None:
        self.url, self.database = url, database

    def ask(self, path: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    database = tmp_path / "patients.db"
    env = os.environ | {
        "DATABASE_URL": f"sqlite+aiosqlite:///{database}",
        "RESEAL_PRIMARY_KEY": reseal.Key.generate("data").export(),
        "RESEAL_INDEX_KEY": reseal.Key.generate("index").export(),
        "PYTHONUNBUFFERED": "1",
    }
    log = tmp_path / "log"
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", "0"]
    with (
        log.open("w") as file,
        subprocess.Popen(command, cwd=EXAMPLE, env=env, stdout=file, stderr=file) as server,
    ):
        try:
            yield Service(_address(server, log), database)
        finally:
            server.terminate()
            server.wait(SECONDS)


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and server.poll() is None:
        for word in log.read_text().split():
            if word.startswith("http://127.0.0.1:"):
                return word
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def test_the_service_keeps_and_finds_patients(service: Service) -> None:
    ann = {"name": "Ann", "ssn": "078-05-1120", "born": "1990-02-28"}
    assert service.ask("/patients", ann) == (201, {"id": 1, **ann})
    assert service.ask("/patients", {"name": "Bob"})[0] == 201
    assert service.ask("/patients/1") == (200, {"id": 1, **ann})
    assert service.ask("/patients/3")[0] == 404
    found = [{"id": 1, "name": "Ann", "ssn": "078-05-1120"}]
    assert service.ask("/patients?ssn=078051120") == (200, found)
    assert service.ask("/patients?ssn=0") == (200, [])
    with sqlite3.connect(service.database) as connection:
        [[ssn, born]] = connection.execute("SELECT ssn, born FROM patients WHERE id = 1")
        assert [reseal.inspect(one).mode for one in (ssn, born)] == ["random", "random"]
        connection.execute("UPDATE patients SET ssn = substr(ssn, 1, 50) WHERE id = 1")
    connection.close()


def test_the_service_says_no_more_than_a_code(service: Service) -> None:
    assert service.ask("/patients", {"name": "Ann", "ssn": "0" * 12}) == (
        422,
        {"code": "value-invalid"},
    )
    service.ask("/patients", {"name": "Ann", "ssn": "1"})
    with sqlite3.connect(service.database) as connection:
        connection.execute("UPDATE patients SET ssn = substr(ssn, 1, 50)")
    connection.close()
    assert service.ask("/patients/1") == (500, {"code": "malformed"})
    shown = {"id": 1, "name": "Ann", "ssn": "[cannot be opened: malformed]"}
    assert service.ask("/patients") == (200, [shown])
