"""Duplicates of encrypted values, which forms and `full_clean()` tell before the database does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django_support
import pytest
import reseal
from django_support import DATA, INDEX, stored
from job_support import KINDS

django_support.setup()

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager  # noqa: E402
from django.contrib.auth.checks import check_user_model  # noqa: E402
from django.core.exceptions import ValidationError  # noqa: E402
from django.db import IntegrityError, connections, models, transaction  # noqa: E402
from django.forms import modelform_factory, modelformset_factory  # noqa: E402
from django.test.utils import isolate_apps, override_settings  # noqa: E402
from reseal.django import (  # noqa: E402
    BlindIndexField,
    EncryptedEmailField,
    EncryptedManager,
    EncryptedQuerySet,
    EncryptedTextField,
)

NEW_INDEX = reseal.Key.generate("index")


class Models:
    """An application of its own."""

    def __init__(self) -> None:
        class Person(models.Model):
            name = models.CharField(max_length=20, default="n")
            ssn = EncryptedTextField(null=True, blank=True)
            ssn_index = BlindIndexField("ssn", normalizer="digits", unique=True)
            objects = EncryptedManager()

            class Meta:
                app_label = "django_app"

        class Short(models.Model):
            code = EncryptedTextField()
            code_index = BlindIndexField("code", bits=8, unique=True)
            objects = EncryptedManager()

            class Meta:
                app_label = "django_app"

        class Member(models.Model):
            clinic = models.IntegerField(null=True)
            ward = models.CharField(max_length=20, default="w")
            text = EncryptedTextField(tenant="clinic")
            text_index = BlindIndexField("text")
            objects = EncryptedManager()

            class Meta:
                app_label = "django_app"
                constraints = (models.UniqueConstraint(fields=["ward", "text_index"], name="one"),)

        class Guest(models.Model):
            house = models.IntegerField(null=True, blank=True)
            room = models.IntegerField(default=0)
            name = EncryptedTextField(null=True, blank=True, read=["plain"])
            name_index = BlindIndexField("name")
            objects = EncryptedManager()

            class Meta:
                app_label = "django_app"
                constraints = (
                    models.UniqueConstraint(
                        fields=["house", "name_index"],
                        name="by_house",
                        nulls_distinct=False,
                        violation_error_message="%(name)s: is there",
                        violation_error_code="there",
                    ),
                    models.UniqueConstraint(
                        fields=["room", "name_index"], name="by_room", violation_error_code="full"
                    ),
                )

        self.person: Any = Person
        self.short: Any = Short
        self.member: Any = Member
        self.guest: Any = Guest
        self.all = (Person, Short, Member, Guest)


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
    for model in kept.all:
        models.QuerySet(model, using=django_support.Router.current).delete()


def taken(instance: Any, name: str, **options: Any) -> None:
    """An instance is refused, for what another row has."""
    with pytest.raises(ValidationError) as caught:
        instance.full_clean(**options)
    assert set(caught.value.error_dict) == {name}
    assert [error.code for error in caught.value.error_dict[name]] == ["unique"]
    assert str(getattr(instance, name)) not in str(caught.value)


def test_a_duplicate_is_an_error_of_its_field(app: Models) -> None:
    first = app.person.objects.create(ssn="078-05-1120")
    duplicate = app.person(ssn="078051120")
    taken(duplicate, "ssn")
    with pytest.raises(ValidationError):
        duplicate.validate_unique()
    duplicate.full_clean(validate_unique=False)
    duplicate.full_clean(exclude={"ssn"})
    with pytest.raises(IntegrityError), transaction.atomic(using=django_support.Router.current):
        duplicate.save()
    # The row itself is none, and a value that nobody asked for is not written.
    first.full_clean()
    app.person.objects.get().full_clean()
    other = app.person.objects.create(ssn="1")
    other.ssn = "078 05 1120"
    taken(other, "ssn")
    other.ssn = "2"
    other.full_clean()
    for _ in range(2):
        empty = app.person(ssn=None)
        empty.full_clean()
        empty.save()


def test_a_copy_is_judged_by_its_own_value(app: Models) -> None:
    app.person.objects.create(ssn="1")
    copy = app.person.objects.get()
    copy.pk, copy._state.adding = None, True
    taken(copy, "ssn")
    copy.ssn = "2"
    copy.full_clean()
    copy.save()
    assert app.person.objects.count() == 2


def test_a_form_tells_it(app: Models) -> None:
    app.person.objects.create(ssn="1")
    form_of = modelform_factory(app.person, fields=["name", "ssn"])
    form = form_of({"name": "b", "ssn": "1"})
    assert not form.is_valid()
    assert form.errors == {"ssn": ["Person with this Ssn already exists."]}
    assert form_of({"name": "b", "ssn": "2"}).is_valid()
    assert form_of({"name": "b", "ssn": "1"}, instance=app.person.objects.get()).is_valid()
    assert modelform_factory(app.person, fields=["name"])({"name": "b"}).is_valid()


def test_a_duplicate_under_an_older_index_key_is_one(
    app: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.person.objects.create(ssn="1")
    monkeypatch.setenv("RESEAL_INDEX_KEY", NEW_INDEX.export())
    monkeypatch.setenv("RESEAL_DECRYPT_KEYS", INDEX.export())
    with override_settings(RESEAL={**django_support.CODECS}):
        taken(app.person(ssn="1"), "ssn")
        app.person(ssn="2").full_clean()


def test_terms_that_the_database_refuses_are_refused(app: Models) -> None:
    one = app.short.objects.create(code="0")
    [term] = app.short.objects.values_list("code_index", flat=True)
    for number in range(1, 5000):
        index = app.short._meta.get_field("code_index")
        if (
            app.short._meta.get_field("code").bound().term(f"{number}", index.index_name(), {})
            == term
        ):
            break
    other = app.short(code=f"{number}")
    taken(other, "code")
    with pytest.raises(IntegrityError), transaction.atomic(using=django_support.Router.current):
        other.save()
    assert app.short.objects.get() == one


def test_a_false_hit_under_an_older_key_is_no_duplicate(
    app: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = app.short._meta.get_field("code_index")
    bound = app.short._meta.get_field("code").bound
    app.short.objects.create(code="0")
    [term] = app.short.objects.values_list("code_index", flat=True)
    same = [
        f"{number}"
        for number in range(1, 5000)
        if bound().term(f"{number}", index.index_name(), {}) == term
    ]
    monkeypatch.setenv("RESEAL_INDEX_KEY", NEW_INDEX.export())
    monkeypatch.setenv("RESEAL_DECRYPT_KEYS", INDEX.export())
    with override_settings(RESEAL={**django_support.CODECS}):
        for code in same:
            other = app.short(code=code)
            other.full_clean()
        other.save()
        taken(app.short(code="0"), "code")


def test_what_is_bound_is_unique_for_its_tenant(app: Models) -> None:
    app.member.objects.create(clinic=1, text="flu")
    taken(app.member(clinic=1, text="flu"), "text")
    app.member(clinic=1, text="flu").full_clean(validate_constraints=False)
    app.member(clinic=2, text="flu").full_clean()
    app.member(clinic=1, ward="x", text="flu").full_clean()
    app.member(clinic=1, ward="x", text="flu").full_clean(exclude={"ward"})
    form_of = modelform_factory(app.member, fields=["text"])
    # A view may assign the tenant later.
    assert form_of({"text": "flu"}).is_valid()
    form = modelform_factory(app.member, fields=["clinic", "ward", "text"])
    assert form({"clinic": "1", "ward": "w", "text": "flu"}).errors.keys() == {"text"}
    assert form({"clinic": "x", "ward": "w", "text": "flu"}).errors.keys() == {"clinic"}
    assert form({"clinic": "2", "ward": "w", "text": "flu"}).is_valid()


def test_a_constraint_says_what_is_wrong(app: Models) -> None:
    app.guest.objects.create(house=1, name="a")

    def errors(**values: Any) -> list[tuple[str, str | None]]:
        with pytest.raises(ValidationError) as caught:
            app.guest(**values).full_clean()
        return [(it.messages[0], it.code) for it in caught.value.error_dict["name"]]

    assert errors(house=1, room=1, name="a") == [("by_house: is there", "there")]
    assert errors(house=2, room=0, name="a") == [("Guest with this Name already exists.", "full")]
    app.guest(house=2, room=2, name="a").full_clean()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nulls_that_are_not_distinct_are_duplicates(app: Models) -> None:
    alias = django_support.Router.current
    assert alias is not None
    has_constraint = connections[alias].features.supports_nulls_distinct_unique_constraints

    def check(number: int, house: int | None, name: str | None, is_taken: bool) -> None:
        one = app.guest(house=house, room=number, name=name)
        if not is_taken:
            one.full_clean()
            return
        with pytest.raises(ValidationError, match="is there") as caught:
            one.full_clean()
        assert set(caught.value.error_dict) == {"name"}
        if has_constraint:
            with pytest.raises(IntegrityError), transaction.atomic(using=alias):
                one.save()

    app.guest.objects.create(house=None, room=100, name="a")
    first = app.guest.objects.create(house=1, room=100, name=None)
    check(1, None, "a", is_taken=True)
    check(2, None, "b", is_taken=False)
    check(3, 1, None, is_taken=True)
    check(4, 2, None, is_taken=False)
    check(5, None, None, is_taken=False)
    app.guest.objects.create(house=None, room=101, name=None)
    check(6, None, None, is_taken=True)
    for row in (first, app.guest.objects.get(pk=first.pk), *app.guest.objects.defer("name")):
        row.full_clean()


@isolate_apps("django_app")
def test_a_user_is_named_by_an_encrypted_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django asks for a unique field, which it is by its companion; all else is as with any other name."""

    class Users(BaseUserManager.from_queryset(EncryptedQuerySet)):  # type: ignore[misc]
        pass

    class Account(AbstractBaseUser):
        email = EncryptedEmailField()
        email_index = BlindIndexField("email", normalizer="ascii-lower-trim", unique=True)
        objects = Users()
        USERNAME_FIELD = "email"

        class Meta:
            app_label = "django_app"

    class Config:
        label = "django_app"
        get_model = staticmethod(lambda _: Account)

    with override_settings(AUTH_USER_MODEL="django_app.Account"):
        assert [it.id for it in check_user_model([Config])] == ["auth.E003"]
    assert Account.check() == []
    with (
        django_support.database("sqlite", django_support.sqlite_file(tmp_path), "users") as alias,
        django_support.tables(alias, Account),
        django_support.fresh_ring(alias, monkeypatch, Account),
    ):
        user = Account(email="Ann@example.org")
        user.set_password("only for tests")
        user.save()
        assert Account.objects.get_by_natural_key("ann@EXAMPLE.org").check_password(
            "only for tests"
        )
        assert Account.objects.filter(email__iexact="ANN@example.org").get() == user
        taken(Account(email="ann@example.org", password="x"), "email")


