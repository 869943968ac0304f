from __future__ import annotations

import base64
import copy
import pickle
from typing import Any

import pytest
import reseal
from support import CONTEXT, MODES, code_of, error_of

DATA = [reseal.Key.generate("data") for _ in range(4)]
INDEX = [reseal.Key.generate("index") for _ in range(3)]
KEK = reseal.Key.generate("kek")


def test_keys_and_states() -> None:
    ring = reseal.Keyring(
        primary=DATA[0],
        decrypt_only=[DATA[1], INDEX[1]],
        index=INDEX[0].export(),
        introduced=(key for key in [DATA[2]]),
        disabled=[INDEX[2].export()],
        destroyed=[DATA[3].id],
    )
    assert (ring.primary_id, ring.index_primary_id) == (DATA[0].id, INDEX[0].id)
    keys = ring.keys()
    states = {(key.id, key.use, key.state) for key in keys}
    assert states == {
        (DATA[0].id, "data", "primary"),
        (DATA[1].id, "data", "decrypt_only"),
        (INDEX[1].id, "index", "decrypt_only"),
        (INDEX[0].id, "index", "primary"),
        (DATA[2].id, "data", "introduced"),
        (INDEX[2].id, "index", "disabled"),
        (DATA[3].id, None, "destroyed"),
    }
    ids = [base64.b32decode(key.id.upper()) for key in keys]
    assert ids == sorted(ids)


def test_a_ring_without_keys_is_a_ring() -> None:
    ring = reseal.Keyring()
    assert (ring.keys(), ring.primary_id, ring.index_primary_id) == ([], None, None)
    assert repr(ring) == "Keyring()"
    how: dict[str, Any] = {"index": "e"}
    for step in (
        lambda: ring.seal("x", {}),
        lambda: ring.seal_binary("x", {}),
        lambda: ring.seal_many(["x"], {}),
        lambda: ring.lookup_values("x", {}),
        lambda: ring.index_term("x", {}, **how),
        lambda: ring.index_terms("x", {}, **how),
    ):
        assert code_of(step) == "no-primary"


def test_key_texts_are_trimmed_as_from_a_file() -> None:
    ring = reseal.Keyring(f" {DATA[0].export()}\r\n", decrypt_only=[DATA[1].export() + "\n"])
    keys = ring.keys()
    assert {key.id for key in keys} == {DATA[0].id, DATA[1].id}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"primary": INDEX[0]}, "key-wrong-use"),
        ({"primary": KEK}, "key-wrong-use"),
        ({"index": DATA[0]}, "key-wrong-use"),
        ({"decrypt_only": [KEK]}, "key-wrong-use"),
        ({"primary": "rsk1.data.x"}, "invalid-key"),
        ({"primary": ""}, "invalid-key"),
        ({"primary": "\ud800"}, "invalid-key"),
        ({"decrypt_only": [""]}, "invalid-key"),
        ({"primary": b"x"}, "invalid-argument"),
        ({"primary": [DATA[0]]}, "invalid-argument"),
        ({"decrypt_only": DATA[0].export()}, "invalid-argument"),
        ({"decrypt_only": DATA[0]}, "invalid-argument"),
        ({"introduced": 1}, "invalid-argument"),
        ({"disabled": [1]}, "invalid-argument"),
        ({"disabled": [None]}, "invalid-argument"),
        ({"destroyed": DATA[0].id}, "invalid-argument"),
        ({"destroyed": [DATA[0]]}, "invalid-argument"),
        ({"destroyed": [DATA[0].export()]}, "invalid-argument"),
        ({"destroyed": [DATA[0].id[:31]]}, "invalid-argument"),
        ({"destroyed": [DATA[0].id.upper()]}, "invalid-argument"),
        ({"destroyed": [1]}, "invalid-argument"),
        ({"decrypt_only": [DATA[0], DATA[0]]}, "duplicate-key"),
        ({"decrypt_only": [DATA[0]], "introduced": [DATA[0]]}, "duplicate-key"),
        ({"primary": DATA[0], "disabled": [DATA[0]]}, "duplicate-key"),
        ({"primary": DATA[0], "destroyed": [DATA[0].id]}, "duplicate-key"),
    ],
)
def test_wrong_rings(arguments: dict[str, Any], code: str) -> None:
    error = error_of(lambda: reseal.Keyring(**arguments))
    assert error.code == code
    assert "rsk1.data." not in str(error) or code == "invalid-key"


def test_messages_name_the_argument_and_show_no_key() -> None:
    text = DATA[0].export()
    error = error_of(lambda: reseal.Keyring(primary=DATA[1], decrypt_only=[text[:-3]]))
    assert "decrypt_only" in str(error)
    assert text[12:30] not in str(error)


