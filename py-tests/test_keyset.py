"""Keysets: their moves, their key-encrypting keys, and the documents that they are stored as."""

from __future__ import annotations

import functools
import json
import pickle
import threading
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import reseal
from support import code_of, error_of

KEK = reseal.Key.generate("kek")
PASSPHRASE = "correct horse battery staple é"
START = 1_795_132_800  # 2026-11-20T00:00:00Z


@pytest.fixture
def keyset() -> reseal.Keyset:
    return reseal.Keyset.create(kek=KEK, now=START)


def reloaded(keyset: reseal.Keyset, now: int = START) -> reseal.Keyset:
    return reseal.Keyset.load(keyset.save(now=now), kek=KEK)


def states(keyset: reseal.Keyset) -> dict[str, str]:
    keys = keyset.keys()
    return {key.label: key.state for key in keys}


def test_a_new_keyset(keyset: reseal.Keyset) -> None:
    assert (keyset.generation, keyset.lease_seconds, keyset.keys()) == (0, 0, [])
    assert keyset.issued == "2026-11-20T00:00:00Z"
    assert (keyset.primary_id, keyset.index_primary_id) == (None, None)
    assert len(keyset.ring_id) == 26
    (kek,) = keyset.keks()
    assert kek == reseal.KekInfo(KEK.id, "key", None, None, True)
    assert keyset.ring_id != reseal.Keyset.create(kek=KEK).ring_id


def test_rotation_and_reload(keyset: reseal.Keyset) -> None:
    first = keyset.rotate("data", label="first", now=START)
    index = keyset.rotate("index", label="index", now=START)
    stored = keyset.keyring().seal("x", {"row": 1})
    keyset = reloaded(keyset, START + 1)
    assert (keyset.generation, keyset.issued) == (1, "2026-11-20T00:00:01Z")
    second = keyset.introduce("data", label="second", now=START + 2)
    assert states(keyset) == {"first": "primary", "index": "primary", "second": "introduced"}
    keyset.promote(second, now=START + 3)
    keyset = reloaded(keyset)
    assert (keyset.primary_id, keyset.index_primary_id) == (second, index)
    ring = keyset.keyring()
    assert ring.open_str(stored, {"row": 1}) == "x"
    keys = ring.keys()
    assert {key.label: key.state for key in keys} == states(keyset)
    key = keyset.keys()[0]
    assert (key.id, key.use, key.label) == (first, "data", "first")
    assert (key.created, key.changed) == ("2026-11-20T00:00:00Z", "2026-11-20T00:00:03Z")


def test_the_whole_life_of_a_key(keyset: reseal.Keyset) -> None:
    first, second = (keyset.rotate("data", label=name, now=START) for name in ("a", "b"))
    stored = reseal.Keyring(primary=keyset.export_keys()[first]).seal("x", {})
    assert keyset.revert("data", now=START + 1) == first
    assert keyset.revert(now=START + 2) == second
    keyset.disable(first)
    assert code_of(lambda: keyset.keyring().open(stored, {})) == "key-disabled"
    keyset.enable(first)
    assert keyset.keyring().open(stored, {}) == b"x"
    keyset.disable(first)
    keyset.destroy(first)
    assert states(keyset) == {"a": "destroyed", "b": "primary"}
    assert set(keyset.export_keys()) == {second}
    keyset = reloaded(keyset)
    assert code_of(lambda: keyset.keyring().open(stored, {})) == "key-destroyed"
    keyset.disable(second, emergency=True)
    assert code_of(lambda: keyset.keyring().seal("x", {})) == "no-primary"


def test_a_rotation_that_is_refused_leaves_nothing_behind(keyset: reseal.Keyset) -> None:
    keyset.rotate("data", now=START)
    keyset.set_lease_seconds(3600)
    keyset = reloaded(keyset)
    key, before = reseal.Key.generate("data"), keyset.keys()
    fresh: Any
    for fresh in (key, key, "data"):
        error = error_of(functools.partial(keyset.rotate, fresh, now=START))
        assert error.code == "keyset-transition"
        assert "a lease of 3600 seconds" in str(error)
        assert keyset.keys() == before
    assert keyset.rotate(key, early=True, now=START) == key.id == keyset.primary_id
    assert code_of(lambda: keyset.rotate("data", label="\n", early=True)) == "invalid-argument"
    assert code_of(lambda: keyset.introduce("data", label="\ud800")) == "invalid-argument"
    assert len(keyset.keys()) == 2


