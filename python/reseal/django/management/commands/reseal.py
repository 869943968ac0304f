"""`manage.py reseal`: the command `reseal` with the manifest of the models and the database of Django."""

from __future__ import annotations

import os
import sys
import tempfile
from argparse import REMAINDER
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connections

from reseal._cli import main
from reseal._errors import ResealError
from reseal.django import databases

_ACTIONS = ("manifest", "census", "discover", "plan", "apply", "verify", "retire")
_VARIABLE = "RESEAL_DATABASE_URL"


class Command(BaseCommand):
    """Runs the bulk job over the encrypted fields of all models.

    `manage.py reseal manifest` prints the manifest, which `reseal` itself takes as well. The others
    are the commands of `reseal` of these names, with all their options after the name: `manage.py
    reseal apply --dry-run`. `--using` names another database, before the name; `--db` after it gives a
    URL in the place of the one that is made of the settings. The exit code is that of `reseal`.

    Errors: `CommandError`, as for a database with options that no URL can say.
    """

    help = "Census, plan, apply, verify and retire over the encrypted fields of all models."
    requires_system_checks: list[str] = []  # noqa: RUF012  (so declares Django it)

    def add_arguments(self, parser: Any) -> None:
        """Take the name of a command, and leave its options to it."""
        parser.add_argument("--using", default=DEFAULT_DB_ALIAS, help="The alias of the database.")
        parser.add_argument("action", choices=_ACTIONS)
        parser.add_argument("options", nargs=REMAINDER, help="See reseal ACTION --help.")

    def handle(self, *_: Any, action: str, using: str, options: list[str], **__: Any) -> None:
        """Run it.

        Errors: `CommandError` where the models say what no manifest can say.
        """
        if using not in connections:
            raise CommandError(f"there is no database {using!r}")
        try:
            text = databases.manifest(using)
        except ResealError as error:
            raise CommandError(str(error)) from None
        if action == "manifest":
            self.stdout.write(text)
            return
        names_database = any(it.partition("=")[0] == "--db" for it in options)
        try:
            url = None if names_database else databases.url(using)
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        code = _run(action, options, text, url)
        if code:
            sys.exit(code)


def _run(action: str, options: list[str], text: str, url: str | None) -> int:
    """Run the command, which other processes may help: they read the manifest and the variable, too."""
    before = os.environ.get(_VARIABLE)
    with tempfile.TemporaryDirectory(prefix="reseal-") as folder:
        path = Path(folder) / "reseal.toml"
        path.write_text(text, encoding="utf-8")
        # Never among the arguments, which everybody on the machine sees: it has the password.
        if url is not None:
            os.environ[_VARIABLE] = url
        try:
            return main([action, "--manifest", str(path), *options])
        finally:
            if before is None:
                os.environ.pop(_VARIABLE, None)
            else:
                os.environ[_VARIABLE] = before
