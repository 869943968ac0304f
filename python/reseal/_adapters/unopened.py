"""What stands in the place of a value that could not be opened, where a list is to be shown all the same."""

from __future__ import annotations

from typing import final

from reseal._errors import ResealError


@final
class Unopened:
    """In the place of a value that cannot be opened: it says why, and is never written back.

    >>> import reseal
    >>> from reseal._adapters import Unopened
    >>> print(Unopened(reseal.DecryptError("auth-failed", "users.ssn, row 42: no key opens the value")))
    [cannot be opened: auth-failed]

    It is false, equals nothing but itself, and has the error of `spec/errors.md` as `error`.
    """

    __slots__ = ("error",)

    error: ResealError

    def __init__(self, error: ResealError) -> None:
        self.error = error

    @property
    def code(self) -> str:
        """The code of the error."""
        return self.error.code

    def __str__(self) -> str:
        return f"[cannot be opened: {self.code}]"

    def __repr__(self) -> str:
        return f"Unopened({self.code!r})"

    def __bool__(self) -> bool:
        return False
