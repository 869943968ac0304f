"""The operations of Alembic, in migrations that Alembic itself finds and runs."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import reseal
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate.api import AutogenContext
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from job_support import KINDS
from reseal.sqlalchemy import BlindIndex, Encrypted
from reseal.sqlalchemy.alembic import DecryptColumnOp, EncryptColumnOp, render_item
from sqlalchemy import Column, Integer, MetaData, String, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy_support import engine_of, own_database

DATA, INDEX = reseal.Key.generate("data"), reseal.Key.generate("index")

ENV = """
from alembic import context
import reseal.sqlalchemy.alembic
config = context.config
target = config.attributes.get("metadata")
if context.is_offline_mode():
    context.configure(url="sqlite://", dialect_name="sqlite", target_metadata=target)
    with context.begin_transaction():
        context.run_migrations()
else:
    with config.attributes["engine"].connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=target,
            render_item=reseal.sqlalchemy.alembic.render_item,
        )
        with context.begin_transaction():
            context.run_migrations()
"""
MAKO = """
import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
def upgrade():
    ${upgrades if upgrades else "pass"}
def downgrade():
    ${downgrades if downgrades else "pass"}
"""
FIRST = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "1", None
def upgrade():
    op.create_table("users", sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("ssn", sa.String(20)), sa.Column("age", sa.Integer()))
    op.execute("INSERT INTO users VALUES (1, '078-05', 41), (2, NULL, 0), (3, '', NULL)")
def downgrade():
    op.drop_table("users")
"""
SECOND = """
import sqlalchemy as sa
from alembic import op
from reseal.sqlalchemy import BlindIndex, Encrypted
revision, down_revision = "2", "1"
SSN = {"existing_type": sa.String(20), "indexes": {"ssn_index": BlindIndex("ssn", normalizer="digits")}}
def upgrade():
    op.add_column("users", sa.Column("ssn_index", BlindIndex("ssn", normalizer="digits"), index=True))
    op.encrypt_column("users", "ssn", Encrypted(sa.String()), **SSN)
    op.encrypt_column("users", "age", Encrypted(sa.Integer()), existing_type=sa.Integer())
def downgrade():
    op.decrypt_column("users", "ssn", Encrypted(sa.String()), **SSN)
    op.decrypt_column("users", "age", Encrypted(sa.Integer()), existing_type=sa.Integer())
    op.drop_index("ix_users_ssn_index", "users")
    op.drop_column("users", "ssn_index")
"""
PLAIN = [(1, "078-05", 41), (2, None, 0), (3, "", None)]


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    monkeypatch.setenv("RESEAL_INDEX_KEY", INDEX.export())


@pytest.fixture
def config(tmp_path: Path) -> Config:
    scripts = tmp_path / "migrations"
    (scripts / "versions").mkdir(parents=True)
    (scripts / "env.py").write_text(ENV)
    (scripts / "script.py.mako").write_text(MAKO)
    (scripts / "versions/first.py").write_text(FIRST)
    (scripts / "versions/second.py").write_text(SECOND)
    found = Config(output_buffer=sys.stdout)
    found.set_main_option("script_location", str(scripts))
    found.set_main_option("path_separator", "os")
    return found


@pytest.fixture
def engine(
    kind: str, servers: dict[str, str], tmp_path: Path, config: Config
) -> Iterator[sa.Engine]:
    with own_database(kind, servers, tmp_path) as url:
        found = engine_of(url)
        config.attributes["engine"] = found
        yield found
        found.dispose()


def rows(engine: sa.Engine) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT id, ssn, age FROM users ORDER BY id"))
        return [tuple(row) for row in found]


def users() -> Table:
    return Table(
        "users",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("ssn", Encrypted(String)),
        Column("age", Encrypted(Integer)),
        Column("ssn_index", BlindIndex("ssn", normalizer="digits")),
    )


