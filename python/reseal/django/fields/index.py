"""The column of a blind index beside an encrypted field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.checks import CheckMessage
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import models
from django.db.models.signals import class_prepared

from reseal._adapters import Unopened
from reseal._errors import ResealError
from reseal.django.fields.base import EncryptedField, Pending
from reseal.django.fields.binding import HISTORICAL
from reseal.django.fields.expressions import Unchanged
from reseal.django.fields.unique import watch_unique

if TYPE_CHECKING:
    from reseal._native import _Normalizer

#: 8 characters of the key id, a point, and 256 bits: with room.
_MAX_LENGTH = 96


class BlindIndexField(models.CharField):
    """A column with the terms of an encrypted field, so that its values can be found by equality.

    ```python
    class Patient(models.Model):
        ssn = EncryptedTextField()
        ssn_index = BlindIndexField("ssn", normalizer="digits")
        objects = EncryptedManager()

    Patient.objects.filter(ssn="078-05-1120")
    ```

    `normalizer` says when two values are equal: `raw`, `ascii-lower-trim` or `digits`. `bits` are those
    of a term: fewer tell an observer less, and cost more false hits, which are opened and sorted out.
    `name` is bound to the terms; it is that of the column if nothing is said. `unique=True` holds for
    terms, so as long as there is one index key; `validate_unique()` finds duplicates under all of them.

    The field is filled when its row is saved. Errors then: those of `reseal.Column.index_term`, such as
    `no-primary` without an index key.
    """

    def __init__(
        self,
        source: str,
        normalizer: _Normalizer = "raw",
        bits: int = 64,
        name_in_context: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.source_name = source
        self.normalizer: _Normalizer = normalizer
        self.bits = bits
        self.name_in_context = name_in_context
        self.source: EncryptedField | None = None
        usual: dict[str, Any] = {
            "max_length": _MAX_LENGTH,
            "null": True,
            "blank": True,
            "editable": False,
        }
        # A dump has the values, of which the terms are made again.
        usual |= {"db_index": not kwargs.get("unique", False), "default": None, "serialize": False}
        super().__init__(**usual | kwargs)

    def contribute_to_class(self, cls: Any, name: str, **kwargs: Any) -> None:
        """Become a field of a model."""
        self.source = None
        super().contribute_to_class(cls, name, **kwargs)
        if not cls._meta.abstract:
            class_prepared.connect(self._prepared, sender=cls)

    def _prepared(self, sender: Any, **_: object) -> None:
        try:
            source = sender._meta.get_field(self.source_name)
        except FieldDoesNotExist:
            source = None
        if not isinstance(source, EncryptedField) or source.model is not self.model:
            # The column may come before its field is encrypted, and go after it was decrypted.
            if sender.__module__ == HISTORICAL:
                return
            raise ImproperlyConfigured(
                f"{self}: {self.source_name!r} is no encrypted field of the same model"
            )
        if source.reseal_type == "json":
            raise ImproperlyConfigured(f"{self}: documents are not found by their equality")
        self.source = source
        source.companion(self)
        watch_unique(sender)

    def index_name(self) -> str:
        """Return the name that is bound to the terms."""
        return self.name_in_context or self.column or self.name

    def deconstruct(self) -> Any:
        """Return what a migration writes."""
        name, _, _, kwargs = super().deconstruct()
        for option in ("null", "blank", "editable", "serialize", "default"):
            kwargs.pop(option, None)
        if kwargs.get("max_length") == _MAX_LENGTH:
            del kwargs["max_length"]
        if kwargs.get("db_index") is (not self.unique):
            del kwargs["db_index"]
        elif not self.db_index and not self.unique:
            kwargs["db_index"] = False
        usual = {"normalizer": "raw", "bits": 64, "name_in_context": None}
        more = {option: getattr(self, option) for option in usual}
        kwargs |= {option: value for option, value in more.items() if value != usual[option]}
        return name, "reseal.django.BlindIndexField", [self.source_name], kwargs

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """Return the term of the value, or the column itself where nobody looked at the value."""
        source = self._source()
        found = model_instance.__dict__.get(source.attname, source)
        if found is source and not add:
            return Unchanged(self)  # it was deferred
        if not add and source._is_untouched(model_instance, found):
            return Unchanged(self)
        value = source.to_write(model_instance)
        if isinstance(value, Unopened):
            raise value.error
        return Pending(value, model_instance, add)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Return a term."""
        if type(value) is Pending:
            return self.term_of(self._source().plain(value.value), value.instance, connection)
        return super().get_db_prep_save(value, connection)

    def term_of(self, value: Any, instance: Any, connection: Any) -> str | None:
        """Return the term of a value, of which `instance` has the facts.

        Errors: those of `Column.index_term`.
        """
        if value is None:
            return None
        source = self._source()
        facts = source.facts(instance, connection)
        facts.pop("row", None)
        return source.bound().term(value, self.index_name(), facts, instance.pk)

    def assigned(self, instance: Any, connection: Any) -> Any:
        """Return what a statement over many rows writes."""
        source = self._source()
        found = instance.__dict__.get(source.attname, source)
        if found is source or source._is_untouched(instance, found):
            return Unchanged(self)
        value = source.plain(source.to_write(instance))
        return models.Value(self.term_of(value, instance, connection), output_field=self)

    def _source(self) -> EncryptedField:
        if self.source is None:
            raise ResealError(
                "invalid-argument",
                f"{self} belongs to no model with an encrypted field {self.source_name!r}",
            )
        return self.source

    def formfield(self, *args: Any, **kwargs: Any) -> None:
        """Nobody types a term."""

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """Return what is wrong with the declaration."""
        from reseal.django.field_checks import of_index

        return [*super().check(**kwargs), *of_index(self)]


__all__ = ["BlindIndexField"]
