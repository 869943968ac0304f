"""Values through all pairs of codecs: plain, A, B and plain again, by `Column.reseal` alone.

conversions.py move FILE      brings every value from each codec to each other one, as JSON lines
conversions.py back IN FILE   opens what another language moved, and brings it back
conversions.py check FILE     opens what another language brought back, and makes it plain again

The same program stands in `js-tests/conversions.mjs`. Both read `testkit/fixtures/conversions.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import reseal
from reseal import codecs

FILE = Path(__file__).parents[1] / "testkit" / "fixtures" / "conversions.json"
#: A name of it is what `metabase_aad` binds.
CONTEXT = {"table": "settings", "column": "value", "key": "site-url"}
#: The codecs that authenticate nothing, of one format, by the one that takes any text for its plaintext.
BARE = {
    "n8n_text": {"n8n", "n8n_text", "n8n_custom"},
    "sqlalchemy_text": {
        "sqlalchemy",
        "sqlalchemy_text",
        "sqlalchemy_pkcs5",
        "sqlalchemy_oneandzeroes",
        "sqlalchemy_zeroes",
    },
}

Json = dict[str, Any]
Form = Literal["text", "binary"]
FORMS: tuple[Form, ...] = ("text", "binary")


def codec_of(name: str, spec: Json) -> codecs.Codec:
    options = dict(spec["options"])
    if spec["kind"] == "reseal":
        return codecs.reseal(reseal.Keyring(primary=options["key"]), name=name)
    if "data_keys" in options:
        rows = options["data_keys"].items()
        options["data_keys"] = {int(row): bytes.fromhex(key) for row, key in rows}
    maker: Any = getattr(codecs, spec["kind"].replace("-", "_"))
    made: codecs.Codec = maker(**options, name=name)
    return made


class Pair(NamedTuple):
    form: Form
    source: str
    target: str


class Cases:
    """The codecs and the values of the fixture, and columns of them."""

    def __init__(self, document: Json) -> None:
        self.specs: Json = document["codecs"]
        self.values: list[str | bytes] = [
            value["text"] if "text" in value else bytes.fromhex(value["hex"])
            for value in document["values"]
        ]
        self.refused: Json = document.get("refused", {})
        self.codecs = {name: codec_of(name, spec) for name, spec in self.specs.items()}
        self._columns: dict[tuple[Any, ...], reseal.Column] = {}
        self._entered: dict[tuple[Form, str | bytes, str], Any] = {}

    def names(self, form: Form) -> list[str]:
        return [
            name for name, spec in self.specs.items() if form == "binary" or not spec.get("binary")
        ]

    def pairs(self) -> Iterator[Pair]:
        """All ordered pairs, but of two codecs that may take a value for one of their own."""
        for form in FORMS:
            for source in self.names(form):
                for target in self.names(form):
                    if source != target and not self._ambiguous(source, target):
                        yield Pair(form, source, target)

    def _ambiguous(self, *names: str) -> bool:
        """AES-CBC authenticates nothing: once in some ten thousand times, what a wrong key of n8n or of
        SQLAlchemy-Utils gives is text. It never is JSON."""
        return any(bare.issuperset(names) and text in names for text, bare in BARE.items())

    def column(
        self, form: Form, value: str | bytes, write: str, read: Iterable[str] = ()
    ) -> reseal.Column:
        """A column for values of the type of this one."""
        kind: Any = "text" if isinstance(value, str) else "bytes"
        known = (form, kind, write, *read)
        if known not in self._columns:
            self._columns[known] = reseal.Column(
                write=self.codecs[write],
                read=[self.codecs[name] for name in read],
                context=CONTEXT,
                mode=self.specs[write].get("mode", "random"),
                type=kind,
                binary=form == "binary",
            )
        return self._columns[known]

    def enter(self, form: Form, value: str | bytes, name: str) -> Any:
        """A value in its first codec: resealed from plain text, or sealed where none can hold it."""
        if form == "text" and isinstance(value, bytes):
            return _sealed(self.column(form, value, name), value)
        plain: Any = _bytes(value) if form == "binary" else value
        if name == "plain":
            return plain
        return _moved(self.column(form, value, name, ["plain"]).reseal(plain, row=1))

    def move(self, pair: Pair, value: str | bytes, stored: Any) -> Any:
        column = self.column(pair.form, value, pair.target, [pair.source])
        return _moved(column.reseal(stored, row=1))

    def leave(self, form: Form, value: str | bytes, name: str, stored: Any) -> Any:
        """The value as plain text."""
        if name == "plain":
            return stored
        return _moved(self.column(form, value, "plain", [name]).reseal(stored, row=1))

    def opens(self, form: Form, value: str | bytes, name: str, stored: Any) -> bool:
        """Whether a stored value of a codec opens to this one."""
        try:
            found = self.column(form, value, name).open(stored, row=1)
        except reseal.ResealError:
            return False
        return found is not None and found.value == value

    def shows(self, value: str | bytes) -> bool:
        """Whether some codec may take it for its own."""
        alone = (self.column("text", value, name) for name in self.codecs if name != "plain")
        return any(column.classify(value).codec is not None for column in alone)

    def entered(self, form: Form, value: str | bytes, name: str) -> Any:
        """A value in its first codec, which opens to it again; or what becomes of it instead. All pairs of
        this codec go on from there."""
        known = (form, value, name)
        if known not in self._entered:
            self._entered[known] = self._entered_anew(form, value, name)
        return self._entered[known]

    def _entered_anew(self, form: Form, value: str | bytes, name: str) -> Any:
        stored = self.enter(form, value, name)
        if name == "plain" or isinstance(stored, Refusal):
            return stored
        if self.opens(form, value, name, stored):
            return stored
        return Refusal(ANOTHER)

    def through(self, pair: Pair, value: str | bytes) -> Any:
        """A value in its second codec; or what becomes of it instead, after the step's name."""
        first = self.entered(pair.form, value, pair.source)
        if isinstance(first, Refusal):
            return Refusal(f"enter {first.code}")
        second = self.move(pair, value, first)
        if isinstance(second, Refusal):
            return Refusal(f"move {second.code}")
        if not self.opens(pair.form, value, pair.target, second):
            return Refusal(f"move {ANOTHER}")
        return second

    def nests(self, way: Pair, value: str | bytes) -> bool:
        """Whether it would become an envelope of what looks like one, outside of which it stood."""
        into = self.specs[way.target]["kind"] == "reseal" != self.specs[way.source]["kind"]
        return into and any(kind == "reseal" for kind, _ in codecs.recognize(value))

    def nested(self, pair: Pair, value: str | bytes) -> Refusal | None:
        """How such a value does not come back."""
        way = Pair(pair.form, pair.target, pair.source)
        return Refusal("double-encrypted") if self.nests(way, value) else None

    def outcome(self, pair: Pair, value: str | bytes) -> str:
        """What becomes of a value on the whole way: "ok", or the step and the code of a refusal."""
        second = self.through(pair, value)
        if isinstance(second, Refusal):
            return second.code
        last = self.leave(pair.form, value, pair.target, second)
        if isinstance(last, Refusal):
            return f"leave {last.code}"
        return "ok" if _bytes(last) == _bytes(value) else f"leave {ANOTHER}"


