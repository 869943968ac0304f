"""Columns: what is written, read, recognised and resealed, one value or many, with rings that stay and
rings that follow."""

from __future__ import annotations

import copy
import inspect
import pickle
import threading
from pathlib import Path
from typing import Any

import pytest
import reseal
from reseal import codecs
from support import Clock, code_of, error_of

FERNET = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
TOKEN = (
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4I"
    "wqDA=="
)
KEY = reseal.Key.generate("data")
RING = reseal.Keyring(KEY)
CONTEXT = {"table": "users", "column": "ssn"}


def column(**options: Any) -> reseal.Column:
    known = {
        "write": codecs.reseal(RING),
        "read": [codecs.fernet(keys=[FERNET]), codecs.plain()],
        "context": CONTEXT,
    }
    return reseal.Column(**{**known, **options})


def opened(found: Any) -> reseal.Opened:
    assert isinstance(found, reseal.Opened)
    return found


def resealed(outcome: Any) -> reseal.Resealed:
    assert isinstance(outcome, reseal.Resealed)
    return outcome


# --- one value --------------------------------------------------------------------------------


def test_it_writes_what_a_keyring_reads() -> None:
    stored = column().seal("x", row=42)
    assert RING.open_str(stored, {**CONTEXT, "row": 42}) == "x"
    assert opened(column().open(RING.seal("y", {**CONTEXT, "row": 42}), row=42)).value == "y"
    assert code_of(lambda: column().open(stored, row=43)) == "auth-failed"
    assert code_of(lambda: column().open(stored)) == "auth-failed"


def test_a_binary_column_gets_bytes() -> None:
    binary = column(binary=True)
    stored = binary.seal("x")
    assert isinstance(stored, bytes)
    assert RING.open_binary(stored, CONTEXT) == b"x"
    for value in (stored, bytearray(stored), memoryview(stored)):
        assert opened(binary.open(value)).value == "x"
    outcome = resealed(binary.reseal(TOKEN.encode()))
    assert isinstance(outcome.value, bytes)
    assert RING.open_binary(outcome.value, CONTEXT) == b"hello"


def test_what_opened_a_value() -> None:
    it = column()
    found = opened(it.open(TOKEN, row=1))
    assert (found.value, found.codec, found.key, found.scheme) == ("hello", "fernet", "1", "fernet")
    assert (found.current, found.trust, found.earlier, found.doubled) == (
        True,
        "authenticated",
        False,
        None,
    )
    found = opened(it.open(it.seal("x")))
    assert (found.codec, found.key, found.scheme) == ("reseal", KEY.id, "random")
    assert opened(it.open("hello")).codec == "plain"


def test_a_ciphertext_that_does_not_open_is_no_plaintext() -> None:
    damaged = TOKEN[:-6] + "AAAA=="
    assert code_of(lambda: column().open(damaged)) == "auth-failed"
    other = codecs.fernet(keys=["fn1e6PrRXKIvPkwnZGcFUouLeIEFe45dsK-C-nvMaoc="])
    assert code_of(lambda: column(read=[other, codecs.plain()]).open(TOKEN)) == "auth-failed"
    assert code_of(lambda: column(read=[]).open("hello")) == "format-mismatch"


def test_null_is_null() -> None:
    it = column()
    assert it.seal(None) is None
    assert it.open(None) is None
    assert it.reseal(None) == it.reopen(None) == it.reseal_many([None])[0]
    assert isinstance(it.reseal(None), reseal.Null)
    assert it.classify(None).null
    # Whatever else the row has.
    wrong: Any = {"row": None}
    for rewrite in (it.reseal, it.reopen):
        assert isinstance(rewrite(None, **wrong), reseal.Null)
    for many in (it.reseal_many, it.reopen_many):
        assert isinstance(many([None], rows=[wrong["row"]])[0], reseal.Null)
    for value in ("", "0", "false"):
        assert opened(it.open(it.seal(value))).value == value


