"""What values are bound to, which no statement changes without them, whichever manager makes it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import django_support
import pytest
import reseal
from django_support import DATA, INDEX
from job_support import KINDS

django_support.setup()

from asgiref.sync import async_to_sync  # noqa: E402
from django.core.exceptions import FieldError  # noqa: E402
from django.db import connections, models, transaction  # noqa: E402
from django.db.models import Count, F, Q, Value  # noqa: E402
from django.db.models.functions import Upper  # noqa: E402
from django.test.utils import override_settings  # noqa: E402
from reseal.django import BlindIndexField, EncryptedManager, EncryptedTextField  # noqa: E402


class Models:
    """An application of its own: a clinic with records, and what is bound to a text and to a row."""

    def __init__(self) -> None:
        class Clinic(models.Model):
            class Meta:
                app_label = "django_app"

        class Record(models.Model):
            clinic = models.ForeignKey(Clinic, models.SET_NULL, null=True, related_name="records")
            note = models.CharField(max_length=20, default="")
            text = EncryptedTextField(null=True, tenant="clinic")
            text_index = BlindIndexField("text")
            objects = EncryptedManager()

            class Meta:
                app_label = "django_app"

        class Label(models.Model):
            name = models.CharField(max_length=20, unique=True)
            group = models.CharField(max_length=20, db_default="main")
            text = EncryptedTextField(null=True, tenant="group")
            objects = EncryptedManager()

            class Meta:
                app_label = "django_app"

        class Card(models.Model):
            id = models.UUIDField(primary_key=True, default=uuid.uuid4)
            name = models.CharField(max_length=20, unique=True)
            text = EncryptedTextField(null=True, bind_row=True)
            objects = EncryptedManager()

            class Meta:
                app_label = "django_app"

        class Tag(models.Model):
            """Of one key only, so that it is what conflicts."""

            id = models.UUIDField(primary_key=True, default=uuid.uuid4)
            text = EncryptedTextField(null=True, bind_row=True)

            class Meta:
                app_label = "django_app"

        self.clinic: Any = Clinic
        self.record: Any = Record
        self.label: Any = Label
        self.card: Any = Card
        self.tag: Any = Tag
        self.all = (Clinic, Record, Label, Card, Tag)


@pytest.fixture(scope="module", params=KINDS)
def kept(
    request: pytest.FixtureRequest,
    servers: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Models]:
    folder = tmp_path_factory.mktemp("place")
    with django_support.application(Models, request.param, servers, folder) as app:
        yield app


@pytest.fixture
def app(kept: Models, monkeypatch: pytest.MonkeyPatch) -> Iterator[Models]:
    """The models; what a test writes is gone afterwards."""
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    monkeypatch.setenv("RESEAL_INDEX_KEY", INDEX.export())
    with override_settings(RESEAL=django_support.CODECS):
        yield kept
    for model in reversed(kept.all):
        plainly(model).delete()


def test_what_is_bound_to_a_uuid_opens_in_a_loop_and_in_another_thread(app: Models) -> None:
    """Its spelling depends on the server, which is asked where the row is read."""
    card = app.card.objects.create(name="n", text="t")
    alias, found = str(django_support.Router.current), []

    async def opened() -> str:
        return str((await app.card.objects.aget(pk=card.pk)).text)

    def open_elsewhere(row: Any) -> None:
        found.append(row.text)
        found.append(connections[alias].connection)

    # The query is made in this thread, and the value is opened in the loop.
    assert async_to_sync(opened)() == "t"
    thread = threading.Thread(target=open_elsewhere, args=[app.card.objects.get()])
    thread.start()
    thread.join()
    assert found == ["t", None]


def plainly(model: Any) -> Any:
    """A query set of Django's, for all rows of a model."""
    return models.QuerySet(model, using=django_support.Router.current)


# --- what is changed alone ------------------------------------------------------------------------


def test_a_tenant_is_not_changed_without_its_values(app: Models) -> None:
    first, second = app.clinic.objects.create(), app.clinic.objects.create()
    record = app.record.objects.create(clinic=first, text="s")
    moved = app.record(pk=record.pk, clinic=second)
    changes: list[Callable[[], Any]] = [
        lambda: plainly(app.record).update(clinic=second),
        lambda: plainly(app.record).bulk_update([moved], ["clinic"]),
        lambda: app.record.objects.update(clinic_id=second.pk),
        lambda: app.record.objects.bulk_update([moved], ["clinic"]),
        lambda: second.records.add(record),
        lambda: second.records.set([record]),
        lambda: first.records.clear(),
        lambda: first.delete(),
    ]
    for change in changes:
        with pytest.raises(FieldError, match=r"Record.text is bound to clinic.*without it"):
            change()
    assert app.record.objects.get(clinic=first.pk, text="s").text == "s"
    second.records.add(record, bulk=False)
    assert app.record.objects.get(clinic=second, text="s").text == "s"


