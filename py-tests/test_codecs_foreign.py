"""What the codecs write is read by other programs: pyca/cryptography, OpenSSL, and the readers of
`foreign.py`, which are first proven on every vector that their systems wrote.
"""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import foreign
import pytest
import reseal
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from foreign import UnreadableError
from reseal import codecs
from vectors import systems

VECTORS = Path(__file__).resolve().parents[1] / "spec/vectors"
TEXTS = ["x", "Ünïcödé 🦀", "0123456789abcdef", '{"user":"a","password":"b"}', "long " * 1000]
Case = dict[str, Any]


def cases(system: str) -> Iterator[Case]:
    for path in sorted((VECTORS / system).glob("*.json")):
        yield from json.loads(path.read_text(encoding="utf-8"))["vectors"]


def of(system: str) -> pytest.MarkDecorator:
    listed = list(cases(system))
    assert listed
    return pytest.mark.parametrize("case", listed, ids=[case["id"] for case in listed])


# --- Fernet -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", *TEXTS])
def test_pyca_reads_our_tokens_and_we_read_its(text: str) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    ours, peer = codecs.fernet(keys=[new, old]), MultiFernet([Fernet(new), Fernet(old)])
    token = ours.seal(text)
    assert peer.decrypt(token) == Fernet(new).decrypt(token) == text.encode()
    assert ours.open(peer.encrypt(text.encode()).decode()).plaintext == text.encode()
    with pytest.raises(InvalidToken):
        Fernet(old).decrypt(token)


def test_a_token_has_the_time_of_sealing_and_keeps_it_when_it_is_rotated() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    both = codecs.fernet(keys=[new, old])
    peer = MultiFernet([Fernet(new), Fernet(old)])
    then = 1_700_000_000
    before = Fernet(old).encrypt_at_time(b"x", then).decode()
    assert peer.extract_timestamp(both.seal("x", now=then)) == then
    assert Fernet(new).extract_timestamp(both.rotate(before)) == then
    assert peer.extract_timestamp(peer.rotate(before)) == then  # and so does the peer
    assert abs(peer.extract_timestamp(both.seal("x")) - time.time()) < 60
    column = reseal.Column(both)
    outcome = column.reseal(before)
    assert isinstance(outcome, reseal.Resealed)
    assert (outcome.from_.key, outcome.to.codec) == ("2", "fernet")
    assert Fernet(new).extract_timestamp(outcome.value) == then


def test_the_two_sides_agree_on_damage() -> None:
    key = Fernet.generate_key().decode()
    ours, peer = codecs.fernet(keys=[key]), Fernet(key)
    raw = base64.urlsafe_b64decode(peer.encrypt(b"x" * 20))
    for at in range(len(raw)):
        for changed in (raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :], raw[:at]):
            token = base64.urlsafe_b64encode(changed).decode()
            with pytest.raises(InvalidToken):
                peer.decrypt(token)
            with pytest.raises(reseal.ResealError) as caught:
                ours.open(token)
            # The time, the IV, the blocks and the tag are all under the tag.
            if len(changed) == len(raw):
                assert caught.value.code == ("auth-failed" if at else "format-mismatch")


@pytest.mark.parametrize("text", ["", *TEXTS])
@pytest.mark.parametrize("field", ["text", "json"])
def test_pyca_reads_our_fields_of_sentry(text: str, field: Any) -> None:
    keys = {name: Fernet.generate_key().decode() for name in ("key_a", "key_b")}
    ours = codecs.sentry(keys=keys, primary="key_b", field=field)
    plaintext = json.dumps(text) if field == "json" else text
    stored = ours.seal(plaintext)
    if field == "json":
        document = json.loads(stored)
        assert list(document) == ["sentry_encrypted_field_value"]
        stored = document["sentry_encrypted_field_value"]
    marker, method, name, payload = stored.split(":")
    assert (marker, method, name) == ("enc", "fernet", "key_b")
    token = base64.b64decode(payload, validate=True)
    assert Fernet(keys[name]).decrypt(token) == plaintext.encode()


# --- Rails ------------------------------------------------------------------------------------


