"""Keysets in a database: the store, rings that follow it, the commands and manifests, on every one."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest
import reseal
from cli_support import KEK, SECONDS, environment
from job_support import CODECS, Place, column, connect, each, other, places, total
from reseal._database_url import parse

LEASE = 60
OTHER_KEK = reseal.Key.generate("kek")
PASSWORD = "hunter2-of-the-database"


@pytest.fixture
def own(kind: str, servers: dict[str, str], tmp_path: Any) -> Any:
    """An empty database of each kind."""
    yield from places(kind, "python", servers, tmp_path)


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def code_of(call: Callable[[], object]) -> str:
    """The code that a call fails with; the message shows no password."""
    with pytest.raises(reseal.ResealError) as caught:
        call()
    assert PASSWORD not in str(caught.value)
    assert caught.value.__context__ is None or PASSWORD not in str(caught.value.__context__)
    return caught.value.code


def begun(place: Place, **more: Any) -> tuple[reseal.SqlKeysetStore, str]:
    """A store with a keyset of one key and a lease, and the id of its ring."""
    keyset = reseal.Keyset.create(kek=KEK, lease_seconds=LEASE)
    keyset.rotate("data", label="first", early=True)
    reseal.SqlKeysetStore(place.url, kek=KEK).create(keyset)
    return reseal.SqlKeysetStore(place.url, kek=KEK, ring=keyset.ring_id, **more), keyset.ring_id


def labels(store: reseal.SqlKeysetStore) -> list[str]:
    keys = store.load().keys()
    return [key.label for key in keys]


def introduce(label: str, keyset: reseal.Keyset) -> str:
    return keyset.introduce("data", label=label)


def rotate(store: reseal.SqlKeysetStore) -> str:
    return store.edit(lambda keyset: keyset.rotate("data", early=True))


# --- the store ----------------------------------------------------------------------------------


def test_it_is_created_loaded_saved_and_edited(own: Place) -> None:
    store, ring = begun(own)
    assert own.do("SELECT ring, generation FROM reseal_keysets") == [(ring, 1)]
    keyset = store.load()
    assert labels(store) == ["first"]
    keyset.relabel(keyset.keys()[0].id, "größer")
    store.save(keyset)
    assert (keyset.generation, store.load().generation) == (2, 2)
    assert own.do("SELECT generation FROM reseal_keysets") == [(2,)]
    second = rotate(store)
    assert reseal.Keyring.from_keyset(store).primary_id == second
    # The only ring needs no name, and saving goes on with what was saved.
    alone = reseal.SqlKeysetStore(own.url, kek=KEK)
    assert labels(alone) == ["größer", ""]
    store.save(keyset := store.load())
    store.save(keyset)
    assert alone.load().generation == 5


def test_an_open_connection_will_do(own: Place) -> None:
    connection = connect(own.kind, own.url)
    store = reseal.SqlKeysetStore(connection, kek=KEK)
    store.create(reseal.Keyset.create(kek=KEK))
    assert reseal.Keyring.from_keyset(store).primary_id is None
    assert reseal.Keyring.from_keyset(store).primary_id != rotate(store)
    assert code_of(lambda: reseal.LiveKeyring.from_keyset(store)) == "invalid-argument"
    connection.close()
    assert code_of(store.load) == "invalid-argument"


def test_of_two_editors_one_has_to_load_again(own: Place) -> None:
    store, _ = begun(own)
    one, two = store.load(), store.load()
    one.introduce("data")
    two.introduce("data")
    store.save(one)
    assert code_of(lambda: store.save(two)) == "keyset-conflict"
    assert len(store.load().keys()) == 2
    own.do("DELETE FROM reseal_keysets")
    assert code_of(lambda: store.save(one)) == "keyset-conflict"


def test_no_edit_of_several_threads_is_lost(own: Place) -> None:
    store, _ = begun(own)

    def edit() -> None:
        for _ in range(4):
            store.edit(lambda keyset: keyset.introduce("data"))

    threads = [threading.Thread(target=edit) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.load().keys()) == 13
    assert own.do("SELECT generation FROM reseal_keysets") == [(13,)]


def test_a_table_has_several_rings(own: Place) -> None:
    first, ring = begun(own)
    second, other_ring = begun(own)
    alone = reseal.SqlKeysetStore(own.url, kek=KEK)
    assert code_of(alone.load) == "source-conflict"
    rotate(first)
    assert (first.load().generation, second.load().generation) == (2, 1)
    assert {first.load().ring_id, second.load().ring_id} == {ring, other_ring}
    assert code_of(lambda: second.create(first.load())) == "keyset-wrong-ring"
    assert code_of(lambda: first.create(first.load())) == "keyset-conflict"
    # A document in the row of another ring is none of it.
    [(document,)] = own.do("SELECT document FROM reseal_keysets WHERE ring = %s", other_ring)
    own.do("UPDATE reseal_keysets SET document = %s WHERE ring = %s", document, ring)
    assert code_of(first.load) == "keyset-wrong-ring"


def test_what_does_not_open_it(own: Place) -> None:
    _, ring = begun(own)
    of: Callable[..., reseal.SqlKeysetStore] = lambda **more: reseal.SqlKeysetStore(  # noqa: E731
        own.url, ring=ring, **more
    )
    assert code_of(of(kek=OTHER_KEK).load) == "kek-mismatch"
    assert code_of(of().load) == "source-missing"
    assert code_of(of(kek=KEK, min_generation=2).load) == "keyset-outdated"
    assert of(kek=[OTHER_KEK, KEK], min_generation=1).load().generation == 1
    kek_file = own.folder / "kek"
    kek_file.write_text(KEK.export())
    assert of(kek_file=kek_file).load().generation == 1
    own.do("UPDATE reseal_keysets SET document = '{}'")
    assert code_of(of(kek=KEK).load) == "keyset-malformed"
    assert PASSWORD not in repr(reseal.SqlKeysetStore(f"postgresql://u:{PASSWORD}@h/d"))
    assert repr(of()) == f'SqlKeysetStore("sql:{ring}")'


def test_what_is_missing_is_told_and_not_made(own: Place) -> None:
    store = reseal.SqlKeysetStore(own.url, kek=KEK)
    with pytest.raises(reseal.KeyringError, match="reseal keyset init --keyset sql:") as caught:
        store.load()
    assert caught.value.code == "source-unreadable"
    assert not own.has("reseal_keysets")
    _, ring = begun(own)
    missing = reseal.SqlKeysetStore(own.url, kek=KEK, ring="a" * 26)
    with pytest.raises(reseal.KeyringError, match=f"no keyset of the ring {'a' * 26}"):
        missing.load()
    own.do("DELETE FROM reseal_keysets")
    with pytest.raises(reseal.KeyringError, match="is empty"):
        store.load()
    assert (
        code_of(reseal.SqlKeysetStore(own.url, kek=KEK, ring=ring[1:]).load) == "invalid-argument"
    )


def test_failures_of_the_database_show_no_password(servers: dict[str, str]) -> None:
    for kind in ("postgresql", "mysql"):
        at = parse(servers[kind])
        for host in (f"{at.host}:{at.port}", "127.0.0.1:1"):
            url = f"{kind}://nobody:{PASSWORD}@{host}/none"
            store = reseal.SqlKeysetStore(url, kek=KEK)
            assert code_of(store.load) == "database-error"
            live = reseal.LiveKeyring.from_keyset(store)
            assert code_of(partial(live.seal, "x", {})) == "database-error"
            assert PASSWORD not in repr((live, live.status(), store))


@pytest.mark.parametrize("kind", ["postgresql", "mysql"], indirect=True)
def test_a_row_that_does_not_come(own: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody alters the table, and forgets to commit."""
    store, _ = begun(own)
    monkeypatch.setattr("reseal._sql_keyset_store.READ_SECONDS", 1)
    ring = reseal.LiveKeyring.from_keyset(store)
    stored = ring.seal("x", {})
    with connect(own.kind, own.url) as somebody:
        cursor = somebody.cursor()
        if own.kind == "postgresql":
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE reseal_keysets")
        else:
            cursor.execute("LOCK TABLES reseal_keysets WRITE")
        assert code_of(store.load) == "database-error"
        assert code_of(ring.refresh) == "database-error"
        assert ring.open(stored, {}) == b"x"
    ring.refresh()


