"""The type of an encrypted column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, LargeBinary, String, Text, event
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeDecorator, TypeEngine, to_instance

from reseal._adapters import BoundColumn, Declaration, Index, Unopened, placed
from reseal._errors import ResealError
from reseal.sqlalchemy.comparators import EncryptedComparator
from reseal.sqlalchemy.config import Settings, settings_of, turn
from reseal.sqlalchemy.declared import attached, constrained, updated
from reseal.sqlalchemy.errors import bare, undeclared
from reseal.sqlalchemy.facts import fact_column, fact_of
from reseal.sqlalchemy.index import companions_of
from reseal.sqlalchemy.reporting import OnError, reporting
from reseal.sqlalchemy.underway import Bound, Row, Sealed
from reseal.sqlalchemy.values import values_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

    from reseal._native import _Mode


class Encrypted(TypeDecorator[Any]):
    """A column whose values are sealed when they are written, and opened when they are read.

    >>> from sqlalchemy import Column, Integer, MetaData, String, Table
    >>> from reseal.sqlalchemy import Encrypted
    >>> users = Table("users", MetaData(), Column("id", Integer, primary_key=True),
    ...     Column("ssn", Encrypted(String)), Column("age", Encrypted(Integer, read=["plain"])))

    - `type_`: what the values are: String, Text, Integer, BigInteger, Numeric, Date, DateTime, Time,
      Boolean, JSON, LargeBinary or Uuid. None is NULL; 0, False and "" are values.
    - `write`, `read`: names of codecs, see `configure`.
    - `mode`: `random`, `deterministic` or `padded`, for envelopes.
    - `binary`: the envelope as bytes, a quarter shorter, in place of text.
    - `context_name`: what values are bound to in place of the names of table and column: `users.ssn`, or
      `ssn` for the column alone. `earlier_contexts` are those that older values have.
    - `tenant`: a column of the same table whose value is bound to each value, by its name; or a function
      without arguments that gives the tenant, such as the `get` of a `ContextVar`.
    - `bind_row`: binds the row id, where the primary key is one column that the program gives, such as a
      UUID. What is bound to its row is read by the ORM, as a part of an instance.
    - `lazy`: `False` opens values when their instance is loaded, and not when they are first asked for.
    - `on_error`: with `report`, what cannot be opened is an `Unopened`; see `on_error`.

    Errors: `ArgumentError` for what cannot be declared. When values are sealed and opened: those of
    `reseal.Column`, with table and column.
    """

    impl = Text
    cache_ok = True
    _waits = False
    if not TYPE_CHECKING:
        comparator_factory = EncryptedComparator

    def __init__(
        self,
        type_: TypeEngine[Any] | type[TypeEngine[Any]] = String,
        *,
        write: str | None = None,
        read: Iterable[str] = (),
        mode: _Mode = "random",
        binary: bool = False,
        context_name: str | None = None,
        tenant: str | Callable[[], Any] | None = None,
        earlier_contexts: Iterable[Mapping[str, str]] = (),
        on_error: OnError = "raise",
        bind_row: bool = False,
        lazy: bool = True,
    ) -> None:
        super().__init__()
        impl: Any = LargeBinary() if binary else Text()
        self.impl = impl
        self.type_ = to_instance(type_)
        self.values = values_of(self.type_)
        self.write, self.read = write, tuple(read)
        self.mode, self.binary = mode, binary
        self.context_name, self.tenant, self.on_error = context_name, tenant, on_error
        self.earlier_contexts = tuple(earlier_contexts)
        self.bind_row, self.lazy = bind_row, lazy
        self.row_bound = bind_row or isinstance(tenant, str)
        if tenant is not None and not isinstance(tenant, str) and not callable(tenant):
            raise undeclared("tenant is the name of a column, or a function without arguments")
        if on_error not in ("raise", "report"):
            raise undeclared("on_error is raise or report")
        self._place = _Place()

    # --- the column it belongs to

    def _set_parent(self, parent: Any, outer: bool = False, **kw: Any) -> None:
        super()._set_parent(parent, outer, **kw)
        if not isinstance(parent, Column) or self._place.column is parent:
            return
        if parent.type is not self or self._variant_mapping:
            # A wrapper would convert nothing, and a variant would store values as they are.
            raise undeclared(
                f"column {parent.name}: Encrypted is the type of its column itself, and no part or variant of "
                "another: convert values with @validates or a hybrid_property"
            )
        own = self
        if self._place.column is not None:
            # A value is bound to its column, so that no two columns share a type.
            own = self.copy()
            own._place = _Place()
        own._place.column = parent
        parent.type = own
        event.listen(parent, "after_parent_attach", attached)

    @property
    def _static_cache_key(self) -> Any:
        return (Encrypted, self._place)

    def column(self) -> Column[Any]:
        """Return the column of a table that it belongs to.

        Errors: `ArgumentError`.
        """
        column = self._place.column
        if column is None or getattr(column, "table", None) is None:
            raise undeclared(
                "Encrypted is the type of a column of a table, to which values are bound"
            )
        return column

    def name(self) -> str:
        """Return what messages call it."""
        column = self._place.column
        table = getattr(column, "table", None)
        return f"{table.name}.{column.name}" if column is not None and table is not None else "it"

    def settings(self) -> Settings:
        """Return the codecs that count for its table."""
        return settings_of(self.column().table.metadata)

    def bound(self) -> BoundColumn:
        """Return what seals and opens."""
        place, now = self._place, turn()
        if place.bound is None or place.turn is not now:
            constrained(self.column())
            updated(self.column(), self.fact_columns())
            codecs = self.settings().codecs
            place.bound = BoundColumn(self.declaration(), codecs, place.model)
            place.turn = now
        return place.bound

    def declaration(self) -> Declaration:
        """Return what was declared.

        Errors: `invalid-argument`.
        """
        column = self.column()
        table = column.table
        context = {"table": table.name, "column": column.name}
        if self.context_name is not None:
            first, dot, last = self.context_name.rpartition(".")
            context["column"] = last
            if dot:
                context["table"] = first
        found = Declaration(
            table=table.name if table.schema is None else f"{table.schema}.{table.name}",
            column=column.name,
            context=context,
            write=self.write or self.settings().write,
            read=self.read,
            type=self.values.type,
            mode=self.mode,
            binary=self.binary,
            row_facts=self._row_facts(),
            bind_row=self.bind_row,
            row_id=tuple(one.name for one in table.primary_key.columns),
            earlier_contexts=self.earlier_contexts,
            indexes=tuple(
                Index(one.type.index_name(one), one.name, one.type.normalizer, one.type.bits)
                for one in companions_of(column)
            ),
        )
        found.check()
        return found

    def _row_facts(self) -> dict[str, str | None]:
        if self.tenant is None:
            return {}
        column = self.tenant_column()
        return {"tenant": None if column is None else column.name}

    def tenant_column(self) -> Any:
        """Return the column that has the tenant of a row, if there is one.

        Errors: `ArgumentError`.
        """
        if not isinstance(self.tenant, str):
            return None
        for one in self.column().table.columns:
            if self.tenant in (one.key, one.name) and one is not self.column():
                return fact_column(self.name(), one)
        raise undeclared(f"{self.name()}: there is no column {self.tenant!r} to have its tenant")

    def fact_columns(self) -> list[Any]:
        """Return the columns of a row that have what its value is bound to.

        Errors: `ArgumentError`.
        """
        return [one for one in (self.tenant_column(), self.row_column()) if one is not None]

    def row_column(self) -> Any:
        """Return the column that has the row id, with `bind_row`.

        Errors: `ArgumentError` where the row id is not known before the row is written.
        """
        if not self.bind_row:
            return None
        keys = list(self.column().table.primary_key)
        if len(keys) != 1:
            raise undeclared(f"{self.name()}: bind_row needs a primary key of one column")
        if keys[0].table.autoincrement_column is keys[0] and keys[0].default is None:
            raise undeclared(
                f"{self.name()}: bind_row needs a primary key that the program gives, such as a UUID, since a "
                "value is sealed before the database numbers its row"
            )
        return fact_column(self.name(), keys[0])

    def facts_of(
        self, values: Row, *, reading: bool = False, with_row: bool = True
    ) -> dict[str, Any]:
        """Return what is bound to values beside the fixed texts; `values` are those of a row, by column.

        Errors: `invalid-argument` where something is missing.
        """
        facts: dict[str, Any] = {}
        if self.tenant is None and not self.bind_row:
            return facts
        columns: dict[str, Any] = {}
        if callable(self.tenant):
            facts["tenant"] = self.tenant()
        elif self.tenant is not None:
            columns["tenant"] = self.tenant_column()
        if self.bind_row and with_row:
            columns["row"] = self.row_column()
        for name, column in columns.items():
            given = _given(values, column)
            facts[name] = fact_of(self.name(), column, given, reading=reading)
        for name, fact in facts.items():
            if fact is None:
                done = "opened" if reading else "sealed"
                raise bare(
                    ResealError(
                        "invalid-argument",
                        f"{self.name()} is bound to its {name}, without which no value is {done}: "
                        "write and read it as a part of an instance, or name it beside the value",
                    )
                )
        return facts

    def belongs_to(self, model: str) -> None:
        """Name the class of its rows, for messages."""
        if self._place.model is None:
            # A condition may have been built before.
            self._place.model, self._place.bound = model, None

    def is_left_out(self) -> None:
        """Remember that there are rows of a class that has it not."""
        self._place.is_partial = True

    # --- values

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return what is stored.

        Errors: those of `reseal.Column.seal`.
        """
        if type(value) is Bound:
            value, facts = value.value, value.facts
        else:
            facts = None
        if value is None:
            return None
        value = self.plain(value)
        try:
            if facts is None:
                facts = self.facts_of({})
            return self.bound().seal(self.taken(value), facts)
        except ResealError as error:
            raise bare(error) from None

    def taken(self, value: Any) -> Any:
        """Return what is to be sealed.

        Errors: `value-invalid`, with the column.
        """
        return self._converted(self.values.taken, value)

    def sought(self, value: Any) -> Any:
        """Return what is looked for, which may be longer or more exact than the column allows.

        Errors: as `taken`.
        """
        return self._converted(self.values.sought, value)

    def _converted(self, convert: Callable[[Any], Any], value: Any) -> Any:
        try:
            return convert(value)
        except ResealError as error:
            bound = self.bound()
            raise bare(placed(error, bound.declaration, bound.model)) from None

    def plain(self, value: Any) -> Any:
        """Return a value that may still be sealed, as that of a copy of a row is.

        Errors: those of `reseal.Column.open`.
        """
        if isinstance(value, Unopened):
            raise bare(value.error)
        if type(value) is not Sealed:
            return value
        try:
            facts = value.facts
            return self.opened(value.raw, self.facts_of({}) if facts is None else facts)
        except ResealError as error:
            raise bare(error) from None

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return the value, or with `on_error` what stands in its place.

        Errors: those of `reseal.Column.open`.
        """
        if value is None:
            return None
        reports = self.on_error == "report" or reporting()
        if self._waits or self.row_bound:
            sealed = Sealed(value, reports)
            if not self.row_bound:
                # The tenant of now, as a value has that opens at once; what fails here fails when it is asked for.
                with suppress(Exception):
                    sealed.facts = self.facts_of({}, reading=True)
            return sealed
        try:
            return self.opened(value, self.facts_of({}, reading=True))
        except ResealError as error:
            if reports:
                return Unopened(error)
            raise bare(error) from None

    def opened(self, raw: Any, facts: dict[str, Any], row: object = None) -> Any:
        """Return the value of what is stored.

        Errors: those of `reseal.Column.open`.
        """
        return self.values.given(self.bound().open(raw, facts, row))

    def waiting(self) -> Encrypted:
        """Return the same type for rows of instances, whose values wait until they are asked for."""
        place = self._place
        if place.waiting is None:
            found = self.copy()
            found._waits = True
            place.waiting = found
        return place.waiting

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of the database, with room for long values."""
        if dialect.name in ("mysql", "mariadb"):
            return mysql.LONGBLOB() if self.binary else mysql.LONGTEXT()
        return self.impl_instance

    def stored_type(self) -> TypeEngine[Any]:
        """Return the type of what is stored."""
        return LargeBinary() if self.binary else Text()

    @property
    def python_type(self) -> type[Any]:
        """The class of the values."""
        return self.type_.python_type

    @property
    def hashable(self) -> bool:  # type: ignore[override]
        """Whether values can be told apart by their hash."""
        return bool(self.type_.hashable)

    def __repr__(self) -> str:
        """Return what declares it, but for the tenant, which is a function."""
        parts = [repr(self.type_)]
        usual: dict[str, Any] = {
            "write": None,
            "read": (),
            "mode": "random",
            "binary": False,
            "context_name": None,
            "tenant": None,
            "earlier_contexts": (),
            "on_error": "raise",
            "bind_row": False,
            "lazy": True,
        }
        if callable(self.tenant):
            del usual["tenant"]
        for name, value in usual.items():
            if getattr(self, name) != value:
                parts.append(f"{name}={getattr(self, name)!r}")
        return f"Encrypted({', '.join(parts)})"


class _Place:
    """The column that a type belongs to, and what seals for it; the copies for each database share it."""

    def __init__(self) -> None:
        self.column: Column[Any] | None = None
        self.bound: BoundColumn | None = None
        self.turn: object = None
        self.model: str | None = None
        #: Whether there is a class of its table without it, whose rows have no value.
        self.is_partial = False
        #: Whether a composite is made of its values, which are opened with their rows then.
        self.is_composed = False
        self.waiting: Encrypted | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what holds keys."""
        return {**self.__dict__, "bound": None, "turn": None, "waiting": None}


def _given(values: Row, column: Any) -> Any:
    try:
        return values[column]
    except KeyError:
        return None
