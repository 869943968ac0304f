"""Searches while a column is on its way between plaintext and sealed values: rows of both kinds are found."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import django_support
import pytest
from django_support import DATA, INDEX
from job_support import KINDS

django_support.setup()

from django.core.exceptions import ValidationError  # noqa: E402
from django.db import connections, models  # noqa: E402
from django.db.models import Exists, F, OuterRef, Q  # noqa: E402
from django.test.utils import CaptureQueriesContext, override_settings  # noqa: E402
from reseal.django import (  # noqa: E402
    BlindIndexField,
    EncryptedBooleanField,
    EncryptedDateTimeField,
    EncryptedDecimalField,
    EncryptedIntegerField,
    EncryptedManager,
    EncryptedTextField,
    EncryptedUUIDField,
)


class Models:
    """An application of its own."""

    def __init__(self) -> None:
        class Base(models.Model):  # type: ignore[misc]
            objects = EncryptedManager()

            class Meta:
                abstract = True
                app_label = "django_app"

        class Person(Base):
            name = models.CharField(max_length=20, default="n")
            ssn = EncryptedTextField(null=True, read=["plain"])
            ssn_index = BlindIndexField("ssn", normalizer="digits")

        class Account(Base):
            email = EncryptedTextField(read=["plain"], mode="deterministic")
            email_index = BlindIndexField("email", normalizer="ascii-lower-trim", unique=True)

        class Typed(Base):
            price = EncryptedDecimalField(max_digits=9, decimal_places=2, null=True, read=["plain"])
            price_index = BlindIndexField("price")
            age = EncryptedIntegerField(null=True, read=["plain"])
            age_index = BlindIndexField("age")
            token = EncryptedUUIDField(null=True, read=["plain"])
            token_index = BlindIndexField("token")
            at = EncryptedDateTimeField(null=True, read=["plain"])
            at_index = BlindIndexField("at")
            raw = EncryptedTextField(null=True, read=["plain"], binary=True)
            raw_index = BlindIndexField("raw")
            flag = EncryptedBooleanField(null=True, read=["plain"])
            flag_index = BlindIndexField("flag")

        class Member(Base):
            clinic = models.IntegerField(null=True)
            text = EncryptedTextField(tenant="clinic", read=["plain"])
            text_index = BlindIndexField("text", unique=True)

        class Back(Base):
            ssn = EncryptedTextField(null=True, write="plain", read=["app"])
            ssn_index = BlindIndexField("ssn", normalizer="digits")

        class Third(Base):
            ssn = EncryptedTextField(null=True, read=["tokens", "plain"])
            ssn_index = BlindIndexField("ssn", normalizer="digits")

        class Done(Base):
            ssn = EncryptedTextField(null=True, context_name="django_app_person.ssn")
            ssn_index = BlindIndexField("ssn", normalizer="digits")

        self.person: Any = Person
        self.account: Any = Account
        self.typed: Any = Typed
        self.member: Any = Member
        self.back: Any = Back
        self.third: Any = Third
        self.done: Any = Done
        self.all = (Person, Account, Typed, Member, Back, Third, Done)


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
    monkeypatch.delenv("RESEAL_REQUIRE_ENCRYPTION", raising=False)
    with override_settings(RESEAL=django_support.CODECS):
        yield kept
    for model in kept.all:
        models.QuerySet(model, using=django_support.Router.current).delete()


def put(model: Any, **row: Any) -> int:
    """A row as a program wrote it that knew of no encryption; its primary key."""
    columns = [model._meta.get_field(name).column for name in row]
    key: int = 1000 + models.QuerySet(model, using=django_support.Router.current).count()
    marks = ", ".join(["%s"] * (len(row) + 1))
    statement = f"INSERT INTO {model._meta.db_table} (id, {', '.join(columns)}) VALUES ({marks})"
    with connections[django_support.Router.current].cursor() as cursor:
        cursor.execute(statement, [key, *row.values()])
    return key


def forget_term(model: Any, name: str, key: int) -> None:
    """A row that was sealed before it had a companion."""
    with connections[django_support.Router.current].cursor() as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} SET {name}_index = NULL WHERE id = %s", [key]
        )


def keys(rows: Any) -> set[int]:
    return {row.pk for row in rows}


def test_rows_of_both_kinds_are_found(app: Models) -> None:
    rows = app.person.objects
    plain = put(app.person, name="p", ssn="078-05-1120")
    sealed = rows.create(ssn="078051120").pk
    other, another = put(app.person, name="o", ssn="5"), rows.create(ssn="6").pk
    nothing = {put(app.person, name="n"), rows.create(ssn=None).pk}
    rest = {other, another, *nothing}
    both = {plain, sealed}
    assert keys(rows.filter(ssn="078-05-1120")) == both
    assert keys(rows.filter(ssn__in=["078-05-1120", "5", None])) == {*both, other}
    assert keys(rows.exclude(ssn="078-05-1120")) == rest
    assert keys(rows.exclude(ssn__in=["078-05-1120", "5"])) == rest - {other}
    assert keys(rows.filter(~Q(ssn="078-05-1120"), ssn__isnull=False)) == {other, another}
    assert keys(rows.filter(Q(ssn="6") | Q(ssn="5"))) == {other, another}
    assert keys(rows.filter(ssn__isnull=True)) == nothing
    assert keys(rows.filter(ssn__isnull=False)) == {*both, other, another}
    assert rows.filter(ssn="5").count() == 1
    assert rows.get(ssn="5").ssn == "5"
    assert keys(rows.annotate(again=F("ssn")).filter(again="5")) == {other}
    inner = app.person.objects.filter(pk=OuterRef("pk"), ssn="5")
    assert keys(rows.filter(Exists(inner))) == {other}
    assert rows.filter(ssn="5").update(ssn="55") == 1
    assert rows.get(pk=other).ssn_index
    assert keys(rows.filter(ssn="55")) == {other}
    assert rows.filter(ssn="078-05-1120").delete()[0] == 2


def test_no_row_is_made_twice(app: Models) -> None:
    plain = put(app.person, name="p", ssn="5")
    found, made = app.person.objects.get_or_create(ssn="5")
    assert (found.pk, made) == (plain, False)
    found, made = app.person.objects.update_or_create(ssn="5", defaults={"name": "new"})
    assert (found.pk, made, found.name) == (plain, False, "new")
    assert app.person.objects.get_or_create(ssn="6")[1]
    assert app.person.objects.count() == 2


def test_plaintext_is_found_as_it_is_spelled(app: Models) -> None:
    rows = app.person.objects
    dashed, digits = put(app.person, ssn="1-2", name=""), put(app.person, ssn="12", name="")
    assert keys(rows.filter(ssn="1-2")) == {dashed, digits}
    assert keys(rows.filter(ssn="1 2")) == {digits}
    assert keys(rows.filter(ssn="12")) == {digits}
    email = put(app.account, email="ann@example.com")
    found = app.account.objects
    for asked in ("ann@example.com", " Ann@Example.com"):
        assert keys(found.filter(email=asked)) == {email}
        assert keys(found.filter(email__iexact=asked)) == {email}
    assert not found.exclude(email="ANN@example.com").exists()


def test_what_the_database_takes_for_equal_is_verified(app: Models) -> None:
    # MariaDB compares text without case, and without spaces at its end.
    rows, spellings = app.member.objects, ("ann", "ANN", "ann ")
    lower, upper, spaced = (put(app.member, clinic=1, text=one) for one in spellings)
    assert keys(rows.filter(clinic=1, text="ann")) == {lower}
    assert keys(rows.filter(clinic=1).exclude(text="ann")) == {upper, spaced}
    assert not rows.filter(clinic=1, text="Ann")
    app.member(clinic=1, text="Ann").full_clean()


@pytest.mark.parametrize(
    ("name", "asked", "spellings"),
    [
        ("price", Decimal("1200.5"), ["1200.5", "1200.50"]),
        ("price", Decimal("7"), ["7", "7.00"]),
        ("age", 42, ["42"]),
        ("token", uuid.UUID(int=11), [str(uuid.UUID(int=11)), uuid.UUID(int=11).hex]),
        (
            "at",
            datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
            ["2026-01-02T03:04:05Z", "2026-01-02 03:04:05+00", "2026-01-02 03:04:05+00:00"],
        ),
        ("raw", "rs", [b"rs"]),
        ("flag", True, ["true", "1"]),
        ("flag", False, ["false", "0"]),
    ],
)
def test_types_are_found_as_columns_spell_them(
    app: Models, name: str, asked: Any, spellings: list[Any]
) -> None:
    rows = app.typed.objects
    if name == "flag" and django_support.Router.current == "postgresql":
        spellings = spellings[:1]  # it makes no number of a boolean
    if name == "raw" and django_support.Router.current == "sqlite":
        spellings = [*spellings, "rs"]  # which leaves text as it is in a column of bytes
    plain = {put(app.typed, **{name: spelled}) for spelled in spellings}
    sealed = rows.create(**{name: asked}).pk
    empty = rows.create().pk
    found = rows.filter(**{name: asked})
    assert keys(found) == {*plain, sealed}
    assert {getattr(row, name) for row in found} == {asked}
    assert keys(rows.exclude(**{name: asked})) == {empty}


def test_what_is_sealed_without_a_term_stays_unknown(app: Models) -> None:
    rows = app.person.objects
    sealed = rows.create(ssn="1").pk
    forget_term(app.person, "ssn", sealed)
    other = put(app.person, ssn="2", name="")
    assert not rows.filter(ssn="1")
    assert keys(rows.exclude(ssn="1")) == {other}
    raw = app.typed.objects.create(raw="a").pk
    forget_term(app.typed, "raw", raw)
    other = put(app.typed, raw=b"b")
    assert keys(app.typed.objects.exclude(raw="a")) == {other}


def test_no_value_of_a_third_format_is_told_from_plaintext(
    app: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENS_KEY", "A" * 43 + "=")
    rows = app.third.objects
    plain, unknown = put(app.third, ssn="1"), put(app.third, ssn="2")
    sealed, other = rows.create(ssn="1").pk, rows.create(ssn="2").pk
    assert keys(rows.filter(ssn="1")) == {plain, sealed}
    assert keys(rows.exclude(ssn="1")) == {other}
    assert keys(rows.filter(ssn="2")) == {unknown, other}


def test_a_tenant_is_named_and_bound(app: Models) -> None:
    rows = app.member.objects
    first, second = put(app.member, clinic=1, text="a"), put(app.member, clinic=2, text="a")
    put(app.member, text="a")
    assert keys(rows.filter(clinic=1, text="a")) == {first}
    assert keys(rows.filter(clinic=2, text="a")) == {second}
    assert not rows.filter(clinic=3, text="a")
    app.member(clinic=3, text="a").full_clean()
    with pytest.raises(ValidationError):
        app.member(clinic=2, text="a").full_clean()


def test_a_duplicate_of_plaintext_is_an_error_of_its_field(app: Models) -> None:
    plain = put(app.account, email="ann@example.com")
    for email in ("ann@example.com", "Ann@example.com"):
        with pytest.raises(ValidationError) as caught:
            app.account(email=email).full_clean()
        assert set(caught.value.error_dict) == {"email"}
    app.account(email="bob@example.com").full_clean()
    row = app.account.objects.get(pk=plain)
    row.full_clean()
    row.email = "ANN@example.com"
    row.full_clean()


def test_the_way_back_finds_both(app: Models) -> None:
    rows, field = app.back.objects, app.back._meta.get_field("ssn")
    written, bare = rows.create(ssn="1-2").pk, put(app.back, ssn="3")
    assert django_support.stored(app.back, "ssn") == ["1-2", "3"]
    ring = field.bound().codecs.ring("app")
    envelope = ring.seal("12", {"table": "django_app_back", "column": "ssn"})
    term = field.bound().term("12", "ssn_index", {})
    sealed = put(app.back, ssn=envelope, ssn_index=term)
    assert {row.ssn for row in rows.filter(ssn="12")} == {"1-2", "12"}
    assert keys(rows.filter(ssn="12")) == {written, sealed}
    assert keys(rows.filter(ssn="3")) == {bare}
    assert keys(rows.exclude(ssn="3")) == {written, sealed}
    assert keys(rows.exclude(ssn="12")) == {bare}
    assert not rows.get_or_create(ssn="3")[1]


def test_where_encryption_is_required_plaintext_is_found(
    app: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESEAL_REQUIRE_ENCRYPTION", "1")
    plain = put(app.person, ssn="5", name="")
    assert keys(app.person.objects.filter(ssn="5")) == {plain}


def test_what_reads_no_plaintext_asks_for_terms_only(app: Models) -> None:
    rows = app.done.objects
    rows.create(ssn="1")
    alias = django_support.Router.current
    assert alias is not None
    with CaptureQueriesContext(connections[alias]) as asked:
        assert rows.filter(ssn="1").count() == 1
    name = connections[alias].ops.quote_name("ssn_index")
    for query in asked:
        _, _, where = query["sql"].partition("WHERE ")
        assert where.count(name) == where.count(" IN ") == 1
        assert where.partition(" IN ")[0].endswith(name)
        assert not {"OR", "AND", "NULL"} & set(where.split())


def test_no_plaintext_is_shown(app: Models) -> None:
    asked = app.person.objects.filter(ssn="078-05-1120")
    assert "078" not in repr(asked.query.where)
