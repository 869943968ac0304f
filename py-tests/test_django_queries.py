"""What queries do with encrypted columns: what they pass on, count, compare with and refuse."""

from __future__ import annotations

import datetime
import pickle
from typing import Any

import django_support
import pytest
import reseal

django_support.setup()

from django.core.exceptions import FieldError  # noqa: E402
from django.db import connections, models  # noqa: E402
from django.db.models import Count, F, OuterRef, Q, Subquery  # noqa: E402
from django.db.models.functions import Upper  # noqa: E402
from django.db.models.lookups import Exact  # noqa: E402
from django.test.utils import CaptureQueriesContext, isolate_apps  # noqa: E402
from django_app import models as app  # noqa: E402
from reseal.django import (  # noqa: E402
    BlindIndexField,
    EncryptedIntegerField,
    EncryptedManager,
    EncryptedTextField,
)

MODELS = (app.First, app.Child, app.Pet, app.Everything, app.Member, app.Badge, app.Grouped)
pytestmark = pytest.mark.usefixtures("db")


# --- what passes values on ------------------------------------------------------------------------


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


def test_what_is_looked_for_may_be_read_only_once() -> None:
    app.First.objects.create(secret="a")
    rows = app.First.objects.annotate(same=F("secret"))
    assert rows.filter(same__in=(it for it in ["a", "b"])).count() == 1
    assert rows.exclude(same__in=iter(["a"])).count() == 0


def test_null_is_asked_for_without_a_companion() -> None:
    owner = app.First.objects.create()
    app.Pet.objects.create(owner=owner, name="Rex")
    app.Everything.objects.create()
    for rows, name in ((app.Everything.objects, "uid"), (app.Pet.objects, "name")):
        nulls = rows.filter(**{name: None}).count()
        assert nulls == rows.filter(**{f"{name}__isnull": True}).count()
        assert rows.exclude(**{name: None}).count() == 1 - nulls
        assert rows.filter(**{f"{name}__iexact": None}).count() == nulls
        with pytest.raises(FieldError, match="be found by in in the database: give it a Blind"):
            rows.filter(**{f"{name}__in": [None]})


@isolate_apps("django_app")
def test_what_is_no_value_of_the_field_is_refused_by_the_filter() -> None:
    """There, as with Django's fields, programs wait for the error, and not where rows are read."""

    class Aged(models.Model):
        age = EncryptedIntegerField()
        age_index = BlindIndexField("age")
        objects = EncryptedManager()

        class Meta:
            app_label = "django_app"

    asked: list[dict[str, Any]] = [{"age": "x"}, {"age__in": [1, "x"]}]
    for wrong in asked:
        with pytest.raises(ValueError, match=r"age: the value is none of the field's type"):
            Aged.objects.filter(**wrong)
    assert Aged.objects.filter(age="7").query.where


@isolate_apps("django_app")
def test_a_row_is_its_own_group_by_a_key_of_several_columns(db: str) -> None:
    class Part(models.Model):
        pk = models.CompositePrimaryKey("clinic", "number")
        clinic = models.IntegerField()
        number = models.IntegerField()
        ssn = EncryptedTextField()
        ssn_index = BlindIndexField("ssn")
        objects = EncryptedManager()

        class Meta:
            app_label = "django_app"

    with django_support.tables(db, Part):
        for number, ssn in enumerate("ab"):
            Part.objects.create(clinic=1, number=number, ssn=ssn)
        grouped = Part.objects.values("clinic", "number", "ssn").annotate(n=Count("number"))
        assert sorted(it["ssn"] for it in grouped) == ["a", "b"]
        counted = Part.objects.values("clinic", "number").annotate(n=Count("number"))
        assert counted.filter(Q(n__gt=1) | Q(ssn="a")).count() == 1
        asked = Part.objects.values_list("clinic", "number", "ssn")
        assert list(asked.filter(number=0).intersection(asked)) == [(1, 0, "a")]
        with pytest.raises(FieldError, match="grouped by"):
            list(Part.objects.values("clinic", "ssn").annotate(n=Count("number")))
        by_clinic = Part.objects.values("clinic").annotate(n=Count("number"))
        with pytest.raises(FieldError, match="condition of groups"):
            list(by_clinic.filter(Q(n__gt=1) | Q(ssn="a")))
        parts = Part.objects.values_list("clinic", "ssn")
        with pytest.raises(FieldError, match="compared by intersection"):
            list(parts.intersection(parts))


