"""The codecs of an application: of all its tables, or of those of one `MetaData`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

from sqlalchemy import MetaData

from reseal._adapters import Codecs
from reseal._disk import PathLike

_KEY = "reseal"


@final
@dataclass(frozen=True, eq=False)
class Settings:
    """The codecs by name, and the one that is written where a column names none."""

    codecs: Codecs
    write: str


_everywhere = Settings(Codecs(), "app")
_turn = object()


def configure(
    codecs: Mapping[str, object] | None = None,
    *,
    manifest: PathLike | None = None,
    write: str = "app",
    metadata: MetaData | None = None,
    database_url: Callable[[], str | None] | None = None,
) -> None:
    """Say with which codecs columns are written and read; no key is read by it.

    `codecs` are mappings as of `[codecs.NAME]` of a manifest, or `reseal.codecs` objects; `manifest` is the
    file that has them. `write` names the one that columns write that name none. With `metadata` it counts
    for its tables only. Without any call there is the codec `app`, with the keys of the environment.
    `database_url` is asked for the database of a keyset `sql:RING`; else `RESEAL_DATABASE_URL` says it.

    >>> from reseal.sqlalchemy import configure
    >>> configure({"app": {"kind": "reseal", "keyring": "env"}}, write="app")

    Errors: `invalid-argument` where both are given, and for what is no codec.
    """
    global _everywhere, _turn
    found = Settings(Codecs(codecs, manifest=manifest, database_url=database_url), write)
    if metadata is None:
        _everywhere = found
    else:
        metadata.info[_KEY] = found
    _turn = object()


def turn() -> object:
    """Return what is another object after each call of `configure`."""
    return _turn


def settings_of(metadata: MetaData | None) -> Settings:
    """Return what counts for the tables of `metadata`."""
    found = None if metadata is None else metadata.info.get(_KEY)
    return found if isinstance(found, Settings) else _everywhere
