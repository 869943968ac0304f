"""The example of Django beside Rails: every step of its README on PostgreSQL, over HTTP."""

from __future__ import annotations

import importlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import reseal
from cli_support import ROOT, SECONDS
from job_support import Place

sys.path.insert(0, str(ROOT / "examples/guides/rails"))

#: An independent reader and writer of Rails' format.
rails: Any = importlib.import_module("rails")
EXAMPLE = ROOT / "examples/django"
_PATH = ROOT / "spec/vectors/rails/public.json"
VECTORS = {one["id"]: one for one in json.loads(_PATH.read_text(encoding="utf-8"))["vectors"]}
# Written by Rails itself: `encrypts :name`, and `encrypts :email, deterministic: true`.
REAL = [VECTORS[name]["ciphertext"]["value"] for name in ("rails-pub-01", "rails-pub-03")]
NAME, EMAIL = (VECTORS[name]["plaintext"]["value"] for name in ("rails-pub-01", "rails-pub-03"))


def keys_of_rails() -> dict[str, str]:
    """The keys of the application that wrote them."""
    keys = VECTORS["rails-pub-01"]["keys"]
    return {
        "AR_PRIMARY_KEY": keys["primary_key"][0],
        "AR_DETERMINISTIC_KEY": keys["deterministic_key"],
        "AR_SALT": keys["key_derivation_salt"],
    }


def free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Service:
    def __init__(self, env: dict[str, str]) -> None:
        self.env = env
        self.url = ""

    def run(self, *arguments: str, code: int = 0) -> str:
        """A command of the example."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=EXAMPLE, env=self.env, capture_output=True, text=True, timeout=SECONDS
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def serving(self, stage: str) -> Iterator[None]:
        self.env["STAGE"] = stage
        port = str(free_port())
        command = [sys.executable, "manage.py", "runserver", "--noreload", port]
        with subprocess.Popen(
            command, cwd=EXAMPLE, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            try:
                self.url = f"http://127.0.0.1:{port}"
                self._wait(server)
                yield
            finally:
                server.terminate()

    def _wait(self, server: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + SECONDS
        while server.poll() is None and time.monotonic() < until:
            try:
                self.find("nobody@example.com")
            except urllib.error.URLError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("the service does not answer")

    def ask(self, query: str = "", body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}/users{query}", data, SECONDS) as answer:
            return json.loads(answer.read())

    def find(self, email: str) -> Any:
        return self.ask("?" + urllib.parse.urlencode({"email": email}))


@pytest.mark.parametrize("place", [("postgresql", "python")], indirect=True, ids="-".join)
def test_the_table_moves(place: Place) -> None:
    keys = keys_of_rails()
    salt = keys["AR_SALT"]
    primary, lookup = (
        rails.derived(keys[name], salt, "sha256")
        for name in ("AR_PRIMARY_KEY", "AR_DETERMINISTIC_KEY")
    )
    readable = [
        rails.derived(keys[name], salt, digest)
        for name in ("AR_PRIMARY_KEY", "AR_DETERMINISTIC_KEY")
        for digest in ("sha256", "sha1")
    ]
    own = {
        "DATABASE_URL": place.url,
        "SECRET_KEY": "only for this test",
        "RESEAL_PRIMARY_KEY": reseal.Key.generate("data").export(),
        "RESEAL_INDEX_KEY": reseal.Key.generate("index").export(),
    }
    service = Service(os.environ | keys | own)
    place.do("CREATE TABLE users (id serial PRIMARY KEY, name text, email text)")
    place.do("INSERT INTO users (name, email) VALUES (%s, %s)", *REAL)

    def rows() -> list[Any]:
        return list(place.do("SELECT name, email FROM users ORDER BY id"))

    def of_rails(stored: str) -> str:
        return str(rails.read(stored, readable))

    # Both directions, while Rails goes on.
    with service.serving("rails"):
        assert service.find(EMAIL) == [{"id": 1, "name": NAME, "email": EMAIL}]
        frodo = {"name": "Frodo", "email": "frodo@example.com"}
        assert service.ask(body=frodo) == {"id": 2, **frodo}
        assert [of_rails(stored) for stored in rows()[1]] == ["Frodo", "frodo@example.com"]
        # Rails finds by the bytes, which are its own.
        assert rows()[1][1] == rails.write("frodo@example.com", lookup, deterministic=True)
        sam = [rails.write("Sam", primary), rails.write("s@x.io", lookup, deterministic=True)]
        place.do("INSERT INTO users (name, email) VALUES (%s, %s)", *sam)
        assert service.find("s@x.io") == [{"id": 3, "name": "Sam", "email": "s@x.io"}]

    # The first column, while the service runs.
    with service.serving("name"):
        service.run("reseal", "apply")
        assert all(name.startswith("rs1.") for name, _ in rows())
        assert of_rails(rows()[0][1]) == EMAIL
        assert service.find(EMAIL)[0]["name"] == NAME
        service.run("reseal", "verify")

    # And back: Rails reads what it read before.
    service.env["STAGE"] = "rails"
    service.run("reseal", "apply")
    assert [of_rails(name) for name, _ in rows()] == [NAME, "Frodo", "Sam"]

    # Forward again, and the second column.
    addresses = [email for _, email in rows()]
    place.do("ALTER TABLE users ADD email_index varchar(96)")
    with service.serving("email"):
        assert service.find("nobody@example.com") == []
        service.run("reseal", "apply")
        assert all(one.startswith("rs1.") for row in rows() for one in row)
        assert service.find("Tolkien@Email.com ") == [{"id": 1, "name": NAME, "email": EMAIL}]

    # Rails finds the same bytes after a way back, too.
    service.env["STAGE"] = "name"
    service.run("reseal", "apply")
    assert [email for _, email in rows()] == addresses
    service.env["STAGE"] = "email"
    service.run("reseal", "apply")
    for codec in ("rails", "rails_lookup"):
        service.run("reseal", "retire", codec)

    # The keys of Rails are gone.
    for name in keys:
        del service.env[name]
    with service.serving("done"):
        assert service.find("s@x.io") == [{"id": 3, "name": "Sam", "email": "s@x.io"}]
        service.run("reseal", "verify")
