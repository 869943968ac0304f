"""How fields are declared: what a migration writes, what is refused, what checks say, and the settings."""

from __future__ import annotations

import io
import sys
import types
import uuid
from pathlib import Path
from typing import Any

import django_support
import pytest
import reseal
from django_support import stored

django_support.setup()

import reseal.django  # noqa: E402
from django.core import checks  # noqa: E402
from django.core.exceptions import FieldError, ImproperlyConfigured  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections, migrations, models  # noqa: E402
from django.db.migrations.writer import MigrationWriter  # noqa: E402
from django.db.models.functions import Lower  # noqa: E402
from django.test.utils import isolate_apps, override_settings  # noqa: E402
from django_app import models as app  # noqa: E402
from reseal.django import (  # noqa: E402
    BlindIndexField,
    EncryptedBooleanField,
    EncryptedCharField,
    EncryptedDateField,
    EncryptedDecimalField,
    EncryptedIntegerField,
    EncryptedManager,
    EncryptedTextField,
    EncryptedUUIDField,
)

MODELS = (
    *(app.Everything, app.First, app.Second, app.Child, app.Pet, app.Plainly, app.Renamed),
    *(app.Grouped, app.Stamped, app.Person, app.Member, app.Badge),
)
pytestmark = pytest.mark.usefixtures("db")


# --- migrations -----------------------------------------------------------------------------------


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


# --- what is refused ------------------------------------------------------------------------------


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
def test_a_tenant_in_another_table_is_refused() -> None:
    class Shared(models.Model):
        clinic = models.IntegerField()
        name = EncryptedTextField(tenant="clinic")

        class Meta:
            app_label = "django_app"

    class Inherits(Shared):
        """What the parent binds is in the parent's table, both of it."""

        class Meta:
            app_label = "django_app"

    with pytest.raises(ImproperlyConfigured, match=r"text.*clinic.*the table of Shared"):

        class Bound(Shared):
            text = EncryptedTextField(tenant="clinic")

            class Meta:
                app_label = "django_app"

    assert Inherits._meta.get_field("name").model is Shared


@isolate_apps("django_app")
def test_a_default_of_the_database_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="cannot seal a db_default, use default"):

        class Defaulted(models.Model):
            secret = EncryptedTextField(db_default="in the clear")

            class Meta:
                app_label = "django_app"


@isolate_apps("django_app")
def test_a_part_of_another_field_is_refused(db: str) -> None:
    """An array of sealed values is none that a job or a proof would know of."""
    from django.contrib.postgres.fields import ArrayField

    class Tagged(models.Model):
        tags = ArrayField(EncryptedTextField())

        class Meta:
            app_label = "django_app"

    [error] = Tagged.check()
    assert "a part of another field, such as an array" in error.msg
    assert "EncryptedJSONField" in error.msg
    field: Any = Tagged._meta.get_field("tags")
    with pytest.raises(FieldError, match="no job would count or reseal its values"):
        field.get_db_prep_value(["a"], connections[db])
    assert EncryptedTextField().clone().is_part() is False


# --- checks and settings --------------------------------------------------------------------------


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


@isolate_apps("django_app")
def test_conditions_on_other_fields_are_no_fault() -> None:
    """A value is no field, though it may be called as one, and be one of a tuple of any length."""

    class Harmless(models.Model):
        email = EncryptedTextField(null=True)
        kind = models.TextField()

        class Meta:
            app_label = "django_app"
            constraints = tuple(
                models.CheckConstraint(condition=condition, name=f"c{number}")
                for number, condition in enumerate(
                    (
                        models.Q(kind__in=("a", "b", "c")),
                        models.Q(kind__in=("a",)),
                        models.Q(kind__in=("email", "x")),
                        models.Q(kind="email") & models.Q(email__isnull=True),
                    )
                )
            )

    assert Harmless.check() == []
    Harmless._meta.constraints.append(
        models.CheckConstraint(condition=models.Q(kind__in=["a", models.F("email")]), name="asks")
    )
    assert [it.id for it in Harmless.check()] == ["reseal.E002"]


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


