"""Typed values: what Python has comes back as it was, and what it is not is refused."""

from __future__ import annotations

import datetime as dt
import enum
import json
import math
import uuid
from decimal import Decimal
from typing import Any

import pytest
import reseal
from hypothesis import given
from hypothesis import strategies as some
from reseal import codecs
from support import code_of, error_of

RING = reseal.Keyring(reseal.Key.generate("data"))
UTC = dt.timezone.utc
EAST = dt.timezone(dt.timedelta(hours=5, minutes=45))


def column(kind: Any, mode: Any = "random", **options: Any) -> reseal.Column:
    return reseal.Column(codecs.reseal(RING), [codecs.plain()], type=kind, mode=mode, **options)


def through(kind: Any, value: Any, mode: Any = "random") -> Any:
    """A value after it was sealed and opened."""
    it = column(kind, mode)
    stored = it.seal(value)
    found = it.open(stored)
    assert found is not None
    (many,) = it.open_many(it.seal_many([value]))
    assert isinstance(many, reseal.Opened)
    assert many.value == found.value
    return found.value


def spelled(kind: Any, value: Any, mode: Any = "random") -> str:
    """The canonical text of a value."""
    it = column(kind, mode)
    return RING.open_str(it.seal(value), {})


VALUES: dict[str, list[Any]] = {
    "text": ["", "x", "\0", "Ünïcödé 🦀", "e\u0301"],
    "bytes": [b"", b"\0\xff", b"rs1."],
    "integer": [0, 1, -1, 2**63 - 1, -(2**63), 2**63, 10**50, -(10**5000), 10**100_000 - 1],
    "decimal": [Decimal("0"), Decimal("-1.5"), Decimal("1e30"), Decimal("1." + "3" * 90)],
    "boolean": [True, False],
    "date": [dt.date.min, dt.date(2024, 2, 29), dt.date.max],
    "time": [dt.time.min, dt.time(1, 2, 3, 40), dt.time.max],
    "timestamp": [
        dt.datetime.min,
        dt.datetime(2024, 2, 29, 1, 2, 3, 400),
        dt.datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC),
        dt.datetime.max,
    ],
    "uuid": [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), uuid.uuid4()],
    "json": [{}, [], "", 0, 1.5, True, {"b": [1, None, "ü🦀"], "a": {"c": 1e100}}],
}


@pytest.mark.parametrize(
    ("kind", "value"),
    [(kind, value) for kind, values in VALUES.items() for value in values],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
@pytest.mark.parametrize("mode", ["random", "deterministic", "padded"])
def test_it_comes_back(kind: str, value: Any, mode: str) -> None:
    back = through(kind, value, mode)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("integer", -0, "0"),
        ("decimal", Decimal("1.50E+1"), "15"),
        ("decimal", Decimal("-0.00"), "0"),
        ("boolean", True, "true"),
        ("date", dt.date(33, 4, 3), "0033-04-03"),
        ("time", dt.time(1, 2, 3, 400_000), "01:02:03.4"),
        ("timestamp", dt.datetime(2024, 1, 2, 3, 4, 5), "2024-01-02T03:04:05"),
        (
            "timestamp",
            dt.datetime(2024, 1, 2, 3, 4, 5, 60, tzinfo=EAST),
            "2024-01-01T21:19:05.00006Z",
        ),
        ("uuid", uuid.UUID(int=10), "00000000-0000-0000-0000-00000000000a"),
        ("json", {"b": "ü", "a": [1, 2]}, '{"b":"ü","a":[1,2]}'),
        ("json", "\ud800", '"\\ud800"'),
    ],
)
def test_the_canonical_spelling(kind: str, value: Any, text: str) -> None:
    assert spelled(kind, value) == text


def test_json_is_sorted_where_equal_values_are_equal() -> None:
    assert spelled("json", {"b": 1.0, "a": 2}, "deterministic") == '{"a":2,"b":1}'
    it = column("json", "deterministic")
    assert it.seal({"b": 1, "a": 2}) == it.seal({"a": 2, "b": 1})


def test_an_aware_timestamp_comes_back_in_utc() -> None:
    there = dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=EAST)
    back = through("timestamp", there)
    assert back == there
    assert back.tzinfo is UTC


class Color(str, enum.Enum):
    RED = "red"


class Strange(int):
    def __format__(self, spec: str) -> str:
        return "666"

    def __str__(self) -> str:
        return "666"


def test_what_subclasses_say_does_not_count() -> None:
    assert spelled("text", Color.RED) == "red"
    assert spelled("integer", Strange(2**70)) == str(2**70)
    assert spelled("integer", Strange(7)) == "7"


