"""Encrypted columns in unions of selects, whose rows have the types of the first one."""

from __future__ import annotations

from typing import Any

from sqlalchemy.sql.selectable import _CompoundSelectKeyword

from reseal.sqlalchemy.comparators import refusal
from reseal.sqlalchemy.types import Encrypted

_ALL = (
    _CompoundSelectKeyword.UNION_ALL,
    _CompoundSelectKeyword.INTERSECT_ALL,
    _CompoundSelectKeyword.EXCEPT_ALL,
)


def together(keyword: Any, types: list[Any]) -> None:
    """Refuse what compares ciphertext, or gives it under the type of another column; `types` stand in one place.

    Errors: `InvalidRequestError`.
    """
    for type_ in types:
        if not isinstance(type_, Encrypted):
            continue
        if keyword not in _ALL:
            raise refusal(type_, "be made distinct by UNION", "use union_all()")
        if not isinstance(types[0], Encrypted):
            raise refusal(
                type_,
                "come after a select without it, whose type the rows have,",
                "select it first, or by itself, and put the rows together in Python",
            )
        same = all(getattr(one, "_place", None) is type_._place for one in types)
        if keyword is not _CompoundSelectKeyword.UNION_ALL and not same:
            raise refusal(type_, "be compared with another column", "do it in Python")
