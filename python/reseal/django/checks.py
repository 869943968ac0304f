"""System checks of the whole: the keys, what is written in deployment, and how wide columns are."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage
from django.core.exceptions import FieldDoesNotExist
from django.db import connections

from reseal._errors import ResealError
from reseal.django import conf
from reseal.django.fields import encrypted_fields
from reseal.django.fields.base import EncryptedField
from reseal.django.fields.index import BlindIndexField

_SHORTEST = 128


def _fields(app_configs: Any = None) -> Iterable[EncryptedField]:
    for model in apps.get_models():
        if app_configs is None or apps.get_app_config(model._meta.app_label) in app_configs:
            yield from (field for field in encrypted_fields(model) if field.model is model)


@checks.register(checks.Tags.security, deploy=True)
def keys(app_configs: Any, **_: object) -> list[CheckMessage]:
    """Say which codec has no keys, or two sources of them (`manage.py check --deploy`)."""
    found: list[CheckMessage] = []
    try:
        codecs = conf.codecs()
        known = codecs.kinds()
    except ResealError:
        return found  # each field says it: E003
    declared = [field.declaration() for field in _fields(app_configs)]
    for name in dict.fromkeys(name for one in declared for name in (one.write, *one.read)):
        if name not in known:
            continue  # its field says it: E004
        try:
            codecs.get(name)
        except ResealError as error:
            found.append(checks.Error(f"the codec {name!r}: {error}", id="reseal.E010"))
    return found


@checks.register(checks.Tags.security, deploy=True)
def plaintext(app_configs: Any, **_: object) -> list[CheckMessage]:
    """Warn of fields that write plaintext, and of logs that show what is sealed."""
    found: list[CheckMessage] = []
    for field in _fields(app_configs):
        if field.declaration().write == "plain":
            hint = "name a codec that encrypts, and keep plain in read until all rows are sealed"
            found.append(
                checks.Warning("it writes plaintext", hint=hint, obj=field, id="reseal.W010")
            )
    if settings.DEBUG or logging.getLogger("django.db.backends").isEnabledFor(logging.DEBUG):
        found.append(
            checks.Warning(
                "the parameters of SQL statements are logged",
                hint="set DEBUG = False, and the level of django.db.backends above DEBUG: a column "
                "that still holds plaintext shows it there",
                id="reseal.W011",
            )
        )
    return found


@checks.register(checks.Tags.database)
def widths(
    app_configs: Any, databases: Sequence[str] | None = None, **_: object
) -> list[CheckMessage]:
    """Say which column is too short for ciphertext (`manage.py check --database default`).

    `migrate` asks as well, before it widens a column: while an app has migrations to come, its columns are
    not what its models say, and nothing is said of them.
    """
    found: list[CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        short: list[EncryptedField] = []
        with connection.cursor() as cursor:
            tables = set(connection.introspection.table_names(cursor))
            for field in _fields(app_configs):
                meta = field.model._meta
                if meta.db_table not in tables:
                    continue
                described = connection.introspection.get_table_description(cursor, meta.db_table)
                for column in described:
                    if column.name == field.column and 0 < _length(column) < _SHORTEST:
                        short.append(field)
        awaited = _migrating(connection) if short else set()
        for field in short:
            if field.model._meta.app_label not in awaited:
                hint = f"give it {_SHORTEST} characters at least, or the type text"
                message = f"its column in {alias} is too short for sealed values"
                found.append(checks.Error(message, hint=hint, obj=field, id="reseal.E011"))
    return found


@checks.register(checks.Tags.database)
def renames(
    app_configs: Any, databases: Sequence[str] | None = None, **_: object
) -> list[CheckMessage]:
    """Say which terms a migration to come would leave behind, since they are bound to the name of their column."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        for field, old in _with_former(_named_by_column(app_configs), connections[alias]):
            if not isinstance(old, BlindIndexField) or old.index_name() == field.index_name():
                continue
            name = old.index_name()
            hint = (
                f"give it name_in_context={name!r} in a migration before the one that renames it, or "
                "run manage.py reseal apply --reindex afterwards"
            )
            message = f"no search finds the rows of {alias} by it once it is renamed: its terms are bound to {name}"
            found.append(checks.Warning(message, hint=hint, obj=field, id="reseal.W012"))
    return found


