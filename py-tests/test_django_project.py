"""A project of Django from its first migration on: `manage.py` as people call it, on each database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import reseal
from django_support import sqlite_file
from job_support import KINDS, Place, places

SECONDS = 120
TESTS = Path(__file__).resolve().parent
SETTINGS = """
import os, sys
sys.path.append(os.environ["TESTS"])
import django_support
django_support.pymysql.install_as_MySQLdb()
DATABASES = {"default": django_support.options(os.environ["KIND"], os.environ["URL"])}
INSTALLED_APPS = ["reseal.django", "clinic"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
PLAIN = """
from django.db import models

class Patient(models.Model):
    ssn = models.CharField(max_length=20, null=True)
    salary = models.DecimalField(max_digits=9, decimal_places=2, null=True)
"""
ENCRYPTED = """
from django.db import models
from reseal.django import BlindIndexField, EncryptedCharField, EncryptedDecimalField, EncryptedManager

class Patient(models.Model):
    ssn = EncryptedCharField(max_length=20, null=True, read=["plain"])
    # Its name comes before that of the field, so that it is added first.
    index_of_ssn = BlindIndexField("ssn", normalizer="digits")
    salary = EncryptedDecimalField(max_digits=9, decimal_places=2, null=True, read=["plain"])
    objects = EncryptedManager()
"""
JOB = """
from django.db import migrations
from reseal.django.operations import {kind}

class Migration(migrations.Migration):
    dependencies = [("clinic", "{before}")]
    atomic = False
    operations = [{kind}("patient", "ssn"), {kind}("patient", "salary")]
"""


class Project:
    """Files, and the commands of `manage.py`."""

    def __init__(self, folder: Path, kind: str, url: str) -> None:
        self.folder = folder
        self.env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "settings",
            "KIND": kind,
            "URL": url,
            "TESTS": str(TESTS),
            "RESEAL_PRIMARY_KEY": reseal.Key.generate("data").export(),
            "RESEAL_INDEX_KEY": reseal.Key.generate("index").export(),
        }
        (folder / "clinic/migrations").mkdir(parents=True)
        for name in ("clinic/__init__.py", "clinic/migrations/__init__.py"):
            (folder / name).touch()
        (folder / "settings.py").write_text(SETTINGS)

    def manage(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            cwd=self.folder,
            env=self.env | {"PYTHONPATH": os.pathsep.join([str(self.folder), *sys.path])},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def models(self, text: str) -> None:
        """What `makemigrations` and `migrate` make of other models."""
        (self.folder / "clinic/models.py").write_text(text)
        self.manage("makemigrations", "clinic")
        self.manage("migrate")

    def job(self, kind: str) -> None:
        """A migration that was written by hand."""
        folder = self.folder / "clinic/migrations"
        known = sorted(path.stem for path in folder.glob("0*.py"))
        text = JOB.format(kind=kind, before=known[-1])
        (folder / f"{len(known) + 1:04}_{kind.lower()}.py").write_text(text)
        self.manage("migrate")

    def asked(self, code: str) -> str:
        """What some lines print."""
        lines = f"import django; django.setup()\nfrom clinic.models import Patient\n{code}"
        return self.run_python(lines).strip()

    def run_python(self, lines: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", lines],
            cwd=self.folder,
            env=self.env | {"PYTHONPATH": os.pathsep.join([str(self.folder), *sys.path])},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        ).stdout


@pytest.fixture(params=KINDS)
def place(
    request: pytest.FixtureRequest, servers: dict[str, str], tmp_path: Path
) -> Iterator[Place]:
    yield from places(request.param, "python", servers, tmp_path)


def test_columns_are_encrypted_and_switched_off_by_the_migrations_that_django_writes(
    place: Place, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", place.kind, place.url)
    project.models(PLAIN)
    rows = "[Patient(ssn=f'078-05-{n}', salary=n) for n in range(200)]"
    project.asked(f"Patient.objects.bulk_create({rows} + [Patient()])")

    # `migrate` checks the widths of columns first, which are too short until it has widened them.
    project.models(ENCRYPTED)
    assert place.stored("ssn", "clinic_patient")[:1] == ["078-05-0"]
    assert project.asked("print(Patient.objects.order_by('pk')[7].ssn)") == "078-05-7"
    project.job("EncryptColumn")
    values = place.stored("ssn", "clinic_patient") + place.stored("salary", "clinic_patient")
    assert {str(value)[:4] for value in values} == {"rs1.", "None"}
    assert project.asked("print(Patient.objects.get(ssn='07805 199').salary)") == "199.00"
    assert "no issues" in project.manage("check", "--database", "default")
    assert "every value opens" in project.manage("reseal", "retire", "plain")
    project.models(ENCRYPTED.replace(', read=["plain"]', ""))

    # Every process reads both and writes plaintext, before the values are opened.
    project.models(ENCRYPTED.replace('read=["plain"]', 'write="plain", read=["app"]'))
    found = "Patient.objects.get(ssn='078-05-199')"
    assert project.asked(f"print({found}.salary)") == "199.00"
    project.job("DecryptColumn")
    project.models(PLAIN)
    assert project.asked("print(Patient.objects.get(ssn='078-05-199').salary)") == "199.00"


def test_a_field_and_its_companion_are_removed(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", "sqlite", sqlite_file(tmp_path))
    # Here it is the field that comes first, and is removed first.
    project.models(ENCRYPTED.replace("index_of_ssn", "ssn_index"))
    rest = "\n".join(line for line in PLAIN.splitlines() if "ssn" not in line)
    project.models(rest)
    assert "no issues" in project.manage("check", "--database", "default")


def test_a_column_that_no_migration_will_widen_is_told(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", "sqlite", sqlite_file(tmp_path))
    project.models(PLAIN)
    (project.folder / "clinic/models.py").write_text(ENCRYPTED)
    assert "reseal.E011" in project.manage("check", "--database", "default", code=1)
    project.manage("makemigrations", "clinic")
    assert "reseal.E011" not in project.manage("check", "--database", "default")
    project.manage("migrate", "--fake")
    assert "reseal.E011" in project.manage("check", "--database", "default", code=1)
