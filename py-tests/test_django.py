"""What Django's own fields do, encrypted ones do as well: values, queries, rows, inheritance, fixtures."""

from __future__ import annotations

import asyncio
import copy
import datetime
import decimal
import io
import json
import pickle
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import django_support
import pytest
import reseal
from reseal import hooks

django_support.setup()

import reseal.django  # noqa: E402
from django import forms  # noqa: E402
from django.core import checks, serializers  # noqa: E402
from django.core.exceptions import (  # noqa: E402
    FieldError,
    ImproperlyConfigured,
    ValidationError,
)
from django.core.management import call_command  # noqa: E402
from django.db import connections, models, transaction  # noqa: E402
from django.db.migrations.writer import MigrationWriter  # noqa: E402
from django.db.models.functions import Upper  # noqa: E402
from django.test.utils import CaptureQueriesContext, isolate_apps, override_settings  # noqa: E402
from django.utils.module_loading import import_string  # noqa: E402
from django_app import models as app  # noqa: E402
from reseal.django import (  # noqa: E402
    BlindIndexField,
    EncryptedCharField,
    EncryptedDecimalField,
    EncryptedIntegerField,
    EncryptedManager,
    EncryptedTextField,
    EncryptedUUIDField,
    Unopened,
)

MODELS = (
    *(app.Everything, app.First, app.Second, app.Child, app.Pet, app.Plainly, app.Renamed),
    *(app.Grouped, app.Stamped, app.Person, app.Member, app.Badge),
)
DATA, INDEX = reseal.Key.generate("data"), reseal.Key.generate("index")
RING = reseal.Keyring(primary=DATA, index=INDEX)
UTC = datetime.timezone.utc


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with django_support.sqlite_tables(tmp_path_factory, *MODELS) as alias:
        yield alias