def rails_keys(case: Case) -> list[bytes]:
    keys, attribute = case["keys"], case["attribute"]
    name = "deterministic_key" if systems.is_deterministic(case) else "primary_key"
    texts = attribute.get("key", keys.get(name))
    texts = [texts] if isinstance(texts, str) else list(texts)
    texts += [scheme["key"] for scheme in attribute.get("previous", [])]
    digests = [case["settings"]["hash_digest_class"], "sha1"]
    salt = keys["key_derivation_salt"]
    return [foreign.rails_key(text, salt, digest) for digest in digests for text in texts]


@of("rails")
def test_the_reader_of_rails(case: Case) -> None:
    content = systems.encoded(case["ciphertext"])
    stored = content if case["column"] == "binary" else content.decode()
    if case["kind"] in ("decrypt", "decrypt_doubled", "encrypt_exact"):
        assert foreign.open_rails(stored, rails_keys(case)) == systems.encoded(case["plaintext"])
        # And it reads what the codec makes of the value.
        rotated = systems.rails_codec(case).rotate(stored)
        assert foreign.open_rails(rotated, rails_keys(case)) == systems.encoded(case["plaintext"])
    else:
        with pytest.raises(UnreadableError):
            foreign.open_rails(stored, rails_keys(case))


@pytest.mark.parametrize("text", ["", *TEXTS])
@pytest.mark.parametrize("serializer", ["json", "message_pack"])
@pytest.mark.parametrize("envelope", [False, True])
def test_rails_reads_our_attributes(text: str, serializer: Any, envelope: bool) -> None:
    ours = codecs.rails(
        primary_keys=["old", "new"],
        key_derivation_salt="salt",
        serializer=serializer,
        envelope=envelope,
        store_key_references=envelope,
    )
    stored = ours.seal(text, binary=serializer == "message_pack")
    key = foreign.rails_key("new", "salt", "sha256")
    assert foreign.open_rails(stored, [key]) == text.encode()
    with pytest.raises(UnreadableError):
        foreign.open_rails(stored, [foreign.rails_key("old", "salt", "sha256")])


# --- Metabase ---------------------------------------------------------------------------------


@of("metabase")
def test_the_reader_of_metabase(case: Case) -> None:
    if case["kind"] == "kdf":
        assert foreign.metabase_key(case["keys"]["secret_key"]).hex() == case["keys"]["kek_hex"]
    if case["kind"] not in ("decrypt", "decrypt_fail"):
        return
    raw = base64.b64decode(case["ciphertext"]["value"])
    rows = case["keys"].get("wrapped_deks") or {}
    rows = {int(row): base64.b64decode(key) for row, key in rows.items()}
    aad = case["settings"].get("aad")
    secret, bound = case["keys"]["secret_key"], aad.encode() if aad else None
    if case["kind"] == "decrypt_fail":
        with pytest.raises(UnreadableError):
            foreign.open_metabase(raw, secret, rows, bound)
        return
    plaintext = systems.encoded(case["plaintext"])
    assert foreign.open_metabase(raw, secret, rows, bound) == plaintext
    if case["settings"]["format"] != "stream-cbc":
        codec, context = systems.metabase_codec(case)
        sealed = codec.seal(plaintext, context, binary=True)
        assert foreign.open_metabase(sealed, secret, rows, bound) == plaintext


@pytest.mark.parametrize("text", TEXTS)
def test_metabase_reads_our_columns(text: str) -> None:
    old, new = "a secret of before, long enough", "a secret of today, long enough"
    ours = codecs.metabase(keys=[new, old], aad="setting.{key}")
    stored = ours.seal(text, {"key": "site-url"})
    raw = base64.b64decode(stored, validate=True)
    assert foreign.open_metabase(raw, new, aad=b"setting.site-url") == text.encode()
    for secret, aad in ((old, b"setting.site-url"), (new, b"setting.other"), (new, None)):
        with pytest.raises(UnreadableError):
            foreign.open_metabase(raw, secret, aad=aad)


# --- n8n --------------------------------------------------------------------------------------

