"""Runs Django's own tests of model fields, in a process of its own.

    python -m django_suite.run FOLDER DATABASE_URL django|random|deterministic

`FOLDER` holds Django's package `model_fields`. Its fields are Django's, or encrypted ones in one of the
modes. What each test came to is printed as JSON, and how many fields of which kind were declared.
"""

from __future__ import annotations

import collections
import json
import os
import re
import sys
import unittest
from typing import Any
from unittest.util import strclass

import django
import django_support
import pymysql
import reseal
from django.apps import apps
from django.conf import settings
from django_suite.source import PACKAGE
from django_suite.substitute import Finder


def main(folder: str, database_url: str, fields: str) -> None:
    """Run the tests and print what each came to."""
    os.environ["RUNNING_DJANGOS_TEST_SUITE"] = (
        "true"  # so databases say which tests are not for them
    )
    os.environ["RESEAL_PRIMARY_KEY"] = reseal.Key.generate("data").export()
    sys.dont_write_bytecode = True  # what is compiled depends on the fields
    sys.path.insert(0, folder)
    pymysql.install_as_MySQLdb()
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "reseal.django", PACKAGE],
        MIGRATION_MODULES={"contenttypes": None},
        DATABASES={"default": database(database_url)},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=False,
    )
    if fields != "django":
        sys.meta_path.insert(0, Finder())
        by_default(fields)
    django.setup()
    declared = collections.Counter(
        type(field).__name__
        for model in apps.get_app_config(PACKAGE).get_models()
        for field in model._meta.local_fields
    )
    print(json.dumps({"outcomes": outcomes(), "declared": declared}))


def database(url: str) -> dict[str, Any]:
    """The settings of a database, beside which Django makes one for tests."""
    kind = url.partition(":")[0]
    if kind == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3"}  # in memory
    return django_support.options(kind, url) | {"TEST": {"NAME": f"suite_{os.getpid()}"}}


def by_default(mode: str) -> None:
    """Let fields have a mode that name none."""
    from reseal.django.fields import base

    defaults: Any = base.EncryptedField.__init__.__kwdefaults__
    base._OPTIONS["mode"] = defaults["mode"] = mode


def outcomes() -> dict[str, str]:
    """What each test came to, by its name."""
    from django.test.runner import DiscoverRunner
    from django.test.utils import iter_test_cases

    runner = DiscoverRunner(verbosity=0, interactive=False)
    runner.setup_test_environment()
    result = Result()
    suite = runner.build_suite([PACKAGE])
    tests = list(iter_test_cases(suite))
    databases = runner.setup_databases()
    try:
        suite.run(result)
    finally:
        runner.teardown_databases(databases)
    for test in tests:
        # What was not run is of a class that could not be set up.
        result.note(test, result.classes.get(strclass(type(test)), "was not run"))
    return result.found


class Result(unittest.TestResult):
    """By the name of the test: `passed`, `skipped`, or the class and the text of the first error."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.classes: dict[str, str] = {}

    def note(self, test: unittest.TestCase, outcome: str) -> None:
        """Keep what was said of a test first."""
        self.found.setdefault(test.id().removeprefix(f"{PACKAGE}."), outcome)

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        self.note(test, "passed")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        self.note(test, "skipped")

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        outcome = f"{err[0].__name__}: {err[1]}"
        if isinstance(test, unittest.TestCase):
            self.note(test, outcome)
        else:
            where = re.fullmatch(r"setUpClass \((.*)\)", test.id())
            self.classes[where[1] if where else test.id()] = outcome

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self.addError(test, err)

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self.note(test, "skipped")  # a database said that it fails there

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        self.note(test, "passed, and should not have")

    def addSubTest(  # noqa: N802
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any
    ) -> None:
        if err is not None:
            self.addError(test, err)


if __name__ == "__main__":
    main(*sys.argv[1:])
