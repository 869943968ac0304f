"""Every vector file has a shape that a schema knows, and every schema refuses broken documents.

The schema is chosen by what a document says about itself, never by the name of its file.
"""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

VECTORS = Path(__file__).resolve().parents[1] / "spec" / "vectors"
SCHEMAS = VECTORS / "schema"

# The member that tells the shape of a document, its value, and the schema.
SHAPES = {
    ("format", "RS1 vectors"): "reseal",
    ("format", "RS1 frozen"): "frozen",
    ("algorithm", "XAES-256-GCM"): "xaes",
    ("schema", "aead_test_schema_v1.json"): "wycheproof-aead",
    ("schema", "hkdf_test_schema_v1.json"): "wycheproof-hkdf",
    ("schema", "mac_test_schema_v1.json"): "wycheproof-mac",
}

# Objects that are maps: their member names are free, or nearly so.
MAPS = {
    ("keys",),
    ("derived",),
    ("derived", "*"),
    ("notes",),
    ("keyset", "file", "macs"),
    ("keyset", "file", "keys", "*", "wraps"),
}
# What may be null.
NULLABLE = {("keyset", "file", "keks", "*", "source")}

Place = tuple[str | int, ...]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def vector_files() -> list[Path]:
    """Those of this project. The runners alone know the shapes in which other systems' programs gave
    theirs, and those of the typed values and of manifests."""
    files = sorted(path for path in VECTORS.rglob("*.json") if SCHEMAS not in path.parents)
    return [path for path in files if not {"system", "values", "cases"} & set(read(path))]


def relative(path: Path) -> str:
    return path.relative_to(VECTORS).as_posix()


def shape_of(document: Any) -> str:
    if isinstance(document, dict):
        for (member, value), shape in SHAPES.items():
            if document.get(member) == value:
                return shape
    raise LookupError("no schema knows this shape")


def validator(shape: str) -> Draft202012Validator:
    resources = (Resource.from_contents(read(path)) for path in SCHEMAS.glob("*.json"))
    registry = Registry().with_resources((r.contents["$id"], r) for r in resources)
    return Draft202012Validator(read(SCHEMAS / f"{shape}.schema.json"), registry=registry)


def frozen_example() -> dict[str, Any]:
    """A document in the frozen shape, made of an envelope that the vectors already hold."""
    vectors = read(VECTORS / "reseal" / "v1.json")
    case, term = vectors["vectors"][1], vectors["blind_index"][0]
    term_members = ("context", "index", "normalizer", "bits", "value", "text")
    envelope_members = ("id", "mode", "key", "context", "plaintext", "text")
    return {
        "format": "RS1 frozen",
        "release": "0.1.0",
        "language": "rust",
        "keys": {"A": {"text": vectors["key_text"]["valid"][0]["text"], "state": "primary"}},
        "index_terms": [{member: term[member] for member in term_members}],
        "envelopes": [{member: case[member] for member in envelope_members}],
    }


def example(shape: str) -> Any:
    if shape == "frozen":
        return frozen_example()
    return next(document for document in map(read, vector_files()) if shape_of(document) == shape)


def places(value: Any, here: Place = ()) -> Iterator[Place]:
    """Where each object and leaf stands."""
    yield here
    if not isinstance(value, (dict, list)):
        return
    for name, member in value.items() if isinstance(value, dict) else enumerate(value):
        yield from places(member, (*here, name))


def kinds_of_places(document: Any) -> dict[Place, Place]:
    """One place of each kind: members of one list, or of one map, are of one kind.

    An object counts before what else may stand in its place.
    """
    found: dict[Place, Place] = {}
    for place in places(document):
        kind: Place = ()
        for step in place:
            kind = (*kind, "*" if isinstance(step, int) or kind in MAPS else step)
        if kind not in found or at(document, found[kind]) is None:
            found[kind] = place
    return found


def at(document: Any, place: Place) -> Any:
    for step in place:
        document = document[step]
    return document


def put(document: Any, place: Place, value: Any) -> Any:
    """A copy of the document with another value at that place."""
    if not place:
        return value
    broken = copy.copy(document)
    broken[place[0]] = put(document[place[0]], place[1:], value)
    return broken


def cut_lists(value: Any) -> Any:
    """The document with three members per list: enough to break, and quick to check."""
    if isinstance(value, dict):
        return {name: cut_lists(member) for name, member in value.items()}
    return [cut_lists(member) for member in value[:3]] if isinstance(value, list) else value


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.name)
def test_schema_is_a_schema(path: Path) -> None:
    schema = read(path)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == path.name


def test_every_schema_is_in_use() -> None:
    files = {path.name for path in SCHEMAS.glob("*.json")}
    assert files == {f"{shape}.schema.json" for shape in [*SHAPES.values(), "common"]}


@pytest.mark.parametrize("path", vector_files(), ids=relative)
def test_file_fits_its_schema(path: Path) -> None:
    document = read(path)
    errors = validator(shape_of(document)).iter_errors(document)
    assert [f"{error.json_path}: {error.message[:200]}" for error in errors] == []


