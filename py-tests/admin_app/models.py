"""A model with a blind index, one that refers to it, and one with fields of many types."""

from __future__ import annotations

from django.db import models
from reseal.django import (
    BlindIndexField,
    EncryptedBooleanField,
    EncryptedDateTimeField,
    EncryptedDecimalField,
    EncryptedIntegerField,
    EncryptedJSONField,
    EncryptedManager,
    EncryptedTextField,
)


class Patient(models.Model):
    name = EncryptedTextField()
    ssn = EncryptedTextField(null=True)
    ssn_index = BlindIndexField("ssn", normalizer="digits")

    objects = EncryptedManager()


class Chart(models.Model):
    """With a field of each type that the admin shows in its own way."""

    note = models.CharField(max_length=20)
    text = EncryptedTextField()
    checked = EncryptedBooleanField()
    price = EncryptedDecimalField(max_digits=9, decimal_places=2)
    level = EncryptedIntegerField(choices=[(1, "low"), (2, "high")])
    data = EncryptedJSONField()
    seen = EncryptedDateTimeField()

    objects = EncryptedManager()


class Visit(models.Model):
    patient = models.ForeignKey(Patient, models.CASCADE)
    day = models.IntegerField()
