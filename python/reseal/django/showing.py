"""The pages of Django's admin: they say of a value of any type that it cannot be opened."""

from __future__ import annotations

from functools import wraps
from typing import Any

from reseal._adapters import Unopened


def show_unopened() -> None:
    """Let every list and form of any admin site show an `Unopened` as its text; all else is as it was."""
    from django.contrib.admin import helpers, utils
    from django.contrib.admin.templatetags import admin_list

    for module in (utils, helpers, admin_list):
        module.display_for_field = _showing(module.display_for_field)
    admin_list._boolean_icon = _showing(admin_list._boolean_icon)


def _showing(own: Any) -> Any:
    if hasattr(own, "knows_unopened"):
        return own

    @wraps(own)
    def display(value: Any, *args: Any, **kwargs: Any) -> Any:
        return str(value) if isinstance(value, Unopened) else own(value, *args, **kwargs)

    display.knows_unopened = True  # type: ignore[attr-defined]
    return display