class Refusal(NamedTuple):
    """Why there is no value in another codec: a code, or one of the words below."""

    code: str


#: It starts like a value of the codec, which believes it: `enc:plaintext:` of Sentry is never proven.
ANOTHER = "another-value"
#: It already is what the codec writes.
CURRENT = "current"


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _moved(outcome: Any) -> Any:
    if isinstance(outcome, reseal.Resealed):
        return outcome.value
    return Refusal(outcome.code if isinstance(outcome, reseal.Refused) else CURRENT)


def _sealed(column: reseal.Column, value: str | bytes) -> Any:
    try:
        return column.seal(value, row=1)
    except reseal.ResealError as error:
        return Refusal(error.code)


@cache
def cases() -> Cases:
    return Cases(json.loads(FILE.read_text(encoding="utf-8")))


def lines_of(document: Json) -> str:
    """A document as JSON, a line for each member of a member."""

    def dump(value: Any) -> str:
        if isinstance(value, dict):
            items = [f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in value.items()]
            return "{\n" + ",\n".join(items) + "\n }"
        if isinstance(value, list):
            return "[\n" + ",\n".join(f"  {json.dumps(one)}" for one in value) + "\n ]"
        return json.dumps(value)

    members = [f" {json.dumps(name)}: {dump(value)}" for name, value in document.items()]
    return "{\n" + ",\n".join(members) + "\n}"


