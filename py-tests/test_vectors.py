"""Every vector file runs, and every case in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from vectors import run

VECTORS = run.ROOT / "spec" / "vectors"
FILES = sorted(path for path in VECTORS.rglob("*.json") if "schema" not in path.parts)
RUNNER = Path(run.__file__)


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def cases_in(document: Any) -> int:
    """The number of cases of a file, as `spec/vectors/README.md` counts them."""
    match document:
        case {"testGroups": groups, "numberOfTests": total}:
            assert sum(len(group["tests"]) for group in groups) == total
            return int(total)
        case {"format": "RS1 frozen"}:
            return len(document["envelopes"]) + len(document.get("index_terms", []))
        case {"format": "RS1 vectors"}:
            texts = document["key_text"]
            groups = ("vectors", "negative", "hedged", "blind_index")
            group = document["keyset"]  # its document opens under three keys
            keyset = 3 + len(group["negative"]) + len(group["hedged"])
            listed = sum(len(document[group]) for group in groups)
            return len(texts["valid"]) + len(texts["invalid"]) + listed + keyset
        case {"algorithm": "XAES-256-GCM"}:
            hashes = [name for name in document["accumulated"] if name.startswith("iterations_")]
            return len(document["vectors"]) + len(hashes)
        case {"system": _, "vectors": cases} | {"cases": cases}:
            return len(cases)
    raise LookupError


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(VECTORS).as_posix())
def test_file(path: Path) -> None:
    document = read(path)
    report = run.run_document(document)
    assert report.failed == []
    assert report.run > 0
    left_out = sum(count for count, _ in report.left_out)
    assert report.run + left_out == cases_in(document)
    if path.name == "v1.json":
        cases = {"reseal": 214, "values": 188, "manifest": 106}[path.parent.name]
        assert (report.run, left_out) == (cases, 0)


def test_there_are_files_of_every_shape() -> None:
    members = ("format", "algorithm", "system", "values")
    shapes = {next(d[name] for name in members if name in d) for d in map(read, FILES)}
    assert shapes == {value for _, value, _ in run.SHAPES}


@pytest.mark.parametrize(
    "document",
    [{}, [], None, 1, {"format": "RS2 vectors"}, {"algorithm": "AES-GCM"}],
    ids=lambda document: json.dumps(document),
)
def test_unknown_shapes_are_refused(document: Any) -> None:
    with pytest.raises(LookupError):
        run.run_document(document)


def test_unknown_groups_are_refused() -> None:
    document = read(VECTORS / "reseal" / "v1.json")
    with pytest.raises(LookupError, match="surprise"):
        run.run_document({**document, "surprise": []})


def test_a_keyset_that_differs_is_a_failure() -> None:
    document = read(VECTORS / "reseal" / "v1.json")
    document["keyset"]["kek3"] = "00" * 32
    document["keyset"]["negative"][1]["expct"] = "surprise"
    report = run.run_document(document)
    assert [name.partition(":")[0] for name in report.failed] == [
        "keyset under kek3",
        "k-swap-primary",
        "kh-zeros",
    ]
    document["keyset"]["file"]["keys"][0]["label"] = "other"
    assert len(run.run_document(document).failed) == 5


@pytest.mark.parametrize("group", ["vectors", "negative", "hedged", "blind_index"])
def test_a_member_that_no_case_has_is_a_failure(group: str) -> None:
    document = read(VECTORS / "reseal" / "v1.json")
    document[group][0]["expct"] = "surprise"
    report = run.run_document(document)
    assert len(report.failed) == 1
    assert "expct" in report.failed[0]


def test_the_runner_reports_what_fails(tmp_path: Path) -> None:
    document = read(VECTORS / "reseal" / "v1.json")
    document["vectors"][3]["plaintext"] = "00"
    document["negative"][5]["expect"] = "KeyDisabled"
    document["key_text"]["invalid"][0]["text"] = document["key_text"]["valid"][0]["text"]
    document["hedged"][0]["nonce"] = "00" * 24
    document["blind_index"][0]["bits"] = 8
    document["keyset"]["negative"][0]["expect"] = "KeysetTampered"
    document["keyset"]["passphrase"] += "!"
    document["keyset"]["hedged"][0]["random"] = "00" * 24
    broken = tmp_path / "broken file.json"
    broken.write_text(json.dumps(document), encoding="utf-8")
    strange = tmp_path / "strange.json"
    strange.write_text("[]", encoding="utf-8")
    good = VECTORS / "wycheproof" / "hkdf_sha256_test.json"
    command = [sys.executable, str(RUNNER), str(broken), str(strange), str(good)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ}, check=False)
    lines = [line for line in done.stdout.splitlines() if not line.startswith("  ")]
    assert done.returncode == 1
    assert lines[0].startswith(f"python {broken} run=214 passed=206 failed=8")
    assert lines[1] == f"python {strange} run=0 passed=0 failed=1"
    assert lines[2] == f"python {good} run=86 passed=86 failed=0"
    assert len(lines) == 3
