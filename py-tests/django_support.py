"""Django, set up once for a process of tests, with databases that come and go."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import django
import pymysql
import pytest
import reseal
from django.conf import settings
from django.db import connections
from django.test.utils import isolate_apps, override_settings
from job_support import places
from reseal._database_url import parse

Models = TypeVar("Models")
ENGINES = {"postgresql": "postgresql", "mysql": "mysql", "sqlite": "sqlite3"}
DATA, INDEX = reseal.Key.generate("data"), reseal.Key.generate("index")
RING = reseal.Keyring(primary=DATA, index=INDEX)
SECRET, OLD_SECRET = "a secret key of Django", "the one before it"
SALTS = ["a salt", "the salt before it"]
CODECS = {
    "codecs": {
        "app": {"kind": "reseal", "keyring": "env"},
        "tokens": {"kind": "fernet", "keys": ["env:TOKENS_KEY"]},
    }
}


def setup() -> None:
    """Set Django up, unless it is."""
    if settings.configured:
        return
    pymysql.install_as_MySQLdb()
    # The tests of async code call the ORM from a loop only where it is made for that.
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
    settings.configure(
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "django_cryptography",
            "reseal.django",
            "django_app",
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.dummy"}},
        DATABASE_ROUTERS=["django_support.Router"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        TIME_ZONE="Europe/Berlin",
        RESEAL=CODECS,
        # And what libraries read that encrypt fields of models.
        SECRET_KEY=SECRET,
        SECRET_KEY_FALLBACKS=[OLD_SECRET],
        SALT_KEY=SALTS,
        FERNET_KEYS=["new key", "old key"],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    )
    django.setup()


class Router:
    """Every query goes to the database that a test is about."""

    current: str | None = None

    def db_for_read(self, model: Any, **_: Any) -> str | None:
        """Return the alias of that database."""
        return Router.current

    db_for_write = db_for_read


def options(kind: str, url: str) -> dict[str, Any]:
    """The settings of a database."""
    target = parse(url)
    found: dict[str, Any] = {
        "ENGINE": f"django.db.backends.{ENGINES[kind]}",
        "NAME": target.database,
        "HOST": target.host or "",
        "PORT": target.port or "",
        "USER": target.user or "",
        "PASSWORD": target.password or "",
        "OPTIONS": {},
    }
    if kind == "sqlite":
        found["OPTIONS"] = {"timeout": 60, "transaction_mode": "IMMEDIATE"}
    if kind == "mysql":
        # PyMySQL would send text as Latin-1.
        found["PASSWORD"] = (target.password or "").encode()
        found["OPTIONS"] = {"charset": "utf8mb4", "isolation_level": "read committed"}
    return found


@contextmanager
def database(kind: str, url: str, alias: str = "") -> Iterator[str]:
    """A database under an alias, which all queries go to."""
    alias = alias or kind
    before = Router.current
    known = connections.configure_settings({"default": {}, alias: options(kind, url)})
    connections.settings[alias] = known[alias]
    Router.current = alias
    try:
        yield alias
    finally:
        Router.current = before
        connections[alias].close()
        del connections[alias]
        del connections.settings[alias]


@contextmanager
def tables(alias: str, *models: Any) -> Iterator[None]:
    """The tables of models, as migrations would make them."""
    with connections[alias].schema_editor() as editor:
        for model in models:
            editor.create_model(model)
    yield
    with connections[alias].schema_editor() as editor:
        for model in reversed(models):
            editor.delete_model(model)


def empty(alias: str, *models: Any) -> None:
    """Delete all rows of models in SQLite, in any order."""
    with connections[alias].cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys = OFF")
        for model in models:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")


def stored(model: Any, name: str) -> list[Any]:
    """What the database holds for a field, in order."""
    field = model._meta.get_field(name)
    table = field.model._meta.db_table
    with connections[Router.current].cursor() as cursor:
        cursor.execute(f"SELECT {field.column} FROM {table} ORDER BY 1")
        return [value for [value] in cursor.fetchall()]


def sqlite_file(folder: Path) -> str:
    """The URL of a database in a folder."""
    return f"sqlite:///{folder}/app.db"


@contextmanager
def sqlite_tables(factory: pytest.TempPathFactory, *models: Any) -> Iterator[str]:
    """The alias of a database in a folder of its own, with the tables of the models."""
    url = sqlite_file(factory.mktemp("django"))
    with database("sqlite", url) as alias, tables(alias, *models):
        yield alias


@contextmanager
def fresh_ring(alias: str, monkeypatch: pytest.MonkeyPatch, *models: Any) -> Iterator[str]:
    """The same with the keys of `RING` in the environment; what the models have is gone afterwards."""
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    monkeypatch.setenv("RESEAL_INDEX_KEY", INDEX.export())
    for name in ("TOKENS_KEY", "RESEAL_DECRYPT_KEYS", "RESEAL_REQUIRE_ENCRYPTION"):
        monkeypatch.delenv(name, raising=False)
    with override_settings(RESEAL=CODECS):  # a ring of its own
        yield alias
    empty(alias, *models)


@contextmanager
def application(
    made: Callable[[], Models], kind: str, servers: Mapping[str, str], folder: Path
) -> Iterator[Models]:
    """Models that a class makes, which has them in `all`, with their tables in a database of their own."""
    with isolate_apps("django_app"):
        app: Any = made()
        for place in places(kind, "python", servers, folder):
            with database(place.kind, place.url) as alias, tables(alias, *app.all):
                yield app