def test_going_back_takes_no_key_that_may_never_have_been_primary(keyset: reseal.Keyset) -> None:
    old = keyset.rotate("data", now=START)
    fresh, stray = (keyset.introduce("data", now=START) for _ in range(2))
    keyset.disable(stray, now=START)
    keyset.enable(stray, now=START + 1)
    keyset.promote(fresh, now=START + 2)
    keyset.disable(fresh, emergency=True, now=START + 3)
    error = error_of(keyset.revert)
    assert error.code == "keyset-transition"
    assert f"(back): {old}, {stray}" in str(error)
    keyset.disable(stray)
    assert keyset.revert() == old


def test_illegal_moves_say_what_is_legal(keyset: reseal.Keyset) -> None:
    old, new = (keyset.rotate("data", now=START) for _ in range(2))
    waiting = keyset.introduce("data", now=START)
    for step in (
        lambda: keyset.promote(new),
        lambda: keyset.promote(old),
        lambda: keyset.disable(new),
        lambda: keyset.enable(waiting),
        lambda: keyset.destroy(old),
        lambda: keyset.revert("index"),
    ):
        error = error_of(step)
        assert (error.code, type(error)) == ("keyset-transition", reseal.KeyringError)
    assert "promoted or disabled" in str(error_of(lambda: keyset.enable(waiting)))
    keyset.promote(old, back=True)
    assert keyset.primary_id == old


def test_the_lease(keyset: reseal.Keyset) -> None:
    keyset.rotate("data", now=START)
    keyset.set_lease_seconds(3600)
    keyset = reloaded(keyset)
    assert keyset.lease_seconds == 3600
    new = keyset.introduce("data", now=START)
    error = error_of(lambda: keyset.promote(new, now=START + 3600))
    assert (error.code, "not saved yet" in str(error)) == ("keyset-transition", True)
    keyset = reloaded(keyset)
    error = error_of(lambda: keyset.promote(new, now=START + 3599))
    assert error.code == "keyset-transition"
    assert "wait 1 second" in str(error)
    keyset.promote(new, now=START + 3600)
    early = keyset.introduce("data", now=START)
    keyset.promote(early, early=True, now=START)
    assert keyset.rotate("data", early=True, now=START) == keyset.primary_id


def test_keys_are_named_by_the_beginning_of_their_ids(keyset: reseal.Keyset) -> None:
    key = reseal.Key.from_bytes("data", bytes(32))
    assert keyset.introduce(key, label="zero") == key.id
    keyset.promote(key.id[:4])
    keyset.relabel(key.id[:31], "nought")
    assert states(keyset) == {"nought": "primary"}
    wrong: list[Any] = ["", key.id[:3], key.id + "a", "aaaa", "ÄÄÄÄ", "rsk1.data", key, None, 1]
    for name in wrong:
        error = error_of(functools.partial(keyset.promote, name))
        assert error.code == "invalid-argument"
        assert "rsk1" not in str(error)


def test_keys_that_do_not_fit(keyset: reseal.Keyset) -> None:
    key = reseal.Key.generate("index")
    keyset.introduce(key)
    assert code_of(lambda: keyset.introduce(key)) == "duplicate-key"
    assert code_of(lambda: keyset.introduce(KEK)) == "key-wrong-use"
    kek: Any = "kek"
    assert code_of(lambda: keyset.introduce(kek)) == "key-wrong-use"
    wrong: Any
    for wrong in (key.export(), "", None, 1, b"data"):
        assert code_of(functools.partial(keyset.introduce, wrong)) == "invalid-argument"
    for wrong in ("x" * 65, "a\nb", "\x7f", b"x", 1):
        assert (
            code_of(functools.partial(keyset.introduce, "data", label=wrong)) == "invalid-argument"
        )
    assert len(keyset.keys()) == 1
    assert keyset.introduce("data", label="x" * 63 + "é")


