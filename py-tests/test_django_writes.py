"""What every way of writing keeps: the terms of an index beside their value, and what a value is bound to."""

from __future__ import annotations

from typing import Any

import django_support
import pytest
import reseal
from django_support import RING, stored
from reseal import hooks

django_support.setup()

from django.core.exceptions import FieldError  # noqa: E402
from django.db import models  # noqa: E402
from django.db.models.functions import Upper  # noqa: E402
from django_app import models as app  # noqa: E402

MODELS = (app.Everything, app.First, app.Pet, app.Plainly, app.Member, app.Grouped)
pytestmark = pytest.mark.usefixtures("db")


# --- an instance ----------------------------------------------------------------------------------


def test_a_deferred_index_is_saved_with_its_field() -> None:
    app.First.objects.create(secret="s")
    found = app.First.objects.only("secret").get()
    found.secret = "t"
    found.save()
    assert app.First.objects.filter(secret="t").exists()
    assert not app.First.objects.filter(secret="s").exists()


@pytest.mark.parametrize("model", [app.First, app.Plainly])
def test_update_fields_takes_the_index_along(model: Any) -> None:
    row = model.objects.create(secret="s")
    row.secret = "t"
    row.save(update_fields=["secret"])
    assert model.objects.get(secret="t") == row
    assert not model.objects.filter(secret="s").exists()
    row.secret = None
    row.save(update_fields=["secret"])
    assert stored(model, "secret_index") == [None]


def test_an_index_alone_is_saved_as_its_value() -> None:
    row = app.First.objects.create(secret="s")
    row.secret_index = "forged"
    row.save(update_fields=["secret_index"])
    assert app.First.objects.get(secret="s") == row


def test_get_or_create_and_update_or_create() -> None:
    first, created = app.First.objects.get_or_create(secret="s")
    again, created_again = app.First.objects.get_or_create(secret="s")
    assert (created, created_again, first) == (True, False, again)
    row, created = app.First.objects.update_or_create(secret="s", defaults={"secret": "t"})
    assert (created, row) == (False, first)
    assert app.First.objects.get(secret="t") == first
    assert not app.First.objects.filter(secret="s").exists()
    with pytest.raises(FieldError, match="BlindIndexField"):
        app.Everything.objects.get_or_create(text="x")


# --- many rows ------------------------------------------------------------------------------------


def test_an_expression_is_never_written() -> None:
    app.First.objects.create(secret="s")
    other = app.Pet.objects.values("name")[:1]
    for wrong in (models.F("id"), Upper(models.Value("x")), models.Subquery(other)):
        with pytest.raises(FieldError):
            app.First.objects.update(secret=wrong)
        row = app.First.objects.get()
        row.secret = wrong
        with pytest.raises(FieldError):
            row.save()
    assert app.First.objects.get().secret == "s"


def test_a_manager_that_knows_no_index_leaves_none_behind() -> None:
    row = app.Plainly.objects.create(secret="s")
    for value in ("t", None):
        with pytest.raises(FieldError, match="secret_index"):
            app.Plainly.objects.update(secret=value)
        row.secret = value
        with pytest.raises(FieldError, match="secret_index"):
            app.Plainly.objects.bulk_update([row], ["secret"])
    conflict = app.Plainly(pk=row.pk, secret="t")
    with pytest.raises(FieldError, match="secret_index"):
        app.Plainly.objects.bulk_create(
            [conflict], update_conflicts=True, update_fields=["secret"], unique_fields=["id"]
        )
    assert app.Plainly.objects.get(secret="s") == row


def test_upserts_write_the_index() -> None:
    row = app.First.objects.create(secret="s")
    app.First.objects.bulk_create(
        [app.First(pk=row.pk, secret="t"), app.First(pk=row.pk + 1, secret="u")],
        update_conflicts=True,
        update_fields=["secret"],
        unique_fields=["id"],
    )
    assert app.First.objects.get(secret="t") == row
    assert app.First.objects.filter(secret="u").count() == 1
    assert not app.First.objects.filter(secret="s").exists()
    again = [app.First(pk=row.pk, secret="v")]
    app.First.objects.bulk_create(again, 500, False, True, ["secret"], ["id"])
    assert app.First.objects.get(secret="v") == row


def test_bulk_update_leaves_what_was_not_opened() -> None:
    app.First.objects.bulk_create([app.First(secret=f"{number}") for number in range(4)])
    before = stored(app.First, "secret")
    rows = list(app.First.objects.all())
    rows[0].secret = "new"
    with hooks.Counters() as counters:
        assert app.First.objects.bulk_update(rows, ["secret"], batch_size=3) == 4
    assert (counters.total("opened"), counters.total("sealed")) == (0, 1)
    assert len(set(before) & set(stored(app.First, "secret"))) == 3
    assert [row.secret for row in rows] == ["new", "1", "2", "3"]
    assert app.First.objects.get(secret="new") == rows[0]


def test_a_row_that_is_named_twice_is_updated() -> None:
    row = app.First.objects.create(secret="s")
    row.secret = "t"
    assert app.First.objects.bulk_update([row, row], ["secret"]) == 1
    assert (row.secret, app.First.objects.get(secret="t")) == ("t", row)


# --- what is bound to a tenant --------------------------------------------------------------------


def test_update_of_bound_rows() -> None:
    keys = [app.Member.objects.create(tenant=tenant, secret="a").pk for tenant in (1, 2, 3)]
    assert app.Member.objects.filter(tenant__lt=3).update(secret="b") == 2
    assert [app.Member.objects.get(pk=key).secret for key in keys] == ["b", "b", "a"]
    assert app.Member.objects.get(tenant=2, secret="b").pk == keys[1]
    assert app.Member.objects.update(secret=None) == 3
    with pytest.raises(FieldError, match="secret"):
        app.Member.objects.update(tenant=9)
    row = app.Member.objects.get(pk=keys[0])
    row.tenant = 9
    with pytest.raises(FieldError, match="secret"):
        row.save(update_fields=["tenant"])
    with pytest.raises(FieldError, match="bound"):
        models.QuerySet(app.Member, using=django_support.Router.current).update(secret="c")
    with pytest.raises(FieldError, match="bound"):
        list(models.QuerySet(app.Member).values("secret"))


def test_a_tenant_of_a_function() -> None:
    row = app.Grouped.objects.create(group="a", secret="s")
    assert app.Grouped.objects.get().secret == "s"
    [there] = stored(app.Grouped, "secret")
    here = {"table": app.Grouped._meta.db_table, "column": "secret", "tenant": "tenant-a"}
    assert RING.open_str(there, here) == "s"
    row.group = "b"
    row.save()
    assert app.Grouped.objects.get().secret == "s"


def test_a_missing_tenant_is_refused() -> None:
    with pytest.raises(reseal.ResealError) as caught:
        app.Member(secret="s").save()
    assert caught.value.code == "context-invalid"