WRONG: list[tuple[str, Any]] = [
    ("text", b"a secret"),
    ("text", 1),
    ("bytes", "x"),
    ("bytes", [1]),
    ("integer", True),
    ("integer", 1.0),
    ("integer", "1"),
    ("integer", Decimal(1)),
    ("decimal", 1.0),
    ("decimal", 1),
    ("decimal", "1"),
    ("boolean", 1),
    ("boolean", "true"),
    ("date", dt.datetime(2024, 1, 1)),
    ("date", "2024-01-01"),
    ("time", dt.datetime(2024, 1, 1)),
    ("timestamp", dt.date(2024, 1, 1)),
    ("timestamp", 1.5),
    ("uuid", "00000000-0000-0000-0000-00000000000a"),
    ("uuid", 10),
]


@pytest.mark.parametrize(("kind", "value"), WRONG, ids=str)
def test_a_wrong_type_is_named(kind: str, value: Any) -> None:
    it = column(kind)
    error = error_of(lambda: it.seal(value))
    assert error.code == "invalid-argument"
    assert type(value).__name__ in str(error)
    assert "secret" not in str(error)
    (item,) = it.seal_many([value])
    assert item.args == error.args


class Zone(dt.tzinfo):
    def utcoffset(self, _: dt.datetime | None) -> dt.timedelta:
        raise RuntimeError("a secret")

    dst = utcoffset

    def tzname(self, _: dt.datetime | None) -> str:
        return ""


class Nano(dt.datetime):
    nanosecond = 7


class NotATime(dt.datetime):
    """As pandas has one, which is what its frames give for a missing moment."""

    __hash__ = dt.datetime.__hash__

    def __eq__(self, _: object) -> bool:
        return False

    def isoformat(self, *_: Any) -> str:
        return "NaT"


INVALID: list[tuple[str, Any]] = [
    ("decimal", Decimal("NaN")),
    ("decimal", Decimal("-Infinity")),
    ("decimal", Decimal("sNaN")),
    ("decimal", Decimal("1e20000")),
    ("integer", 10**100_000),
    ("time", dt.time(1, tzinfo=UTC)),
    ("timestamp", dt.datetime.min.replace(tzinfo=EAST)),
    ("timestamp", dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(microseconds=1)))),
    ("timestamp", dt.datetime(2024, 1, 1, tzinfo=Zone())),
    ("timestamp", Nano(2024, 1, 1)),
    ("timestamp", NotATime(1, 1, 1)),
    ("json", math.nan),
    ("json", [math.inf]),
    ("json", {"a": b"x"}),
    ("json", {(1, 2): 3}),
]


@pytest.mark.parametrize(("kind", "value"), INVALID, ids=lambda value: type(value).__name__)
def test_what_has_no_canonical_form_is_refused(kind: str, value: Any) -> None:
    error = error_of(lambda: column(kind).seal(value))
    assert error.code == "value-invalid"
    assert "secret" not in str(error)


@pytest.mark.parametrize("key", [1, 1.5, None, True, (1, "a secret"), b"a secret"], ids=str)
def test_json_has_text_keys(key: Any) -> None:
    it = column("json")
    for value in ({key: "x"}, {key: "x", "1": "y"}, [({"a": [{key: 1}]},)], {"a": {"b": {key: 1}}}):
        error = error_of(lambda v=value: it.seal(v))  # type: ignore[misc]
        assert error.code == "value-invalid"
        assert "a key that is no text" in str(error)
        assert "secret" not in str(error)
        (item,) = it.seal_many([value])
        assert item.args == error.args
        assert code_of(lambda v=value: column("json", "deterministic").seal(v)) == "value-invalid"  # type: ignore[misc]
    assert through("json", {Color.RED: [{"1": 1}, ({"None": 2},)]}) == {
        "red": [{"1": 1}, [{"None": 2}]]
    }


def test_json_without_an_end() -> None:
    endless: list[Any] = []
    endless.append(endless)
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    for value in (endless, deep):
        assert code_of(lambda v=value: column("json").seal(v)) == "value-invalid"  # type: ignore[misc]
    # A plaintext of another system.
    for text in ("[" * 100_000 + "]" * 100_000, "9" * 5000):
        assert code_of(lambda t=text: column("json").open(t)) == "value-invalid"  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    [
        "1e400",
        "-1E+400",
        '{"a": [0, {"b": 1.5e309}]}',
        "9" * 309 + ".5",
        "0.1e310",
        "1e99999999999999999999",
        f"[1{'0' * 210}e99]",
        f"[-{'1' * 250}.5E99]",
    ],
)
def test_json_with_a_number_that_would_be_infinite_does_not_open(text: str) -> None:
    it = column("json")
    sealed = RING.seal(text, {})
    assert code_of(lambda: it.open(sealed)) == "value-invalid"
    assert isinstance(it.open_many([sealed])[0], reseal.ResealError)
    # It stays what it is.
    moved = it.reseal(text)
    assert isinstance(moved, reseal.Resealed)
    assert RING.open_str(str(moved.value), {}) == text


