"""A declared field with its keys: seals, opens and finds, and says where it failed."""

from __future__ import annotations

import threading
from time import perf_counter
from typing import Any, final

from reseal._adapters.codecs import Codecs
from reseal._adapters.declaration import Declaration
from reseal._adapters.errors import placed
from reseal._adapters.unsealed import Unsealed, in_other_form
from reseal._errors import ResealError
from reseal._native import Column, Opened
from reseal.hooks import _bus as bus
from reseal.hooks._bus import Action, Event, EventName

_ALL_BITS = 256


@final
class BoundColumn:
    """The column of a declaration, made at its first use; threads may share it.

    `facts` are the values that the row has: those that `row_facts` names, and `row` with `bind_row`.
    None is NULL, and stays it. What is raised says the model, the column and the row id.

    Every method has the errors of the codecs' keys, beside its own.
    """

    def __init__(self, declaration: Declaration, codecs: Codecs, model: str | None = None) -> None:
        """Take the declaration; no key is read yet."""
        self.declaration = declaration
        self.codecs = codecs
        self.model = model
        self._column: Column | None = None
        self._exact: Column | None = None
        self._other_form: Column | None = None
        self._unsealed: tuple[Unsealed | None] | None = None
        self._lock = threading.Lock()

    def column(self) -> Column:
        """Return the column of the core.

        Errors: those of the codecs; `encryption-required` where it would write plaintext and may not.
        """
        if self._column is None:
            with self._lock:
                if self._column is None:
                    self._column = self._made()
        return self._column

    def seal(self, value: object, facts: dict[str, Any], row: object = None) -> Any:
        """Return what is to be stored: text, or bytes where the column is binary.

        Errors: those of `Column.seal`.
        """
        if value is None:
            return None
        began = perf_counter() if bus._subscribers else None
        try:
            column = self._column or self.column()
            stored = column.seal(value, **facts) if facts else column.seal(value)
        except ResealError as error:
            raise self._refused("seal", error, row, began) from None
        if began is not None:
            self._sealed(column, stored, began)
        return stored

    def open(self, stored: Any, facts: dict[str, Any], row: object = None) -> Any:
        """Return the value of what is stored.

        Errors: those of `Column.open`.
        """
        if stored is None:
            return None
        began = perf_counter() if bus._subscribers else None
        try:
            column = self._column or self.column()
            if began is None:
                return column._value(stored, **facts) if facts else column._value(stored)
            opened: Any = column.open(stored, **facts)
        except ResealError as error:
            raise self._refused("open", error, row, began) from None
        self._opened(opened, began)
        return opened.value

    def term(
        self, value: object, index: str, facts: dict[str, Any], row: object = None
    ) -> str | None:
        """Return the term to store beside a value, under the index key that is primary.

        Errors: those of `Column.index_term`.
        """
        if value is None:
            return None
        began = perf_counter()
        try:
            return self.column().index_term(value, index, **facts)
        except ResealError as error:
            raise self._refused("index", error, row, began) from None

    def terms(self, value: object, index: str, facts: dict[str, Any]) -> list[str]:
        """Return the terms to ask for, one for each index key that opens and each context.

        Errors: those of `Column.index_terms`.
        """
        began = perf_counter()
        try:
            return self.column().index_terms(value, index, **facts)
        except ResealError as error:
            raise self._refused("index", error, None, began) from None

    def exact_terms(self, value: object, index: str, facts: dict[str, Any]) -> frozenset[str]:
        """Return terms with all their bits: two values that are equal for an index share one, others none.

        So a hit is compared after it was opened. There is one for each index key that opens and each context.

        Errors: those of `Column.index_terms`.
        """
        if value is None:
            return frozenset()
        began = perf_counter()
        try:
            if self._exact is None:
                self._exact = self._made(_ALL_BITS)
            return frozenset(self._exact.index_terms(value, index, **facts))
        except ResealError as error:
            raise self._refused("index", error, None, began) from None

    def lookup_values(
        self, value: object, facts: dict[str, Any], *, both_forms: bool = False
    ) -> list[Any]:
        """Return what may be stored for a value of a column whose values are deterministic.

        With `both_forms` also text for a column of bytes, and bytes for one of text: SQLite leaves what it
        has as it is where a column is altered.

        Errors: those of `Column.lookup_values`, which refuses codecs that are not.
        """
        began = perf_counter()
        try:
            found: list[Any] = self.column().lookup_values(value, **facts)
            return [*found, *self._in_other_form(value, found, facts)] if both_forms else found
        except ResealError as error:
            raise self._refused("index", error, None, began) from None

    def unsealed(self) -> Unsealed | None:
        """Return what finds rows that are not sealed yet; None where the column reads no plaintext.

        Errors: those of `Codecs.kinds`.
        """
        if self._unsealed is None:
            one, known = self.declaration, self.codecs.kinds()
            kinds = {known.get(name, name) for name in (one.write, *one.read)}
            self._unsealed = (Unsealed(one, kinds) if "plain" in kinds else None,)
        return self._unsealed[0]

    def _in_other_form(self, value: object, found: list[Any], facts: dict[str, Any]) -> list[Any]:
        other = [it for one in found if (it := in_other_form(one)) is not None]
        if self._other_form is None:
            self._other_form = self._made(is_other_form=True)
        try:
            other += self._other_form.lookup_values(value, **facts)
        except ResealError as error:
            # What a codec cannot hold in that form stands in no row.
            if error.code != "codec-read-only":
                raise
        return other

    def _made(self, bits: int | None = None, *, is_other_form: bool = False) -> Column:
        one, codecs = self.declaration, self.codecs
        names = dict.fromkeys(name for name in one.read if name != one.write)
        return Column(
            write=codecs.get(one.write),
            read=[codecs.get(name) for name in names],
            context=one.context,
            earlier_contexts=one.earlier_contexts,
            mode=one.mode,
            type=one.type,
            binary=one.binary is not is_other_form,
            indexes=[
                {"index": it.name, "normalizer": it.normalizer, "bits": bits or it.bits}
                for it in one.indexes
            ],
        )

    def _sealed(self, column: Column, stored: Any, began: float) -> None:
        seconds = perf_counter() - began
        shown = column.classify(stored)
        self._tell("sealed", "seal", codec=shown.codec, key=shown.key, seconds=seconds)

    def _opened(self, opened: Opened, began: float) -> None:
        seconds = perf_counter() - began
        self._tell("opened", "open", codec=opened.codec, key=opened.key, seconds=seconds)
        if not opened.current or opened.codec != self.codecs.get(self.declaration.write).name:
            self._tell("stale_opened", "open", codec=opened.codec, key=opened.key)

    def _refused(
        self, action: Action, error: ResealError, row: object, began: float | None
    ) -> ResealError:
        if bus._subscribers:
            # Who began to listen meanwhile hears no time.
            seconds = None if began is None else perf_counter() - began
            self._tell("refused", action, code=error.code, seconds=seconds)
        return placed(error, self.declaration, self.model, row)

    def _tell(self, name: EventName, action: Action, **more: Any) -> None:
        bus.emit(Event(name, action, self.declaration.table, self.declaration.column, **more))