@checks.register(checks.Tags.database)
def left_behind(
    app_configs: Any, databases: Sequence[str] | None = None, **_: object
) -> list[CheckMessage]:
    """Say which values a migration to come would leave behind, since they are bound to the names of their columns."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        for field, old in _with_former(_fields(app_configs), connections[alias]):
            if not isinstance(old, EncryptedField) or _opens(field, old._context()):
                continue
            name = "{table}.{column}".format(**old._context())
            hint = (
                f"give it context_name={name!r}, in a migration before the one that renames it if makemigrations "
                f"takes it for a new field; or earlier_contexts=[{name!r}], and run manage.py reseal apply "
                "--reindex afterwards"
            )
            message = f"no value of {alias} opens once it is renamed: they are bound to {name}"
            found.append(checks.Warning(message, hint=hint, obj=field, id="reseal.W013"))
    return found


def _opens(field: EncryptedField, context: dict[str, str]) -> bool:
    declared = field.declaration()
    return context in (declared.context, *declared.earlier_contexts)


def _with_former(fields: Iterable[Any], connection: Any) -> Iterator[tuple[Any, Any]]:
    """Fields without a column in a database, each with what it is before migrations that are to come."""
    waiting = []
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for field in fields:
            table, names = field.model._meta.db_table, set()
            if table in tables:
                described = connection.introspection.get_table_description(cursor, table)
                names = {column.name for column in described}
            if field.column not in names:
                waiting.append(field)
    awaited = _awaited(connection) if waiting else []
    if not awaited:
        return
    before = _models_before(connection)
    for field in waiting:
        model, name = _names_before(field, awaited)
        try:
            old = before.get_model(field.model._meta.app_label, model)._meta.get_field(name)
        except (LookupError, FieldDoesNotExist):
            continue  # it is new
        yield field, old


def _models_before(connection: Any) -> Any:
    """The models as the migrations that a database has seen declare them."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    state = executor._create_project_state(with_applied_migrations=True)
    return state.apps


def _named_by_column(app_configs: Any) -> Iterable[Any]:
    """The companions whose terms are bound to the names of their columns."""
    sources = (field for field in _fields(app_configs) if field.companions)
    return (it for field in sources for it in field.companions if it.name_in_context is None)


def _names_before(field: Any, awaited: list[Any]) -> tuple[str, str]:
    """What the model of a field and the field are called before migrations that are to come."""
    from django.db.migrations.operations import RenameField, RenameModel

    meta, name = field.model._meta, str(field.name)
    model = str(meta.model_name)
    own = (it.operations for it in reversed(awaited) if it.app_label == meta.app_label)
    for operation in chain.from_iterable(map(reversed, own)):
        if isinstance(operation, RenameModel) and operation.new_name_lower == model:
            model = operation.old_name_lower
        elif isinstance(operation, RenameField) and operation.model_name_lower == model:
            name = operation.old_name if operation.new_name == name else name
    return model, name


def _migrating(connection: Any) -> set[str]:
    """The labels of the apps that have migrations which a database has not seen."""
    return {migration.app_label for migration in _awaited(connection)}


def _awaited(connection: Any) -> list[Any]:
    """The migrations which a database has not seen, in their order."""
    from django.db.migrations.executor import MigrationExecutor  # seldom needed, and slow to import

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [migration for migration, _ in plan]


def _length(column: Any) -> int:
    """The most characters of a column; 0 where there is no limit."""
    for size in (column.display_size, column.internal_size):
        if isinstance(size, int):
            return size
    return 0
