"""What is sealed, and what is refused before anything is sealed or opened."""

from __future__ import annotations

import ctypes
import mmap
from array import array
from typing import Any

import pytest
import reseal
from support import CONTEXT, code_of, error_of

LIMIT = 2**24


class Text(str):
    def encode(self, *_: Any, **__: Any) -> bytes:
        return b"another"


class Bytes(bytes):
    def __bytes__(self) -> bytes:
        return b"another"


def mapped() -> mmap.mmap:
    memory = mmap.mmap(-1, 8)
    memory.write(b"abcdefgh")
    return memory


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Text("abc"), b"abc"),
        (Bytes(b"abc"), b"abc"),
        (bytearray(b"abc"), b"abc"),
        (memoryview(b"abcdef"), b"abcdef"),
        (memoryview(b"abcdef")[::2], b"ace"),
        (memoryview(b"abcdef")[::-1], b"fedcba"),
        (memoryview(b"abcdef").cast("B", (2, 3)), b"abcdef"),
        (memoryview(b""), b""),
        (array("b", [-1, 2]), b"\xff\2"),
        (mapped(), b"abcdefgh"),
        ((ctypes.c_uint8 * 3)(1, 2, 3), b"\1\2\3"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_buffers(ring: reseal.Keyring, value: Any, expected: bytes) -> None:
    assert ring.open(ring.seal(value, CONTEXT), CONTEXT) == expected
    many: Any = ring.seal_many([value], CONTEXT)
    assert ring.open_many(many, CONTEXT) == [expected]
    binary = ring.seal_binary(expected, CONTEXT)
    for stored in (bytearray(binary), memoryview(binary), Bytes(binary), array("B", binary)):
        assert ring.open_binary(stored, CONTEXT) == expected
        assert reseal.inspect(stored) == reseal.inspect(binary)
        assert reseal.to_text(stored) == reseal.to_text(binary)


def test_a_buffer_is_not_kept_or_changed(ring: reseal.Keyring) -> None:
    value = bytearray(b"secret")
    stored = ring.seal(value, CONTEXT)
    assert value == b"secret"
    value.extend(b"!")  # raises BufferError while someone holds a view
    assert ring.open(stored, CONTEXT) == b"secret"


def released() -> memoryview:
    view = memoryview(b"abc")
    view.release()
    return view


@pytest.mark.parametrize(
    "value",
    [
        None,
        0,
        1.5,
        True,
        [],
        ["x"],
        (1, 2),
        {},
        object(),
        released(),
        # The bytes of wider numbers depend on the machine.
        array("H", [1, 2]),
        memoryview(array("d", [0.5])),
        range(3),
        ctypes.c_double(1.5),
        (ctypes.py_object * 2)(ctypes.py_object(1)),
        (ctypes.c_void_p * 2)(1, 2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_types(ring: reseal.Keyring, value: Any) -> None:
    field = ring.field(CONTEXT)
    for step in (
        lambda: ring.seal(value, CONTEXT),
        lambda: ring.seal_binary(value, CONTEXT),
        lambda: ring.lookup_values(value, CONTEXT),
        lambda: ring.lookup_values_binary(value, CONTEXT),
        lambda: ring.index_term(value, CONTEXT, index="e"),
        lambda: ring.index_terms(value, CONTEXT, index="e"),
        lambda: field.seal(value),
    ):
        error = error_of(step)
        assert (error.code, type(error)) == ("invalid-argument", reseal.ResealError)
    (item,) = ring.seal_many([value], CONTEXT)
    assert isinstance(item, reseal.ResealError)
    assert item.code == "invalid-argument"


def test_null_is_explained(ring: reseal.Keyring) -> None:
    nothing: Any = None
    assert "keep NULL as NULL" in str(error_of(lambda: ring.seal(nothing, {})))
    assert "NULL stays None" in str(error_of(lambda: ring.open(nothing, {})))


@pytest.mark.parametrize("value", ["\ud800", "a\udfffb", Text("\udc80"), "🔑\ud83d"])
def test_lone_surrogates(ring: reseal.Keyring, value: str) -> None:
    for step in (
        lambda: ring.seal(value, CONTEXT),
        lambda: ring.lookup_values(value, CONTEXT),
        lambda: ring.index_term(value, CONTEXT, index="e"),
    ):
        assert code_of(step) == "invalid-text"
    (item,) = ring.seal_many([value], CONTEXT)
    assert isinstance(item, reseal.ResealError)
    assert item.code == "invalid-text"


@pytest.mark.parametrize(
    "value",
    [
        b"x" * (LIMIT + 1),
        bytearray(LIMIT + 1),
        memoryview(bytearray(LIMIT + 8)).cast("B", (8, LIMIT // 8 + 1)),
        "x" * (LIMIT + 1),
        "é" * (LIMIT // 2 + 1),
        "\ud800" * (LIMIT + 1),
    ],
    ids=["bytes", "bytearray", "memoryview", "ascii", "characters", "surrogates"],
)
def test_too_large(ring: reseal.Keyring, value: Any) -> None:
    for step in (
        lambda: ring.seal(value, CONTEXT),
        lambda: ring.seal_binary(value, CONTEXT, "deterministic"),
        lambda: reseal.Keyring().seal(value, CONTEXT),
        lambda: ring.lookup_values(value, CONTEXT),
        lambda: ring.index_term(value, CONTEXT, index="e"),
    ):
        assert code_of(step) == "too-large"
    (item,) = ring.seal_many([value], CONTEXT)
    assert isinstance(item, reseal.FormatError)
    assert item.code == "too-large"


def test_the_largest_value(ring: reseal.Keyring) -> None:
    value = b"\xa5" * LIMIT
    stored = ring.seal(value, CONTEXT)
    assert ring.open(stored, CONTEXT) == value
    assert ring.open_binary(ring.seal_binary("x" * LIMIT, {}), {}) == b"x" * LIMIT
    assert reseal.inspect(stored).ciphertext_bytes == LIMIT
    assert code_of(lambda: ring.seal(value, CONTEXT, "padded")) == "too-large"
    assert code_of(lambda: ring.open(stored + "A", CONTEXT)) == "too-large"


@pytest.mark.parametrize("value", [None, 1, 1.5, [], {}, object(), b"rs1.", bytearray(b"rs1.")])
def test_a_stored_text_is_text(ring: reseal.Keyring, value: Any) -> None:
    for step in (
        lambda: ring.open(value, {}),
        lambda: ring.open_str(value, {}),
        lambda: ring.reseal(value, {}),
        lambda: ring.is_current(value),
        lambda: reseal.to_binary(value),
    ):
        assert code_of(step) == "invalid-argument"
    (item,) = ring.open_many([value], {})
    assert isinstance(item, reseal.ResealError)
    assert item.code == "invalid-argument"


@pytest.mark.parametrize("value", [None, 1, 1.5, [], {}, object(), "rs1.", [65]])
def test_a_stored_binary_is_bytes(ring: reseal.Keyring, value: Any) -> None:
    for step in (
        lambda: ring.open_binary(value, {}),
        lambda: ring.reseal_binary(value, {}),
        lambda: ring.is_current_binary(value),
        lambda: reseal.to_text(value),
    ):
        assert code_of(step) == "invalid-argument"
    (item,) = ring.open_many_binary([value], {})
    assert isinstance(item, reseal.ResealError)
    assert item.code == "invalid-argument"


def test_the_other_form_is_named(ring: reseal.Keyring) -> None:
    other: Any = b"x"
    assert "open_binary" in str(error_of(lambda: ring.open(other, {})))


def test_the_order_of_errors(ring: reseal.Keyring) -> None:
    bad: Any = {"row": 1.5}
    none: Any = None
    empty = reseal.Keyring()
    # Sealing: context, then text, then size, then keys.
    assert code_of(lambda: empty.seal("\ud800", bad)) == "context-invalid"
    assert code_of(lambda: empty.seal(none, bad)) == "context-invalid"
    assert code_of(lambda: empty.seal("\ud800", {})) == "invalid-text"
    assert code_of(lambda: empty.seal(b"x" * (LIMIT + 1), {})) == "too-large"
    assert code_of(lambda: empty.seal("x", {})) == "no-primary"
    # Opening: the argument, then the format, then the context, then keys.
    stored, binary = ring.seal("x", {}), ring.seal_binary("x", {})
    assert code_of(lambda: ring.open(none, bad)) == "invalid-argument"
    assert code_of(lambda: ring.open("hello", bad)) == "not-envelope"
    assert code_of(lambda: ring.open(stored[:60], bad)) == "malformed"
    assert code_of(lambda: ring.open("rs2" + stored[3:], bad)) == "unsupported-version"
    assert code_of(lambda: empty.open(stored, bad)) == "context-invalid"
    assert code_of(lambda: empty.open(stored, {})) == "unknown-key"
    assert code_of(lambda: ring.open_binary(b"", bad)) == "not-envelope"
    assert code_of(lambda: ring.open_binary(binary[:30], bad)) == "malformed"
    assert code_of(lambda: empty.open_binary(binary, bad)) == "context-invalid"
    assert code_of(lambda: empty.reseal_binary(binary, {})) == "unknown-key"
    items = ring.open_many([stored, stored[:60], "hello", none], [bad] * 4)
    codes = [item.code for item in items if isinstance(item, reseal.ResealError)]
    assert codes == ["context-invalid", "malformed", "not-envelope", "invalid-argument"]
    sealed = ring.seal_many(["\ud800", none, "x"], [bad, {}, bad])
    codes = [item.code for item in sealed if isinstance(item, reseal.ResealError)]
    assert codes == ["context-invalid", "invalid-argument", "context-invalid"]