@pytest.fixture(autouse=True)
def db(file: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty database, and a ring of the environment."""
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    monkeypatch.setenv("RESEAL_INDEX_KEY", INDEX.export())
    for name in ("TOKENS_KEY", "RESEAL_DECRYPT_KEYS", "RESEAL_REQUIRE_ENCRYPTION"):
        monkeypatch.delenv(name, raising=False)
    with override_settings(RESEAL=django_support.CODECS):  # a ring of its own
        yield file
    django_support.empty(file, *MODELS)


def stored(model: Any, name: str) -> list[Any]:
    """What the database holds, by id."""
    meta = model._meta
    field = meta.get_field(name)
    table = field.model._meta.db_table
    with connections[django_support.Router.current].cursor() as cursor:
        cursor.execute(f"SELECT {field.column} FROM {table} ORDER BY 1")
        return [value for [value] in cursor.fetchall()]


def spoil(model: Any, name: str) -> None:
    """Damage what the database holds."""
    table = model._meta.db_table
    with connections[django_support.Router.current].cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {name} = substr({name}, 1, 50)")


def opened(count: Any) -> int:
    return int(count.total("opened"))


# --- values of each type --------------------------------------------------------------------------

NOON = datetime.datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)
IDENTIFIER = uuid.UUID("12345678123456781234567812345678")
CASES: list[tuple[str, Any, Any]] = [
    ("text", "", ""),
    ("text", 5, "5"),
    ("char", "longer than ten characters", "longer than ten characters"),
    ("email", "a@example.com", "a@example.com"),
    ("url", "https://example.com/?a=b&c=%20", "https://example.com/?a=b&c=%20"),
    ("integer", "17", 17),
    ("integer", 0, 0),
    ("integer", 1.0, 1),
    ("big", -(2**63), -(2**63)),
    ("decimal", "1.1", decimal.Decimal("1.10")),
    ("decimal", decimal.Decimal("0.00"), decimal.Decimal("0.00")),
    ("decimal", decimal.Decimal("123456.785"), decimal.Decimal("123456.78")),
    ("date", "2026-03-01", datetime.date(2026, 3, 1)),
    ("date", datetime.date(2024, 2, 29), datetime.date(2024, 2, 29)),
    ("moment", NOON, NOON),
    ("moment", "2026-03-01T12:00:00.123456+00:00", NOON),
    ("truth", "True", True),
    ("truth", 0, False),
    ("document", {"when": datetime.date(2026, 3, 1)}, {"when": "2026-03-01"}),
    ("document", [1, {"a": None}], [1, {"a": None}]),
    ("blob", b"\x00\xff", b"\x00\xff"),
    ("blob", memoryview(b"abc"), b"abc"),
    ("blob", b"", b""),
    ("uid", IDENTIFIER.hex, IDENTIFIER),
    ("packed", "in bytes", "in bytes"),
    ("packed_blob", b"\x00", b"\x00"),
]


@pytest.mark.parametrize(("name", "given", "expected"), CASES)
def test_a_value_of_each_type(name: str, given: Any, expected: Any) -> None:
    saved = app.Everything.objects.create(**{name: given})
    found = app.Everything.objects.get()
    value = getattr(found, name)
    assert (value, type(value)) == (expected, type(expected))
    if isinstance(expected, decimal.Decimal):
        assert str(value) == str(expected)
    assert app.Everything.objects.values_list(name, flat=True).get() == expected
    assert app.Everything.objects.values(name).get() == {name: expected}
    [there] = stored(app.Everything, name)
    assert isinstance(there, bytes) == name.startswith("packed")
    app.Everything.objects.filter(pk=saved.pk).update(**{name: given})
    assert getattr(app.Everything.objects.get(), name) == expected


@pytest.mark.parametrize(
    ("name", "given", "kind"),
    [
        ("integer", "seventeen", ValueError),
        ("integer", object(), TypeError),
        ("decimal", "many", ValidationError),
        ("decimal", decimal.Decimal(10) ** 40, ValueError),
        ("decimal", decimal.Decimal("1234567.8"), ValueError),
        ("date", "some day", ValidationError),
        ("moment", "some time", ValidationError),
        ("truth", "perhaps", ValidationError),
        ("uid", "no uuid", ValidationError),
        ("document", {"a": float("nan")}, reseal.ResealError),
        ("text", "\ud800", reseal.ResealError),
        ("blob", "text", (TypeError, reseal.ResealError)),
    ],
)
def test_what_is_no_value_is_refused_and_not_shown(name: str, given: Any, kind: Any) -> None:
    with pytest.raises(kind) as caught:
        app.Everything.objects.create(**{name: given})
    shown = str(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__context__)
    assert str(given) not in shown
    assert name in str(caught.value)
    assert app.Everything.objects.count() == 0


def test_moments_are_as_the_settings_want_them() -> None:
    naive = datetime.datetime(2026, 7, 1, 14, 0)
    with pytest.warns(RuntimeWarning, match="naive"):
        app.Everything.objects.create(moment=naive)
    assert app.Everything.objects.get().moment == datetime.datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    with override_settings(USE_TZ=False):
        assert app.Everything.objects.get().moment == naive
        app.Everything.objects.update(moment=naive)
    assert app.Everything.objects.get().moment == datetime.datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


def test_the_columns_are_text_or_bytes(db: str) -> None:
    with connections[db].cursor() as cursor:
        described = connections[db].introspection.get_table_description(
            cursor, app.Everything._meta.db_table
        )
    types = {column.name: column.type_code for column in described}
    assert types.pop("id") == "INTEGER"
    assert types.pop("packed") == types.pop("packed_blob") == "BLOB"
    assert set(types.values()) == {"TEXT"}
    wrapper: Any = import_string("django.db.backends.postgresql.base.DatabaseWrapper")
    connection = wrapper({**connections.settings["default"], "OPTIONS": {}}, "unconnected")
    found = {field.db_type(connection) for field in app.Everything._meta.fields[1:]}
    assert found == {"text", "bytea"}


def test_each_value_is_bound_to_its_column() -> None:
    app.Everything.objects.create(text="a")
    [there] = stored(app.Everything, "text")
    table = app.Everything._meta.db_table
    assert RING.open_str(there, {"table": table, "column": "text"}) == "a"
    app.Renamed.objects.create(secret="a", other="b")
    [there] = stored(app.Renamed, "secret")
    assert RING.open_str(there, {"table": "clients", "column": "secret"}) == "a"
    [there] = stored(app.Renamed, "other")
    here = {"table": app.Renamed._meta.db_table, "column": "thing"}
    assert RING.open_str(there, here) == "b"


def test_values_of_before_a_rename_open() -> None:
    row = app.Renamed.objects.create(secret="a")
    before = RING.seal("before", {"table": "old", "column": "name"})
    with connections[django_support.Router.current].cursor() as cursor:
        cursor.execute(f"UPDATE {app.Renamed._meta.db_table} SET secret = %s", [before])
    assert app.Renamed.objects.get(pk=row.pk).secret == "before"


# --- rows -----------------------------------------------------------------------------------------


def test_a_default_counts() -> None:
    fresh = app.Everything()
    assert (fresh.text, fresh.integer, fresh.truth, fresh.document) == ("", 0, False, {})
    fresh.save()
    assert app.Everything.objects.get().document == {}


def test_what_was_changed_in_place_is_saved() -> None:
    app.Everything.objects.create(document={"a": 1})
    found = app.Everything.objects.get()
    found.document["a"] = 2
    found.save()
    assert app.Everything.objects.get().document == {"a": 2}


def test_only_and_defer() -> None:
    app.First.objects.create(secret="s")
    with hooks.Counters() as counters:
        found = app.First.objects.only("pk").get()
        assert found.get_deferred_fields() == {"secret", "secret_index"}
        assert found.secret == "s"
        assert app.First.objects.defer("secret").get().secret_index is not None
        assert app.First.objects.only("secret").get().secret == "s"
    assert opened(counters) == 2


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


def test_a_copy_is_sealed_anew() -> None:
    app.First.objects.create(secret="s")
    with hooks.Counters() as counters:
        row = app.First.objects.get()
        row.pk = None
        row._state.adding = True
        row.save()
    assert (opened(counters), counters.total("sealed")) == (1, 1)
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
    assert opened(counters) == 0
    assert stored(app.Stamped, "made") == made
    assert app.Stamped.objects.get().changed > row.changed


def test_select_related_and_prefetch_are_lazy() -> None:
    owner = app.First.objects.create(secret="s")
    app.Pet.objects.create(owner=owner, name="Rex")
    with hooks.Counters() as counters:
        pet = app.Pet.objects.select_related("owner").get()
        assert opened(counters) == 0
        assert (pet.name, pet.owner.secret) == ("Rex", "s")
        [found] = app.First.objects.prefetch_related("pets")
        assert [it.name for it in found.pets.all()] == ["Rex"]
    assert opened(counters) == 3
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


# --- queries --------------------------------------------------------------------------------------


def test_subqueries_and_annotations_open() -> None:
    owner = app.First.objects.create(secret="s")
    app.Pet.objects.create(owner=owner, name="Rex")
    inner = app.Pet.objects.filter(owner=models.OuterRef("pk")).values("name")[:1]
    assert app.First.objects.annotate(pet=models.Subquery(inner)).get().pet == "Rex"
    assert app.First.objects.annotate(again=models.F("secret")).get().again == "s"
    assert app.First.objects.annotate(again=models.F("secret")).filter(again="s").count() == 1
    counted = app.First.objects.annotate(number=models.Count("pets")).get()
    assert (counted.number, counted.secret) == (1, "s")
    found = models.Exists(app.First.objects.filter(pk=models.OuterRef("owner"), secret="s"))
    assert app.Pet.objects.filter(found).count() == 1
    case = models.Case(models.When(secret="s", then=models.Value(1)), default=models.Value(0))
    assert app.First.objects.annotate(hit=case).get().hit == 1


def test_queries_that_only_pass_values_on() -> None:
    for secret in ("a", "b"):
        owner = app.First.objects.create(secret=secret)
        app.Pet.objects.create(owner=owner, name=secret)
    rows = app.First.objects.order_by("pk")
    assert [it.secret for it in rows.iterator(chunk_size=1)] == ["a", "b"]
    assert [it.secret for it in rows.distinct()] == ["a", "b"]
    assert rows.distinct().count() == rows[:2].count() == 2
    assert rows[:1].aggregate(number=models.Count("pk")) == {"number": 1}
    first = rows.first()
    assert first is not None
    assert first.secret == rows.earliest("pk").secret == "a"
    assert {it.secret for it in rows.in_bulk().values()} == {"a", "b"}
    both = app.First.objects.filter(secret="a").union(
        app.First.objects.filter(secret="b"), all=True
    )
    assert {it.secret for it in both} == {"a", "b"}
    several = app.First.objects.annotate(number=models.Count("pets")).filter(number__gt=0)
    assert several.count() == 2
    assert [it.secret for it in several.order_by("pk")] == ["a", "b"]
    assert list(several.order_by("pk").values_list("secret", "number")) == [("a", 1), ("b", 1)]
    app.Member.objects.create(tenant=1, secret="s")
    counted = app.Member.objects.annotate(number=models.Count("pk"))
    assert [it.secret for it in counted] == ["s"]
    assert list(counted.values_list("tenant", "number")) == [(1, 1)]
    assert app.First.objects.filter(pk__in=app.First.objects.filter(secret="a")).count() == 1
    pets = app.Pet.objects.filter(owner__in=app.First.objects.filter(secret="a"))
    assert [it.name for it in pets] == ["a"]
    assert app.First.objects.filter(secret="a").explain()
    assert app.First.objects.filter(models.Q(secret="a") | models.Q(secret="b")).count() == 2
    assert app.First.objects.filter(~models.Q(secret="a")).count() == 1
    assert app.First.objects.filter(secret="a").delete()[0] == 2


REFUSED: list[tuple[str, Any]] = [
    ("order_by", lambda rows: rows.order_by("text")),
    ("order_by descending", lambda rows: rows.order_by("-text")),
    ("order_by F", lambda rows: rows.order_by(models.F("text").desc())),
    ("order_by of another manager", lambda rows: list(rows.order_by("text"))),
    ("order_by an annotation", lambda it: list(it.annotate(a=models.F("text")).order_by("a"))),
    ("order_by -annotation", lambda it: list(it.annotate(a=models.F("text")).order_by("-a"))),
    ("order_by F of it", lambda it: list(it.annotate(a=models.F("text")).order_by(models.F("a")))),
    ("order_by of values", lambda rows: list(rows.values("text").order_by("text"))),
    ("order_by F of values", lambda rows: list(rows.values("text").order_by(models.F("text")))),
    ("order_by alias of values", lambda rows: list(rows.values(a=models.F("text")).order_by("a"))),
    (
        "order_by in groups",
        lambda it: list(it.annotate(n=models.Count("id")).values("text", "n").order_by("text")),
    ),
    (
        "distinct on an annotation",
        lambda it: list(it.annotate(a=models.F("text")).values("a").distinct()),
    ),
    (
        "group by an annotation",
        lambda it: list(it.values(a=models.F("text")).annotate(models.Count("id"))),
    ),
    (
        "aggregate an annotation",
        lambda it: it.annotate(a=models.F("text")).aggregate(models.Max("a")),
    ),
    ("compare an annotation", lambda it: list(it.annotate(a=models.F("text")).filter(a__gt="x"))),
    ("in a subquery", lambda it: list(it.filter(char__in=it.values("text")))),
    ("window", lambda it: list(it.annotate(a=models.Window(models.Max("text"))))),
    ("latest", lambda rows: rows.latest("text")),
    ("exact", lambda rows: rows.filter(text="x")),
    ("in", lambda rows: rows.exclude(text__in=["x"])),
    ("contains", lambda rows: rows.filter(text__icontains="x")),
    ("gt", lambda rows: rows.filter(integer__gt=1)),
    ("year", lambda rows: rows.filter(date__year=2026)),
    ("key of JSON", lambda rows: rows.filter(document__a=1)),
    ("aggregate", lambda rows: rows.aggregate(models.Sum("integer"))),
    ("function", lambda rows: list(rows.annotate(up=Upper("text")))),
    ("arithmetic", lambda rows: list(rows.annotate(one=models.F("integer") + 1))),
    ("F in filter", lambda rows: list(rows.filter(id=models.F("integer")))),
    ("F in update", lambda rows: rows.update(text=models.F("char"))),
    ("F in update of itself", lambda rows: rows.update(integer=models.F("integer") + 1)),
    ("distinct", lambda rows: list(rows.values("text").distinct())),
    ("group by", lambda rows: list(rows.values("text").annotate(models.Count("id")))),
    ("in_bulk", lambda rows: rows.in_bulk(["x"], field_name="text")),
    ("dates", lambda rows: list(rows.dates("date", "year"))),
]


@pytest.mark.parametrize(("name", "ask"), REFUSED, ids=[name for name, _ in REFUSED])
def test_what_ciphertext_cannot_do_is_refused(name: str, ask: Any) -> None:
    app.Everything.objects.create(text="x", integer=1, date=datetime.date(2026, 1, 1))
    rows = app.Everything.objects.all()
    with pytest.raises((FieldError, ValueError, TypeError)) as caught:
        # Without a manager of ours, an order is refused when the query is compiled.
        ask(rows) if name == "in_bulk" else list(ask(rows))
    assert "x" not in str(caught.value).split()
    assert app.Everything.objects.get().text == "x"


def test_an_order_is_refused_when_the_query_is_built() -> None:
    for wanted in ("secret", "-secret", models.F("secret").asc(), "pets__name"):
        with pytest.raises(FieldError, match="ordered by"):
            app.First.objects.order_by(wanted)
    assert list(app.First.objects.order_by("?", "pk", "-pets__id")) == []


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


def test_bulk_update_leaves_what_was_not_opened() -> None:
    app.First.objects.bulk_create([app.First(secret=f"{number}") for number in range(4)])
    before = stored(app.First, "secret")
    rows = list(app.First.objects.all())
    rows[0].secret = "new"
    with hooks.Counters() as counters:
        assert app.First.objects.bulk_update(rows, ["secret"], batch_size=3) == 4
    assert (opened(counters), counters.total("sealed")) == (0, 1)
    assert len(set(before) & set(stored(app.First, "secret"))) == 3
    assert [row.secret for row in rows] == ["new", "1", "2", "3"]
    assert app.First.objects.get(secret="new") == rows[0]


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
    assert (opened(counters), counters.total("sealed")) == (0, 0)
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


def test_no_plaintext_in_a_query() -> None:
    app.First.objects.create(secret="the secret")
    rows = app.First.objects.filter(secret="the secret")
    compiler = rows.query.get_compiler(django_support.Router.current)
    assert "the secret" not in str(compiler.as_sql())
    assert "the secret" not in repr(rows.query.where)
    with CaptureQueriesContext(connections[django_support.Router.current]) as captured:
        assert rows.count() == 1
        rows.update(secret="the secret")
        app.First.objects.get().save()
    assert "the secret" not in repr(captured.captured_queries)


# --- forms, fixtures, migrations ------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:The default scheme")
def test_forms_are_those_of_the_plain_fields() -> None:
    form = forms.modelform_factory(app.Everything, fields="__all__")
    kinds = {name: type(field).__name__ for name, field in form.base_fields.items()}
    assert kinds == {
        "text": "CharField",
        "char": "CharField",
        "email": "EmailField",
        "url": "URLField",
        "integer": "IntegerField",
        "big": "IntegerField",
        "decimal": "DecimalField",
        "date": "DateField",
        "moment": "DateTimeField",
        "truth": "BooleanField",
        "document": "JSONField",
        "uid": "UUIDField",
        "packed": "CharField",
    }
    indexed = forms.modelform_factory(app.First, fields="__all__")
    assert list(indexed.base_fields) == ["secret"]
    filled = indexed({"secret": "s"})
    assert filled.is_valid()
    assert filled.save() == app.First.objects.get(secret="s")


def test_validation_is_that_of_the_plain_fields() -> None:
    for name, wrong in (
        ("char", "x" * 11),
        ("email", "no address"),
        ("url", "no address"),
        ("integer", 2**31),
        ("integer", "x"),
        ("big", -(2**63) - 1),
        ("decimal", decimal.Decimal("1.234")),
        ("decimal", decimal.Decimal("12345678")),
        ("date", "some day"),
        ("truth", None),
        ("uid", "x"),
    ):
        row = app.Everything(**{name: wrong})
        with pytest.raises(ValidationError) as caught:
            row.clean_fields(exclude={it.name for it in row._meta.fields} - {name})
        assert list(caught.value.message_dict) == [name]
    row = app.Everything(integer="5")
    row.clean_fields(exclude={it.name for it in row._meta.fields} - {"integer"})
    assert row.integer == 5


@pytest.mark.parametrize("form", ["json", "jsonl", "xml"])
def test_fixtures_go_and_come(form: str, tmp_path: Path) -> None:
    values = {name: given for name, given, _ in CASES}
    values["moment"] = NOON.replace(microsecond=123000)  # Django's serializers cut the rest
    app.Everything.objects.create(**values)
    app.Member.objects.create(tenant=3, secret="s")
    app.Badge.objects.create(secret="b")
    app.Child.objects.create(secret="c", own="o")
    path = tmp_path / f"dump.{form}"
    labels = [f"django_app.{name}" for name in ("everything", "member", "badge", "first", "child")]
    alias = django_support.Router.current
    call_command("dumpdata", *labels, format=form, output=str(path), database=alias, verbosity=0)
    assert "rs1." not in path.read_text()
    assert "secret_index" not in path.read_text()
    before = [app.Everything.objects.values().get(), app.Badge.objects.get().pk]
    for model in (app.Everything, app.Member, app.Badge, app.Child):
        model.objects.all().delete()
    call_command("loaddata", str(path), database=alias, verbosity=0)
    assert [app.Everything.objects.values().get(), app.Badge.objects.get().pk] == before
    assert app.Member.objects.get(tenant=3, secret="s").secret == "s"
    assert app.Badge.objects.get().secret == "b"
    assert app.Child.objects.get(secret="c").own == "o"
    assert all(there.startswith("rs1.") for there in stored(app.First, "secret"))


def test_a_fixture_of_a_program() -> None:
    text = json.dumps([{"model": "django_app.first", "pk": 5, "fields": {"secret": "s"}}])
    for found in serializers.deserialize("json", text):
        found.save()
    assert app.First.objects.get(secret="s").pk == 5


def test_declarations_survive_a_migration() -> None:
    fields = (
        EncryptedTextField(write="app", read=["plain"], context_name="a.b", mode="padded"),
        EncryptedCharField(max_length=5, tenant="tenant", binary=True, null=True),
        EncryptedDecimalField(max_digits=5, decimal_places=2, earlier_contexts=["x.y", {"t": "u"}]),
        EncryptedUUIDField(bind_row=True),
        EncryptedTextField(tenant=app.of_name),
        BlindIndexField("secret", normalizer="digits", bits=32, unique=True),
        BlindIndexField("secret", db_index=False, name_in_context="x"),
        BlindIndexField("secret"),
    )
    for field in fields:
        _, path, args, kwargs = field.deconstruct()
        assert path == f"reseal.django.{type(field).__name__}"
        again = type(field)(*args, **kwargs)
        assert again.deconstruct()[1:] == (path, args, kwargs)
        text, imports = MigrationWriter.serialize(field)
        assert text.startswith(f"reseal.django.{type(field).__name__}(")
        assert "import reseal.django" in imports
    assert BlindIndexField("secret").deconstruct()[2:] == (["secret"], {})
    assert EncryptedTextField().deconstruct()[3] == {}


def test_options_that_the_database_does_not_see_change_no_table(db: str) -> None:
    before, after = EncryptedTextField(), EncryptedTextField(write="app", read=["plain"])
    packed = EncryptedTextField(binary=True)
    for field in (before, after, packed):
        field.set_attributes_from_name("text")
        field.model = app.Everything
    with connections[db].schema_editor() as editor:
        assert not editor._field_should_be_altered(before, after)
        assert editor._field_should_be_altered(before, packed)


def test_makemigrations_and_migrate_need_no_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("RESEAL_PRIMARY_KEY")
    monkeypatch.delenv("RESEAL_INDEX_KEY")
    out = io.StringIO()
    call_command("makemigrations", "django_app", dry_run=True, stdout=out, verbosity=3)
    assert "reseal.django.EncryptedTextField" in out.getvalue()
    call_command("check")
    url = django_support.sqlite_file(tmp_path)
    here = django_support.Router.current
    with django_support.database("sqlite", url, "fresh") as alias:
        call_command("migrate", run_syncdb=True, database=alias, verbosity=0)
        assert app.First.objects.count() == 0
    assert django_support.Router.current == here


# --- declarations that are refused ----------------------------------------------------------------


@isolate_apps("django_app")
def test_what_cannot_be_kept_is_refused_at_its_declaration() -> None:
    def declare(**fields: Any) -> None:
        meta = type("Meta", (), {"app_label": "django_app"})
        name = f"Wrong{uuid.uuid4().hex}"
        type(name, (models.Model,), {**fields, "__module__": __name__, "Meta": meta})

    for wrong, words in (
        ({"a": EncryptedTextField(bind_row=True)}, "UUIDField"),
        ({"a": EncryptedTextField(mode="ordered")}, "mode"),
        ({"a": BlindIndexField("b")}, "no encrypted field"),
        ({"a": models.TextField(), "b": BlindIndexField("a")}, "no encrypted field"),
    ):
        with pytest.raises(ImproperlyConfigured, match=words):
            declare(**wrong)
    with pytest.raises(ImproperlyConfigured, match="list"):
        EncryptedTextField(read="plain")
    with pytest.raises(ImproperlyConfigured, match="exclude"):
        declare(
            id=models.UUIDField(primary_key=True, default=uuid.uuid4),
            a=EncryptedTextField(bind_row=True, mode="deterministic"),
        )


@isolate_apps("django_app")
def test_checks_of_declarations() -> None:
    class Doubtful(models.Model):
        unique = EncryptedTextField(unique=True)
        indexed = EncryptedIntegerField(db_index=True)
        unknown = EncryptedTextField(write="ap")
        plain = EncryptedTextField(write="plain")
        plain_index = BlindIndexField("plain")
        together = EncryptedTextField()
        ordered = EncryptedTextField()

        class Meta:
            app_label = "django_app"
            constraints = (models.UniqueConstraint(fields=["together"], name="only"),)
            indexes = (models.Index(fields=["together", "plain_index"], name="both"),)
            ordering = ("-ordered",)

    found = [(it.id, it.obj.name) for it in Doubtful.check()]
    assert found == [
        ("reseal.E002", "unique"),
        ("reseal.E002", "indexed"),
        ("reseal.E004", "unknown"),
        ("reseal.E005", "plain"),
        ("reseal.W001", "plain_index"),
        ("reseal.E002", "together"),
        ("reseal.E002", "together"),
        ("reseal.E006", "ordered"),
    ]
    assert app.First.check() == app.Everything.check() == []
    with override_settings(RESEAL={"codecs": {"app": {"kind": "resael"}}}):
        assert {it.id for it in app.First.check()} == {"reseal.E003"}


def test_checks_of_a_deployment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def found(**more: Any) -> list[str]:
        every = checks.run_checks(include_deployment_checks=True, **more)
        return [str(it.id) for it in every if str(it.id).startswith("reseal.")]

    assert [it for it in found() if it != "reseal.W001"] == ["reseal.E010"]  # the codec tokens
    monkeypatch.setenv("RESEAL_KEYSET", str(tmp_path / "ring.json"))
    with override_settings(RESEAL={}):
        conflict = [
            it for it in checks.run_checks(include_deployment_checks=True) if it.id == "reseal.E010"
        ]
        assert any("RESEAL_KEYSET" in it.msg for it in conflict)
    with override_settings(DEBUG=True):
        assert "reseal.W011" in found()
    with override_settings(RESEAL={"write": "plain"}):
        assert "reseal.W010" in found()


def test_checks_of_a_database(tmp_path: Path) -> None:
    def found(alias: str) -> list[Any]:
        every = checks.run_checks(databases=[alias], tags=[checks.Tags.database])
        return [it for it in every if it.id == "reseal.E011"]

    assert found(str(django_support.Router.current)) == []
    url = django_support.sqlite_file(tmp_path)
    here = django_support.Router.current
    with django_support.database("sqlite", url, "narrow") as alias:
        with connections[alias].cursor() as cursor:
            table = app.Pet._meta.db_table
            cursor.execute(f"CREATE TABLE {table} (id integer, owner_id integer, name varchar(40))")
        [one] = found(alias)
        assert one.obj is app.Pet._meta.get_field("name")
    assert django_support.Router.current == here


def test_the_setting() -> None:
    settings: list[Any] = [[], {"codec": {}}]
    for wrong in settings:
        with override_settings(RESEAL=wrong), pytest.raises(ImproperlyConfigured):
            app.First.objects.create(secret="s")
    tokens = reseal.codecs.fernet(keys=["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="])
    with override_settings(RESEAL={"codecs": {"tokens": tokens}, "write": "tokens"}):
        app.Pet(name="Rex").name  # noqa: B018
        row = app.Renamed.objects.create(secret="s")
        assert stored(app.Renamed, "secret")[0].startswith("gAAAAA")
        assert app.Renamed.objects.get().secret == "s"
    with pytest.raises(reseal.FormatError):
        app.Renamed.objects.get(pk=row.pk).secret  # noqa: B018


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


def test_the_manager_is_one_of_django() -> None:
    assert isinstance(app.First.objects, EncryptedManager)
    assert app.First.objects.filter(secret="s").exists() is False


# --- documents ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", reseal.django.__all__)
def test_what_is_public_is_documented(name: str) -> None:
    thing = getattr(reseal.django, name)
    assert thing.__doc__
    assert len(thing.__doc__.splitlines()[0]) <= 100


@isolate_apps("django_app")
def test_the_example_runs(db: str) -> None:
    document = reseal.django.__doc__ or ""
    code = document.partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {"models": models, "__name__": "django_app.example"}
    declared, _, used = code.partition("\npatient = ")
    exec(declared, names)
    with connections[db].schema_editor() as editor:
        editor.create_model(names["Patient"])
    exec(f"patient = {used}", names)
    assert names["patient"].ssn == "078-05-1120"
    with connections[db].schema_editor() as editor:
        editor.delete_model(names["Patient"])
