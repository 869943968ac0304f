"""The benchmarks run and tell what they measured. They judge nothing, and neither do these tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def rows_of(tmp_path: Path, program: str, *options: str) -> list[dict[str, Any]]:
    """What a program with one round writes; it has printed a table as well."""
    path, out = Path(__file__).parent / "bench" / program, tmp_path / "speed.json"
    command = [sys.executable, str(path), *options, "--rounds", "1", "--json", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("| operation |")
    rows: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))["rows"]
    return rows


def test_peers(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "bench_peers.py", "--sizes", "64")
    assert {row["operation"] for row in rows} == {"seal", "open", "seal_many", "open_many"}
    assert {"reseal", "AESGCM"} <= {row["library"] for row in rows}
    assert all(row["microseconds"] > 0 and row["reseal_ratio"] > 0 for row in rows)


def test_keysets(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "bench_keysets.py")
    assert {row["way"] for row in rows} >= {"KeysetFile", "LiveKeyring", "Keyring", "100 key texts"}
    assert all(row["microseconds"] > 0 and row["ratio"] > 0 for row in rows)


def test_codecs(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "bench_codecs.py", "--values", "50")
    assert {row["operation"] for row in rows} == {
        *("open Fernet tokens", "open", "convert", "make the codec, once"),
    }
    kinds = {"reseal", "fernet", "sentry", "rails", "metabase", "n8n, CBC", "n8n, GCM", "freeboard"}
    kinds |= {"django-fernet", "fernet-fields", "django-cryptography"}
    kinds |= {f"sqlalchemy-utils, {engine}" for engine in ("AES", "GCM", "Fernet")}
    for operation in ("open", "convert", "make the codec, once"):
        assert {row["way"] for row in rows if row["operation"] == operation} >= kinds
    assert all(row["microseconds"] > 0 and row["ratio"] > 0 for row in rows)


def test_jobs(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "bench_jobs.py", "--rows", "600", "--not-durable")
    assert {row["database"] for row in rows} == {"PostgreSQL", "MariaDB", "SQLite"}
    for database in ("PostgreSQL", "MariaDB"):
        ways = {(row["operation"], row["way"]) for row in rows if row["database"] == database}
        assert {
            ("encrypt", "job"),
            ("encrypt", "bare"),
            ("rotate", "job"),
            ("rotate", "bare"),
        } < ways
        assert ("rotate", "script, a transaction for each row") in ways
        assert ("census --keys-only", "GROUP BY left(…)") in ways
    assert all(row["seconds"] > 0 and row["ratio"] > 0 for row in rows)


def test_django(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "bench_django.py", "--values", "50")
    ways = {"plain columns", "reseal.django", "django-fernet-encrypted-fields"}
    operations = {"read, untouched", "read, all values", "bulk_create"}
    assert {(row["operation"], row["way"]) for row in rows} == {
        (operation, way) for operation in operations for way in ways
    }
    assert all(row["microseconds"] > 0 and row["ratio"] > 0 for row in rows)
