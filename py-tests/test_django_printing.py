"""Queries that are printed: what they say, and that they ask no database for it."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from typing import Any

import django_support
import pytest

django_support.setup()

from django.core.exceptions import EmptyResultSet  # noqa: E402
from django.db import connections  # noqa: E402
from django.db.models import Exists, OuterRef, Q  # noqa: E402
from django.db.models.sql import query as of_django  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django_app import models as app  # noqa: E402

MODELS = (app.First, app.Child, app.Pet, app.Person)
pytestmark = pytest.mark.usefixtures("db")

PRINTED: dict[str, Callable[[], Any]] = {
    "equal": lambda: app.First.objects.filter(secret="s"),
    "several": lambda: app.First.objects.filter(Q(secret__in=["s", "t"]) | Q(pk=1)),
    "excluded": lambda: app.First.objects.exclude(secret="s").values_list("pk"),
    "related": lambda: app.First.objects.filter(pets__owner__secret="s").distinct(),
    "inner": lambda: app.First.objects.filter(
        Exists(app.First.objects.filter(secret="s", pk=OuterRef("pk")))
    ),
    "union": lambda: app.First.objects.filter(secret="s").union(
        app.First.objects.filter(secret="t"), all=True
    ),
    "narrow": lambda: app.First.objects.only("pk").filter(secret="s").order_by("-pk")[:3],
    "copied": lambda: pickle.loads(pickle.dumps(app.First.objects.filter(pk=1))).filter(secret="s"),
}


@pytest.fixture(autouse=True)
def default(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Django prints for the database that is named default."""
    monkeypatch.setattr(of_django, "DEFAULT_DB_ALIAS", db)


@pytest.mark.parametrize("name", PRINTED)
def test_a_query_is_printed_where_no_database_may_be_asked(db: str, name: str) -> None:
    rows = PRINTED[name]()
    term = app.First._meta.get_field("secret").bound().term("s", "secret_index", {})

    async def text() -> str:
        return str(rows.query)

    with CaptureQueriesContext(connections[db]) as asked:
        printed = str(rows.query)
        assert asyncio.run(text()) == printed
    assert len(asked) == 0
    assert term in printed


def test_what_is_sent_is_verified_after_it_was_printed() -> None:
    codes = app.Person._meta.get_field("code").bound()
    wanted = codes.term("0", "code_index", {})
    same = next(
        f"{number}"
        for number in range(1, 9999)
        if codes.term(f"{number}", "code_index", {}) == wanted
    )
    for code in ("0", same):
        app.Person.objects.create(code=code)
    rows = app.Person.objects.filter(code="0")
    assert "NOT IN" not in str(rows.query)
    assert rows.get().code == "0"
    assert [it.code for it in app.Person.objects.exclude(code="0")] == [same]
    assert "NOT IN" in rows.query.sql_with_params()[0]


def test_a_query_that_fails_is_sent_verified_afterwards() -> None:
    with pytest.raises(EmptyResultSet):
        str(app.First.objects.filter(secret__in=[]).query)
    app.First.objects.create(secret="s")
    assert app.First.objects.get(secret="s").secret == "s"
