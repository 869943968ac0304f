"""Runs vector files through the installed package: `run.py FILE…`, one line per file, exit 1 on a
failure.

What the package has no door for (fixed nonces, bare primitives) goes through the test library that
`cargo xtask testkit` builds.
"""

from __future__ import annotations

import asyncio
import base64
import ctypes
import functools
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import reseal

try:
    from vectors import manifests, systems
except ImportError:  # Run by its path.
    import manifests  # type: ignore[import-not-found, no-redef]
    import systems  # type: ignore[import-not-found, no-redef]

ROOT = Path(__file__).resolve().parents[2]
MODES: dict[str, Any] = {"r": "random", "d": "deterministic", "p": "padded"}
QUICK_ITERATIONS = 10_000

Case = dict[str, Any]
MismatchError, same = systems.MismatchError, systems.same
Context = Mapping[str, bytes]


@dataclass
class Report:
    """What came of one file."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    left_out: list[tuple[int, str]] = field(default_factory=list)

    @property
    def run(self) -> int:
        return self.passed + len(self.failed)

    def case(
        self, name: object, check: Callable[[Case], None], case: Case, group: str = ""
    ) -> None:
        """Runs one case; a case of a group has none but the members of its group."""
        try:
            if group:
                known(case, MEMBERS[group], "the case")
            check(case)
        except Exception as error:
            self.failed.append(f"{name}: {error!r}"[:500])
        else:
            self.passed += 1

    def leave_out(self, count: int, reason: str) -> None:
        if count:
            self.left_out.append((count, reason))


class Pairs(Mapping[str, bytes]):
    """A mapping with the pairs of a file as they are, even if a name is there twice."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = [(name, bytes.fromhex(value)) for name, value in pairs]

    def __getitem__(self, name: str) -> bytes:
        return dict(self.pairs)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self.pairs))

    def __len__(self) -> int:
        return len(self.pairs)

    def items(self) -> Any:
        return self.pairs


# --- the test library -------------------------------------------------------------------------


@functools.cache
def library() -> ctypes.CDLL:
    names = {"win32": "reseal_testkit.dll", "darwin": "libreseal_testkit.dylib"}
    name = names.get(sys.platform, "libreseal_testkit.so")
    path = Path(os.environ.get("RESEAL_TESTKIT", ROOT / "target/testkit")) / name
    if not path.exists():
        raise FileNotFoundError(f"{path}: build it with `cargo xtask testkit`")
    kit = ctypes.CDLL(str(path))
    kit.reseal_testkit_call.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    kit.reseal_testkit_call.restype = ctypes.c_void_p
    return kit


def testkit(op: str, **arguments: Any) -> dict[str, Any]:
    """The answer to one request; an `error` in it is a code."""
    values = {k: v.hex() if isinstance(v, bytes) else v for k, v in arguments.items()}
    request = json.dumps({"op": op, **values}).encode()
    answer = library().reseal_testkit_call(request, len(request))
    length = int.from_bytes(ctypes.string_at(answer, 4), "little")
    document: dict[str, Any] = json.loads(ctypes.string_at(answer + 4, length))
    if "refused" in document:
        raise RuntimeError(f"testkit: {document['refused']}")
    return document


# What a case of each group may have; `spec/vectors/schema/` says the same.
MEMBERS = {
    "valid": {"id", "text", "use", "secret", "kid"},
    "invalid": {"id", "text", "expect"},
    "vectors": {
        "id",
        "key",
        "mode",
        "nonce",
        "context",
        "plaintext",
        "aad",
        "binary",
        "text",
        "note",
    },
    "negative": {"id", "expect", "context", "binary", "text", "note"},
    "hedged": {
        *("id", "key", "mode", "salt", "random", "context", "plaintext", "nonce", "text", "note"),
    },
    "blind_index": {
        *("id", "key", "context", "index", "normalizer", "bits", "value", "raw", "text", "note"),
    },
    "keyset": {"id", "expect", "kek", "text", "args"},
    "wraps": {"id", "kek", "key", "ring", "created", "random", "nonce", "wrap", "note"},
    "index_terms": {"context", "index", "normalizer", "bits", "value", "text"},
    "envelopes": {"id", "mode", "key", "context", "plaintext", "text", "binary"},
}


