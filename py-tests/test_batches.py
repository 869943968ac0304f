from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import reseal
from support import CONTEXT, MODES, code_of

VALUES = [f"value {number}" for number in range(300)]
CONTEXTS: list[dict[str, Any]] = [{"table": "t", "row": number} for number in range(300)]


@pytest.mark.parametrize("mode", MODES)
def test_one_context_for_all(ring: reseal.Keyring, mode: Any) -> None:
    stored = ring.seal_many(VALUES, CONTEXT, mode)
    assert isinstance(stored, list)
    assert all(ring.is_current(text, mode) for text in stored if isinstance(text, str))
    texts = [text for text in stored if isinstance(text, str)]
    assert ring.open_many_str(texts, CONTEXT) == VALUES
    assert ring.open_many(texts, CONTEXT) == [value.encode() for value in VALUES]
    assert [ring.open_str(text, CONTEXT) for text in texts] == VALUES


@pytest.mark.parametrize("mode", MODES)
def test_a_context_for_each(ring: reseal.Keyring, mode: Any) -> None:
    binary = ring.seal_many_binary(VALUES, CONTEXTS, mode)
    values = [value.encode() for value in VALUES]
    assert ring.open_many_binary(binary, iter(CONTEXTS)) == values  # type: ignore[arg-type]
    shifted = CONTEXTS[1:] + CONTEXTS[:1]
    for item in ring.open_many_binary(binary, shifted):  # type: ignore[arg-type]
        assert isinstance(item, reseal.DecryptError)


def test_the_values_of_a_batch_share_a_salt_and_no_nonce(ring: reseal.Keyring) -> None:
    binary = [item for item in ring.seal_many_binary(VALUES, {}) if isinstance(item, bytes)]
    assert len({item[26:38] for item in binary}) == 1
    assert len({item[26:50] for item in binary}) == len(VALUES)


def test_any_iterable(ring: reseal.Keyring) -> None:
    for values in (("a", "b"), iter(["a", "b"]), (v for v in "ab")):
        assert ring.open_many_str(ring.seal_many(values, {}), {}) == ["a", "b"]  # type: ignore[arg-type]
    assert ring.seal_many([], {}) == []
    assert ring.open_many((), []) == []
    assert ring.seal_many([], []) == []


@pytest.mark.parametrize("values", [None, 1, "ab", b"ab", object()])
def test_no_list(ring: reseal.Keyring, values: Any) -> None:
    field = ring.field({})
    for step in (
        lambda: ring.seal_many(values, {}),
        lambda: ring.seal_many_binary(values, {}),
        lambda: ring.open_many(values, {}),
        lambda: ring.open_many_str(values, {}),
        lambda: ring.open_many_binary(values, {}),
        lambda: field.seal_many(values),
        lambda: field.open_many(values),
    ):
        assert code_of(step) == "invalid-argument"
    if values is not None:
        assert code_of(lambda: field.seal_many(["x"], rows=values)) == "invalid-argument"


@pytest.mark.parametrize("contexts", [[], [{}], [{}] * 3])
def test_another_number_of_contexts(ring: reseal.Keyring, contexts: Any) -> None:
    assert code_of(lambda: ring.seal_many(["a", "b"], contexts)) == "invalid-argument"
    assert code_of(lambda: ring.open_many(["a", "b"], contexts)) == "invalid-argument"
    field = ring.field({})
    assert code_of(lambda: field.seal_many(["a", "b"], rows=contexts)) == "invalid-argument"
    assert code_of(lambda: field.seal_many(["a", "b"], contexts=contexts)) == "invalid-argument"


