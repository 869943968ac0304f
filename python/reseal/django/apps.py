"""The application: `INSTALLED_APPS = [..., "reseal.django"]`."""

from __future__ import annotations

from django.apps import AppConfig, apps


class ResealConfig(AppConfig):
    """Registers the system checks, what lists of the admin are not sorted by, and how they show errors."""

    name = "reseal.django"
    label = "reseal"
    verbose_name = "Reseal"

    def ready(self) -> None:
        """Register the checks, and look after the admin."""
        from reseal.django import checks  # noqa: F401  (registers them)
        from reseal.django.showing import show_unopened
        from reseal.django.sorting import leave_out_encrypted

        if apps.is_installed("django.contrib.admin"):
            leave_out_encrypted()
            show_unopened()
