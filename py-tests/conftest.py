from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import reseal
from cli_support import COMMANDS, DATA, KEK, OLD, Pair
from job_support import KINDS, Place, column, pairs, places

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.orm import Session

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def ring() -> reseal.Keyring:
    return reseal.Keyring(primary=reseal.Key.generate("data"), index=reseal.Key.generate("index"))


@pytest.fixture(scope="session", autouse=True)
def private_files() -> Iterator[None]:
    """Files of keys are for their owner, or there is a warning, which is an error here."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture(scope="session", autouse=True)
def interrupts() -> None:
    """Programs that a shell starts in the background ignore ^C, and so would all that we start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def writers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The command that edits files as keysets are edited, in both languages."""
    bundle = tmp_path_factory.mktemp("writer") / "keyset-writer.mjs"
    esbuild = ROOT / "wasm/node_modules/.bin/esbuild"
    source = ROOT / "js-tests/fixtures/keyset-writer.ts"
    options = ["--bundle", "--platform=node", "--format=esm", "--log-level=warning"]
    subprocess.run([esbuild, source, *options, f"--outfile={bundle}"], check=True)
    return {
        "python": [sys.executable, str(ROOT / "py-tests/keyset_writer.py")],
        "node": ["node", str(bundle)],
    }


@pytest.fixture(scope="session")
def servers() -> dict[str, str]:
    """The URLs of a PostgreSQL and a MariaDB: for this process, or for those that take turns."""
    script = ROOT / "scripts/databases.py"
    keeper = os.environ.get("SERVERS_WHILE") or str(os.getpid())
    command = [sys.executable, str(script), "start", "--while", keeper]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    urls: dict[str, str] = json.loads(done.stdout)
    return urls


@pytest.fixture(params=COMMANDS)
def command(request: pytest.FixtureRequest) -> str:
    """The name of one of the commands."""
    name: str = request.param
    return name


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The name of one of the databases."""
    name: str = request.param
    return name


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The fixture `base` has no list of its own: a file says whether its tests are `OF_DRIVERS`."""
    if "base" in metafunc.fixturenames:
        every = getattr(metafunc.module, "OF_DRIVERS", False)
        of_test = pairs(KINDS, metafunc.function.__name__, every=every)
        metafunc.parametrize("base", of_test, indirect=True, ids="-".join)


@pytest.fixture
def base(
    request: pytest.FixtureRequest, servers: dict[str, str], tmp_path: Path
) -> Iterator[Place]:
    """An empty database of each kind, for a command."""
    kind, command = request.param
    yield from places(kind, command, servers, tmp_path)


@pytest.fixture
def place(
    request: pytest.FixtureRequest, servers: dict[str, str], tmp_path: Path
) -> Iterator[Place]:
    """A database that the manifest describes, of the kind and for the command that a test asks for."""
    kind, command = request.param
    for place in places(kind, command, servers, tmp_path):
        place.describe(column())
        yield place


@pytest.fixture
def filled(request: pytest.FixtureRequest, place: Place) -> Place:
    """With a table of users, which holds the `TEXTS` of the file of tests."""
    place.users(request.module.TEXTS)
    return place


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


@pytest.fixture
def ringed(pair: Pair) -> Pair:
    pair.env["RESEAL_PRIMARY_KEY"] = DATA.export()
    return pair


@pytest.fixture(scope="session")
def keyset_made(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A keyset of known keys, which both commands made: first is primary, second is introduced."""
    pair = Pair(tmp_path_factory.mktemp("keyset"))
    pair.write("kek", KEK.export() + "\n")
    pair.write("first", DATA.export())
    pair.write("second", OLD.export())
    pair.env |= {"RESEAL_KEYSET": "ring.json", "RESEAL_KEK_FILE": "kek"}
    pair.run("keyset", "init", "--empty")
    pair.run("keyset", "introduce", "--key-file", "first", "--label", "first")
    pair.run("keyset", "promote", DATA.id)
    pair.run("keyset", "introduce", "--key-file", "second", "--label", "second")
    return pair


@pytest.fixture
def keyed(keyset_made: Pair, pair: Pair) -> Pair:
    """With a copy of it."""
    shutil.copytree(keyset_made.root, pair.root, dirs_exist_ok=True)
    pair.env |= keyset_made.env
    return pair


# Django and SQLAlchemy take long to load: only the fixtures that need them do.


@pytest.fixture(scope="module")
def django_tables(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The alias of a database of Django, with tables for the `MODELS` of the file of tests."""
    from django_support import sqlite_tables

    with sqlite_tables(tmp_path_factory, *request.module.MODELS) as alias:
        yield alias


@pytest.fixture
def db(
    request: pytest.FixtureRequest, django_tables: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The same, empty, and a ring of the environment."""
    from django_support import fresh_ring

    with fresh_ring(django_tables, monkeypatch, *request.module.MODELS) as alias:
        yield alias


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The keys of the `RING` of SQLAlchemy's tests in the environment."""
    from reseal.sqlalchemy import configure
    from sqlalchemy_app import DATA, INDEX

    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    monkeypatch.setenv("RESEAL_INDEX_KEY", INDEX.export())
    configure()
    yield
    configure()


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    """An engine of SQLAlchemy, with the tables of its models in memory."""
    from sqlalchemy import StaticPool, create_engine
    from sqlalchemy_app import Base

    engine = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Session]:
    """A session of that engine."""
    from sqlalchemy.orm import Session

    with Session(engine) as session:
        yield session
