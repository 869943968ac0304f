"""The contract that every adapter of a framework keeps, on every database."""

from __future__ import annotations

import datetime
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import reseal
from adapters.base import TABLES, Adapter
from adapters.registry import ADAPTERS
from job_support import KINDS, Place, places
from reseal import codecs, hooks
from reseal._adapters import Codecs

TOKEN_KEY = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
KEK = reseal.Key.generate("kek")
MEGABYTE = "0123456789abcdef" * 65536


class World:
    """An adapter on a database, and the keys of its application."""

    def __init__(self, adapter: Adapter, place: Place) -> None:
        self.adapter, self.place = adapter, place
        self.codecs = Codecs({})

    def keys(self, folder: Path) -> None:
        """Begin with new keys, and empty tables."""
        for table in TABLES:
            self.place.do(f"DELETE FROM {table}")
        path = folder / "ring.json"
        (folder / "kek").write_text(KEK.export())
        self.store = reseal.KeysetFile(path, kek=KEK)
        self.store.create(reseal.Keyset.create(kek=KEK))
        app = {"kind": "reseal", "keyring": f"keyset:{path}", "kek": f"file:{folder}/kek"}
        self.codecs = self.adapter.use(
            {"app": app, "tokens": {"kind": "fernet", "keys": ["env:TOKENS_KEY"]}}
        )
        self.rotate("data")
        self.rotate("index")

    def rotate(self, use: Any) -> str:
        """Rotate a key as a team does, and let the process see it at once."""
        key = self.store.edit(lambda keyset: keyset.rotate(use, early=True))
        ring: Any = self.codecs.ring("app")
        ring.refresh()
        return key

    def retire(self, key: str) -> None:
        """Disable a key."""
        self.store.edit(lambda keyset: keyset.disable(key, emergency=True))
        ring: Any = self.codecs.ring("app")
        ring.refresh()

    def stored(self, name: str, table: str = "person") -> list[Any]:
        """What the database has, by id."""
        return self.place.stored(name, table)

    def key_of(self, stored: str) -> str:
        """The key that a value is under."""
        return reseal.inspect(stored).key_id


