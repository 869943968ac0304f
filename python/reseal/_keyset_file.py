"""A keyset in a file, which several people and processes may edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from reseal._files import read_keyset
from reseal._keyset_store import EditableStore
from reseal._save import save_keyset

if TYPE_CHECKING:
    from reseal._native import Keyset


@final
class KeysetFile(EditableStore):
    """A keyset in a file, and what opens it: `kek`, `kek_file`, `passphrase`, `passphrase_file`.

    To load it, one of the key-encrypting keys that it lists is enough; to save it takes all of them,
    so `kek` and `kek_file` may be lists. Its passphrase, of which it has one at most, is given or in a
    file, and not both. `ring` is the ring id that the keyset has to have, and `min_generation` the
    lowest generation that is no old copy.

    >>> import reseal, tempfile
    >>> kek, path = reseal.Key.generate("kek"), tempfile.mkdtemp() + "/keyset.json"
    >>> file = reseal.KeysetFile(path, kek=kek)
    >>> file.create(reseal.Keyset.create(kek=kek))
    >>> id = file.edit(lambda keyset: keyset.introduce("data", label="2026-q4"))
    >>> [key.label for key in file.load().keys()]
    ['2026-q4']

    `create` makes a file that only its owner may read. Whatever happens while it is saved, it is the
    old one or the new one. Of two that edit at once, one gets `keyset-conflict`.

    Errors: beside those of the methods, keyset-unwritable where the file cannot be written.

    Spec: section 9, "Files".
    """

    __slots__ = ()

    def _read(self) -> bytes:
        return read_keyset(self.path)

    def _replace(self, keyset: Keyset, document: str) -> None:
        loaded = keyset._document
        save_keyset(self.path, None if loaded is None else loaded.encode(), document.encode())

    def _begin(self, keyset: Keyset, document: str) -> None:
        save_keyset(self.path, None, document.encode())


KeysetFile.__module__ = "reseal"
