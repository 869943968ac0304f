"""Duplicates of encrypted values, found before they are saved: what a unique `BlindIndexField` is for in forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError

from reseal._adapters import Unopened
from reseal._errors import ResealError
from reseal.django.fields.unsealed import candidates_of

#: An index, and the fields with which it is unique.
_Group = tuple[Any, tuple[str, ...]]


def watch_unique(model: Any) -> None:
    """Let `full_clean()` and forms of a model ask the terms of its indexes that are unique."""
    for name, groups in (("validate_unique", _unique), ("validate_constraints", _constrained)):
        own = getattr(model, name)
        if not hasattr(own, "asks_indexes"):
            setattr(model, name, _asking(own, groups))
    own = model._get_unique_checks
    if not hasattr(own, "names_sources"):
        model._get_unique_checks = _naming(own)


def _naming(own: Any) -> Any:
    @wraps(own)
    def checks(
        self: Any, exclude: Iterable[str] | None = None, include_meta_constraints: bool = False
    ) -> Any:
        unique, dates = own(self, exclude, include_meta_constraints)
        # A formset compares the values of its forms with each other, which have no terms.
        if include_meta_constraints:
            excluded = set(exclude or ())
            for index, others in (*_unique(self), *_constrained(self)):
                names = (index.source.name, *others)
                if not excluded & set(names):
                    unique.append((index.model, names))
        return unique, dates

    checks.names_sources = True  # type: ignore[attr-defined]
    return checks


def _asking(own: Callable[..., None], groups: Callable[[Any], list[_Group]]) -> Any:
    @wraps(own)
    def validate(self: Any, exclude: Iterable[str] | None = None) -> None:
        excluded, found = set(exclude or ()), groups(self)
        errors: dict[str, Any] = {}
        try:
            # What an instance has there is of the value before.
            own(self, exclude=excluded | {index.name for index, _ in found})
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        for index, others in found:
            source = index.source
            if excluded & {source.name, *others} or source.name in errors:
                continue
            beside = {name: getattr(self, self._meta.get_field(name).attname) for name in others}
            if None not in beside.values() and _is_taken(self, index, beside):
                message = self.unique_error_message(index.model, (source.name,))
                errors.setdefault(source.name, []).append(message)
        if errors:
            raise ValidationError(errors)

    validate.asks_indexes = True  # type: ignore[attr-defined]
    return validate


def _indexes(instance: Any) -> list[Any]:
    return [it for it in instance._meta.concrete_fields if _is_index(it)]


def _unique(instance: Any) -> list[_Group]:
    """The indexes that are unique, alone or together with other fields."""
    found: list[_Group] = [(it, ()) for it in _indexes(instance) if it.unique]
    for index in _indexes(instance):
        for names in index.model._meta.unique_together:
            found += _with(index, names)
    return found


def _constrained(instance: Any) -> list[_Group]:
    return [
        group
        for index in _indexes(instance)
        for one in index.model._meta.total_unique_constraints
        for group in _with(index, one.fields)
    ]


def _with(index: Any, names: Iterable[str]) -> list[_Group]:
    if index.name not in names:
        return []
    return [(index, tuple(name for name in names if name != index.name))]


def _is_index(field: Any) -> bool:
    from reseal.django.fields.index import BlindIndexField

    return isinstance(field, BlindIndexField)


def _is_taken(instance: Any, index: Any, beside: dict[str, Any]) -> bool:
    """Whether another row has the value of an instance, or a term that the database holds for the same.

    Errors: those of the terms.
    """
    source = index.source
    found = instance.__dict__.get(source.attname)
    adding = instance._state.adding
    if found is None or (not adding and source._is_untouched(instance, found)):
        return False  # it is not written
    value = getattr(instance, source.attname)
    if value is None or isinstance(value, Unopened):
        return False
    facts = _facts(instance, source)
    if facts is None:
        return False
    bound, name, plain = source.bound(), index.index_name(), source.plain(value)
    written = bound.term(plain, name, facts)
    wanted = bound.exact_terms(plain, name, facts)
    terms = [written, *bound.terms(plain, name, facts)]
    rows = index.model._base_manager.filter(candidates_of(source, index, terms, [plain], **beside))
    key = instance._get_pk_val(index.model._meta)
    if not adding and key is not None:
        rows = rows.exclude(pk=key)
    return any(
        # The database refuses an equal term, whatever its value is.
        getattr(row, index.attname) == written or _is_equal(row, source, name, wanted)
        for row in rows
    )


def _is_equal(row: Any, source: Any, name: str, wanted: frozenset[str]) -> bool:
    """Whether a row with a term under another key, or with plaintext, has the value for its own tenant.

    Errors: those of opening.
    """
    facts = _facts(row, source)
    if facts is None:
        return False
    other = source.plain(getattr(row, source.attname))
    return bool(wanted & source.bound().exact_terms(other, name, facts))


def _facts(instance: Any, source: Any) -> dict[str, Any] | None:
    """What the terms are bound to; None where it is not assigned yet, or is of no use."""
    try:
        facts: dict[str, Any] = source.facts(instance)
    except ResealError as error:
        if error.code == "context-invalid":
            return None
        raise
    except (ObjectDoesNotExist, TypeError, ValueError, ValidationError):
        return None
    facts.pop("row", None)
    return facts
