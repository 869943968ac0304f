"""Blind indexes of columns, and types that reach what is resealed."""

from __future__ import annotations

from typing import Any

import pytest
import reseal
from reseal import codecs
from support import code_of

DATA = reseal.Key.generate("data")
FIRST = reseal.Key.generate("index")
SECOND = reseal.Key.generate("index")
CONTEXT = {"table": "users", "column": "phone"}
INDEX = {"index": "phone_eq", "normalizer": "digits", "bits": 64}


def column(ring: reseal.Keyring, **options: Any) -> reseal.Column:
    known = {"write": codecs.reseal(ring), "context": CONTEXT, "indexes": [INDEX]}
    return reseal.Column(**{**known, **options})


class Interrupting(dict[str, Any]):
    def __init__(self, raised: type[BaseException]) -> None:
        super().__init__(index="phone_eq")
        self.raised = raised

    def items(self) -> Any:
        raise self.raised


def test_an_interrupt_while_an_index_is_read_is_no_error_of_it() -> None:
    ring = reseal.Keyring(DATA, index=FIRST)
    for raised in (KeyboardInterrupt, SystemExit):
        with pytest.raises(raised):
            column(ring, indexes=[Interrupting(raised)])
    assert code_of(lambda: column(ring, indexes=[Interrupting(RuntimeError)])) == "invalid-argument"


def test_a_term_is_that_of_the_ring() -> None:
    ring = reseal.Keyring(DATA, index=FIRST)
    term = column(ring).index_term("555 010", "phone_eq", tenant=7)
    same = ring.index_term(
        "555010", {**CONTEXT, "tenant": 7}, index="phone_eq", normalizer="digits", bits=64
    )
    assert term == same
    assert column(ring).index_terms("555-010", "phone_eq", tenant=7) == [term]
    assert column(ring).index_terms("555-010", "phone_eq") != [term]


def test_a_query_asks_for_every_key() -> None:
    before = column(reseal.Keyring(DATA, index=FIRST))
    after = column(reseal.Keyring(DATA, index=SECOND, decrypt_only=[FIRST]))
    terms = after.index_terms("555010", "phone_eq")
    assert terms == [
        after.index_term("555010", "phone_eq"),
        before.index_term("555010", "phone_eq"),
    ]


def test_a_query_asks_with_every_context() -> None:
    before = column(reseal.Keyring(DATA, index=FIRST))
    ring = reseal.Keyring(DATA, index=SECOND, decrypt_only=[FIRST])
    people = {**CONTEXT, "table": "people"}
    after = column(ring, context=people, earlier_contexts=[CONTEXT])
    terms = after.index_terms("555010", "phone_eq", tenant=7)
    assert len(terms) == len(set(terms)) == 4
    assert terms[0] == after.index_term("555010", "phone_eq", tenant=7)
    assert before.index_term("555010", "phone_eq", tenant=7) in terms


def test_equal_values_have_one_term() -> None:
    ring = reseal.Keyring(DATA, index=FIRST)
    documents = column(ring, type="json", indexes=[{"index": "doc"}])
    one = documents.index_term({"b": 1, "a": [True]}, "doc")
    assert one == documents.index_term({"a": [True], "b": 1}, "doc")
    assert one != documents.index_term({"a": [True], "b": 2}, "doc")


def test_null_has_no_term() -> None:
    ring = reseal.Keyring(DATA, index=FIRST)
    assert column(ring).index_term(None, "phone_eq") is None
    assert column(ring).index_terms(None, "phone_eq") is None


def test_a_foreign_writer_leaves_the_index_to_the_ring_that_is_read() -> None:
    ring = reseal.Keyring(DATA, index=FIRST)
    token = codecs.fernet(keys=["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="])
    back = column(ring, write=token, read=[codecs.reseal(ring)])
    assert back.index_term("555010", "phone_eq") == column(ring).index_term("555010", "phone_eq")
    without = reseal.Column(write=token, indexes=[INDEX])
    assert code_of(lambda: without.index_term("555010", "phone_eq")) == "invalid-argument"


def test_what_is_wrong_with_a_term() -> None:
    known = column(reseal.Keyring(DATA, index=FIRST))
    assert code_of(lambda: known.index_term("x", "other")) == "invalid-argument"
    assert code_of(lambda: known.index_term(7, "phone_eq")) == "invalid-argument"
    assert code_of(lambda: known.index_term("x", "phone_eq", Bad=1)) == "context-invalid"
    assert code_of(lambda: column(reseal.Keyring(DATA)).index_term("x", "phone_eq")) == "no-primary"


