"""The exceptions: one class for each class of codes in `spec/errors.md`."""


class ResealError(Exception):
    """What went wrong: a stable code, and a sentence for a person.

    >>> import reseal
    >>> try:
    ...     reseal.inspect("hello")
    ... except reseal.ResealError as error:
    ...     print(error.code)
    not-envelope

    The message never holds a secret, a plaintext or the length of a plaintext.
    """

    code: str
    """One of `reseal.ERROR_CODES`, the same in Rust, JavaScript and Python."""

    def __init__(self, code: str, message: str) -> None:
        """Errors are made by the package; the arguments are what a pickle needs."""
        super().__init__(code, message)
        self.code = code

    def __str__(self) -> str:
        """Return the sentence for a person."""
        return str(self.args[1])


class DecryptError(ResealError):
    """A value could not be opened with the keys of this ring."""


class KeyringError(ResealError):
    """A key, a ring or a key source is not as it must be."""


class FormatError(ResealError):
    """The stored bytes are not an envelope that this version reads."""


class KeyFileWarning(UserWarning):
    """A file with a key or a passphrase gives rights to everybody on this machine.

    >>> import warnings
    >>> import reseal
    >>> warnings.simplefilter("ignore", reseal.KeyFileWarning)  # if it is meant so

    It is given once for each path. `chmod 600` mends it, or `defaultMode: 0400` in Kubernetes.
    """


for _class in (ResealError, DecryptError, KeyringError, FormatError, KeyFileWarning):
    _class.__module__ = "reseal"