@pytest.fixture(scope="module", params=[f"{name}-{kind}" for name in ADAPTERS for kind in KINDS])
def house(
    request: pytest.FixtureRequest,
    servers: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    name, _, kind = request.param.rpartition("-")
    for place in places(kind, "python", servers, tmp_path_factory.mktemp("place")):
        adapter = ADAPTERS[name](kind, place.url)
        yield World(adapter, place)
        adapter.close()


@pytest.fixture
def world(house: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("TOKENS_KEY", TOKEN_KEY)
    house.keys(tmp_path)
    return house


@pytest.fixture
def adapter(world: World) -> Adapter:
    return world.adapter


# --- values ---------------------------------------------------------------------------------------

VALUES: list[tuple[str, Any]] = [
    ("name", ""),
    ("name", "Ann"),
    ("name", "Åsa 王 🦭 e\u0301 \u202e"),
    ("name", "x" * 10_000),
    ("name", "rs1.looks.sealed"),
    ("name", 'it\'s 100% \\ "quoted"; -- %s ?'),
    ("age", 0),
    ("age", -2_147_483_648),
    ("age", 2**70),
    ("active", False),
    ("active", True),
    ("born", datetime.date(1, 1, 1)),
    ("born", datetime.date(9999, 12, 31)),
    ("data", {}),
    ("data", []),
    ("data", {"a": [1, None, "ü"], "b": {"c": False}}),
    ("data", 0),
    ("data", ""),
]


@pytest.mark.parametrize(("name", "value"), VALUES)
def test_a_value_comes_back(world: World, name: str, value: Any) -> None:
    key = world.adapter.insert("person", **{name: value})
    [stored] = world.stored(name)
    assert stored.startswith("rs1.")
    found = world.adapter.read("person", key, name)[name]
    assert (found, type(found)) == (value, type(value))
    [[selected]] = world.adapter.select("person", name)
    assert (selected, type(selected)) == (value, type(value))


def test_null_stays_null(world: World) -> None:
    key = world.adapter.insert("person", name=None, ssn=None, age=None, active=None, data=None)
    for name in ("name", "ssn", "ssn_index", "age", "active", "data"):
        assert world.stored(name) == [None]
    names = ("name", "ssn", "age", "active", "data")
    assert world.adapter.read("person", key, *names) == dict.fromkeys(names)
    assert world.adapter.select("person", *names) == [(None,) * 5]
    assert world.adapter.find_null("person", "ssn") == [key]


def test_a_megabyte(world: World) -> None:
    key = world.adapter.insert("person", note=MEGABYTE)
    assert world.adapter.read("person", key, "note") == {"note": MEGABYTE}


def test_a_value_becomes_null_and_comes_again(world: World) -> None:
    key = world.adapter.insert("person", ssn="078-05-1120")
    world.adapter.change("person", key, ssn=None)
    assert (world.stored("ssn"), world.stored("ssn_index")) == ([None], [None])
    world.adapter.change("person", key, ssn="")
    assert world.adapter.read("person", key, "ssn") == {"ssn": ""}
    assert world.adapter.find("person", ssn="") == [key]


def test_what_is_of_another_type_is_refused_without_being_shown(world: World) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011  (of whatever class the framework has)
        world.adapter.insert("person", age="secret-text")
    assert "secret-text" not in str(caught.value)
    assert world.stored("age") == []


# --- where a value belongs ------------------------------------------------------------------------


def test_a_value_does_not_open_elsewhere(world: World) -> None:
    first = world.adapter.insert("person", name="Ann", note="other")
    world.place.do("UPDATE person SET note = name")
    assert world.adapter.read("person", first, "name") == {"name": "Ann"}
    with pytest.raises(reseal.DecryptError) as caught:
        world.adapter.read("person", first, "note")
    error: Any = caught.value
    assert (error.code, error.table, error.column) == ("auth-failed", "person", "note")
    assert error.row == first
    assert error.model in str(error)
    assert world.stored("note")[0] not in str(error)


def test_a_value_belongs_to_its_tenant(world: World) -> None:
    first = world.adapter.insert("member", tenant=1, secret="one")
    second = world.adapter.insert("member", tenant=2, secret="two")
    assert world.adapter.read("member", first, "secret") == {"secret": "one"}
    world.place.do("UPDATE member SET tenant = 1")
    with pytest.raises(reseal.DecryptError):
        world.adapter.read("member", second, "secret")


def test_a_value_moves_with_its_tenant(world: World) -> None:
    key = world.adapter.insert("member", tenant=1, secret="one")
    world.adapter.change("member", key, tenant=7)
    assert world.adapter.read("member", key, "secret") == {"secret": "one"}
    assert world.adapter.find("member", tenant=7, secret="one") == [key]
    assert world.adapter.find("member", tenant=1, secret="one") == []


def test_values_of_tenants_have_different_terms(world: World) -> None:
    keys = [world.adapter.insert("member", tenant=tenant, secret="same") for tenant in (1, 2)]
    assert len(set(world.stored("secret_index", "member"))) == 2
    assert world.adapter.find("member", tenant=2, secret="same") == keys[1:]
    with pytest.raises(world.adapter.refusal, match="tenant"):
        world.adapter.find("member", secret="same")


def test_a_value_belongs_to_its_row(world: World) -> None:
    keys = [uuid.UUID(int=number) for number in (1, 2)]
    world.adapter.insert_many("badge", [{"id": key, "secret": f"of {key}"} for key in keys])
    for key in keys:
        assert world.adapter.read("badge", key, "secret") == {"secret": f"of {key}"}
    first, second = world.stored("secret", "badge")
    world.place.do("UPDATE badge SET secret = %s WHERE secret = %s", first, second)
    with pytest.raises(reseal.DecryptError):
        world.adapter.read("badge", keys[1], "secret")


def test_in_bulk_values_belong_to_their_rows_as_well(world: World) -> None:
    keys = [uuid.UUID(int=number) for number in (1, 2)]
    world.adapter.insert_many("badge", [{"id": key, "secret": "before"} for key in keys])
    world.adapter.change_many("badge", {key: {"secret": f"of {key}"} for key in keys})
    for key in keys:
        assert world.adapter.read("badge", key, "secret") == {"secret": f"of {key}"}
    members = [world.adapter.insert("member", tenant=tenant, secret="a") for tenant in (1, 2)]
    world.adapter.change_many("member", {key: {"secret": "b"} for key in members})
    assert world.adapter.find("member", tenant=2, secret="b") == members[1:]
    assert world.adapter.read("member", members[0], "secret") == {"secret": "b"}


# --- lazily ---------------------------------------------------------------------------------------


def test_only_what_is_looked_at_is_opened(world: World) -> None:
    key = world.adapter.insert("person", name="Ann", note="n", age=7)
    with hooks.Counters() as counters:
        assert world.adapter.read("person", key, "rank") == {"rank": None}
        assert counters.total("opened") == 0
        assert world.adapter.read("person", key, "age") == {"age": 7}
    assert counters.total("opened") == 1
    assert counters.total("opened", table="person", column="age", codec="app") == 1


def test_what_was_not_opened_is_not_written(world: World) -> None:
    key = world.adapter.insert("person", name="Ann", note="n", ssn="1", rank=1)
    before = [world.stored(name) for name in ("name", "ssn", "ssn_index")]
    with hooks.Counters() as counters:
        world.adapter.change("person", key, rank=2, note="m")
    assert counters.total("opened") == 0
    assert counters.total("sealed") == 1
    assert [world.stored(name) for name in ("name", "ssn", "ssn_index")] == before
    assert world.adapter.read("person", key, "note", "rank") == {"note": "m", "rank": 2}


def test_an_unreadable_value_does_not_hinder_the_others(world: World) -> None:
    key = world.adapter.insert("person", name="Ann", note="n")
    damaged = world.stored("note")[0][:50]
    world.place.do("UPDATE person SET note = %s", damaged)
    assert world.adapter.read("person", key, "name") == {"name": "Ann"}
    world.adapter.change("person", key, rank=3)
    assert world.stored("note") == [damaged]
    with pytest.raises(reseal.FormatError) as caught:
        world.adapter.read("person", key, "note")
    assert caught.value.code == "malformed"


# --- finding --------------------------------------------------------------------------------------


def test_found_by_an_index(world: World) -> None:
    rows = [{"ssn": f"078-05-{number:04}", "rank": number} for number in range(20)]
    world.adapter.insert_many("person", rows)
    keys = world.adapter.find("person")
    assert world.adapter.find("person", ssn="078050007") == [keys[7]]
    assert world.adapter.find("person", ssn="078 05 0007", rank=7) == [keys[7]]
    assert world.adapter.find("person", ssn="078 05 0007", rank=8) == []
    assert world.adapter.find("person", ssn="9") == []
    assert world.adapter.find_in("person", "ssn", ["078050001", "078-05-0002", "9"]) == keys[1:3]
    assert world.adapter.find_in("person", "ssn", []) == []
    assert world.adapter.count("person", ssn="078050007") == 1
    assert world.adapter.delete("person", ssn="078050007") == 1
    assert world.adapter.find("person") == keys[:7] + keys[8:]


def test_case_is_for_the_index_to_know(world: World) -> None:
    key = world.adapter.insert("person", email="Ann@Example.com")
    assert world.adapter.find("person", email="ann@example.COM") == [key]
    assert world.adapter.read("person", key, "email") == {"email": "Ann@Example.com"}


def test_false_hits_are_sorted_out(world: World) -> None:
    world.adapter.insert_many("person", [{"code": f"code-{number}"} for number in range(600)])
    keys = world.adapter.find("person")
    # 8 bits: about two of these rows share each term.
    terms = world.stored("code_index")
    assert terms.count(terms[17]) > 1 or terms.count(terms[18]) > 1 or terms.count(terms[19]) > 1
    for number in (17, 18, 19):
        assert world.adapter.find("person", code=f"code-{number}") == [keys[number]]
        assert world.adapter.count("person", code=f"code-{number}") == 1
    others = world.adapter.find_not("person", code="code-17")
    assert others == keys[:17] + keys[18:]
    assert world.adapter.find_in("person", "code", ["code-17", "code-3"]) == [keys[3], keys[17]]
    assert world.adapter.delete("person", code="code-18") == 1
    assert world.adapter.count("person") == 599


def test_rows_without_a_value_do_not_have_it(world: World) -> None:
    some, none = world.adapter.insert("person", ssn="1"), world.adapter.insert("person")
    assert world.adapter.find_not("person", ssn="1") == [none]
    assert world.adapter.find_not("person", ssn="2") == [some, none]
    assert world.adapter.find_null("person", "ssn") == [none]
    assert world.adapter.find_null("person", "name") == [some, none]


def test_a_term_of_another_value_is_no_hit(world: World) -> None:
    first, second = world.adapter.insert("person", ssn="1"), world.adapter.insert("person", ssn="2")
    world.place.do("UPDATE person SET ssn_index = %s", world.stored("ssn_index")[0])
    assert world.adapter.find("person", ssn="1") == [first]
    assert world.adapter.find("person", ssn="2") == []
    assert second not in world.adapter.find("person", ssn="1")


@pytest.mark.parametrize("name", ["name", "ssn", "age"])
def test_what_ciphertext_cannot_answer_is_refused(world: World, name: str) -> None:
    value = {"age": 7}.get(name, "7")
    world.adapter.insert("person", **{name: value})
    with pytest.raises(world.adapter.refusal, match=name):
        world.adapter.order_by("person", name)
    with pytest.raises(world.adapter.refusal, match=name):
        world.adapter.compare("person", name, value)
    if name != "ssn":
        with pytest.raises(world.adapter.refusal, match=name) as caught:
            world.adapter.find("person", **{name: value})
        assert "BlindIndex" in str(caught.value)


def test_deterministic_values_are_found_under_every_key(world: World) -> None:
    before = world.adapter.insert("person", tag="a")
    world.rotate("data")
    after, other = (world.adapter.insert("person", tag=tag) for tag in ("a", "b"))
    assert len(set(world.stored("tag"))) == 3
    assert world.adapter.find("person", tag="a") == [before, after]
    assert world.adapter.find_in("person", "tag", ["a", "b", "c"]) == [before, after, other]
    assert world.adapter.find_not("person", tag="a") == [other]
    assert world.adapter.find("person", tag="c") == []
    with pytest.raises(world.adapter.refusal, match="tag"):
        world.adapter.order_by("person", "tag")


# --- rotation -------------------------------------------------------------------------------------


def test_a_rotation_reaches_the_application(world: World) -> None:
    key = world.adapter.insert("person", name="Ann", note="n")
    first = world.key_of(world.stored("name")[0])
    second = world.rotate("data")
    with hooks.Counters() as counters:
        assert world.adapter.read("person", key, "name") == {"name": "Ann"}
    assert counters.total("stale_opened", key=first) == 1
    world.adapter.change("person", key, note="m")
    assert world.key_of(world.stored("note")[0]) == second
    assert world.key_of(world.stored("name")[0]) == first
    world.adapter.change("person", key, name="Ann")
    assert world.key_of(world.stored("name")[0]) == second
    world.retire(first)
    assert world.adapter.read("person", key, "name", "note") == {"name": "Ann", "note": "m"}


def test_an_index_key_rotates_without_a_gap(world: World) -> None:
    before = world.adapter.insert("person", ssn="1")
    world.rotate("index")
    after = world.adapter.insert("person", ssn="1")
    terms = world.stored("ssn_index")
    assert terms[0] != terms[1]
    assert world.adapter.find("person", ssn="1") == [before, after]
    assert world.adapter.find_not("person", ssn="1") == []
    world.adapter.change("person", before, ssn="1")
    assert len(set(world.stored("ssn_index"))) == 1


def test_rotation_under_load(world: World) -> None:
    keys = [world.adapter.insert("person", name="0", ssn=f"{number}") for number in range(4)]
    done, failures = threading.Event(), []

    def work(number: int) -> None:
        turn, last = 0, False
        try:
            while not last or turn < 5:
                # A turn begun before a rotation may end after it, under the key before: the last
                # one begins after all of them.
                turn, last = turn + 1, done.is_set()
                world.adapter.change("person", keys[number], name=f"{turn}", ssn=f"{number}")
                found = world.adapter.read("person", keys[number], "name", "ssn")
                assert found == {"name": f"{turn}", "ssn": f"{number}"}
                assert world.adapter.find("person", ssn=f"{number}") == [keys[number]]
        except BaseException as error:
            failures.append(error)
        finally:
            world.adapter.leave_thread()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    primaries = [world.rotate(use) for use in ("data", "index", "data")]
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {world.key_of(stored) for stored in world.stored("name")} == {primaries[-1]}


# --- formats --------------------------------------------------------------------------------------


def test_columns_of_mixed_codecs(world: World) -> None:
    tokens = codecs.fernet(keys=[TOKEN_KEY])
    keys = [world.adapter.insert("person", legacy=text) for text in ("a", "b", "c")]
    for key, stored in zip(keys, (tokens.seal("token"), "plain"), strict=False):
        world.place.do("UPDATE person SET legacy = %s WHERE id = %s", stored, key)
    found = [row["legacy"] for row in world.adapter.read_all("person", "legacy")]
    assert found == ["token", "plain", "c"]
    assert world.adapter.select("person", "legacy") == [("token",), ("plain",), ("c",)]
    # Saved, they are in the codec that is written.
    for key, text in zip(keys, found, strict=True):
        world.adapter.change("person", key, legacy=text)
    assert all(stored.startswith("rs1.") for stored in world.stored("legacy"))
    assert [row["legacy"] for row in world.adapter.read_all("person", "legacy")] == found


def test_a_format_that_is_not_read_is_refused(world: World) -> None:
    key = world.adapter.insert("person", name="Ann")
    world.place.do("UPDATE person SET name = 'Ann'")
    with pytest.raises(reseal.FormatError) as caught:
        world.adapter.read("person", key, "name")
    assert caught.value.code == "format-mismatch"
    assert "Ann" not in str(caught.value).replace("reseal", "")


# --- statements over many rows --------------------------------------------------------------------


def test_many_are_inserted(world: World) -> None:
    rows = [{"name": f"n{number}", "ssn": f"{number}", "rank": number} for number in range(1000)]
    world.adapter.insert_many("person", rows)
    assert [row["name"] for row in world.adapter.read_all("person", "name")] == [
        row["name"] for row in rows
    ]
    assert len(set(world.stored("ssn_index"))) == 1000
    assert len(set(world.stored("name"))) == 1000


def test_many_are_changed(world: World) -> None:
    world.adapter.insert_many("person", [{"ssn": "1", "name": "a"} for _ in range(20)])
    keys = world.adapter.find("person")
    world.adapter.change_many("person", {key: {"ssn": f"{key}"} for key in keys})
    assert [world.adapter.find("person", ssn=f"{key}") for key in keys] == [[key] for key in keys]
    assert world.adapter.find("person", ssn="none") == []
    world.adapter.change_many("person", {keys[0]: {"ssn": None}})
    assert world.adapter.find_null("person", "ssn") == [keys[0]]
    assert world.stored("ssn_index")[0] is None


def test_one_statement_changes_the_index_as_well(world: World) -> None:
    keys = [world.adapter.insert("person", ssn=f"{rank}", rank=rank) for rank in (1, 2, 2)]
    assert world.adapter.update("person", 2, ssn="9", age=0) == 2
    assert world.adapter.find("person", ssn="9") == keys[1:]
    assert world.adapter.find("person", ssn="2") == []
    assert [row["age"] for row in world.adapter.read_all("person", "age")] == [None, 0, 0]
    assert world.adapter.update("person", 2, ssn=None) == 2
    assert world.adapter.find_null("person", "ssn") == keys[1:]
    assert world.stored("ssn_index")[1:] == [None, None]


# --- transactions and concurrency -----------------------------------------------------------------


def test_a_transaction_is_undone(world: World) -> None:
    key = world.adapter.insert("person", name="before", ssn="1")

    def fail() -> None:
        with world.adapter.transaction():
            world.adapter.change("person", key, name="within", ssn="2")
            assert world.adapter.find("person", ssn="2") == [key]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert world.adapter.read("person", key, "name", "ssn") == {"name": "before", "ssn": "1"}
    assert world.adapter.find("person", ssn="1") == [key]
    with world.adapter.transaction():
        world.adapter.change("person", key, name="after")
    assert world.adapter.read("person", key, "name") == {"name": "after"}


def test_saves_at_once_lose_nothing_that_they_did_not_touch(world: World) -> None:
    key = world.adapter.insert("person", name="0", note="0", ssn="0", age=0)
    start, failures = threading.Barrier(3), []

    def save(name: str, make: Callable[[int], Any]) -> None:
        try:
            start.wait()
            for turn in range(1, 11):
                world.adapter.change("person", key, **{name: make(turn)})
        except BaseException as error:
            failures.append(error)
        finally:
            world.adapter.leave_thread()

    makers: dict[str, Callable[[int], Any]] = {"name": str, "ssn": str, "age": int}
    threads = [threading.Thread(target=save, args=item) for item in makers.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    found = world.adapter.read("person", key, "name", "ssn", "age", "note")
    assert found == {"name": "10", "ssn": "10", "age": 10, "note": "0"}
    assert world.adapter.find("person", ssn="10") == [key]


def test_keys_are_read_at_the_first_use(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    missing = {"kind": "reseal", "keyring": f"keyset:{folder}/ring.json", "kek": "env:NOT_THERE"}
    tokens = {"kind": "fernet", "keys": ["env:NOT_THERE"]}
    world.adapter.use({"app": missing, "tokens": tokens})
    assert "NOT_THERE" not in os.environ
    key = world.adapter.insert("person", rank=1)
    assert world.adapter.read("person", key, "name", "rank") == {"name": None, "rank": 1}
    with pytest.raises(reseal.KeyringError) as caught:
        world.adapter.insert("person", name="Ann")
    assert caught.value.code == "source-missing"
