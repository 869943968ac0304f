"""What a context may hold, and that everything else is `context-invalid` and nothing else."""

from __future__ import annotations

import datetime
import decimal
import enum
import types
import uuid
from array import array
from collections import ChainMap, OrderedDict, UserDict, UserString, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import reseal
from support import code_of, error_of

U = uuid.UUID("0F8FAD5B-D9CB-469F-A165-70867728950E")
U_TEXT = "0f8fad5b-d9cb-469f-a165-70867728950e"


class LoudText(str):
    def __str__(self) -> str:
        return "another"

    def encode(self, *_: Any, **__: Any) -> bytes:
        return b"another"


class LoudInt(int):
    def __str__(self) -> str:
        return "another"

    __repr__ = __str__

    def __format__(self, _: str) -> str:
        return "another"

    def __index__(self) -> int:
        return 7

    def bit_length(self) -> int:
        raise ZeroDivisionError


class LoudBytes(bytes):
    def __bytes__(self) -> bytes:
        return b"another"


class LoudUuid(uuid.UUID):
    def __str__(self) -> str:
        return "another"


class Number(enum.Enum):
    ONE = 1


class Whole(enum.IntEnum):
    ONE = 1


class Word(str, enum.Enum):
    ONE = "one"


class Flag(enum.IntFlag):
    ONE = 1


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("", b""),
        ("users", b"users"),
        ("Zoë 🔑\0", "Zoë 🔑\0".encode()),
        ("e\u0301", b"e\xcc\x81"),  # not normalised
        (LoudText("users"), b"users"),
        (b"", b""),
        (b"\xff\0", b"\xff\0"),
        (LoudBytes(b"ab"), b"ab"),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"abcd")[::2], b"ac"),
        (memoryview(array("B", [1, 2])), b"\1\2"),
        (0, b"0"),
        (42, b"42"),
        (-7, b"-7"),
        (2**63 - 1, str(2**63 - 1).encode()),
        (-(2**63), str(-(2**63)).encode()),
        (2**63, str(2**63).encode()),
        (2**64 + 12345, str(2**64 + 12345).encode()),
        (10**36, b"1" + b"0" * 36),
        (-(10**36) + 1, str(-(10**36) + 1).encode()),
        (10**4095, b"1" + b"0" * 4095),
        (LoudInt(42), b"42"),
        (LoudInt(10**30), str(10**30).encode()),
        (LoudInt(-5), b"-5"),
        (U, U_TEXT.encode()),
        (LoudUuid(U_TEXT), U_TEXT.encode()),
        (uuid.UUID(int=0), b"00000000-0000-0000-0000-000000000000"),
        ("x" * 4096, b"x" * 4096),
        ("é" * 2048, "é".encode() * 2048),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_values(ring: reseal.Keyring, value: Any, encoded: bytes) -> None:
    stored = ring.seal("x", {"row": value})
    assert ring.open(stored, {"row": encoded}) == b"x"
    field = ring.field({})
    assert field.open(stored, row=value) == b"x"
    assert field.open_many([stored], rows=[value]) == [b"x"]
    assert ring.open_many([stored], [UserDict({"row": value})]) == [b"x"]