def test_a_column_is_encrypted_and_taken_back(engine: sa.Engine, config: Config) -> None:
    command.upgrade(config, "1")
    assert rows(engine) == PLAIN
    command.upgrade(config, "2")
    stored = rows(engine)
    assert all(str(one).startswith("rs1") for row in stored for one in row[1:] if one is not None)
    table = users()
    with engine.connect() as connection:
        asked = sa.select(table.c.id, table.c.ssn, table.c.age).order_by(table.c.id)
        assert [tuple(row) for row in connection.execute(asked)] == PLAIN
        found = sa.select(table.c.id).where(table.c.ssn == "07805")
        assert connection.scalars(found).all() == [1]
    command.downgrade(config, "1")
    assert rows(engine) == PLAIN
    # The column is what it was.
    columns = {one["name"]: one["type"] for one in sa.inspect(engine).get_columns("users")}
    assert sorted(columns) == ["age", "id", "ssn"]
    assert isinstance(columns["age"], Integer)
    assert getattr(columns["ssn"], "length", None) == 20
    # And once more: what was done once can be done again.
    command.upgrade(config, "2")
    assert rows(engine) != PLAIN


BOUND = """
import sqlalchemy as sa
from alembic import op
from reseal.sqlalchemy import Encrypted
revision, down_revision = "3", "1"
AGE = Encrypted(sa.Integer(), tenant="owner", bind_row=True)
def upgrade():
    op.add_column("users", sa.Column("owner", sa.Integer()))
    op.execute("UPDATE users SET owner = 7")
    op.encrypt_column("users", "age", AGE, existing_type=sa.Integer())
def downgrade():
    op.decrypt_column("users", "age", AGE, existing_type=sa.Integer())
    op.drop_column("users", "owner")
"""


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_bound_to_tenant_and_row(engine: sa.Engine, config: Config) -> None:
    versions = Path(config.get_main_option("script_location") or "") / "versions"
    (versions / "second.py").write_text(BOUND)
    command.upgrade(config, "3")
    column = reseal.Column(
        write=reseal.codecs.reseal(reseal.Keyring(DATA)),
        context={"table": "users", "column": "age"},
        type="integer",
    )
    opened = column.open(rows(engine)[0][2], tenant=7, row=1)
    assert opened is not None
    assert opened.value == 41
    command.downgrade(config, "1")
    assert rows(engine) == PLAIN


@pytest.mark.parametrize("kind", ["sqlite"])
def test_what_cannot_be_sealed_fails_the_migration(engine: sa.Engine, config: Config) -> None:
    command.upgrade(config, "1")
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO users VALUES (4, NULL, 'old')"))
    with pytest.raises(reseal.ResealError, match="1 values stay as they are") as caught:
        command.upgrade(config, "2")
    assert caught.value.code == "value-invalid"
    assert "old" not in str(caught.value)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE users SET age = 7 WHERE id = 4"))
        # The migration had added the column; SQLite has no transactions of such statements here.
        names = [one["name"] for one in sa.inspect(connection).get_columns("users")]
        if "ssn_index" in names:
            connection.execute(sa.text("DROP INDEX ix_users_ssn_index"))
            connection.execute(sa.text("ALTER TABLE users DROP COLUMN ssn_index"))
    command.upgrade(config, "2")
    assert all(str(row[2]).startswith("rs1") for row in rows(engine) if row[2] is not None)


TYPES: list[tuple[Any, list[Any]]] = [
    (sa.Boolean(), [True, False]),
    (sa.Date(), [datetime.date(2026, 3, 1)]),
    (sa.DateTime(), [datetime.datetime(2026, 3, 1, 12), datetime.datetime(1999, 1, 1, 0, 0, 59)]),
    (sa.Time(), [datetime.time(1, 2, 3)]),
    (sa.Numeric(9, 2), [decimal.Decimal("1.50"), decimal.Decimal("-0.07")]),
    (sa.Uuid(), [uuid.UUID(int=7), uuid.uuid4()]),
    (sa.JSON(), [{"a": [1]}, 5, "5"]),
    (sa.LargeBinary(), [b"\x00\xff", b"\\x00"]),
]


