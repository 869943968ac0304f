from __future__ import annotations

import json
from pathlib import Path

import interop
import pytest


def test_values_open_that_were_sealed_before(tmp_path: Path) -> None:
    file = str(tmp_path / "sealed.jsonl")
    assert interop.main(["seal", "500", "1", file]) == 0
    assert interop.main(["open", file]) == 0
    lines = [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]
    assert len(lines) == len({line["text"] for line in lines}) == 500
    assert {line["mode"] for line in lines} == set(interop.MODES)


@pytest.mark.parametrize("member", ["plaintext", "mode", "binary_hex"])
def test_a_difference_is_found(tmp_path: Path, member: str) -> None:
    file = tmp_path / "sealed.jsonl"
    assert interop.main(["seal", "3", "2", str(file)]) == 0
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    lines[1][member] = lines[2][member] + ("00" if member != "mode" else "x")
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert interop.main(["open", str(file)]) == 1


def test_usage() -> None:
    assert interop.main([]) == 2