@pytest.mark.parametrize(
    "now",
    [
        START,
        float(START) + 0.9,
        datetime(2026, 11, 20, tzinfo=timezone.utc),
        datetime(2026, 11, 20, 5, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    ],
)
def test_moments(now: Any) -> None:
    keyset = reseal.Keyset.create(kek=KEK, now=now)
    keyset.introduce("data", now=now)
    assert keyset.issued == keyset.keys()[0].created == "2026-11-20T00:00:00Z"


@pytest.mark.parametrize(
    "now",
    [datetime(2026, 11, 20), "now", True, -1, float("nan"), float("inf"), START * 1000, b"", []],
)
def test_what_is_no_moment(now: Any) -> None:
    assert code_of(lambda: reseal.Keyset.create(kek=KEK, now=now)) == "invalid-argument"


@pytest.mark.parametrize("now", [-1, 2**64, -(10**400), 10**400, 1e300, float("nan")])
def test_moments_out_of_range(keyset: reseal.Keyset, now: Any) -> None:
    error = error_of(lambda: keyset.introduce("data", now=now))
    assert (error.code, "before 1970 or after" in str(error)) == ("invalid-argument", True)
    assert keyset.keys() == []


def test_the_clock_of_this_machine() -> None:
    before = datetime.now(timezone.utc).replace(microsecond=0)
    issued = reseal.Keyset.create(kek=KEK).issued
    assert before <= datetime.strptime(issued, "%Y-%m-%dT%H:%M:%S%z") <= datetime.now(timezone.utc)


def test_several_key_encrypting_keys(keyset: reseal.Keyset) -> None:
    other = reseal.Key.generate("kek")
    keyset.rotate("data")
    assert keyset.add_kek(other.export()) == other.id
    phrase = keyset.add_passphrase(PASSPHRASE)
    text = keyset.save()
    for opener in ({"kek": KEK}, {"kek": other.export()}, {"passphrase": PASSPHRASE.encode()}):
        opened = reseal.Keyset.load(text, **opener)
        assert opened.primary_id == keyset.primary_id
        assert [kek.held for kek in opened.keks()].count(True) == 1
        error = error_of(opened.save)
        assert error.code == code_of(opened.verify) == "kek-mismatch"
    full = reseal.Keyset.load(text.encode(), kek=[KEK, other], passphrase=PASSPHRASE)
    full.verify()
    assert [(kek.id, kek.kind, kek.held) for kek in full.keks()] == [
        (KEK.id, "key", True),
        (other.id, "key", True),
        (phrase, "passphrase", True),
    ]
    for kek_id in (KEK.id[:6], phrase):
        full.remove_kek(kek_id)
    assert code_of(lambda: full.remove_kek(other.id)) == "keyset-transition"
    after = full.save()
    assert reseal.Keyset.load(after, kek=other).generation == 2
    assert code_of(lambda: reseal.Keyset.load(after, kek=KEK)) == "kek-mismatch"
    assert code_of(lambda: reseal.Keyset.load(after, passphrase=PASSPHRASE)) == "kek-mismatch"


def test_key_encrypting_keys_that_do_not_fit(keyset: reseal.Keyset) -> None:
    assert code_of(lambda: keyset.add_kek(KEK)) == "duplicate-key"
    assert code_of(lambda: keyset.add_kek(reseal.Key.generate())) == "key-wrong-use"
    assert code_of(lambda: keyset.remove_kek("aaaa")) == "invalid-argument"
    wrong: Any
    for wrong in (None, 1, "\ud800", "x" * 65537, ["x"]):
        assert code_of(functools.partial(keyset.add_passphrase, wrong)) == "invalid-argument"
    for _ in range(7):
        keyset.add_kek(reseal.Key.generate("kek"))
    assert code_of(lambda: keyset.add_kek(reseal.Key.generate("kek"))) == "keyset-transition"
    create: Any = reseal.Keyset.create
    for options in (
        {},
        {"kek": KEK, "passphrase": "x"},
        {"kek": KEK, "lease_seconds": 31_536_001},
        {"kek": KEK, "lease_seconds": -1},
        {"kek": KEK, "lease_seconds": 1.5},
        {"kek": KEK, "lease_seconds": True},
    ):
        assert code_of(functools.partial(create, **options)) == "invalid-argument"
    assert code_of(lambda: create(kek=reseal.Key.generate())) == "key-wrong-use"
    assert code_of(lambda: create(kek="rsk1.kek.x")) == "invalid-key"


def test_what_a_loader_expects(keyset: reseal.Keyset) -> None:
    text = keyset.save()
    load: Any = reseal.Keyset.load
    assert load(text, kek=KEK, ring=keyset.ring_id, min_generation=1).generation == 1
    for code, options in (
        ("keyset-wrong-ring", {"ring": "a" * 26}),
        ("keyset-outdated", {"min_generation": 2}),
        ("invalid-argument", {"min_generation": -1}),
        ("invalid-argument", {"min_generation": "1"}),
        ("invalid-argument", {"ring": 1}),
    ):
        assert code_of(functools.partial(load, text, kek=KEK, **options)) == code
    assert code_of(lambda: load(text)) == "invalid-argument"
    assert code_of(lambda: load(text, kek=[])) == "invalid-argument"
    assert code_of(lambda: load(text, kek=1)) == "invalid-argument"
    assert code_of(lambda: load(text, passphrase="x")) == "kek-mismatch"
    assert code_of(lambda: load(text, kek=reseal.Key.generate())) == "key-wrong-use"


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{}",
        "null",
        "[" * 100_000,
        "\ud800",
        b"\xff",
        "\ufeff{}",
        " " * 1_048_577,
        b" " * 1_048_577,
    ],
    ids=range(9),
)
def test_documents_that_are_none(document: Any) -> None:
    for step in (
        lambda: reseal.Keyset.load(document, kek=KEK),
        lambda: reseal.inspect_keyset(document),
    ):
        error = error_of(step)
        assert (error.code, type(error)) == ("keyset-malformed", reseal.KeyringError)
    assert code_of(lambda: reseal.inspect_keyset(reseal)) == "invalid-argument"  # type: ignore[arg-type]


