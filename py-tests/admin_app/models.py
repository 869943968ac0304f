"""A model with a blind index, and one that refers to it."""

from __future__ import annotations

from django.db import models
from reseal.django import BlindIndexField, EncryptedManager, EncryptedTextField


class Patient(models.Model):
    name = EncryptedTextField()
    ssn = EncryptedTextField(null=True)
    ssn_index = BlindIndexField("ssn", normalizer="digits")

    objects = EncryptedManager()


class Visit(models.Model):
    patient = models.ForeignKey(Patient, models.CASCADE)
    day = models.IntegerField()
