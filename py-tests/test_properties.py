"""Properties over random values, contexts and modes."""

from __future__ import annotations

import os
from typing import Any

import pytest
import reseal
from hypothesis import given, settings
from hypothesis import strategies as st
from support import MODES, code_of

settings.register_profile("quick", max_examples=200, deadline=None)
settings.register_profile("assure", max_examples=20_000, deadline=None)
settings.load_profile("assure" if "RESEAL_ASSURE" in os.environ else "quick")

RING = reseal.Keyring(primary=reseal.Key.generate(), index=reseal.Key.generate("index"))

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.binary(max_size=300) | texts
names = st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True).filter(
    lambda name: not name.startswith("rs_")
)
facts = st.binary(max_size=100) | texts | st.integers() | st.uuids()
contexts = st.dictionaries(names, facts, max_size=16)
modes = st.sampled_from(MODES)


def encoded(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


@given(values, contexts, modes)
def test_round_trip(value: Any, context: Any, mode: Any) -> None:
    text, binary = RING.seal(value, context, mode), RING.seal_binary(value, context, mode)
    field = RING.field(context, mode)
    for opened in (
        RING.open(text, context),
        RING.open_binary(binary, context),
        RING.open(reseal.to_text(binary), context),
        RING.open_binary(reseal.to_binary(text), context),
        *RING.open_many([text], [context]),
        *RING.open_many_binary([binary], context),
        field.open(text),
        field.open_binary(field.seal_binary(value)),
        *RING.open_many(RING.seal_many([value], context, mode), context),  # type: ignore[arg-type]
    ):
        assert opened == encoded(value)
    if isinstance(value, str):
        assert RING.open_str(text, context) == value


@given(values, contexts, modes, st.data())
def test_any_flipped_bit_is_refused(value: Any, context: Any, mode: Any, data: Any) -> None:
    binary = RING.seal_binary(value, context, mode)
    bit = data.draw(st.integers(0, len(binary) * 8 - 1))
    changed = bytearray(binary)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises((reseal.DecryptError, reseal.FormatError)):
        RING.open_binary(changed, context)
    text = reseal.to_text(binary)
    at = data.draw(st.integers(0, len(text) - 1))
    other = chr(data.draw(st.integers(0, 0x2FF)))
    if other != text[at]:
        with pytest.raises((reseal.DecryptError, reseal.FormatError)):
            RING.open(text[:at] + other + text[at + 1 :], context)


@given(values, contexts, modes, st.data())
def test_a_cut_or_longer_value_is_refused(value: Any, context: Any, mode: Any, data: Any) -> None:
    binary = RING.seal_binary(value, context, mode)
    for stored in (binary[: data.draw(st.integers(0, len(binary) - 1))], binary + b"\0"):
        with pytest.raises((reseal.DecryptError, reseal.FormatError)):
            RING.open_binary(stored, context)


@given(values, contexts, modes, st.randoms())
def test_the_order_of_a_context_does_not_matter(
    value: Any, context: Any, mode: Any, random: Any
) -> None:
    pairs = list(context.items())
    random.shuffle(pairs)
    stored = RING.seal(value, context, mode)
    assert RING.open(stored, dict(pairs)) == encoded(value)
    field = RING.field(dict(pairs[::2]))
    assert field.open(stored, **dict(pairs[1::2])) == encoded(value)


@given(values, contexts, contexts)
def test_another_context_does_not_open(value: Any, context: Any, other: Any) -> None:
    stored = RING.seal(value, context)

    def as_bytes(pairs: Any) -> Any:
        return {k: v if isinstance(v, bytes) else str(v).encode() for k, v in pairs.items()}

    if as_bytes(context) != as_bytes(other):
        assert code_of(lambda: RING.open(stored, other)) == "auth-failed"


@given(values, contexts, modes)
def test_text_and_binary_hold_the_same(value: Any, context: Any, mode: Any) -> None:
    binary = RING.seal_binary(value, context, mode)
    text = reseal.to_text(binary)
    assert reseal.to_binary(text) == binary
    assert reseal.inspect(text) == reseal.inspect(binary)
    shown = reseal.inspect(text)
    assert len(binary) == 66 + shown.ciphertext_bytes
    assert len(text) == 37 + -(-4 * (len(binary) - 25) // 3)
    if mode != "padded":
        assert shown.ciphertext_bytes == len(encoded(value))


@given(values, values, contexts)
def test_deterministic_values_are_equal_when_their_plaintexts_are(
    one: Any, other: Any, context: Any
) -> None:
    stored = [RING.seal(value, context, "deterministic") for value in (one, encoded(one), other)]
    assert stored[0] == stored[1]
    assert (stored[0] == stored[2]) == (encoded(one) == encoded(other))
    assert RING.lookup_values(one, context) == [stored[0]]


@given(st.text() | st.binary(), contexts)
def test_anything_may_be_opened_and_nothing_but_our_errors_comes_out(
    stored: Any, context: Any
) -> None:
    steps: list[Any] = [lambda: reseal.inspect(stored)]
    if isinstance(stored, str):
        steps += [
            lambda: RING.open(stored, context),
            lambda: reseal.to_binary(stored),
            lambda: reseal.Key.parse(stored),
            lambda: reseal.Keyring(stored),
            lambda: reseal.Keyring.from_env({"RESEAL_PRIMARY_KEY": stored}),
            lambda: reseal.Keyring.from_env({"RESEAL_KEYSET": stored}),
        ]
    else:
        steps += [lambda: RING.open_binary(stored, context), lambda: reseal.to_text(stored)]
    for step in steps:
        with pytest.raises(reseal.ResealError):
            step()


@given(st.text(), st.text("abcdefghijklmnopqrstuvwxyz234567", max_size=40), st.text())
def test_texts_that_begin_like_an_envelope(start: str, key_id: str, tail: str) -> None:
    for stored in (f"rs1.{key_id}.{tail}", f"rs1.{'a' * 32}.{tail}", f"{start}rs1.{key_id}"):
        with pytest.raises(reseal.FormatError):
            RING.open(stored, {})


@given(texts | st.binary(max_size=50), st.integers(8, 256))
def test_index_terms(value: Any, bits: int) -> None:
    term = RING.index_term(value, {}, index="e", bits=bits)
    assert RING.index_terms(encoded(value), {}, index="e", bits=bits) == [term]
    tag_bytes = (bits + 7) // 8
    assert len(term.rpartition(".")[2]) == (tag_bytes * 8 + 4) // 5
