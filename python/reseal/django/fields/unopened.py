"""The text that stands for a value that cannot be opened: a form keeps what the row has, and nothing writes it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from reseal._adapters import Unopened
from reseal._native import _error

#: What an `Unopened` prints, with any code.
_SHOWN = re.compile(
    re.escape(str(Unopened(_error("malformed", "")))).replace("malformed", "[a-z-]+")
)


def is_shown(value: object) -> bool:
    """Whether it is what a list shows in the place of a value that cannot be opened."""
    return isinstance(value, str) and value.startswith("[") and bool(_SHOWN.fullmatch(value))


def check_shown(field: Any, value: object) -> None:
    """Refuse to write such a text, which came from a list that showed it.

    Errors: `ValidationError`.
    """
    if is_shown(value):
        raise ValidationError(
            f"{field}: this text stands for a value that cannot be opened, and is never written",
            code="invalid",
        )


def keeping(made: Any) -> Any:
    """Return a field of a form, which sends back what it shows in the place of a value that cannot be opened."""
    kind: Any = type(made)
    made.__class__ = _keeping(kind)
    return made


@cache
def _keeping(kind: Any) -> Any:
    return type(kind.__name__, (_Keeping, kind), {"__module__": kind.__module__})


class _Standing(str):
    """That text in one form: no other is equal, since a formset would take two for duplicates."""

    __slots__ = ()
    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__


class _Keeping(forms.Field):
    """A field of a form whose answer is that text as long as nobody typed another.

    The text is sent and not left out, so that the value stays as well where the process that gets the
    answer can open it.
    """

    widget: Any

    def get_bound_field(self, form: Any, field_name: str) -> Any:
        """Return the field in a form, which has a copy of it; a checkbox or two inputs would lose the text."""
        answer = form.data.get(form.add_prefix(field_name)) if form.is_bound else None
        # A default that is a function is not called: what does not open is the value of an instance.
        shown = isinstance(form.initial.get(field_name, self.initial), Unopened)
        stands = is_shown(answer) or (shown and not form.is_bound)
        if stands and not self.widget.is_hidden:
            self.widget = forms.TextInput(attrs={"readonly": True})
        return super().get_bound_field(form, field_name)

    def prepare_value(self, value: Any) -> Any:
        """Return what is shown."""
        if isinstance(value, Unopened):
            return str(value)
        return value if is_shown(value) else super().prepare_value(value)

    def clean(self, value: Any) -> Any:
        """Validate what was typed."""
        if isinstance(value, Unopened):
            return value
        return _Standing(value) if is_shown(value) else super().clean(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether another value was typed."""
        if is_shown(data):
            return False
        return isinstance(initial, Unopened) or super().has_changed(initial, data)
