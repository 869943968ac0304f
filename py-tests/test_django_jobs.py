"""Migrations that encrypt, and `manage.py reseal`, on each database."""

from __future__ import annotations

import datetime
import decimal
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django_support
import pytest
import reseal
from job_support import KINDS, Place, found, places

django_support.setup()

from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402
from django.db import connections, migrations, models  # noqa: E402
from django.db.migrations.optimizer import MigrationOptimizer  # noqa: E402
from django.db.migrations.state import ProjectState  # noqa: E402
from django.db.migrations.writer import OperationWriter  # noqa: E402
from django.test.utils import override_settings  # noqa: E402
from django_app import models as app  # noqa: E402
from reseal.django import (  # noqa: E402
    BlindIndexField,
    EncryptedBinaryField,
    EncryptedBooleanField,
    EncryptedDateField,
    EncryptedDateTimeField,
    EncryptedDecimalField,
    EncryptedIntegerField,
    EncryptedTextField,
    EncryptedUUIDField,
)
from reseal.django.operations import DecryptColumn, EncryptColumn  # noqa: E402

DATA, INDEX = reseal.Key.generate("data"), reseal.Key.generate("index")
APP = "django_app"


@pytest.fixture(params=KINDS)
def place(
    request: pytest.FixtureRequest,
    servers: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Place]:
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    monkeypatch.setenv("RESEAL_INDEX_KEY", INDEX.export())
    monkeypatch.setenv("TOKENS_KEY", "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=")
    monkeypatch.delenv("RESEAL_DATABASE_URL", raising=False)
    for place in places(request.param, "python", servers, tmp_path):
        with (
            override_settings(RESEAL=django_support.CODECS),
            django_support.database(place.kind, place.url),
        ):
            yield place


def alias() -> str:
    return str(django_support.Router.current)


# --- migrations -----------------------------------------------------------------------------------


class History:
    """Migrations, forwards and backwards."""

    def __init__(self) -> None:
        self.states = [ProjectState()]
        self.done: list[Any] = []

    def forwards(self, *operations: Any, atomic: bool = False) -> None:
        for operation in operations:
            before, after = self.states[-1], self.states[-1].clone()
            operation.state_forwards(APP, after)
            # A state of its own: rendered models belong to one.
            self._run(operation.database_forwards, before, after, atomic)
            self.states.append(after)
            self.done.append(operation)

    def backwards(self, number: int = 1) -> None:
        for _ in range(number):
            after = self.states.pop()
            self._run(self.done.pop().database_backwards, after, self.states[-1], False)

    @staticmethod
    def _run(step: Any, before: Any, after: Any, atomic: bool) -> None:
        with connections[alias()].schema_editor(atomic=atomic) as editor:
            step(APP, editor, before, after)

    def model(self, name: str) -> Any:
        return self.states[-1].apps.get_model(APP, name)


@pytest.fixture
def history(place: Place) -> History:
    history = History()
    history.forwards(
        migrations.CreateModel(
            "Note",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("text", models.TextField(null=True)),
                ("number", models.IntegerField(null=True)),
                ("price", models.DecimalField(max_digits=8, decimal_places=2, null=True)),
                ("day", models.DateField(null=True)),
                ("flag", models.BooleanField(null=True)),
                ("moment", models.DateTimeField(null=True)),
                ("badge", models.UUIDField(null=True)),
                ("photo", models.BinaryField(null=True)),
            ],
        )
    )
    return history