# --- checks -----------------------------------------------------------------------------------


def refused(expected: str, step: Callable[[], object]) -> None:
    """The step raises the code of an error kind: `AuthFailed` is `auth-failed`."""
    code = re.sub("(?<!^)(?=[A-Z])", "-", expected).lower()
    try:
        step()
    except reseal.ResealError as error:
        same("code", error.code, code)
    else:
        raise MismatchError(f"passed, expected {code}")


def context_of(case: Case) -> Pairs:
    return Pairs(case["context"])


def known(document: Case, names: set[str], what: str) -> None:
    if unknown := set(document) - names:
        raise LookupError(f"{what} has members that this runner does not know: {sorted(unknown)}")


def ring_of(keys: dict[str, tuple[reseal.Key, str]]) -> reseal.Keyring:
    """The ring of the keys of a file, by their states."""
    states: dict[str, list[Any]] = {}
    for key, state in keys.values():
        if key.use != "kek":
            name = "index" if (key.use, state) == ("index", "primary") else state
            states.setdefault(name, []).append(key.id if state == "destroyed" else key)
    for name in ("primary", "index"):
        if name in states:
            (states[name],) = states[name]
    return reseal.Keyring(**states)  # type: ignore[arg-type]


# --- the shape "RS1 vectors" ------------------------------------------------------------------


