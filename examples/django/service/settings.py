"""The database of Rails, the keys of Rails, and our own ones."""

import os
from urllib.parse import unquote, urlsplit

DATABASE = urlsplit(os.environ["DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE.path.removeprefix("/"),
        "HOST": DATABASE.hostname or "",
        "PORT": DATABASE.port or "",
        "USER": unquote(DATABASE.username or ""),
        "PASSWORD": unquote(DATABASE.password or ""),
    }
}
SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = ["reseal.django", "service"]
ROOT_URLCONF = "service.urls"
USE_TZ = True

_RAILS = {"kind": "rails", "key_derivation_salt": "env:AR_SALT", "digests": ["sha256", "sha1"]}
RESEAL = {
    "codecs": {
        "app": {"kind": "reseal", "keyring": "env"},
        "rails": _RAILS | {"primary_keys": ["env:AR_PRIMARY_KEY"]},
        "rails_lookup": _RAILS
        | {"deterministic": True, "deterministic_keys": ["env:AR_DETERMINISTIC_KEY"]},
    }
}

#: How far the move is: see the README.
STAGE = os.environ.get("STAGE", "rails")
STAGES = ("rails", "name", "email", "done")
if STAGE not in STAGES:
    raise ValueError(f"STAGE is one of {', '.join(STAGES)}, not {STAGE}")