def in_package(
    package: str, made: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Make a package of these migrations, by name."""
    (folder / package).mkdir()
    for name in ("__init__", *made):
        (folder / package / f"{name}.py").touch()
    for name, migration in made.items():
        module: Any = types.ModuleType(f"{package}.{name}")
        module.Migration = migration
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.syspath_prepend(str(folder))


def found(code: str, alias: str) -> list[Any]:
    """What the checks of a database say, of one code."""
    every = checks.run_checks(databases=[alias], tags=[checks.Tags.database])
    return [it for it in every if it.id == code]


def migrate(alias: str, to: str) -> None:
    """As `manage.py migrate` does, which runs no step where a check fails."""
    options = {"database": alias, "verbosity": 0, "skip_checks": False}
    call_command("migrate", "django_app", to, **options)


def test_a_column_that_a_migration_is_to_widen_stops_no_migration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Initial(migrations.Migration):
        operations = [  # noqa: RUF012
            migrations.CreateModel(
                "Pet",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("name", models.CharField(max_length=40)),
                ],
                options={"db_table": app.Pet._meta.db_table},
            )
        ]

    class Sealed(migrations.Migration):
        dependencies = [("django_app", "0001_initial")]  # noqa: RUF012
        operations = [  # noqa: RUF012
            migrations.AlterField("pet", "name", EncryptedTextField(read=["plain"]))
        ]

    package = "migrations_of_pets"
    made: dict[str, Any] = {"0001_initial": Initial, "0002_sealed": Sealed}
    in_package(package, made, tmp_path, monkeypatch)

    url = django_support.sqlite_file(tmp_path)
    with (
        override_settings(MIGRATION_MODULES={"django_app": package}),
        django_support.database("sqlite", url, "narrow") as alias,
    ):
        migrate(alias, "0001")
        assert found("reseal.E011", alias) == []
        migrate(alias, "0002")
        assert found("reseal.E011", alias) == []
        # One that no migration widens is told.
        with connections[alias].cursor() as cursor:
            table = app.Pet._meta.db_table
            cursor.execute(f"DROP TABLE {table}")
            cursor.execute(f"CREATE TABLE {table} (id integer, owner_id integer, name varchar(40))")
        assert [it.obj for it in found("reseal.E011", alias)] == [app.Pet._meta.get_field("name")]
    monkeypatch.delitem(sys.modules, package, raising=False)


def test_terms_that_a_rename_would_leave_behind_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Initial(migrations.Migration):
        operations = [  # noqa: RUF012
            migrations.CreateModel(
                "Plainly",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("secret", EncryptedTextField(null=True)),
                    ("first", BlindIndexField("secret")),
                ],
                options={"db_table": app.Plainly._meta.db_table},
            )
        ]

    class Renamed(migrations.Migration):
        dependencies = [("django_app", "0001_initial")]  # noqa: RUF012
        operations = [  # noqa: RUF012
            migrations.RenameField("plainly", "first", "second"),
            migrations.RenameField("plainly", "second", "secret_index"),
        ]

    package = "migrations_of_terms"
    made: dict[str, Any] = {"0001_initial": Initial, "0002_renamed": Renamed}
    in_package(package, made, tmp_path, monkeypatch)
    index = app.Plainly._meta.get_field("secret_index")

    url = django_support.sqlite_file(tmp_path)
    with (
        override_settings(MIGRATION_MODULES={"django_app": package}),
        django_support.database("sqlite", url, "renamed") as alias,
    ):
        migrate(alias, "0001")
        assert "W012" not in capsys.readouterr().err
        [one] = found("reseal.W012", alias)
        assert one.obj is index
        assert "name_in_context='first'" in one.hint
        with monkeypatch.context() as patched:
            patched.setattr(index, "name_in_context", "first")
            assert found("reseal.W012", alias) == []
        migrate(alias, "0002")
        assert "reseal.W012" in capsys.readouterr().err
        assert found("reseal.W012", alias) == []
    monkeypatch.delitem(sys.modules, package, raising=False)


def test_values_that_a_rename_would_leave_behind_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Initial(migrations.Migration):
        operations = [  # noqa: RUF012
            migrations.CreateModel(
                "Former",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("text", EncryptedTextField(null=True)),
                ],
                options={"db_table": "former"},
            )
        ]

    class Renamed(migrations.Migration):
        dependencies = [("django_app", "0001_initial")]  # noqa: RUF012
        operations = [  # noqa: RUF012
            migrations.RenameModel("Former", "Plainly"),
            migrations.AlterModelTable("plainly", app.Plainly._meta.db_table),
            migrations.RenameField("plainly", "text", "secret"),
            migrations.AddField("plainly", "secret_index", BlindIndexField("secret")),
        ]

    package = "migrations_of_values"
    made: dict[str, Any] = {"0001_initial": Initial, "0002_renamed": Renamed}
    in_package(package, made, tmp_path, monkeypatch)
    field = app.Plainly._meta.get_field("secret")

    url = django_support.sqlite_file(tmp_path)
    with (
        override_settings(MIGRATION_MODULES={"django_app": package}),
        django_support.database("sqlite", url, "moved") as alias,
    ):
        assert found("reseal.W013", alias) == []
        migrate(alias, "0001")
        assert "W013" not in capsys.readouterr().err
        [one] = found("reseal.W013", alias)
        assert one.obj is field
        assert "bound to former.text" in one.msg
        assert "context_name='former.text'" in one.hint
        for option, value in (
            ("context_name", "former.text"),
            ("earlier_contexts", ("former.text",)),
        ):
            with monkeypatch.context() as patched:
                patched.setattr(field, option, value)
                assert found("reseal.W013", alias) == []
        with monkeypatch.context() as patched:
            patched.setattr(field, "context_name", "text")  # the table is another still
            assert len(found("reseal.W013", alias)) == 1
        migrate(alias, "0002")
        assert "reseal.W013" in capsys.readouterr().err
        assert found("reseal.W013", alias) == []
    monkeypatch.delitem(sys.modules, package, raising=False)


@pytest.mark.parametrize("is_table_kept", [True, False])
def test_a_field_that_is_renamed_before_its_model_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_table_kept: bool
) -> None:
    table = app.Plainly._meta.db_table

    class Initial(migrations.Migration):
        operations = [  # noqa: RUF012
            migrations.CreateModel(
                "Former",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("text", EncryptedTextField(null=True)),
                    ("first", BlindIndexField("text")),
                ],
                options={"db_table": table} if is_table_kept else {},
            )
        ]

    class Fields(migrations.Migration):
        dependencies = [("django_app", "0001_initial")]  # noqa: RUF012
        operations = [  # noqa: RUF012
            migrations.RenameField("former", "first", "secret_index"),
            migrations.RenameField("former", "text", "secret"),
        ]

    class Model(migrations.Migration):
        dependencies = [("django_app", "0002_fields")]  # noqa: RUF012
        operations = [migrations.RenameModel("Former", "Plainly")]  # noqa: RUF012

    package = f"migrations_of_both_{is_table_kept}"
    made: dict[str, Any] = {"0001_initial": Initial, "0002_fields": Fields, "0003_model": Model}
    in_package(package, made, tmp_path, monkeypatch)
    secret, index = (app.Plainly._meta.get_field(name) for name in ("secret", "secret_index"))
    url = django_support.sqlite_file(tmp_path)
    with (
        override_settings(MIGRATION_MODULES={"django_app": package}),
        django_support.database("sqlite", url, "both") as alias,
    ):
        migrate(alias, "0001")
        [one] = found("reseal.W013", alias)
        was = f"{table if is_table_kept else 'django_app_former'}.text"
        assert one.obj is secret
        assert f"bound to {was}" in one.msg
        [one] = found("reseal.W012", alias)
        assert one.obj is index
        assert "name_in_context='first'" in one.hint
        with monkeypatch.context() as patched:
            patched.setattr(secret, "context_name", was)
            patched.setattr(index, "name_in_context", "first")
            assert found("reseal.W012", alias) == found("reseal.W013", alias) == []
        migrate(alias, "0003")
        assert found("reseal.W012", alias) == found("reseal.W013", alias) == []
    monkeypatch.delitem(sys.modules, package, raising=False)


@isolate_apps("django_app")
def test_lists_of_the_admin_that_would_fail_are_told() -> None:
    from django.contrib import admin
    from reseal.django import admin_checks

    class Citizen(models.Model):
        name = models.TextField()
        ssn = EncryptedTextField()
        ssn_index = BlindIndexField("ssn", normalizer="digits")
        email = EncryptedTextField()
        email_index = BlindIndexField("email", normalizer="ascii-lower-trim")
        born = EncryptedDateField()
        born_index = BlindIndexField("born")
        active = EncryptedBooleanField()
        active_index = BlindIndexField("active")
        note = EncryptedTextField()
        objects = EncryptedManager()

        class Meta:
            app_label = "django_app"

    class Parent(models.Model):
        child = models.ForeignKey(Citizen, models.CASCADE)

        class Meta:
            app_label = "django_app"

    def found(model: Any, **options: Any) -> list[str]:
        site = admin.AdminSite()
        site.register(model, type("Shown", (admin.ModelAdmin,), options))
        every = admin_checks.lists([model._meta.app_config])
        admin.sites.all_sites.discard(site)  # which other checks would see
        own = type(site._registry[model])
        return [it.msg for it in every if it.id == "reseal.W014" and it.obj is own]

    harmless = ("name", "^name", "ssn__exact", "=email", "email__iexact", "pk")
    assert found(Citizen, search_fields=harmless, list_filter=["name", "active"]) == []
    assert found(Parent, search_fields=["child__ssn__exact", "child__name"]) == []
    wrong = ["ssn", "^ssn", "=ssn", "@ssn", "note__exact", "born__exact", "ssn__startswith"]
    assert found(Citizen, search_fields=["name", *wrong]) == [
        f"search_fields: every search fails at {it!r}" for it in wrong
    ]
    assert len(found(Parent, search_fields=["child__ssn"])) == 1
    assert (
        len(found(Citizen, list_filter=["ssn", "born", "active", ("ssn", admin.FieldListFilter)]))
        == 2
    )
    assert len(found(Citizen, date_hierarchy="born", ordering=["-ssn", "name"])) == 2

    def searched(self: Any, request: Any, rows: Any, term: str) -> Any:
        return rows.filter(born=term), False

    # What the hint says: it asks as it likes.
    own = found(Citizen, search_fields=wrong, get_search_results=searched, list_filter=["ssn"])
    assert own == ["list_filter: the list fails at 'ssn'"]


@isolate_apps("django_app")
def test_a_condition_on_ciphertext_is_refused(db: str) -> None:
    class Asked(models.Model):
        code = EncryptedTextField(null=True)
        code_index = BlindIndexField("code")
        name = models.TextField()
        has_code = models.GeneratedField(
            expression=models.Q(code__isnull=False),
            output_field=models.BooleanField(),
            db_persist=True,
        )
        objects = EncryptedManager()

        class Meta:
            app_label = "django_app"
            constraints = [  # noqa: RUF012
                models.CheckConstraint(
                    condition=models.Q(code__isnull=False) | models.Q(name="a"), name="present"
                ),
                models.UniqueConstraint(
                    fields=["name"], condition=models.Q(code__isnull=False), name="alone"
                ),
            ]
            indexes = [  # noqa: RUF012
                models.Index(fields=["name"], condition=models.Q(code__isnull=True), name="none")
            ]

    assert Asked.check(databases=[db]) == []
    with connections[db].schema_editor() as editor:
        editor.create_model(Asked)
    asked = Asked(code="1", name="b")
    asked.full_clean()
    asked.save()
    condition = models.Q(name="b") & ~models.Q(code__in=["1"])
    refused: list[Any] = [
        models.CheckConstraint(condition=condition, name="one"),
        models.CheckConstraint(condition=models.Q(name=models.F("code")), name="same"),
        models.UniqueConstraint(fields=["name"], condition=condition, name="few"),
        models.UniqueConstraint(Lower("code"), name="lower"),
        models.Index(fields=["name"], condition=condition, name="found"),
        models.Index(Lower("code"), name="computed"),
    ]

    def add(one: Any) -> None:
        with connections[db].schema_editor() as editor:
            make: Any = editor.add_index if isinstance(one, models.Index) else editor.add_constraint
            make(Asked, one)

    for one in refused:
        is_index = isinstance(one, models.Index)
        known = Asked._meta.indexes if is_index else Asked._meta.constraints
        known.append(one)
        assert [it.id for it in Asked.check()] == ["reseal.E002"]
        with pytest.raises(FieldError, match="is encrypted"):
            add(one)
        known.remove(one)
    with connections[db].schema_editor() as editor:
        editor.delete_model(Asked)


@isolate_apps("django_app")
def test_no_database_seals_what_it_computes() -> None:
    class Computed(models.Model):
        name = models.TextField()
        secret = models.GeneratedField(
            expression=models.F("name"), output_field=EncryptedTextField(), db_persist=True
        )

        class Meta:
            app_label = "django_app"

    [error] = Computed.check()
    assert "the database cannot seal what a GeneratedField computes" in error.msg


def test_a_cause_is_reported_once() -> None:
    def found() -> list[str]:
        every = checks.run_checks(include_deployment_checks=True)
        return [str(it.id) for it in every if it.obj is None or it.obj.model is app.Person]

    with override_settings(RESEAL={}):  # without the codec "tokens", which a field of Person reads
        assert "reseal.E004" in found()
        assert "reseal.E010" not in found()
    with override_settings(RESEAL={"codecs": {"app": {"kind": "resael"}}}):
        assert "reseal.E003" in found()
        assert "reseal.E010" not in found()


def test_the_setting() -> None:
    settings: list[Any] = [[], {"codec": {}}]
    for wrong in settings:
        with override_settings(RESEAL=wrong), pytest.raises(ImproperlyConfigured):
            app.First.objects.create(secret="s")
    row = app.First.objects.create(secret="s")
    row._state.db = "another"
    replicas = django_support.CODECS | {"replicas": ["another"]}
    with override_settings(RESEAL=replicas), pytest.raises(ImproperlyConfigured, match="replicas"):
        row.save()
    tokens = reseal.codecs.fernet(keys=["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="])
    with override_settings(RESEAL={"codecs": {"tokens": tokens}, "write": "tokens"}):
        app.Pet(name="Rex").name  # noqa: B018
        row = app.Renamed.objects.create(secret="s")
        assert stored(app.Renamed, "secret")[0].startswith("gAAAAA")
        assert app.Renamed.objects.get().secret == "s"
    with pytest.raises(reseal.FormatError):
        app.Renamed.objects.get(pk=row.pk).secret  # noqa: B018


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