# --- rings that follow it -----------------------------------------------------------------------


def test_a_live_ring_follows_it(own: Place) -> None:
    store, ring = begun(own)
    clock = Clock()
    live = reseal.LiveKeyring.from_keyset(store, check_seconds=10, clock=clock)
    stored = live.seal("x", {})
    first = live.primary_id
    second = rotate(store)
    assert live.primary_id == first
    clock.now += 11
    assert live.primary_id == second
    assert live.open_str(stored, {}) == "x"
    status = live.status()
    assert (status.kind, status.ring_id, status.generation) == ("keyset", ring, 2)
    # An unknown key is a reason to look.
    rotate(store)
    clock.now += 2
    assert live.open_str(reseal.Keyring.from_keyset(store).seal("y", {}), {}) == "y"


def test_without_its_database_it_seals_for_the_lease(own: Place) -> None:
    store, _ = begun(own)
    clock = Clock()
    live = reseal.LiveKeyring.from_keyset(store, clock=clock)
    stored = live.seal("x", {})
    own.do("ALTER TABLE reseal_keysets RENAME TO elsewhere")
    clock.now += LEASE - 1
    assert live.open_str(live.seal("x", {}), {}) == "x"
    assert live.status().last_error.code == "source-unreadable"  # type: ignore[union-attr]
    clock.now += 2
    assert code_of(lambda: live.seal("x", {})) == "ring-stale"
    assert live.open_str(stored, {}) == "x"
    assert code_of(live.refresh) == "source-unreadable"
    own.do("ALTER TABLE elsewhere RENAME TO reseal_keysets")
    clock.now += 2
    assert live.seal("x", {})
    assert not live.status().stale


