"""The application: `INSTALLED_APPS = [..., "reseal.django"]`."""

from __future__ import annotations

from django.apps import AppConfig


class ResealConfig(AppConfig):
    """Registers the system checks."""

    name = "reseal.django"
    label = "reseal"
    verbose_name = "Reseal"

    def ready(self) -> None:
        """Register the checks."""
        from reseal.django import checks  # noqa: F401  (registers them)