def test_many_false_hits_are_one_condition() -> None:
    app.First.objects.bulk_create(app.First(secret=str(number)) for number in range(1200))
    # As if all had the term of one.
    [term] = app.First.objects.filter(secret="7").values_list("secret_index", flat=True)
    models.QuerySet(app.First).update(secret_index=term)
    assert [it.secret for it in app.First.objects.filter(secret="7")] == ["7"]
    assert app.First.objects.exclude(secret="7").count() == 1199


def test_a_condition_beside_one_on_a_count() -> None:
    for number, secret in enumerate(("a", "b", None)):
        owner = app.First.objects.create(secret=secret)
        for _ in range(number):
            app.Pet.objects.create(owner=owner, name=f"pet of {secret}")
    rows = app.First.objects.annotate(n=Count("pets"))
    for asked, found in (
        (Q(n__gt=1) | Q(secret="a"), ["a", None]),
        (Q(n__gt=0) | Q(secret__in=["a", "c"]), ["a", "b", None]),
        (Q(n__gt=1) | ~Q(secret="a"), ["b", None]),
        (Q(n=1) | Q(secret__isnull=True), ["b", None]),
        (Q(n=1) & Q(secret="b"), ["b"]),
    ):
        hits = rows.filter(asked).order_by("pk")
        assert [it.secret for it in hits] == found
        assert hits.count() == len(found)
        assert list(hits.values_list("secret", flat=True)) == found
    pets = app.Pet.objects.annotate(n=Count("owner__pets"))
    assert pets.filter(Q(n=1) | Q(owner__secret="b")).count() == 1
    assert (
        app.First.objects.values("pk")
        .annotate(n=Count("pets"))
        .filter(Q(n=2) | Q(secret="a"))
        .count()
        == 2
    )
    chosen = models.Case(models.When(secret="b", then=Count("pets")))
    inner = app.First.objects.values("pk").annotate(n=chosen).filter(n=1).values("pk")
    assert [it.secret for it in app.First.objects.filter(pk__in=inner)] == ["b"]
    # Where groups have several rows, the value is not that of the group.
    for refused in (
        app.First.objects.values("secret_index").annotate(n=Count("pets")),
        app.Pet.objects.values("owner__secret_index").annotate(n=Count("pk")),
    ):
        field = "owner__secret" if refused.model is app.Pet else "secret"
        with pytest.raises(FieldError, match="condition of groups"):
            list(refused.filter(Q(n=1) | Q(**{field: "a"})))


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


# --- what is refused, and never shown -------------------------------------------------------------

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


# --- what is counted ------------------------------------------------------------------------------


def test_values_are_counted() -> None:
    owner = app.First.objects.create(secret="a")
    app.First.objects.create(secret=None)
    for name in ("Rex", "Fido"):
        app.Pet.objects.create(owner=owner, name=name)
    rows = app.First.objects
    assert rows.aggregate(n=Count("secret")) == {"n": 1}
    assert rows.aggregate(n=Count("pets__name")) == {"n": 2}
    assert rows.aggregate(n=Count("secret", filter=Q(secret__isnull=True))) == {"n": 0}
    assert rows.aggregate(n=Count("secret") + 1) == {"n": 2}
    counted = rows.annotate(n=Count("pets__name")).order_by("pk")
    assert [(it.secret, it.n) for it in counted] == [("a", 2), (None, 0)]
    assert list(counted.values_list("secret", "n")) == [("a", 2), (None, 0)]
    assert [it.n for it in counted.order_by("-n")] == [2, 0]
    assert [it.n for it in counted.filter(n__gt=0)] == [2]
    ordered = rows.alias(more=Count("pets__name")).order_by("more")
    assert [it.secret for it in ordered] == [None, "a"]
    assert counted.alias(more=Count("pets__name")).filter(more=0).get().secret is None
    assert list(app.Pet.objects.values("owner").annotate(n=Count("name")).values_list("n")) == [
        (2,)
    ]


@pytest.mark.parametrize(
    "refused",
    [
        lambda rows: rows.aggregate(n=Count("secret", distinct=True)),
        lambda rows: rows.aggregate(n=models.Max("secret")),
        lambda rows: list(rows.values(a=F("secret")).annotate(n=Count("a"))),
        lambda rows: list(rows.values("secret").annotate(n=Count("secret"))),
        lambda rows: list(
            rows.annotate(n=Count("pets__name")).annotate(a=F("secret")).order_by("a")
        ),
    ],
)
def test_other_aggregates_are_refused(refused: Any) -> None:
    app.First.objects.create(secret="a")
    with pytest.raises(FieldError, match="cannot be"):
        refused(app.First.objects)


# --- what a column is compared with ---------------------------------------------------------------


