"""Operations of Alembic that encrypt a column and take it back, and how `Encrypted` stands in a migration.

```python
import sqlalchemy as sa
from alembic import op
from reseal.sqlalchemy import BlindIndex, Encrypted

def upgrade():
    op.add_column("users", sa.Column("ssn_index", BlindIndex("ssn"), index=True))
    op.encrypt_column("users", "ssn", Encrypted(sa.String()), existing_type=sa.String(20),
                      indexes={"ssn_index": BlindIndex("ssn")})

def downgrade():
    op.decrypt_column("users", "ssn", Encrypted(sa.String()), existing_type=sa.String(20))
    op.drop_column("users", "ssn_index")
```

`env.py` imports this module, and gives `render_item` to `context.configure`. Each operation runs the bulk
job of `reseal.jobs`, in batches that are committed: what came before it in the migration is committed too.
An operation that was interrupted goes on where it was when the migration is run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from alembic.autogenerate.render import _repr_type
from alembic.operations import MigrateOperation, Operations
from sqlalchemy import Column, LargeBinary, MetaData, String, Table, Text, inspect
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.types import TypeEngine, to_instance

from reseal import jobs
from reseal._adapters import manifest_text
from reseal._errors import ResealError
from reseal._native import Manifest
from reseal.sqlalchemy import spelling
from reseal.sqlalchemy.config import settings_of
from reseal.sqlalchemy.index import BlindIndex
from reseal.sqlalchemy.types import Encrypted

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext

__all__ = ["DecryptColumnOp", "EncryptColumnOp", "render_item"]


class _ColumnOp(MigrateOperation):
    def __init__(
        self,
        table_name: str,
        column_name: str,
        type_: Encrypted,
        *,
        existing_type: TypeEngine[Any] | type[TypeEngine[Any]] | None = None,
        row_id: Iterable[str] = ("id",),
        indexes: Mapping[str, BlindIndex] | None = None,
        schema: str | None = None,
    ) -> None:
        self.table_name, self.column_name, self.type_ = table_name, column_name, type_
        self.existing_type = None if existing_type is None else to_instance(existing_type)
        self.row_id, self.indexes, self.schema = tuple(row_id), dict(indexes or {}), schema

    def _reversed(self, kind: type[Any]) -> Any:
        return kind(
            self.table_name,
            self.column_name,
            self.type_,
            existing_type=self.existing_type,
            row_id=self.row_id,
            indexes=self.indexes,
            schema=self.schema,
        )


@Operations.register_operation("encrypt_column")
class EncryptColumnOp(_ColumnOp):
    """`op.encrypt_column`: all values of a column sealed, and the terms of its indexes made."""

    @classmethod
    def encrypt_column(
        cls, operations: Operations, table_name: str, column_name: str, type_: Encrypted, **kw: Any
    ) -> Any:
        """Seal all values of a column that holds plaintext, or another codec of `type_.read`.

        `existing_type` is what the column is now: where it is given, and no text without length, the
        column is altered first. `row_id` are the columns of any unique key, `indexes` the companions by
        the names of their columns, which exist already.

        Errors: those of `reseal.jobs.apply`; `InvalidRequestError` offline; the code of a value that
        could not be sealed, once all the others are.
        """
        return operations.invoke(cls(table_name, column_name, type_, **kw))

    def reverse(self) -> DecryptColumnOp:
        """Return what undoes it."""
        found: DecryptColumnOp = self._reversed(DecryptColumnOp)
        return found


@Operations.register_operation("decrypt_column")
class DecryptColumnOp(_ColumnOp):
    """`op.decrypt_column`: all values of a column opened, and stored as they are."""

    @classmethod
    def decrypt_column(
        cls, operations: Operations, table_name: str, column_name: str, type_: Encrypted, **kw: Any
    ) -> Any:
        """Open all values of a column, and store them as plaintext; the arguments are those of `encrypt_column`.

        Errors: as there; `encryption-required` where `RESEAL_REQUIRE_ENCRYPTION` is set.
        """
        return operations.invoke(cls(table_name, column_name, type_, **kw))

    def reverse(self) -> EncryptColumnOp:
        """Return what undoes it."""
        found: EncryptColumnOp = self._reversed(EncryptColumnOp)
        return found


@Operations.implementation_for(EncryptColumnOp)
def _encrypt(operations: Operations, one: EncryptColumnOp) -> None:
    _online(operations)
    spelling.check(operations, one)
    if one.existing_type is not None and not _holds_envelopes(one):
        _alter(operations, one, _storage(operations, one), one.existing_type)
    spelling.forwards(operations, one)
    declared, settings = _declared(operations, one)
    read = tuple(dict.fromkeys([*declared.read, "plain"]))
    _apply(operations, manifest_text(settings.codecs, [replace(declared, read=read)]))


@Operations.implementation_for(DecryptColumnOp)
def _decrypt(operations: Operations, one: DecryptColumnOp) -> None:
    _online(operations)
    spelling.check(operations, one)
    declared, settings = _declared(operations, one)
    read = tuple(dict.fromkeys([declared.write, *declared.read]))
    plain = replace(declared, write="plain", read=read, mode="random", indexes=())
    _apply(operations, manifest_text(settings.codecs, [plain]), allow_plaintext=True)
    if one.existing_type is not None and not _holds_envelopes(one):
        spelling.backwards(operations, one)
        _alter(operations, one, one.existing_type, _storage(operations, one))


def _online(operations: Operations) -> None:
    if operations.get_context().as_sql:
        raise InvalidRequestError(
            "no SQL can seal a column: run this migration online, without --sql"
        )
    if operations.get_bind().dialect.is_async:
        raise InvalidRequestError(
            "the job that seals a column needs a driver without asyncio: run migrations with a URL that names "
            "one, such as postgresql+psycopg, mysql+pymysql or sqlite"
        )


def _holds_envelopes(one: _ColumnOp) -> bool:
    existing = one.existing_type
    if one.type_.binary:
        return isinstance(existing, LargeBinary)
    return isinstance(existing, String) and existing.length is None


def _storage(operations: Operations, one: _ColumnOp) -> TypeEngine[Any]:
    if operations.get_context().dialect.name in ("mysql", "mariadb"):
        return mysql.LONGBLOB() if one.type_.binary else mysql.LONGTEXT()
    return LargeBinary() if one.type_.binary else Text()


def _alter(
    operations: Operations, one: _ColumnOp, to: TypeEngine[Any], existing: TypeEngine[Any]
) -> None:
    dialect = operations.get_context().dialect
    if dialect.name == "sqlite":
        # As if it had the type already: a cast would make numbers of dates.
        listener = ("column_reflect", partial(_as_of_type, one.column_name, to))
        with operations.batch_alter_table(
            one.table_name, schema=one.schema, reflect_kwargs={"listeners": [listener]}
        ) as batch:
            batch.alter_column(one.column_name, type_=to, existing_type=existing)
        return
    name = dialect.identifier_preparer.quote(one.column_name)
    operations.alter_column(
        one.table_name,
        one.column_name,
        type_=to,
        existing_type=existing,
        schema=one.schema,
        postgresql_using=f"{name}::{to.compile(dialect)}",
        **_restated(operations, one),
    )


def _restated(operations: Operations, one: _ColumnOp) -> dict[str, Any]:
    """What MySQL forgets of a column unless it is said again."""
    if operations.get_context().dialect.name not in ("mysql", "mariadb"):
        return {}
    columns = inspect(operations.get_bind()).get_columns(one.table_name, schema=one.schema)
    known = next((found for found in columns if found["name"] == one.column_name), None)
    if known is None:
        return {}  # which the database says
    return {"existing_nullable": known["nullable"], "existing_comment": known.get("comment")}


def _as_of_type(
    name: str, to: TypeEngine[Any], _inspector: Any, _table: Any, column: dict[str, Any]
) -> None:
    if column["name"] == name:
        column["type"] = to


def _declared(operations: Operations, one: _ColumnOp) -> tuple[Any, Any]:
    target = operations.get_context().opts.get("target_metadata")
    settings = settings_of(target if isinstance(target, MetaData) else None)
    metadata = MetaData(info={"reseal": settings})
    table = Table(
        one.table_name,
        metadata,
        # Of no type that a database numbers; only the names count.
        *(Column(name, String, primary_key=True) for name in one.row_id),
        *([Column(one.type_.tenant, String)] if isinstance(one.type_.tenant, str) else []),
        Column(one.column_name, one.type_),
        *(Column(name, index) for name, index in one.indexes.items()),
        schema=one.schema,
    )
    type_: Any = table.columns[one.column_name].type
    return type_.declaration(), settings


def _apply(operations: Operations, manifest: str, *, allow_plaintext: bool = False) -> None:
    with operations.get_context().autocommit_block():
        # The connection of the driver, which commits each statement now.
        connection: Any = operations.get_bind().connection.driver_connection
        report = jobs.apply(
            connection, manifest=Manifest.parse(manifest), allow_plaintext=allow_plaintext
        )
    refused = {
        code: number
        for one in report["columns"]
        for code, number in one["total"]["refused"].items()
    }
    if report["end"] != "complete" or refused:
        code = next(iter(refused), "unsettled" if not refused else "")
        number = sum(refused.values())
        raise ResealError(
            code if refused else "database-error",
            f"the job ended as {report['end']}, and {number} values stay as they are; "
            "reseal plan tells which: mend them, and run the migration again",
        )


def render_item(type_: str, item: Any, autogen_context: AutogenContext) -> str | Literal[False]:
    """Return how `Encrypted` and `BlindIndex` stand in a migration; for `context.configure` in `env.py`.

    >>> from sqlalchemy import String
    >>> from reseal.sqlalchemy import Encrypted
    >>> from alembic.autogenerate.api import AutogenContext
    >>> from alembic.migration import MigrationContext
    >>> context = AutogenContext(MigrationContext.configure(dialect_name="postgresql"),
    ...     opts={"sqlalchemy_module_prefix": "sa.", "user_module_prefix": None}, autogenerate=False)
    >>> render_item("type", Encrypted(String(20)), context)
    'Encrypted(sa.String(length=20))'

    The tenant of a column is a function, and is left out: a migration makes columns, and seals with
    `op.encrypt_column` alone.
    """
    if type_ != "type" or not isinstance(item, (Encrypted, BlindIndex)):
        return False
    autogen_context.imports.add(f"from reseal.sqlalchemy import {type(item).__name__}")
    if isinstance(item, BlindIndex):
        return repr(item)
    head, inner = "Encrypted(", repr(item.type_)
    # Alembic knows where types are imported from, also those within types.
    return head + _repr_type(item.type_, autogen_context) + repr(item).removeprefix(head + inner)
