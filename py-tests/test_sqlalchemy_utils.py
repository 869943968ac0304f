"""From the real SQLAlchemy-Utils to the adapter: declared as it is, then moved by the job."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import reseal
from reseal import jobs
from reseal.sqlalchemy import Encrypted, configure, manifest_of
from sqlalchemy import Column, Integer, MetaData, StaticPool, String, Table, create_engine, select

ENGINES = {
    "AesEngine": {"engine": "aes", "padding": "pkcs5", "expect": "utf8"},
    "AesGcmEngine": {"engine": "aes-gcm"},
    "FernetEngine": {"engine": "fernet"},
}


@pytest.mark.parametrize("name", ENGINES)
def test_a_column_moves(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # It has no types that a checker could read.
    encrypted_type = importlib.import_module("sqlalchemy_utils.types.encrypted.encrypted_type")
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", reseal.Key.generate("data").export())
    monkeypatch.setenv("OLD_KEY", "a secret of theirs")
    theirs: Any = getattr(encrypted_type, name)
    was = encrypted_type.StringEncryptedType(String, "a secret of theirs", theirs, "pkcs5")
    old = Table("users", MetaData(), Column("id", Integer, primary_key=True), Column("phone", was))
    metadata = MetaData()
    app = {"kind": "reseal", "keyring": "env"}
    own = {"kind": "sqlalchemy-utils", "keys": ["env:OLD_KEY"], **ENGINES[name]}
    configure({"app": app, "old": own}, metadata=metadata)
    type_ = Encrypted(String, read=["old"])
    new = Table("users", metadata, Column("id", Integer, primary_key=True), Column("phone", type_))
    engine = create_engine("sqlite://", poolclass=StaticPool)
    old.create(engine)
    phones = ["555-0100", "", "é 王", None]
    asked = select(new.c.phone).order_by(new.c.id)
    with engine.begin() as connection:
        connection.execute(old.insert(), [{"phone": phone} for phone in phones])
    with engine.connect() as connection:
        assert connection.scalars(asked).all() == phones
    report = jobs.apply(engine, manifest=reseal.Manifest.parse(manifest_of(metadata)))
    assert report["columns"][0]["total"]["resealed"][0]["values"] == 3
    with engine.connect() as connection:
        assert connection.scalars(asked).all() == phones
        raw = connection.exec_driver_sql("SELECT phone FROM users ORDER BY id").scalars().all()
        assert [one is not None and one.startswith("rs1.") for one in raw] == [True] * 3 + [False]
    engine.dispose()
