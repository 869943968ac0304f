"""What a row holds before its value was asked for."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import reseal
from reseal._native import Held, HeldAttribute, hold, hold_reporting

STORED = reseal.Keyring(primary=reseal.Key.generate("data")).seal("the secret", {})


def test_it_shows_nothing() -> None:
    held = hold(STORED, None, None)
    assert held is not None
    assert held.raw is STORED
    assert repr(held) == str(held) == "<sealed>"


def test_null_is_not_held() -> None:
    assert hold(None, None, None) is None
    assert hold_reporting(None, None, None) is None


@pytest.mark.parametrize("binding", [None, (7, "a")])
@pytest.mark.parametrize("reports", [False, True])
def test_a_copy_is_the_same(binding: tuple[Any, ...] | None, reports: bool) -> None:
    held = Held(STORED, binding, reports)
    for other in (copy.copy(held), copy.deepcopy(held), pickle.loads(pickle.dumps(held))):
        assert (other.raw, other.binding, other.reports) == (STORED, binding, reports)


class Told(HeldAttribute):
    """An attribute that tells what it is asked for."""

    def opened(self, _instance: object, held: Held) -> str:
        return f"opened {held.raw}"

    def missing(self, _instance: object, cls: type) -> str:
        return f"missing in {cls.__name__}"

    def kept(self, before: object, held: Held) -> str:
        return f"{held.raw} after {before!r}"


class Row:
    value = Told("value")


def test_an_attribute_opens_what_is_held_and_nothing_else() -> None:
    row: Any = Row()
    assert Row.value is vars(Row)["value"]
    assert row.value == "missing in Row"
    row.value = "as it is"
    assert row.value == "as it is"
    assert vars(row) == {"value": "as it is"}
    row = Row()
    row.value = Held("a")
    assert row.value == "opened a"
    row.value = Held("b")
    assert row.value == "b after <sealed>"


def test_what_was_deleted_is_missing() -> None:
    row: Any = Row()
    row.value = Held("a")
    del row.value
    assert row.value == "missing in Row"
    with pytest.raises(AttributeError):
        del row.value


def test_an_attribute_needs_an_instance_with_attributes() -> None:
    with pytest.raises(AttributeError):
        Row.value.__set__(7, "x")
    with pytest.raises(AttributeError):
        Row.value.__get__(7)
