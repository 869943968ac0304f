"""The application: `INSTALLED_APPS = [..., "reseal.django"]`."""

from __future__ import annotations

from django.apps import AppConfig, apps


class ResealConfig(AppConfig):
    """Registers the system checks, what migrations do with defaults and altered columns, and what the admin does otherwise."""

    name = "reseal.django"
    label = "reseal"
    verbose_name = "Reseal"

    def ready(self) -> None:
        """Register the checks, and look after migrations and the admin."""
        from reseal.django import checks  # noqa: F401  (registers them)
        from reseal.django.altered import keep_what_columns_say
        from reseal.django.defaults import seal_defaults_for_rows
        from reseal.django.showing import show_unopened
        from reseal.django.sorting import leave_out_encrypted

        seal_defaults_for_rows()
        keep_what_columns_say()
        if apps.is_installed("django.contrib.admin"):
            from reseal.django import admin_checks  # noqa: F401  (registers them)

            leave_out_encrypted()
            show_unopened()