def test_a_tenant_without_values_may_go(app: Models) -> None:
    clinic = app.clinic.objects.create()
    app.clinic.objects.create().delete()
    record = app.record.objects.create(clinic=clinic)
    clinic.delete()
    record.refresh_from_db()
    assert record.clinic is None


def test_what_is_deferred_stays_with_its_tenant(app: Models) -> None:
    first, second = app.clinic.objects.create(), app.clinic.objects.create()
    key = app.record.objects.create(clinic=first, text="s", note="a").pk
    for rows in (app.record.objects.all(), plainly(app.record)):
        record = rows.defer("text").get()
        record.note = "b"
        record.save()
        record.save(update_fields=["clinic", "note"])
        assert app.record.objects.get(clinic=first, text="s").note == "b"
        # What changed is what the row has, whatever the instance knows of it.
        record.clinic = second
        with pytest.raises(FieldError, match=r"Record.text is bound to clinic.*without it"):
            record.save()
        other = app.record.objects.get()
        other.clinic = second
        other.save()
        record.clinic = first
        with pytest.raises(FieldError, match=r"Record.text is bound to clinic.*without it"):
            record.save()
        other.clinic, other.note = first, "a"
        other.save()
    plainly(app.record).update(clinic=first)
    assert app.record.objects.get(clinic=first, text="s").pk == key
    label = app.label.objects.create(name="a", group="g", text="s")
    label = app.label.objects.defer("text").get(pk=label.pk)
    for group in (F("name"), "G"):
        label.group = group
        with pytest.raises(FieldError, match=r"Label.text is bound to group"):
            label.save()


def test_a_tenant_that_was_deferred_is_set_after_its_value_was_read(app: Models) -> None:
    first, second = app.clinic.objects.create(), app.clinic.objects.create()
    app.record.objects.create(clinic=first, text="s")
    writes: list[Callable[[Any], Any]] = [
        lambda record: record.save(),
        lambda record: record.save(update_fields=["clinic", "text", "text_index"]),
        lambda record: app.record.objects.bulk_update([record], ["clinic", "text"]),
        lambda record: app.record.objects.bulk_update([record], ["clinic", "text_index"]),
    ]
    for write in writes:
        for rows in (app.record.objects.only("text"), plainly(app.record).defer("clinic")):
            record = rows.get()
            record.clinic = second
            with pytest.raises(FieldError, match=r"clinic, which was deferred.* read text first"):
                write(record)
            assert app.record.objects.get(clinic=first, text="s").text == "s"
    # As it says:
    record = app.record.objects.only("text").get()
    assert record.text == "s"
    record.clinic = second
    record.save()
    record = app.record.objects.only("text", "clinic").get(clinic=second, text="s")
    record.clinic = first
    record.save()
    assert app.record.objects.get(clinic=first, text="s").text == "s"
    # Where the tenant is as it was, the value is of another row.
    app.record.objects.create(clinic=second, text="s", note="other")
    copy = "UPDATE django_app_record SET text = %s WHERE note = ''"
    with connections[django_support.Router.current].cursor() as cursor:
        cursor.execute("SELECT text FROM django_app_record WHERE note = 'other'")
        cursor.execute(copy, cursor.fetchone())
    record = app.record.objects.only("text").get(note="")
    record.clinic = first
    with pytest.raises(reseal.ResealError) as caught:
        record.save()
    assert caught.value.code == "auth-failed"


def test_a_primary_key_is_not_changed_without_its_values(app: Models) -> None:
    app.card.objects.create(name="a", text="s")
    for rows in (app.card.objects.all(), plainly(app.card)):
        with pytest.raises(FieldError, match=r"Card.text is bound to id.*without it"):
            rows.update(id=uuid.uuid4())
    assert app.card.objects.get().text == "s"


# --- rows that are updated one by one ---------------------------------------------------------------


def test_an_update_takes_every_condition(app: Models) -> None:
    first, second = app.clinic.objects.create(), app.clinic.objects.create()
    for clinic, note in ((first, "a"), (first, "b"), (second, "c"), (None, "d")):
        app.record.objects.create(clinic=clinic, note=note, text=None if clinic is None else "s")
    records, many = app.record.objects, Count("clinic__records")
    for number, (rows, notes) in enumerate(
        [
            (records.filter(Q(clinic__records__note="a") | Q(note="c")), "abc"),
            (records.filter(clinic__records__note__in="ab").distinct(), "ab"),
            (records.filter(clinic__records__note__in="ab"), "ab"),
            (records.annotate(many=many).filter(many=2), "ab"),
            (records.annotate(many=many).filter(many=1).order_by("-many"), "c"),
            (records.filter(pk__in=records.filter(note="b").values("pk")), "b"),
            (records.select_for_update().filter(Q(clinic__records__note="c") | Q(note="b")), "bc"),
        ]
    ):
        assert rows.update(text=f"text {number}") == len(notes)
        found = [it.note for it in records.order_by("note") if it.text == f"text {number}"]
        assert "".join(found) == notes
    with pytest.raises(TypeError, match="Cannot update a query once a slice"):
        records.all()[:1].update(text="t")
    with pytest.raises(TypeError, match="one row of each group"):
        records.order_by("clinic", "-note").distinct("clinic").update(text="t")