def test_a_bad_item_does_not_fail_the_rest(ring: reseal.Keyring) -> None:
    values: list[Any] = ["good", None, 5, "\ud800", b"x" * (2**24 + 1), b"good"]
    items = ring.seal_many(values, {})
    shown = [item.code if isinstance(item, reseal.ResealError) else "" for item in items]
    codes = ["invalid-argument", "invalid-argument", "invalid-text", "too-large"]
    assert shown == ["", *codes, ""]
    good = items[0]
    assert isinstance(good, str)
    changed = good[:45] + ("B" if good[45] == "A" else "A") + good[46:]
    stored: list[Any] = [good, None, "hello", good[:59], changed, b"x", good]
    opened = ring.open_many(stored, {})
    shown = [item.code if isinstance(item, reseal.ResealError) else "" for item in opened]
    assert shown[0] == shown[-1] == ""
    codes = ["invalid-argument", "not-envelope", "malformed", "auth-failed", "invalid-argument"]
    assert shown[1:-1] == codes
    assert opened[-1] == b"good"


def test_items_are_errors_of_their_class_and_are_not_raised(ring: reseal.Keyring) -> None:
    (item,) = ring.open_many(["hello"], {})
    assert isinstance(item, reseal.FormatError)
    assert item.__traceback__ is None


def test_an_exception_of_the_list_is_not_swallowed(ring: reseal.Keyring) -> None:
    def values() -> Any:
        yield "x"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ring.seal_many(values(), {})
    with pytest.raises(ZeroDivisionError):
        ring.seal_many(["x", "y"], values())


def test_a_list_that_changes_while_it_is_read(ring: reseal.Keyring) -> None:
    class Shrinking(dict[str, Any]):
        def items(self) -> Any:
            values.clear()
            return []

    values = ["x"] * 100
    contexts = [Shrinking() for _ in values]
    stored = ring.seal_many(values, contexts)
    assert values == []
    assert ring.open_many_str(stored, {}) == ["x"] * 100  # type: ignore[arg-type]


def test_more_values_than_share_a_salt(ring: reseal.Keyring) -> None:
    count = 2**16 + 10
    binary = ring.seal_many_binary([b""] * count, {})
    assert len({item[26:38] for item in binary if isinstance(item, bytes)}) == 2
    assert ring.open_many_binary(binary, {}) == [b""] * count  # type: ignore[arg-type]


