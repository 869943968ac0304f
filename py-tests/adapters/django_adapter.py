"""The contract's adapter of `reseal.django`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import Any, ClassVar

import django_support
from adapters.base import Adapter, Row
from django.core.exceptions import FieldError
from django.db import connections, transaction
from django.test.utils import override_settings
from reseal._adapters import Codecs


class DjangoAdapter(Adapter):
    refusal: ClassVar[type[Exception]] = FieldError

    def __init__(self, kind: str, url: str) -> None:
        django_support.setup()
        from django_app.models import Badge, Member, Person

        self.models: dict[str, Any] = {"person": Person, "member": Member, "badge": Badge}
        self._settings: Any = None
        with ExitStack() as stack:
            self.alias = stack.enter_context(django_support.database(kind, url))
            stack.enter_context(django_support.tables(self.alias, *self.models.values()))
            self._stack = stack.pop_all()

    def close(self) -> None:
        self._stack.close()
        if self._settings is not None:
            self._settings.disable()

    def leave_thread(self) -> None:
        connections[self.alias].close()

    def use(self, codecs: Mapping[str, object]) -> Codecs:
        from reseal.django import conf

        if self._settings is not None:
            self._settings.disable()
        self._settings = override_settings(RESEAL={"codecs": codecs})
        self._settings.enable()
        return conf.codecs()

    def _all(self, table: str) -> Any:
        return self.models[table].objects.all()

    def insert(self, table: str, **values: Any) -> Any:
        return self.models[table].objects.create(**values).pk

    def insert_many(self, table: str, rows: Iterable[Row]) -> None:
        model = self.models[table]
        model.objects.bulk_create([model(**row) for row in rows])

    def read(self, table: str, key: Any, *names: str) -> Row:
        found = self._all(table).get(pk=key)
        return {name: getattr(found, name) for name in names}

    def read_all(self, table: str, *names: str) -> list[Row]:
        rows = self._all(table).order_by("pk")
        return [{name: getattr(row, name) for name in names} for row in rows]

    def select(self, table: str, *names: str) -> list[tuple[Any, ...]]:
        return list(self._all(table).order_by("pk").values_list(*names))

    def change(self, table: str, key: Any, **values: Any) -> None:
        found = self._all(table).get(pk=key)
        for name, value in values.items():
            setattr(found, name, value)
        found.save()

    def change_many(self, table: str, values: Mapping[Any, Row]) -> None:
        found = list(self._all(table).filter(pk__in=values))
        for row in found:
            for name, value in values[row.pk].items():
                setattr(row, name, value)
        names = {name for row in values.values() for name in row}
        self.models[table].objects.bulk_update(found, sorted(names))

    def update(self, table: str, rank: int, **values: Any) -> int:
        return int(self._all(table).filter(rank=rank).update(**values))

    def find(self, table: str, **equal: Any) -> list[Any]:
        return self._keys(self._all(table).filter(**equal))

    def find_in(self, table: str, name: str, values: Iterable[Any]) -> list[Any]:
        return self._keys(self._all(table).filter(**{f"{name}__in": list(values)}))

    def find_not(self, table: str, **equal: Any) -> list[Any]:
        return self._keys(self._all(table).exclude(**equal))

    def find_null(self, table: str, name: str) -> list[Any]:
        return self._keys(self._all(table).filter(**{f"{name}__isnull": True}))

    def _keys(self, rows: Any) -> list[Any]:
        return sorted(rows.values_list("pk", flat=True))

    def count(self, table: str, **equal: Any) -> int:
        return int(self._all(table).filter(**equal).count())

    def delete(self, table: str, **equal: Any) -> int:
        return int(self._all(table).filter(**equal).delete()[0])

    def order_by(self, table: str, name: str) -> None:
        list(self._all(table).order_by(name))

    def compare(self, table: str, name: str, value: Any) -> None:
        list(self._all(table).filter(**{f"{name}__gt": value}))

    def transaction(self) -> AbstractContextManager[object]:
        found: AbstractContextManager[object] = transaction.atomic(using=self.alias)
        return found
