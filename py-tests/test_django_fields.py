"""What Django's own tests of model fields have shown of ours: documents, unopened values, and expressions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import django_support
import pytest
import reseal

django_support.setup()

from django.core import serializers  # noqa: E402
from django.core.exceptions import FieldError  # noqa: E402
from django.db import connections, models  # noqa: E402
from django.test.utils import isolate_apps, override_settings  # noqa: E402
from django.utils.module_loading import import_string  # noqa: E402
from django_app import models as app  # noqa: E402
from reseal import hooks  # noqa: E402
from reseal._native import Held  # noqa: E402
from reseal.django import EncryptedJSONField, EncryptedTextField  # noqa: E402

MODELS = (app.Everything, app.Person, app.First, app.Member, app.Grouped)
pytestmark = pytest.mark.usefixtures("db")


# --- documents ------------------------------------------------------------------------------------

DOCUMENTS = [{}, [], "", 0, False, {"a": [1, {}]}, "text", ["<&>", "ż"], 5, True, {"a": None}]


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("form", ["xml", "json", "jsonl"])
def test_a_fixture_has_every_document(document: Any, form: str) -> None:
    dumped = serializers.serialize(form, [app.Everything(pk=1, document=document)])
    [loaded] = serializers.deserialize(form, dumped)
    found = loaded.object.document
    assert (found, type(found)) == (document, type(document))
    loaded.save()
    assert app.Everything.objects.get().document == document


def test_xml_of_the_jsonfield_of_django_is_read() -> None:
    template = (
        '<django-objects version="1.0"><object model="django_app.everything" pk="1">'
        '<field name="document" type="JSONField">{}</field></object></django-objects>'
    )
    [loaded] = serializers.deserialize("xml", template.format('{"a": [1]}'))
    assert loaded.object.document == {"a": [1]}


@pytest.mark.parametrize("binary", [False, True])
def test_the_column_of_a_document_is_one_of_text_or_bytes(db: str, binary: bool) -> None:
    """By all that Django's schema editors ask for, so that a JSONField can be altered to ours."""
    field, other = EncryptedJSONField(binary=binary), EncryptedTextField(binary=binary)
    wrapper: Any = import_string("django.db.backends.postgresql.base.DatabaseWrapper")
    postgresql = wrapper({**connections.settings["default"], "OPTIONS": {}}, "unconnected")
    for connection in (connections[db], postgresql):
        ours, usual = field.get_internal_type(), other.get_internal_type()
        assert field.db_type(connection) == other.db_type(connection)
        assert field.cast_db_type(connection) == other.cast_db_type(connection)
        assert connection.data_types[ours] == connection.data_types[usual]
        assert ours not in connection.data_type_check_constraints


def test_what_is_no_document_is_the_error_of_django() -> None:
    with pytest.raises(TypeError, match="none of the field's type"):
        app.Person(data={"a": object()}).save()
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(ValueError, match="none of the field's type"):
        app.Person(data=circle).save()
    with pytest.raises(reseal.ResealError, match="no JSON"):
        app.Person(data={1: "two keys", "1": "would be one"}).save()


KEYED: list[tuple[Any, Any]] = [
    ({1: "a"}, {"1": "a"}),
    ([{"a": ({2.5: 1}, 2)}], [{"a": [{"2.5": 1}, 2]}]),
    ({None: {True: [{False: 0}]}}, {"null": {"true": [{"false": 0}]}}),
]


@pytest.mark.parametrize(("given", "expected"), KEYED)
def test_a_key_is_the_text_that_json_makes_of_it(given: Any, expected: Any) -> None:
    app.Person.objects.create(data=given)
    assert app.Person.objects.get().data == expected
    with pytest.raises(TypeError, match="none of the field's type"):
        app.Person.objects.create(data=[given, {(1, 2): "no key of JSON"}])
    with pytest.raises(reseal.ResealError, match="no JSON"):
        app.Person.objects.create(data=[given, {True: "two", "true": "keys"}])


class Careless(json.JSONEncoder):
    """Fails with an error that is made of more than a text."""

    def default(self, o: object) -> Any:
        return json.loads("{" + str(o))


@isolate_apps("django_app")
def test_an_error_of_an_encoder_is_not_shown() -> None:
    class Coded(models.Model):
        document = EncryptedJSONField(encoder=Careless)

        class Meta:
            app_label = "django_app"

    with pytest.raises(ValueError, match="none of the field's type") as caught:
        Coded(document={"a": {"a secret"}}).save()
    assert type(caught.value) is ValueError
    assert "secret" not in str(caught.value)


# --- what nobody asked for ------------------------------------------------------------------------


@pytest.mark.parametrize("save", [lambda it: it.save(), lambda it: change([it])])
@pytest.mark.parametrize("rows", ["defer", "only"])
def test_a_tenant_that_was_not_read_is_not_changed(rows: str, save: Any) -> None:
    app.Member.objects.create(tenant=1, secret="a")
    found = getattr(app.Member.objects, rows)({"defer": "tenant", "only": "secret"}[rows]).get()
    found.tenant = 2
    with pytest.raises(FieldError, match=r"Member.secret is bound to tenant, which was deferred"):
        save(found)
    assert app.Member.objects.get(tenant=1, secret="a").secret == "a"
    found.tenant = 1
    save(found)
    assert app.Member.objects.get(tenant=1, secret="a").secret == "a"


def change(members: list[Any]) -> None:
    app.Member.objects.bulk_update(members, ["tenant", "secret"])


