"""Operations of migrations: a column of plaintext becomes an encrypted one, and back.

```python
class Migration(migrations.Migration):
    atomic = False  # the job commits batch by batch
    dependencies = [("clinic", "0002_ssn_may_be_encrypted")]
    operations = [EncryptColumn("patient", "ssn")]
```

The migration before it alters the field to `EncryptedTextField(read=["plain"])` and adds the
`BlindIndexField`. Between the two every process is started anew with that declaration: one with the old
declaration would show envelopes.

They run the bulk job over the column: an edit that comes meanwhile is never overwritten, and a migration
that was interrupted goes on where it was. A later migration may take `read=["plain"]` away.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import router
from django.db.migrations.operations.base import Operation

from reseal import jobs
from reseal._adapters import Declaration, manifest_text
from reseal._errors import ResealError
from reseal._native import Manifest, _error
from reseal.django import conf
from reseal.django.fields.base import EncryptedField

_PLAIN = "plain"


class _Column(Operation):
    reduces_to_sql = False
    reversible = True
    atomic = False

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name, self.name = model_name, name

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what a migration writes."""
        return type(self).__name__, [self.model_name, self.name], {}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing: the fields are declared by other operations."""

    def references_model(self, name: str, app_label: str) -> bool:
        """Whether it is about a model."""
        return name.lower() == self.model_name.lower()

    def references_field(self, model_name: str, name: str, app_label: str) -> bool:
        """Whether it is about a field: it opens and seals by all that the model declares, as indexes and tenants."""
        return self.references_model(model_name, app_label)

    def _run(self, app_label: str, editor: Any, state: Any, *, seals: bool) -> None:
        connection = editor.connection
        model = state.apps.get_model(app_label, self.model_name)
        if not router.allow_migrate(
            connection.alias, app_label, model_name=self.model_name.lower()
        ):
            return
        field = model._meta.get_field(self.name)
        if not isinstance(field, EncryptedField):
            raise ImproperlyConfigured(
                f"{app_label}.{self.model_name}.{self.name} is no encrypted field at this point of "
                "the migrations: alter the field before it is encrypted, and after it was decrypted"
            )
        _check_kept(field, connection)
        values = model._base_manager.using(connection.alias).filter(
            **{f"{field.name}__isnull": False}
        )
        if not values.exists():
            return  # as of a new database, which needs neither keys nor codecs of former times
        if connection.in_atomic_block:
            raise ImproperlyConfigured(
                f"{type(self).__name__} commits batch by batch: set atomic = False in its migration"
            )
        declared = _turned(field.declaration(), seals)
        if seals:
            _spell(field, connection)
        connection.ensure_connection()
        report = jobs.apply(
            connection.connection,
            manifest=Manifest.parse(manifest_text(conf.codecs(), [declared])),
            allow_plaintext=not seals,
            reindex=seals,
            checkpoint="none",
        )
        _check(declared, report)
        if not seals:
            _spell_back(field, connection)


class EncryptColumn(_Column):
    """Seals every value of a column that held plaintext, and writes the terms of its indexes.

    The field is declared before, with `plain` among its `read` codecs; see the module. Backwards it
    writes plaintext again, which `RESEAL_REQUIRE_ENCRYPTION` forbids.

    Errors: those of `reseal.jobs.apply`; the code of a value that could not be sealed, where there was
    one: all others are sealed then, and the migration may be run again. `ImproperlyConfigured` where the
    field is not encrypted, or there are values and the migration is atomic.
    """

    def database_forwards(
        self, app_label: str, editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Seal."""
        self._run(app_label, editor, to_state, seals=True)

    def database_backwards(
        self, app_label: str, editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Open."""
        self._run(app_label, editor, from_state, seals=False)

    def describe(self) -> str:
        """Say what it does."""
        return f"Encrypt the column {self.name} of {self.model_name}"

    @property
    def migration_name_fragment(self) -> str:
        """What the name of a migration says of it."""
        return f"encrypt_{self.model_name.lower()}_{self.name.lower()}"


class DecryptColumn(_Column):
    """Opens every value of a column, so that it holds plaintext; backwards it seals them.

    The field is still an encrypted one, and altered afterwards. Errors: as of `EncryptColumn`;
    `encryption-required` where `RESEAL_REQUIRE_ENCRYPTION` is set.
    """

    def database_forwards(
        self, app_label: str, editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Open."""
        self._run(app_label, editor, to_state, seals=False)

    def database_backwards(
        self, app_label: str, editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Seal."""
        self._run(app_label, editor, from_state, seals=True)

    def describe(self) -> str:
        """Say what it does."""
        return f"Decrypt the column {self.name} of {self.model_name}"

    @property
    def migration_name_fragment(self) -> str:
        """What the name of a migration says of it."""
        return f"decrypt_{self.model_name.lower()}_{self.name.lower()}"


def _turned(declared: Declaration, seals: bool) -> Declaration:
    """The declaration of the job: plaintext on one side, whatever the field reads on the other."""
    others = tuple(name for name in declared.read if name not in (_PLAIN, declared.write))
    if seals:
        return replace(declared, read=(*others, _PLAIN))
    # Without indexes: their terms stay until the column goes.
    return replace(
        declared, write=_PLAIN, read=(declared.write, *others), mode="random", indexes=()
    )


def _check_kept(field: EncryptedField, connection: Any) -> None:
    """Refuse what a database would keep otherwise than it was, when the field is altered.

    Errors: `ImproperlyConfigured`.
    """
    kind = field.reseal_type
    if kind == "bytes" and not field.binary:
        raise ImproperlyConfigured(
            f"{field}: no column of text holds bytes as they are: declare it with binary=True"
        )
    if kind == "timestamp" and settings.USE_TZ and connection.vendor != "postgresql":
        raise ImproperlyConfigured(
            f"{field}: this database keeps moments without their zone, which would be lost: copy the "
            "values to a new field with RunPython"
        )


def _spell(field: EncryptedField, connection: Any) -> None:
    """Bring what a database made text of to the spelling of its type."""
    if field.reseal_type == "boolean":
        for spelling, found in (("true", ("1", "t")), ("false", ("0", "f"))):
            _rewrite(field, connection, "%s", "IN (%s, %s)", [spelling, *found])


def _spell_back(field: EncryptedField, connection: Any) -> None:
    """Bring text to what the database makes its own type of, when the field is altered next."""
    kind = field.reseal_type
    if kind == "boolean" and connection.vendor != "postgresql":
        for spelling, found in (("1", "true"), ("0", "false")):
            _rewrite(field, connection, "%s", "= %s", [spelling, found])
    elif kind == "uuid" and not connection.features.has_native_uuid_field:
        column = connection.ops.quote_name(field.column)
        _rewrite(field, connection, f"REPLACE({column}, '-', '')", "LIKE %s", ["%-%"])
    elif kind == "timestamp" and connection.vendor == "sqlite":
        spaced = f"REPLACE({connection.ops.quote_name(field.column)}, 'T', ' ')"
        # Six digits of a second, or none.
        full = f"CASE WHEN {spaced} LIKE '%%.%%' THEN substr({spaced} || '000000', 1, 26) ELSE {spaced} END"
        _rewrite(field, connection, full, "LIKE %s", ["%T%"])


def _rewrite(
    field: EncryptedField, connection: Any, to: str, where: str, parameters: list[str]
) -> None:
    quote = connection.ops.quote_name
    table, column = quote(field.model._meta.db_table), quote(field.column)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {column} = {to} WHERE {column} {where}",  # noqa: S608
            parameters,
        )


def _check(declared: Declaration, report: Any) -> None:
    """Refuse a migration that left something behind."""
    [column] = report["columns"]
    refused: dict[str, int] = column["total"]["refused"]
    if refused:
        code = next(iter(refused))
        shown = ", ".join(f"{count} with {name}" for name, count in refused.items())
        place = f"{declared.table}.{declared.column}"
        raise _error(
            code, f"values of {place} stayed as they are: {shown}; reseal verify lists them"
        )
    if report["end"] != "complete":
        raise ResealError("job-conflict", f"the job ended as {report['end']}: migrate again")
