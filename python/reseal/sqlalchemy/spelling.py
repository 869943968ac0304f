"""How a database spells plaintext of a type when a migration makes text of it, and its own type again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import LargeBinary, String, bindparam, case, column, func, table, types
from sqlalchemy.exc import InvalidRequestError

_BOOLEANS = {"true": "1", "false": "0"}
_UUID_CHARS = 32


def check(operations: Any, one: Any) -> None:
    """Refuse what a database would keep otherwise than it was.

    Errors: `InvalidRequestError`.
    """
    name, existing = f"{one.table_name}.{one.column_name}", one.existing_type
    if isinstance(existing, LargeBinary) and not one.type_.binary:
        raise InvalidRequestError(f"{name}: no text holds bytes as they are: say binary=True")
    has_zones = operations.get_context().dialect.name == "postgresql"
    if isinstance(existing, types.DateTime) and existing.timezone and not has_zones:
        raise InvalidRequestError(
            f"{name}: this database keeps moments without their zone, which would be lost: copy the "
            "values to a new column"
        )


def forwards(operations: Any, one: Any) -> None:
    """Bring what a database made text of to the spelling of its type."""
    if one.type_.values.type == "boolean" and not one.type_.binary:
        for spelling, found in _BOOLEANS.items():
            _rewrite(operations, one, bindparam("to", spelling), lambda it, was=found: it == was)


def backwards(operations: Any, one: Any) -> None:
    """Bring text to what the type of the database has, which the column gets next."""
    dialect, kind = operations.get_context().dialect, one.type_.values.type
    existing = one.existing_type
    # Text that was text before has the spelling of the application; CHAR(32) stands for a UUID.
    if isinstance(existing, String) and not (kind == "uuid" and existing.length == _UUID_CHARS):
        return
    stored: Any = column(one.column_name, String)
    if kind == "boolean" and dialect.name != "postgresql":
        for found, spelling in _BOOLEANS.items():
            _rewrite(operations, one, bindparam("to", spelling), lambda it, was=found: it == was)
    elif kind == "uuid" and not _is_native(dialect, one.existing_type):
        _rewrite(operations, one, func.replace(stored, "-", ""), lambda it: it.like("%-%"))
    elif kind in ("timestamp", "time") and dialect.name == "sqlite":
        # SQLAlchemy writes six digits of a second, and compares texts.
        spaced = func.replace(stored, "T", " ")
        full = case((spaced.like("%.%"), spaced + "000000"), else_=spaced + ".000000")
        _rewrite(
            operations,
            one,
            func.substr(full, 1, 26 if kind == "timestamp" else 15),
            lambda it: it.is_not(None),
        )


def _is_native(dialect: Any, type_: Any) -> bool:
    return bool(dialect.supports_native_uuid and getattr(type_, "native_uuid", False))


def _rewrite(operations: Any, one: Any, to: Any, where: Any) -> None:
    stored: Any = column(one.column_name, String)
    rows: Any = table(one.table_name, stored, schema=one.schema)
    operations.execute(rows.update().where(where(stored)).values({stored: to}))


__all__ = ["backwards", "check", "forwards"]
