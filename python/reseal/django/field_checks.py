"""System checks of declarations. They need no key."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.core.checks import CheckMessage
from django.db.models import F, Q
from django.db.models.constants import LOOKUP_SEP

from reseal._errors import ResealError
from reseal.django import conf
from reseal.django.fields.base import NO_PARTS
from reseal.django.fields.ordering import ordered_by


def of_field(field: Any) -> list[CheckMessage]:
    """Return what is wrong with an encrypted field."""
    found: list[CheckMessage] = []
    if not hasattr(field, "column"):
        hint = "compute and save the value in Python"
        return [
            _error("the database cannot seal what a GeneratedField computes", hint, field, "E002")
        ]
    if field.is_part():
        message = f"a part of another field, such as an array: {NO_PARTS}"
        return [_error(message, None, field, "E002")]
    if field.primary_key:
        found.append(_error("an encrypted field cannot be the primary key", None, field, "E001"))
    elif field.unique or field.db_index:
        what = "unique" if field.unique else "db_index"
        found.append(
            _error(
                f"{what} means nothing for ciphertext: equal values need not be equal there",
                f"set {what} on a BlindIndexField beside it",
                field,
                "E002",
            )
        )
    for constrained in _constrained(field):
        found.append(
            _error(
                f"{constrained} means nothing for ciphertext: equal values need not be equal there",
                "name a BlindIndexField beside it",
                field,
                "E002",
            )
        )
    for computed in _computed(field):
        found.append(
            _error(
                f"{computed} computes or compares with ciphertext",
                "the database can ask it for __isnull only: check the rest when the row is saved",
                field,
                "E002",
            )
        )
    if _orders(field):
        hint = "order by another field, or sort in Python"
        found.append(_error("rows cannot be ordered by ciphertext", hint, field, "E006"))
    try:
        kinds = conf.codecs().kinds()
    except ResealError as error:
        return [*found, _error(f"the setting RESEAL: {error}", None, field, "E003")]
    declared = field.declaration()
    for name in (declared.write, *declared.read):
        if name not in kinds:
            known = ", ".join(sorted(kinds))
            hint = f"the setting RESEAL has {known}"
            found.append(_error(f"there is no codec {name!r}", hint, field, "E004"))
    if declared.indexes and "reseal" not in {
        kinds.get(name) for name in (declared.write, *declared.read)
    }:
        hint = "the ring of a codec of kind reseal makes the terms"
        found.append(_error("a blind index needs a codec of envelopes", hint, field, "E005"))
    return found


def _orders(field: Any) -> bool:
    """Whether the model's rows are ordered by the field, or by what an expression makes of it."""
    return any(
        ordered_by(field.model, item) is field
        or (not isinstance(item, str) and _asks(item, field.name))
        for item in field.model._meta.ordering
    )


def _constrained(field: Any) -> list[str]:
    """What of the model's Meta is about the field."""
    meta = field.model._meta
    named = [(one.name, getattr(one, "fields", ())) for one in (*meta.constraints, *meta.indexes)]
    named += [("unique_together", fields) for fields in meta.unique_together]
    return [name for name, fields in named if field.name in fields]


def _computed(field: Any) -> list[str]:
    """What of the model's Meta asks the field for more than whether there is a value."""
    meta = field.model._meta
    found = []
    for one in (*meta.constraints, *meta.indexes):
        asked = [getattr(one, "condition", None), *getattr(one, "expressions", ())]
        # An exclusion has pairs, of an expression and its operator.
        parts = (it[0] if isinstance(it, tuple | list) else it for it in asked)
        if any(_asks(part, field.name) for part in parts):
            found.append(one.name)
    generated = (one for one in meta.local_fields if getattr(one, "generated", False))
    return found + [one.name for one in generated if _asks(one.expression, field.name)]


def _asks(part: Any, name: str) -> bool:
    if isinstance(part, Q):
        return any(_asks(child, name) for child in part.children)
    if isinstance(part, tuple):
        path, value = part
        first, *rest = str(path).split(LOOKUP_SEP)
        if first == name and rest != ["isnull"]:
            return True
        # A value is no name: only expressions among values ask for fields.
        values = value if isinstance(value, list | tuple | set | frozenset) else [value]
        return any(hasattr(it, "resolve_expression") and _asks(it, name) for it in values)
    if isinstance(part, str):
        return part.lstrip("-") == name
    if isinstance(part, F):
        return str(part.name).split(LOOKUP_SEP)[0] == name
    sources = getattr(part, "get_source_expressions", None)
    return sources is not None and any(_asks(one, name) for one in sources())


def of_index(field: Any) -> list[CheckMessage]:
    """Return what is wrong with the column of a blind index."""
    from reseal.django.manager import EncryptedQuerySet

    manager = field.model._default_manager
    if isinstance(manager.all(), EncryptedQuerySet):
        return []
    return [
        checks.Warning(
            "the model has a BlindIndexField, and its default manager is no EncryptedManager",
            hint="objects = EncryptedManager(); with another one update() of the field is refused",
            obj=field,
            id="reseal.W001",
        )
    ]


def _error(message: str, hint: str | None, field: Any, code: str) -> CheckMessage:
    return checks.Error(message, hint=hint, obj=field, id=f"reseal.{code}")
