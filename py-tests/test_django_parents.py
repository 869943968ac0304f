"""Models of several tables: what a child hands to its parent, and how it is deleted where a value does not open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django_support
import pytest
import reseal
from django_support import DATA, INDEX
from job_support import KINDS
from reseal import hooks

django_support.setup()

from django.db import connections, models  # noqa: E402
from django.db.models.fields.related_descriptors import ForwardOneToOneDescriptor  # noqa: E402
from django.test.utils import CaptureQueriesContext, isolate_apps, override_settings  # noqa: E402
from reseal.django import (  # noqa: E402
    BlindIndexField,
    EncryptedManager,
    EncryptedTextField,
    Unopened,
)


class Models:
    """An application of its own."""

    def __init__(self) -> None:
        class Base(models.Model):
            objects = EncryptedManager()

            class Meta:
                abstract = True
                app_label = "django_app"

        class Person(Base):
            clinic = models.IntegerField(default=1)
            ssn = EncryptedTextField(null=True)
            ssn_index = BlindIndexField("ssn")
            note = EncryptedTextField(tenant="clinic")

        class Employee(Person):
            badge = EncryptedTextField()

            class Meta:
                app_label = "django_app"

        class Chief(Employee):
            title = models.CharField(max_length=20, default="")

            class Meta:
                app_label = "django_app"

        class Stand(Chief):
            class Meta:
                proxy = True
                app_label = "django_app"

        class Visit(models.Model):
            person = models.ForeignKey(Person, on_delete=models.CASCADE)

            class Meta:
                app_label = "django_app"

        self.person: Any = Person
        self.employee: Any = Employee
        self.chief: Any = Chief
        self.stand: Any = Stand
        self.visit: Any = Visit
        self.all = (Person, Employee, Chief, Visit)


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
        rows = models.QuerySet(model, using=django_support.Router.current)
        rows._raw_delete(rows.db)


def spoil(app: Models, name: str) -> None:
    """All values of a field that cannot be opened any more."""
    column = connections[django_support.Router.current].ops.quote_name(name)
    with connections[django_support.Router.current].cursor() as cursor:
        cursor.execute(f"UPDATE {app.person._meta.db_table} SET {column} = 'rs1.broken'")


DELETIONS: dict[str, Callable[[Any], Any]] = {
    "instance": lambda rows: rows.get().delete(),
    "rows": lambda rows: rows.all().delete(),
    "reported": lambda rows: rows.on_error("report").get().delete(),
    "narrow": lambda rows: rows.only("pk").get().delete(),
}


@pytest.mark.parametrize("way", DELETIONS)
@pytest.mark.parametrize("name", ["employee", "chief", "stand"])
def test_a_row_that_does_not_open_is_deleted(app: Models, name: str, way: str) -> None:
    model = getattr(app, name)
    made = model.objects.create(ssn="1", note="n", badge="b")
    app.visit.objects.create(person_id=made.pk)
    spoil(app, "ssn")
    spoil(app, "note")
    with pytest.raises(reseal.ResealError, match="ssn"):
        _ = model.objects.get().ssn
    DELETIONS[way](model.objects)
    for one in app.all:
        assert not one._base_manager.exists()


def test_a_parent_has_what_its_child_holds(app: Models) -> None:
    made = app.chief.objects.create(ssn="1", note="first", badge="b", title="t")
    alias = django_support.Router.current
    assert alias is not None
    chief = app.chief.objects.get()
    with hooks.Counters() as counters, CaptureQueriesContext(connections[alias]) as asked:
        employee = chief.employee_ptr
        person = employee.person_ptr
        assert chief.person_ptr is person
    assert (counters.total("opened"), len(asked)) == (0, 0)
    assert (type(employee), type(person)) == (app.employee, app.person)
    assert (person.pk, person.clinic, person._state.adding) == (made.pk, 1, False)
    assert person._state.db == alias
    assert (person.ssn, person.note, employee.badge) == ("1", "first", "b")
    assert (chief.ssn, chief.note, chief.badge) == ("1", "first", "b")


def test_a_parent_leaves_what_nobody_asked_for(app: Models) -> None:
    app.employee.objects.create(ssn="1", note="first", badge="b")
    person = app.employee.objects.get().person_ptr
    app.person.objects.filter(clinic=1).update(ssn="2", note="second")
    person.clinic = 1
    person.save()
    found = app.employee.objects.get()
    assert (found.ssn, found.note) == ("2", "second")
    # What was asked for, or assigned, goes with it.
    found.ssn, _ = "3", found.note
    person = found.person_ptr
    app.person.objects.filter(clinic=1).update(ssn="4", note="third")
    person.save()
    assert app.person.objects.get(ssn="3").note == "second"


def test_what_is_bound_stays_bound(app: Models) -> None:
    app.employee.objects.create(ssn="1", note="n", badge="b")
    found = app.employee.objects.get()
    found.clinic = 2
    person = found.person_ptr
    assert (person.clinic, person.note) == (2, "n")
    person.save()
    assert app.person.objects.get(clinic=2).note == "n"
    again = app.employee.objects.get()
    again.clinic = 3
    again.person_ptr.save()  # sealed anew, since it is bound to another tenant
    assert app.person.objects.get(clinic=3).note == "n"


def test_a_parent_reports_as_its_child_does(app: Models) -> None:
    app.employee.objects.create(ssn="1", note="n", badge="b")
    spoil(app, "ssn")
    found = app.employee.objects.on_error("report").get()
    for asked in (lambda: None, lambda: found.ssn):
        asked()
        person = found.person_ptr
        assert isinstance(person.ssn, Unopened)
        assert person.note == "n"
        person.save()
        del found._state.fields_cache["person_ptr"]
    strict = app.employee.objects.get().person_ptr
    with pytest.raises(reseal.ResealError):
        _ = strict.ssn


def test_what_was_deferred_is_asked_for_at_once(app: Models) -> None:
    app.employee.objects.create(ssn="1", note="n", badge="b")
    found = app.employee.objects.defer("ssn").get()
    alias = django_support.Router.current
    assert alias is not None
    with CaptureQueriesContext(connections[alias]) as asked:
        person = found.person_ptr
        assert (person.ssn, person.note) == ("1", "n")
    assert len(asked) == 1


def test_a_child_that_is_new_has_no_parent_yet(app: Models) -> None:
    assert app.employee(note="n", badge="b").person_ptr_id is None
    with pytest.raises(app.employee.person_ptr.RelatedObjectDoesNotExist):
        _ = app.employee(note="n", badge="b").person_ptr


@isolate_apps("django_app")
def test_only_plain_links_of_encrypted_parents_are_replaced(tmp_path: Path) -> None:
    class Place(models.Model):
        class Meta:
            app_label = "django_app"

    class Plain(Place):
        class Meta:
            app_label = "django_app"

    class Other(ForwardOneToOneDescriptor):
        """One of a program."""

    class Link(models.OneToOneField):
        forward_related_accessor_class = Other

    class Parent(models.Model):
        text = EncryptedTextField()

        class Meta:
            app_label = "django_app"

    class Child(Parent):
        link = Link(Parent, models.CASCADE, parent_link=True, primary_key=True)

        class Meta:
            app_label = "django_app"

    class Usual(Parent):
        class Meta:
            app_label = "django_app"

    assert type(vars(Plain)["place_ptr"]) is ForwardOneToOneDescriptor
    assert type(vars(Child)["link"]) is Other
    found = vars(Usual)["parent_ptr"]
    assert isinstance(found, ForwardOneToOneDescriptor)
    assert type(found) is not ForwardOneToOneDescriptor
    assert found.__reduce__() == (getattr, (Usual, "parent_ptr"))