def test_a_limit_of_the_interpreter_on_digits_does_not_matter(ring: reseal.Keyring) -> None:
    import sys

    if not hasattr(sys, "set_int_max_str_digits"):
        pytest.skip("this Python has no limit")
    value, digits = 10**1000 + 7, b"1" + b"0" * 999 + b"7"
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        stored = ring.seal("x", {"row": value})
    finally:
        sys.set_int_max_str_digits(before)
    assert ring.open(stored, {"row": digits}) == b"x"


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        1.0,
        float("nan"),
        1j,
        decimal.Decimal(1),
        datetime.date(2026, 11, 20),
        datetime.datetime(2026, 11, 20),
        [1],
        (1,),
        {"a": 1},
        {1},
        object(),
        int,
        Number.ONE,
        Whole.ONE,
        Word.ONE,
        Flag.ONE,
        UserString("users"),
        array("i", [1]),
        range(3),
        "\ud800",
        LoudText("a\ud800"),
        "x" * 4097,
        "é" * 2049,
        "🔑" * 1025,
        "x" * 50_000_000,
        b"x" * 4097,
        bytearray(4097),
        memoryview(bytearray(5000)),
        10**4096,
        -(10**4095),
        10**5000,
        1 << 1_000_000,
    ],
    ids=lambda value: repr(type(value)),
)
def test_values_refused(ring: reseal.Keyring, value: Any) -> None:
    stored, field = ring.seal("x", {}), ring.field({})
    for step in (
        lambda: ring.seal("x", {"row": value}),
        lambda: ring.seal_binary("x", {"row": value}),
        lambda: ring.open(stored, {"row": value}),
        lambda: ring.open_str(stored, {"row": value}),
        lambda: ring.reseal(stored, {"row": value}),
        lambda: ring.lookup_values("x", {"row": value}),
        lambda: ring.index_term("x", {"row": value}, index="e"),
        lambda: ring.field({"row": value}),
        lambda: ring.seal_many(["x"], {"row": value}),
        lambda: ring.open_many([stored], {"row": value}),
        lambda: ring.seal("x", UserDict(row=value)),
        lambda: field.seal("x", row=value),
        lambda: field.open(stored, row=value),
        lambda: field.index_term("x", index="e", context={"row": value}),
    ):
        error = error_of(step)
        assert (error.code, type(error)) == ("context-invalid", reseal.ResealError)
        assert "row" in str(error)
    for item in (
        *ring.seal_many(["x"], [{"row": value}]),
        *ring.open_many([stored], [{"row": value}]),
        *field.seal_many(["x"], rows=[value]),
        *field.open_many([stored], contexts=[{"row": value}]),
    ):
        assert isinstance(item, reseal.ResealError)
        assert item.code == "context-invalid"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Row",
        "1row",
        "_row",
        "ro w",
        "row-id",
        "é",
        "rs_row",
        "rs_",
        "x" * 33,
        "x" * 10_000_000,
        "row\0",
        "row\n",
        "\ud800",
        b"row",
        1,
        None,
        ("row",),
        LoudText("Row"),
    ],
    ids=lambda name: repr(name)[:20],
)
def test_names_refused(ring: reseal.Keyring, name: Any) -> None:
    for mapping in ({name: 1}, UserDict({name: 1}), {"row": 1, name: 1}):
        assert code_of(lambda m=mapping: ring.seal("x", m)) == "context-invalid"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["a", "row", "rs", "rsx", "a_1", "x" * 32, LoudText("row")])
def test_names(ring: reseal.Keyring, name: str) -> None:
    stored = ring.seal("x", {name: 1})
    assert ring.open(stored, {str.__str__(name): 1}) == b"x"


@pytest.mark.parametrize(
    "mapping",
    [
        OrderedDict(row=1, table="t"),
        UserDict(table="t", row=1),
        ChainMap[str, Any]({"row": 1}, {"table": "t"}),
        defaultdict(int, row=1, table="t"),
        types.MappingProxyType({"row": 1, "table": "t"}),
        {"table": "t", "row": "1"},
    ],
    ids=lambda mapping: type(mapping).__name__,
)
def test_mappings(ring: reseal.Keyring, mapping: Any) -> None:
    stored = ring.seal("x", {"row": 1, "table": "t"})
    assert ring.open(stored, mapping) == b"x"
    assert ring.open_many([stored], mapping) == [b"x"]


@pytest.mark.parametrize(
    "mapping", [None, [], (), [("row", 1)], "row", b"row", 1, object(), {"row"}, dict]
)
def test_what_is_no_mapping(ring: reseal.Keyring, mapping: Any) -> None:
    stored = ring.seal("x", {})
    assert code_of(lambda: ring.seal("x", mapping)) == "context-invalid"
    assert code_of(lambda: ring.open(stored, mapping)) == "context-invalid"
    assert code_of(lambda: ring.field(mapping)) == "context-invalid"
    (item,) = ring.seal_many(["x"], [mapping])
    assert isinstance(item, reseal.ResealError)
    assert item.code == "context-invalid"


@pytest.mark.parametrize("context", [None, "row", b"row", 1, object()])
def test_what_is_no_mapping_for_all(ring: reseal.Keyring, context: Any) -> None:
    assert code_of(lambda: ring.seal_many(["x"], context)) == "context-invalid"
    assert code_of(lambda: ring.open_many(["x"], context)) == "context-invalid"


def test_the_context_is_required(ring: reseal.Keyring) -> None:
    seal: Any = ring.seal
    with pytest.raises(TypeError, match="context"):
        seal("x")


