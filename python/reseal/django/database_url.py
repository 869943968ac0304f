"""The URL of a database of Django: the jobs connect by it to the same one, or it is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured
from django.db import connections

#: What changes neither the server, the database and the schema, nor who may listen.
_HARMLESS = {
    "postgresql": {
        *("application_name", "autocommit", "client_encoding", "context", "cursor_factory"),
        *("fallback_application_name", "isolation_level", "keepalives", "keepalives_count"),
        *("keepalives_idle", "keepalives_interval", "pool", "prepare_threshold", "row_factory"),
        *("server_side_binding", "tcp_user_timeout"),
    },
    "mysql": {
        *("auth_plugin", "autocommit", "charset", "client_flag", "collation", "compress", "conv"),
        *("cursorclass", "isolation_level", "local_infile", "multi_statements", "read_timeout"),
        *("server_public_key_path", "sql_mode", "use_unicode", "write_timeout"),
    },
    "sqlite": {
        *("cached_statements", "check_same_thread", "detect_types", "factory", "init_command"),
        *("isolation_level", "timeout", "transaction_mode", "uri"),
    },
}
#: Settings of a session of PostgreSQL that do not either.
_SETTING = (
    r"(?:-c\s*|--)(?:\w+_timeout|application_name|client_min_messages|datestyle|"
    r"default_transaction_isolation|jit|synchronous_commit|timezone|work_mem)=(?:[^\s\\]|\\.)*"
)
_SETTINGS = re.compile(rf"\s*(?:{_SETTING}\s*)*", re.IGNORECASE)
_MODES = {
    "DISABLED": "disable",
    "PREFERRED": "prefer",
    "REQUIRED": "require",
    "VERIFY_CA": "verify-ca",
    "VERIFY_IDENTITY": "verify-full",
}


def url(alias: str) -> str:
    """Return the URL of a database, with its password.

    Errors: `ImproperlyConfigured` for a database in memory, for an engine that the jobs do not know, and for
    options that no URL can say, with which Django may be connected to another place.
    """
    connection = connections[alias]
    setting: dict[str, Any] = connection.settings_dict
    read = _READERS.get(connection.vendor)
    if read is None:
        raise ImproperlyConfigured(f"the jobs know no database of the kind {connection.vendor}")
    name, rest = str(setting["NAME"] or ""), dict(setting["OPTIONS"])
    more = read(connection, rest)
    for option in rest:
        if option not in _HARMLESS[connection.vendor]:
            raise _unsaid(alias, f"OPTIONS[{option!r}]")
    if connection.vendor == "sqlite":
        if ":memory:" in name or "mode=memory" in name:
            raise ImproperlyConfigured(
                "a database in memory cannot be reached by another connection"
            )
        return f"sqlite:///{quote(name)}"
    if not name:
        raise _unsaid(alias, "an empty NAME")
    at = quote(setting["USER"] or "", safe="")
    password = setting["PASSWORD"] or ""
    if password:
        at += ":" + quote(password, safe="")
    host = more.pop("host", None) or str(setting["HOST"] or "localhost")
    port = more.pop("port", None) or setting["PORT"]
    if host.startswith("/"):
        host, more["socket"] = "localhost", host
    place = f"[{host}]" if ":" in host else host
    query = "&".join(f"{key}={quote(str(value), safe='')}" for key, value in more.items())
    start = f"{connection.vendor}://{at}@{place}" + (f":{port}" if port else "")
    found = f"{start}/{quote(name, safe='')}"
    return f"{found}?{query}" if query else found


def _unsaid(alias: str, what: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"the database {alias!r} has {what}, which no URL can say, so that a job might go to another place: "
        "give a URL that leads there, to the command by --db and for a keyset by RESEAL_DATABASE_URL, or "
        "leave it to the server, as a search_path to ALTER ROLE"
    )


def _of_postgresql(connection: Any, rest: dict[str, Any]) -> dict[str, Any]:
    """Take what a URL can say out of the options, and return its parameters."""
    if _SETTINGS.fullmatch(str(rest.get("options", ""))):
        rest.pop("options", None)
    names = ("sslmode", "sslrootcert", "connect_timeout")
    more = {name: rest.pop(name) for name in names if name in rest}
    if not connection.settings_dict["HOST"] and not {"host", "hostaddr", "service"} & set(rest):
        more |= _default_place(connection)
    return more


def _default_place(connection: Any) -> dict[str, Any]:
    """Where the driver connects to if it is told no host: the folder of a socket, of which only it knows.

    Errors: `ImproperlyConfigured` where it cannot connect.
    """
    driver = connection.Database
    try:
        with closing(driver.connect(**connection.get_connection_params())) as made:
            return {"host": made.info.host, "port": made.info.port}
    except driver.Error as error:
        raise ImproperlyConfigured(
            f"the database {connection.alias!r} has no HOST, and cannot be asked where it is "
            f"({type(error).__name__})"
        ) from None


def _of_mysql(connection: Any, rest: dict[str, Any]) -> dict[str, Any]:
    """Take what a URL can say out of the options, and return its parameters."""
    more: dict[str, Any] = {}
    if "connect_timeout" in rest:
        more["connect_timeout"] = rest.pop("connect_timeout")
    if "unix_socket" in rest:
        more["socket"] = rest.pop("unix_socket")
    mode, ssl = rest.get("ssl_mode"), rest.get("ssl")
    if mode in _MODES:
        more["sslmode"] = _MODES[rest.pop("ssl_mode")]
    if isinstance(ssl, dict) and set(ssl) == {"ca"}:
        more.setdefault("sslmode", "verify-ca")
        more["sslrootcert"] = rest.pop("ssl")["ca"]
    if _is_settings_only(rest.get("init_command", "")):
        rest.pop("init_command", None)
    return more


def _is_settings_only(statements: Any) -> bool:
    """Whether statements set variables, and change to no other database."""
    return all(
        re.match(r"\s*(?:SET\s|$)", one, re.IGNORECASE) for one in str(statements).split(";")
    )


def _of_sqlite(connection: Any, rest: dict[str, Any]) -> dict[str, Any]:
    """Leave all options: none leads to another file, and none is needed."""
    del connection, rest
    return {}


_READERS: dict[str, Callable[[Any, dict[str, Any]], dict[str, Any]]] = {
    "postgresql": _of_postgresql,
    "mysql": _of_mysql,
    "sqlite": _of_sqlite,
}
