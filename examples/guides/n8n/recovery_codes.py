"""Brings the recovery codes of each user to the codec that the manifest writes into `user.mfaSecret`."""

from __future__ import annotations

import sys
from pathlib import Path

import reseal
import tables

sys.path.append(str(Path(__file__).resolve().parents[1]))
import guide

UPDATE = 'UPDATE "user" SET "mfaRecoveryCodes" = %s WHERE id = %s AND "mfaRecoveryCodes" = %s'

resealed = 0
with guide.connect() as db:
    column = tables.code_column(reseal.Manifest.load(), tables.key_rows(db))
    for row, text, codes in tables.codes_of(db):
        outcomes = [column.reseal(code, row=row) for code in codes]
        if any(isinstance(it, reseal.Refused) for it in outcomes):
            raise SystemExit(
                f"a code of user {row} does not open, and all of them stay as they are"
            )
        done = [
            it.value if isinstance(it, reseal.Resealed) else code
            for it, code in zip(outcomes, codes, strict=True)
        ]
        if done != codes:
            # Only where n8n has not written meanwhile: then run it again.
            resealed += db.execute(UPDATE, [",".join(map(str, done)), row, text]).rowcount
print(f"recovery codes of {resealed} users resealed")
