"""What migrations do that `makemigrations` writes: half-way states, defaults, other types, no rows, and memory."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django_support
import pytest
from django_support import DATA, INDEX
from job_support import KINDS, Place, places

django_support.setup()

from django.core.exceptions import FieldError  # noqa: E402
from django.db import DatabaseError, connections, models  # noqa: E402
from django.db.migrations.autodetector import MigrationAutodetector  # noqa: E402
from django.db.migrations.questioner import MigrationQuestioner  # noqa: E402
from django.db.migrations.state import ModelState, ProjectState  # noqa: E402
from django.db.models.signals import post_init, pre_save  # noqa: E402
from django.test.utils import override_settings  # noqa: E402
from reseal.django import (  # noqa: E402
    BlindIndexField,
    EncryptedBinaryField,
    EncryptedCharField,
    EncryptedEmailField,
    EncryptedIntegerField,
    EncryptedManager,
    EncryptedTextField,
)
from reseal.django.operations import DecryptColumn, EncryptColumn  # noqa: E402

APP = "django_app"
KEY = ("id", models.BigAutoField(primary_key=True))


@pytest.fixture(params=KINDS)
def place(
    request: pytest.FixtureRequest,
    servers: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Place]:
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    monkeypatch.setenv("RESEAL_INDEX_KEY", INDEX.export())
    monkeypatch.delenv("RESEAL_DATABASE_URL", raising=False)
    for place in places(request.param, "python", servers, tmp_path):
        with (
            override_settings(RESEAL=django_support.CODECS),
            django_support.database(place.kind, place.url),
        ):
            yield place


class Questioner(MigrationQuestioner):
    """Somebody who says of each field that it was renamed, and of NULL that there is none any more."""

    def ask_rename(self, *_: Any) -> bool:
        """Say so."""
        return True

    def ask_not_null_alteration(self, *_: Any) -> Any:
        """Say so."""
        return models.NOT_PROVIDED


class History:
    """The states of an application, from which the next migration is made as `makemigrations` makes it."""

    def __init__(self, **of_models: list[tuple[str, Any]]) -> None:
        self.state = ProjectState()
        self.done: list[tuple[Any, ProjectState, ProjectState]] = []
        self.become(**of_models)

    def become(self, **of_models: list[tuple[str, Any]]) -> list[Any]:
        """Migrate to these models, and return the operations."""
        wanted = ProjectState()
        for name, fields in of_models.items():
            wanted.add_model(ModelState(APP, name, fields, managers=[("objects", manager())]))
        found = MigrationAutodetector(self.state, wanted, Questioner())._detect_changes()
        operations = [it for migration in found.get(APP, []) for it in migration.operations]
        for operation in operations:
            self.do(operation)
        return operations

    def do(self, operation: Any) -> None:
        """Migrate by one operation."""
        before, after = self.state, self.state.clone()
        operation.state_forwards(APP, after)
        with connections[alias()].schema_editor(atomic=False) as editor:
            operation.database_forwards(APP, editor, before, after)
        self.state = after
        self.done.append((operation, before, after))

    def undo(self, number: int) -> None:
        """Migrate backwards."""
        for _ in range(number):
            operation, before, after = self.done.pop()
            with connections[alias()].schema_editor(atomic=False) as editor:
                operation.database_backwards(APP, editor, after, before)
            self.state = before

    def model(self, name: str) -> Any:
        """A model as it is now."""
        return self.state.apps.get_model(APP, name)


def manager() -> EncryptedManager:
    found = EncryptedManager()
    found.use_in_migrations = True
    return found


def alias() -> str:
    return str(django_support.Router.current)


# --- the tenant comes and goes --------------------------------------------------------------------


def text(tenant: str, **options: Any) -> EncryptedTextField:
    return EncryptedTextField(null=True, tenant=tenant, **options)


def test_a_tenant_is_renamed(place: Place) -> None:
    index = ("text_index", BlindIndexField("text"))
    clinic = models.IntegerField(default=0)
    history = History(Note=[KEY, ("clinic", clinic), ("text", text("clinic")), index])
    history.model("Note").objects.create(clinic=7, text="Flu")
    operations = history.become(
        Note=[KEY, ("practice", clinic), ("text", text("practice")), index],
    )
    assert [type(it).__name__ for it in operations] == ["RenameField", "AlterField"]
    note = history.model("Note").objects.get(practice=7, text="Flu")
    assert note.text == "Flu"
    history.undo(1)
    half_way = history.model("Note").objects.get()
    with pytest.raises(FieldError, match=r"tenant 'clinic', which is no field.*migrations"):
        half_way.text  # noqa: B018
    half_way.text = "Cold"
    with pytest.raises(FieldError, match="'clinic', which is no field"):
        half_way.save()
    history.undo(1)
    assert history.model("Note").objects.get(clinic=7, text="Flu").text == "Flu"


def test_a_tenant_comes_and_goes_with_its_values(place: Place) -> None:
    both = [("bio", text("clinic")), ("clinic", models.IntegerField(default=7))]
    history = History(Note=[KEY])
    operations = history.become(Note=[KEY, *both])
    assert [it.name for it in operations] == ["bio", "clinic"]
    history.model("Note").objects.create(bio="b")
    assert history.model("Note").objects.get().bio == "b"
    # The other way round, as the names sort it.
    history.become(Note=[KEY])
    last = [("clinic", models.IntegerField(default=7)), ("text", text("clinic"))]
    history.become(Note=[KEY, *last])
    assert [it.name for it in history.become(Note=[KEY])] == ["clinic", "text"]
    history.undo(2)
    history.model("Note").objects.create(text="t")
    assert history.model("Note").objects.get(text__isnull=False).text == "t"


def test_a_tenant_is_a_reference_of_a_circle(place: Place) -> None:
    history = History()
    operations = history.become(
        Clinic=[KEY, ("first", models.ForeignKey(f"{APP}.Bill", models.SET_NULL, null=True))],
        Bill=[
            KEY,
            ("clinic", models.ForeignKey(f"{APP}.Clinic", models.CASCADE)),
            ("text", text("clinic")),
        ],
    )
    kinds = [type(it).__name__ for it in operations]
    assert kinds == ["CreateModel", "CreateModel", "AddField"]
    assert [name for name, _ in operations[0].fields] == ["id", "text"]
    clinic = history.model("Clinic").objects.create()
    history.model("Bill").objects.create(clinic_id=clinic.pk, text="Flu")
    assert history.model("Bill").objects.get().text == "Flu"


# --- defaults -------------------------------------------------------------------------------------


CLINIC = ("clinic", models.IntegerField(default=7))


def bound() -> list[tuple[str, Any]]:
    """What most projects would declare."""
    return [
        ("number", EncryptedIntegerField(tenant="clinic", default=0)),
        ("title", EncryptedTextField(tenant="clinic", blank=True)),
    ]


def test_bound_fields_with_a_default_come_into_an_empty_table(place: Place) -> None:
    history = History(Note=[KEY, CLINIC])
    assert len(history.become(Note=[KEY, CLINIC, *bound()])) == 2
    note = history.model("Note").objects.create()
    assert (note.number, note.title) == (0, "")
    note.delete()
    history.become(Note=[KEY, CLINIC])
    history.undo(2)
    history.model("Note").objects.create(title="t")
    assert history.model("Note").objects.get().title == "t"


def test_a_full_table_is_told_how_to_get_a_bound_field(place: Place) -> None:
    history = History(Note=[KEY, CLINIC])
    history.model("Note").objects.create()
    for added in bound():
        with pytest.raises(
            FieldError, match=r"add it with null=True and without a default, fill it"
        ):
            history.become(Note=[KEY, CLINIC, added])
        assert added[0] not in {it.name for it in described(f"{APP}_note")}
    # As it says:
    history.become(Note=[KEY, CLINIC, ("title", text("clinic"))])
    with pytest.raises(FieldError, match="null=True"):
        history.become(Note=[KEY, CLINIC, bound()[1]])
    for note in history.model("Note").objects.all():
        note.title = "filled"
        note.save()
    history.become(Note=[KEY, CLINIC, bound()[1]])
    assert history.model("Note").objects.get().title == "filled"
    [title] = [it for it in described(f"{APP}_note") if it.name == "title"]
    assert not title.null_ok


def test_a_default_is_sealed_for_rows_and_needs_no_key_without_any(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    title = ("title", EncryptedTextField(default="untitled"))
    with monkeypatch.context() as patched:
        for name in ("RESEAL_PRIMARY_KEY", "RESEAL_INDEX_KEY"):
            patched.delenv(name)
        with override_settings(RESEAL=dict(django_support.CODECS)):
            history = History(Note=[KEY])
            history.become(Note=[KEY, title])
            history.become(Note=[KEY])
    history.model("Note").objects.create()
    history.become(Note=[KEY, title])
    assert history.model("Note").objects.get().title == "untitled"
    [found] = [it for it in described(f"{APP}_note") if it.name == "title"]
    # The default was for the rows that were there.
    assert found.default in (None, "NULL")
    assert not found.null_ok


EMPTY: dict[str, Any] = {
    "text": (EncryptedTextField, ""),
    "characters": (EncryptedCharField, ""),
    "email": (EncryptedEmailField, ""),
    "bytes": (EncryptedBinaryField, b""),
}


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("name", EMPTY)
def test_what_may_be_blank_fills_rows_with_nothing(place: Place, name: str, binary: bool) -> None:
    kind, empty = EMPTY[name]
    more = {"max_length": 20} if name == "characters" else {}
    history = History(Note=[KEY])
    history.model("Note").objects.create()
    history.become(Note=[KEY, ("title", kind(blank=True, binary=binary, **more))])
    rows = history.model("Note").objects
    assert rows.get().title == empty
    assert rows.create().title == empty


def described(table: str) -> list[Any]:
    connection = connections[alias()]
    with connection.cursor() as cursor:
        return list(connection.introspection.get_table_description(cursor, table))


# --- a new database -------------------------------------------------------------------------------


def test_an_empty_table_needs_neither_key_nor_codec(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A codec that the settings have no more is named by the migrations of former times."""
    for name in ("RESEAL_PRIMARY_KEY", "RESEAL_INDEX_KEY"):
        monkeypatch.delenv(name)
    former = EncryptedTextField(null=True, read=["gone", "plain"])
    with override_settings(RESEAL=dict(django_support.CODECS)):
        history = History(Note=[KEY, ("text", former)])
        history.model("Note").objects.create()  # with nothing to seal
        history.do(EncryptColumn("Note", "text"))
        history.do(DecryptColumn("Note", "text"))
        history.undo(2)


