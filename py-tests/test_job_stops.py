"""A job that is stopped, cut off or in somebody's way: it goes on by itself, or when it is told to."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from job_support import HERE, RING, Place, each, of_servers, total
from job_writers import INNODB_POLL, Running, complete, retries, transaction

ROWS = 200
TEXTS = [f"secret {number}" for number in range(1, ROWS + 1)]
#: So that it is under way until it is told to stop.
FOREVER = ("--batch", "20", "--pause", "600000")
#: Long enough to come in between.
SLOWLY = ("--batch", "10", "--pause", "50")


def sealed(place: Place) -> int:
    """How many values are."""
    return len(place.do("SELECT 1 FROM users WHERE ssn LIKE 'rs1.%'"))


def opened(place: Place) -> list[str]:
    """What all values open to."""
    return [RING.open_str(value, HERE) for value in place.stored()]


# --- signals ------------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_is_asked_to_stop(filled: Place, number: signal.Signals) -> None:
    with Running(filled, "apply", *FOREVER) as job:
        job.until(lambda: sealed(filled))
        job.process.send_signal(number)
        ended = job.end(5)
    assert ended.err == "stopped: the same command goes on from there\n"
    done = sealed(filled)
    assert (done % 20, done < ROWS) == (0, True)
    ended = filled.run("apply", "--batch", "20")
    assert "goes on from where an earlier run stopped" in ended.err
    assert f"{ROWS} values resealed" in ended.out
    assert opened(filled) == TEXTS


@each
def test_it_is_asked_to_stop_while_it_waits(filled: Place) -> None:
    filled.run("apply", "--dry-run")
    with transaction(filled) as application:
        application.do("UPDATE users SET ssn = 'changed' WHERE id = 5")
        job = Running(filled, "apply", "--checkpoint", "state")
        job.until(job.waits_for_lock)
        job.process.send_signal(signal.SIGINT)
    ended = job.end(5)
    assert "stopped: the same command goes on from there" in ended.err
    # It finished the batch that it was at.
    assert sealed(filled) == 32
    filled.run("apply", "--checkpoint", "state")
    assert opened(filled) == ["changed" if n == 5 else it for n, it in enumerate(TEXTS, 1)]


# --- connections --------------------------------------------------------------------------------


def cut(place: Place) -> bool:
    """End the connection of the job from the server's side; whether there was one."""
    if place.kind == "postgresql":
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        return bool(
            place.do(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        )
    of = "information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
    ids = place.do(f"SELECT id FROM {of}")
    for [one] in ids:
        place.do(f"KILL CONNECTION {one}")
    return bool(ids)


@of_servers
def test_its_connection_is_killed(filled: Place) -> None:
    with Running(filled, "apply", *SLOWLY, "--json") as job:
        cuts = 0
        while cuts < 3:
            before = sealed(filled)
            job.until(lambda was: sealed(filled) > was, before)
            cuts += cut(filled)
        ended = job.end()
    assert len(retries(ended)) >= 3
    [resealed] = complete(ended)["columns"][0]["total"]["resealed"]
    assert resealed["values"] == ROWS
    assert opened(filled) == TEXTS


def waiting(place: Place) -> list[int]:
    """The connections that wait for a lock in the database of a place."""
    if place.kind == "postgresql":
        sql = (
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    else:
        time.sleep(INNODB_POLL)
        sql = (
            "SELECT t.trx_mysql_thread_id FROM information_schema.innodb_trx t"
            " JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id"
            " AND p.db = DATABASE() WHERE t.trx_state = 'LOCK WAIT'"
        )
    return [number for [number] in place.do(sql)]


@of_servers
def test_its_connection_is_killed_while_it_waits(filled: Place) -> None:
    """The batch is undone by the server, and done again."""
    filled.run("apply", "--dry-run")
    with transaction(filled) as application:
        application.do("UPDATE users SET ssn = 'changed' WHERE id = 5")
        job = Running(filled, "apply", "--json")
        job.until(job.waits_for_lock)
        [killed] = waiting(filled)
        how = "SELECT pg_terminate_backend({})" if filled.kind == "postgresql" else "KILL {}"
        filled.do(how.format(killed))
        # It connects again, and waits again.
        job.until(lambda: waiting(filled) not in ([], [killed]))
    ended = job.end()
    assert len(retries(ended)) == 1
    complete(ended)
    assert opened(filled) == ["changed" if n == 5 else it for n, it in enumerate(TEXTS, 1)]


class Door:
    """The way to a server, which can be shut: as if the server were stopped, and started again."""

    def __init__(self, url: str) -> None:
        port = urlsplit(url).port
        assert port
        self.target = ("127.0.0.1", port)
        self.sockets: list[socket.socket] = []
        self.threads: list[threading.Thread] = []
        self.port = 0
        self.open()
        self.url = url.replace(f":{port}/", f":{self.port}/")

    def __enter__(self) -> Door:
        return self

    def __exit__(self, *_: object) -> None:
        self.shut()

    def open(self) -> None:
        """Let clients in."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self.keep(listener)
        self.begin(self.accept, listener)

    def shut(self) -> None:
        """Let nobody in, and turn out who is inside."""
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        while self.threads:
            self.threads.pop().join()
        while self.sockets:
            self.sockets.pop().close()

    def accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self.keep(listener.accept()[0])
                server = self.keep(socket.create_connection(self.target))
                self.begin(pass_on, client, server)
                self.begin(pass_on, server, client)

    def keep(self, one: socket.socket) -> socket.socket:
        self.sockets.append(one)
        return one

    def begin(self, what: Callable[..., None], *arguments: socket.socket) -> None:
        self.threads.append(threading.Thread(target=what, args=arguments, daemon=True))
        self.threads[-1].start()


def pass_on(source: socket.socket, sink: socket.socket) -> None:
    """Pass on what comes, and then the end."""
    with contextlib.suppress(OSError):
        while content := source.recv(65_536):
            sink.sendall(content)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


@of_servers
def test_the_server_goes_away_and_comes_back(filled: Place) -> None:
    with (
        Door(filled.url) as door,
        Running(filled, "apply", *SLOWLY, "--json", "--db", door.url) as job,
    ):
        job.until(lambda: sealed(filled))
        door.shut()
        while job.line().get("event") != "retry":
            pass
        door.open()
        report = job.report()
    assert total(report)["resealed"] == ROWS
    assert opened(filled) == TEXTS


@of_servers
def test_the_server_goes_away_for_long(filled: Place) -> None:
    with Door(filled.url) as door:
        with Running(filled, "apply", *SLOWLY, "--json", "--db", door.url) as job:
            job.until(lambda: sealed(filled))
            door.shut()
            ended = job.end(4)
        assert len(retries(ended)) == 5
        assert json.loads(ended.err.splitlines()[-1])["error"]["code"] == "database-error"
        assert 0 < sealed(filled) < ROWS
        door.open()
        ended = filled.run("apply", "--db", door.url)
    assert "goes on from where an earlier run stopped" in ended.err
    assert f"{ROWS} values resealed" in ended.out
    assert opened(filled) == TEXTS
