"""Duplicates of encrypted values, found before they are saved: what a unique `BlindIndexField` is for in forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, NamedTuple

from django.core.exceptions import ObjectDoesNotExist, ValidationError

from reseal._adapters import Unopened
from reseal._errors import ResealError
from reseal.django.fields.unsealed import candidates_of


class _Group(NamedTuple):
    """An index, the fields with which it is unique, and the constraint that says so, if one does."""

    index: Any
    others: tuple[str, ...] = ()
    constraint: Any = None

    def has_equal_nulls(self) -> bool:
        """Whether two rows with NULL in the same place are duplicates."""
        return getattr(self.constraint, "nulls_distinct", None) is False

    def error(self, instance: Any) -> ValidationError:
        """The error of a duplicate: that of its constraint, or as Django says it of a unique field."""
        usual: ValidationError = instance.unique_error_message(
            self.index.model, (self.index.source.name,)
        )
        one = self.constraint
        if one is None:
            return usual
        if one.violation_error_message != one.default_violation_error_message:
            return ValidationError(one.get_violation_error_message(), code=one.violation_error_code)
        usual.code = one.violation_error_code or usual.code
        return usual


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
            for index, others, _ in (*_unique(self), *_constrained(self)):
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
            own(self, exclude=excluded | {group.index.name for group in found})
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        for group in found:
            name = group.index.source.name
            if excluded & {name, *group.others} or name in errors:
                continue
            if _is_taken(self, group):
                errors.setdefault(name, []).append(group.error(self))
        if errors:
            raise ValidationError(errors)

    validate.asks_indexes = True  # type: ignore[attr-defined]
    return validate


def _indexes(instance: Any) -> list[Any]:
    return [it for it in instance._meta.concrete_fields if _is_index(it)]


def _unique(instance: Any) -> list[_Group]:
    """The indexes that are unique, alone or together with other fields."""
    found = [_Group(it) for it in _indexes(instance) if it.unique]
    for index in _indexes(instance):
        for names in index.model._meta.unique_together:
            found += _with(index, names)
    return found


def _constrained(instance: Any) -> list[_Group]:
    return [
        group
        for index in _indexes(instance)
        for one in index.model._meta.total_unique_constraints
        for group in _with(index, one.fields, one)
    ]


def _with(index: Any, names: Iterable[str], constraint: Any = None) -> list[_Group]:
    if index.name not in names:
        return []
    return [_Group(index, tuple(name for name in names if name != index.name), constraint)]


def _is_index(field: Any) -> bool:
    from reseal.django.fields.index import BlindIndexField

    return isinstance(field, BlindIndexField)


def _is_taken(instance: Any, group: _Group) -> bool:
    """Whether another row has the value of an instance, or a term that the database holds for the same.

    Errors: those of the terms.
    """
    index, source = group.index, group.index.source
    beside = {it: getattr(instance, instance._meta.get_field(it).attname) for it in group.others}
    if None in beside.values() and not group.has_equal_nulls():
        return False
    found = instance.__dict__.get(source.attname, source)
    adding = instance._state.adding
    if found is source or (not adding and source._is_untouched(instance, found)):
        return False  # it is not written
    rows = index.model._base_manager.all()
    key = instance._get_pk_val(index.model._meta)
    if not adding and key is not None:
        rows = rows.exclude(pk=key)
    value = getattr(instance, source.attname)
    if isinstance(value, Unopened):
        return False
    if value is None:
        return group.has_equal_nulls() and bool(
            rows.filter(**beside, **{f"{index.name}__isnull": True}).exists()
        )
    facts = _facts(instance, source)
    if facts is None:
        return False
    bound, name, plain = source.bound(), index.index_name(), source.plain(value)
    written = bound.term(plain, name, facts)
    wanted = bound.exact_terms(plain, name, facts)
    terms = [written, *bound.terms(plain, name, facts)]
    return any(
        # The database refuses an equal term, whatever its value is.
        getattr(row, index.attname) == written or _is_equal(row, source, name, wanted)
        for row in rows.filter(candidates_of(source, index, terms, [plain], **beside))
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