class Reseal:
    GROUPS = ("vectors", "negative", "hedged", "blind_index")

    def __init__(self, document: Case) -> None:
        known(
            document,
            {"format", "seed", "producer", "keys", "derived", "key_text", "keyset", *self.GROUPS},
            "the file",
        )
        known(document.get("key_text", {}), {"valid", "invalid"}, "key_text")
        self.document = document
        self.keys: dict[str, tuple[reseal.Key, str]] = {}
        for name, entry in document.get("keys", {}).items():
            key = reseal.Key.from_bytes(entry["use"], bytes.fromhex(entry["secret"]))
            same(f"the id of key {name}", key.id, entry["kid"])
            self.keys[name] = (key, entry["state"])
        self.ring = ring_of(self.keys)

    def run(self) -> Report:
        report = Report()
        for name, labels in self.document.get("derived", {}).items():
            for label, expected in labels.items():
                derived = testkit("derive", key_text=self.key(name).export(), label=label)
                same(f"{label} of key {name}", derived["out"], expected)
        texts = self.document.get("key_text", {})
        for case in texts.get("valid", []):
            report.case(case["id"], self.valid_text, case, "valid")
        for case in texts.get("invalid", []):
            report.case(case["id"], self.invalid_text, case, "invalid")
        for group in self.GROUPS:
            for number, case in enumerate(self.document.get(group, [])):
                name = case.get("id", f"{group}[{number}]")
                report.case(name, getattr(self, group), case, group)
        if (keyset := self.document.get("keyset")) is not None:
            Keysets(keyset, {name: key for name, (key, _) in self.keys.items()}).run(report)
        return report

    def key(self, name: str) -> reseal.Key:
        return self.keys[name][0]

    def valid_text(self, case: Case) -> None:
        key = reseal.Key.parse(case["text"])
        same("use and id", (key.use, key.id), (case["use"], case["kid"]))
        same("exported text", key.export(), case["text"])
        from_bytes = reseal.Key.from_bytes(key.use, bytes.fromhex(case["secret"]))
        same("text of the bytes", from_bytes.export(), case["text"])

    def invalid_text(self, case: Case) -> None:
        refused(case["expect"], lambda: reseal.Key.parse(case["text"]))

    def vectors(self, case: Case) -> None:
        key, mode, context = self.key(case["key"]), MODES[case["mode"]], context_of(case)
        plaintext, binary = bytes.fromhex(case["plaintext"]), bytes.fromhex(case["binary"])
        text = case["text"]
        fixed = testkit(
            "seal_fixed",
            key_text=key.export(),
            mode=mode,
            context=case["context"],
            plaintext=plaintext,
            random=case["nonce"],
        )
        same("sealed", (fixed.get("text"), fixed.get("binary")), (text, case["binary"]))
        own = reseal.Keyring(primary=key)
        if mode == "deterministic":
            same("sealed text", own.seal(plaintext, context, mode), text)
            same("sealed binary", own.seal_binary(plaintext, context, mode), binary)
            same("lookup", own.lookup_values(plaintext, context), [text])
            same("batch", own.seal_many([plaintext], context, mode), [text])
        same("text of binary", reseal.to_text(binary), text)
        same("binary of text", reseal.to_binary(text), binary)
        shown = reseal.inspect(text)
        same("inspection", reseal.inspect(binary), shown)
        same("mode and key id", (shown.mode, shown.key_id), (mode, key.id))
        same("current", own.is_current(text, mode), True)
        same("current binary", own.is_current_binary(binary, mode), True)
        same("current here", self.ring.is_current(text, mode), self.ring.primary_id == key.id)
        opens_as(self.ring, plaintext, (text, binary), context)
        if self.ring.primary_id is not None:
            resealed = self.ring.reseal(text, context, mode)
            same("resealed is current", self.ring.is_current(resealed, mode), True)
            same("resealed plaintext", self.ring.open(resealed, context), plaintext)

    def negative(self, case: Case) -> None:
        context = context_of(case)
        if "text" in case:
            refused(case["expect"], lambda: self.ring.open(case["text"], context))
            refused(case["expect"], lambda: self.ring.open_str(case["text"], context))
            (item,) = self.ring.open_many([case["text"]], [context])
        else:
            binary = bytes.fromhex(case["binary"])
            refused(case["expect"], lambda: self.ring.open_binary(binary, context))
            (item,) = self.ring.open_many_binary([binary], [context])
        refused(case["expect"], lambda: raise_item(item))

    def hedged(self, case: Case) -> None:
        plaintext, context = bytes.fromhex(case["plaintext"]), context_of(case)
        batch = {"salt": case["salt"]} if "salt" in case else {}
        fixed = testkit(
            "seal_fixed",
            key_text=self.key(case["key"]).export(),
            mode=MODES[case["mode"]],
            context=case["context"],
            plaintext=plaintext,
            random=case["random"],
            indirect=True,
            **batch,
        )
        same("text", fixed.get("text"), case["text"])
        binary = reseal.to_binary(case["text"])
        same("nonce", binary[26:50].hex(), case["nonce"])
        opens_as(self.ring, plaintext, (case["text"], binary), context)

    def blind_index(self, case: Case) -> None:
        how = {name: case[name] for name in ("index", "normalizer", "bits")}
        value, context = bytes.fromhex(case["value"]), context_of(case)
        own = reseal.Keyring(index=self.key(case["key"]))
        same("term", own.index_term(value, context, **how), case["text"])
        terms = self.ring.index_terms(value, context, **how)
        same("among the ring's terms", case["text"] in terms, True)
        if "raw" in case:
            tag = case["text"].rpartition(".")[2].upper()
            same("raw", base64.b32decode(tag + "=" * (-len(tag) % 8)).hex(), case["raw"])