def test_changed_documents(keyset: reseal.Keyset) -> None:
    keyset.rotate("data", label="old")
    document = json.loads(keyset.save())
    document["keys"][0]["label"] = "new"
    changed = json.dumps(document)
    assert code_of(lambda: reseal.Keyset.load(changed, kek=KEK)) == "keyset-tampered"
    assert reseal.inspect_keyset(changed).keys()[0].label == "new"
    document["version"] = 2
    assert code_of(lambda: reseal.inspect_keyset(json.dumps(document))) == "unsupported-version"


def test_a_new_passphrase_has_twelve_characters(keyset: reseal.Keyset) -> None:
    for short in ("", "elf zeichen", "größer elfä", b"\x00" * 11):
        for step in (
            functools.partial(reseal.Keyset.create, passphrase=short),
            functools.partial(keyset.add_passphrase, short),
        ):
            error = error_of(step)
            assert error.code == "invalid-argument"
            assert "at least 12 characters" in str(error)
    assert len(keyset.keks()) == 1
    keyset.add_passphrase("größere elfä")
    assert code_of(lambda: reseal.Keyset.load(keyset.save(), passphrase="x")) == "kek-mismatch"


def test_a_terabyte_of_memory_is_refused() -> None:
    document = json.loads(reseal.Keyset.create(passphrase=PASSPHRASE).save())
    document["keks"][0]["source"]["memory_kib"] = 1 << 30
    text = json.dumps(document)
    assert code_of(lambda: reseal.Keyset.load(text, passphrase=PASSPHRASE)) == "keyset-malformed"


def test_the_unverified_view(keyset: reseal.Keyset) -> None:
    keyset.rotate("data", label="d")
    keyset.rotate("index", label="i")
    text = keyset.save()
    shown, opened = reseal.inspect_keyset(text), reseal.Keyset.load(text, kek=KEK)
    names = ("ring_id", "generation", "issued", "lease_seconds", "primary_id", "index_primary_id")
    assert all(getattr(shown, name) == getattr(opened, name) for name in names)
    assert shown.keys() == opened.keys()
    assert [kek.held for kek in shown.keks()] == [False]
    for facts in (shown, *shown.keys(), *shown.keks()):
        assert pickle.loads(pickle.dumps(facts)) == facts
    assert len({*shown.keys(), *opened.keys()}) == 2
    assert len({shown, reseal.inspect_keyset(text.encode())}) == 1


def test_saved(keyset: reseal.Keyset) -> None:
    text = keyset.save()
    other = reseal.Keyset.create(kek=KEK).save()
    assert code_of(lambda: keyset.saved(other)) == "keyset-conflict"
    assert keyset.generation == 0
    keyset.saved(text)
    assert keyset.generation == 1
    assert code_of(lambda: keyset.saved(text)) == "keyset-conflict"


def test_flags_are_flags(keyset: reseal.Keyset) -> None:
    key_id = keyset.introduce("data")
    wrong: Any = "yes"
    assert code_of(lambda: keyset.promote(key_id, early=wrong)) == "invalid-argument"
    assert code_of(lambda: keyset.disable(key_id, emergency=wrong)) == "invalid-argument"


def test_threads_share_a_keyset(keyset: reseal.Keyset) -> None:
    def work() -> None:
        for number in range(50):
            keyset.introduce("data", label=str(number))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keyset.keys()) == 200
    assert len(reloaded(keyset).keys()) == 200


def test_argon2id_lets_other_threads_run() -> None:
    ticks, done = [0], threading.Event()

    def count() -> None:
        while not done.is_set():
            ticks[0] += 1

    thread = threading.Thread(target=count)
    thread.start()
    before = ticks[0]
    reseal.Keyset.create(passphrase=PASSPHRASE)
    after = ticks[0]
    done.set()
    thread.join()
    # With the GIL held the other thread would not have run at all.
    assert after > before + 100
