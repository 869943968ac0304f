"""The manifest: what it says, what its columns need, and that they are columns like others."""

from __future__ import annotations

import copy
import json
import os
import pickle
import warnings
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict
from pathlib import Path
from typing import Any

import pytest
import reseal
from reseal import codecs
from support import code_of, error_of, without_rights

FERNET = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
OTHER_FERNET = "B9IqD_3LAFlcSPXnMYzUyWXuhQKADXPWgbaKslfwZ78="
METABASE = "a secret of sixteen characters"
KEY = reseal.Key.generate("data")
RING = reseal.Keyring(KEY)
ENVIRON = {"RESEAL_PRIMARY_KEY": KEY.export(), "FERNET_KEY": FERNET}
SECRETS = [FERNET, OTHER_FERNET, METABASE, KEY.export(), "hunter2-hunter2"]

CODECS = """
version = 1
[codecs.app]
kind = "reseal"
keyring = "env"
[codecs.tokens]
kind = "fernet"
keys = ["env:FERNET_KEY"]
"""
COLUMN = """
[[columns]]
table = "users"
column = "ssn"
row_id = ["id"]
context = { table = "users", column = "ssn" }
write = "app"
read = ["tokens"]
"""


def manifest(rest: str = COLUMN) -> reseal.Manifest:
    return reseal.Manifest.parse(CODECS + rest)


def codec(options: str) -> reseal.Manifest:
    return manifest(f"[codecs.x]\n{options}\n")


def silent(error: reseal.ResealError) -> reseal.ResealError:
    """No secret is in the message, nor in what led to it."""
    shown = f"{error!r} {error} {error.__cause__!r}"
    for secret in SECRETS:
        assert secret[3:15] not in shown
    return error


# --- what it says -----------------------------------------------------------------------------


def test_what_a_manifest_says() -> None:
    text = """
[[columns]]
table = "users"
column = "ssn"
row_id = ["id"]
context = { table = "users", tenant = { column = "tenant_id" } }
earlier_contexts = [{ table = "people" }]
write = "app"
read = ["app", "tokens"]
readers = { billing = ["reseal"] }
indexes = [{ name = "ssn_eq", column = "ssn_bidx", normalizer = "digits", bits = 64 }]
"""
    found = manifest(text)
    assert found.codecs == [
        reseal.CodecSpec("app", "reseal", writes_plaintext=False),
        reseal.CodecSpec("plain", "plain", writes_plaintext=True),
        reseal.CodecSpec("tokens", "fernet", writes_plaintext=False),
    ]
    assert found.columns == [
        reseal.ColumnSpec(
            table="users",
            column="ssn",
            row_id=["id"],
            where=None,
            path=None,
            context={"table": "users", "tenant": reseal.FromRow("tenant_id")},
            bind_row=False,
            earlier_contexts=[{"table": "people"}],
            type="text",
            mode="random",
            write="app",
            read=["tokens"],
            readers={"billing": ["reseal"]},
            indexes=[reseal.IndexSpec("ssn_eq", "ssn_bidx", "digits", 64)],
        )
    ]
    assert found.warnings == []
    assert repr(found) == "Manifest(3 codecs, 1 columns)"
    assert copy.copy(found) is found is copy.deepcopy(found)


def test_what_it_says_is_plain_data() -> None:
    spec = manifest().columns[0]
    assert "table='users', column='ssn'" in repr(spec)
    assert pickle.loads(pickle.dumps(spec)) == spec == copy.deepcopy(spec)
    with pytest.raises(FrozenInstanceError):
        spec.table = "x"  # type: ignore[misc]
    spec.row_id.clear()
    assert manifest().columns[0].row_id == ["id"]
    assert json.dumps(asdict(spec))


def test_a_warning_is_shown_as_the_command_shows_it() -> None:
    unused, warning = manifest(COLUMN.replace('"app"', '"plain"')).warnings
    assert str(unused) == "codecs.app: no column uses this codec (line 3)"
    assert (warning.place, warning.line) == ("columns[0].write", 15)
    assert str(warning) == f"columns[0].write: {warning.message} (line 15)"
    assert warning.message.startswith("plain writes plaintext")