class Keysets:
    """The group `keyset`: one document under each of its three keys, what is refused, and wraps."""

    def __init__(self, group: Case, keys: dict[str, reseal.Key]) -> None:
        keks = {"kek1", "kek1_text", "passphrase", "kek2", "kek3"}
        known(group, {*keks, "canon_sha256", "file", "negative", "hedged"}, "keyset")
        self.group = group
        self.file: Case = group["file"]
        self.text = json.dumps(self.file)
        self.keys = keys
        self.secrets = {key.id: key.export() for key in keys.values()}

    def run(self, report: Report) -> None:
        group = self.group
        openers: dict[str, Callable[[], reseal.Keyset]] = {
            "kek1": lambda: reseal.Keyset.load(self.text, kek=group["kek1_text"]),
            "kek2": lambda: reseal.Keyset.load(self.text, passphrase=group["passphrase"]),
            "kek3": lambda: asyncio.run(
                reseal.Keyset.load_async(self.text, providers=[Service(self.file, group["kek3"])])
            ),
        }
        for name, opener in openers.items():
            report.case(f"keyset under {name}", self.positive, {"name": name, "open": opener})
        for case in group["negative"]:
            report.case(case["id"], self.negative, case, "keyset")
        for case in group.get("hedged", []):
            report.case(case["id"], self.hedged, case, "wraps")

    def kek(self, name: str) -> reseal.Key:
        """A key of the group; another name is that of a key which the document does not list."""
        return reseal.Key.from_bytes("kek", bytes.fromhex(self.group.get(name, "00" * 32)))

    def positive(self, case: Case) -> None:
        keyset, primary = case["open"](), self.file["primary"]
        held = [kek.id for kek in keyset.keks() if kek.held]
        same("the KEK", held, [self.kek(case["name"]).id])
        for shown in (keyset, reseal.inspect_keyset(self.text)):
            head = (shown.ring_id, shown.generation, shown.issued, shown.lease_seconds)
            file = self.file
            expected = (file["ring"], file["generation"], file["issued"], file["lease_seconds"])
            same("the head", head, expected)
            same("the KEKs", [kek.id for kek in shown.keks()], [kek["id"] for kek in file["keks"]])
            same("the primary", shown.primary_id, primary.get("data"))
            same("the index primary", shown.index_primary_id, primary.get("index"))
            found = shown.keys()
            keys = [(k.id, k.use, k.state, k.created, k.changed, k.label) for k in found]
            names = ("kid", "use", "state", "created", "changed", "label")
            same("the keys", keys, [tuple(key[n] for n in names) for key in file["keys"]])
        with_material = [k["kid"] for k in self.file["keys"] if k["state"] != "destroyed"]
        same("the secrets", keyset.export_keys(), {kid: self.secrets[kid] for kid in with_material})
        in_ring = keyset.keyring().keys()
        ring = {key.id: (key.state, key.label) for key in in_ring}
        listed = {key["kid"]: (key["state"], key["label"]) for key in self.file["keys"]}
        same("the ring", ring, listed)

    def negative(self, case: Case) -> None:
        arguments = dict(case["args"])
        known(arguments, {"expect_ring", "min_generation"}, "args")
        expect = {"ring" if name == "expect_ring" else name: arguments[name] for name in arguments}
        kek = self.kek(case["kek"])
        refused(case["expect"], lambda: reseal.Keyset.load(case["text"], kek=kek, **expect))

    def hedged(self, case: Case) -> None:
        """The package takes no random bytes from anybody: the test library wraps."""
        wrap = testkit(
            "wrap_hedged",
            kek_text=self.kek(case["kek"]).export(),
            key_text=self.keys[case["key"]].export(),
            **{name: case[name] for name in ("ring", "created", "random")},
        )
        same("the wrap", wrap.get("out"), case["wrap"])
        nonce = base64.urlsafe_b64decode(case["wrap"])[:24]
        same("the nonce", nonce.hex(), case["nonce"])


class Service:
    """The key service of the document, which gives the bytes of a key."""

    def __init__(self, file: Case, secret: str) -> None:
        (self.source,) = [
            kek["source"] for kek in file["keks"] if (kek["source"] or {}).get("name") == "external"
        ]
        self.name: str = self.source["provider"]
        self.secret = secret

    async def unwrap(self, reference: str, blob: bytes, /) -> bytes:
        same("the reference", reference, self.source["ref"])
        text = base64.urlsafe_b64encode(blob).decode().rstrip("=")
        same("the blob", text, self.source["blob"])
        return bytes.fromhex(self.secret)

    async def wrap(self, reference: str, content: bytes, /) -> bytes:
        raise NotImplementedError


