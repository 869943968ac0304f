"""The benchmark runs and tells what it measured. It judges nothing, and neither does this test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_the_benchmark_runs(tmp_path: Path) -> None:
    program = Path(__file__).parent / "bench" / "bench_peers.py"
    out = tmp_path / "speed.json"
    command = [sys.executable, str(program), "--sizes", "64", "--rounds", "1", "--json", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("| operation |")
    rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
    assert {row["operation"] for row in rows} == {"seal", "open", "seal_many", "open_many"}
    assert {"reseal", "AESGCM"} <= {row["library"] for row in rows}
    assert all(row["microseconds"] > 0 and row["reseal_ratio"] > 0 for row in rows)