def test_sixteen_pairs_and_not_seventeen(ring: reseal.Keyring) -> None:
    pairs = {f"k{number}": number for number in range(17)}
    sixteen = dict(list(pairs.items())[:16])
    stored = ring.seal("x", sixteen)
    assert ring.open(stored, dict(reversed(sixteen.items()))) == b"x"
    for mapping in (pairs, UserDict(pairs), {f"k{n}": n for n in range(100_000)}):
        assert code_of(lambda m=mapping: ring.seal("x", m)) == "context-invalid"  # type: ignore[misc]
    field = ring.field(sixteen)
    assert field.open(stored) == b"x"
    assert code_of(lambda: field.seal("x", row=1)) == "context-invalid"


def test_a_name_twice(ring: reseal.Keyring) -> None:
    field = ring.field({"table": "users"})
    assert code_of(lambda: field.seal("x", table="users")) == "context-invalid"
    twice = {"row": 1, LoudText("row\0")[:3] + "": 2}
    assert len(twice) == 1

    class Odd(UserDict[str, Any]):
        def items(self) -> Any:
            return [("row", 1), ("row", 1)]

    assert code_of(lambda: ring.seal("x", Odd())) == "context-invalid"


class Failing(Mapping[str, Any]):
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __getitem__(self, name: str) -> Any:
        raise self.error

    def __iter__(self) -> Iterator[str]:
        yield "row"

    def __len__(self) -> int:
        return 1


class Endless(Failing):
    def __getitem__(self, name: str) -> Any:
        return 1

    def __iter__(self) -> Iterator[str]:
        number = 0
        while True:
            yield f"k{number}"
            number += 1


class Strange(UserDict[str, Any]):
    def __init__(self, given: Any) -> None:
        super().__init__()
        self.given = given

    def items(self) -> Any:
        return self.given


@pytest.mark.parametrize(
    "mapping",
    [
        Failing(KeyError("row")),
        Failing(ValueError("secret")),
        Failing(RecursionError()),
        Failing(MemoryError()),
        Endless(KeyError()),
        Strange(None),
        Strange([1]),
        Strange([("row",)]),
        Strange([("row", 1, 2)]),
        Strange("ab"),
    ],
)
def test_failing_mappings(ring: reseal.Keyring, mapping: Any) -> None:
    error = error_of(lambda: ring.seal("x", mapping))
    assert error.code == "context-invalid"
    assert "secret" not in str(error)
    assert error.__cause__ is None


def test_an_interrupt_is_not_swallowed(ring: reseal.Keyring) -> None:
    for error in (KeyboardInterrupt, SystemExit):
        with pytest.raises(error):
            ring.seal("x", Failing(error()))
        with pytest.raises(error):
            ring.seal_many(["x"], [Failing(error())])
        with pytest.raises(error):
            ring.open("x", Failing(error()))


def test_a_value_that_changes_the_dictionary_meanwhile(ring: reseal.Keyring) -> None:
    class Sly(uuid.UUID):
        def __getattribute__(self, name: str) -> Any:
            if name == "int":
                context.clear()
            return super().__getattribute__(name)

    context: dict[str, Any] = {}
    sly = Sly(int=5)
    context.update(a=1, row=sly, z=2)
    stored = ring.seal("x", context)
    assert context == {}
    assert ring.open(stored, {"a": 1, "row": uuid.UUID(int=5), "z": 2}) == b"x"


def test_the_order_of_pairs_does_not_matter(ring: reseal.Keyring) -> None:
    stored = ring.seal("x", {"a": 1, "b": 2, "ab": 3})
    for names in (["ab", "b", "a"], ["b", "a", "ab"]):
        values = {"a": 1, "b": 2, "ab": 3}
        assert ring.open(stored, {name: values[name] for name in names}) == b"x"


@pytest.mark.parametrize(
    "other",
    [{}, {"a": 1}, {"a": 1, "b": 3}, {"a": 2, "b": 1}, {"a": 1, "b": 2, "c": ""}, {"a": "1b2"}],
)
def test_another_context_does_not_open(ring: reseal.Keyring, other: dict[str, Any]) -> None:
    stored = ring.seal("x", {"a": 1, "b": 2})
    assert code_of(lambda: ring.open(stored, other)) == "auth-failed"


def test_a_view_of_wider_numbers_is_refused(ring: reseal.Keyring) -> None:
    wide = memoryview(array("i", [1]))
    assert code_of(lambda: ring.seal("x", {"a": wide})) == "context-invalid"