def test_a_tenant_that_was_not_read_is_left() -> None:
    app.Member.objects.create(tenant=1, secret="a")
    found = app.Member.objects.only("secret").get()
    found.save()
    assert "tenant" in found.get_deferred_fields()
    assert app.Member.objects.get(tenant=1, secret="a").secret == "a"


def test_what_a_save_hands_back_is_bound_as_before() -> None:
    app.Member.objects.create(tenant=1, secret="a")
    found = app.Member.objects.get()
    found.secret = Held(found.__dict__["secret"].raw)  # as newer versions of Django do
    found.tenant = 2
    found.save()
    assert app.Member.objects.get(tenant=2, secret="a").secret == "a"


def test_what_a_function_binds_is_not_changed() -> None:
    app.Grouped.objects.create(group="a", secret="a")
    for found in (app.Grouped.objects.get(), app.Grouped.objects.on_error("report").get()):
        found.group = "b"
        with pytest.raises(reseal.ResealError, match="does not open"):
            found.save()
        with pytest.raises(reseal.ResealError, match="does not open"):
            app.Grouped.objects.bulk_update([found], ["group", "secret"])
    found = app.Grouped.objects.get()
    assert found.secret == "a"
    found.group = "b"
    found.save()
    assert app.Grouped.objects.get(group="b").secret == "a"


def test_a_row_of_another_database_gets_what_was_not_opened(
    db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = django_support.sqlite_file(tmp_path)
    with (
        django_support.database("sqlite", url, "other") as other,
        django_support.tables(other, app.First),
        monkeypatch.context() as patched,
    ):
        patched.setattr(django_support.Router, "current", None)  # as Django's own router
        there, rows = app.First.objects.using(other), app.First.objects.using(db)
        row = rows.create(secret="here")
        for found in (rows.get(), rows.defer("secret").get()):
            there.update_or_create(pk=row.pk, defaults={"secret": "there"})
            found.save(using=other)
            assert there.get(secret="here").secret == "here"
        there.update(secret="there")
        there.bulk_update(rows.all(), ["secret"])
        assert there.get(secret="here").secret == "here"
        with connections[db].cursor() as cursor:
            cursor.execute("UPDATE django_app_first SET secret = 'none'")
        with pytest.raises(reseal.ResealError):
            rows.on_error("report").get().save(using=other)
        assert there.get().secret == "here"


def test_what_a_replica_has_is_not_written_over_what_its_primary_has(
    db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = django_support.sqlite_file(tmp_path)
    with (
        django_support.database("sqlite", url, "replica") as replica,
        django_support.tables(replica, app.First, app.Member),
        override_settings(RESEAL=django_support.CODECS | {"replicas": {replica: db}}),
        monkeypatch.context() as patched,
    ):
        patched.setattr(django_support.Router, "current", db)
        patched.setattr(django_support.Router, "db_for_read", lambda *_, **__: replica)
        written = app.First.objects.using(db)
        row = written.create(secret="old")
        app.First.objects.using(replica).create(pk=row.pk, secret="old")
        written.update(secret="new")  # it lags behind
        with hooks.Counters() as counters:
            app.First.objects.get().save()
            app.First.objects.bulk_update(app.First.objects.all(), ["secret"])
        assert (counters.total("opened"), counters.total("sealed")) == (0, 0)
        assert written.get(secret="new").pk == row.pk
        with connections[replica].cursor() as cursor:
            cursor.execute("UPDATE django_app_first SET secret = 'none'")
        app.First.objects.on_error("report").get().save()
        assert written.get(secret="new").pk == row.pk
        # What was asked for is written.
        found = app.First.objects.on_error("report").get()
        found.secret = "newest"
        found.save()
        assert written.get().secret == "newest"


# --- what a database would write ------------------------------------------------------------------


class Shouted(models.Value):
    """Writes another value than it has."""

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "'in the clear'", []


def test_a_value_that_writes_itself_is_refused() -> None:
    row = app.Everything.objects.create()
    field = app.Everything._meta.get_field("text")
    shouted = Shouted("x", output_field=field)
    for expression in (shouted, models.Case(models.When(pk=row.pk, then=shouted))):
        with pytest.raises(FieldError, match="cannot seal"):
            app.Everything.objects.update(text=expression)
    nothing = models.Case(models.When(pk=row.pk, then=Shouted(None, output_field=field)))
    with pytest.raises(FieldError, match="cannot seal"):
        app.Everything.objects.update(text=nothing)


class Upper(EncryptedTextField):
    """Has another value than was assigned."""

    def get_prep_value(self, value: Any) -> Any:
        return value.upper()


class Trimmed(EncryptedTextField):
    """The same, by other means."""

    def to_plain(self, value: Any) -> Any:
        return value.strip()


@isolate_apps("django_app")
def test_a_field_of_a_program_converts_what_is_inserted(db: str) -> None:
    class Converted(models.Model):
        upper = Upper()
        trimmed = Trimmed()

        class Meta:
            app_label = "django_app"

    with django_support.tables(db, Converted):
        Converted.objects.create(upper="a", trimmed=" a ")
        Converted.objects.bulk_create([Converted(upper="a", trimmed=" a ")])
        assert [(it.upper, it.trimmed) for it in Converted.objects.all()] == [("A", "a")] * 2


def test_a_field_of_no_model_says_so(db: str) -> None:
    with pytest.raises(FieldError, match="belongs to no model"):
        EncryptedTextField().get_db_prep_save("a", connections[db])


def test_no_lookup_goes_into_a_value() -> None:
    for lookup in ("document__a__b", "document__0", "date__year__gt"):
        with pytest.raises(FieldError, match=r"is encrypted.*in Python"):
            app.Everything.objects.filter(**{lookup: 1})