@pytest.mark.parametrize(
    "text",
    [
        "1.7976931348623157e308",
        "-1e308",
        "1e-400",
        "1e+0000300",
        '["1e400", "e999"]',
        '{"1e400": "9"}',
        "9" * 308 + ".5",
        "9" * 400,
        "1" + "0" * 209 + "e99",
        '["' + "9" * 250 + '", 1e9]',
    ],
)
def test_json_with_large_numbers_opens(text: str) -> None:
    found = column("json").open(RING.seal(text, {}))
    assert found is not None
    assert found.value == json.loads(text)


def test_json_that_has_no_canonical_form_is_refused_in_mode_deterministic() -> None:
    for value in (2**53 + 1, {"a": "\ud800"}):
        assert through("json", value) == value
        assert code_of(lambda v=value: column("json", "deterministic").seal(v)) == "value-invalid"  # type: ignore[misc]


@pytest.mark.parametrize(
    "value",
    [
        5.686339658509941e16,
        -5.686339658509941e16,
        2.0**60,
        9.007199254740993e20,
        10**23,
        -(10**30),
        {"a": [1, {"b": (10**23,)}]},
    ],
)
def test_json_that_would_be_another_number_is_refused_in_mode_deterministic(value: Any) -> None:
    it = column("json", "deterministic")
    assert code_of(lambda: it.seal(value)) == "value-invalid"
    (error,) = it.seal_many([value])
    assert isinstance(error, reseal.ResealError)
    assert error.code == "value-invalid"
    assert through("json", [value]) == json.loads(json.dumps([value]))
    # What is stored opens.
    assert it.open(RING.seal(json.dumps(value), {})) is not None


@pytest.mark.parametrize(
    "value",
    [2**53, 2**53 + 2, 2.0**53, 1e16, 1e20, 10**18, 1e21, 10**21, 10**22, 1e23, 1e300, "9" * 20],
)
def test_json_with_large_numbers_comes_back_in_mode_deterministic(value: Any) -> None:
    assert through("json", [value], "deterministic") == [value]


def test_a_lone_surrogate() -> None:
    assert code_of(lambda: column("text").seal("\ud800")) == "invalid-text"


@pytest.mark.parametrize(
    ("kind", "stored", "value"),
    [
        ("integer", "+007", 7),
        ("decimal", "1.50E+1", Decimal(15)),
        ("time", "12:30", dt.time(12, 30)),
        ("timestamp", "2024-01-02 03:04:05.120+01", dt.datetime(2024, 1, 2, 2, 4, 5, 120_000, UTC)),
        ("uuid", "0000000000000000000000000000000A", uuid.UUID(int=10)),
        ("json", ' {"a" : 1} ', {"a": 1}),
    ],
)
def test_what_other_systems_spell_is_read(kind: str, stored: str, value: Any) -> None:
    found = column(kind).open(stored)
    assert found is not None
    assert found.value == value


@pytest.mark.parametrize("kind", [kind for kind in VALUES if kind not in ("text", "bytes")])
def test_a_plaintext_of_another_type_is_refused(kind: str) -> None:
    it = column(kind)
    assert code_of(lambda: it.open("no value")) == "value-invalid"
    (item,) = it.open_many(["no value"])
    assert isinstance(item, reseal.ResealError)
    assert item.code == "value-invalid"
    sealed = RING.seal(b"\xff", {})
    assert code_of(lambda: it.open(sealed)) == "invalid-text"
    # It is told, and stays as it is.
    refused = it.reseal("no value")
    assert isinstance(refused, reseal.Refused)
    assert refused.code == "value-invalid"


@given(some.integers())
def test_any_integer(value: int) -> None:
    assert through("integer", value) == value
    assert spelled("integer", value) == str(value)


@given(some.decimals(allow_nan=False, allow_infinity=False))
def test_any_decimal(value: Decimal) -> None:
    assert through("decimal", value) == value


@given(some.datetimes(timezones=some.none() | some.just(UTC) | some.just(EAST)))
def test_any_timestamp(value: dt.datetime) -> None:
    try:
        expected = value if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        assert code_of(lambda: column("timestamp").seal(value)) == "value-invalid"
    else:
        assert through("timestamp", value) == expected


JSON = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats(allow_nan=False, allow_infinity=False)
    | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=20,
)


@given(JSON.filter(lambda value: value is not None))
def test_any_json(value: Any) -> None:
    assert through("json", value) == value
    assert json.loads(spelled("json", value)) == value
