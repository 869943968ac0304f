"""A site of Django with its admin, served until its standard input ends: `admin_site.py FOLDER KEYRING LEASE [KIND]`.

KEYRING is `keyset`, `sql`, `env` or `env-keyset`. It prints its address, then serves a SQLite database in the folder.
KIND is `second` for a site with the same tables in another database as well, `elsewhere` for one whose rows are in
another database that it migrates nowhere, `grouped` for one that writes `1,0` for ten, `arabic` for one in Arabic,
`memory` for one without rows, in a database in memory, and `chart` for one with a row with fields of many types.
"""

from __future__ import annotations

import os
import socketserver
import sys
import threading
from pathlib import Path
from typing import Any
from wsgiref import simple_server

import django
import reseal
from django.conf import settings

PASSWORD = "only for tests"
ROWS = 12
urlpatterns: list[Any] = []


class Elsewhere:
    """The router of a site whose rows are in a database that others look after."""

    def db_for_read(self, model: Any, **_: Any) -> str | None:
        return "second" if model._meta.app_label == "admin_app" else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool:
        return db == "default" and app_label != "admin_app"


class Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True


class Quiet(simple_server.WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def codec(folder: Path, keyring: str, lease_seconds: int) -> dict[str, str]:
    """Make the keys, and describe their codec."""
    os.environ.pop("RESEAL_DATABASE_URL", None)
    if keyring == "env":
        os.environ["RESEAL_PRIMARY_KEY"] = reseal.Key.generate("data").export()
        os.environ["RESEAL_INDEX_KEY"] = reseal.Key.generate("index").export()
        return {"kind": "reseal", "keyring": "env"}
    kek = reseal.Key.generate("kek")
    os.environ["APP_KEK"] = kek.export()
    # The first keys are there before anybody could know of them, so nobody waits for a lease.
    keyset = reseal.Keyset.create(kek=kek, lease_seconds=lease_seconds)
    keyset.rotate("data", label="2026-q4")
    keyset.rotate("index", label="2026-q4")
    if keyring == "env-keyset":
        os.environ |= {"RESEAL_KEYSET": "ring.json", "RESEAL_KEK": kek.export()}
        reseal.KeysetFile("ring.json", kek=kek).create(keyset)
        return {"kind": "reseal", "keyring": "env"}
    if keyring == "keyset":
        reseal.KeysetFile("ring.json", kek=kek).create(keyset)
        return {"kind": "reseal", "keyring": "keyset:ring.json", "kek": "env:APP_KEK"}
    (folder / "app.db").touch()
    reseal.SqlKeysetStore(f"sqlite:///{folder}/app.db", kek=kek).create(keyset)
    return {"kind": "reseal", "keyring": f"sql:{keyset.ring_id}", "kek": "env:APP_KEK"}


def configure(folder: Path, described: dict[str, str], kind: str = "") -> None:
    """Set Django up, as a project does."""
    template = {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
    database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(folder / "app.db"),
        "ATOMIC_REQUESTS": True,
        "OPTIONS": {"timeout": 60, "transaction_mode": "IMMEDIATE"},
    }
    databases = {"default": database}
    if kind == "memory":
        database["NAME"] = "file:site?mode=memory&cache=shared"
    if kind in ("second", "elsewhere"):
        databases["second"] = database | {"NAME": str(folder / "second.db")}
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES=databases,
        DATABASE_ROUTERS=[Elsewhere()] if kind == "elsewhere" else [],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            "reseal.django",
            "admin_app",
        ],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        RESEAL={"codecs": {"app": described}},
        ROOT_URLCONF=__name__,
        SECRET_KEY="only for tests",
        STATIC_URL="/static/",
        TEMPLATES=[template],
        LANGUAGE_CODE="ar" if kind == "arabic" else "en-us",
        USE_THOUSAND_SEPARATOR=kind == "grouped",
        USE_TZ=True,
    )
    django.setup()
    if kind == "grouped":
        from django.conf.locale.en import formats

        formats.NUMBER_GROUPING = 1


def fill(kind: str = "") -> None:
    """Make the tables, rows, and people: who rotates, moves, looks, reads rows, edits some, and does nothing."""
    from admin_app.models import Chart, Patient, Visit
    from django.contrib.auth.models import Permission, User
    from django.core.management import call_command
    from django.db import connections

    for alias in connections:
        call_command("migrate", run_syncdb=True, database=alias, verbosity=0)
    if kind == "elsewhere":
        with connections["second"].schema_editor() as editor:
            editor.create_model(Patient)
            editor.create_model(Visit)
            editor.create_model(Chart)
    for number in range(0 if kind == "memory" else ROWS):
        patient = Patient.objects.create(name=f"Patient {number}", ssn=f"078-05-11{number:02}")
        Visit.objects.create(patient=patient, day=ROWS - number)
    if kind == "chart":
        values = {"text": "t", "checked": True, "price": "1.50", "level": 1, "data": {"a": 1}}
        Chart.objects.create(note="first", seen="2026-03-01T12:00:00Z", **values)
    allowed = {
        "rotator": ["view_encryptionkey", "rotate_encryptionkey"],
        "mover": ["rotate_encryptionkey"],
        "looker": ["view_encryptionkey"],
        "reader": ["view_patient", "view_visit"],
        "editor": ["view_chart", "change_chart"],
        "nobody": [],
    }
    for name, codes in allowed.items():
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codes))


def main() -> None:
    """Serve the site."""
    folder, keyring, lease_seconds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    kind = "".join(sys.argv[4:])
    os.umask(0o077)
    os.chdir(folder)
    configure(folder, codec(folder, keyring, lease_seconds), kind)
    from django.contrib import admin
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path

    fill(kind)
    urlpatterns.append(path("admin/", admin.site.urls))
    # Browsers ask for it, and complain where it is missing.
    urlpatterns.append(path("favicon.ico", lambda _: HttpResponse(status=204)))
    with simple_server.make_server(
        "127.0.0.1",
        0,
        StaticFilesHandler(get_wsgi_application()),
        server_class=Server,
        handler_class=Quiet,
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"http://127.0.0.1:{server.server_port}/admin/", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
