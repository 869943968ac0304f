"""Models with encrypted fields of every kind."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from reseal.django import (
    BlindIndexField,
    EncryptedBigIntegerField,
    EncryptedBinaryField,
    EncryptedBooleanField,
    EncryptedCharField,
    EncryptedDateField,
    EncryptedDateTimeField,
    EncryptedDecimalField,
    EncryptedEmailField,
    EncryptedIntegerField,
    EncryptedJSONField,
    EncryptedManager,
    EncryptedTextField,
    EncryptedURLField,
    EncryptedUUIDField,
)

# --- the tables of the contract -------------------------------------------------------------------


class Person(models.Model):
    name = EncryptedTextField(null=True)
    note = EncryptedTextField(null=True)
    ssn = EncryptedCharField(max_length=20, null=True)
    ssn_index = BlindIndexField("ssn", normalizer="digits")
    email = EncryptedEmailField(null=True)
    email_index = BlindIndexField("email", normalizer="ascii-lower-trim")
    code = EncryptedTextField(null=True)
    code_index = BlindIndexField("code", bits=8)
    age = EncryptedIntegerField(null=True)
    active = EncryptedBooleanField(null=True)
    born = EncryptedDateField(null=True)
    data = EncryptedJSONField(null=True)
    legacy = EncryptedTextField(null=True, read=["tokens", "plain"])
    tag = EncryptedTextField(null=True, mode="deterministic")
    rank = models.IntegerField(null=True)

    objects = EncryptedManager()

    class Meta:
        db_table = "person"


class Member(models.Model):
    tenant = models.IntegerField()
    secret = EncryptedTextField(null=True, tenant="tenant")
    secret_index = BlindIndexField("secret")

    objects = EncryptedManager()

    class Meta:
        db_table = "member"


class Badge(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    secret = EncryptedTextField(null=True, bind_row=True)

    objects = EncryptedManager()

    class Meta:
        db_table = "badge"


# --- what Django alone has ------------------------------------------------------------------------


class Everything(models.Model):
    """A field of each type, all but the id without a manager of ours."""

    text = EncryptedTextField(default="")
    char = EncryptedCharField(max_length=10, default="")
    email = EncryptedEmailField(default="")
    url = EncryptedURLField(default="")
    integer = EncryptedIntegerField(default=0)
    big = EncryptedBigIntegerField(default=0)
    decimal = EncryptedDecimalField(max_digits=8, decimal_places=2, null=True)
    date = EncryptedDateField(null=True)
    moment = EncryptedDateTimeField(null=True)
    truth = EncryptedBooleanField(default=False)
    document = EncryptedJSONField(default=dict, encoder=DjangoJSONEncoder)
    blob = EncryptedBinaryField(default=b"")
    uid = EncryptedUUIDField(null=True)
    packed = EncryptedTextField(default="", binary=True)
    packed_blob = EncryptedBinaryField(null=True, binary=True)


class Base(models.Model):
    secret = EncryptedTextField(null=True)
    secret_index = BlindIndexField("secret")

    objects = EncryptedManager()

    class Meta:
        abstract = True


class First(Base):
    pass


class Second(Base):
    more = EncryptedIntegerField(null=True)


class Child(First):
    """With a table of its own, beside that of its parent."""

    own = EncryptedTextField(null=True)

    objects = EncryptedManager()


class Alias(First):
    class Meta:
        proxy = True


class Pet(models.Model):
    owner = models.ForeignKey(First, models.CASCADE, related_name="pets")
    name = EncryptedTextField()


class Plainly(models.Model):
    """An indexed field, and Django's own manager."""

    secret = EncryptedTextField(null=True)
    secret_index = BlindIndexField("secret")


class Renamed(models.Model):
    """Bound to names that are not those of its table."""

    secret = EncryptedTextField(context_name="clients.secret", earlier_contexts=["old.name"])
    other = EncryptedTextField(context_name="thing", null=True)


def of_name(instance: Any) -> str:
    """The tenant of a row, by a function."""
    return f"tenant-{instance.group}"


class Grouped(models.Model):
    group = models.CharField(max_length=10)
    secret = EncryptedTextField(tenant=of_name)

    objects = EncryptedManager()


class Stamped(models.Model):
    made = EncryptedDateTimeField(auto_now_add=True)
    changed = EncryptedDateTimeField(auto_now=True)
    text = EncryptedTextField(null=True)
