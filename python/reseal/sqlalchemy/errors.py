"""Errors as SQLAlchemy lets them through: those of the package as they are, and refused statements."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import ArgumentError, DontWrapMixin, InvalidRequestError

from reseal._errors import DecryptError, FormatError, KeyringError, ResealError


# SQLAlchemy wraps what a type raises, and shows all parameters of the statement with it: the plaintexts.
class _Bare(DontWrapMixin):
    def __reduce__(self) -> Any:
        """Be unpickled as what it is for others."""
        shown = next(one for one in type(self).__mro__ if one.__module__ == "reseal")
        return shown, getattr(self, "args", ()), self.__dict__


class _ResealError(_Bare, ResealError):
    pass


class _DecryptError(_Bare, DecryptError):
    pass


class _KeyringError(_Bare, KeyringError):
    pass


class _FormatError(_Bare, FormatError):
    pass


_CLASSES: dict[type[ResealError], type[ResealError]] = {
    DecryptError: _DecryptError,
    KeyringError: _KeyringError,
    FormatError: _FormatError,
}
for _shown, _class in [(ResealError, _ResealError), *_CLASSES.items()]:
    _class.__name__ = _class.__qualname__ = _shown.__name__


def bare(error: ResealError) -> ResealError:
    """Return the same error, which SQLAlchemy raises as it is."""
    if isinstance(error, DontWrapMixin):
        return error
    found = _CLASSES.get(type(error), _ResealError)(error.code, str(error))
    found.__dict__.update(error.__dict__)
    return found


def wrong(message: str) -> ResealError:
    """The error of a value that a column does not take."""
    return _ResealError("value-invalid", message)


class _RefusedError(InvalidRequestError, DontWrapMixin):
    pass


_RefusedError.__qualname__ = _RefusedError.__name__ = "InvalidRequestError"


def refused(name: str, done: str, instead: str) -> InvalidRequestError:
    """The error of a statement that a database cannot execute on ciphertext."""
    return _RefusedError(f"{name} is encrypted and cannot {done} in the database: {instead}")


def undeclared(message: str) -> ArgumentError:
    """The error of a declaration."""
    return ArgumentError(message)


__all__ = ["bare", "refused", "undeclared", "wrong"]
