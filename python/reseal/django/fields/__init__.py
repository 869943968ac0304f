"""The encrypted fields of Django models; import them from `reseal.django`."""

from reseal.django.fields.rows import encrypted_fields

__all__ = ["encrypted_fields"]
