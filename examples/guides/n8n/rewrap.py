"""Wraps the keys of n8n under N8N_ENCRYPTION_KEY_NEW. No key changes, and no value does.

rewrap.py           every row of deployment_key
rewrap.py legacy    has the aes-256-cbc row, which reads values without a prefix, hold N8N_ENCRYPTION_KEY
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import tables
from reseal import codecs

sys.path.append(str(Path(__file__).resolve().parents[1]))
import guide

UPDATE = "UPDATE deployment_key SET value = %s WHERE id = %s AND value = %s"
instance_key = os.environ["N8N_ENCRYPTION_KEY"]
is_legacy = sys.argv[1:] == ["legacy"]

with guide.connect() as db, db.transaction():
    changed = 0
    for row in tables.key_rows(db):
        if not is_legacy:
            wanted = os.environ["N8N_ENCRYPTION_KEY_NEW"]
            value = codecs.N8nKeyRow(**row).rewrap([instance_key], wanted).value
        elif row["algorithm"] == "aes-256-cbc":
            value = codecs.N8nDataKey.from_text(instance_key).wrap(instance_key)
        else:
            continue
        if value != row["value"]:
            changed += db.execute(UPDATE, [value, row["id"], row["value"]]).rowcount
print(f"{guide.counted(changed, 'key')} wrapped")
