"""What a value of each type is: in a row, in its column, in a form and in a fixture."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from pathlib import Path
from typing import Any

import django_support
import pytest
import reseal
from django_support import RING, stored

django_support.setup()

from django import forms  # noqa: E402
from django.core import serializers  # noqa: E402
from django.core.exceptions import ValidationError  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections, models  # noqa: E402
from django.test.utils import isolate_apps, override_settings  # noqa: E402
from django.utils.module_loading import import_string  # noqa: E402
from django_app import models as app  # noqa: E402
from reseal.django import BlindIndexField, EncryptedManager, EncryptedTextField  # noqa: E402

MODELS = (app.Everything, app.First, app.Child, app.Pet, app.Member, app.Badge, app.Renamed)
pytestmark = pytest.mark.usefixtures("db")


# --- in a row -------------------------------------------------------------------------------------


UTC = datetime.timezone.utc


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


@pytest.mark.parametrize(
    "naive",
    [
        datetime.datetime(1970, 5, 6),
        datetime.date(1970, 5, 6),
        "1970-05-06",
        "1970-05-06 00:00",
    ],
)
def test_a_warning_does_not_show_a_moment(naive: Any) -> None:
    def write() -> None:
        row = app.Everything.objects.create(moment=naive)
        row.clean_fields(exclude={it.name for it in row._meta.fields} - {"moment"})
        app.Everything.objects.filter(pk=row.pk).update(moment=naive)

    with pytest.warns(RuntimeWarning, match="Everything.moment received a naive") as caught:
        write()
    assert "1970" not in " ".join(str(it.message) for it in caught)
    expected = datetime.datetime(1970, 5, 5, 23, tzinfo=UTC)
    assert app.Everything.objects.get().moment == expected
    with override_settings(USE_TZ=False):
        write()


# --- in its column --------------------------------------------------------------------------------


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


# --- in a form ------------------------------------------------------------------------------------


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


# --- in a fixture ---------------------------------------------------------------------------------


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


def test_a_dump_of_everything(tmp_path: Path) -> None:
    """The model of the admin's page has no table, and a dump names no models as a rule."""
    url = django_support.sqlite_file(tmp_path)
    with django_support.database("sqlite", url, "whole") as alias:
        call_command("migrate", run_syncdb=True, database=alias, verbosity=0)
        app.First.objects.create(secret="s")
        for number, options in enumerate(({}, {"use_base_manager": True})):
            path = tmp_path / f"{number}.json"
            call_command("dumpdata", database=alias, output=str(path), verbosity=0, **options)
            models = {it["model"] for it in json.loads(path.read_text())}
            assert "django_app.first" in models
            assert "reseal.encryptionkey" not in models


@isolate_apps("django_app")
def test_a_fixture_of_a_child_leaves_what_its_parent_binds(db: str) -> None:
    class Record(models.Model):
        clinic = models.IntegerField()
        body = EncryptedTextField(tenant="clinic")
        body_index = BlindIndexField("body")
        objects = EncryptedManager()

        class Meta:
            app_label = "django_app"

    class Visit(Record):
        note = EncryptedTextField(null=True)
        objects = EncryptedManager()

        class Meta:
            app_label = "django_app"

    with django_support.tables(db, Record, Visit):
        # As a deserializer saves them: the child is without what its parent has.
        Record(pk=5, clinic=7, body="b").save_base(raw=True, using=db)
        Visit(record_ptr_id=5, note="n").save_base(raw=True, using=db)
        visit = Visit.objects.get(clinic=7, body="b")
        assert (visit.body, visit.note) == ("b", "n")


def test_a_fixture_of_a_program() -> None:
    text = json.dumps([{"model": "django_app.first", "pk": 5, "fields": {"secret": "s"}}])
    for found in serializers.deserialize("json", text):
        found.save()
    assert app.First.objects.get(secret="s").pk == 5