def test_neither_an_older_copy_nor_another_ring_is_followed(own: Place) -> None:
    store, ring = begun(own)
    live = reseal.LiveKeyring.from_keyset(store)
    live.refresh()
    [(old,)] = own.do("SELECT document FROM reseal_keysets")
    rotate(store)
    live.refresh()
    own.do("UPDATE reseal_keysets SET document = %s", old)
    assert code_of(live.refresh) == "keyset-outdated"
    own.do("DELETE FROM reseal_keysets")
    begun(own)
    assert code_of(live.refresh) == "source-unreadable"
    alone = reseal.LiveKeyring.from_keyset(reseal.SqlKeysetStore(own.url, kek=KEK))
    alone.refresh()
    own.do("DELETE FROM reseal_keysets")
    begun(own)
    assert code_of(alone.refresh) == "keyset-wrong-ring"
    assert live.status().ring_id == ring


def test_a_file_store_is_followed_as_well(tmp_path: Any) -> None:
    file = reseal.KeysetFile(tmp_path / "ring.json", kek=[OTHER_KEK, KEK])
    file.create(reseal.Keyset.create(kek=KEK))
    live = reseal.LiveKeyring.from_keyset(file, check_seconds=0)
    assert live.keys() == []
    changed = file.edit(lambda keyset: keyset.rotate("data"))
    assert live.primary_id == changed == reseal.Keyring.from_keyset(file).primary_id
    assert code_of(lambda: reseal.Keyring.from_keyset(file, kek=KEK)) == "invalid-argument"


