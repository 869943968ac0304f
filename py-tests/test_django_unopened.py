"""What cannot be opened, where it is shown as text: a form, a list or a fixture never writes that text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import django_support
import pytest
import reseal
from django_support import CODECS, stored

django_support.setup()

from django import forms  # noqa: E402
from django.core import serializers  # noqa: E402
from django.core.exceptions import ValidationError  # noqa: E402
from django.test.utils import override_settings  # noqa: E402
from django_app import models as app  # noqa: E402
from reseal.django import EncryptedQuerySet  # noqa: E402

MODELS = (app.Everything, app.Person, app.First, app.Member)
pytestmark = pytest.mark.usefixtures("db")
SENTENCE = "[cannot be opened: unknown-key]"
#: Which have a form, all of which are sealed.
FORMED = [it.name for it in app.Everything._meta.fields if it.editable and it.name != "id"]
VALUES: dict[str, Any] = {
    "text": "t",
    "char": "c",
    "email": "a@example.com",
    "url": "https://example.com/",
    "integer": 5,
    "big": 6,
    "decimal": "1.50",
    "date": "2026-03-01",
    "moment": "2026-03-01T12:00:00Z",
    "truth": True,
    "document": {"a": 1},
    "uid": "12345678123456781234567812345678",
    "packed": "p",
}


@contextmanager
def without_key() -> Iterator[None]:
    """With other keys than the values are under."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RESEAL_PRIMARY_KEY", reseal.Key.generate("data").export())
        with override_settings(RESEAL=CODECS):  # read anew
            yield


def spelled(model: Any, names: list[str]) -> list[list[Any]]:
    return [stored(model, name) for name in names]


def sent(form: Any) -> dict[str, Any]:
    """What a browser sends back of a form: all that it shows, and may be changed."""
    shown = {}
    for bound in form:
        for one in bound.subwidgets:
            given = one.data
            assert not given["attrs"].get("disabled")
            if given["value"] is not None and given["attrs"].get("checked", True):
                shown[given["name"]] = str(given["value"])
    return shown


@pytest.mark.filterwarnings("ignore:The default scheme")
@pytest.mark.parametrize("comes_back", [False, True])
def test_a_form_keeps_what_it_could_not_open(
    comes_back: bool,
) -> None:
    app.Everything.objects.create(**VALUES)
    before, values = spelled(app.Everything, FORMED), app.Everything.objects.values().get()
    kind = forms.modelform_factory(app.Everything, fields="__all__")
    split = {"moment": forms.SplitDateTimeField}
    admin = forms.modelform_factory(app.Everything, fields="__all__", field_classes=split)
    for made in (kind, admin):
        with without_key():
            [row] = reported(app.Everything)
            first = made(instance=row)
            assert SENTENCE in str(first)
            answer = sent(first)
            assert set(answer) == set(first.fields)
            assert set(answer.values()) == {SENTENCE}
            if not comes_back:
                save(made(answer, instance=reported(app.Everything)[0]))
        if comes_back:
            save(made(answer, instance=app.Everything.objects.get()))
        else:
            assert spelled(app.Everything, FORMED) == before
        assert app.Everything.objects.values().get() == values


def save(form: Any) -> None:
    assert form.is_valid(), form.errors
    assert form.changed_data == []
    form.save()


def test_what_is_typed_in_a_form_is_saved() -> None:
    app.Everything.objects.create(**VALUES)
    made = forms.modelform_factory(app.Everything, fields=["text", "truth", "integer"])
    with without_key():
        [row] = reported(app.Everything)
        form = made({"text": "typed", "truth": "", "integer": SENTENCE}, instance=row)
        assert form.is_valid()
        assert form.changed_data == ["text", "truth"]
        form.save()
        [row] = reported(app.Everything)
        assert (row.text, row.truth, str(row.integer)) == ("typed", False, SENTENCE)
    assert app.Everything.objects.only("integer").get().integer == 5