def test_a_column_is_encrypted_and_decrypted_again(place: Place, history: History) -> None:
    texts = [None, "", "Ann", "Åsa 🦭", *map(str, range(1200))]
    model = history.model("Note")
    model.objects.bulk_create([model(text=text) for text in texts])
    plainly = place.stored("text", f"{APP}_note")
    history.forwards(
        migrations.AlterField("note", "text", EncryptedTextField(null=True, read=["plain"])),
        migrations.AddField("note", "text_index", BlindIndexField("text")),
        EncryptColumn("note", "text"),
        migrations.AlterField("note", "text", EncryptedTextField(null=True)),
    )
    stored = place.stored("text", f"{APP}_note")
    assert stored[0] is None
    assert all(value.startswith("rs1.") for value in stored[1:])
    model = history.model("Note")
    assert [row.text for row in model.objects.order_by("id")] == texts
    assert model.objects.get(text="Ann").text == "Ann"
    assert not place.has("reseal_jobs")

    # What came meanwhile is sealed already, and a second run changes nothing.
    before = place.rows(f"{APP}_note")
    history.forwards(EncryptColumn("note", "text"))
    assert place.rows(f"{APP}_note") == before

    history.backwards(5)
    assert place.stored("text", f"{APP}_note") == plainly
    assert [row.text for row in history.model("Note").objects.order_by("id")] == texts


@pytest.mark.parametrize(
    ("name", "field", "values"),
    [
        ("number", EncryptedIntegerField(null=True, read=["plain"]), [0, -17, 2**31 - 1]),
        (
            "price",
            EncryptedDecimalField(max_digits=8, decimal_places=2, null=True, read=["plain"]),
            [decimal.Decimal("0.00"), decimal.Decimal("1.10"), decimal.Decimal("-123456.78")],
        ),
        (
            "day",
            EncryptedDateField(null=True, read=["plain"]),
            [datetime.date(2026, 2, 28), datetime.date(1815, 12, 10)],
        ),
        ("flag", EncryptedBooleanField(null=True, read=["plain"]), [True, False]),
        ("badge", EncryptedUUIDField(null=True, read=["plain"]), [uuid.UUID(int=7), uuid.uuid4()]),
    ],
)
def test_columns_of_other_types(
    place: Place, history: History, name: str, field: Any, values: list[Any]
) -> None:
    model = history.model("Note")
    model.objects.bulk_create([model(**{name: value}) for value in [None, *values]])
    plainly = place.stored(name, f"{APP}_note")

    def read() -> list[Any]:
        rows = history.model("Note").objects.order_by("id")
        assert list(rows.values_list(name, flat=True)) == [None, *values]
        return [getattr(row, name) for row in rows]

    history.forwards(migrations.AlterField("note", name, field))
    # The application that runs reads both.
    assert read() == [None, *values]
    history.forwards(EncryptColumn("note", name))
    assert all(value.startswith("rs1.") for value in place.stored(name, f"{APP}_note")[1:])
    assert read() == [None, *values]
    history.backwards()
    assert read() == [None, *values]
    history.backwards()
    assert read() == [None, *values]
    # It is as if nothing had been: what is looked for is found.
    assert place.stored(name, f"{APP}_note") == plainly
    for value in values:
        assert history.model("Note").objects.filter(**{name: value}).count() == 1


def test_moments_without_a_zone_come_back_as_they_were(place: Place, history: History) -> None:
    moments = [datetime.datetime(2026, 3, 1, 12), datetime.datetime(2026, 3, 1, 12, 0, 0, 120)]
    with override_settings(USE_TZ=False):
        model = history.model("Note")
        model.objects.bulk_create([model(moment=moment) for moment in moments])
        plainly = place.stored("moment", f"{APP}_note")
        history.forwards(
            migrations.AlterField(
                "note", "moment", EncryptedDateTimeField(null=True, read=["plain"])
            ),
            EncryptColumn("note", "moment"),
        )
        rows = history.model("Note").objects.order_by("id")
        assert [row.moment for row in rows] == moments
        history.backwards(2)
        assert place.stored("moment", f"{APP}_note") == plainly
        later = history.model("Note").objects.filter(moment__lt=datetime.datetime(2026, 3, 1, 13))
        assert later.count() == 2


def test_bytes_stay_bytes(place: Place, history: History) -> None:
    photos = [b"\x00\xff", b"\\x00", b""]
    model = history.model("Note")
    model.objects.bulk_create([model(photo=photo) for photo in photos])

    def read() -> list[bytes]:
        return [bytes(row.photo) for row in history.model("Note").objects.order_by("id")]

    field = EncryptedBinaryField(null=True, read=["plain"], binary=True)
    history.forwards(migrations.AlterField("note", "photo", field))
    assert read() == photos
    history.forwards(EncryptColumn("note", "photo"))
    assert read() == photos
    history.backwards(2)
    assert read() == photos


