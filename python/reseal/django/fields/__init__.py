"""The encrypted fields of Django models; import them from `reseal.django`."""

from reseal.django.fields.base import EncryptedField
from reseal.django.fields.index import BlindIndexField
from reseal.django.fields.rows import encrypted_fields
from reseal.django.fields.types import (
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
    EncryptedTextField,
    EncryptedURLField,
    EncryptedUUIDField,
)

__all__ = [
    "BlindIndexField",
    "EncryptedBigIntegerField",
    "EncryptedBinaryField",
    "EncryptedBooleanField",
    "EncryptedCharField",
    "EncryptedDateField",
    "EncryptedDateTimeField",
    "EncryptedDecimalField",
    "EncryptedEmailField",
    "EncryptedField",
    "EncryptedIntegerField",
    "EncryptedJSONField",
    "EncryptedTextField",
    "EncryptedURLField",
    "EncryptedUUIDField",
    "encrypted_fields",
]