# --- in several forms at once ---------------------------------------------------------------------


def formset(model: Any, fields: list[str], rows: list[dict[str, str]], queryset: Any) -> Any:
    """A formset that somebody sends with these rows."""
    data = {"form-TOTAL_FORMS": str(len(rows)), "form-INITIAL_FORMS": str(queryset.count())}
    for number, row in enumerate(rows):
        data |= {f"form-{number}-{name}": value for name, value in row.items()}
    return modelformset_factory(model, fields=fields, extra=9)(data, queryset=queryset)


def test_two_equal_values_of_one_formset_are_duplicates(app: Models) -> None:
    none = app.person.objects.none()
    rows = [{"name": "a", "ssn": "078-05-1120"}, {"name": "b", "ssn": "078-05-1120"}]
    twice = formset(app.person, ["name", "ssn"], rows, none)
    assert not twice.is_valid()
    assert twice.non_form_errors() == ["Please correct the duplicate data for ssn."]
    rows[1]["ssn"] = "1"
    once = formset(app.person, ["name", "ssn"], [*rows, {"name": "c", "ssn": ""}], none)
    assert once.is_valid()
    once.save()
    assert app.person.objects.filter(ssn="1").count() == 1
    # Without the field nothing is compared.
    assert formset(app.person, ["name"], [{"name": "a"}, {"name": "a"}], none).is_valid()