@contextmanager
def operations_on(engine: sa.Engine, target: MetaData) -> Iterator[Operations]:
    with engine.connect() as connection:
        opts = {"target_metadata": target, "transaction_per_migration": True}
        context = MigrationContext.configure(connection, opts=opts)
        with context.begin_transaction(_per_migration=True):
            yield Operations(context)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("type_", "values"), TYPES, ids=lambda one: type(one).__name__)
def test_values_of_each_type_come_back(
    engine: sa.Engine, type_: sa.types.TypeEngine[Any], values: list[Any]
) -> None:
    encrypted = Encrypted(type_, binary=isinstance(type_, sa.LargeBinary))
    plain, sealed = (
        Table(
            "things",
            MetaData(),
            Column("id", Integer, primary_key=True),
            Column("x", of, nullable=False, comment="of things"),
        )
        for of in (type_, encrypted)
    )
    plain.create(engine)

    def read(table: Table) -> list[Any]:
        with engine.connect() as connection:
            return list(connection.scalars(sa.select(table.c.x).order_by(table.c.id)))

    def stored() -> list[Any]:
        with engine.connect() as connection:
            return list(connection.exec_driver_sql("SELECT x FROM things ORDER BY id").scalars())

    with engine.begin() as connection:
        connection.execute(plain.insert(), [{"x": value} for value in values])
    before = stored()
    with operations_on(engine, sealed.metadata) as operations:
        operations.encrypt_column("things", "x", encrypted, existing_type=type_)  # type: ignore[attr-defined]
    assert read(sealed) == values
    assert all(reseal.inspect(one) for one in stored())
    with operations_on(engine, sealed.metadata) as operations:
        operations.decrypt_column("things", "x", encrypted, existing_type=type_)  # type: ignore[attr-defined]
    assert stored() == before
    assert read(plain) == values
    # It is as if nothing had been: what is looked for is found, and NULL is refused.
    with engine.connect() as connection:
        if not isinstance(type_, sa.JSON):
            asked = sa.select(sa.func.count()).where(plain.c.x == values[0])
            assert connection.scalar(asked) == 1
    [_, found] = sa.inspect(engine).get_columns("things")
    assert not found["nullable"]
    assert found.get("comment") == (None if engine.dialect.name == "sqlite" else "of things")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("type_", "texts"),
    [
        (sa.Boolean(), ["true", "false"]),
        (sa.Uuid(), [str(uuid.UUID(int=7))]),
        (sa.DateTime(timezone=True), ["2020-01-02T03:04:05Z", "2020-01-02T03:04:05.12Z"]),
        (sa.Time(), ["03:04:05"]),
    ],
    ids=lambda one: type(one).__name__,
)
def test_text_comes_back_as_the_text_that_it_was(
    engine: sa.Engine, type_: sa.types.TypeEngine[Any], texts: list[str]
) -> None:
    """The application wrote it, and not a type of the database."""
    encrypted, existing = Encrypted(type_), sa.String(40)
    plain, sealed = (
        Table("things", MetaData(), Column("id", Integer, primary_key=True), Column("x", of))
        for of in (existing, encrypted)
    )
    plain.create(engine)
    with engine.begin() as connection:
        connection.execute(plain.insert(), [{"x": text} for text in texts])
    for move in ("encrypt_column", "decrypt_column"):
        with operations_on(engine, sealed.metadata) as operations:
            getattr(operations, move)("things", "x", encrypted, existing_type=existing)
    with engine.connect() as connection:
        assert list(connection.scalars(sa.select(plain.c.x).order_by(plain.c.id))) == texts


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_database_would_keep_otherwise_is_refused(engine: sa.Engine) -> None:
    metadata = MetaData()
    Table("things", metadata, Column("id", Integer, primary_key=True)).create(engine)
    refused: list[tuple[Any, str]] = [(sa.LargeBinary(), "binary=True")]
    if engine.dialect.name != "postgresql":
        refused.append((sa.DateTime(timezone=True), "without their zone"))
    for type_, why in refused:
        for name in ("encrypt_column", "decrypt_column"):
            with (
                pytest.raises(sa.exc.InvalidRequestError, match=why),
                operations_on(engine, metadata) as operations,
            ):
                getattr(operations, name)("things", "x", Encrypted(type_), existing_type=type_)


