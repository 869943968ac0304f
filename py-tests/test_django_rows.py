"""What instances of models do with encrypted fields: how they are read, copied, inherited and saved again."""

from __future__ import annotations

import asyncio
import copy
import pickle
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import django_support
import pytest
import reseal
from django_support import RING, stored
from reseal import hooks

django_support.setup()

from django.db import connections, transaction  # noqa: E402
from django_app import models as app  # noqa: E402
from reseal.django import EncryptedManager, Unopened  # noqa: E402

MODELS = (app.Everything, app.First, app.Second, app.Child, app.Pet, app.Badge, app.Stamped)
pytestmark = pytest.mark.usefixtures("db")


# --- what is read ---------------------------------------------------------------------------------


def test_a_default_counts() -> None:
    fresh = app.Everything()
    assert (fresh.text, fresh.integer, fresh.truth, fresh.document) == ("", 0, False, {})
    fresh.save()
    assert app.Everything.objects.get().document == {}


def test_only_and_defer() -> None:
    app.First.objects.create(secret="s")
    with hooks.Counters() as counters:
        found = app.First.objects.only("pk").get()
        assert found.get_deferred_fields() == {"secret", "secret_index"}
        assert found.secret == "s"
        assert app.First.objects.defer("secret").get().secret_index is not None
        assert app.First.objects.only("secret").get().secret == "s"
    assert counters.total("opened") == 2


def test_refresh_from_db() -> None:
    row = app.First.objects.create(secret="s")
    app.First.objects.update(secret="t")
    row.refresh_from_db()
    assert row.secret == "t"
    app.First.objects.update(secret="u")
    row.refresh_from_db(fields=["secret"])
    assert row.secret == "u"
    row.save()
    assert app.First.objects.get(secret="u") == row


def test_select_related_and_prefetch_are_lazy() -> None:
    owner = app.First.objects.create(secret="s")
    app.Pet.objects.create(owner=owner, name="Rex")
    with hooks.Counters() as counters:
        pet = app.Pet.objects.select_related("owner").get()
        assert counters.total("opened") == 0
        assert (pet.name, pet.owner.secret) == ("Rex", "s")
        [found] = app.First.objects.prefetch_related("pets")
        assert [it.name for it in found.pets.all()] == ["Rex"]
    assert counters.total("opened") == 3
    assert app.Pet.objects.get(owner__secret="s") == pet
    assert list(app.Pet.objects.exclude(owner__secret="s")) == []
    assert app.Pet.objects.values_list("owner__secret", flat=True).get() == "s"
    assert app.First.objects.filter(pets__owner__secret__in=["s", "t"]).count() == 1


def test_raw_queries() -> None:
    row = app.First.objects.create(secret="s")
    [found] = app.First.objects.raw(f"SELECT * FROM {app.First._meta.db_table}")
    assert (found, found.secret) == (row, "s")


def test_async_queries() -> None:
    async def work() -> tuple[Any, ...]:
        try:
            row = await app.First.objects.acreate(secret="s")
            found = await app.First.objects.aget(secret="s")
            found.secret = "t"
            await found.asave()
            changed = await app.First.objects.filter(secret="t").aupdate(secret="u")
            secrets = [it.secret async for it in app.First.objects.all()]
            return (
                found == row,
                changed,
                secrets,
                await app.First.objects.filter(secret="u").acount(),
            )
        finally:
            from asgiref.sync import sync_to_async

            await sync_to_async(connections.close_all)()

    assert asyncio.run(work()) == (True, 1, ["u"], 1)


def test_the_manager_is_one_of_django() -> None:
    assert isinstance(app.First.objects, EncryptedManager)
    assert app.First.objects.filter(secret="s").exists() is False


# --- what is copied, or saved again ---------------------------------------------------------------


def test_what_was_changed_in_place_is_saved() -> None:
    app.Everything.objects.create(document={"a": 1})
    found = app.Everything.objects.get()
    found.document["a"] = 2
    found.save()
    assert app.Everything.objects.get().document == {"a": 2}


def test_a_copy_is_sealed_anew() -> None:
    app.First.objects.create(secret="s")
    with hooks.Counters() as counters:
        row = app.First.objects.get()
        row.pk = None
        row._state.adding = True
        row.save()
    assert (counters.total("opened"), counters.total("sealed")) == (1, 1)
    assert len(set(stored(app.First, "secret"))) == 2
    assert app.First.objects.filter(secret="s").count() == 2


def test_a_copy_of_a_bound_row_is_bound_to_its_own() -> None:
    app.Badge.objects.create(secret="s")
    row = app.Badge.objects.get()
    row.pk = uuid.uuid4()
    row._state.adding = True
    row.save()
    assert [it.secret for it in app.Badge.objects.all()] == ["s", "s"]


def test_pickle_and_copy_keep_what_is_sealed() -> None:
    app.First.objects.create(secret="the secret")
    found = app.First.objects.get()
    pickled = pickle.dumps(found)
    assert b"the secret" not in pickled
    assert pickle.loads(pickled).secret == "the secret"
    assert copy.copy(found).secret == copy.deepcopy(found).secret == "the secret"
    assert "the secret" not in repr(app.First.objects.get().__dict__)
    rows = pickle.loads(pickle.dumps(app.First.objects.all()))
    assert [row.secret for row in rows] == ["the secret"]


