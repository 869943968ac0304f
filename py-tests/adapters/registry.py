"""The adapters that the contract holds for: a line for each."""

from __future__ import annotations

from adapters.base import Adapter
from adapters.django_adapter import DjangoAdapter
from adapters.sqlalchemy_adapter import AsyncSqlAlchemyAdapter, SqlAlchemyAdapter

ADAPTERS: dict[str, type[Adapter]] = {
    "django": DjangoAdapter,
    "sqlalchemy": SqlAlchemyAdapter,
    "sqlalchemy_async": AsyncSqlAlchemyAdapter,
}
