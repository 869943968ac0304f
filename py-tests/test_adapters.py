"""What the adapters of frameworks share: codecs by name, a bound column, a manifest."""

from __future__ import annotations

import pickle
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
import reseal
from reseal import codecs
from reseal._adapters import BoundColumn, Codecs, Declaration, Index, Unopened
from reseal._adapters.manifest import manifest_text

DATA, INDEX = reseal.Key.generate("data"), reseal.Key.generate("index")
KEK = reseal.Key.generate("kek")
RING = reseal.Keyring(primary=DATA, index=INDEX)
TOKEN_KEY = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
HERE = {"table": "users", "column": "ssn"}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    monkeypatch.setenv("TOKENS", TOKEN_KEY)


def declared(**more: Any) -> Declaration:
    return Declaration(
        **{"table": "users", "column": "ssn", "context": HERE, "write": "app"} | more
    )


# --- codecs ---------------------------------------------------------------------------------------


def test_without_a_word_there_is_one_codec_of_the_environment() -> None:
    some = Codecs()
    assert some.kinds() == {"plain": "plain", "app": "reseal"}
    stored = some.get("app").seal("x", HERE)
    assert RING.open_str(stored, HERE) == "x"
    assert some.get("app") is some.get("app")
    assert some.get("plain").kind == "plain"


def test_nothing_is_read_before_the_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESEAL_PRIMARY_KEY")
    some = Codecs()
    bound = BoundColumn(declared(), some)
    assert some.kinds()["app"] == "reseal"
    assert bound.open(None, {}) is None
    with pytest.raises(reseal.KeyringError) as caught:
        bound.seal("x", {})
    assert caught.value.code == "source-missing"
    # What is mended counts at the next call.
    monkeypatch.setenv("RESEAL_PRIMARY_KEY", DATA.export())
    assert bound.open(bound.seal("x", {}), {}) == "x"


def test_a_codec_follows_its_keys(tmp_path: Path) -> None:
    store = reseal.KeysetFile(tmp_path / "ring.json", kek=KEK)
    store.create(reseal.Keyset.create(kek=KEK))
    first = store.edit(lambda keyset: keyset.rotate("data"))
    (tmp_path / "kek").write_text(KEK.export())
    described = {
        "kind": "reseal",
        "keyring": f"keyset:{tmp_path}/ring.json",
        "kek": f"file:{tmp_path}/kek",
    }
    some = Codecs({"app": described})
    bound = BoundColumn(declared(), some)
    before = bound.seal("x", {})
    second = store.edit(lambda keyset: keyset.rotate("data", early=True))
    ring = some.ring("app")
    assert isinstance(ring, reseal.LiveKeyring)
    ring.refresh()
    after = bound.seal("x", {})
    assert [reseal.inspect(it).key_id for it in (before, after)] == [first, second]
    assert [bound.open(it, {}) for it in (before, after)] == ["x", "x"]