class TestField:
    def test_the_context_is_that_of_the_field_and_of_the_call(self, ring: reseal.Keyring) -> None:
        field = ring.field({"table": "users", "column": "email"})
        stored, binary = field.seal("x", row=42), field.seal_binary("x", row=42)
        assert ring.open(stored, CONTEXT) == field.open(stored, row=42) == b"x"
        assert field.open_str(stored, row="42") == "x"
        assert ring.open_binary(binary, CONTEXT) == field.open_binary(binary, row=42)
        assert code_of(lambda: field.open(stored)) == "auth-failed"
        assert code_of(lambda: field.open(stored, row=43)) == "auth-failed"

    def test_any_name_is_a_keyword(self, ring: reseal.Keyring) -> None:
        field = ring.field({})
        stored = field.seal("x", value=1, self=2, stored=3, context=4, mode=5)
        pairs = {"value": 1, "self": 2, "stored": 3, "context": 4, "mode": 5}
        assert ring.open(stored, pairs) == b"x"
        assert field.open(stored, **pairs) == b"x"

    @pytest.mark.parametrize("mode", MODES)
    def test_the_mode_is_that_of_the_field(self, ring: reseal.Keyring, mode: Any) -> None:
        field = ring.field({}, mode)
        stored, binary = field.seal("x"), field.seal_binary("x")
        assert field.mode == reseal.inspect(stored).mode == reseal.inspect(binary).mode == mode
        assert field.is_current(stored)
        assert field.is_current_binary(binary)
        assert field.reseal(stored) is stored
        assert field.reseal_binary(binary) is binary
        others = [other for other in MODES if other != mode]
        for other in others:
            assert not ring.field({}, other).is_current(stored)

    def test_resealing(self, ring: reseal.Keyring) -> None:
        old = reseal.Key.generate()
        stored = reseal.Keyring(old).field({"table": "t"}).seal("x", row=1)
        field = reseal.Keyring(reseal.Key.generate(), decrypt_only=[old]).field({"table": "t"})
        assert not field.is_current(stored)
        resealed = field.reseal(stored, row=1)
        assert field.is_current(resealed)
        assert field.open(resealed, row=1) == b"x"
        binary = field.reseal_binary(reseal.to_binary(stored), row=1)
        assert field.open_binary(binary, row=1) == b"x"

    def test_batches(self, ring: reseal.Keyring) -> None:
        field = ring.field({"table": "t"})
        rows = [context["row"] for context in CONTEXTS]
        for stored in (
            field.seal_many(VALUES, rows=rows),
            field.seal_many(VALUES, contexts=[{"row": row} for row in rows]),
            ring.seal_many(VALUES, CONTEXTS),
        ):
            texts = [text for text in stored if isinstance(text, str)]
            assert field.open_many_str(texts, rows=rows) == VALUES
            assert field.open_many(texts, rows=rows) == [v.encode() for v in VALUES]
            assert ring.open_many_str(texts, CONTEXTS) == VALUES
        binary = field.seal_many_binary(VALUES, rows=rows)
        opened = field.open_many_binary(binary, contexts=[{"row": row} for row in rows])  # type: ignore[arg-type]
        assert opened == [v.encode() for v in VALUES]
        assert field.open_many_str(field.seal_many(["x"])) == ["x"]  # type: ignore[arg-type]

    def test_rows_or_contexts(self, ring: reseal.Keyring) -> None:
        field = ring.field({})
        step = lambda: field.seal_many(["x"], rows=[1], contexts=[{}])  # noqa: E731
        assert code_of(step) == "invalid-argument"

    def test_search(self, ring: reseal.Keyring) -> None:
        field, context = ring.field({"table": "t"}), {"table": "t", "tenant": 7}
        how: dict[str, Any] = {"index": "e", "normalizer": "digits", "bits": 32}
        assert field.lookup_values("x", tenant=7) == ring.lookup_values("x", context)
        assert field.lookup_values_binary("x", tenant=7) == ring.lookup_values_binary("x", context)
        expected = ring.index_term("1-2", context, **how)
        assert field.index_term("12", context={"tenant": 7}, **how) == expected
        assert field.index_terms("12", context={"tenant": 7}, **how) == [expected]
        assert field.index_term("x", index="e") == ring.index_term("x", {"table": "t"}, index="e")

    def test_printing_and_copies(self, ring: reseal.Keyring) -> None:
        import copy
        import pickle

        field = ring.field({"tenant": "Ann Example"})
        assert "Ann" not in repr(field)
        assert copy.copy(field) is copy.deepcopy(field) is field
        with pytest.raises(TypeError, match="Field is not pickled"):
            pickle.dumps(field)


class Query:
    """A lazy iterable, as of an ORM: it asks the database when it is iterated."""

    def __init__(self, rows: list[Any] | None) -> None:
        self.rows, self.asked = rows, 0

    def __iter__(self) -> Iterator[Any]:
        self.asked += 1
        if self.rows is None:
            raise ConnectionError("the database is away")
        return iter(self.rows)


def test_a_lazy_iterable_is_asked_once_and_its_error_is_the_callers() -> None:
    ring = reseal.Keyring(primary=reseal.Key.generate())
    values, contexts = Query(["a", "b"]), Query([{"row": 1}, {"row": 2}])
    sealed = ring.seal_many(values, contexts)
    assert (values.asked, contexts.asked) == (1, 1)
    assert ring.open_str(sealed[1], {"row": 2}) == "b"  # type: ignore[arg-type]
    with pytest.raises(ConnectionError):
        ring.seal_many(Query(None), {})
    with pytest.raises(ConnectionError):
        ring.seal_many(["a"], Query(None))


@pytest.mark.parametrize(
    "single", [bytearray(b"ab"), memoryview(b"ab"), {"a": 1}, {"a"}, frozenset("a"), "ab", b"ab", 5]
)
def test_a_single_value_or_one_without_order_is_no_list(single: Any) -> None:
    ring = reseal.Keyring(primary=reseal.Key.generate())
    assert code_of(lambda: ring.seal_many(single, {})) == "invalid-argument"