@pytest.mark.parametrize("argument", ["introduced", "decrypt_only"])
def test_a_primary_that_is_listed_again_is_one_primary(argument: str) -> None:
    again: dict[str, Any] = {argument: [DATA[0], INDEX[0]]}
    ring = reseal.Keyring(primary=DATA[0], index=INDEX[0], **again)
    keys = ring.keys()
    assert [key.state for key in keys] == ["primary", "primary"]


def test_an_exception_of_the_list_is_not_swallowed() -> None:
    def keys() -> Any:
        yield DATA[0]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        reseal.Keyring(decrypt_only=keys())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("value", ["", "x", "Zoë 🔑", b"", b"\xff\0", bytearray(b"abc"), "\0"])
def test_round_trip(ring: reseal.Keyring, value: Any, mode: Any) -> None:
    expected = value.encode() if isinstance(value, str) else bytes(value)
    stored = ring.seal(value, CONTEXT, mode)
    binary = ring.seal_binary(value, CONTEXT, mode=mode)
    assert (type(stored), type(binary)) == (str, bytes)
    assert stored.startswith(f"rs1.{ring.primary_id}.")
    assert ring.open(stored, CONTEXT) == expected
    assert ring.open_binary(binary, CONTEXT) == expected
    assert ring.open(reseal.to_text(binary), CONTEXT) == expected
    if isinstance(value, str):
        assert ring.open_str(stored, CONTEXT) == value
    assert ring.is_current(stored, mode)
    assert ring.is_current_binary(binary, mode)


def test_text_that_is_none() -> None:
    ring = reseal.Keyring(DATA[0])
    error = error_of(lambda: ring.open_str(ring.seal(b"\xff", {}), {}))
    assert (type(error), error.code) == (reseal.ResealError, "invalid-text")


@pytest.mark.parametrize("mode", ["", "Random", "r", None, 1, b"random", "\ud800"])
def test_other_modes(ring: reseal.Keyring, mode: Any) -> None:
    for step in (
        lambda: ring.seal("x", {}, mode),
        lambda: ring.seal_many(["x"], {}, mode),
        lambda: ring.field({}, mode),
    ):
        assert code_of(step) == "invalid-argument"
    for other in (lambda: ring.reseal("x", {}, mode), lambda: ring.is_current("x", mode)):
        # Without a mode a value keeps its own.
        assert code_of(other) == ("not-envelope" if mode is None else "invalid-argument")


@pytest.mark.parametrize("mode", MODES)
def test_a_value_keeps_its_mode_where_none_is_named(mode: Any) -> None:
    old = reseal.Keyring(primary=DATA[0])
    ring = reseal.Keyring(primary=DATA[1], decrypt_only=[DATA[0]])
    stored = old.seal("x", CONTEXT, mode)
    assert (old.is_current(stored), ring.is_current(stored)) == (True, False)
    assert old.reseal(stored, CONTEXT) is stored
    resealed = ring.reseal(stored, CONTEXT)
    assert reseal.inspect(resealed).mode == mode
    assert ring.is_current(resealed)
    assert ring.open_str(resealed, CONTEXT) == "x"
    binary = reseal.to_binary(stored)
    assert (old.is_current_binary(binary), ring.is_current_binary(binary)) == (True, False)
    again = ring.reseal_binary(binary, CONTEXT)
    assert (reseal.inspect(again).mode, ring.is_current_binary(again)) == (mode, True)


def test_rotation() -> None:
    old = reseal.Keyring(primary=DATA[0])
    between = reseal.Keyring(primary=DATA[0], introduced=[DATA[1]])
    new = reseal.Keyring(primary=DATA[1], decrypt_only=[DATA[0]])
    stored, binary = old.seal("x", CONTEXT), old.seal_binary("x", CONTEXT)
    assert between.reseal(stored, CONTEXT) is stored
    resealed, rebinary = new.reseal(stored, CONTEXT), new.reseal_binary(binary, CONTEXT)
    assert not new.is_current(stored)
    assert not new.is_current_binary(binary)
    assert new.is_current(resealed)
    assert new.is_current_binary(rebinary)
    assert new.reseal(resealed, CONTEXT) is resealed
    assert new.reseal_binary(rebinary, CONTEXT) is rebinary
    assert new.reseal_binary(bytearray(rebinary), CONTEXT) == rebinary
    for reader in (between, new):
        assert reader.open_str(stored, CONTEXT) == reader.open_str(resealed, CONTEXT) == "x"
    assert code_of(lambda: old.open(resealed, CONTEXT)) == "unknown-key"
    other_mode = new.reseal(resealed, CONTEXT, "padded")
    assert reseal.inspect(other_mode).mode == "padded"
    assert not new.is_current(resealed, "padded")


