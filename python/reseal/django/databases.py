"""The databases of Django, as the jobs take them, and the manifest of its models."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router

from reseal._adapters import Declaration, manifest_text
from reseal.django import conf
from reseal.django.fields import encrypted_fields

_SCHEMES = {"postgresql": "postgresql", "mysql": "mysql", "sqlite": "sqlite"}
_OPTIONS = ("sslmode", "sslrootcert", "connect_timeout")


def declarations(alias: str) -> list[Declaration]:
    """Return what the models declare whose tables are in a database, in the order of the models."""
    found = []
    for model in apps.get_models():
        if not _holds(alias, model):
            continue
        found += [it.declaration() for it in encrypted_fields(model) if it.model is model]
    return found


def _holds(alias: str, model: Any) -> bool:
    """Whether the table of a model is in a database.

    A router may migrate a model nowhere, such as one of a database that others look after: its rows are where
    it writes them, and have to be counted all the same.
    """
    if any(router.allow_migrate_model(one, model) for one in connections):
        return bool(router.allow_migrate_model(alias, model))
    return bool(router.db_for_write(model) == alias)


def manifest(alias: str) -> str:
    """Return the manifest of a database as text: what `reseal.toml` would say.

    Errors: `invalid-argument` for what no manifest can say, such as a tenant that a function gives.
    """
    return manifest_text(conf.codecs(), declarations(alias))


def url(alias: str) -> str:
    """Return the URL of a database, with its password.

    Errors: `ImproperlyConfigured` for a database in memory, and for an engine that the jobs do not know.
    """
    connection = connections[alias]
    setting: dict[str, Any] = connection.settings_dict
    scheme = _SCHEMES.get(connection.vendor)
    if scheme is None:
        raise ImproperlyConfigured(f"the jobs know no database of the kind {connection.vendor}")
    name = str(setting["NAME"])
    if scheme == "sqlite":
        if ":memory:" in name or "mode=memory" in name:
            raise ImproperlyConfigured(
                "a database in memory cannot be reached by another connection"
            )
        return f"sqlite:///{quote(name)}"
    at = quote(setting["USER"] or "", safe="")
    password = setting["PASSWORD"] or ""
    if password:
        at += ":" + quote(password, safe="")
    host, port = str(setting["HOST"] or "localhost"), setting["PORT"]
    more = {name: setting["OPTIONS"][name] for name in _OPTIONS if name in setting["OPTIONS"]}
    if host.startswith("/"):
        host, more["socket"] = "localhost", host
    place = f"[{host}]" if ":" in host else host
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in more.items())
    found = f"{scheme}://{at}@{place}" + (f":{port}" if port else "") + f"/{quote(name, safe='')}"
    return f"{found}?{query}" if query else found