def test_bytes_in_a_column_of_text_are_refused(place: Place, history: History) -> None:
    field = EncryptedBinaryField(null=True, read=["plain"])
    history.forwards(migrations.AlterField("note", "photo", field))
    for operation in (EncryptColumn, DecryptColumn):
        with pytest.raises(ImproperlyConfigured, match="binary=True"):
            history.forwards(operation("note", "photo"))


@pytest.mark.parametrize("unique", [False, True])
def test_a_companion_may_come_before_its_field_as_makemigrations_has_it(
    place: Place, history: History, unique: bool
) -> None:
    history.model("Note").objects.create(text="Ann")
    history.forwards(
        migrations.AddField("note", "text_index", BlindIndexField("text", unique=unique))
    )
    # Between the two it is a column, which nobody fills.
    model = history.model("Note")
    assert [(row.text, row.text_index) for row in model.objects.all()] == [("Ann", None)]
    with pytest.raises(reseal.ResealError, match="no model with an encrypted field 'text'"):
        model.objects.create(text="Bob")
    history.forwards(
        migrations.AlterField("note", "text", EncryptedTextField(null=True, read=["plain"])),
        EncryptColumn("note", "text"),
    )
    assert history.model("Note").objects.get(text="Ann").text_index.startswith("rx1.")
    history.backwards(3)
    assert [row.text for row in history.model("Note").objects.all()] == ["Ann"]


def test_moments_are_refused_where_their_zone_would_be_lost(place: Place, history: History) -> None:
    moment = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.timezone.utc)
    history.model("Note").objects.create(moment=moment)
    history.forwards(
        migrations.AlterField("note", "moment", EncryptedDateTimeField(null=True, read=["plain"]))
    )
    if place.kind == "postgresql":
        history.forwards(EncryptColumn("note", "moment"))
        assert history.model("Note").objects.get().moment == moment
        return
    for operation in (EncryptColumn, DecryptColumn):
        with pytest.raises(ImproperlyConfigured, match="zone"):
            history.forwards(operation("note", "moment"))


def test_what_cannot_be_sealed_stays_and_is_named(place: Place, history: History) -> None:
    damaged = reseal.Keyring(DATA).seal("Eve", {})[:50]
    model = history.model("Note")
    model.objects.bulk_create([model(text="Ann"), model(text=damaged), model(text="Bob")])
    history.forwards(
        migrations.AlterField("note", "text", EncryptedTextField(null=True, read=["plain"]))
    )
    with pytest.raises(reseal.ResealError, match=r"1 with .*verify"):
        history.forwards(EncryptColumn("note", "text"))
    stored = place.stored("text", f"{APP}_note")
    assert stored[1] == damaged
    assert [value.startswith("rs1.") for value in stored] == [True, True, True]
    place.do(f"UPDATE {APP}_note SET text = 'mended' WHERE text = %s", damaged)
    history.forwards(EncryptColumn("note", "text"))
    assert [row.text for row in history.model("Note").objects.order_by("id")] == [
        *("Ann", "mended", "Bob")
    ]


def test_a_field_is_decrypted_for_good(place: Place, history: History) -> None:
    history.forwards(migrations.AlterField("note", "text", EncryptedTextField(null=True)))
    history.model("Note").objects.create(text="Ann")
    history.forwards(DecryptColumn("note", "text"))
    history.forwards(migrations.AlterField("note", "text", models.TextField(null=True)))
    assert history.model("Note").objects.get().text == "Ann"
    history.backwards(2)
    assert place.stored("text", f"{APP}_note")[0].startswith("rs1.")
    assert history.model("Note").objects.get().text == "Ann"