# --- the file ---------------------------------------------------------------------------------


def test_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "reseal.toml"
    path.write_text(CODECS + COLUMN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for given in ((), ("reseal.toml",), (path,), (os.fsencode(path),)):
        assert reseal.Manifest.load(*given).columns == manifest().columns


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"version = 2", "the manifest is not valid: version: this release reads"),
        (b"version = 1\nx = 1", "the manifest is not valid: x: there is no member"),
        (b"version = '\xff'", "is no text (UTF-8)"),
        (b" " * (2**20 + 1), "a manifest has at most 1048576 bytes, and"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "reseal.toml"
    path.write_bytes(content)
    error = error_of(lambda: reseal.Manifest.load(path))
    expected = "unsupported-version" if b"2" in content else "manifest-invalid"
    assert error.code == expected
    assert message in str(error)
    assert json.dumps(str(path)) in str(error)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    missing, secret = tmp_path / "none.toml", tmp_path / "secret.toml"
    secret.write_text("version = 1")
    secret.chmod(0)
    assert "none.toml" in str(error_of(lambda: reseal.Manifest.load(missing)))
    for path in (missing, tmp_path):
        assert code_of(lambda p=path: reseal.Manifest.load(p)) == "source-unreadable"  # type: ignore[misc]
    with without_rights():
        assert code_of(lambda: reseal.Manifest.load(secret)) == "source-unreadable"


# --- its columns ------------------------------------------------------------------------------


def test_the_columns_are_columns_like_others() -> None:
    text = """
[[columns]]
table = "users"
column = "age"
row_id = ["id"]
context = { column = "age" }
earlier_contexts = [{ column = "years" }]
bind_row = true
type = "integer"
mode = "padded"
write = "app"
read = ["tokens"]
"""
    [column] = manifest(text).build(rings={"app": RING}, environ=ENVIRON)
    assert (column.type, column.mode, column.binary) == ("integer", "padded", False)
    stored = column.seal(7, row=1)
    opened = column.open(stored, row=1)
    assert opened is not None
    assert (opened.value, opened.codec, opened.scheme) == (7, "app", "padded")
    assert code_of(lambda: column.open(stored, row=2)) == "auth-failed"
    before = RING.seal("8", {"column": "years", "row": 1}, "padded")
    opened = column.open(before, row=1)
    assert opened is not None
    assert (opened.value, opened.earlier) == (8, True)
    resealed = column.reseal(codecs.fernet(keys=[FERNET]).seal("9"), row=1)
    assert isinstance(resealed, reseal.Resealed)
    assert (resealed.from_.codec, resealed.to.codec) == ("tokens", "app")
    by_hand = reseal.Column(
        codecs.reseal(RING, name="app"), context={"column": "age"}, mode="padded", type="integer"
    )
    opened = by_hand.open(stored, row=1)
    assert opened is not None
    assert opened.value == 7


def test_columns_come_in_the_order_of_the_text_and_share_codecs() -> None:
    second = COLUMN.replace('"ssn"', '"name"', 1).replace('write = "app"', 'write = "tokens"')
    columns = manifest(COLUMN + second).build(environ=ENVIRON)
    assert [repr(column).split(",")[0] for column in columns] == [
        "Column(app <- tokens",
        "Column(tokens",
    ]
    opened = columns[0].open(columns[1].seal("x"))
    assert opened is not None
    assert opened.value == "x"


def test_a_census_needs_no_secret() -> None:
    [column] = manifest().keyless()
    for stored, name in ((RING.seal("x", {}), "app"), ("gAAAAABl", "tokens"), ("x", None)):
        assert column.classify(stored).codec == name
    assert code_of(lambda: column.open("gAAAAABl")) == "source-missing"
    assert code_of(lambda: column.seal("x")) == "source-missing"


# --- secrets ----------------------------------------------------------------------------------


def test_secrets_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = codecs.fernet(keys=[FERNET]).seal("x")
    assert manifest().codec("tokens", environ=ENVIRON).open(stored).plaintext == b"x"
    monkeypatch.setenv("FERNET_KEY", FERNET)
    found = manifest().codec("tokens")
    assert (found.name, found.kind) == ("tokens", "fernet")
    assert found.open(stored).plaintext == b"x"


def test_secrets_are_taken_as_they_are() -> None:
    salted = codec("kind = 'rails'\nprimary_keys = ['env:A']\nkey_derivation_salt = 'env:S'")
    environ = {"A": " a key \n", "S": "salt"}
    by_hand = codecs.rails(primary_keys=[" a key \n"], key_derivation_salt="salt")
    sealed = salted.codec("x", environ=environ).seal("text")
    assert by_hand.open(sealed).plaintext == b"text"


def test_secrets_from_files_and_directories(tmp_path: Path) -> None:
    (tmp_path / "k1").write_text(FERNET + "\n")
    (tmp_path / "k2").write_text(OTHER_FERNET)
    (tmp_path / ".hidden").write_text("no key")
    for file in tmp_path.iterdir():
        file.chmod(0o600)
    tokens = codec(f"kind = 'fernet'\nkeys = ['file:{tmp_path}/k1']").codec("x", environ={})
    assert tokens.open(codecs.fernet(keys=[FERNET]).seal("x")).plaintext == b"x"
    sentry = codec(f"kind = 'sentry'\nkey_dir = '{tmp_path}'\nprimary = 'k2'")
    by_hand = codecs.sentry(keys={"k1": FERNET, "k2": OTHER_FERNET}, primary="k1")
    opened = sentry.codec("x", environ={}).open(by_hand.seal("x"))
    assert (opened.plaintext, opened.key, opened.current) == (b"x", "k1", False)


def test_rows_of_a_table() -> None:
    found = codec(
        "kind = 'n8n'\ninstance_keys = ['env:K']\nrows = 'table:deployment_key'\nwrite = 'prefixed'"
    )
    key = codecs.N8nDataKey.generate()
    row = {
        "id": "bEc5AmLGiLrtdybl",
        "type": "data_encryption",
        "value": key.wrap("the instance key"),
        "algorithm": "aes-256-gcm",
        "status": "active",
        "createdAt": object(),  # not asked for
    }
    other = {**row, "id": "x", "type": "instance.id", "value": "y", "algorithm": None}
    environ = {"K": "the instance key"}
    n8n = found.codec("x", tables={"deployment_key": iter([row, other])}, environ=environ)
    assert n8n.seal("x").startswith("bEc5AmLGiLrtdybl:")

    for tables in (None, {}, {"deployment_key": None}, {"other": [row]}):
        error = error_of(lambda t=tables: found.codec("x", tables=t, environ=environ))  # type: ignore[misc]
        assert error.code == "source-missing"
        assert str(error) == (
            "codecs.x.rows: the rows of the table deployment_key were not given: "
            "give them in tables, each with id, type, value, algorithm, status"
        )


def test_numbers_in_the_rows_of_a_table() -> None:
    found = codec("kind = 'metabase'\nkeys = ['env:M']\ndata_keys = 'table:data_encryption_key'")
    tables: dict[str, Any] = {"data_encryption_key": []}
    metabase = found.codec("x", tables=tables, environ={"M": METABASE})
    assert metabase.open(codecs.metabase(keys=[METABASE]).seal("x")).plaintext == b"x"
    tables["data_encryption_key"] = [{"id": -1, "key_material": "hunter2-hunter2"}]
    error = silent(error_of(lambda: found.codec("x", tables=tables, environ={"M": METABASE})))
    assert str(error) == "codecs.x.data_keys[0].id: expected a number from 0 to 4294967295"


@pytest.mark.parametrize(
    ("options", "environ", "code", "message"),
    [
        ("kind = 'fernet'\nkeys = ['env:A', 'env:B']", {"A": FERNET}, "source-missing", "codecs.x.keys[1]: the variable B is not set"),
        ("kind = 'fernet'\nkeys = ['env:A']", {"A": "hunter2-hunter2"}, "invalid-key", "codecs.x.keys[0]: a Fernet key is 32 bytes"),
        ("kind = 'fernet'\nkeys = ['env:A']", {"A": FERNET + "\udcff"}, "source-unreadable", "codecs.x.keys[0]: the variable A is no text (UTF-8)"),
        ("kind = 'fernet'\nkeys = ['env:A']", {"A": FERNET.encode()}, "invalid-argument", "A in environ is text, not bytes"),
        ("kind = 'fernet'\nkeys = ['file:/none/of/these']", {}, "source-unreadable", "codecs.x.keys[0]: cannot read \"/none/of/these\""),
        ("kind = 'sentry'\nkey_dir = '/none/of/these'\nprimary = 'a'", {}, "source-unreadable", "codecs.x.key_dir: cannot read \"/none/of/these\""),
        ("kind = 'metabase'\nkeys = ['env:A']", {"A": "hunter2"}, "invalid-key", "codecs.x.keys[0]: "),
        ("kind = 'reseal'\nkeyring = 'env'", {}, "source-missing", "codecs.x.keyring: "),
        ("kind = 'reseal'\nkeyring = 'env'", {"RESEAL_PRIMARY_KEY": "hunter2-hunter2"}, "invalid-key", "codecs.x.keyring: RESEAL_PRIMARY_KEY: "),
        ("kind = 'reseal'\nkeyring = 'dir:/none/of/these'\nprimary = 'a'", {}, "source-unreadable", "codecs.x.keyring: cannot read \"/none/of/these\""),
        ("kind = 'reseal'\nkeyring = 'keyset:/none'\nkek = 'env:A'", {}, "source-missing", "codecs.x.keyring: the variable A is not set"),
        ("kind = 'reseal'\nkeyring = 'keyset:/none'\nkek = 'env:A'", {"A": KEY.export()}, "key-wrong-use", "codecs.x.keyring: A holds a key for another use"),
        ("kind = 'reseal'\nkeyring = 'keyset:/none/of/these'\npassphrase = 'env:A'", {"A": "x"}, "source-unreadable", "codecs.x.keyring: cannot read"),
    ],
)  # fmt: skip
def test_what_is_missing_or_bad_is_named_and_not_shown(
    options: str, environ: dict[str, Any], code: str, message: str
) -> None:
    error = silent(error_of(lambda: codec(options).codec("x", environ=environ)))
    assert (error.code, str(error)[: len(message)]) == (code, message)
    column = COLUMN.replace('write = "app"', 'write = "x"').replace(
        'read = ["tokens"]', "type = 'json'"
    )
    found = manifest(f"[codecs.x]\n{options}\n{column}")
    if "kind = 'sentry'" not in options:
        assert str(error_of(lambda: found.build(environ=environ))) == str(error)


# --- rings ------------------------------------------------------------------------------------


def keyset_in(folder: Path) -> tuple[reseal.Key, Path]:
    kek, path = reseal.Key.generate("kek"), folder / "keyset.json"
    keyset = reseal.Keyset.create(kek=kek)
    keyset.rotate("data")
    reseal.KeysetFile(path, kek=kek).create(keyset)
    return kek, path


def test_rings_from_every_source(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "2026").write_text(KEY.export())
    (keys / "2026").chmod(0o600)
    kek, path = keyset_in(tmp_path)
    (tmp_path / "kek").write_text(kek.export())
    (tmp_path / "kek").chmod(0o600)
    for keyring, environ in (
        ("'env'", {"RESEAL_PRIMARY_KEY": KEY.export()}),
        ("'env'", {"RESEAL_KEY_DIR": str(keys), "RESEAL_PRIMARY": "2026"}),
        (f"'dir:{keys}'\nprimary = '2026'", {}),
        (f"'keyset:{path}'\nkek = 'env:KEK'", {"KEK": kek.export()}),
        (f"'keyset:{path}'\nkek = 'file:{tmp_path}/kek'\nmin_generation = 1", {}),
    ):
        found = codec(f"kind = 'reseal'\nkeyring = {keyring}").codec("x", environ=environ)
        assert found.open(found.seal("x")).plaintext == b"x"
    stale = codec(
        f"kind = 'reseal'\nkeyring = 'keyset:{path}'\nkek = 'env:KEK'\nmin_generation = 9"
    )
    error = error_of(lambda: stale.codec("x", environ={"KEK": kek.export()}))
    assert error.code == "keyset-outdated"
    assert str(error).startswith("codecs.x.keyring: ")


def test_a_ring_that_is_given_is_not_read() -> None:
    [column] = manifest().build(rings={"app": RING}, environ={"FERNET_KEY": FERNET})
    assert RING.open_str(column.seal("x"), {"table": "users", "column": "ssn"}) == "x"


def test_a_source_of_two_codecs_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Environ(dict[str, str]):
        asked = 0

        def get(self, name: str, *default: Any) -> Any:
            self.asked += name == "RESEAL_PRIMARY_KEY"
            return super().get(name, *default)

    environ = Environ(ENVIRON)
    second = "[codecs.same]\nkind = 'reseal'\nkeyring = 'env'\n"
    [column] = manifest(second + COLUMN.replace('["tokens"]', '["same"]')).build(environ=environ)
    assert repr(column).startswith("Column(app <- same")
    assert environ.asked == 1


def test_a_live_ring_is_followed(tmp_path: Path) -> None:
    kek, path = keyset_in(tmp_path)
    live = reseal.LiveKeyring.from_keyset(path, kek=kek, check_seconds=0)
    [column] = manifest().build(rings={"app": live}, environ=ENVIRON)
    file = reseal.KeysetFile(path, kek=kek)
    for _ in range(2):
        key_id = file.edit(lambda keyset: keyset.rotate("data"))
        opened = column.open(column.seal("x"))
        assert opened is not None
        assert opened.key == key_id
    app = manifest().codec("app", {"app": live})
    assert app.open(column.seal("x"), {"table": "users", "column": "ssn"}).key == key_id


# --- plaintext --------------------------------------------------------------------------------

PLAIN = COLUMN.replace('write = "app"', 'write = "plain"')
SENTRY = """
[codecs.sentry]
kind = "sentry"
keys = { a = "env:FERNET_KEY" }
primary = "a"
method = "plaintext"
"""


def test_a_column_that_writes_plaintext_gives_a_warning() -> None:
    with pytest.warns(reseal.PlaintextWarning) as caught:
        [column] = manifest(PLAIN).build(environ=ENVIRON)
    assert column.seal("x") == "x"
    assert [str(warning.message) for warning in caught] == [
        "the column users.ssn writes plaintext (codec plain): whoever sees the database reads its values"
    ]
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", reseal.PlaintextWarning)
        with pytest.raises(reseal.PlaintextWarning, match="codec sentry"):
            manifest(SENTRY + COLUMN.replace('"app"', '"sentry"')).build(environ=ENVIRON)
        manifest().build(environ=ENVIRON)
        manifest(PLAIN).keyless()
        manifest(PLAIN).codec("plain", environ={})


@pytest.mark.parametrize("said", ["1", "true", "no", " 0x"])
def test_where_encryption_is_required(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {**ENVIRON, "RESEAL_REQUIRE_ENCRYPTION": said}
    for text, name in ((PLAIN, "plain"), (SENTRY + COLUMN.replace('"app"', '"sentry"'), "sentry")):
        error = error_of(lambda t=text: manifest(t).build(environ=environ))  # type: ignore[misc]
        assert error.code == "encryption-required"
        assert f"columns[0].write: {name} writes plaintext (line " in str(error)
        # A column may read what it may not write.
        assert manifest(text).codec(name, environ=environ).name == name
    assert manifest(COLUMN.replace("tokens", "plain")).build(environ=environ)
    assert manifest(PLAIN).codec("app", environ=environ).name == "app"
    monkeypatch.setenv("RESEAL_REQUIRE_ENCRYPTION", said)
    assert code_of(lambda: manifest(PLAIN).build()) == "encryption-required"
    # No environment that is given takes that back.
    for environ in (ENVIRON, {**ENVIRON, "RESEAL_REQUIRE_ENCRYPTION": "0"}):
        assert code_of(lambda e=environ: manifest(PLAIN).build(environ=e)) == "encryption-required"  # type: ignore[misc]
        assert manifest().build(environ=environ)


@pytest.mark.parametrize("said", ["0", " 0 ", "", " "])
def test_where_it_is_not(said: str) -> None:
    environ = {**ENVIRON, "RESEAL_REQUIRE_ENCRYPTION": said}
    assert manifest(PLAIN).build(environ=environ)
    assert manifest(PLAIN).codec("plain", environ=environ).name == "plain"


# --- wrong arguments --------------------------------------------------------------------------

ROWS = "kind = 'metabase'\nkeys = ['env:M']\ndata_keys = 'table:t'"


def with_rows(rows: Any) -> Callable[[], object]:
    return lambda: codec(ROWS).codec("x", tables={"t": rows}, environ={"M": METABASE})


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: reseal.Manifest.parse(b"version = 1"), "text is text, not bytes"),  # type: ignore[arg-type]
    (lambda: manifest().codec(7), "name is text, not int"),  # type: ignore[arg-type]
    (lambda: manifest().codec("ap"), 'there is no codec "ap"; did you mean "app"?'),
    (lambda: manifest().build(rings=[RING]), "rings is a mapping, not list"),  # type: ignore[arg-type]
    (lambda: manifest().build(rings={"app": KEY}), 'rings["app"] is a Keyring or a LiveKeyring, not Key'),  # type: ignore[dict-item]
    (lambda: manifest().build(rings={7: RING}), "the name of a codec in rings is text, not int"),  # type: ignore[dict-item]
    (lambda: manifest().build(rings={"ap": RING}), 'there is no codec "ap"; did you mean "app"?'),
    (lambda: manifest().build(rings={"tokens": RING}), 'rings has "tokens", which is a codec of kind fernet: only one of kind reseal has a ring'),
    (lambda: manifest().build(tables=[]), "tables is a mapping, not list"),  # type: ignore[arg-type]
    (lambda: manifest().build(environ="FERNET_KEY"), "environ is a mapping, not str"),  # type: ignore[arg-type]
    (lambda: manifest().build(environ={"RESEAL_REQUIRE_ENCRYPTION": 1}), "RESEAL_REQUIRE_ENCRYPTION in environ is text, not int"),  # type: ignore[dict-item]
    (with_rows("hunter2-hunter2"), "the rows of t in tables are a list, not str"),
    (with_rows({"id": 1}), "the rows of t in tables are a list, not dict"),
    (with_rows(7), "the rows of t in tables are a list, not int"),
    (with_rows([("hunter2-hunter2",)]), "row 0 of t in tables is a mapping, not tuple"),
    (with_rows([{}, {"key_material": b"hunter2-hunter2"}]), "key_material of row 1 of t in tables is text, an integer or None"),
    (with_rows([{"id": True}]), "id of row 0 of t in tables is text, an integer or None"),
    (with_rows([{"id": 1.0}]), "id of row 0 of t in tables is text, an integer or None"),
    (with_rows([{"id": 2**64}]), "id of row 0 of t in tables has more than 64 bits"),
    (with_rows([{"id": -(10**5000)}]), "id of row 0 of t in tables has more than 64 bits"),
    (lambda: reseal.Manifest.parse("version = 1 # \udcff"), "a manifest has a lone surrogate"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "message"), WRONG, ids=range(len(WRONG)))
def test_wrong_arguments(step: Callable[[], object], message: str) -> None:
    error = silent(error_of(step))
    assert (error.code, str(error)) == ("invalid-argument", message)


def test_members_of_a_document_are_text() -> None:
    document = COLUMN + "type = 'json'\npath = '$.codes[*]'\n"
    (column,) = manifest(document).build(environ=ENVIRON)
    assert column.type == "text"
    found = column.open(column.seal("abc"))
    assert found is not None
    assert found.value == "abc"
    (spec,) = manifest(document).columns
    assert (spec.type, spec.path) == ("json", "$.codes[*]")