@pytest.mark.parametrize(
    "indexes",
    [
        7,
        [7],
        ["phone_eq"],
        [{}],
        [{"index": "phone_eq", "hash": "md5"}],
        [{"index": "Phone"}],
        [{"index": "phone_eq", "bits": 7}],
        [{"index": "phone_eq", "bits": "64"}],
        [{"index": "phone_eq", "normalizer": "soundex"}],
        [INDEX, INDEX],
        [{1: 2}],
    ],
)
def test_indexes_that_are_wrong(indexes: Any) -> None:
    ring = reseal.Keyring(DATA, index=FIRST)
    assert code_of(lambda: column(ring, indexes=indexes)) == "invalid-argument"


def test_a_column_of_foreign_spellings_becomes_canonical() -> None:
    ring = reseal.Keyring(DATA)
    numbers = reseal.Column(
        write=codecs.reseal(ring), read=[codecs.plain()], type="decimal", mode="deterministic"
    )
    values = [numbers.reseal(spelling) for spelling in ("1.50", "1.5", "15E-1")]
    assert all(isinstance(value, reseal.Resealed) for value in values)
    assert len({value.value for value in values if isinstance(value, reseal.Resealed)}) == 1
    refused = numbers.reseal("one and a half")
    assert isinstance(refused, reseal.Refused)
    assert refused.code == "value-invalid"


# --- what a query asks for where equal values are stored equally ------------------------------


def test_lookup_values_are_all_that_a_value_may_be_stored_as() -> None:
    older, newer = reseal.Key.generate("data"), reseal.Key.generate("data")
    ring = reseal.Keyring(primary=newer, decrypt_only=[older])
    context = {"table": "users", "column": "mail"}
    alchemy = codecs.sqlalchemy_utils(keys=["new", "old"], padding="pkcs5")
    column = reseal.Column(
        codecs.reseal(ring), [alchemy, codecs.plain()], context, mode="deterministic"
    )
    asked = column.lookup_values("a@b.example", tenant=7)
    assert asked == [
        *ring.lookup_values("a@b.example", {**context, "tenant": 7}),
        *(
            codecs.sqlalchemy_utils(keys=[key], padding="pkcs5").seal("a@b.example")
            for key in ("new", "old")
        ),
        "a@b.example",
    ]
    assert asked[0] == column.seal("a@b.example", tenant=7)
    opened = [column.open(stored, tenant=7) for stored in asked]
    assert [found and found.value for found in opened] == ["a@b.example"] * 5
    assert column.lookup_values(None) is None


def test_lookup_values_follow_a_live_ring() -> None:
    key = reseal.Key.generate("data")
    live = reseal.LiveKeyring.from_env({"RESEAL_PRIMARY_KEY": key.export()})
    column = reseal.Column(codecs.reseal(live), mode="deterministic", binary=True, type="integer")
    assert column.lookup_values(7)[0] == column.seal(7)


def test_lookup_values_of_a_binary_column_are_envelopes_in_both_forms() -> None:
    ring = reseal.Keyring(DATA)
    column = reseal.Column(codecs.reseal(ring), mode="deterministic", binary=True)
    texts = [one.encode() for one in ring.lookup_values("x", {})]
    asked = column.lookup_values("x")
    assert asked == [*ring.lookup_values_binary("x", {}), *texts]
    # Resealing leaves a row its text.
    older = reseal.Keyring(primary=reseal.Key.generate("data"), decrypt_only=[DATA])
    later = reseal.Column(codecs.reseal(older), mode="deterministic", binary=True)
    moved = later.reseal(texts[0])
    assert isinstance(moved, reseal.Resealed)
    assert moved.value in later.lookup_values("x")


def test_a_codec_whose_values_vary_is_named() -> None:
    fernet = codecs.fernet(keys=["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="], name="tokens")
    for column in (reseal.Column(fernet), reseal.Column(codecs.plain(), [fernet])):
        with pytest.raises(reseal.ResealError) as refused:
            column.lookup_values("x")
        assert refused.value.code == "invalid-argument"
        assert str(refused.value).startswith(
            "the codec tokens, of kind fernet, stores equal values"
        )