@pytest.mark.parametrize("path", vector_files(), ids=relative)
def test_file_counts_and_names_its_cases(path: Path) -> None:
    document = read(path)
    if "testGroups" in document:
        tests = [test["tcId"] for group in document["testGroups"] for test in group["tests"]]
        assert (len(tests), len(set(tests))) == (document["numberOfTests"],) * 2
    else:
        groups = (group for group in document.values() if isinstance(group, list))
        ids = Counter(case["id"] for group in groups for case in group if "id" in case)
        assert [name for name, count in ids.items() if count > 1] == []


@pytest.mark.parametrize("document", [{}, [], None, {"format": "RS2 vectors"}, {"schema": 1}])
def test_unknown_shapes_are_refused(document: Any) -> None:
    with pytest.raises(LookupError):
        shape_of(document)


@pytest.mark.parametrize("shape", SHAPES.values())
class TestBrokenDocuments:
    def test_the_whole_one_passes(self, shape: str) -> None:
        assert validator(shape).is_valid(example(shape))

    def test_a_missing_discriminator(self, shape: str) -> None:
        check, document = validator(shape), copy.copy(example(shape))
        member = next(member for (member, _), name in SHAPES.items() if name == shape)
        del document[member]
        assert not check.is_valid(document)

    def test_an_extra_member_in_any_object(self, shape: str) -> None:
        check, document = validator(shape), cut_lists(example(shape))
        assert check.is_valid(document)
        tried = 0
        for place in kinds_of_places(document).values():
            value = at(document, place)
            if isinstance(value, dict):
                broken = put(document, place, {**value, "surprise!": 1})
                assert not check.is_valid(broken), place
                tried += 1
        assert tried >= 3

    def test_a_wrong_type_in_any_place(self, shape: str) -> None:
        check, document = validator(shape), cut_lists(example(shape))
        for kind, place in kinds_of_places(document).items():
            for wrong in (1.5,) if kind in NULLABLE else (None, 1.5):
                assert not check.is_valid(put(document, place, wrong)), (place, wrong)

    def test_broken_hex_in_any_place(self, shape: str) -> None:
        check, document = validator(shape), cut_lists(example(shape))
        tried = 0
        for place in kinds_of_places(document).values():
            text = at(document, place)
            if isinstance(text, str) and re.fullmatch("([0-9a-f]{2}){4,}", text):
                for wrong in (text[:-1], text[:-1] + "g", text[:-1] + "A", text + "\n"):
                    assert not check.is_valid(put(document, place, wrong)), (place, wrong)
                tried += 1
        assert tried >= 1


BROKEN_ENVELOPES = {
    "both forms": {"binary": "c15e525301" + "00" * 20 + "01" + "00" * 40},
    "mode": {"mode": "x"},
    "another version": {"text": "rs2." + "a" * 32 + "." + "A" * 55},
    "reserved context name": {"context": [["rs_x", ""]]},
    "three members in a pair": {"context": [["row", "31", "31"]]},
    "seventeen pairs": {"context": [[f"k{number}", ""] for number in range(17)]},
    "4097 bytes": {"context": [["row", "78" * 4097]]},
}


@pytest.mark.parametrize("change", BROKEN_ENVELOPES.values(), ids=BROKEN_ENVELOPES)
def test_broken_frozen_envelope(change: dict[str, Any]) -> None:
    document = frozen_example()
    document["envelopes"][0].update(change)
    assert not validator("frozen").is_valid(document)


@pytest.mark.parametrize(
    ("mode", "nonce"), [("d", "00" * 24), ("r", ""), ("p", "00" * 23)], ids=["d", "r", "p"]
)
def test_nonce_fits_the_mode(mode: str, nonce: str) -> None:
    case = {**example("reseal")["vectors"][0], "mode": mode, "nonce": nonce}
    assert not validator("reseal").is_valid({"format": "RS1 vectors", "vectors": [case]})


# Rules of section 9 that a schema cannot say: they compare one member with another, or are about
# how the text is written.
BEYOND_THE_SCHEMA = {
    "k-dup-member",
    "k-exponent",
    "k-lease-float",
    "k-mac-missing",
    "k-primary-lies",
    "k-primary-missing",
    "k-wrap-missing",
}
NO_JSON = {"k-bom", "k-cut", "k-deep"}


@pytest.mark.parametrize(
    "case", example("reseal")["keyset"]["negative"], ids=lambda case: str(case["id"])
)
def test_keyset_documents(case: dict[str, Any]) -> None:
    """The schema refuses the documents that readers refuse before they look at a key."""
    if case["id"] in NO_JSON:
        with pytest.raises((ValueError, RecursionError)):
            json.loads(case["text"])
        return
    keyset = {**example("reseal")["keyset"], "file": json.loads(case["text"])}
    refused = not validator("reseal").is_valid({"format": "RS1 vectors", "keyset": keyset})
    by_shape = case["expect"] in ("KeysetMalformed", "UnsupportedVersion")
    assert refused == (by_shape and case["id"] not in BEYOND_THE_SCHEMA)
