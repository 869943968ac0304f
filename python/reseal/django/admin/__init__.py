"""The page "Encryption keys" of Django's admin, which is there with `reseal.django` in `INSTALLED_APPS`.

It shows the keys with their states, their age and how many values are under each, and leads through a
rotation: introduce, wait, promote, reseal, disable. Keys of a keyset, in a file or in a database, are
moved by its buttons; those of the environment and of a directory are shown, and moved outside.

`reseal.view_encryptionkey` lets somebody look, `reseal.rotate_encryptionkey` make moves as
well. Each move is confirmed on a page of its own, refused where the keyset was changed meanwhile, and
written to the log of the admin. Nothing shows a key itself.

An admin site of your own takes it so:

```python
from reseal.django.admin import EncryptionKeyAdmin
from reseal.django.models import EncryptionKey

site.register(EncryptionKey, EncryptionKeyAdmin)
```
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import connections, transaction
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from reseal._errors import ResealError
from reseal.django import conf
from reseal.django.admin import census, moves, rings
from reseal.django.models import EncryptionKey

__all__ = ["EncryptionKeyAdmin"]
_ROTATE = "reseal.rotate_encryptionkey"
_LIST = "reseal_encryptionkey_changelist"
_LABEL_LENGTH = 64
# A generation has fewer.
_DIGITS = 20


@admin.register(EncryptionKey)
class EncryptionKeyAdmin(admin.ModelAdmin):
    """The page, and the one that asks for confirmation."""

    def has_add_permission(self, request: Any) -> bool:
        """Nobody adds a key here but by a rotation."""
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """Nobody deletes a key here."""
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        """Whether somebody may make moves."""
        return bool(request.user.has_perm(_ROTATE))

    def has_view_permission(self, request: Any, obj: Any = None) -> bool:
        """Whether somebody may look, as everybody may who makes moves."""
        return super().has_view_permission(request, obj) or self.has_change_permission(request, obj)

    def get_urls(self) -> list[Any]:
        """Return the pages: the list, and one for each move."""

        def of(view: Any) -> Any:
            # A job and an edit of a keyset connect by themselves, and would wait for our own transaction.
            found = self.admin_site.admin_view(view)
            for alias in connections:
                found = transaction.non_atomic_requests(using=alias)(found)
            return found

        name = "reseal_encryptionkey"
        return [
            path("", of(self.changelist_view), name=_LIST),
            path("<path:object_id>/change/", of(self.change_view), name=f"{name}_change"),
            path("<str:codec>/<str:move>/", of(self.move_view), name=f"{name}_move"),
        ]

    def changelist_view(self, request: Any, extra_context: Any = None) -> Any:
        """Show the keys, and where their rotation stands."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        counts = census.count()
        found = rings.rings(counts)
        known = {key.id for ring in found for key in ring.keys}
        context = {
            "title": "Encryption keys",
            "rings": found,
            "counts": counts,
            "unknown": [(key, n) for key, n in sorted(counts.keys.items()) if key not in known],
            "may_rotate": self.has_change_permission(request),
        }
        return self._page(request, "keys", context | (extra_context or {}))

    def change_view(self, request: Any, object_id: str, *_: Any, **__: Any) -> Any:
        """Lead to the list: what the log of the admin names has no page of its own."""
        return self._list()

    def move_view(self, request: Any, codec: str, move: str) -> Any:
        """Ask whether a move is meant, and make it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if move not in moves.MOVES or conf.codecs().kinds().get(codec) != "reseal":
            raise Http404
        given = request.POST if request.method == "POST" else request.GET
        ring = rings.ring(codec, census.count())
        offer = moves.offered(ring, move, given.get("key", ""), given.get("use", "data"))
        if offer is None:
            messages.error(request, ring.error or "This move is not due: look at the steps again.")
            return self._list()
        if request.method == "POST":
            self._make(request, ring, offer)
            return self._list()
        context = {
            "title": moves.MOVES[move].title,
            "move": moves.MOVES[move],
            "offer": offer,
            "ring": ring,
            "key": ring.key(offer.key),
            "label_length": _LABEL_LENGTH,
        }
        return self._page(request, "move", context)

    def _make(self, request: Any, ring: rings.Ring, offer: rings.Offer) -> None:
        generation = _number(request.POST.get("generation", ""))
        label = request.POST.get("label", "").strip()[:_LABEL_LENGTH]
        try:
            key, said = moves.make(ring, offer, label=label, generation=generation)
        except (ResealError, ImproperlyConfigured) as error:
            why = f"{error} ({getattr(error, 'code', 'settings')})"
            messages.error(request, why)
            # Some of it may be done: values that were resealed, a key that was disabled for a moment.
            # A label that was refused is not repeated: it may be a key.
            message = f"{ring.codec}, {offer.move}: failed: {why}"
            self.log_change(request, _named(ring, offer, offer.key), message)
            return
        named = _named(ring, offer, key, label)
        self.log_change(request, named, f"{ring.codec}, {offer.move}: {said}")
        messages.success(request, said)

    def _page(self, request: Any, name: str, context: dict[str, Any]) -> Any:
        common = {**self.admin_site.each_context(request), "opts": self.opts}
        request.current_app = self.admin_site.name
        template = f"admin/reseal/encryptionkey/{name}.html"
        return TemplateResponse(request, template, common | context)

    def _list(self) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse(f"admin:{_LIST}", current_app=self.admin_site.name))


def _named(ring: rings.Ring, offer: rings.Offer, key: str, label: str = "") -> EncryptionKey:
    """What the log of the admin says that a move was about."""
    if offer.move == "introduce":
        return EncryptionKey(id=key, label=label) if key else EncryptionKey(label="a new key")
    found = ring.key(key)
    return EncryptionKey(id=key, label=found.label if found else "")


def _number(text: str) -> int:
    """Return a generation, or one that no keyset has."""
    return int(text) if text.isdecimal() and len(text) < _DIGITS else -1
