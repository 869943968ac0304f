"""A keyset in a database, which the processes of several languages share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, final

from reseal import _database
from reseal._database import Database, DatabaseError
from reseal._errors import KeyringError, ResealError
from reseal._keyset_store import EditableStore
from reseal._native import _insert_keyset_row, _read_keyset_row, _update_keyset_row

if TYPE_CHECKING:
    from typing_extensions import Buffer, Self

    from reseal._disk import PathLike
    from reseal._native import Key, Keyset

#: A row that does not come within so long is as good as none: a live ring goes on with what it has.
READ_SECONDS = 30


@final
class SqlKeysetStore(EditableStore):
    """A keyset in a row of the table `reseal_keysets`, and what opens it.

    `database` is a URL, as of `reseal.jobs`, or a connection that is open: of psycopg 3, PyMySQL,
    mysqlclient or sqlite3, or an engine or a connection of SQLAlchemy. With a URL or an engine every
    call connects, and closes its connection: so threads may share a store, and so may the processes of
    a fork.

    `ring` names the row by its ring id; it may be left out where the table has one row, and to create
    one. What opens the keyset is given as to `KeysetFile`, and so is `min_generation`.

    >>> import reseal, sqlite3
    >>> kek, database = reseal.Key.generate("kek"), sqlite3.connect(":memory:")
    >>> store = reseal.SqlKeysetStore(database, kek=kek)
    >>> store.create(reseal.Keyset.create(kek=kek))
    >>> id = store.edit(lambda keyset: keyset.rotate("data", label="2026-q4"))
    >>> reseal.Keyring.from_keyset(store).primary_id == id
    True

    `create` makes the table, where it is missing. Of two that edit at once, one gets
    `keyset-conflict`.

    Errors: beside those of the methods, source-conflict where the table has several rings and none was
    named, database-error, engine-unsupported where a driver is missing, and invalid-argument for the
    URL or connection.

    Security: the row has the keys wrapped. Whoever may write it may take the keys away, or bring an
    older row back: `min_generation` tells a process that starts which ones are too old.

    Spec: section 9, "In a database".
    """

    __slots__ = ("_database", "_ring")

    _database: Any
    _ring: str

    def __new__(
        cls,
        database: object,
        *,
        ring: str | None = None,
        kek: Key | str | Iterable[Key | str] | None = None,
        kek_file: PathLike | Iterable[PathLike] | None = None,
        passphrase: str | Buffer | None = None,
        passphrase_file: PathLike | None = None,
        min_generation: int = 0,
    ) -> Self:
        """Take the arguments; nothing is connected yet."""
        if ring is not None and not isinstance(ring, str):
            raise ResealError("invalid-argument", f"ring is text, not {type(ring).__name__}")
        store = super().__new__(
            cls,
            f"sql:{ring or ''}",
            kek=kek,
            kek_file=kek_file,
            passphrase=passphrase,
            passphrase_file=passphrase_file,
            ring=ring,
            min_generation=min_generation,
        )
        store._database = database
        store._ring = ring or ""
        return store

    def _read(self) -> bytes:
        return read_row(self._database, self._ring)

    def _replace(self, keyset: Keyset, document: str) -> None:
        with connected(self._database) as database:
            _update_keyset_row(database, keyset.ring_id, keyset.generation, document)

    def _begin(self, keyset: Keyset, document: str) -> None:
        if self._ring not in ("", keyset.ring_id):
            what = f"this store is of the ring {self._ring}, and the keyset of {keyset.ring_id}"
            raise KeyringError("keyset-wrong-ring", what)
        with connected(self._database) as database:
            _insert_keyset_row(database, keyset.ring_id, keyset.generation + 1, document)

    def _check_followed(self) -> None:
        """Refuse a connection of the caller's, which a look at any time would come in between."""
        if not isinstance(self._database, str) and not hasattr(self._database, "raw_connection"):
            what = "a live keyring connects by itself: give the store a URL, or an engine of SQLAlchemy"
            raise ResealError("invalid-argument", what)


def read_row(database: object, ring: str) -> bytes:
    """Return the document of a ring, or the only one that the database has."""
    with connected(database) as found:
        if found.dialect == "postgresql":
            _limit(found)
        return _read_keyset_row(found, ring).encode()


def _limit(database: Database) -> None:
    """Give up in time, in a transaction: a pooler gives the next one to another connection."""
    try:
        database.begin()
        database.execute(f"SET LOCAL statement_timeout = {READ_SECONDS * 1000}")
        return
    except Exception as error:
        failed = DatabaseError(database.dialect, database.failure(error))
    raise ResealError("database-error", str(failed))


@contextmanager
def connected(database: object) -> Iterator[Database]:
    """Give a database for a few statements.

    Errors: `database-error`, `engine-unsupported`, `invalid-argument`. Nothing else is kept of what a
    driver raised, since it may hold the password.
    """
    found: Database | None = None
    why = ""
    try:
        if isinstance(database, str):
            found = _database.connect(database, READ_SECONDS)
        else:
            found = _database.of(database)
    except DatabaseError as error:
        why = str(error)
    if found is None:
        raise ResealError("database-error", why)
    try:
        yield found
    finally:
        found.close()


SqlKeysetStore.__module__ = "reseal"
