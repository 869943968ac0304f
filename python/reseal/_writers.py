"""Transactions that have written and not ended: a count does not see what they wrote."""

from __future__ import annotations

import time

from reseal._database import connect
from reseal._database_base import Database, DatabaseError
from reseal._errors import ResealError
from reseal._native import _writing_transactions

_PAUSE_SECONDS = 0.2
_BUSY = 5
#: Files that nobody may write here.
_DENIED = (3, 8, 23)


def have_ended(url: str, deadline: float) -> bool:
    """Whether all transactions that have written before now end until then.

    Errors: `database-error`, also for a server that takes no writes.
    """
    try:
        database = connect(url)
    except DatabaseError as error:
        raise ResealError("database-error", str(error)) from None
    try:
        if database.dialect == "sqlite":
            return _has_ended(database)
        if database.dialect == "mysql":
            # InnoDB tells what it told last, if somebody has asked a tenth of a second ago.
            time.sleep(_PAUSE_SECONDS)
        pending = set(_writing_transactions(database))
        while pending and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)
            pending &= set(_writing_transactions(database))
        return not pending
    finally:
        database.close()


def _has_ended(database: Database) -> bool:
    """Whether the only writer of SQLite ends: whoever may write has waited for it."""
    try:
        database.begin()
        database.rollback()
    except Exception as error:
        failure = database.failure(error)
        code = int(failure.code) & 0xFF
        if code != _BUSY and code not in _DENIED:
            raise ResealError("database-error", failure.message) from None
        return code != _BUSY
    return True
