"""The check of `Meta.ordering`: no row is ordered by ciphertext, however the order is spelled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django_support
import pytest

django_support.setup()

from django.core.exceptions import FieldError  # noqa: E402
from django.db import models  # noqa: E402
from django.db.models import Case, F, OrderBy, Value, When  # noqa: E402
from django.db.models.functions import Coalesce, Lower  # noqa: E402
from django.test.utils import isolate_apps  # noqa: E402
from reseal.django import EncryptedManager, EncryptedTextField  # noqa: E402


def declared(*ordering: Any) -> Any:
    """A model whose rows are ordered so."""

    class Person(models.Model):
        name = models.TextField()
        ssn = EncryptedTextField(null=True)
        chief = models.ForeignKey("self", models.CASCADE, null=True)
        objects = EncryptedManager()

        class Meta:
            app_label = "django_app"

    # As a tuple of Meta; a class body knows no argument of the function around it.
    Person._meta.ordering = ordering
    return Person


@pytest.mark.parametrize(
    "item",
    [
        "ssn",
        "-ssn",
        F("ssn"),
        F("ssn").desc(),
        F("ssn").asc(nulls_last=True),
        OrderBy(F("ssn")),
        Lower("ssn"),
        Coalesce(F("name"), F("ssn")).desc(),
        "chief__ssn",
        F("chief__ssn").desc(),
    ],
    ids=str,
)
@isolate_apps("django_app")
def test_an_order_by_ciphertext_is_an_error(tmp_path: Path, item: Any) -> None:
    model = declared("name", item)
    [error] = [it for it in model.check() if it.id.startswith("reseal.")]
    assert (error.id, error.obj.name) == ("reseal.E006", "ssn")
    # As a query would say.
    with (
        django_support.database("sqlite", django_support.sqlite_file(tmp_path)) as alias,
        pytest.raises(FieldError, match="ordered by"),
    ):
        model.objects.all().query.get_compiler(alias).as_sql()


@pytest.mark.parametrize(
    "item",
    [
        "?",
        "pk",
        "-name",
        F("name").desc(),
        Lower("name"),
        "chief__name",
        "chief",
        Case(When(ssn__isnull=True, then=Value(1)), default=Value(2)),
    ],
    ids=str,
)
@isolate_apps("django_app")
def test_another_order_is_none(item: Any) -> None:
    assert not [it for it in declared(item).check() if it.id.startswith("reseal.")]
