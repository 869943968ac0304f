"""What the contract asks of an adapter of a framework, over three tables that each of them declares.

- `person`: `id`, which the database gives; `name`, `note` (text); `ssn`, with the index `ssn_index` (digits);
  `email`, with `email_index` (ascii-lower-trim); `code`, with `code_index` (raw, 8 bits, so that hits are often
  false); `age` (integer), `active` (boolean), `born` (date), `data` (JSON); `legacy`, which reads `tokens`
  and `plain` as well; `tag` (text, mode deterministic); `rank`, a plain integer. All may be NULL.
- `member`: `id`; `tenant`, a plain integer; `secret`, bound to it, with `secret_index` (raw).
- `badge`: `id`, a UUID that the program gives; `secret`, bound to its row.

Codecs are named `app` (written everywhere) and `tokens`. An adapter is one file with a class, and one line
in `registry.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from reseal._adapters import Codecs

Row = dict[str, Any]
TABLES: dict[str, tuple[str, ...]] = {
    "person": (
        *("name", "note", "ssn", "email", "code", "age", "active", "born", "data", "legacy"),
        *("tag", "rank"),
    ),
    "member": ("tenant", "secret"),
    "badge": ("secret",),
}


class Adapter(ABC):
    """One framework on one database, which is empty at the start."""

    #: What a query that ciphertext cannot answer raises.
    refusal: ClassVar[type[Exception]]

    @abstractmethod
    def __init__(self, kind: str, url: str) -> None:
        """Connect, and make the tables."""

    @abstractmethod
    def close(self) -> None:
        """Leave nothing behind, in this thread and in the process."""

    @abstractmethod
    def leave_thread(self) -> None:
        """End what the calling thread holds; others go on."""

    @abstractmethod
    def use(self, codecs: Mapping[str, object]) -> Codecs:
        """Let the application have these codecs from now on."""

    @abstractmethod
    def insert(self, table: str, **values: Any) -> Any:
        """Insert a row as a program does with one object; return its id."""

    @abstractmethod
    def insert_many(self, table: str, rows: Iterable[Row]) -> None:
        """Insert rows in one go."""

    @abstractmethod
    def read(self, table: str, key: Any, *names: str) -> Row:
        """Load an object, and look at these values."""

    @abstractmethod
    def read_all(self, table: str, *names: str) -> list[Row]:
        """Load all objects by id, and look at these values."""

    @abstractmethod
    def select(self, table: str, *names: str) -> list[tuple[Any, ...]]:
        """Select values of all rows by id, without making objects."""

    @abstractmethod
    def change(self, table: str, key: Any, **values: Any) -> None:
        """Load an object, set these values and save it, whatever else it has untouched."""

    @abstractmethod
    def change_many(self, table: str, values: Mapping[Any, Row]) -> None:
        """Load objects, set the values of each, and save them in one go."""

    @abstractmethod
    def update(self, table: str, rank: int, **values: Any) -> int:
        """Set values where a `person` has this rank, by one statement; return how many rows."""

    @abstractmethod
    def find(self, table: str, **equal: Any) -> list[Any]:
        """Return the ids of the rows that have all these values, sorted."""

    @abstractmethod
    def find_in(self, table: str, name: str, values: Iterable[Any]) -> list[Any]:
        """Return the ids of the rows whose value is one of these, sorted."""

    @abstractmethod
    def find_not(self, table: str, **equal: Any) -> list[Any]:
        """Return the ids of the rows that do not have this value, also those that have none, sorted."""

    @abstractmethod
    def find_null(self, table: str, name: str) -> list[Any]:
        """Return the ids of the rows that have no value there, sorted."""

    @abstractmethod
    def count(self, table: str, **equal: Any) -> int:
        """Return how many rows have these values."""

    @abstractmethod
    def delete(self, table: str, **equal: Any) -> int:
        """Delete the rows that have these values by one call; return how many."""

    @abstractmethod
    def order_by(self, table: str, name: str) -> None:
        """Ask for an order by this column, up to the database."""

    @abstractmethod
    def compare(self, table: str, name: str, value: Any) -> None:
        """Ask for the rows whose value is greater, up to the database."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[object]:
        """A transaction, which an exception undoes."""
