"""The reader and writer of the guide about Metabase: proven on the vectors that Metabase made. They share no
code with the codec."""

from __future__ import annotations

import base64
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "examples/guides/metabase"
VECTORS: list[dict[str, Any]] = json.loads(
    (ROOT / "spec/vectors/metabase/public.json").read_text(encoding="utf-8")
)["vectors"]


def part() -> ModuleType:
    spec = importlib.util.spec_from_file_location("guide_metabase", GUIDE / "metabase.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


metabase = part()


def bytes_of(value: dict[str, str]) -> bytes:
    text = value["value"]
    return base64.b64decode(text) if value["encoding"] == "base64" else text.encode()


def stored_of(case: dict[str, Any]) -> bytes:
    stored = bytes_of(case["ciphertext"])
    return base64.b64decode(stored) if case["settings"]["container"] == "string-base64" else stored


def test_the_guide_reads_what_metabase_wrote() -> None:
    ran = refused = 0
    for case in VECTORS:
        if case["settings"].get("format") != "legacy-cbc-hmac":
            continue
        secret = metabase.Secret(case["keys"]["secret_key"])
        aad = case["settings"].get("aad")
        if case["kind"] == "decrypt":
            assert secret.decrypt(stored_of(case), aad) == bytes_of(case["plaintext"]), case["id"]
            ran += 1
        else:
            with pytest.raises(SystemExit):
                secret.decrypt(stored_of(case), aad)
            refused += 1
    assert (ran, refused) == (6, 3)


@pytest.mark.parametrize("aad", [None, "setting.site-url"])
def test_the_guide_reads_what_it_wrote(aad: str | None) -> None:
    secret = metabase.Secret("at least sixteen characters")
    stored = secret.encrypt_text("pässwörd 🔑", aad)
    assert secret.decrypt_text(stored, aad) == "pässwörd 🔑"
    with pytest.raises(SystemExit):
        secret.decrypt_text(stored, "setting.another")


@pytest.mark.parametrize("name", ["metabase", "n8n", "freeboard"])
def test_the_examples_hold_values_of_the_real_systems(name: str) -> None:
    """Those that say so are vectors, to the byte."""
    vectors = json.loads((ROOT / f"spec/vectors/{name}/public.json").read_text(encoding="utf-8"))
    by_id = {case["id"]: case for case in vectors["vectors"]}
    real = json.loads((ROOT / f"examples/guides/{name}/real.json").read_text(encoding="utf-8"))
    values = real["values"] if name == "n8n" else real
    for value in values:
        wanted = by_id[value["vector"]]["ciphertext"]
        if name == "metabase":
            stored = value["stored"]
            found = bytes.fromhex(stored["hex"]) if isinstance(stored, dict) else stored.encode()
            assert found == bytes_of(wanted)
        else:
            assert value["stored"] == wanted
    assert len(values) >= 3
    if name == "n8n":
        rows = by_id["gcm-unicode"]["deployment_key_rows"]
        assert real["deployment_key"] == [
            {key: row[key] for key in real["deployment_key"][0]} for row in rows
        ]
