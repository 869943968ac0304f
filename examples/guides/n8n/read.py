"""An application that reads the tables of n8n through Reseal, in whatever format the rows are."""

from __future__ import annotations

import sys
from pathlib import Path

import reseal
import tables

sys.path.append(str(Path(__file__).resolve().parents[1]))
import guide

manifest = reseal.Manifest.load()
with guide.connect() as db:
    rows = tables.key_rows(db)
    guide.read(manifest, {"deployment_key": rows})
    column = tables.code_column(manifest, rows)
    codes = {
        str(row): [column.open(code, row=row).value for code in codes]
        for row, _, codes in tables.codes_of(db)
    }
    guide.compare("python", {"user.mfaRecoveryCodes": codes})