def test_plaintext_is_not_written_where_it_is_forbidden(
    place: Place, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.forwards(migrations.AlterField("note", "text", EncryptedTextField(null=True)))
    history.model("Note").objects.create(text="Ann")
    monkeypatch.setenv("RESEAL_REQUIRE_ENCRYPTION", "1")
    with pytest.raises(reseal.ResealError) as caught:
        history.forwards(DecryptColumn("note", "text"))
    assert caught.value.code == "encryption-required"
    assert history.model("Note").objects.get().text == "Ann"


def test_operations_at_the_wrong_place(place: Place, history: History) -> None:
    with pytest.raises(ImproperlyConfigured, match="no encrypted field"):
        history.forwards(EncryptColumn("note", "text"))
    history.forwards(migrations.AlterField("note", "text", EncryptedTextField(null=True)))
    if not connections[alias()].features.can_rollback_ddl:
        return
    # A squashed migration is atomic, and a new database has no values.
    history.forwards(EncryptColumn("note", "text"), atomic=True)
    history.model("Note").objects.create(text="Ann")
    with pytest.raises(ImproperlyConfigured, match="atomic = False"):
        history.forwards(EncryptColumn("note", "text"), atomic=True)


def test_operations_are_written() -> None:
    for operation in (EncryptColumn("note", "text"), DecryptColumn("note", "text")):
        text, imports = OperationWriter(operation, indentation=0).serialize()
        assert text.startswith(f"reseal.django.operations.{type(operation).__name__}(")
        assert imports == {"import reseal.django.operations"}
        assert "text" in operation.describe()
        assert operation.migration_name_fragment.endswith("crypt_note_text")


def test_a_squash_moves_nothing_over_an_operation() -> None:
    before = BlindIndexField("text")
    after = BlindIndexField("text", normalizer="digits", bits=32)
    for operation in (EncryptColumn("note", "text"), DecryptColumn("note", "text")):
        history = [
            migrations.AddField("note", "text_index", before),
            operation,
            migrations.AlterField("note", "text_index", after),
        ]
        assert MigrationOptimizer().optimize(history, APP) == history
        others = [
            migrations.AddField("other", "a", models.TextField()),
            operation,
            migrations.AlterField("other", "a", models.TextField(null=True)),
        ]
        assert len(MigrationOptimizer().optimize(others, APP)) == 2


def test_a_companion_that_says_its_name_may_be_renamed(place: Place, history: History) -> None:
    history.forwards(
        migrations.AlterField("note", "text", EncryptedTextField(null=True)),
        migrations.AddField("note", "text_index", BlindIndexField("text")),
    )
    history.model("Note").objects.create(text="Ann")
    named = BlindIndexField("text", name_in_context="text_index")
    history.forwards(
        migrations.AlterField("note", "text_index", named),
        migrations.RenameField("note", "text_index", "text_terms"),
    )
    assert history.model("Note").objects.get(text="Ann").text_terms.startswith("rx1.")
    # The terms are bound to the name, so that without it they are of another column.
    history.forwards(migrations.AlterField("note", "text_terms", BlindIndexField("text")))
    model = history.model("Note")
    assert not model.objects.filter(text="Ann").exists()
    with connections[alias()].cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {APP}_note")
        assert cursor.fetchone() == (1,)
    history.forwards(EncryptColumn("note", "text"))
    assert history.model("Note").objects.get(text="Ann").text == "Ann"


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def filled(place: Place) -> Iterator[Place]:
    """With rows of all the models that a manifest can describe."""
    with django_support.tables(alias(), app.Person, app.Member, app.Badge):
        app.Person.objects.create(ssn="078-05-1120", age=7, active=True, data={"a": 1})
        app.Person.objects.create(born=datetime.date(2026, 3, 1), legacy="l", email="a@b.example")
        app.Member.objects.create(tenant=3, secret="s")
        app.Badge.objects.create(pk=uuid.UUID(int=7), secret="b")
        yield place


COLUMNS = [f"--column=person.{name}" for name in ("ssn", "age", "active", "data", "born", "legacy")]
COLUMNS += ["--column=member.secret", "--column=badge.secret"]


def run(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """The report of `manage.py reseal`."""
    capfd.readouterr()
    ended = 0
    try:
        call_command("reseal", "--using", alias(), *arguments, "--json")
    except SystemExit as error:
        ended = int(str(error.code))
    out, err = capfd.readouterr()
    assert ended == code, (out, err)
    assert "Traceback" not in err
    return json.loads(out)


@pytest.fixture
def without_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models without the one whose tenant a function gives."""
    from reseal.django import databases

    every = databases.declarations
    monkeypatch.setattr(
        databases,
        "declarations",
        lambda alias: [it for it in every(alias) if it.table in ("person", "member", "badge")],
    )


@pytest.mark.usefixtures("without_function")
def test_census_plan_apply_verify(filled: Place, capfd: pytest.CaptureFixture[str]) -> None:
    census = run(capfd, "census", *COLUMNS)
    assert found(census, 0) == {("app", DATA.id): 1, ("null", None): 1}
    for name in ("plan", "verify"):
        report = run(capfd, name, *COLUMNS)
        assert len(report["columns"]) == 8
        assert all(it["total"]["refused"] == {} for it in report["columns"]), (name, report)


@pytest.mark.usefixtures("without_function")
def test_a_rotation_by_the_command(
    filled: Place, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, index = reseal.Key.generate("data"), reseal.Key.generate("index")
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", data.export())
    monkeypatch.setenv("RESEAL_INDEX_KEY", index.export())
    monkeypatch.setenv("RESEAL_DECRYPT_KEYS", f"{DATA.export()},{INDEX.export()}")
    with override_settings(RESEAL=dict(django_support.CODECS)):
        assert app.Person.objects.get(ssn="078051120").age == 7
        in_use = run(capfd, "retire", DATA.id, code=1)
        assert in_use["end"] == "in-use"
        report = run(capfd, "apply", "--reindex")
        assert report["end"] == "complete"
        assert [run(capfd, "retire", it.id)["end"] for it in (DATA, INDEX)] == ["complete"] * 2
    monkeypatch.delenv("RESEAL_DECRYPT_KEYS")
    with override_settings(RESEAL=dict(django_support.CODECS)):
        assert app.Person.objects.get(ssn="078051120").data == {"a": 1}
        assert app.Member.objects.get(tenant=3, secret="s").secret == "s"
        assert app.Badge.objects.get().secret == "b"


@pytest.mark.usefixtures("without_function")
def test_the_manifest_is_one_of_reseal(filled: Place, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("reseal", "--using", alias(), "manifest")
    manifest = reseal.Manifest.parse(capsys.readouterr().out)
    specs = {(it.table, it.column): it for it in manifest.columns}
    assert specs["person", "legacy"].read == ["tokens", "plain"]
    assert specs["member", "secret"].context["tenant"] == reseal.FromRow("tenant")
    assert specs["badge", "secret"].bind_row
    assert specs["person", "ssn"].indexes == [
        reseal.IndexSpec("ssn_index", "ssn_index", "digits", 64)
    ]
    assert specs["person", "born"].type == "date"
    columns = manifest.build()
    by_name = dict(zip(specs, columns, strict=True))
    [stored, _] = filled.stored("ssn", "person")
    assert by_name["person", "ssn"].open(stored).value == "078-05-1120"  # type: ignore[union-attr]


def test_what_a_manifest_cannot_say_is_told(place: Place) -> None:
    with pytest.raises(CommandError, match=r"grouped\.secret.*function"):
        call_command("reseal", "--using", alias(), "manifest")
    with pytest.raises(CommandError, match="no database"):
        call_command("reseal", "--using", "nowhere", "manifest")


@pytest.mark.usefixtures("without_function")
def test_the_password_is_no_argument(filled: Place, capfd: pytest.CaptureFixture[str]) -> None:
    """The URL is in the environment while the command runs, and gone afterwards."""
    run(capfd, "census", "--column=badge.secret")
    assert "RESEAL_DATABASE_URL" not in os.environ