def test_the_census() -> None:
    it = column()
    shown = it.classify(TOKEN)
    assert (shown.codec, shown.key, shown.scheme, shown.certainty, shown.null) == (
        "fernet",
        None,
        "fernet",
        "yes",
        False,
    )
    shown = it.classify(it.seal("x"))
    assert (shown.codec, shown.key, shown.certainty) == ("reseal", KEY.id, "yes")
    assert (it.classify("hello").codec, it.classify("hello").certainty) == ("plain", "maybe")
    nothing = column(read=[]).classify("hello")
    assert (nothing.codec, nothing.scheme, nothing.certainty, nothing.null) == (
        None,
        None,
        None,
        False,
    )
    assert it.classify(TOKEN) == it.classify(TOKEN) != it.classify(None)


def test_every_value_comes_to_the_writer() -> None:
    it = column()
    for stored, plaintext, codec in ((TOKEN, "hello", "fernet"), ("hello", "hello", "plain")):
        done = resealed(it.reseal(stored, row=1))
        assert (done.from_.codec, done.to.codec, done.to.key) == (codec, "reseal", KEY.id)
        assert RING.open_str(done.value, {**CONTEXT, "row": 1}) == plaintext
        assert isinstance(it.reseal(done.value, row=1), reseal.Current)
    # Whoever knows the context alone can tell that it is another one.
    outcome = it.reopen(it.seal("x", row=1), row=2)
    assert isinstance(outcome, reseal.Refused)
    assert (outcome.code, bool(outcome.message)) == ("auth-failed", True)


def test_there_is_a_way_back() -> None:
    back = column(write=codecs.fernet(keys=[FERNET]), read=[codecs.reseal(RING), codecs.plain()])
    token = resealed(back.reseal(column().seal("x"))).value
    assert codecs.fernet(keys=[FERNET]).open(token).plaintext == b"x"
    out = column(write=codecs.plain(), read=[codecs.reseal(RING), codecs.fernet(keys=[FERNET])])
    assert resealed(out.reseal(token)).value == "x"
    assert resealed(out.reseal(column().seal("x"))).value == "x"
    # No reader could tell this plaintext from an envelope.
    refused = out.reseal(column().seal(column().seal("x")[:50]))
    assert isinstance(refused, reseal.Refused)
    assert refused.code == "looks-sealed"


def test_modes_and_earlier_contexts() -> None:
    before = column(context={"table": "people"})
    stored = before.seal("x", row=1)
    now = column(earlier_contexts=[{"table": "people"}])
    assert opened(now.open(stored, row=1)).earlier
    assert isinstance(now.reseal(stored, row=1), reseal.Current)
    moved = resealed(now.reopen(stored, row=1)).value
    assert not opened(column().open(moved, row=1)).earlier
    same = column(mode="deterministic")
    assert same.seal("x") == same.seal("x")
    assert resealed(same.reseal(column().seal("x"))).to.scheme == "deterministic"


def test_what_was_encrypted_twice_is_repaired_one_by_one() -> None:
    fernet = codecs.fernet(keys=[FERNET])
    it, twice = column(read=[fernet]), fernet.seal(TOKEN)
    assert opened(it.open(twice)).doubled == "fernet"
    refused = it.reseal(twice, row=1)
    assert isinstance(refused, reseal.Refused)
    assert refused.code == "double-encrypted"
    once = it.unwrap_twice(twice, row=1)
    assert (opened(it.open(once, row=1)).value, opened(it.open(once, row=1)).doubled) == (
        "hello",
        None,
    )
    # Somebody wrote a text that looks like a token.
    kept = it.keep_twice(twice, row=1)
    assert (opened(it.open(kept, row=1)).value, opened(it.open(kept, row=1)).doubled) == (
        TOKEN,
        "fernet",
    )
    assert code_of(lambda: it.unwrap_twice(fernet.seal("x"))) == "format-mismatch"
    for step in (it.unwrap_twice, it.keep_twice):
        assert code_of(lambda s=step: s(None)) == "invalid-argument"  # type: ignore[misc]


