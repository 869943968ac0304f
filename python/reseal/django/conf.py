"""The setting `RESEAL`, read at the first use.

```python
RESEAL = {"codecs": {"app": {"kind": "reseal", "keyring": "env"}}, "write": "app"}  # what counts if nothing is set
RESEAL = {"manifest": BASE_DIR / "reseal.toml"}  # the codecs of a manifest
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

_MEMBERS = ("codecs", "manifest", "write")
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
        raise ImproperlyConfigured("RESEAL is a mapping with codecs or manifest, and write")
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