# --- what is refused --------------------------------------------------------------------------


def refusals(of: Cases) -> Json:
    """By value, form and outcome: which codec refuses, the first one or the second, and in how many
    pairs. `back` and `check` below compare pair by pair."""
    found: Json = {}
    for at, value in enumerate(of.values):
        for pair in of.pairs():
            outcome = of.outcome(pair, value)
            if outcome != "ok":
                known = pair.source if outcome.startswith("enter") else pair.target
                outcomes = found.setdefault(str(at), {}).setdefault(pair.form, {})
                counts = outcomes.setdefault(outcome, {})
                counts[known] = counts.get(known, 0) + 1
    return found


# --- between two languages --------------------------------------------------------------------


def spelled(stored: Any) -> Any:
    """What stands in a file: text, bytes in hexadecimal, or the code of a refusal."""
    if isinstance(stored, Refusal):
        return {"refused": stored.code}
    return stored if isinstance(stored, str) else {"hex": stored.hex()}


def read(item: Any) -> Any:
    if isinstance(item, str):
        return item
    return bytes.fromhex(item["hex"]) if "hex" in item else Refusal(item["refused"])


def moved_lines() -> Iterator[Json]:
    """Each value as A's, made B's: a line for each pair."""
    for pair in cases().pairs():
        items = [spelled(cases().through(pair, value)) for value in cases().values]
        yield {**pair._asdict(), "items": items}


class Count:
    """How many values were as they have to be."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def note(self, good: bool) -> None:
        self.passed, self.failed = self.passed + good, self.failed + (not good)

    def show(self, what: str) -> int:
        print(
            f"python {what} run={self.passed + self.failed} passed={self.passed} failed={self.failed}"
        )
        return 0 if self.passed and not self.failed else 1


def pairs_of(file: str) -> Iterator[tuple[Pair, list[Any]]]:
    """The lines of a file, which has every pair in the order of the fixture."""
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    for pair, line in zip(cases().pairs(), map(json.loads, lines), strict=True):
        assert pair == Pair(line["form"], line["source"], line["target"])
        assert len(line["items"]) == len(cases().values)
        yield pair, [read(item) for item in line["items"]]


def back(source: str, file: str) -> int:
    """Opens what came from A to B, and reseals it to A. A refusal has to be that of this language."""
    of, count = cases(), Count()
    with Path(file).open("w", encoding="utf-8") as out:
        for pair, items in pairs_of(source):
            way = Pair(pair.form, pair.target, pair.source)
            turned = []
            for value, item in zip(of.values, items, strict=True):
                if isinstance(item, Refusal):
                    count.note(of.through(pair, value) == item)
                    turned.append(item)
                    continue
                turned.append(of.move(way, value, item))
                good = of.opens(pair.form, value, pair.target, item)
                count.note(good and isinstance(turned[-1], Refusal) == of.nests(way, value))
            line = {**pair._asdict(), "items": [spelled(item) for item in turned]}
            out.write(json.dumps(line) + "\n")
    return count.show(source)


def check(file: str) -> int:
    """Opens what is A's again, and makes it plain text."""
    of, count = cases(), Count()
    for pair, items in pairs_of(file):
        for value, item in zip(of.values, items, strict=True):
            if isinstance(item, Refusal):
                count.note(of.through(pair, value) == item or item == of.nested(pair, value))
                continue
            good = of.opens(pair.form, value, pair.source, item)
            plain = of.leave(pair.form, value, pair.source, item)
            own = of.leave(pair.form, value, pair.source, of.enter(pair.form, value, pair.source))
            count.note(good and plain == own)
    return count.show(file)


def main(arguments: list[str]) -> int:
    match arguments:
        case ["move", file]:
            lines = "".join(json.dumps(line) + "\n" for line in moved_lines())
            Path(file).write_text(lines, encoding="utf-8")
            return 0
        case ["back", source, file]:
            return back(source, file)
        case ["check", file]:
            return check(file)
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
