"""The lists of Django's admin: they are not sorted by ciphertext, which no column of a list could say by itself."""

from __future__ import annotations

from functools import wraps
from typing import Any

from reseal.django.fields.base import EncryptedField
from reseal.django.fields.ordering import ordered_by


def leave_out_encrypted() -> None:
    """Let no list of any admin site be sorted by an encrypted column; all others are as they were."""
    from django.contrib.admin.views.main import ChangeList

    if not hasattr(ChangeList.get_ordering_field, "knows_encrypted"):
        ChangeList.__init__ = _with_headers(ChangeList.__init__)
        ChangeList.get_ordering_field = _without_encrypted(ChangeList.get_ordering_field)


def _with_headers(own: Any) -> Any:
    @wraps(own)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        own(self, *args, **kwargs)
        names = self.list_display if self.sortable_by is None else self.sortable_by
        # What stands for no field is not sorted by, either.
        self.sortable_by = [
            name
            for name in names
            if name in self.list_display and self.get_ordering_field(name) is not None
        ]

    return init


def _without_encrypted(own: Any) -> Any:
    @wraps(own)
    def get_ordering_field(self: Any, field_name: Any) -> Any:
        found = own(self, field_name)
        return None if isinstance(ordered_by(self.model, found), EncryptedField) else found

    get_ordering_field.knows_encrypted = True  # type: ignore[attr-defined]
    return get_ordering_field
