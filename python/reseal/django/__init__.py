"""Encrypted fields for Django 5.2 and newer: `pip install reseal[django]`.

```python
from reseal.django import BlindIndexField, EncryptedManager, EncryptedTextField

class Patient(models.Model):
    name = EncryptedTextField()
    ssn = EncryptedTextField(null=True)
    ssn_index = BlindIndexField("ssn", normalizer="digits")
    objects = EncryptedManager()

patient = Patient.objects.create(name="Ann", ssn="078-05-1120")
assert Patient.objects.get(ssn="078 05 1120").name == "Ann"
```

With `"reseal.django"` in `INSTALLED_APPS` and the key in `RESEAL_PRIMARY_KEY`, that is all; the setting
`RESEAL` names other codecs (`reseal.django.conf`). Keys are read at the first use, so `migrate` and
`collectstatic` need none.

Every field takes the options of Django's field of the same name, and:

- `write`: the codec that is written; that of the setting if nothing is said. `read`: those that are read
  as well, such as `plain` or `rails`. A value is in the codec that is written once it was saved.
- `context_name`: `"users.ssn"` or `"ssn"`, what is bound to each value in the place of the names of the
  table and the column, so that they may be renamed. `earlier_contexts`: such names that older values have.
- `tenant`: the name of another field, or a function of the instance, whose value is bound as well.
- `bind_row`: binds the primary key, where it is known before the row is inserted.
- `mode`: `random`, `deterministic` or `padded`. `binary`: a column of bytes in the place of text.

A value is opened when it is first asked for; one that nobody asked for is not written by `save()`. NULL
is NULL; the empty text, 0 and False are sealed. A database finds values by a `BlindIndexField`; all other
lookups, orderings and computations raise `FieldError` with the alternative.

Errors: `reseal.ResealError` with the codes of `spec/errors.md`, and the model, the column and the row id
in it: those of `reseal.Column.open` when a value is asked for, and of `reseal.Column.seal` when it is
saved. `EncryptedQuerySet.on_error("report")` shows a list in spite of them.
"""

from reseal._adapters import Unopened
from reseal.django.fields.index import BlindIndexField
from reseal.django.fields.types import (
    EncryptedBigIntegerField,
    EncryptedBinaryField,
    EncryptedBooleanField,
    EncryptedCharField,
    EncryptedDateField,
    EncryptedDateTimeField,
    EncryptedDecimalField,
    EncryptedEmailField,
    EncryptedIntegerField,
    EncryptedJSONField,
    EncryptedTextField,
    EncryptedURLField,
    EncryptedUUIDField,
)
from reseal.django.manager import EncryptedManager, EncryptedQuerySet

__all__ = [
    "BlindIndexField",
    "EncryptedBigIntegerField",
    "EncryptedBinaryField",
    "EncryptedBooleanField",
    "EncryptedCharField",
    "EncryptedDateField",
    "EncryptedDateTimeField",
    "EncryptedDecimalField",
    "EncryptedEmailField",
    "EncryptedIntegerField",
    "EncryptedJSONField",
    "EncryptedManager",
    "EncryptedQuerySet",
    "EncryptedTextField",
    "EncryptedURLField",
    "EncryptedUUIDField",
    "Unopened",
]