def test_a_lost_connection_is_found_again(servers: dict[str, str], tmp_path: Any) -> None:
    """An engine keeps connections, which the server may end."""
    sqlalchemy = pytest.importorskip("sqlalchemy")
    for place in places("postgresql", "python", servers, tmp_path):
        begun(place)
        url = place.url.replace("postgresql://", "postgresql+psycopg://")
        engine = sqlalchemy.create_engine(url, pool_size=1)
        store = reseal.SqlKeysetStore(engine, kek=KEK)
        live = reseal.LiveKeyring.from_keyset(store, check_seconds=0, reload_seconds=0)
        first = live.primary_id
        place.do(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        second = rotate(reseal.SqlKeysetStore(place.url, kek=KEK))
        found = [live.primary_id for _ in range(3)]
        assert first != second == found[-1]
        engine.dispose()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_after_a_fork_each_process_goes_on_by_itself(own: Place) -> None:
    store, _ = begun(own)
    live = reseal.LiveKeyring.from_keyset(store, check_seconds=0)
    live.seal("x", {})
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                for _ in range(5):
                    rotate(store)
                    live.refresh()
                    assert live.open_str(live.seal("x", {}), {}) == "x"
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    for _ in range(5):
        live.refresh()
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    live.refresh()
    assert live.status().generation == 21
    assert len(live.keys()) == 21


# --- the variables, the commands, the manifest --------------------------------------------------


def test_variables_name_it(own: Place) -> None:
    store, ring = begun(own)
    environ = {
        "RESEAL_KEYSET": f"sql:{ring}",
        "RESEAL_KEK": KEK.export(),
        "RESEAL_DATABASE_URL": own.url,
    }
    first = reseal.Keyring.from_env(environ).primary_id
    live = reseal.LiveKeyring.from_env(environ, check_seconds=0)
    assert live.primary_id == first
    assert live.primary_id != rotate(store)
    assert reseal.Keyring.from_env(environ | {"RESEAL_KEYSET": "sql:"}).primary_id != first
    del environ["RESEAL_DATABASE_URL"]
    assert code_of(lambda: reseal.Keyring.from_env(environ)) == "source-missing"


def in_command(place: Place) -> None:
    """The variables that the commands go by."""
    (place.folder / "kek").write_text(KEK.export())
    place.env = {
        "RESEAL_KEYSET": "sql:",
        "RESEAL_KEK_FILE": "kek",
        "RESEAL_DATABASE_URL": place.url,
    }


@each
def test_both_commands_keep_one_keyset(place: Place) -> None:
    in_command(place)
    two = other(place.command)
    made = json.loads(place.run("keyset", "init", "--json").out)
    assert made["file"] == f"sql:{made['ring']}"
    store = reseal.SqlKeysetStore(place.url, kek=KEK)
    assert store.load().generation == 1
    place.env["RESEAL_KEYSET"] = made["file"]
    introduced = json.loads(place.run("keyset", "introduce", "--json", by=two).out)["id"]
    place.run("keyset", "promote", introduced[:6])
    place.run("keyset", "rotate", by=two)
    shown = json.loads(place.run("keyset", "show", "--json").out)
    assert (shown["verified"], shown["generation"], len(shown["keys"])) == (True, 4, 3)
    (place.folder / "new").write_text(OTHER_KEK.export())
    place.run("keyset", "rewrap-keys", "--new-kek-file", "new", "--keep")
    place.run("keyset", "verify", "--kek-file", "new", by=two)
    place.run("keyset", "rewrap-keys", "--kek-file", "new", "--remove", KEK.id, "--yes", by=two)
    assert code_of(store.load) == "kek-mismatch"
    place.env["RESEAL_KEK_FILE"] = "new"
    sealed = place.run("seal", "--context", "row=1", "x").out.strip()
    assert place.run("open", "--context", "row=1", sealed, by=two).out == "x\n"
    canary = place.run("canary", "make").out.strip()
    place.run("canary", "check", canary, by=two)
    assert "ring" in place.run("doctor").out
    # The URL may be an option as well, for those who hold no password in it.
    place.env.pop("RESEAL_DATABASE_URL")
    assert "RESEAL_DATABASE_URL" in place.run("keyset", "show", code=3).err
    place.run("keyset", "show", "--db", place.url)


@each
def test_a_second_ring_is_made_only_when_asked_for(place: Place) -> None:
    in_command(place)
    assert "keyset init" in place.run("keyset", "show", code=4).err
    assert not place.has("reseal_keysets")
    first = json.loads(place.run("keyset", "init", "--json").out)["ring"]
    place.run("keyset", "init", code=2)
    place.run("keyset", "init", "--keyset", f"sql:{first}", code=2)
    assert len(place.do("SELECT ring FROM reseal_keysets")) == 1
    place.run("keyset", "init", "--yes", by=other(place.command))
    assert "several rings" in place.run("keyset", "show", code=3).err
    place.run("keyset", "show", "--keyset", f"sql:{first}")


@each
def test_a_manifest_names_it(place: Place) -> None:
    in_command(place)
    ring = json.loads(place.run("keyset", "init", "--json").out)["ring"]
    place.users([f"it {n}" for n in range(8)])
    codec = {"kind": "reseal", "keyring": f"sql:{ring}", "kek": "file:kek"}
    place.describe(column(), codecs={"app": codec})
    del place.env["RESEAL_KEYSET"]
    assert total(place.report("apply"))["resealed"] == 8
    store = reseal.SqlKeysetStore(place.url, kek=KEK)
    live = reseal.LiveKeyring.from_keyset(store)
    context = {"table": "users", "column": "ssn"}
    assert [live.open_str(it, context) for it in place.stored()] == [f"it {n}" for n in range(8)]
    rotate(store)
    assert total(place.report("apply", by=other(place.command)))["resealed"] == 8
    assert total(place.report("verify"))["found"] == 8
    # With the variables of `env` the job takes it from its database too.
    place.env["RESEAL_KEYSET"] = "sql:"
    place.describe(column(), codecs=CODECS)
    assert total(place.report("verify"))["found"] == 8


def test_a_program_builds_columns_of_it(own: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    store, ring = begun(own)
    monkeypatch.setenv("KEK", KEK.export())
    text = f"""
    version = 1
    [codecs.app]
    kind = "reseal"
    keyring = "sql:{ring}"
    kek = "env:KEK"
    [[columns]]
    table = "users"
    column = "ssn"
    row_id = ["id"]
    write = "app"
    """
    manifest = reseal.Manifest.parse(text)
    monkeypatch.setenv("RESEAL_DATABASE_URL", own.url)
    [read] = manifest.build()
    live = reseal.LiveKeyring.from_keyset(store)
    [given] = manifest.build(rings={"app": live})
    opened = given.open(read.seal("x"))
    assert opened is not None
    assert opened.value == "x"
    monkeypatch.delenv("RESEAL_DATABASE_URL")
    assert code_of(manifest.build) == "source-missing"
    with pytest.raises(reseal.ResealError, match="ring id"):
        reseal.Manifest.parse(text.replace(ring, "short"))


# --- Node ---------------------------------------------------------------------------------------

PROGRAM = """
import { readFileSync } from "node:fs";
import { LiveKeyring } from "reseal";
import { SqlKeysetStore } from "reseal/sql";
const store = new SqlKeysetStore(process.env.URL, { kekFile: "kek" });
for (let number = 0; number < 6; number += 1) {
  await store.edit((keyset) => keyset.introduce("data", { label: "größer " + number }));
}
const ring = await LiveKeyring.follow(store);
console.log(ring.openString(process.env.STORED, {}));
ring.dispose();
"""


def test_python_and_node_edit_one_row(own: Place) -> None:
    store, _ = begun(own)
    (own.folder / "kek").write_text(KEK.export())
    stored = reseal.Keyring.from_keyset(store).seal("x", {})
    node = subprocess.Popen(
        ["node", "--input-type=module", "--eval", PROGRAM],
        cwd=own.folder,
        env=environment({"URL": own.url, "STORED": stored}),
        stdout=subprocess.PIPE,
        text=True,
    )
    for number in range(6):
        store.edit(partial(introduce, f"é {number}"))
    out, _ = node.communicate(timeout=SECONDS)
    assert (node.returncode, out) == (0, "x\n")
    found = labels(store)
    assert len(found) == len(set(found)) == 13
    assert own.do("SELECT generation FROM reseal_keysets") == [(13,)]


def test_node_makes_the_same_table(own: Place) -> None:
    program = """
    import { Key, Keyset } from "reseal";
    import { SqlKeysetStore } from "reseal/sql";
    const kek = process.env.KEK;
    await new SqlKeysetStore(process.env.URL).create(Keyset.create({ kek }));
    """
    subprocess.run(
        ["node", "--input-type=module", "--eval", program],
        cwd=own.folder,
        env=environment({"URL": own.url, "KEK": KEK.export()}),
        check=True,
        timeout=SECONDS,
    )
    by_node = shape(own)
    own.do("DROP TABLE reseal_keysets")
    begun(own)
    assert shape(own) == by_node
    assert len(by_node) == 3


def shape(place: Place) -> list[Any]:
    """The columns of the table, with all that a database says of them."""
    if place.kind == "sqlite":
        return place.do(
            "SELECT name, type, \"notnull\", pk FROM pragma_table_info('reseal_keysets')"
        )
    wanted = "column_name, data_type, is_nullable, character_maximum_length, collation_name"
    return place.do(
        f"SELECT {wanted} FROM information_schema.columns "
        "WHERE table_name = 'reseal_keysets' ORDER BY column_name"
    )


def test_a_user_who_may_not_make_the_table_is_told(servers: dict[str, str], tmp_path: Any) -> None:
    for place in places("postgresql", "python", servers, tmp_path):
        role = f"reader_{os.getpid()}"
        place.do(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
        at = parse(place.url)
        url = f"postgresql://{role}:x@{at.host}:{at.port}/{at.database}"
        with psycopg.connect(url) as allowed:
            [able] = allowed.execute("SELECT has_schema_privilege('public', 'CREATE')").fetchone()  # type: ignore[misc]
        store = reseal.SqlKeysetStore(url, kek=KEK)
        if not able:
            with pytest.raises(reseal.ResealError, match="may not make the table"):
                store.create(reseal.Keyset.create(kek=KEK))
        keyset = reseal.Keyset.create(kek=KEK)
        reseal.SqlKeysetStore(place.url).create(keyset)
        assert code_of(store.load) == "database-error"
        place.do(f"GRANT SELECT ON reseal_keysets TO {role}")
        assert store.load().generation == 1
        # It loads, and is not there for others to change.
        keyset = store.load()
        assert code_of(partial(store.save, keyset)) == "database-error"
        place.do(f"DROP OWNED BY {role}")
        place.do(f"DROP ROLE {role}")