def test_what_is_not_checked_is_not_resealed() -> None:
    stored = codecs.n8n(instance_keys=["k"]).seal('{"a":1}')
    cases: list[tuple[Any, str]] = [(None, "expect-required"), ("json", "")]
    for expect, code in cases:
        it = column(read=[codecs.n8n(instance_keys=["k"], expect=expect)])
        outcome = it.reseal(stored)
        assert getattr(outcome, "code", "") == code
        assert opened(it.open(stored)).trust == ("checked" if expect else "unchecked")


def test_a_column_like_that_of_tines() -> None:
    """A new codec is written, and the one of before reads."""
    rails = codecs.rails(primary_keys=["old", "new"], key_derivation_salt="salt", name="rails_old")
    it = column(read=[rails, codecs.plain()])
    outcome = resealed(it.reseal(rails.seal("a secret"), row=7))
    assert (outcome.from_.codec, outcome.to.codec) == ("rails_old", "reseal")
    assert opened(it.open(outcome.value, row=7)).value == "a secret"


# --- many values ------------------------------------------------------------------------------


def test_batches_give_what_single_calls_give() -> None:
    it = column()
    stored: list[Any] = [TOKEN, None, "hello", it.seal("x"), it.seal("x")[:50], 7, "\ud800"]
    many = it.open_many(stored)
    for value, item in zip(stored, many, strict=True):
        if value is None:
            assert item is None
        elif isinstance(item, reseal.ResealError):
            assert error_of(lambda v=value: it.open(v)).args == item.args  # type: ignore[misc]
        else:
            assert repr(item) == repr(it.open(value))
            assert opened(item).value == opened(it.open(value)).value
    assert [getattr(item, "code", "") for item in many] == [
        *("", "", "", ""),
        *("malformed", "invalid-argument", "invalid-text"),
    ]
    outcomes = it.reseal_many(stored)
    assert [type(outcome).__name__ for outcome in outcomes] == [
        *("Resealed", "Null", "Resealed", "Current", "Refused", "Refused", "Refused"),
    ]
    assert [repr(o) for o in outcomes] == [repr(it.reseal(value)) for value in stored]
    assert [repr(o) for o in it.reopen_many(stored)] == [repr(it.reopen(value)) for value in stored]
    shown = it.classify_many(stored)
    assert shown[:5] == [it.classify(value) for value in stored[:5]]
    assert [getattr(item, "code", "") for item in shown[5:]] == ["invalid-argument", "invalid-text"]


def test_rows_and_contexts() -> None:
    it = column()
    stored = it.seal_many(["x", None, "z"], rows=[1, 2, 3])
    assert stored[1] is None
    assert [opened(o).value for o in it.open_many(stored[::2], rows=[1, 3])] == ["x", "z"]
    contexts: list[dict[str, Any]] = [{"row": 1, "tenant": "a"}, {"row": 1.5}, {}]
    stored = it.seal_many(["x", "y", 7], contexts=contexts)
    assert opened(it.open(stored[0], row=1, tenant="a")).value == "x"
    assert [stored[1].code, stored[2].code] == ["context-invalid", "invalid-argument"]
    assert it.seal_many([7], contexts=[{"row": 1.5}])[0].code == "context-invalid"
    outcomes = it.reseal_many([TOKEN, TOKEN], contexts=contexts[:2])
    assert isinstance(outcomes[1], reseal.Refused)
    assert outcomes[1].code == "context-invalid"
    assert isinstance(it.reseal(TOKEN, row=1.5), reseal.Refused)  # type: ignore[arg-type]
    earlier = column(context={"table": "users"}, earlier_contexts=[CONTEXT])
    value = it.seal("x", row=2)
    current, moved = earlier.reopen_many([earlier.seal("x", row=1), value], rows=[1, 2])
    assert isinstance(current, reseal.Current)
    assert opened(earlier.open(resealed(moved).value, row=2)).earlier is False
    assert isinstance(earlier.reseal_many([value], rows=[2])[0], reseal.Current)
    for step in (
        lambda: it.open_many(stored, rows=[1]),
        lambda: it.open_many(stored, rows=[1, 2, 3], contexts=[{}, {}, {}]),
        lambda: it.open_many("text"),
        lambda: it.seal_many(7),  # type: ignore[arg-type]
        lambda: it.reseal_many(None),  # type: ignore[arg-type]
        lambda: it.reopen_many([TOKEN], rows=[1, 2]),
    ):
        assert code_of(step) == "invalid-argument"