def test_a_condition_beside_one_on_a_count(app: Models) -> None:
    clinic = app.clinic.objects.create()
    for note in "ab":
        app.record.objects.create(clinic=clinic, note=note, text=note)
    app.record.objects.create(clinic=app.clinic.objects.create(), note="c", text="c")
    rows = app.record.objects.annotate(many=Count("clinic__records"))
    hits = rows.filter(Q(many=1) | Q(text="a"), clinic=clinic)
    assert [it.note for it in hits] == ["a"]
    assert hits.update(text="d") == 1
    assert app.record.objects.get(clinic=clinic, text="d").note == "a"
    hits = rows.filter(Q(many=1) | Q(text__isnull=False)).order_by("note")
    assert list(hits.values_list("note", flat=True)) == ["a", "b", "c"]


def test_an_update_that_waited_takes_no_row_that_fits_no_more(app: Models) -> None:
    if django_support.Router.current == "sqlite":
        return  # it has one writer at a time, which has read nothing before
    clinic = app.clinic.objects.create()
    app.record.objects.create(clinic=clinic, note="new", text="s")
    entered, changed = threading.Event(), []

    def claim() -> None:
        try:
            entered.set()
            rows = app.record.objects.filter(Q(note="new") | Q(clinic__records__note="none"))
            changed.append(rows.update(note="taken", text="second"))
        finally:
            connections.close_all()

    with transaction.atomic(using=django_support.Router.current):
        assert app.record.objects.filter(note="new").update(note="taken", text="first") == 1
        other = threading.Thread(target=claim)
        other.start()
        assert entered.wait(10)
        # It waits for the row; if it were late, it would find nothing anyway.
        other.join(0.5)
        assert other.is_alive()
    other.join(30)
    assert changed == [0]
    assert app.record.objects.get().text == "first"


# --- what the database would compute --------------------------------------------------------------


def test_a_tenant_that_the_database_computes_is_refused(app: Models) -> None:
    label = app.label.objects.create(name="a", group="g", text="s")
    for expression in (F("name"), Upper("name"), Value("h")):
        label.group, label.text = expression, "t"
        writes: list[Callable[[], Any]] = [
            label.save,
            partial(app.label.objects.bulk_update, [label], ["group", "text"]),
            partial(app.label.objects.update, group=expression, text="t"),
            partial(app.label.objects.create, name="b", group=Upper(Value("h")), text="t"),
        ]
        for write in writes:
            with pytest.raises(FieldError, match=r"bound to its tenant.*assign a value") as caught:
                write()
            assert "name" not in str(caught.value)
    # What a default of the database gives is not known, either.
    with pytest.raises(FieldError, match=r"bound to its tenant.*assign a value"):
        app.label.objects.create(name="b", text="t")
    assert app.label.objects.create(name="b").text is None
    assert app.label.objects.get(name="a").text == "s"


# --- upserts --------------------------------------------------------------------------------------


def upsert(model: Any, fields: list[str], unique: str, **values: Any) -> None:
    """Insert a row, or change the one that it is in conflict with; MySQL takes no names."""
    names = {} if django_support.Router.current == "mysql" else {"unique_fields": [unique]}
    plainly(model).bulk_create(
        [model(**values)], update_conflicts=True, update_fields=fields, **names
    )


def test_an_upsert_leaves_no_value_in_another_row(app: Models) -> None:
    card = app.card.objects.create(name="a", text="s")
    app.label.objects.create(name="a", group="g", text="s")
    with pytest.raises(FieldError, match=r"id has to be in unique_fields$"):
        upsert(app.card, ["text"], "name", name="a", text="t")
    with pytest.raises(FieldError, match=r"group has to be in unique_fields, or in update_fields"):
        upsert(app.label, ["text"], "name", name="a", group="h", text="t")
    with pytest.raises(FieldError, match="is bound to group, which is to be changed without it"):
        upsert(app.label, ["group"], "name", name="a", group="h", text="t")
    assert (app.card.objects.get().text, app.label.objects.get().text) == ("s", "s")
    upsert(app.label, ["group", "text"], "name", name="a", group="h", text="t")
    assert app.label.objects.get(group="h").text == "t"
    if django_support.Router.current != "mysql":
        upsert(app.card, ["text"], "id", id=card.pk, name="b", text="t")
        assert app.card.objects.get().text == "t"


def test_an_upsert_of_the_same_row(app: Models) -> None:
    tag = app.tag.objects.create(text="s")
    upsert(app.tag, ["text"], "id", id=tag.pk, text="t")
    assert app.tag.objects.get().text == "t"