def test_a_constraint_of_several_fields_counts_in_a_formset(app: Models) -> None:
    none, names = app.member.objects.none(), ["clinic", "ward", "text"]
    rows = [{"clinic": "1", "ward": "w", "text": "t"}, {"clinic": "1", "ward": "w", "text": "t"}]
    twice = formset(app.member, names, rows, none)
    assert not twice.is_valid()
    rows[1]["ward"] = "v"
    assert formset(app.member, names, rows, none).is_valid()


def test_values_that_do_not_open_are_no_duplicates(app: Models) -> None:
    for number in "12":
        app.person.objects.create(ssn=number)
    alias = django_support.Router.current
    with connections[alias].cursor() as cursor:
        cursor.execute(f"UPDATE {app.person._meta.db_table} SET ssn = 'rs1.broken'")
    rows = app.person.objects.on_error("report").order_by("pk")
    shown = [{"id": str(it.pk), "name": "x", "ssn": str(it.ssn)} for it in rows]
    assert len({it["ssn"] for it in shown}) == 1
    sent = formset(app.person, ["name", "ssn"], shown, rows)
    assert sent.is_valid(), sent.errors
    sent.save()
    assert app.person.objects.filter(name="x").count() == 2
    assert set(stored(app.person, "ssn")) == {"rs1.broken"}
