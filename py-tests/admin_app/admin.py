"""A list of its rows, with an encrypted column in three guises."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from admin_app.models import Chart, Patient, Visit

SEALED = ("text", "checked", "price", "level", "data", "seen")


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


@admin.register(Chart)
class ChartAdmin(admin.ModelAdmin):
    list_display = ("id", "note", *SEALED, "shown")
    list_editable = ("note", "checked", "seen")
    readonly_fields = ("price", "level")

    def get_queryset(self, request: Any) -> Any:
        """Show a list in which values do not open."""
        return Chart.objects.on_error("report")

    @admin.display(boolean=True)
    def shown(self, chart: Any) -> Any:
        """The value, as an icon."""
        return chart.checked


@admin.register(Visit)
class VisitAdmin(admin.ModelAdmin):
    list_display = ("id", "patient__ssn", "patient__id", "day")
    sortable_by = ("day", "patient__ssn")