def opens_as(
    ring: reseal.Keyring, plaintext: bytes, stored: tuple[str, bytes], context: Context
) -> None:
    """Every way to open gives the plaintext."""
    text, binary = stored
    same("open", ring.open(text, context), plaintext)
    same("open_binary", ring.open_binary(binary, context), plaintext)
    same("open_many", ring.open_many([text, text], context), [plaintext] * 2)
    same("open_many_binary", ring.open_many_binary([binary], [context]), [plaintext])
    same("field.open", ring.field(context).open(text), plaintext)
    try:
        as_text = plaintext.decode()
    except UnicodeDecodeError:
        refused("InvalidText", lambda: ring.open_str(text, context))
    else:
        same("open_str", ring.open_str(text, context), as_text)


def raise_item(item: object) -> None:
    if isinstance(item, Exception):
        raise item


# --- the other shapes -------------------------------------------------------------------------


def run_reseal(document: Case) -> Report:
    return Reseal(document).run()


def run_frozen(document: Case) -> Report:
    members = {"format", "release", "language", "keys", "index_terms", "envelopes"}
    known(document, members, "the file")
    entries = document["keys"].items()
    keys = {name: (reseal.Key.parse(entry["text"]), entry["state"]) for name, entry in entries}
    ring = ring_of(keys)

    def term(case: Case) -> None:
        how = {name: case[name] for name in ("index", "normalizer", "bits")}
        terms = ring.index_terms(bytes.fromhex(case["value"]), context_of(case), **how)
        same("among the terms", case["text"] in terms, True)

    def envelope(case: Case) -> None:
        (key, state), context = keys[case["key"]], context_of(case)
        binary = reseal.to_binary(case["text"]) if "text" in case else bytes.fromhex(case["binary"])
        text = reseal.to_text(binary)
        same("text", text, case.get("text", text))
        shown = reseal.inspect(text)
        same("mode and key id", (shown.mode, shown.key_id), (MODES[case["mode"]], key.id))
        if state == "disabled":
            refused("KeyDisabled", lambda: ring.open(text, context))
        else:
            opens_as(ring, bytes.fromhex(case["plaintext"]), (text, binary), context)

    report = Report()
    for number, case in enumerate(document.get("index_terms", [])):
        report.case(f"index_terms[{number}]", term, case, "index_terms")
    for case in document["envelopes"]:
        report.case(case["id"], envelope, case, "envelopes")
    return report


def run_xaes(document: Case) -> Report:
    notes = {"algorithm", "spec", "licence_note", "encoding", "verified"}
    known(document, {*notes, "vectors", "accumulated"}, "the file")

    def vector(case: Case) -> None:
        inputs = {name: case[name] for name in ("key", "nonce", "aad")}
        sealed = testkit("xaes_seal", message=case["plaintext"], **inputs)
        same("ciphertext", sealed.get("out"), case["ciphertext_with_tag"])
        same("K1", sealed.get("k1"), case.get("K1", sealed.get("k1")))
        opened = testkit("xaes_open", sealed=case["ciphertext_with_tag"], **inputs)
        same("plaintext", opened.get("out"), case["plaintext"])

    def accumulated(case: Case) -> None:
        answer = testkit("xaes_accumulated", iterations=case["iterations"])
        same("hash", answer.get("out"), case["hash"])

    report = Report()
    for case in document["vectors"]:
        report.case(case["source"], vector, case)
    for name, expected in document.get("accumulated", {}).items():
        if not (match := re.fullmatch("iterations_([0-9]+)", name)):
            continue
        iterations = int(match[1])
        if iterations > QUICK_ITERATIONS and "RESEAL_ASSURE" not in os.environ:
            report.leave_out(1, "the long accumulated hash runs in make assure")
        else:
            report.case(name, accumulated, {"iterations": iterations, "hash": expected})
    return report