def test_no_sql_is_written_for_it(config: Config) -> None:
    with pytest.raises(sa.exc.InvalidRequestError, match="without --sql"):
        command.upgrade(config, "1:2", sql=True)


def test_an_async_engine_is_told_before_anything_is_altered(tmp_path: Path) -> None:
    async def migrate() -> str:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/app.db")
        async with engine.begin() as connection:
            await connection.execute(sa.text("CREATE TABLE things (id INTEGER, x VARCHAR(20))"))
        async with engine.connect() as connection:
            for name in ("encrypt_column", "decrypt_column"):
                with pytest.raises(sa.exc.InvalidRequestError, match="a driver without asyncio"):
                    await connection.run_sync(move, name)
            found = await connection.run_sync(
                lambda sync: sa.inspect(sync).get_columns("things")[1]["type"]
            )
        await engine.dispose()
        return str(found)

    def move(connection: Any, name: str) -> None:
        operations = Operations(MigrationContext.configure(connection))
        getattr(operations, name)("things", "x", Encrypted(String), existing_type=String(20))

    assert asyncio.run(migrate()) == "VARCHAR(20)"


def test_a_type_within_a_type_stands_with_its_prefix() -> None:
    options = {"sqlalchemy_module_prefix": "sa.", "user_module_prefix": None}
    context = AutogenContext(
        MigrationContext.configure(dialect_name="postgresql"), opts=options, autogenerate=False
    )
    type_ = Encrypted(postgresql.JSONB, read=["plain"])
    written = render_item("type", type_, context)
    scope: dict[str, Any] = {"sa": sa}
    exec("\n".join(context.imports), scope)
    assert written
    assert repr(eval(written, scope)) == repr(type_)


def test_each_operation_undoes_the_other() -> None:
    one = EncryptColumnOp("users", "ssn", Encrypted(String), existing_type=String(20), row_id=["a"])
    back = one.reverse()
    assert isinstance(back, DecryptColumnOp)
    again = back.reverse()
    assert isinstance(again, EncryptColumnOp)
    assert (again.table_name, again.column_name, again.row_id) == ("users", "ssn", ("a",))
    assert again.existing_type is one.existing_type


@pytest.mark.parametrize("kind", KINDS)
def test_a_migration_is_generated_and_runs(engine: sa.Engine, config: Config) -> None:
    config.attributes["metadata"] = metadata = MetaData()
    Table(
        "patients",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("ssn", Encrypted(String(20), read=["plain"], context_name="people.ssn")),
        Column("scan", Encrypted(sa.LargeBinary, binary=True, mode="padded")),
        Column("price", Encrypted(sa.Numeric(10, 2))),
        Column("ssn_index", BlindIndex("ssn", normalizer="digits", bits=32), index=True),
    )
    versions = Path(config.get_main_option("script_location") or "") / "versions"
    for one in versions.glob("*.py"):
        one.unlink()
    made: Any = command.revision(config, "patients", autogenerate=True)
    text = Path(made.path).read_text()
    assert "from reseal.sqlalchemy import Encrypted" in text
    assert "Encrypted(sa.String(length=20), read=('plain',), context_name='people.ssn')" in text
    assert "BlindIndex('ssn', normalizer='digits', bits=32)" in text
    command.upgrade(config, "head")
    command.check(config)
