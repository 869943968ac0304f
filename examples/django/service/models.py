"""The table `users`, as it is declared in each stage of the move.

Each column is written in the format of its stage and read in both, so that a stage can be taken back.
"""

from django.conf import settings
from django.db import models
from reseal.django import BlindIndexField, EncryptedManager, EncryptedTextField

# Once nothing is left in Rails' format, its codecs are taken away.
OLD, OLD_LOOKUP = ([], []) if settings.STAGE == "done" else (["rails"], ["rails_lookup"])


class User(models.Model):
    """A user; Rails made the table."""

    if settings.STAGE == "rails":
        # encrypts :name
        name = EncryptedTextField(write="rails", read=["app"])
    else:
        name = EncryptedTextField(read=OLD)

    if settings.STAGE in ("rails", "name"):
        # encrypts :email, deterministic: true
        email = EncryptedTextField(write="rails_lookup", read=["app"], mode="deterministic")
    else:
        email = EncryptedTextField(read=OLD_LOOKUP)
        email_index = BlindIndexField("email", normalizer="ascii-lower-trim")
        objects = EncryptedManager()

    class Meta:
        db_table = "users"
        managed = False