def wycheproof(applies: Callable[[Case], bool], check: Callable[[Case], None]) -> Any:
    def run(document: Case) -> Report:
        report, others = Report(), 0
        for group in document["testGroups"]:
            if not applies(group):
                others += len(group["tests"])
                continue
            for case in group["tests"]:
                report.case(case["tcId"], check, case)
        report.leave_out(others, "sizes that the envelope does not use")
        return report

    return run


def valid(case: Case) -> bool:
    return {"valid": True, "invalid": False}[case["result"]]


def check_aead(case: Case) -> None:
    inputs = {name: case[name] for name in ("key", "iv", "aad")}
    opened = testkit("aes_gcm_open", sealed=case["ct"] + case["tag"], **inputs)
    if valid(case):
        same("plaintext", opened.get("out"), case["msg"])
        sealed = testkit("aes_gcm_seal", message=case["msg"], **inputs)
        same("ciphertext", sealed.get("out"), case["ct"] + case["tag"])
    else:
        same("code", opened.get("error"), "auth-failed")


def check_hkdf(case: Case) -> None:
    inputs = {name: case[name] for name in ("ikm", "salt", "info", "size")}
    answer = testkit("hkdf", **inputs)
    same("okm", answer.get("out") == case["okm"], valid(case))


def check_mac(case: Case) -> None:
    answer = testkit("hmac", key=case["key"], message=case["msg"])
    same("tag", answer["out"] == case["tag"], valid(case))


def of_a_system(check: Callable[[Case], None], list_name: str = "vectors") -> Any:
    """A file of another system: each case says by its members what is to come of it."""

    def run(document: Case) -> Report:
        report = Report()
        for case in document[list_name]:
            report.case(case["id"], check, case)
        return report

    return run


SIZES = {"keySize": 256, "ivSize": 96, "tagSize": 128}

# The member that tells a shape, its value, and what runs it.
SHAPES: dict[tuple[str, str, str], Callable[[Case], Report]] = {
    ("format", "RS1 vectors", ""): run_reseal,
    ("format", "RS1 frozen", ""): run_frozen,
    ("algorithm", "XAES-256-GCM", ""): run_xaes,
    ("algorithm", "AES-GCM", "aead_test_schema_v1.json"): wycheproof(
        lambda group: all(group.get(name) == size for name, size in SIZES.items()), check_aead
    ),
    ("algorithm", "HKDF-SHA-256", "hkdf_test_schema_v1.json"): wycheproof(
        lambda group: True, check_hkdf
    ),
    ("algorithm", "HMACSHA256", "mac_test_schema_v1.json"): wycheproof(
        lambda group: group.get("tagSize") == 256, check_mac
    ),
    ("values", "v1", ""): of_a_system(systems.typed, "cases"),
    ("format", "reseal-manifest-v1", ""): of_a_system(manifests.check, "cases"),
    **{("system", name, ""): of_a_system(check) for name, check in systems.SYSTEMS.items()},
}


def run_document(document: Any) -> Report:
    if isinstance(document, dict):
        for (member, value, schema), run in SHAPES.items():
            if document.get(member) == value and document.get("schema", "") == schema:
                return run(document)
    raise LookupError("no runner knows the shape of this file")


def main(files: list[str]) -> int:
    good = True
    for file in files:
        try:
            report = run_document(json.loads(Path(file).read_text(encoding="utf-8")))
        except Exception as error:
            print(f"python {file} run=0 passed=0 failed=1\n  {error!r}", flush=True)
            good = False
            continue
        failed = len(report.failed)
        line = f"python {file} run={report.run} passed={report.passed} failed={failed}"
        for count, reason in report.left_out:
            line += f" left_out={count} ({reason})"
        print("\n  ".join([line, *report.failed]), flush=True)
        good = good and not failed
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
