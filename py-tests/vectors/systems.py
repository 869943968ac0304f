"""The vectors of other systems, and of typed values: what they wrote is read by the codecs, and what
the codecs write opens again. The Rust runner compares what is written byte for byte, since that takes
fixed random bytes.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable
from typing import Any

import reseal
from reseal import codecs

Case = dict[str, Any]
Check = Callable[[Case], None]

# What a value may be refused with, where a case does not say it.
REFUSALS = {
    *("auth-failed", "format-mismatch", "format-unsupported", "invalid-key", "malformed"),
    *("unknown-key", "too-large"),
}


class MismatchError(Exception):
    """A case did not give what its file expects."""


def same(what: str, got: object, expected: object) -> None:
    if got != expected:
        raise MismatchError(f"{what}: got {got!r:.200}, expected {expected!r:.200}")


def code_of(step: Callable[[], object]) -> str:
    try:
        step()
    except reseal.ResealError as error:
        return error.code
    raise MismatchError("passed, expected a refusal")


def refused(step: Callable[[], object], *expected: str) -> None:
    code = code_of(step)
    if code not in (expected or REFUSALS):
        raise MismatchError(f"code: got {code}, expected {' or '.join(expected) or 'a refusal'}")


def shown(kind: str, stored: str | bytes) -> codecs.Recognized | None:
    """What a kind sees in a value, without any key."""
    return dict(codecs.recognize(stored)).get(kind)  # type: ignore[call-overload, no-any-return]


def opens_again(codec: codecs.Codec, plaintext: bytes, stored: str | bytes, **context: Any) -> None:
    """What the codec writes for a plaintext, and makes of a value, opens again and is current."""
    binary = isinstance(stored, bytes)
    for written in (
        codec.seal(plaintext, context, binary=binary),
        codec.rotate(stored, context),
    ):
        same("the form", isinstance(written, bytes), binary)
        opened = codec.open(written, context)
        same("what was written", opened.plaintext, plaintext)
        same("what was written is current", opened.current, True)


def in_column(
    codec: codecs.Codec,
    plaintext: bytes,
    stored: str | bytes,
    context: dict[str, Any] | None = None,
) -> None:
    """A column opens the value alone and among others."""
    column = reseal.Column(codec, type="bytes", context=context or {})
    opened = column.open(stored)
    same("in a column", opened and opened.value, plaintext)
    many = column.open_many([stored, None, stored])
    same(
        "in a batch", [getattr(item, "value", item) for item in many], [plaintext, None, plaintext]
    )


def given(case: Case) -> bytes:
    """The plaintext of a case, as fernet and sentry give it."""
    text = case.get("plaintext")
    return base64.b64decode(case["plaintext_b64"]) if text is None else str(text).encode()


def encoded(value: Case) -> bytes:
    """Bytes with their encoding, as metabase, rails and freeboard give them."""
    content = value["value"]
    match value["encoding"]:
        case "utf8":
            return str(content).encode()
        case "base64":
            return base64.b64decode(content)
        case "json":
            return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    raise LookupError(f"unknown encoding {value['encoding']}")


# --- fernet -----------------------------------------------------------------------------------


def fernet(case: Case) -> None:
    def codec(**options: Any) -> codecs.Codec:
        return codecs.fernet(keys=case["keys"], **options)

    match case["op"]:
        case "load_key" if case["expect"] == "ok":
            codec()
        case "load_key":
            refused(codec, "invalid-key", "invalid-argument")
        case "rotate":
            before, after = codec().open(case["before"]), codec().open(case["ciphertext"])
            same("rotated", (before.plaintext, after.current), (after.plaintext, True))
            opens_again(codec(), after.plaintext, case["before"])
        case "encrypt_fixed" | "decrypt":
            read_fernet(case, codec)
        case op:
            raise LookupError(f"unknown op {op}")


def read_fernet(case: Case, codec: Callable[..., codecs.Codec]) -> None:
    stored = case["ciphertext"]
    by_age = case.get("expect_without_ttl") == "ok" or (
        "ttl" in case and "expect_without_ttl" not in case
    )
    match case["expect"]:
        # The age of a token does not count here.
        case "error" if by_age:
            codec().open(stored)
        case "ok":
            plaintext = given(case)
            opened = codec().open(stored)
            same(
                "plaintext and trust",
                (opened.plaintext, opened.trust),
                (plaintext, "authenticated"),
            )
            near = case.get("timestamp", 0) < 1 << 36
            same("recognized", getattr(shown("fernet", stored), "certainty", None) == "yes", near)
            in_column(codec(), plaintext, stored)
            opens_again(codec(), plaintext, stored)
        case "ok_lenient":
            marked = stored.startswith("gAAAAA")
            refused(lambda: codec().open(stored), "malformed" if marked else "format-mismatch")
            same("leniently", codec(lenient=True).open(stored).plaintext, given(case))
        case "error":
            refused(lambda: codec().open(stored))
            refused(lambda: codec(lenient=True).open(stored))
        case expectation:
            raise LookupError(f"unknown expectation {expectation}")


# --- sentry -----------------------------------------------------------------------------------


def sentry(case: Case) -> None:
    if case["op"] == "load_keys":
        loaded = set(case["loaded_key_ids"])
        files = case["files"]
        codecs.sentry(keys={name: files[name] for name in loaded}, primary=min(loaded))
        for name in set(files) - loaded:
            # A source skips hidden files.
            if not name.startswith("."):
                refused(
                    lambda name=name: codecs.sentry(keys={name: files[name]}, primary=name),  # type: ignore[misc]
                    "invalid-key",
                )
        return
    if case["op"] not in ("roundtrip", "rotate", "read"):
        raise LookupError(f"unknown op {case['op']}")
    read_sentry(case)
    if case["op"] != "read":
        strict = sentry_codec(case)
        plaintext = strict.open(case["ciphertext"]).plaintext
        opens_again(strict, plaintext, case["ciphertext"])
        if before := case.get("before"):
            same("the old one", strict.open(before).plaintext, plaintext)
            same("the old one is current", strict.is_current(before), False)


def sentry_codec(case: Case, **options: Any) -> codecs.Codec:
    fields: dict[str, Any] = {"json": "json", "text": "text", "char": "text"}
    # What Sentry does not know, it writes as plaintext.
    methods: dict[Any, Any] = {None: "fernet", "fernet": "fernet"}
    return codecs.sentry(
        keys=case["keyring"],
        primary=case["primary_key_id"],
        field=fields[case["field"]],
        method=methods.get(case.get("method"), "plaintext"),
        **options,
    )


def read_sentry(case: Case) -> None:
    stored, strict_class = case["ciphertext"], case["strict_class"]
    strict, lenient = sentry_codec(case), sentry_codec(case, lenient=True)
    marked = strict_class != "legacy_plaintext"
    same(
        "recognized", getattr(shown("sentry", stored), "certainty", None), "yes" if marked else None
    )

    def is_plaintext(codec: codecs.Codec) -> None:
        opened = codec.open(stored).plaintext
        if case["field"] == "json":
            same("JSON", json.loads(opened), case["plaintext_json"])
        else:
            same("plaintext", opened, given(case))

    codes: dict[str, tuple[str, ...]] = {
        "ok_noncanonical": ("malformed",),
        "bad_format": ("malformed",),
        "legacy_plaintext": ("format-mismatch",),
        "unknown_key": ("unknown-key",),
        # That nothing is there, everybody sees.
        "invalid_token": ("malformed",) if case["id"] == "empty-payload" else ("auth-failed",),
        "unsupported": ("format-unsupported",),
    }
    match strict_class:
        case "ok" | "ok_bytes":
            is_plaintext(strict)
            in_column(strict, strict.open(stored).plaintext, stored)
            return
        case "double_encrypted":
            # Sentry saved it while its key was missing; the column says so.
            is_plaintext(strict)
            found = reseal.Column(strict).open(stored)
            same("doubled", found and found.doubled, "sentry")
            return
        case "ok_noncanonical":
            is_plaintext(lenient)
        case "legacy_plaintext" if case["id"] == "json-wrapper-holding-unmarked-json":
            is_plaintext(lenient)
        case _:
            refused(lambda: lenient.open(stored), *codes[strict_class])
    refused(lambda: strict.open(stored), *codes[strict_class])


# --- rails ------------------------------------------------------------------------------------


def rails(case: Case) -> None:
    stored = as_column(encoded(case["ciphertext"]), binary=case.get("column") == "binary")
    match case["kind"]:
        case "decrypt" | "decrypt_doubled":
            read_rails(case, stored)
        case "encrypt_exact":
            codec = rails_codec(case)
            same("sealed", codec.seal(encoded(case["plaintext"])), stored)
            same("its scheme", codec.open(stored).scheme, "json-deterministic")
            read_rails(case, stored)
        case "decrypt_fail":
            # The last was cut.
            codes = ("malformed",) if case["id"] == "rails-pub-20" else ("auth-failed", "malformed")
            for lenient in (False, True):
                codec = rails_codec(case, lenient=lenient)
                refused(lambda codec=codec: codec.open(stored), *codes)  # type: ignore[misc]
        case "passthrough":
            same("recognized", shown("rails", stored), None)
            for lenient in (False, True):
                codec = rails_codec(case, lenient=lenient)
                refused(lambda codec=codec: codec.open(stored), "format-mismatch")  # type: ignore[misc]
        case kind:
            raise LookupError(f"unknown kind {kind}")


def as_column(content: bytes, *, binary: bool) -> str | bytes:
    return content if binary else content.decode()


def is_deterministic(case: Case) -> bool:
    # Rails downcases before it encrypts; the plaintexts are so already.
    known = {"compress", "deterministic", "downcase", "key", "previous", "type"}
    if unknown := set(case["attribute"]) - known:
        raise LookupError(f"unknown attributes {sorted(unknown)}")
    # It may be an object with further options.
    return case["attribute"].get("deterministic") not in (None, False)


def rails_codec(case: Case, **options: Any) -> codecs.Codec:
    keys, settings, attribute = case["keys"], case["settings"], case["attribute"]
    deterministic = is_deterministic(case)
    digests = [settings["hash_digest_class"]]
    if settings.get("support_sha1_for_non_deterministic_encryption") and not deterministic:
        digests.append("sha1")

    def texts(value: Any) -> list[str]:
        return [value] if isinstance(value, str) else list(value or [])

    return codecs.rails(
        primary_keys=texts(attribute.get("key", keys.get("primary_key"))),
        deterministic_keys=texts(attribute.get("key", keys.get("deterministic_key"))),
        previous_keys=[scheme["key"] for scheme in attribute.get("previous", [])],
        key_derivation_salt=keys["key_derivation_salt"],
        digests=digests,
        deterministic=deterministic,
        envelope={"derived": False, "envelope": not deterministic}[settings["key_provider"]],
        store_key_references=settings.get("store_key_references", False),
        serializer=settings["message_serializer"],
        compress=attribute.get("compress", True),
        **options,
    )


def read_rails(case: Case, stored: str | bytes) -> None:
    codec, plaintext = rails_codec(case), encoded(case["plaintext"])
    opened = codec.open(stored)
    same("plaintext and trust", (opened.plaintext, opened.trust), (plaintext, "authenticated"))
    # What another set-up wrote is not current.
    same("current", opened.current, "written_with" not in case)
    same("the key", opened.key in {key["key_id"] for key in case["derived_keys"]}, True)
    seen = shown("rails", stored)
    scheme = opened.scheme.replace("-deterministic", "")
    same("recognized", (seen and seen.certainty, seen and seen.scheme), ("yes", scheme))
    in_column(codec, plaintext, stored)
    rotated = codec.open(codec.rotate(stored))
    same("rotated", (rotated.plaintext, rotated.current), (plaintext, True))
    if not is_deterministic(case):
        sealed = codec.seal(plaintext, binary=isinstance(stored, bytes))
        same("sealed", codec.open(sealed).plaintext, plaintext)


# --- metabase ---------------------------------------------------------------------------------


def metabase(case: Case) -> None:
    keys = case["keys"] or {}
    match case["kind"]:
        case "kdf" if len(keys["secret_key"]) < 16:
            refused(lambda: codecs.metabase(keys=[keys["secret_key"]]), "invalid-key")
        case "kdf":
            sealed = codecs.metabase(keys=[keys["secret_key"]]).seal(b"x", binary=True)
            same("under the derived key", is_under(bytes.fromhex(keys["kek_hex"]), sealed), True)
        case "key_error":
            refused(lambda: codecs.metabase(keys=[keys["secret_key"]]), "invalid-key")
        case "passthrough" if not keys:
            # There is no codec without keys.
            refused(lambda: codecs.metabase(keys=[]), "invalid-argument")
        case "encrypt_null":
            for binary in (False, True):
                refused(
                    lambda binary=binary: metabase_codec(case)[0].seal(b"", binary=binary),  # type: ignore[misc]
                    "codec-read-only",
                )
        case "decrypt" | "decrypt_fail" | "passthrough" as kind:
            read_metabase(case, kind)
        case kind:
            raise LookupError(f"unknown kind {kind}")


def is_under(kek: bytes, sealed: bytes) -> bool:
    """Whether a legacy value is under the key of a case, which its MAC shows."""
    import hashlib
    import hmac

    content, tag = sealed[:-32], sealed[-32:]
    return hmac.new(kek[:32], content, hashlib.sha512).digest()[:32] == tag


def metabase_codec(case: Case, **options: Any) -> tuple[codecs.Codec, dict[str, Any]]:
    """The codec of a case, and the context that its aad needs."""
    keys, context = case["keys"], {}
    if rows := keys.get("wrapped_deks"):
        options["data_keys"] = {int(row): base64.b64decode(key) for row, key in rows.items()}
    if case["settings"].get("format") == "stream-cbc":
        options |= {"streams": True, "expect": "utf8"}
    if aad := case["settings"].get("aad"):
        context = {"key": aad.removeprefix("setting.")}
        options["aad"] = "setting.{key}"
    return codecs.metabase(keys=[keys["secret_key"]], **options), context


def read_metabase(case: Case, kind: str) -> None:
    container, text = case["settings"]["container"], case["ciphertext"]["value"]
    stored = text if container == "string-base64" else base64.b64decode(text)
    codec, context = metabase_codec(case)
    lenient, _ = metabase_codec(case, lenient=True)
    seen = shown("metabase", stored)
    sight = seen and (seen.certainty, seen.scheme, seen.key)
    if kind != "decrypt":
        code, expected = {
            "passthrough": ("format-mismatch", None),
            "decrypt_fail": ("auth-failed", ("maybe", "legacy", None)),
        }[kind]
        refused(lambda: codec.open(stored, context), code)
        refused(lambda: lenient.open(stored, context), code)
        same("recognized", sight, expected)
        return
    plaintext, opened = encoded(case["plaintext"]), codec.open(stored, context)
    scheme, certainty, trust = {
        "legacy-cbc-hmac": ("legacy", "maybe", "authenticated"),
        "v2-envelope": ("v2", "yes", "authenticated"),
        "stream-cbc": ("stream", "yes", "checked"),
    }[case["settings"]["format"]]
    same("plaintext", opened.plaintext, plaintext)
    same("scheme, trust and key", (opened.scheme, opened.trust, opened.key), (scheme, trust, "1"))
    same("recognized", sight, (certainty, scheme, "1" if scheme == "v2" else None))
    same("current", opened.current, scheme != "stream")
    in_column(codec, plaintext, stored, context)
    if opened.current:
        opens_again(codec, plaintext, stored, **context)
    else:
        # Nothing authenticates a stream, so that it is read only where one is expected.
        other = codecs.metabase(keys=[case["keys"]["secret_key"]])
        refused(lambda: other.open(stored), "format-unsupported")


# --- n8n --------------------------------------------------------------------------------------

N8N_CODES = {
    "cbc-header-only-16-bytes": "malformed",
    "cbc-truncated": "malformed",
    "gcm-truncated": "malformed",
    "gcm-invalid-key-id-shape": "malformed",
    "gcm-empty-prefix": "malformed",
    "gcm-key-id-too-long": "malformed",
    "empty-body": "malformed",
    "cbc-wrong-instance-key": "auth-failed",
    "gcm-tampered-salt": "auth-failed",
    "gcm-tampered-tag": "auth-failed",
    "gcm-tampered-ciphertext": "auth-failed",
    "gcm-wrong-key-id": "auth-failed",
    "gcm-mismatched-instance-key": "auth-failed",
    "gcm-bad-version": "format-unsupported",
    "gcm-unknown-key-id": "unknown-key",
    "gcm-body-without-prefix": "format-mismatch",
    "cbc-base64url-unpadded": "malformed",
    "cbc-shorter-than-16-bytes": "malformed",
    "cbc-whitespace": "format-mismatch",
    "cbc-header-not-checked": "format-mismatch",
}
N8N_SCHEMES = {
    "n8n-legacy-cbc": "cbc",
    "n8n-prefixed-cbc": "prefixed-cbc",
    "n8n-prefixed-gcm": "prefixed-gcm",
}


def n8n(case: Case) -> None:
    match case["op"]:
        case "roundtrip":
            read_n8n(case)
            write_n8n(case)
        case "decrypt":
            read_n8n(case)
        case "unwrap_dek":
            unwrap_n8n(case)
        case "metadata":
            # The answer of n8n's interface, which holds no value.
            same("a value", case.get("ciphertext"), None)
        case op:
            raise LookupError(f"unknown op {op}")


def n8n_codec(case: Case, **options: Any) -> codecs.Codec:
    if (key := case.get("custom_key")) is not None:
        return codecs.n8n(custom_key=key, **options)
    prefixed = case["op"] == "roundtrip" and case.get("feature_flag") is True
    return codecs.n8n(
        instance_keys=[case["instance_key"]],
        rows=case.get("deployment_key_rows") or [],
        write="prefixed" if prefixed else "legacy",
        **options,
    )


def write_n8n(case: Case) -> None:
    codec, plaintext = n8n_codec(case, expect="utf8"), case["plaintext"].encode()
    opened = codec.open(case["ciphertext"])
    gcm = case["format"] == "n8n-prefixed-gcm"
    same("trust", opened.trust, "authenticated" if gcm else "checked")
    legacy = "custom" if "custom_key" in case else "1"
    key = legacy if case["format"] == "n8n-legacy-cbc" else case["active_key_id"]
    same("key and current", (opened.key, opened.current), (key, True))
    opens_again(codec, plaintext, case["ciphertext"])


def read_n8n(case: Case) -> None:
    stored, name = case["ciphertext"], case["id"]
    codes = (N8N_CODES[name],) if name in N8N_CODES else ()

    def strict() -> codecs.Codec:
        return n8n_codec(case)

    def lenient() -> codecs.Codec:
        return n8n_codec(case, lenient=True)

    match case["expect"]:
        case "ok":
            plaintext, scheme = case["plaintext"].encode(), N8N_SCHEMES[case["format"]]
            for codec in (strict(), lenient()):
                opened = codec.open(stored)
                same("plaintext and scheme", (opened.plaintext, opened.scheme), (plaintext, scheme))
            prefix = stored.partition(":")[0] if ":" in stored else None
            seen = shown("n8n", stored)
            sight = seen and (seen.certainty, seen.scheme, seen.key)
            same("recognized", sight, ("yes", scheme, prefix))
            in_column(strict(), plaintext, stored)
        case "ok_lenient":
            refused(lambda: strict().open(stored), *codes)
            opened = lenient().open(stored)
            same(
                "leniently", (opened.plaintext, opened.current), (case["plaintext"].encode(), False)
            )
        case "error" if "recoverable_plaintext" in case:
            # Lost to n8n; an older library took the key in UTF-8.
            opened = n8n_codec(case, expect="utf8").open(stored)
            plaintext = case["recoverable_plaintext"].encode()
            same("recovered", (opened.plaintext, opened.scheme), (plaintext, "cbc-utf8"))
        case "error":
            refused(lambda: strict().open(stored), *codes)
            refused(lambda: lenient().open(stored), *codes)
        case "garbage":
            opened = strict().open(stored)
            text = opened.plaintext.decode(errors="replace")
            same("garbage", (text, opened.trust), (case["n8n_returns"], "unchecked"))
            refused(lambda: strict().rotate(stored), "expect-required")
            for expect in ("utf8", "json"):
                codec = n8n_codec(case, expect=expect)
                refused(lambda codec=codec: codec.open(stored), "auth-failed")  # type: ignore[misc]
        case expectation:
            raise LookupError(f"unknown expectation {expectation}")


def unwrap_n8n(case: Case) -> None:
    value, key, plaintext = case["ciphertext"], case["instance_key"], case["plaintext"]
    lenient = case["format"] == "n8n-dek-legacy"
    unwrap = codecs.N8nDataKey.unwrap_value
    same("unwrapped", unwrap(value, ["another", key], lenient=lenient).text, plaintext)
    if lenient:
        refused(lambda: unwrap(value, ["another", key]), "invalid-key")
    algorithm = "aes-256-cbc" if plaintext == key else "aes-256-gcm"
    row = codecs.N8nKeyRow("bEc5AmLGiLrtdybl", "data_encryption", value, algorithm, "inactive")
    moved = row.rewrap([key], "another key", lenient=lenient)
    same("rewrapped", moved.data_key(["another key"]).text, plaintext)
    same("once more", moved.rewrap([], "another key").value, moved.value)
    refused(lambda: moved.data_key(["a third"]), "auth-failed")


# --- freeboard --------------------------------------------------------------------------------


def freeboard(case: Case) -> None:
    stored = json.dumps(case["ciphertext"])
    seen = shown("freeboard", stored)
    key = case["keys"]["CREDENTIAL_ENCRYPTION_KEY"]
    strict = codecs.freeboard(keys=[key])
    both = (strict, codecs.freeboard(keys=[key], lenient=True))
    if case["ciphertext"] is None:
        # Freeboard reads null as an empty object, which is no ciphertext.
        same("recognized", seen, None)
        for codec in both:
            refused(lambda codec=codec: codec.open(stored), "format-mismatch")  # type: ignore[misc]
        return
    match case["kind"]:
        case "decrypt":
            plaintext, opened = encoded(case["plaintext"]), strict.open(stored)
            same("plaintext", opened.plaintext, plaintext)
            found = (opened.trust, opened.key, opened.current, opened.scheme)
            same("how", found, ("authenticated", "1", True, "gcm"))
            same("recognized", seen and (seen.certainty, seen.scheme), ("yes", "gcm"))
            in_column(strict, plaintext, stored)
            written = {"algorithm", "keyId", "iv", "ciphertext", "authTag"}
            if set(case["ciphertext"]) <= written and case["ciphertext"].get("keyId", "v1") == "v1":
                opens_again(strict, plaintext, stored)
            else:
                # What Freeboard never writes would be lost.
                refused(lambda: strict.rotate(stored), "codec-read-only")
                same("sealed", strict.open(strict.seal(plaintext)).plaintext, plaintext)
        case "decrypt_fail":
            message = case["expected_error"]["message"]
            if message == "Unsupported state or unable to authenticate data":
                code, scheme = "auth-failed", "gcm"
            elif "aes-256-cbc" in stored:
                code, scheme = "format-unsupported", "unsupported"
            else:
                code, scheme = "malformed", "damaged"
            for codec in both:
                refused(lambda codec=codec: codec.open(stored), code)  # type: ignore[misc]
            same("recognized", seen and seen.scheme, scheme)
        case kind:
            raise LookupError(f"unknown kind {kind}")


# --- libraries of Python ----------------------------------------------------------------------


def library(case: Case, make: Callable[..., codecs.Codec], options: dict[str, Any]) -> None:
    def codec(*, lenient: bool = False) -> codecs.Codec:
        return made(make, json.dumps(options), lenient)

    match case["op"]:
        case "derive":
            for place, key in enumerate(case["fernet_keys"], 1):
                token = codecs.fernet(keys=[key]).seal("x")
                same("the place of the key", codec().open(token).key, str(place))
        case "load_fail":
            refused(codec, case["code"])
        case "json":
            same("the leaves", leaves(codec(), json.loads(case["ciphertext"])), case["returned"])
        case "fail":
            for lenient in (False, True):
                opening = codec(lenient=lenient)
                refused(lambda opening=opening: opening.open(stored_in(case, make)), case["code"])  # type: ignore[misc]
        case "read":
            for lenient in (False, True):
                read_library(case, codec(lenient=lenient), stored_in(case, make))
        case op:
            raise LookupError(f"unknown op {op}")


@functools.cache
def made(make: Callable[..., codecs.Codec], options: str, lenient: bool) -> codecs.Codec:
    """Deriving keys takes long, and few cases have others."""
    # There is nothing to be lenient about in pickles.
    more = {} if make is codecs.django_cryptography else {"lenient": lenient}
    given = json.loads(options)
    if "field_keys" in given:
        given["field_keys"] = [base64.b64decode(key) for key in given["field_keys"]]
    return make(**given, **more)


def stored_in(case: Case, make: Callable[..., codecs.Codec]) -> str | bytes:
    if (content := case.get("ciphertext_b64")) is not None:
        return base64.b64decode(content)
    text: str = case["ciphertext"]
    return text.encode() if make is codecs.fernet_fields else text


def leaves(codec: codecs.Codec, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: leaves(codec, item) for name, item in value.items()}
    if isinstance(value, list):
        return [leaves(codec, item) for item in value]
    return codec.open(value).plaintext.decode()


def read_library(case: Case, codec: codecs.Codec, stored: str | bytes) -> None:
    plaintext, opened = given(case), codec.open(stored)
    trust = "checked" if opened.scheme == "aes" else "authenticated"
    how = (opened.plaintext, opened.trust, opened.current)
    same("how it was opened", how, (plaintext, trust, opened.key == "1"))
    same("current", opened.current, case.get("current", opened.current))
    seen = codec.recognize(stored)
    certainty = "yes" if opened.scheme in ("fernet", "pickle") else "maybe"
    same("recognized", seen and (seen.certainty, seen.scheme), (certainty, opened.scheme))
    in_column(codec, plaintext, stored)
    if not case.get("lossy"):
        opens_again(codec, plaintext, stored)
    elif case["padding"] != "naive":
        refused(lambda: codec.seal(plaintext), "codec-read-only")


def with_options(make: Callable[..., codecs.Codec], *names: str) -> Check:
    def check(case: Case) -> None:
        options = {name: case[name] for name in names if name in case}
        if case.get("engine") == "aes":
            options["expect"] = "utf8"
        library(case, make, options)

    return check


LIBRARIES = {
    "django-fernet": with_options(codecs.django_fernet, "secrets", "salts"),
    "fernet-fields": with_options(codecs.fernet_fields, "secrets", "prefix", "hkdf"),
    "django-cryptography": with_options(
        codecs.django_cryptography,
        *("secrets", "cryptography_keys", "salt", "digest", "field_keys", "field"),
    ),
    "sqlalchemy-utils": with_options(codecs.sqlalchemy_utils, "keys", "engine", "padding"),
}


# --- typed values -----------------------------------------------------------------------------


def typed(case: Case) -> None:
    """A plaintext in any spelling is read as a value, which is sealed in its canonical spelling."""
    mode = case.get("mode", "random")
    column = reseal.Column(codecs.plain(), type=case["type"], mode=mode)
    if (canonical := case.get("canonical")) is None:
        refused(lambda: column.open(case["input"]), case["expect"])
        return
    if case["type"] == "json" and is_infinite(canonical):
        refused(lambda: column.open(case["input"]), "value-invalid")
        ring = reseal.Keyring(reseal.Key.generate())
        moved = reseal.Column(codecs.reseal(ring), [codecs.plain()], type="json", mode=mode)
        resealed = moved.reseal(case["input"])
        assert isinstance(resealed, reseal.Resealed)
        same("the resealed document", ring.open_str(str(resealed.value), {}), canonical)
        return
    opened = column.open(case["input"])
    again = column.open(canonical)
    same("the value of the canonical form", opened and opened.value, again and again.value)
    if case["type"] == "json" and mode != "deterministic":
        return  # The document stays as it is, which Python's own values do not show.
    same("sealed", column.seal(opened and opened.value), canonical)


def is_infinite(document: str) -> bool:
    """Whether Python reads a number of a document as infinity, which JSON does not have."""
    try:
        json.dumps(json.loads(document), allow_nan=False)
    except ValueError:
        return True
    return False


SYSTEMS: dict[str, Check] = {
    "fernet": fernet,
    "sentry": sentry,
    "rails": rails,
    "metabase": metabase,
    "n8n": n8n,
    "freeboard": freeboard,
    **LIBRARIES,
}