def test_a_large_batch_in_threads() -> None:
    it = column()
    values = [f"value {number}" for number in range(2000)]
    results: list[Any] = [None] * 4

    def work(at: int) -> None:
        stored = it.seal_many(values, rows=range(2000))
        results[at] = [opened(o).value for o in it.open_many(stored, rows=range(2000))]

    threads = [threading.Thread(target=work, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [values] * 4


# --- options ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"write": RING},
        {"write": None},
        {"read": codecs.plain()},
        {"read": [None]},
        {"read": [codecs.plain("a"), codecs.plain("a")]},
        {"mode": "fast"},
        {"type": "float"},
        {"binary": "yes"},
        {"earlier_contexts": {"table": "x"}},
    ],
    ids=str,
)
def test_options_that_are_wrong(options: Any) -> None:
    assert code_of(lambda: column(**options)) == "invalid-argument"


def test_contexts_that_are_wrong() -> None:
    assert code_of(lambda: column(context={"Table": "x"})) == "context-invalid"
    assert code_of(lambda: column(earlier_contexts=[{"row": 1.5}])) == "context-invalid"


def test_the_writer_may_be_named_among_the_readers() -> None:
    write = codecs.reseal(RING)
    it = column(write=write, read=[codecs.plain(), write, write])
    assert isinstance(it.reseal(it.seal("x")), reseal.Current)


def test_what_it_shows() -> None:
    it = column(type="integer", mode="deterministic", binary=True)
    assert (it.type, it.mode, it.binary) == ("integer", "deterministic", True)
    assert repr(it).startswith("Column(reseal <- fernet <- plain, ")
    assert copy.copy(it) is it is copy.deepcopy(it)
    for thing in (it, codecs.fernet(keys=[FERNET]), it.open(it.seal(7)), it.reseal(it.seal(7))):
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(thing)
    assert str(inspect.signature(it.reseal)) == "(stored, /, **context)"


def test_no_repr_shows_a_value() -> None:
    it = column(write=codecs.plain(), read=[codecs.fernet(keys=[FERNET])])
    for thing in (
        it.open(TOKEN),
        it.reseal(TOKEN),
        codecs.fernet(keys=[FERNET]).open(TOKEN),
        codecs.fernet(keys=[FERNET]),
        codecs.N8nDataKey.from_text("hello"),
        codecs.N8nKeyRow("id", "data_encryption", "hello", None, "active"),
    ):
        assert "hello" not in repr(thing) + str(thing)
        assert FERNET[:10] not in repr(thing)


# --- rings that follow ------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> reseal.KeysetFile:
    kek = reseal.Key.generate("kek")
    file = reseal.KeysetFile(tmp_path / "keyset.json", kek=kek)
    keyset = reseal.Keyset.create(kek=kek, lease_seconds=60)
    keyset.rotate("data", label="first")
    file.create(keyset)
    (tmp_path / "kek").write_text(kek.export())
    return file


def follow(file: reseal.KeysetFile, clock: Any) -> reseal.LiveKeyring:
    kek = Path(file.path).parent / "kek"
    return reseal.LiveKeyring.from_keyset(file.path, kek_file=kek, clock=clock)


def test_a_column_follows_a_live_ring(file: reseal.KeysetFile) -> None:
    clock = Clock()
    it = column(write=codecs.reseal(follow(file, clock)))
    first = it.seal("x")
    new = file.edit(lambda keyset: keyset.rotate("data", early=True))
    assert isinstance(it.reseal(first), reseal.Current)
    clock.now += 20
    outcome = resealed(it.reseal(first))
    assert (outcome.to.key, outcome.from_.key) == (new, reseal.inspect(first).key_id)
    assert opened(it.open(outcome.value)).current
    assert codecs.reseal(follow(file, clock)).is_current(first) is False