def test_a_form_with_a_field_of_its_own_keeps_it() -> None:
    declared = forms.modelform_factory(app.Person, fields=["name", "rank"])
    declared.base_fields["name"] = forms.CharField()
    app.Person.objects.create(name="a name", rank=1)
    before = stored(app.Person, "name")
    with without_key():
        [row] = reported(app.Person)
        answer = sent(declared(instance=row)) | {"rank": "2"}
        assert answer["name"] == SENTENCE
        form = declared(answer, instance=reported(app.Person)[0])
        assert form.is_valid()
        form.save()
    assert (stored(app.Person, "name"), app.Person.objects.get().rank) == (before, 2)


def test_a_list_of_forms_keeps_it() -> None:
    app.Person.objects.create(name="a name", active=True, rank=1)
    before = spelled(app.Person, ["name", "active"])
    kind = forms.modelformset_factory(app.Person, fields=["name", "active", "rank"], extra=0)
    with without_key():
        rows = app.Person.objects.order_by("pk").on_error("report")
        shown = kind(queryset=rows)
        answer = sent(shown.management_form) | sent(shown.forms[0])
        formset = kind(answer | {"form-0-rank": "2"}, queryset=rows)
        assert formset.is_valid(), formset.errors
        formset.save()
    assert spelled(app.Person, ["name", "active"]) == before
    assert app.Person.objects.get().rank == 2


def test_no_row_gets_the_sentence(db: str) -> None:
    row = app.Person.objects.create(name="a name", data={})
    member = app.Member.objects.create(tenant=1, secret="s")
    fixture = json.dumps([{"model": "django_app.person", "pk": 9, "fields": {"name": SENTENCE}}])
    bound = json.dumps(
        [{"model": "django_app.member", "pk": 9, "fields": {"tenant": 1, "secret": SENTENCE}}]
    )
    row.name, member.secret = SENTENCE, SENTENCE
    writes: list[Callable[[], Any]] = [
        row.save,
        row.full_clean,
        member.save,
        partial(app.Person.objects.create, name=SENTENCE),
        partial(app.Person.objects.create, data=SENTENCE),
        partial(app.Person.objects.bulk_create, [app.Person(name=SENTENCE)]),
        partial(app.Person.objects.bulk_update, [row], ["name"]),
        partial(app.Person.objects.update, name=SENTENCE),
        partial(app.Person.objects.update, ssn=SENTENCE),
        partial(app.Member.objects.update, secret=SENTENCE),
        partial(loaded, fixture, db),
        partial(loaded, bound, db),
    ]
    for write in writes:
        with pytest.raises(ValidationError, match="stands for a value that cannot be opened"):
            write()
    made = forms.modelform_factory(app.Person, fields=["name"])({"name": SENTENCE})
    assert list(made.errors) == ["name"]
    assert app.Person.objects.get().name == "a name"
    assert app.Member.objects.get().secret == "s"
    assert not app.Person.objects.filter(ssn=SENTENCE).exists()
    app.Person.objects.create(name=f"He said: {SENTENCE}")


def loaded(fixture: str, alias: str) -> None:
    for one in serializers.deserialize("json", fixture, using=alias):
        one.save(using=alias)


@pytest.mark.parametrize("form", ["json", "jsonl", "xml", "python"])
@pytest.mark.parametrize("name", FORMED)
def test_a_fixture_is_not_made_of_it(form: str, name: str) -> None:
    app.Everything.objects.create(**VALUES)
    with without_key(), pytest.raises(reseal.ResealError) as caught:
        serializers.serialize(form, reported(app.Everything), fields=[name])
    assert caught.value.code == "unknown-key"


def reported(model: Any) -> list[Any]:
    """All rows, with what stands there in the place of values that do not open."""
    rows: Any = EncryptedQuerySet(model, using=django_support.Router.current)
    return list(rows.on_error("report"))
