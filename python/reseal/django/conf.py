"""The setting `RESEAL`, read at the first use.

```python
RESEAL = {"codecs": {"app": {"kind": "reseal", "keyring": "env"}}, "write": "app"}  # what counts if nothing is set
RESEAL = {"manifest": BASE_DIR / "reseal.toml"}  # the codecs of a manifest
RESEAL = {"replicas": {"replica": "default"}}  # what is read from the first is saved to the second as it is
```
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.db import DEFAULT_DB_ALIAS

from reseal._adapters import Codecs

_MEMBERS = ("codecs", "manifest", "write", "replicas")
_lock = threading.Lock()
#: Those of the setting as it is; None before the first use.
current: Codecs | None = None


def codecs() -> Codecs:
    """Return the codecs of the application; no key is read by it.

    Errors: `ImproperlyConfigured` for a setting that is no such mapping; `invalid-argument` for what
    describes no codec.
    """
    global current
    found = current
    if found is None:
        with _lock:
            found = current = current or _made()
    return found


def write() -> str:
    """Return the name of the codec that fields write that name none."""
    return str(_setting().get("write", "app"))


def primary(alias: str | None) -> str | None:
    """Return the alias of the database that a replica copies, and any other as it is.

    Errors: `ImproperlyConfigured` for a setting that is no such mapping.
    """
    replicas = _setting().get("replicas", {})
    if not isinstance(replicas, Mapping):
        raise ImproperlyConfigured(
            "replicas of RESEAL is a mapping from the alias of each replica to that of its primary"
        )
    found: str | None = replicas.get(alias, alias)
    return found


def _made() -> Codecs:
    setting = _setting()
    return Codecs(
        setting.get("codecs"), manifest=setting.get("manifest"), database_url=_database_url
    )


def _database_url() -> str | None:
    """Where a keyset `sql:RING` is: the variable of `reseal`, or the database of Django."""
    from reseal.django import databases

    return os.environ.get("RESEAL_DATABASE_URL") or databases.url(DEFAULT_DB_ALIAS)


def _setting() -> Mapping[str, Any]:
    setting = getattr(settings, "RESEAL", {})
    if not isinstance(setting, Mapping):
        raise ImproperlyConfigured(
            "RESEAL is a mapping with codecs or manifest, write, and replicas"
        )
    unknown = [name for name in setting if name not in _MEMBERS]
    if unknown:
        raise ImproperlyConfigured(
            f"RESEAL has {unknown[0]!r}, and knows only {', '.join(_MEMBERS)}"
        )
    return setting


def _forget(*, setting: str, **_: object) -> None:
    """Take a new setting in a test."""
    global current
    if setting == "RESEAL":
        current = None


setting_changed.connect(_forget, dispatch_uid="reseal.django.conf")
