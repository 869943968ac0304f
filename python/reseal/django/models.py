"""The name of the page "Encryption keys" in Django's permissions and log; it has no table."""

from __future__ import annotations

from django.db import models


class _NoRows(models.Manager["EncryptionKey"]):
    """Whoever walks through all models, such as `dumpdata`, finds nothing, and asks no table for it."""

    def get_queryset(self) -> models.QuerySet[EncryptionKey]:
        return super().get_queryset().none()


class EncryptionKey(models.Model):
    """A key, as the log of the admin names it: its id and its label."""

    id = models.CharField(primary_key=True, max_length=64)
    label = models.CharField(max_length=200)

    objects = _NoRows()

    class Meta:
        """Without a table: only the permissions count."""

        app_label = "reseal"
        managed = False
        base_manager_name = "objects"
        verbose_name = "encryption key"
        verbose_name_plural = "encryption keys"
        default_permissions = ("view",)
        permissions = (("rotate_encryptionkey", "Can rotate encryption keys"),)

    def __str__(self) -> str:
        if not self.id:
            return self.label or "all values"
        short = f"{self.id[:8]}…"
        return f"{short} ({self.label})" if self.label else short
