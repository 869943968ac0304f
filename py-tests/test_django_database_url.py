"""To where the jobs connect that `manage.py reseal` and the admin start: where Django does, or nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django_support
import pytest
from django_support import DATA, INDEX
from reseal._database_url import parse

django_support.setup()

from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.test.utils import override_settings  # noqa: E402
from reseal.django import databases  # noqa: E402

ALIAS = "elsewhere"


@contextmanager
def setting(kind: str, **members: Any) -> Iterator[None]:
    """A database of Django, which nobody connects to."""
    usual = {
        "ENGINE": f"django.db.backends.{django_support.ENGINES[kind]}",
        "NAME": "app",
        "USER": "u",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
    }
    known = connections.configure_settings({"default": {}, ALIAS: usual | members})
    connections.settings[ALIAS] = known[ALIAS]
    try:
        yield
    finally:
        del connections[ALIAS]
        del connections.settings[ALIAS]


def url(kind: str, options: dict[str, Any], **members: Any) -> str:
    with setting(kind, OPTIONS=options, **members):
        return databases.url(ALIAS)


@pytest.mark.parametrize(
    ("kind", "options", "found"),
    [
        ("postgresql", {}, ""),
        ("postgresql", {"sslmode": "verify-full", "sslrootcert": "/ca file"}, None),
        ("postgresql", {"pool": True, "isolation_level": 2, "application_name": "a"}, ""),
        ("postgresql", {"options": "-c statement_timeout=5s -c TimeZone=UTC"}, ""),
        ("mysql", {"charset": "utf8mb4", "isolation_level": "read committed"}, ""),
        ("mysql", {"init_command": "SET sql_mode='STRICT_TRANS_TABLES'"}, ""),
        ("mysql", {"connect_timeout": 5}, "?connect_timeout=5"),
        ("mysql", {"unix_socket": "/run/my.sock"}, "?socket=%2Frun%2Fmy.sock"),
        ("mysql", {"ssl": {"ca": "/ca"}}, "?sslmode=verify-ca&sslrootcert=%2Fca"),
        (
            "mysql",
            {"ssl_mode": "VERIFY_IDENTITY", "ssl": {"ca": "/ca"}},
            "?sslmode=verify-full&sslrootcert=%2Fca",
        ),
        ("mysql", {"ssl_mode": "REQUIRED"}, "?sslmode=require"),
    ],
)
def test_what_a_url_can_say(kind: str, options: dict[str, Any], found: str | None) -> None:
    made = url(kind, options)
    if found is not None:
        assert made == f"{kind}://u:p%40ss@db.example/app{found}"
    target = parse(made)
    assert (target.host, target.user, target.password) == ("db.example", "u", "p@ss")
    if "sslrootcert" in options:
        assert (target.sslmode, target.sslrootcert) == ("verify-full", "/ca file")


@pytest.mark.parametrize(
    ("kind", "options", "named"),
    [
        ("postgresql", {"options": "-c search_path=clinic,public"}, "options"),
        ("postgresql", {"options": "-c statement_timeout=5s -csearch_path=clinic"}, "options"),
        ("postgresql", {"options": "-c role=other"}, "options"),
        ("postgresql", {"service": "app"}, "service"),
        ("postgresql", {"passfile": ".pgpass"}, "passfile"),
        ("postgresql", {"sslmode": "verify-full", "sslcert": "a", "sslkey": "b"}, "sslcert"),
        ("postgresql", {"target_session_attrs": "read-write"}, "target_session_attrs"),
        ("postgresql", {"hostaddr": "10.0.0.1"}, "hostaddr"),
        ("postgresql", {"assume_role": "owner"}, "assume_role"),
        ("mysql", {"read_default_file": "/etc/my.cnf"}, "read_default_file"),
        ("mysql", {"ssl": {"ca": "/ca", "cert": "/cert"}}, "ssl"),
        ("mysql", {"ssl": {}}, "ssl"),
        ("mysql", {"init_command": "SET NAMES utf8mb4; USE other"}, "init_command"),
        ("mysql", {"database": "other"}, "database"),
        ("mysql", {"host": "other"}, "host"),
        ("sqlite", {"database": "other.db"}, "database"),
        ("postgresql", {"unheard_of": 1}, "unheard_of"),
    ],
)
def test_what_a_url_cannot_say_is_refused(kind: str, options: dict[str, Any], named: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        url(kind, options)
    text = str(caught.value)
    assert f"{ALIAS!r} has OPTIONS[{named!r}], which no URL can say" in text
    assert "--db" in text
    assert "p@ss" not in text


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_database_without_a_name_is_refused(kind: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="an empty NAME"):
        url(kind, {}, NAME="")


def test_without_a_host_it_is_that_of_the_driver(
    servers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a rule the folder of a socket, of which only the driver knows."""
    target = parse(servers["postgresql"])
    members = {"NAME": target.database, "USER": target.user, "PASSWORD": target.password or ""}
    monkeypatch.setenv("PGHOST", target.socket or target.host)
    monkeypatch.setenv("PGPORT", str(target.port))
    found = parse(url("postgresql", {}, HOST="", **members))
    assert (found.host, found.port) == (target.host, target.port)
    monkeypatch.setenv("PGHOST", "/nowhere")
    with pytest.raises(ImproperlyConfigured, match=r"has no HOST.*\(OperationalError\)"):
        url("postgresql", {}, HOST="", **members)
    assert "socket=%2Frun%2Fpg" in url("postgresql", {}, **members | {"HOST": "/run/pg"})


def test_another_schema_is_not_taken_for_that_of_django(
    servers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an older copy of a table in `public`, each report would be complete over the wrong rows."""
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    target = parse(servers["postgresql"])
    members = {"NAME": target.database, "USER": target.user, "PASSWORD": target.password or ""}
    members |= {"HOST": target.host, "PORT": str(target.port)}
    options = {"options": "-c search_path=clinic,public"}
    monkeypatch.setattr(databases, "declarations", lambda _: [])
    with (
        override_settings(RESEAL=django_support.CODECS),
        setting("postgresql", OPTIONS=options, **members),
        pytest.raises(CommandError, match="search_path to ALTER ROLE"),
    ):
        call_command("reseal", "--using", ALIAS, "census")


def test_a_url_may_be_given_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from django_app import models as app

    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    monkeypatch.setenv("RESEAL_INDEX_KEY", INDEX.export())
    every = databases.declarations
    monkeypatch.setattr(
        databases, "declarations", lambda alias: [it for it in every(alias) if it.table == "badge"]
    )
    here = django_support.sqlite_file(tmp_path)
    with (
        override_settings(RESEAL=django_support.CODECS),
        django_support.database("sqlite", here, "here") as alias,
        django_support.tables(alias, app.Badge),
    ):
        app.Badge.objects.create(secret="s")
        with setting("sqlite", NAME=":memory:"):
            for given in ([f"--db={here}"], ["--db", here]):
                capfd.readouterr()
                call_command("reseal", "--using", ALIAS, "census", *given)
                assert "badge.secret" in capfd.readouterr().out
            with pytest.raises(CommandError, match="in memory"):
                call_command("reseal", "--using", ALIAS, "census")
