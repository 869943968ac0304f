"""A list of its rows, with an encrypted column in three guises."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from admin_app.models import Patient, Visit


@admin.register(Patient)
class PatientAdmin(admin.ModelAdmin):
    list_display = ("id", "name", "ssn", "shown", "plain")

    @admin.display(ordering="-ssn")
    def shown(self, patient: Any) -> str:
        """The value, in another form."""
        return f"SSN {patient.ssn}"

    @admin.display(ordering="id")
    def plain(self, patient: Any) -> str:
        """What may be sorted by."""
        return f"no. {patient.pk}"


@admin.register(Visit)
class VisitAdmin(admin.ModelAdmin):
    list_display = ("id", "patient__ssn", "patient__id", "day")
    sortable_by = ("day", "patient__ssn")