def test_an_unknown_key_is_looked_for_at_once(file: reseal.KeysetFile) -> None:
    clock = Clock()
    codec = codecs.reseal(follow(file, clock))
    it = column(write=codec)
    it.seal("x")
    clock.now += 2
    file.edit(lambda keyset: keyset.rotate("data", early=True))
    newer = file.load().keyring()
    stored = newer.seal("y", CONTEXT)
    assert [opened(o).value for o in it.open_many([stored, TOKEN, stored])] == ["y", "hello", "y"]
    clock.now += 2
    file.edit(lambda keyset: keyset.rotate("data", early=True))
    newer = file.load().keyring()
    assert codec.open(newer.seal("z", CONTEXT), CONTEXT).plaintext == b"z"
    unknown = reseal.Keyring(reseal.Key.generate()).seal("x", CONTEXT)
    clock.now += 2
    assert code_of(lambda: it.open(unknown)) == "unknown-key"
    refused = it.reseal_many([unknown, TOKEN])
    assert isinstance(refused[0], reseal.Refused)
    assert refused[0].code == "unknown-key"
    assert isinstance(refused[1], reseal.Resealed)


def test_a_stale_ring_opens_and_does_not_seal(file: reseal.KeysetFile) -> None:
    clock = Clock()
    codec = codecs.reseal(follow(file, clock))
    it = column(write=codec)
    stored = it.seal("x")
    Path(file.path).unlink()
    clock.now += 100
    assert opened(it.open(stored)).value == "x"
    assert isinstance(it.reseal(stored), reseal.Current)
    assert code_of(lambda: it.seal("x")) == "ring-stale"
    assert code_of(lambda: codec.seal("x")) == "ring-stale"
    refused = it.reseal(TOKEN)
    assert isinstance(refused, reseal.Refused)
    assert refused.code == "ring-stale"
    assert it.seal_many(["x", None])[0].code == "ring-stale"


def test_a_source_that_is_gone_fails_only_what_needs_it(tmp_path: Path) -> None:
    live = reseal.LiveKeyring.from_keyset(tmp_path / "none.json", passphrase="x")
    it = column(write=codecs.reseal(live))
    assert opened(it.open(TOKEN)).value == "hello"
    assert opened(it.open("plain")).value == "plain"
    assert code_of(lambda: it.seal("x")) == "source-unreadable"
    assert code_of(lambda: it.open(RING.seal("x", CONTEXT))) == "source-unreadable"


def test_what_a_clock_raises_is_raised(file: reseal.KeysetFile) -> None:
    def clock() -> float:
        raise KeyboardInterrupt

    it = column(write=codecs.reseal(follow(file, clock)))
    for step in (lambda: it.open(TOKEN), lambda: it.reseal_many([TOKEN]), lambda: it.seal("x")):
        with pytest.raises(KeyboardInterrupt):
            step()


# --- plaintext --------------------------------------------------------------------------------


def plaintext_writers() -> list[codecs.Codec]:
    sentry = codecs.sentry(keys={"k": FERNET}, primary="k", method="plaintext")
    return [codecs.plain(), sentry]


def test_who_writes_plaintext_is_warned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESEAL_REQUIRE_ENCRYPTION", raising=False)
    for write in plaintext_writers():
        with pytest.warns(reseal.PlaintextWarning, match=f"codec {write.name}") as caught:
            reseal.Column(write=write)
        assert caught[0].filename == __file__
    column()  # reads it, and does not write it


@pytest.mark.parametrize("said", ["1", "yes"])
def test_plaintext_is_refused_where_encryption_is_required(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESEAL_REQUIRE_ENCRYPTION", said)
    for write in plaintext_writers():
        error = error_of(lambda write=write: reseal.Column(write=write))  # type: ignore[misc]
        assert error.code == "encryption-required"
    assert opened(column().open("x")).codec == "plain"
