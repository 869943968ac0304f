from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import reseal
from support import code_of, error_of

SECRET = bytes(range(32))


@pytest.mark.parametrize("use", ["data", "index", "kek"])
def test_a_key_has_one_use_and_one_text(use: Any) -> None:
    key = reseal.Key.from_bytes(use, SECRET)
    assert (key.use, len(key.id)) == (use, 32)
    assert key.export().startswith(f"rsk1.{use}.")
    assert reseal.Key.parse(key.export()) == key
    assert reseal.Key.generate(use).use == use


def test_data_is_the_default_use() -> None:
    assert reseal.Key.generate().use == "data"


def test_keys_are_equal_by_use_and_id() -> None:
    one, same = (reseal.Key.from_bytes("data", SECRET) for _ in range(2))
    other, index = reseal.Key.generate(), reseal.Key.from_bytes("index", SECRET)
    assert one == same
    assert hash(one) == hash(same)
    assert len({one, same, other, index}) == 3
    assert one != index
    assert one != other
    assert one != one.id
    with pytest.raises(TypeError):
        _ = one < other  # type: ignore[operator]


def test_printing_hides_the_secret() -> None:
    key = reseal.Key.generate("data")
    shown = f"Key(data, {key.id})"
    assert [repr(key), str(key), f"{key}"] == [shown] * 3


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
def test_bytes_of_any_kind(make: Any) -> None:
    assert reseal.Key.from_bytes("data", make(SECRET)) == reseal.Key.from_bytes("data", SECRET)


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64, 100_000])
@pytest.mark.parametrize("make", [bytes, bytearray])
def test_other_lengths(length: int, make: Any) -> None:
    assert code_of(lambda: reseal.Key.from_bytes("data", make(length))) == "invalid-key"


@pytest.mark.parametrize("use", ["", "Data", "kek ", "\ud800", None, 1, b"data"])
def test_other_uses(use: Any) -> None:
    assert code_of(lambda: reseal.Key.generate(use)) == "invalid-argument"
    assert code_of(lambda: reseal.Key.from_bytes(use, SECRET)) == "invalid-argument"


@pytest.mark.parametrize("value", [None, 1, [1] * 32, SECRET.hex(), "x" * 32])
def test_no_bytes(value: Any) -> None:
    assert code_of(lambda: reseal.Key.from_bytes("data", value)) == "invalid-argument"


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda text: f'"{text}"', "quotation"),
        (lambda text: text + "'", "quotation"),
        (lambda text: text + "\n", "white space"),
        (lambda text: " " + text, "white space"),
        (lambda text: text[:-1], "cut"),
        (lambda text: text[:12], "cut"),
        (lambda text: "", "empty"),
        (lambda text: text + "A", "longer"),
        (lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"), "checksum"),
        (lambda text: text.replace("data", "index"), "checksum"),
        (lambda text: text.replace("data", "date"), "use"),
        (lambda text: text.replace("rsk1", "rsk2"), "version"),
        (lambda text: text.swapcase(), "starts with rsk1"),
        (lambda text: text[:-2] + "=!", "mistyped"),
        (lambda text: text + "\0", "longer"),
        (lambda text: "\ud800" + text, "starts with rsk1"),
        (lambda text: "🔑" * 20, "starts with rsk1"),
    ],
)
def test_wrong_key_texts_are_explained_and_not_shown(change: Any, hint: str) -> None:
    text = reseal.Key.generate("data").export()
    error = error_of(lambda: reseal.Key.parse(change(text)))
    assert isinstance(error, reseal.KeyringError)
    assert error.code == "invalid-key"
    assert hint in str(error)
    assert text[10:30] not in repr(error)


@pytest.mark.parametrize("value", [None, 1, b"rsk1.data."])
def test_a_key_text_is_text(value: Any) -> None:
    assert code_of(lambda: reseal.Key.parse(value)) == "invalid-argument"


def test_a_copy_is_the_key_itself_and_a_pickle_is_refused() -> None:
    key = reseal.Key.generate("data")
    assert copy.copy(key) is key
    assert copy.deepcopy([key])[0] is key
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="Key is not pickled"):
            pickle.dumps(key, protocol)


def test_a_key_has_no_room_for_attributes() -> None:
    key: Any = reseal.Key.generate("data")
    with pytest.raises(TypeError):
        vars(key)
    with pytest.raises(AttributeError):
        key.note = 1
    with pytest.raises(AttributeError):
        key.use = "index"
    with pytest.raises(TypeError):
        reseal.Key()
    with pytest.raises(TypeError):
        type("Sub", (reseal.Key,), {})