# --- text that becomes bytes, and the other way round ----------------------------------------------


def findable(binary: bool) -> Any:
    """A field that is found by what is stored."""
    return ("text", EncryptedTextField(mode="deterministic", read=["plain"], binary=binary))


def put(model: Any, stored: Any) -> int:
    """A row as its database holds it; its primary key."""
    key = 100 + len(model.objects.all())
    with connections[alias()].cursor() as cursor:
        cursor.execute(f"INSERT INTO {APP}_note (id, text) VALUES (%s, %s)", [key, stored])
    return key


def check_found(model: Any) -> None:
    """What opens is found, and nothing else."""
    rows = model.objects.on_error("report")
    for value in ("a", "b", "é"):
        opened = {row.pk for row in rows if row.text == value}
        assert {row.pk for row in rows.filter(text=value)} == opened
        assert {row.pk for row in rows.filter(text__in=[value, "none"])} == opened
        assert not opened & {row.pk for row in rows.exclude(text=value)}


def test_what_was_text_is_found_in_a_column_of_bytes(place: Place) -> None:
    history = History(Note=[KEY, findable(False)])
    note = history.model("Note")
    for value in ("a", "b"):
        note.objects.create(text=value)
        put(note, value)
    history.become(Note=[KEY, findable(True)])
    note = history.model("Note")
    assert sorted(row.text for row in note.objects.all()) == ["a", "a", "b", "b"]
    check_found(note)
    note.objects.create(text="a")
    put(note, "é".encode())
    check_found(note)
    assert note.objects.filter(text="a").count() == 3


