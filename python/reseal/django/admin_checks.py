"""System checks of the admin: what its lists would ask of ciphertext, and fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage
from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import models
from django.db.models.constants import LOOKUP_SEP

from reseal.django.fields.base import EncryptedField
from reseal.django.fields.lookups import check_findable, lookup_of
from reseal.django.fields.ordering import ordered_by

_PREFIXES = {"^": "istartswith", "=": "iexact", "@": "search"}


@checks.register(checks.Tags.admin)
def lists(app_configs: Any, **_: object) -> list[CheckMessage]:
    """Warn of searches, filters and orders of lists that end in an encrypted field, and in an error."""
    from django.contrib.admin.sites import all_sites

    found: list[CheckMessage] = []
    for site in all_sites:
        for model, shown in site._registry.items():
            if app_configs is None or model._meta.app_config in app_configs:
                found += [
                    checks.Warning(message, hint=hint, obj=type(shown), id="reseal.W014")
                    for message, hint in _refused(model, shown)
                ]
    return found


def _refused(model: Any, shown: Any) -> Iterator[tuple[str, str]]:
    for spec in _searched(shown):
        hint = _search_hint(model, str(spec))
        if hint:
            yield f"search_fields: every search fails at {spec!r}", hint
    for item in shown.list_filter or ():
        field = _ends_in(model, item)[0] if isinstance(item, str) else None
        if field is not None and not _is_filtered(field):
            hint = "a filter may ask for choices or a truth, with a BlindIndexField; or write a SimpleListFilter"
            yield f"list_filter: the list fails at {item!r}", hint
    for name in filter(None, [shown.date_hierarchy]):
        if _ends_in(model, name)[0] is not None:
            yield (
                f"date_hierarchy: the list fails at {name!r}",
                "no database has parts of ciphertext",
            )
    for item in shown.ordering or ():
        if isinstance(ordered_by(model, item), EncryptedField):
            yield f"ordering: the list fails at {item!r}", "order by another field"


def _searched(shown: Any) -> Any:
    """What Django searches; nothing where a class searches by itself."""
    from django.contrib.admin import ModelAdmin

    is_own = type(shown).get_search_results is not ModelAdmin.get_search_results
    return () if is_own else shown.search_fields or ()


def _search_hint(model: Any, spec: str) -> str | None:
    """What to write instead of an item of `search_fields` that is refused."""
    prefix = _PREFIXES.get(spec[:1])
    field, rest = _ends_in(model, spec[1:] if prefix else spec)
    if field is None:
        return None
    name = prefix or LOOKUP_SEP.join(rest) or "icontains"
    if name == "exact" and not isinstance(field, models.CharField | models.TextField):
        return "the admin compares the text of what is no text: override get_search_results()"
    try:
        lookup_of(field, name)
        check_findable(field, name)
    except FieldError:
        return (
            "give the field a BlindIndexField and end the name in __exact, or begin it with = where the "
            "normalizer is ascii-lower-trim"
        )
    return None


def _is_filtered(field: EncryptedField) -> bool:
    """Whether a filter asks for single values of a field, by which it is found."""
    try:
        check_findable(field, "exact")
    except FieldError:
        return False
    return bool(field.flatchoices) or isinstance(field, models.BooleanField)


def _ends_in(model: Any, path: str) -> tuple[EncryptedField | None, list[str]]:
    """The encrypted field that a path leads to, and what it asks of it."""
    meta, parts = model._meta, path.split(LOOKUP_SEP)
    for place, part in enumerate(parts):
        try:
            field = meta.pk if part == "pk" else meta.get_field(part)
        except FieldDoesNotExist:
            break
        if isinstance(field, EncryptedField):
            return field, parts[place + 1 :]
        if not hasattr(field, "path_infos"):
            break
        meta = field.path_infos[-1].to_opts
    return None, []