def test_a_value_that_does_not_open_is_not_resealed() -> None:
    old, new = reseal.Keyring(DATA[0]), reseal.Keyring(DATA[1], decrypt_only=[DATA[0]])
    stored = old.seal("x", {"row": 1})
    assert code_of(lambda: new.reseal(stored, {"row": 2})) == "auth-failed"
    assert code_of(lambda: new.reseal("hello", {})) == "not-envelope"
    assert code_of(lambda: new.reseal(stored, None)) == "context-invalid"  # type: ignore[arg-type]


def test_lookup_values_under_every_key_that_opens() -> None:
    ring = reseal.Keyring(
        DATA[0], decrypt_only=[DATA[1]], introduced=[DATA[2]], disabled=[DATA[3]], index=INDEX[0]
    )
    values = ring.lookup_values("x", CONTEXT)
    assert values[0] == ring.seal("x", CONTEXT, "deterministic")
    alone = {reseal.Keyring(key).seal("x", CONTEXT, "deterministic") for key in DATA[:3]}
    assert (len(values), set(values)) == (3, alone)
    assert ring.lookup_values_binary("x", CONTEXT) == [reseal.to_binary(v) for v in values]


def test_index_terms_under_every_key_that_opens() -> None:
    ring = reseal.Keyring(index=INDEX[0], decrypt_only=[INDEX[1], DATA[0]], disabled=[INDEX[2]])
    how: dict[str, Any] = {"index": "email_eq", "normalizer": "ascii-lower-trim", "bits": 40}
    terms = ring.index_terms(" Ann@Example.com", {"table": "users"}, **how)
    term = ring.index_term(b"ann@example.com", {"table": "users"}, **how)
    assert (len(terms), terms[0]) == (2, term)
    assert term.startswith(f"rx1.{INDEX[0].id[:8]}.")
    assert len(term) == 13 + 8
    assert term not in ring.index_terms("ann@example.com", {"table": "others"}, **how)
    assert len(ring.index_term("x", {}, index="e")) == 13 + 13


@pytest.mark.parametrize(
    "how",
    [
        {"index": "Email"},
        {"index": ""},
        {"index": "rs_x"},
        {"index": None},
        {"index": "e", "normalizer": "nfkc"},
        {"index": "e", "normalizer": None},
        {"index": "e", "bits": 7},
        {"index": "e", "bits": 257},
        {"index": "e", "bits": -1},
        {"index": "e", "bits": 10**30},
        {"index": "e", "bits": 64.0},
        {"index": "e", "bits": "64"},
        {"index": "e", "bits": None},
    ],
)
def test_other_indexes(ring: reseal.Keyring, how: dict[str, Any]) -> None:
    assert code_of(lambda: ring.index_term("x", {}, **how)) == "invalid-argument"
    assert code_of(lambda: ring.field({}).index_terms("x", **how)) == "invalid-argument"


def test_every_key_state_answers() -> None:
    stored = [reseal.Keyring(key).seal("x", {}) for key in DATA]
    ring = reseal.Keyring(DATA[0], disabled=[DATA[1]], destroyed=[DATA[2].id])
    assert ring.open(stored[0], {}) == b"x"
    codes = [code_of(lambda s=s: ring.open(s, {})) for s in stored[1:]]  # type: ignore[misc]
    assert codes == ["key-disabled", "key-destroyed", "unknown-key"]


def test_an_index_key_opens_nothing() -> None:
    ring = reseal.Keyring(DATA[0], index=INDEX[0])
    forged = ring.seal("x", {}).replace(DATA[0].id, INDEX[0].id)
    assert code_of(lambda: ring.open(forged, {})) == "key-wrong-use"


def test_copies_pickles_and_printing() -> None:
    ring = reseal.Keyring(DATA[0], destroyed=[DATA[1].id])
    assert copy.copy(ring) is ring
    assert copy.deepcopy({"ring": ring})["ring"] is ring
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="Keyring is not pickled"):
            pickle.dumps(ring, protocol)
    assert f"data {DATA[0].id} primary" in repr(ring)
    assert f"key {DATA[1].id} destroyed" in repr(ring)
    assert str(ring) == repr(ring)
    info = ring.keys()[0]
    use = repr(info.use)
    assert repr(info) == f"KeyInfo(id='{info.id}', use={use}, state='{info.state}', label='')"
    assert info == ring.keys()[0]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(info, protocol)) == info
    assert copy.deepcopy({"info": info}) == {"info": copy.copy(info)}
    assert len({*ring.keys(), *ring.keys()}) == 2


def test_a_ring_is_immutable() -> None:
    ring: Any = reseal.Keyring(DATA[0])
    for name in ("primary_id", "note"):
        with pytest.raises(AttributeError):
            setattr(ring, name, None)
    with pytest.raises(TypeError):
        type("Sub", (reseal.Keyring,), {})
