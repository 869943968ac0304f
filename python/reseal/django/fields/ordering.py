"""What an item of an ordering ends in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import F, OrderBy
from django.db.models.constants import LOOKUP_SEP


def ordered_by(model: Any, name: Any, annotations: Mapping[str, Any] | None = None) -> Any:
    """Return the field that an item of an ordering ends in, or None."""
    if isinstance(name, OrderBy):
        name = name.expression
    if isinstance(name, F):
        name = name.name
    if not isinstance(name, str) or name == "?":
        return None
    name = name.lstrip("-+")
    if annotations and name in annotations:
        return getattr(annotations[name], "target", None)
    meta, field = model._meta, None
    for part in name.split(LOOKUP_SEP):
        try:
            field = meta.pk if part == "pk" else meta.get_field(part)
        except FieldDoesNotExist:
            return field
        if not field.is_relation or field.related_model is None:
            return field
        meta = field.related_model._meta
    return field