@pytest.mark.parametrize(
    "refused",
    [
        lambda: app.Pet.objects.filter(pk__in=app.First.objects.values("secret")),
        lambda: app.Pet.objects.filter(pk__in=app.First.objects.values("secret")[:1]),
        lambda: app.Pet.objects.filter(pk=app.First.objects.values_list("secret")[:1]),
        lambda: app.Pet.objects.exclude(pk__in=app.First.objects.values(a=F("secret"))),
        lambda: app.Pet.objects.filter(owner__in=app.First.objects.values("secret")),
        lambda: app.Pet.objects.filter(Q(pk__in=app.First.objects.values("pets__name"))),
        lambda: app.Pet.objects.annotate(a=Q(pk__in=app.First.objects.values("secret"))),
    ],
)
def test_an_encrypted_column_of_a_subquery_is_not_compared_with(refused: Any) -> None:
    with pytest.raises(
        FieldError, match=r"compared or computed with as the column of a subquery.*in Python"
    ):
        list(refused())


def test_rows_are_not_deleted_by_what_they_have_sealed() -> None:
    app.Everything.objects.create(text="a", char="a")
    for rows in (
        app.Everything.objects.exclude(id=F("text")),
        app.Everything.objects.filter(models.Exists(app.First.objects.filter(pk=OuterRef("text")))),
        app.Everything.objects.filter(Exact(Upper("text"), "A")),
    ):
        with pytest.raises(FieldError, match="cannot be"):
            rows.delete()
    assert app.Everything.objects.count() == 1


def test_equal_values_of_two_queries_are_not_looked_for() -> None:
    for _ in range(2):
        app.First.objects.create(secret="a")
    first, other = app.First.objects.order_by("pk")
    here, there = (app.First.objects.filter(pk=it.pk) for it in (first, other))
    for refused in (
        here.values("secret").intersection(there.values("secret")),
        here.values_list("secret").difference(there.values_list("secret")),
        here.annotate(a=F("secret")).values("a").difference(there.values("secret")),
    ):
        with pytest.raises(FieldError, match=r"compared by (intersection|difference)\(\)"):
            list(refused)
    # Of rows that are told apart by their primary key there are no two.
    assert list(app.First.objects.difference(there)) == [first]
    both = app.First.objects.values_list("pk", "secret")
    assert list(both.intersection(here.values_list("pk", "secret"))) == [(first.pk, "a")]


def test_the_rows_of_a_union_are_not_ordered_by_ciphertext() -> None:
    rows = app.Everything.objects.all()
    with pytest.raises(FieldError, match="ordered by"):
        list(rows.union(rows, all=True).order_by("text"))
    assert list(rows.union(rows).order_by("id")) == []


def test_subqueries_of_other_columns_are_compared_with() -> None:
    owner = app.First.objects.create(secret="a")
    pet = app.Pet.objects.create(owner=owner, name="Rex")
    owners = app.First.objects.filter(secret="a")
    assert app.Pet.objects.get(owner__in=owners) == pet
    assert app.Pet.objects.get(owner__in=owners.values("pk")) == pet
    assert app.Pet.objects.get(owner=owners.values("pk")[:1]) == pet
    assert app.Pet.objects.get(owner__in=owners.annotate(a=F("secret"))) == pet
    assert owners.annotate(n=Count("pets")).values_list("secret", "n").count() == 1
    assert owners.values("secret")[:1].count() == 1
    inner = app.First.objects.filter(pk=OuterRef("owner")).values("secret")[:1]
    assert app.Pet.objects.annotate(secret=Subquery(inner)).get().secret == "a"
    assert app.Pet.objects.annotate(there=models.Exists(inner)).get().there


def test_a_subquery_is_selected() -> None:
    app.Pet.objects.create(owner=app.First.objects.create(secret="a"), name="Rex")
    one = app.First.objects.order_by().values("secret")[:1]
    union = app.First.objects.values("secret").union(app.First.objects.values("secret"))
    names = app.Pet.objects.order_by().values("name")
    for inner in (Subquery(one), Subquery(union), one):
        assert app.Pet.objects.annotate(a=inner).get().a == "a"
        assert app.Pet.objects.annotate(a=inner).values_list("a").get() == ("a",)
    assert app.Pet.objects.annotate(a=Subquery(names)).get().a == "Rex"


def test_a_subquery_is_not_copied() -> None:
    with pytest.raises(FieldError, match="cannot be copied to another column"):
        app.Person.objects.update(rank=app.First.objects.values("secret")[:1])