def test_a_directory_and_a_database_hold_keys_as_well(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/now").write_text(DATA.export())
    folder = {"kind": "reseal", "keyring": f"dir:{tmp_path}/keys", "primary": "now"}
    assert RING.open_str(Codecs({"app": folder}).get("app").seal("x", HERE), HERE) == "x"

    sqlite3.connect(tmp_path / "keys.db").close()
    url = f"sqlite:///{tmp_path}/keys.db"
    reseal.SqlKeysetStore(url, kek=KEK).create(reseal.Keyset.create(kek=KEK))
    key = reseal.SqlKeysetStore(url, kek=KEK).edit(lambda keyset: keyset.rotate("data"))
    (tmp_path / "kek").write_text(KEK.export())
    row = {"kind": "reseal", "keyring": "sql:", "kek": f"file:{tmp_path}/kek"}
    stored = Codecs({"app": row}, database_url=lambda: url).get("app").seal("x", HERE)
    assert reseal.inspect(stored).key_id == key
    with pytest.raises(reseal.KeyringError) as caught:
        Codecs({"app": row}, database_url=lambda: None).get("app")
    assert caught.value.code == "source-missing"


def test_codecs_of_a_manifest(tmp_path: Path) -> None:
    path = tmp_path / "reseal.toml"
    path.write_text(
        'version = 1\n[codecs.app]\nkind = "reseal"\nkeyring = "env"\n'
        '[codecs.tokens]\nkind = "fernet"\nkeys = ["env:TOKENS"]\n'
    )
    some = Codecs(manifest=path)
    assert some.kinds() == {"plain": "plain", "app": "reseal", "tokens": "fernet"}
    bound = BoundColumn(declared(read=("tokens",)), some)
    assert bound.open(some.get("tokens").seal("hello"), {}) == "hello"
    path.write_text("version = 1\n[codecs.app]\nkind = 'resael'\n")
    with pytest.raises(reseal.ResealError) as caught:
        Codecs(manifest=path).get("app")
    assert caught.value.code == "manifest-invalid"


@pytest.mark.parametrize(
    ("described", "name", "code"),
    [
        ({"app": "env"}, "app", "invalid-argument"),
        ({"app": {"kind": "reseal", "keyring": "env"}}, "ap", "invalid-argument"),
        ({"app": {"kind": "reseal"}}, "app", "manifest-invalid"),
        ({"app": {"kind": "fernet", "keys": [TOKEN_KEY]}}, "app", "manifest-invalid"),
        ({"app": {"kind": "fernet", "keys": [b"bytes"]}}, "app", "invalid-argument"),
        ({"app": {"kind": "fernet", "keys": ["env:NOT_SET"]}}, "app", "source-missing"),
    ],
)
def test_what_describes_no_codec_is_refused(described: Any, name: str, code: str) -> None:
    with pytest.raises(reseal.ResealError) as caught:
        Codecs(described).get(name)
    assert caught.value.code == code
    assert TOKEN_KEY not in str(caught.value)


def test_threads_share_one_codec() -> None:
    some = Codecs()
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(some.get("app"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({id(one) for one in found}) == 1


# --- a bound column -------------------------------------------------------------------------------


def bound(**more: Any) -> BoundColumn:
    ring = {"app": codecs.reseal(RING, name="app")}
    return BoundColumn(declared(**more), Codecs(ring), "clinic.User")


def test_a_failure_says_where() -> None:
    stored = bound().seal("078-05-1120", {})
    other = bound(context={"table": "others"})
    with pytest.raises(reseal.DecryptError) as caught:
        other.open(stored, {}, 42)
    error: Any = pickle.loads(pickle.dumps(caught.value))
    assert (error.code, error.model, error.table) == ("auth-failed", "clinic.User", "users")
    assert (error.column, error.row) == ("ssn", 42)
    assert str(error).startswith("users.ssn (clinic.User), row 42: ")
    assert stored not in str(error)


def test_facts_are_bound() -> None:
    one = bound(row_facts={"tenant": "tenant_id"}, bind_row=True, row_id=("id",))
    stored = one.seal("x", {"tenant": 1, "row": 2})
    assert one.open(stored, {"tenant": 1, "row": 2}) == "x"
    with pytest.raises(reseal.DecryptError):
        one.open(stored, {"tenant": 2, "row": 2})


def test_terms() -> None:
    one = bound(indexes=(Index("ssn_eq", "ssn_index", "digits", 32),))
    term = one.term("078-05-1120", "ssn_eq", {})
    assert [term] == one.terms("078 05 1120", "ssn_eq", {})


@pytest.mark.parametrize(
    "more",
    [
        {"mode": "ordered"},
        {"bind_row": True, "mode": "deterministic"},
        {"bind_row": True, "row_id": ("a", "b")},
        {"row_facts": {"table": "kind"}},
    ],
)
def test_what_no_column_can_be_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(reseal.ResealError) as caught:
        declared(**more).check()
    assert caught.value.code == "invalid-argument"


@pytest.mark.parametrize("normalizer", ["raw", "ascii-lower-trim", "digits"])
@pytest.mark.parametrize(
    "pair",
    [
        *(("a", "A"), (" a\t", "a"), ("1-2", "12"), ("é", "É"), ("\x0b", ""), ("\u00a0x", "x")),
        *(("٣", ""), ("\x1cx", "x"), ("\x0cx", "x"), ("x\n", "x"), ("a b", "ab")),
    ],
)
def test_equality_is_that_of_the_core(normalizer: Any, pair: tuple[str, str]) -> None:
    terms = [RING.index_term(it, HERE, index="i", normalizer=normalizer, bits=256) for it in pair]
    one = bound(indexes=(Index("i", "x_index", normalizer, 8),))
    ours = [one.exact_terms(it, "i", {}) for it in pair]
    assert bool(ours[0] & ours[1]) == (terms[0] == terms[1])


def test_what_shares_a_short_term_is_told_apart() -> None:
    one = bound(indexes=(Index("i", "x_index", "raw", 8),))
    [wanted] = one.terms("0", "i", {})
    hit = next(str(n) for n in range(1, 10_000) if one.terms(str(n), "i", {}) == [wanted])
    assert not one.exact_terms("0", "i", {}) & one.exact_terms(hit, "i", {})
    assert one.exact_terms(None, "i", {}) == frozenset()


@pytest.mark.parametrize("binary", [False, True])
def test_a_row_that_is_not_sealed_is_looked_for_in_plaintext_alone(binary: bool) -> None:
    unsealed = bound(read=("plain",), binary=binary).unsealed()
    assert unsealed is not None
    assert unsealed.spellings("x", "i") == [b"x" if binary else "x"]


def test_what_is_unopened_says_why() -> None:
    one = Unopened(reseal.DecryptError("auth-failed", "users.ssn: no key opens the value"))
    assert str(one) == "[cannot be opened: auth-failed]"
    assert not one
    assert one != Unopened(one.error)


# --- the manifest ---------------------------------------------------------------------------------


def test_the_manifest_of_declarations() -> None:
    some = Codecs(
        {
            "app": {"kind": "reseal", "keyring": "env"},
            "old": {"kind": "fernet", "keys": ["env:TOKENS"], "lenient": True},
        }
    )
    whole = declared(
        context={"table": 'a "quoted"\x7f', "column": "ssn"},
        read=("old", "plain"),
        type="integer",
        mode="padded",
        row_facts={"tenant": "tenant_id"},
        bind_row=True,
        row_id=("id",),
        earlier_contexts=({"table": "people", "column": "ssn"},),
        indexes=(Index("ssn_eq", "ssn_index", "digits", 32),),
    )
    manifest = reseal.Manifest.parse(
        manifest_text(some, [whole, declared(column="b", row_id=("id",))])
    )
    spec, second = manifest.columns
    assert [codec.name for codec in manifest.codecs] == ["app", "old", "plain"]
    assert spec.context == {
        "table": 'a "quoted"\x7f',
        "column": "ssn",
        "tenant": reseal.FromRow("tenant_id"),
    }
    assert (spec.bind_row, spec.row_id, spec.type, spec.mode) == (True, ["id"], "integer", "padded")
    assert (spec.write, spec.read) == ("app", ["old", "plain"])
    assert spec.earlier_contexts == [{"table": "people", "column": "ssn"}]
    assert spec.indexes == [reseal.IndexSpec("ssn_eq", "ssn_index", "digits", 32)]
    assert (second.bind_row, second.read, second.indexes) == (False, [], [])


def test_what_a_manifest_cannot_say() -> None:
    for some, one in (
        (Codecs({"app": codecs.reseal(RING, name="app")}), declared(row_id=("id",))),
        (Codecs(), declared(row_id=("id",), row_facts={"tenant": None})),
    ):
        with pytest.raises(reseal.ResealError) as caught:
            manifest_text(some, [one])
        assert caught.value.code == "invalid-argument"