def test_a_row_that_was_loaded_keeps_its_rotated_value() -> None:
    app.First.objects.create(secret="s")
    found = app.First.objects.get()
    here = {"table": app.First._meta.db_table, "column": "secret"}
    rotated = RING.seal("s", here)
    with connections[django_support.Router.current].cursor() as cursor:
        cursor.execute(f"UPDATE {app.First._meta.db_table} SET secret = %s", [rotated])
    found.save()
    assert stored(app.First, "secret") == [rotated]


def test_auto_now() -> None:
    row = app.Stamped.objects.create()
    found = app.Stamped.objects.get()
    assert (found.made, found.changed) == (row.made, row.changed)
    made = stored(app.Stamped, "made")
    with hooks.Counters() as counters:
        again = app.Stamped.objects.get()
        again.save()
    assert counters.total("opened") == 0
    assert stored(app.Stamped, "made") == made
    assert app.Stamped.objects.get().changed > row.changed


def test_a_transaction_that_fails_leaves_the_instance_usable() -> None:
    row = app.First.objects.create(secret="s")
    row.secret = "t"
    try:
        with transaction.atomic(using=django_support.Router.current):
            row.save()
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert app.First.objects.get(secret="s") == row
    row.save()
    assert app.First.objects.get(secret="t") == row


# --- several tables and databases -----------------------------------------------------------------


def test_abstract_models() -> None:
    app.First.objects.create(secret="s")
    app.Second.objects.create(secret="s", more=1)
    assert app.First.objects.get(secret="s").secret == "s"
    assert app.Second.objects.get(secret="s").more == 1
    for model in (app.First, app.Second):
        [there] = stored(model, "secret")
        here = {"table": model._meta.db_table, "column": "secret"}
        assert RING.open_str(there, here) == "s"


def test_models_of_several_tables() -> None:
    child = app.Child.objects.create(secret="s", own="o")
    found = app.Child.objects.get(secret="s")
    assert (found, found.own, found.secret) == (child, "o", "s")
    assert app.First.objects.get(secret="s").pk == child.pk
    found.secret, found.own = "t", "p"
    found.save()
    assert app.Child.objects.get(secret="t").own == "p"
    assert app.Child.objects.update(secret="u", own="q") == 1
    assert app.Child.objects.get(secret="u").own == "q"
    untouched = app.Child.objects.get()
    with hooks.Counters() as counters:
        untouched.save()
    assert (counters.total("opened"), counters.total("sealed")) == (0, 0)
    assert app.Child.objects.only("own").get().secret == "u"


def test_proxy_models() -> None:
    app.First.objects.create(secret="s")
    found = app.Alias.objects.get(secret="s")
    found.secret = "t"
    found.save()
    assert app.First.objects.get(secret="t").pk == found.pk


def test_several_databases(tmp_path: Path) -> None:
    here = django_support.Router.current
    url = django_support.sqlite_file(tmp_path)
    with ExitStack() as stack:
        other = stack.enter_context(django_support.database("sqlite", url, "other"))
        django_support.Router.current = here
        stack.enter_context(django_support.tables(other, app.First))
        app.First.objects.create(secret="here")
        app.First.objects.using(other).create(secret="there")
        assert app.First.objects.using(other).get(secret="there").secret == "there"
        assert not app.First.objects.using(other).filter(secret="here").exists()
        moved = app.First.objects.get()
        moved.pk = None
        moved.save(using=other, force_insert=True)
        assert app.First.objects.using(other).get(secret="here").secret == "here"
        django_support.Router.current = here


# --- what cannot be opened ------------------------------------------------------------------------


def spoil(model: Any, name: str) -> None:
    """Damage what the database holds."""
    table = model._meta.db_table
    with connections[django_support.Router.current].cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {name} = substr({name}, 1, 50)")


def test_a_report_shows_what_cannot_be_opened_and_keeps_it() -> None:
    app.First.objects.create(secret="s")
    spoil(app.First, "secret")
    before = stored(app.First, "secret")
    with pytest.raises(reseal.FormatError, match=r"row \d+"):
        app.First.objects.get().secret  # noqa: B018
    found = app.First.objects.on_error("report").get()
    assert isinstance(found.secret, Unopened)
    assert (found.secret.code, str(found.secret)) == ("malformed", "[cannot be opened: malformed]")
    found.save()
    found.secret = found.secret
    found.full_clean()
    found.save()
    app.First.objects.bulk_update([found], ["secret"])
    assert stored(app.First, "secret") == before
    found.pk = None
    found._state.adding = True
    with pytest.raises(reseal.FormatError):
        found.save()
    found = app.First.objects.on_error("report").get()
    found.secret = "mended"
    found.save()
    assert app.First.objects.get(secret="mended").secret == "mended"
    with pytest.raises(ValueError, match="report"):
        app.First.objects.on_error("ignore")


def test_a_candidate_that_cannot_be_opened_is_no_silent_miss() -> None:
    app.First.objects.create(secret="s")
    spoil(app.First, "secret")
    with pytest.raises(reseal.FormatError):
        app.First.objects.filter(secret="s").count()
    assert app.First.objects.filter(secret="t").count() == 0