def test_what_was_bytes_is_found_in_a_column_of_text(place: Place) -> None:
    history = History(Note=[KEY, findable(False)])
    history.model("Note").objects.create(text="a")
    history.become(Note=[KEY, findable(True)])
    note = history.model("Note")
    if place.kind == "sqlite":
        # Others make no text of an envelope of bytes.
        note.objects.create(text="a")
        put(note, "é".encode())
        put(note, b"b")
    history.become(Note=[KEY, findable(False)])
    note = history.model("Note")
    note.objects.create(text="a")
    put(note, "é")
    check_found(note)
    assert note.objects.filter(text="a").count() == (3 if place.kind == "sqlite" else 2)


@pytest.mark.parametrize("before", [True, False])
def test_plaintext_of_the_other_form_is_found_without_a_term(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """SQLite leaves what it has as it is."""

    def fields(binary: bool) -> list[tuple[str, Any]]:
        text = EncryptedTextField(null=True, read=["plain"], binary=binary)
        return [KEY, ("text", text), ("text_index", BlindIndexField("text"))]

    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    monkeypatch.setenv("RESEAL_INDEX_KEY", INDEX.export())
    with (
        override_settings(RESEAL=django_support.CODECS),
        django_support.database("sqlite", django_support.sqlite_file(tmp_path)),
    ):
        history = History(Note=fields(before))
        note = history.model("Note")
        first, second = (put(note, it.encode() if before else it) for it in ("a", "é"))
        sealed = note.objects.create(text="a").pk
        note.objects.create(text="b")
        with connections[alias()].cursor() as cursor:
            cursor.execute(f"UPDATE {APP}_note SET text_index = NULL WHERE id > %s", [sealed])
        history.become(Note=fields(not before))
        rows = history.model("Note").objects
        assert {row.pk for row in rows.filter(text="a")} == {first, sealed}
        assert {row.pk for row in rows.filter(text="é")} == {second}
        # What is sealed and has no term is unknown.
        assert {row.pk for row in rows.exclude(text="a")} == {second}


TEXTS = ["hello", "é✓", "C:\\134temp", "\\x414243", "", None]


def values(model: Any) -> list[Any]:
    return [it.t for it in model.objects.order_by("id")]


@pytest.mark.parametrize("of", [models.TextField, models.CharField])
def test_plaintext_is_the_same_in_a_binary_column_and_back(place: Place, of: Any) -> None:
    """No backslash begins an escape, and no hexadecimal form comes back."""
    binary = EncryptedTextField(null=True, binary=True, read=["plain"])
    history = History(Note=[KEY, ("t", of(max_length=90, null=True))])
    for text in TEXTS:
        history.model("Note").objects.create(t=text)
    history.become(Note=[KEY, ("t", binary)])
    assert values(history.model("Note")) == TEXTS
    history.do(EncryptColumn("Note", "t"))
    assert values(history.model("Note")) == TEXTS
    history.undo(2)
    assert values(history.model("Note")) == TEXTS


def test_envelopes_are_the_same_in_a_binary_column_and_none_is_lost_on_the_way_back(
    place: Place,
) -> None:
    history = History(Note=[KEY, ("t", EncryptedTextField(null=True))])
    history.model("Note").objects.create(t="as text")
    history.become(Note=[KEY, ("t", EncryptedTextField(null=True, binary=True))])
    assert values(history.model("Note")) == ["as text"]
    history.model("Note").objects.create(t="as bytes")
    both = ["as text", "as bytes"]
    if place.kind == "sqlite":
        history.undo(1)
    else:
        with pytest.raises(DatabaseError):
            history.undo(1)
    assert values(history.model("Note")) == both


# --- memory ---------------------------------------------------------------------------------------


def test_nothing_keeps_the_models_of_migrations() -> None:
    def rendered() -> weakref.ref[Any]:
        state = ProjectState()
        fields = [KEY, CLINIC, ("text", text("clinic")), ("text_index", BlindIndexField("text"))]
        state.add_model(ModelState(APP, "Note", fields))
        return weakref.ref(state.apps.get_model(APP, "Note"))

    found = [rendered() for _ in range(3)]
    gc.collect()
    assert [it() for it in found] == [None] * 3


def test_a_model_of_a_migration_is_looked_after() -> None:
    state = ProjectState()
    state.add_model(ModelState(APP, "Note", [KEY, CLINIC, ("text", text("clinic"))]))
    note = state.apps.get_model(APP, "Note")
    gc.collect()
    assert pre_save.has_listeners(note)
    assert post_init.has_listeners(note)
