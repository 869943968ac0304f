"""Writes the TOML of a manifest: tables of text, numbers, flags, lists and inline tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from reseal._errors import ResealError


def table(head: str, members: Mapping[str, object]) -> str:
    """Return a table with its head, such as `[codecs.app]` or `[[columns]]`."""
    lines = [head, *(f"{_key(name)} = {_value(value)}" for name, value in members.items())]
    return "\n".join(lines) + "\n"


def _key(name: object) -> str:
    if not isinstance(name, str):
        raise ResealError("invalid-argument", f"a name is text, not {type(name).__name__}")
    plain = name.replace("_", "").replace("-", "")
    return name if plain.isascii() and plain.isalnum() else _text(name)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        members = ", ".join(f"{_key(name)} = {_value(member)}" for name, member in value.items())
        return f"{{ {members} }}" if members else "{}"
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray, memoryview)):
        return f"[{', '.join(map(_value, value))}]"
    kind = type(value).__name__
    raise ResealError(
        "invalid-argument", f"a manifest holds text, numbers, flags, lists and tables, not {kind}"
    )


def _text(text: str) -> str:
    # JSON escapes as TOML does, but for one character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