@isolate_apps("django_app")
def test_a_computed_column_is_refused(db: str) -> None:
    class Computed(models.Model):
        secret = EncryptedTextField()
        copied = models.GeneratedField(
            expression=F("secret"), output_field=models.TextField(), db_persist=True
        )

        class Meta:
            app_label = "django_app"

    with (
        pytest.raises(FieldError, match="cannot be computed with"),
        connections[db].schema_editor() as editor,
    ):
        editor.create_model(Computed)


# --- values() of what is bound to its row ---------------------------------------------------------


def test_values_of_what_is_bound_to_a_tenant() -> None:
    for tenant, secret in ((1, "a"), (2, None), (3, "b")):
        app.Member.objects.create(tenant=tenant, secret=secret)
    rows = app.Member.objects.order_by("pk")
    assert list(rows.values("secret")) == [{"secret": "a"}, {"secret": None}, {"secret": "b"}]
    assert list(rows.values_list("secret", flat=True)) == ["a", None, "b"]
    assert list(rows.values_list("secret", "tenant")) == [("a", 1), (None, 2), ("b", 3)]
    assert [it.secret for it in rows.values_list("secret", named=True)] == ["a", None, "b"]
    [first, *_] = rows.values()
    assert set(first) == {"id", "tenant", "secret", "secret_index"}
    assert (first["secret"], first["tenant"]) == ("a", 1)
    assert list(rows.values("tenant", a=F("secret"))[:1]) == [{"tenant": 1, "a": "a"}]
    assert list(rows.annotate(a=F("secret")).values_list("a", "secret")[:1]) == [("a", "a")]
    assert rows.filter(tenant=3, secret="b").values_list("secret").get() == ("b",)
    assert list(rows.none().values("secret")) == []
    named = rows.annotate(reseal_fact_0=models.Value(7)).values("reseal_fact_0", "secret")
    assert named[0] == {"reseal_fact_0": 7, "secret": "a"}
    more = rows.extra(select={"reseal_fact_0": "7"}).values_list("reseal_fact_0", "secret")
    assert more[0] == (7, "a")
    assert list(rows.values("secret").iterator(chunk_size=1))[2] == {"secret": "b"}
    assert rows.values("secret").count() == 3
    assert pickle.loads(pickle.dumps(rows.values("secret")))[0] == {"secret": "a"}


@isolate_apps("django_app")
def test_values_across_a_relation(db: str) -> None:
    class Holder(models.Model):
        member = models.ForeignKey(app.Member, models.CASCADE, null=True)
        tenant = models.IntegerField(default=9)
        objects = EncryptedManager()

        class Meta:
            app_label = "django_app"

    with django_support.tables(db, Holder):
        Holder.objects.create(member=app.Member.objects.create(tenant=1, secret="a"))
        Holder.objects.create()
        rows = Holder.objects.order_by("pk").values_list("tenant", "member__secret")
        assert list(rows) == [(9, "a"), (9, None)]


def test_values_of_what_is_bound_to_its_primary_key() -> None:
    keys = [app.Badge.objects.create(secret=secret).pk for secret in ("a", "b")]
    rows = app.Badge.objects.values_list("secret", "pk")
    assert sorted(rows) == [("a", keys[0]), ("b", keys[1])]
    assert sorted(app.Badge.objects.values_list("secret", flat=True)) == ["a", "b"]
    spare = app.Badge.objects.get(secret__isnull=False, pk=keys[0])
    with connections[django_support.Router.current].cursor() as cursor:
        cursor.execute(
            "UPDATE badge SET secret = (SELECT secret FROM badge WHERE id = %s)", [spare.pk.hex]
        )
    with pytest.raises(reseal.ResealError) as caught:
        list(app.Badge.objects.filter(pk=keys[1]).values("secret"))
    assert (caught.value.code, caught.value.row) == ("auth-failed", keys[1])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "refused",
    [
        lambda: app.Grouped.objects.values("secret"),
        lambda: models.QuerySet(app.Member).values("secret"),
        lambda: app.Member.objects.annotate(a=F("secret")),
        lambda: app.Member.objects.values("secret").annotate(n=Count("pk")),
        lambda: app.Member.objects.values("secret").distinct(),
        lambda: app.Member.objects.values("secret").union(app.Member.objects.values("secret")),
        lambda: app.Member.objects.values("secret").order_by("secret"),
    ],
)
def test_rows_without_what_they_are_bound_to_are_refused(refused: Any) -> None:
    app.Member.objects.create(tenant=1, secret="a")
    app.Grouped.objects.create(group="a", secret="a")
    with pytest.raises(FieldError, match=r"bound to its row|cannot be"):
        list(refused())
