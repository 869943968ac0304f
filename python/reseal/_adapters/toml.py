"""TOML, by the libraries that the extras of the adapters install."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import Any

from reseal._disk import PathLike, path_text
from reseal._errors import ResealError


def text_of(document: Mapping[str, object]) -> str:
    """Return the text of a document.

    Errors: `invalid-argument` for what no manifest holds.
    """
    text: str = _library("tomli_w").dumps(_plain(document))
    return text


def read(path: PathLike) -> dict[str, Any]:
    """Return the document of a file.

    Errors: `engine-unsupported` where this Python reads no TOML.
    """
    with open(path_text(path), "rb") as file:
        document: dict[str, Any] = _library("tomllib", "tomli").load(file)
    return document


def _library(*names: str) -> Any:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise ResealError(
        "engine-unsupported",
        f"this needs {names[-1].replace('_', '-')}: pip install 'reseal[django]' or 'reseal[sqlalchemy]'",
    )


def _plain(value: object) -> object:
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Mapping):
        return {_name(name): _plain(member) for name, member in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [_plain(member) for member in value]
    kind = type(value).__name__
    raise ResealError(
        "invalid-argument", f"a manifest holds text, numbers, flags, lists and tables, not {kind}"
    )


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise ResealError("invalid-argument", f"a name is text, not {type(name).__name__}")
    return name
