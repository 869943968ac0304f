"""The codecs of an application by name, described as in a manifest; each is made at its first use."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any, final

from reseal._adapters import toml
from reseal._disk import PathLike
from reseal._errors import KeyringError, ResealError
from reseal._keyset_file import KeysetFile
from reseal._keyset_store import EditableStore
from reseal._native import Codec, Keyring, LiveKeyring, Manifest
from reseal._sql_keyset_store import SqlKeysetStore

DEFAULT: Mapping[str, object] = {"app": {"kind": "reseal", "keyring": "env"}}
_PLAIN = "plain"
_URL_VARIABLE = "RESEAL_DATABASE_URL"


@final
class Codecs:
    """Codecs by name: mappings as of `[codecs.NAME]` of a manifest, `Codec` objects, or a file's.

    A codec of envelopes follows its keys, so that a rotation reaches a running process. Nothing is read
    before the first use, and then once: threads may share it.

    >>> import os, reseal
    >>> from reseal._adapters import Codecs
    >>> os.environ["RESEAL_PRIMARY_KEY"] = reseal.Key.generate().export()
    >>> codecs = Codecs({"app": {"kind": "reseal", "keyring": "env"}})
    >>> codecs.get("app").kind
    'reseal'
    """

    def __init__(
        self,
        described: Mapping[str, object] | None = None,
        *,
        manifest: PathLike | None = None,
        database_url: Callable[[], str | None] | None = None,
    ) -> None:
        """Take what describes them. `database_url` is asked for the database of keysets `sql:RING`.

        Errors: `invalid-argument` where both are given, and for what is neither a mapping nor a `Codec`.
        """
        if described is not None and manifest is not None:
            raise _wrong("give codecs or a manifest, not both")
        if described is None and manifest is None:
            described = DEFAULT
        for name, one in (described or {}).items():
            if not isinstance(one, (Mapping, Codec)):
                raise _wrong(f"the codec {name} is a mapping or a Codec, not {type(one).__name__}")
        self._file = manifest
        self._database_url = database_url or (lambda: os.environ.get(_URL_VARIABLE))
        self._given = None if described is None else dict(described)
        self._made: dict[str, Codec] = {}
        self._rings: dict[str, Keyring] = {}
        self._parsed: Manifest | None = None
        self._lock = threading.RLock()

    def get(self, name: str) -> Codec:
        """Return a codec.

        Errors: `invalid-argument` where there is none of this name; `manifest-invalid`; those of its keys,
        and the next call tries again.
        """
        made = self._made.get(name)
        if made is not None:
            return made
        with self._lock:
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]

    def kinds(self) -> dict[str, str]:
        """Return the kind of each codec by its name; no key is read. `plain` is always there.

        Errors: `manifest-invalid`, and those of a file.
        """
        found = {_PLAIN: _PLAIN}
        with self._lock:
            found |= {spec.name: spec.kind for spec in self._manifest().codecs}
            found |= {name: one.kind for name, one in self._all().items() if isinstance(one, Codec)}
        return found

    def options(self) -> dict[str, Mapping[str, Any]]:
        """Return how the codecs are described, but for those that are objects. They name secrets and hold none.

        Errors: those of a file.
        """
        with self._lock:
            return {name: one for name, one in self._all().items() if isinstance(one, Mapping)}

    def ring(self, name: str) -> Keyring | None:
        """Return the ring that a described codec of envelopes follows; None for other codecs.

        Errors: those of its keys.
        """
        with self._lock:
            options = self.options().get(name)
            if options is None or options.get("kind") != "reseal":
                return None
            if name not in self._rings:
                self._manifest()  # which checks the options
                self._rings[name] = self._live(options)
            return self._rings[name]

    def store(self, name: str) -> EditableStore | None:
        """Return where the keyset of a described codec is edited; None where its keys are in no keyset.

        Errors: those of `ring`.
        """
        options = self.options().get(name)
        if options is None or self.ring(name) is None:  # which checks the options and the keys
            return None
        return self._store(options)

    def described(self) -> dict[str, Mapping[str, object]]:
        """Return the tables of a manifest that describe them.

        Errors: `invalid-argument` for a codec that is an object.
        """
        for name, one in self._all().items():
            if not isinstance(one, Mapping):
                raise _wrong(f"the codec {name} is an object, and a manifest needs its description")
        return self.options()

    def _make(self, name: str) -> Codec:
        given = self._all().get(name)
        if isinstance(given, Codec):
            return given
        ring = self.ring(name)
        return self._manifest().codec(name, rings=None if ring is None else {name: ring})

    def _all(self) -> dict[str, object]:
        if self._given is None:
            Manifest.load(self._file or "")  # it tells what is wrong with the file
            self._given = toml.read(self._file or "").get("codecs", {})
        return self._given

    def _manifest(self) -> Manifest:
        if self._parsed is None:
            text = toml.text_of({"version": 1, "codecs": self.options()})
            self._parsed = Manifest.parse(text)
        return self._parsed

    def _live(self, options: Mapping[str, Any]) -> Keyring:
        kind, _, rest = str(options["keyring"]).partition(":")
        if kind == "env":
            return LiveKeyring.from_env()
        if kind == "dir":
            return LiveKeyring.from_directory(
                rest, primary=options["primary"], index_primary=options.get("index_primary")
            )
        store = self._store(options)
        if store is None:
            raise _wrong("a keyring is env, dir:PATH, keyset:PATH or sql:RING")
        return LiveKeyring.from_keyset(store)

    def _store(self, options: Mapping[str, Any]) -> EditableStore | None:
        kind, _, rest = str(options["keyring"]).partition(":")
        if kind == "env":
            return _store_of_env()
        if kind not in ("keyset", "sql"):
            return None
        more: dict[str, Any] = {
            name: options[name] for name in ("ring", "min_generation") if name in options
        }
        for name in ("kek", "passphrase"):
            if name in options:
                more |= _secret(name, options[name])
        if kind == "keyset":
            return KeysetFile(rest, **more)
        url = self._database_url()
        if url is None:
            raise KeyringError("source-missing", f"a keyset in a database needs {_URL_VARIABLE}")
        ring = rest or more.pop("ring", None)
        more.pop("ring", None)
        return SqlKeysetStore(url, ring=ring, **more)


def _store_of_env() -> EditableStore | None:
    """The file that `RESEAL_KEYSET` names, with what opens it."""
    names = ("keyset", "kek", "kek_file", "passphrase", "passphrase_file", "ring", "min_generation")
    given = {name: os.environ.get(f"RESEAL_{name.upper()}", "") for name in names}
    # White space alone is not set; else it is taken as it is, as a passphrase may end in a space.
    more: dict[str, Any] = {name: value for name, value in given.items() if value.strip()}
    path = more.pop("keyset", None)
    if path is None:
        return None
    if "ring" in more:
        more["ring"] = more["ring"].strip()
    more["min_generation"] = int(more.get("min_generation", "0"))  # the live ring has checked it
    return KeysetFile(path, **more)


def _secret(name: str, text: str) -> dict[str, str]:
    source, _, rest = text.partition(":")
    if source == "file":
        return {f"{name}_file": rest}
    value = os.environ.get(rest)
    if not value:
        raise KeyringError("source-missing", f"the variable {rest} is not set, or empty")
    return {name: value}


def _wrong(message: str) -> ResealError:
    return ResealError("invalid-argument", message)
