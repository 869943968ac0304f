"""The databases of Django, as the jobs take them, and the manifest of its models."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connections, router

from reseal._adapters import Declaration, manifest_text
from reseal.django import conf
from reseal.django.database_url import url
from reseal.django.fields import encrypted_fields

__all__ = ["declarations", "manifest", "url"]


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