# What both take for the same bytes: OpenSSL takes a password in UTF-8, n8n in Latin-1.
N8N_LEGACY = [
    case
    for case in cases("n8n")
    if case.get("format") == "n8n-legacy-cbc"
    and case.get("expect") == "ok"
    and (case.get("custom_key") or case["instance_key"]).isascii()
]
N8N_GCM = [
    case
    for case in cases("n8n")
    if case.get("format") == "n8n-prefixed-gcm" and case.get("expect") == "ok"
]


def test_there_are_vectors_of_n8n() -> None:
    assert len(N8N_LEGACY) >= 5
    assert len(N8N_GCM) >= 5


@pytest.mark.parametrize("case", N8N_LEGACY, ids=lambda case: case["id"])
def test_openssl_reads_n8n(case: Case) -> None:
    key = case.get("custom_key") or case["instance_key"]
    if key:
        assert foreign.open_n8n_with_openssl(case["ciphertext"], key) == case["plaintext"].encode()


@pytest.mark.parametrize("text", ["", *TEXTS])
def test_openssl_reads_our_credentials(text: str) -> None:
    key = base64.b64encode(os.urandom(24)).decode()
    stored = codecs.n8n(instance_keys=[key, "old"]).seal(text)
    assert stored.startswith("U2FsdGVkX1")
    assert foreign.open_n8n_with_openssl(stored, key) == text.encode()


@pytest.mark.parametrize("case", N8N_GCM, ids=lambda case: case["id"])
def test_the_reader_of_n8n(case: Case) -> None:
    rows = {row["id"]: row["value"] for row in case["deployment_key_rows"]}
    key_id, _, body = case["ciphertext"].partition(":")
    key = bytes.fromhex(foreign.unwrap_n8n(rows[key_id], case["instance_key"]))
    assert foreign.open_n8n_gcm(body, key) == case["plaintext"].encode()


@pytest.mark.parametrize(
    "case",
    [case for case in cases("n8n") if case.get("format") == "n8n-dek-gcm"],
    ids=lambda case: case["id"],
)
def test_the_reader_of_rows_of_n8n(case: Case) -> None:
    assert foreign.unwrap_n8n(case["ciphertext"], case["instance_key"]) == case["plaintext"]


@pytest.mark.parametrize("text", ["", *TEXTS])
def test_n8n_reads_our_credentials(text: str) -> None:
    data_key = codecs.N8nDataKey.generate()
    row = {
        "id": "bEc5AmLGiLrtdybl",
        "type": "data_encryption",
        "value": data_key.wrap("the instance key"),
        "algorithm": "aes-256-gcm",
        "status": "active",
        "createdAt": "whatever else a table has",
    }
    ours = codecs.n8n(instance_keys=["the instance key"], rows=[row], write="prefixed")
    key_id, _, body = ours.seal(text).partition(":")
    assert key_id == row["id"]
    assert foreign.unwrap_n8n(row["value"], "the instance key") == data_key.text
    assert foreign.open_n8n_gcm(body, bytes.fromhex(data_key.text)) == text.encode()
    moved = codecs.N8nKeyRow(**{name: row[name] for name in list(row)[:5]})
    moved = moved.rewrap(["the instance key"], "another")
    assert foreign.unwrap_n8n(moved.value, "another") == data_key.text


# --- Freeboard --------------------------------------------------------------------------------


@of("freeboard")
def test_the_reader_of_freeboard(case: Case) -> None:
    key = case["keys"]["CREDENTIAL_ENCRYPTION_KEY"]

    def read() -> bytes:
        return foreign.open_freeboard(case["ciphertext"], key)

    if case["kind"] == "decrypt" and case["ciphertext"] is not None:
        assert read() == systems.encoded(case["plaintext"])
    else:
        with pytest.raises(UnreadableError):
            read()


@pytest.mark.parametrize("text", TEXTS)
def test_freeboard_reads_our_profiles(text: str) -> None:
    old, new = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    plaintext = json.dumps({"token": text})
    row = json.loads(codecs.freeboard(keys=[new, old]).seal(plaintext))
    assert set(row) == {"algorithm", "keyId", "iv", "ciphertext", "authTag"}
    assert foreign.open_freeboard(row, new) == plaintext.encode()
    with pytest.raises(UnreadableError):
        foreign.open_freeboard(row, old)
