"""Rings that follow a source: when they look, what they keep, and when they stop sealing."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import pickle
import threading
import time
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import reseal
from reseal import _files, codecs
from support import Clock, code_of, error_of

KEK = reseal.Key.generate("kek")
LEASE = 60


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> reseal.KeysetFile:
    """A keyset with one primary key."""
    file = reseal.KeysetFile(tmp_path / "keyset.json", kek=KEK)
    keyset = reseal.Keyset.create(kek=KEK)
    keyset.rotate("data", label="first")
    keyset.rotate("index", label="index")
    keyset.set_lease_seconds(LEASE)
    file.create(keyset)
    return file


@pytest.fixture
def live(file: reseal.KeysetFile, clock: Clock) -> reseal.LiveKeyring:
    return follow(file, clock)


def follow(file: reseal.KeysetFile, clock: Clock, **options: Any) -> reseal.LiveKeyring:
    return reseal.LiveKeyring.from_keyset(file.path, kek=KEK, clock=clock, **options)


def rotate(file: reseal.KeysetFile) -> str:
    return file.edit(lambda keyset: keyset.rotate("data", early=True))


def sealing(ring: reseal.Keyring) -> list[Callable[[], object]]:
    field = ring.field({"row": 1})
    return [
        lambda: ring.seal("x", {}),
        lambda: ring.seal("x", {}, "deterministic"),
        lambda: ring.seal_binary("x", {}),
        lambda: ring.seal_many(["x"], {}),
        lambda: ring.seal_many_binary(["x"], {}),
        lambda: ring.canary(),
        lambda: field.seal("x"),
        lambda: field.seal_binary("x"),
        lambda: field.seal_many(["x"]),
        lambda: field.seal_many_binary(["x"]),
        lambda: ring.index_term("x", {}, index="i"),
        lambda: field.index_term("x", index="i"),
        lambda: column_over(ring).index_term("x", "i"),
    ]


def column_over(ring: reseal.Keyring) -> reseal.Column:
    """A column that writes tokens, so that only its terms need the ring."""
    tokens = codecs.fernet(keys=["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="])
    return reseal.Column(tokens, [codecs.reseal(ring)], indexes=[{"index": "i"}])


def others(ring: reseal.Keyring, stored: str) -> list[Callable[[], object]]:
    """What goes on without a lease. `stored` is under the primary, in the empty context."""
    field, binary = ring.field({}), reseal.to_binary(stored)
    return [
        lambda: ring.open(stored, {}),
        lambda: ring.open_str(stored, {}),
        lambda: ring.open_binary(binary, {}),
        lambda: ring.open_many([stored], {})[0] == b"x",
        lambda: ring.open_many_str([stored], {})[0] == "x",
        lambda: ring.open_many_binary([binary], {})[0] == b"x",
        lambda: ring.is_current(stored),
        lambda: ring.is_current_binary(binary),
        lambda: ring.reseal(stored, {}) is stored,
        lambda: ring.reseal_binary(binary, {}) is binary,
        lambda: ring.lookup_values("x", {}),
        lambda: ring.lookup_values_binary("x", {}),
        lambda: ring.index_terms("x", {}, index="i"),
        lambda: column_over(ring).index_terms("x", "i"),
        lambda: ring.keys(),
        lambda: ring.primary_id,
        lambda: ring.index_primary_id,
        lambda: field.open(stored),
        lambda: field.is_current(stored),
        lambda: field.reseal(stored) is stored,
        lambda: field.open_many([stored])[0] == b"x",
        lambda: ring.check(stored) == "auth-failed",
    ]


def test_it_is_a_keyring(live: reseal.LiveKeyring) -> None:
    assert isinstance(live, reseal.Keyring)
    assert repr(live) == "LiveKeyring(not loaded)"
    for step in (*sealing(live), *others(live, live.seal("x", {}))):
        assert step()
    assert repr(live).startswith("LiveKeyring(")
    assert live.primary_id is not None
    assert live.primary_id in repr(live)


def test_it_looks_when_it_is_used(
    file: reseal.KeysetFile, clock: Clock, live: reseal.LiveKeyring
) -> None:
    first = live.primary_id
    second = rotate(file)
    assert live.primary_id == first
    clock.now += 9.9
    assert live.primary_id == first
    clock.now += 0.1
    assert live.primary_id == second
    assert live.status().generation == 2


def test_fields_follow_too(file: reseal.KeysetFile, clock: Clock, live: reseal.LiveKeyring) -> None:
    field = live.field({"table": "users"}, "padded")
    old = field.seal("x", row=1)
    assert field.is_current(old)
    second = rotate(file)
    clock.now += 10
    assert not field.is_current(old)
    assert reseal.inspect(field.seal("x", row=1)).key_id == second
    assert field.open_str(old, row=1) == "x"
    resealed = field.reseal(old, row=1)
    assert reseal.inspect(resealed).key_id == second


def test_refresh_looks_at_once(
    file: reseal.KeysetFile, live: reseal.LiveKeyring, tmp_path: Path
) -> None:
    first, second = live.primary_id, rotate(file)
    live.refresh()
    assert live.primary_id == second != first
    os.rename(file.path, tmp_path / "elsewhere")
    for _ in range(2):
        assert code_of(live.refresh) == "source-unreadable"
    error = live.status().last_error
    assert error is not None
    assert error.code == "source-unreadable"
    os.rename(tmp_path / "elsewhere", file.path)
    live.refresh()
    assert live.status().last_error is None


def test_the_lease(
    file: reseal.KeysetFile, clock: Clock, live: reseal.LiveKeyring, tmp_path: Path
) -> None:
    stored = live.seal("x", {})
    padded = live.seal("x", {}, "padded")
    os.rename(file.path, tmp_path / "elsewhere")
    clock.now += LEASE - 1
    assert live.seal("x", {})
    clock.now += 1
    assert live.status().stale
    for step in sealing(live):
        error = error_of(step)
        assert (error.code, type(error)) == ("ring-stale", reseal.KeyringError)
    for step in others(live, stored):
        assert step()
    assert code_of(lambda: live.reseal(padded, {}, "random")) == "ring-stale"
    assert code_of(lambda: live.field({}).reseal(padded)) == "ring-stale"
    assert (
        code_of(lambda: live.reseal_binary(reseal.to_binary(padded), {}, "random")) == "ring-stale"
    )
    os.rename(tmp_path / "elsewhere", file.path)
    clock.now += 1
    assert all(step() for step in sealing(live))
    assert not live.status().stale


def test_idle_for_longer_than_the_lease(clock: Clock, live: reseal.LiveKeyring) -> None:
    for step in sealing(live):
        assert step()
        clock.now += 10 * LEASE
    assert live.reseal(live.seal("x", {}, "padded"), {}, "random")


def test_an_idle_process_is_not_stale(
    clock: Clock, file: reseal.KeysetFile, live: reseal.LiveKeyring, tmp_path: Path
) -> None:
    assert live.seal("x", {})
    clock.now += 10 * LEASE
    assert not live.status().stale  # it looks first, and then seals
    os.rename(file.path, tmp_path / "elsewhere")
    assert not live.status().stale  # this looks at nothing
    assert code_of(lambda: live.seal("x", {})) == "ring-stale"
    assert live.status().stale
    os.rename(tmp_path / "elsewhere", file.path)
    live.refresh()
    assert not live.status().stale


def test_relative_paths_count_from_where_the_ring_was_made(
    file: reseal.KeysetFile, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kek").write_text(KEK.export())
    (tmp_path / "kek").chmod(0o600)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/new").write_text(reseal.Key.generate("data").export())
    (tmp_path / "keys/new").chmod(0o600)
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    environ = {"RESEAL_KEYSET": "keyset.json", "RESEAL_KEK_FILE": "./kek"}
    rings = [
        reseal.LiveKeyring.from_env(environ, clock=clock),
        reseal.LiveKeyring.from_directory("keys", primary="new", clock=clock),
        reseal.LiveKeyring.from_keyset("keyset.json", kek_file="kek", clock=clock),
    ]
    monkeypatch.chdir(tmp_path / "other")
    assert all(ring.seal("x", {}) for ring in rings)
    second = rotate(file)
    monkeypatch.chdir("/")
    clock.now += 10
    assert [ring.primary_id == second for ring in rings] == [True, False, True]
    os.rename(file.path, tmp_path / "elsewhere")
    error = error_of(rings[0].refresh)
    assert str(error).startswith('RESEAL_KEYSET: cannot read "keyset.json": ')


def test_a_lease_is_renewed_in_time(clock: Clock, file: reseal.KeysetFile) -> None:
    live = follow(file, clock, check_seconds=3600)
    for _ in range(10):
        assert live.seal("x", {})
        clock.now += LEASE / 2
        assert not live.status().stale


def test_a_source_that_vanishes_and_comes_back(
    file: reseal.KeysetFile, clock: Clock, live: reseal.LiveKeyring, tmp_path: Path
) -> None:
    stored, first = live.seal("x", {}), live.primary_id
    os.rename(file.path, tmp_path / "elsewhere")
    clock.now += 10
    assert live.open(stored, {}) == b"x"
    status = live.status()
    assert status.last_error is not None
    assert (status.last_error.code, status.confirmed_seconds_ago) == ("source-unreadable", 10.0)
    os.rename(tmp_path / "elsewhere", file.path)
    second = rotate(file)
    clock.now += 0.9
    assert live.primary_id == first  # it looks for it once in a second
    clock.now += 0.1
    assert live.primary_id == second
    assert live.status().last_error is None


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"{" * 2_000_000])
def test_a_source_that_breaks(
    file: reseal.KeysetFile, clock: Clock, live: reseal.LiveKeyring, content: bytes
) -> None:
    stored = live.seal("x", {})
    Path(file.path).write_bytes(content)
    clock.now += 10
    assert live.open(stored, {}) == b"x"
    assert live.status().last_error
    assert code_of(live.refresh) == "keyset-malformed"


def test_without_a_source_at_the_start(
    file: reseal.KeysetFile, clock: Clock, live: reseal.LiveKeyring, tmp_path: Path
) -> None:
    os.rename(file.path, tmp_path / "elsewhere")
    assert live.status().last_error is None
    for step in sealing(live):
        assert code_of(step) == "source-unreadable"
    os.rename(tmp_path / "elsewhere", file.path)
    assert code_of(lambda: live.primary_id) == "source-unreadable"  # it is not yet time
    clock.now += 1
    assert live.primary_id


def test_an_unknown_key_is_looked_for_once_a_second(
    file: reseal.KeysetFile, clock: Clock, live: reseal.LiveKeyring
) -> None:
    assert live.seal("x", {})
    clock.now += 1
    rotate(file)
    new = file.load().keyring().seal("x", {})
    stranger = reseal.Keyring(reseal.Key.generate()).seal("x", {})
    assert live.open(new, {}) == b"x"
    assert live.status().generation == 2
    rotate(file)
    assert code_of(lambda: live.open(stranger, {})) == "unknown-key"
    assert live.status().generation == 2
    clock.now += 1
    assert code_of(lambda: live.open(stranger, {})) == "unknown-key"
    assert live.status().generation == 3


@pytest.mark.parametrize("way", range(12))
def test_every_way_to_open_looks_for_an_unknown_key(
    file: reseal.KeysetFile, clock: Clock, live: reseal.LiveKeyring, way: int
) -> None:
    old = live.seal("x", {})
    rotate(file)
    ring = file.load().keyring()
    new, canary = ring.seal("x", {}), ring.canary()
    binary, padded = reseal.to_binary(new), ring.seal("x", {}, "padded")
    clock.now += 1
    field = live.field({})
    ways: list[Callable[[], object]] = [
        lambda: live.open(new, {}) == b"x",
        lambda: live.open_str(new, {}) == "x",
        lambda: live.open_binary(binary, {}) == b"x",
        lambda: live.open_many([old, new, old], {}) == [b"x"] * 3,
        lambda: live.open_many_str([old, new], [{}, {}]) == ["x"] * 2,
        lambda: live.open_many_binary([binary], {}) == [b"x"],
        lambda: live.is_current(live.reseal(padded, {}, "random")),
        lambda: live.is_current_binary(live.reseal_binary(reseal.to_binary(padded), {}, "random")),
        lambda: field.open(new) == b"x",
        lambda: field.open_many([new]) == [b"x"],
        lambda: field.open(field.reseal(padded)) == b"x",
        lambda: live.check(canary) == "ok",
    ]
    assert ways[way]()


def test_an_older_copy_is_refused(
    file: reseal.KeysetFile, clock: Clock, live: reseal.LiveKeyring
) -> None:
    old = Path(file.path).read_bytes()
    second = rotate(file)
    assert live.primary_id == second
    Path(file.path).write_bytes(old)
    clock.now += 10
    assert live.primary_id == second
    assert code_of(live.refresh) == "keyset-outdated"
    clock.now += LEASE
    assert code_of(lambda: live.seal("x", {})) == "ring-stale"


def test_another_ring_is_refused(
    file: reseal.KeysetFile, clock: Clock, live: reseal.LiveKeyring
) -> None:
    first = live.primary_id
    Path(file.path).unlink()
    other = reseal.Keyset.create(kek=KEK)
    other.rotate("data")
    file.create(other)
    assert code_of(live.refresh) == "keyset-wrong-ring"
    clock.now += 10
    assert live.primary_id == first


def test_a_key_that_is_disabled_while_it_runs(
    file: reseal.KeysetFile, clock: Clock, live: reseal.LiveKeyring
) -> None:
    stored, first = live.seal("x", {}), live.primary_id
    rotate(file)
    file.edit(lambda keyset: keyset.disable(first or ""))
    clock.now += 10
    assert code_of(lambda: live.open(stored, {})) == "key-disabled"


def test_status(clock: Clock, live: reseal.LiveKeyring, file: reseal.KeysetFile) -> None:
    assert live.status() == reseal.LiveStatus("keyset", None, None, 0, None, False, None)
    live.refresh()
    clock.now += 2.5
    ring = file.load().ring_id
    status = reseal.LiveStatus("keyset", 1, ring, LEASE, 2.5, False, None)
    assert live.status() == status
    assert pickle.loads(pickle.dumps(status)) == status


def test_variables_are_for_ever(clock: Clock) -> None:
    environ = {"RESEAL_PRIMARY_KEY": reseal.Key.generate().export()}
    live = reseal.LiveKeyring.from_env(environ, clock=clock)
    stored = live.seal("x", {})
    environ.clear()
    clock.now += 1e9
    assert live.seal("x", {})
    live.refresh()
    assert live.open(stored, {}) == b"x"
    assert (live.status().kind, live.status().stale) == ("keys", False)
    assert code_of(lambda: reseal.LiveKeyring.from_env({})) == "source-missing"


def test_files_that_variables_name(clock: Clock, tmp_path: Path, file: reseal.KeysetFile) -> None:
    old, new = reseal.Key.generate(), reseal.Key.generate()
    primary, kek = tmp_path / "primary", tmp_path / "kek"
    primary.write_text(old.export())
    kek.write_text(KEK.export())
    live = reseal.LiveKeyring.from_env({"RESEAL_PRIMARY_KEY_FILE": str(primary)}, clock=clock)
    assert live.primary_id == old.id
    primary.write_text(new.export())
    clock.now += 10
    assert live.primary_id == new.id
    environ = {"RESEAL_KEYSET": file.path, "RESEAL_KEK_FILE": str(kek)}
    follower = reseal.LiveKeyring.from_env(environ, clock=clock)
    assert follower.primary_id == file.load().primary_id
    second = rotate(file)
    clock.now += 10
    assert follower.primary_id == second
    assert follower.status().kind == "keyset"


def test_a_directory(clock: Clock, tmp_path: Path) -> None:
    keys = [reseal.Key.generate() for _ in range(2)]
    (tmp_path / "a").write_text(keys[0].export())
    live = reseal.LiveKeyring.from_directory(tmp_path, primary="a", clock=clock, check_seconds=0)

    def states() -> dict[str, str]:
        found = live.keys()
        return {key.label: key.state for key in found}

    assert states() == {"a": "primary"}
    (tmp_path / "b").write_text(keys[1].export())
    assert states() == {"a": "primary", "b": "decrypt_only"}
    (tmp_path / "c").write_text("no key")
    assert len(states()) == 2
    assert code_of(live.refresh) == "invalid-key"
    assert live.status().kind == "directory"


def test_a_passphrase(clock: Clock, tmp_path: Path) -> None:
    path, phrase = tmp_path / "keyset.json", tmp_path / "phrase"
    keyset = reseal.Keyset.create(passphrase="several words")
    keyset.rotate("data")
    file = reseal.KeysetFile(path, passphrase="several words")
    file.create(keyset)
    phrase.write_text("several words\n")
    for opener in ({"passphrase": "several words"}, {"passphrase_file": phrase}):
        options: Any = {**opener, "clock": clock, "check_seconds": 0}
        live = reseal.LiveKeyring.from_keyset(path, **options)
        assert live.primary_id == file.load().primary_id
        second = rotate(file)
        assert live.primary_id == second
    wrong = reseal.LiveKeyring.from_keyset(path, passphrase="several word", clock=clock)
    assert code_of(lambda: wrong.primary_id) == "kek-mismatch"


@pytest.mark.parametrize("answer", ["soon", None, -1.0, float("nan"), float("inf"), 10**400])
def test_clocks_that_are_none(file: reseal.KeysetFile, answer: Any) -> None:
    clock: Any = lambda: answer  # noqa: E731
    assert code_of(lambda: follow(file, clock).primary_id) == "invalid-argument"


def test_what_a_clock_raises_is_raised(file: reseal.KeysetFile, clock: Clock) -> None:
    def broken() -> float:
        raise KeyboardInterrupt

    live = reseal.LiveKeyring.from_keyset(file.path, kek=KEK, clock=broken)
    with pytest.raises(KeyboardInterrupt):
        live.seal("x", {})
    assert repr(live) == "LiveKeyring(not loaded)"


def test_a_clock_that_fails_after_a_look_loses_no_ring(file: reseal.KeysetFile) -> None:
    answers: list[float] = [1.0]

    def clock() -> float:
        return answers.pop() if answers else 1 / 0

    live = reseal.LiveKeyring.from_keyset(file.path, kek=KEK, clock=clock)
    with pytest.raises(ZeroDivisionError):
        live.seal("x", {})
    assert repr(live) != "LiveKeyring(not loaded)"
    answers.extend([1.0] * 10)
    assert live.seal("x", {})
    assert live.status().last_error is None


@pytest.mark.parametrize("raised", [OSError, KeyboardInterrupt, None])
def test_after_a_slow_look_there_is_a_pause(
    file: reseal.KeysetFile,
    clock: Clock,
    live: reseal.LiveKeyring,
    monkeypatch: pytest.MonkeyPatch,
    raised: type[BaseException] | None,
) -> None:
    """Also where it failed, or where it was broken off."""
    stored, looks, read = live.seal("x", {}), 0, _files.read_keyset

    def slow(*arguments: Any) -> bytes:
        nonlocal looks
        looks += 1
        clock.now += 20
        if raised is OSError:
            raise reseal.KeyringError("source-unreadable", "the network is away")
        if raised is not None:
            raise raised
        return read(*arguments)

    monkeypatch.setattr(_files, "read_keyset", slow)
    clock.now += 10
    if raised is KeyboardInterrupt:
        with pytest.raises(KeyboardInterrupt):
            live.open(stored, {})
    for seconds in (0.0, 0.5, 0.4):
        clock.now += seconds
        assert live.open(stored, {}) == b"x"
    assert looks == 1
    clock.now += 0.2
    with contextlib.suppress(KeyboardInterrupt):
        live.open(stored, {})
    assert looks == 2


@pytest.mark.parametrize("name", ["check_seconds", "reload_seconds"])
@pytest.mark.parametrize("value", ["1", -1, float("nan"), float("inf"), [], 1e10, 1e30])
def test_seconds_that_are_none(
    file: reseal.KeysetFile, clock: Clock, name: str, value: Any
) -> None:
    assert code_of(lambda: follow(file, clock, **{name: value})) == "invalid-argument"


@pytest.mark.parametrize("value", [5, "now", 0.5])
def test_a_clock_is_a_function(file: reseal.KeysetFile, value: Any) -> None:
    assert code_of(lambda: follow(file, value)) == "invalid-argument"
    environ = {"RESEAL_PRIMARY_KEY": reseal.Key.generate("data").export()}
    assert code_of(lambda: reseal.LiveKeyring.from_env(environ, clock=value)) == "invalid-argument"


def test_wrong_arguments(file: reseal.KeysetFile) -> None:
    make: Any = reseal.LiveKeyring.from_keyset
    once: Any = reseal.Keyring.from_keyset
    for options in ({}, {"kek": KEK, "kek_file": "x"}, {"kek": [KEK]}, {"passphrase": 1}):
        assert code_of(functools.partial(make, file.path, **options)) == "invalid-argument"
        assert code_of(functools.partial(once, file.path, **options)) == "invalid-argument"
    assert code_of(lambda: make(file.path, kek=KEK, ring="x")) == "invalid-argument"
    new: Any = reseal.LiveKeyring
    for options in ({}, {"path": file.path, "kek": KEK}):
        with pytest.raises(TypeError, match=r"^a LiveKeyring is made by LiveKeyring\.from_env, "):
            new(**options)
    wrong: Any = reseal.Field
    with pytest.raises(TypeError, match=r"^a Field is made by the method field of a Keyring$"):
        wrong(reseal.Keyring(), {})
    # Half a live ring would be memory that nobody has filled.
    for base in (reseal.Keyring, object):
        with pytest.raises(TypeError, match="not safe"):
            base.__new__(reseal.LiveKeyring)


def test_a_warning_that_is_an_error_stops_the_call_and_not_the_ring(
    tmp_path: Path, clock: Clock
) -> None:
    key = tmp_path / "key"
    key.write_text(reseal.Key.generate().export())
    key.chmod(0o644)
    live = reseal.LiveKeyring.from_env({"RESEAL_PRIMARY_KEY_FILE": str(key)}, clock=clock)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(reseal.KeyFileWarning):
            live.seal("x", {})
    assert live.seal("x", {})


def test_a_warning_that_uses_the_ring_does_not_hang(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    key.write_text(reseal.Key.generate().export())
    key.chmod(0o644)
    live = reseal.LiveKeyring.from_env({"RESEAL_PRIMARY_KEY_FILE": str(key)}, clock=clock)
    seen: list[str] = []

    def show(*_: Any, **__: Any) -> None:
        seen.append(code_of(lambda: live.seal("a log line", {})))

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", show)
        assert live.seal("x", {})
    assert seen == ["source-unreadable"]


def test_threads_share_the_first_look(file: reseal.KeysetFile, tmp_path: Path) -> None:
    """One derives the key of the passphrase, the others wait for it."""
    file.edit(lambda keyset: keyset.add_passphrase("several words"))
    live = reseal.LiveKeyring.from_keyset(file.path, passphrase="several words")
    barrier, ids = threading.Barrier(8), list[str | None]()

    def work() -> None:
        barrier.wait()
        ids.append(live.primary_id)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ids == [file.load().primary_id] * 8


def test_threads_seal_while_keys_rotate(file: reseal.KeysetFile) -> None:
    live = reseal.LiveKeyring.from_keyset(
        file.path, kek=KEK, check_seconds=0.001, reload_seconds=0.001
    )
    stop, failed, used = threading.Event(), list[BaseException](), set[str]()

    def work() -> None:
        field = live.field({"row": 1})
        try:
            while not stop.is_set():
                stored = [live.seal("x", {"row": 1}), field.seal("x")]
                assert live.open_many(stored, {"row": 1}) == [b"x", b"x"]
                used.update(reseal.inspect(text).key_id for text in stored)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    ids = []
    for _ in range(10):
        ids.append(rotate(file))
        deadline = time.monotonic() + 30
        while ids[-1] not in used and not failed and time.monotonic() < deadline:
            time.sleep(0.001)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed
    assert used >= set(ids)


def test_nobody_waits_for_ever_for_the_look_of_another_thread(
    file: reseal.KeysetFile, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What hangs is a network file system, or a server behind a pooler."""
    looking, go_on = threading.Event(), threading.Event()

    live = follow(file, clock)
    stored = live.seal("x", {})
    foreign = reseal.Keyring(reseal.Key.generate("data")).seal("x", {})

    def hang(*arguments: Any) -> Any:
        looking.set()
        go_on.wait()
        raise reseal.KeyringError("source-unreadable", "gone")

    monkeypatch.setattr(_files, "read_keyset", hang)
    clock.now += LEASE
    thread = threading.Thread(target=lambda: code_of(live.refresh))
    thread.start()
    assert looking.wait(30)
    try:
        # What needs no look goes on at once; what does has an end.
        assert live.open(stored, {}) == b"x"
        clock.now += 30
        assert code_of(lambda: live.seal("x", {})) == "ring-stale"
        assert code_of(lambda: live.open(foreign, {})) == "unknown-key"
        assert code_of(live.refresh) == "source-unreadable"
        assert live.open(stored, {}) == b"x"
    finally:
        go_on.set()
        thread.join()


