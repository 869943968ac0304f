"""URLs of databases: one spelling in every language, and no password in a message."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from reseal._disk import named, quoted
from reseal._errors import ResealError

_SCHEMES = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
}
_PORTS = {"postgresql": 5432, "mysql": 3306}
_SERVER = re.compile(
    r"(?:(?P<user>[^:@/?#\[\]]*)(?::(?P<password>[^:@/?#\[\]]*))?@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:@/?#\[\]]*)(?::(?P<port>[0-9]{1,5}))?"
    r"/(?P<database>[^/?#]+)(?:\?(?P<parameters>[^?#]*))?"
)
_SHAPE = "scheme://user:password@host:port/database"
_TLS = ("disable", "prefer", "require", "verify-ca", "verify-full")
_PARAMETERS = ("sslmode", "sslrootcert", "socket", "connect_timeout")
_CONNECT_SECONDS = 10
#: A quiet connection is asked whether it is alive: after how many seconds, how often, and how many times.
KEEP_ALIVE = (30, 10, 3)


@dataclass(frozen=True)
class Target:
    """A server and a database, or a file."""

    dialect: str
    database: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    host: str = "localhost"
    port: int = 0
    sslmode: str = "prefer"
    sslrootcert: str | None = None
    socket: str | None = None
    connect_seconds: int = _CONNECT_SECONDS
    #: How long an answer may take; nothing where statements may be long.
    read_seconds: int | None = None


def parse(url: object) -> Target:
    """Return what a URL says.

    Errors: `invalid-argument`, which shows nothing of the URL but its scheme and its parameters.
    """
    if not isinstance(url, str):
        raise _wrong(f"it is text, not {type(url).__name__}")
    if re.search(r"[\x00-\x1f\x7f]", url):
        raise _wrong("it has a line end, or another control character")
    scheme, colon, rest = url.partition("://")
    if not colon or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        raise _wrong(f"it has the form {_SHAPE}, or sqlite:///file")
    name, plus, _ = scheme.lower().partition("+")
    dialect = _SCHEMES.get(name)
    if dialect is None:
        raise _wrong(f'the scheme "{scheme}" is unknown: postgresql, mysql or sqlite')
    if plus:
        raise _wrong(f"it names no driver: {name}:// in the place of {scheme}://")
    return _file(rest) if dialect == "sqlite" else _server(dialect, rest)


def root_of(target: Target) -> str | None:
    """Return the path of `sslrootcert`, which a connection reads where TLS is asked for.

    Errors: `invalid-argument` where it cannot be read.
    """
    root = target.sslrootcert
    # That is how libpq spells the certificates of the system, which are taken where none are named.
    if root == "system":
        return None
    if root is not None and target.sslmode not in ("disable", "prefer"):
        try:
            # Nothing is read of it: a pipe gives what it holds but once.
            with open(named(root), "rb"):
                pass
        except OSError as error:
            reason = errno.errorcode.get(error.errno or 0, type(error).__name__)
            why = f"sslrootcert: cannot read {quoted(named(root))} ({reason})"
            raise ResealError("invalid-argument", why) from None
    return root


def _file(rest: str) -> Target:
    if not rest.startswith("/") or rest in ("/", "/:memory:") or re.search("[?#]", rest):
        raise _wrong(
            "a file of SQLite is sqlite:///relative/path or sqlite:////absolute/path, "
            "with %3F and %23 for ? and #"
        )
    return Target("sqlite", _decoded(rest[1:], "the path"))


def _server(dialect: str, rest: str) -> Target:
    found = _SERVER.fullmatch(rest)
    if found is None:
        raise _wrong(
            f"it has the form {_SHAPE}; characters such as @ : / ? # [ ] in a user or a password "
            "are percent-encoded, @ as %40"
        )
    text = {name: value for name, value in found.groupdict().items() if value is not None}
    parameters = _parameters(text.get("parameters", ""))
    port = int(text.get("port", _PORTS[dialect]))
    if not 0 < port < 65_536:
        raise _wrong("a port is a number from 1 to 65535")
    if parameters.get("sslmode") == "verify-ca" and "sslrootcert" not in parameters:
        raise _wrong("sslmode=verify-ca needs sslrootcert: any public authority would do otherwise")
    user, password = text.get("user"), text.get("password")
    return Target(
        dialect=dialect,
        database=_decoded(text["database"], "the database"),
        user=_decoded(user, "the user") if user else None,
        password=_decoded(password, "the password") if password else None,
        host=_decoded(text["host"], "the host").strip("[]") or "localhost",
        port=port,
        sslmode=_sslmode(parameters.get("sslmode", "prefer")),
        sslrootcert=parameters.get("sslrootcert"),
        socket=parameters.get("socket"),
        connect_seconds=_seconds(parameters.get("connect_timeout", str(_CONNECT_SECONDS))),
    )


def _parameters(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, text.split("&")):
        name, _, value = part.partition("=")
        if name not in _PARAMETERS:
            # The text of an unknown one may belong to a password.
            raise _wrong(f"after the ? stand only {', '.join(_PARAMETERS)}")
        if name in found or not value:
            raise _wrong(f"{name} stands there once, with a value")
        found[name] = _decoded(value, name)
    return found


def _sslmode(value: str) -> str:
    if value not in _TLS:
        raise _wrong(f"sslmode is one of {', '.join(_TLS)}")
    return value


def _seconds(value: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,3}", value):
        raise _wrong("connect_timeout is a number of seconds from 1 to 9999")
    return int(value)


def _decoded(text: str, what: str) -> str:
    if re.search("%(?![0-9A-Fa-f]{2})", text):
        raise _wrong(f"{what} has a % that is not percent-encoded: write %25")
    try:
        decoded = unquote_to_bytes(text).decode()
    except UnicodeError:
        raise _wrong(f"{what} is no UTF-8") from None
    if "\0" in decoded:
        raise _wrong(f"{what} has a zero byte")
    return decoded


def _wrong(message: str) -> ResealError:
    return ResealError("invalid-argument", f"the URL of a database is not in order: {message}")