def in_a_child(work: Callable[[], object]) -> None:
    """Does it in a forked process, and fails if it fails there."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@needs_fork
def test_after_a_fork_each_goes_on_by_itself(
    file: reseal.KeysetFile, clock: Clock, live: reseal.LiveKeyring
) -> None:
    unused, first = follow(file, clock), live.primary_id
    second = rotate(file)

    def child() -> None:
        assert live.primary_id == first
        clock.now += 10
        assert live.primary_id == unused.primary_id == second
        rotate(file)
        clock.now += 10
        assert live.primary_id not in (first, second)

    in_a_child(child)
    assert live.primary_id == first
    assert live.status().generation == 1
    clock.now += 10
    assert live.status().last_error is None
    assert live.primary_id == file.load().primary_id


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_while_another_thread_looks(tmp_path: Path, clock: Clock) -> None:
    """In the child nobody goes on with that look, so the child begins its own."""
    looking, go_on = threading.Event(), threading.Event()
    key = tmp_path / "key"
    key.write_text(reseal.Key.generate().export())
    key.chmod(0o644)
    live = reseal.LiveKeyring.from_env({"RESEAL_PRIMARY_KEY_FILE": str(key)}, clock=clock)

    def show(*_: Any, **__: Any) -> None:
        looking.set()
        go_on.wait()

    ids = list[str | None]()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        thread = threading.Thread(target=lambda: ids.append(live.primary_id))
        thread.start()
        assert looking.wait(30)
        try:
            in_a_child(lambda: live.seal("x", {}))
        finally:
            go_on.set()
            thread.join()
    assert ids == [live.primary_id]


def test_it_is_let_go(file: reseal.KeysetFile) -> None:
    class Held(Clock):
        pass

    clock = Held()
    ring = follow(file, clock)
    field = ring.field({})
    assert field.seal("x")
    gone = weakref.ref(clock)
    del clock, ring
    gc.collect()
    assert gone() is not None
    del field
    gc.collect()
    assert gone() is None
