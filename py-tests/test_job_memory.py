"""A job takes no more memory for a million rows than for a hundred thousand: `make assure`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_support import DATA, environment
from lib.job_tables import MANIFEST, Place, places, plaintexts

pytestmark = [
    pytest.mark.skipif("RESEAL_ASSURE" not in os.environ, reason="takes minutes"),
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc"),
]

ROOT = Path(__file__).resolve().parents[1]
ROWS = 100_000
TIMES = 10
MOST_KIB = 20 * 1000
PROGRAMS = {
    "python": [sys.executable, str(ROOT / "py-tests/bench/lib/job_peak.py")],
    "node": ["node", "--preserve-symlinks", str(ROOT / "js-tests/bench/lib/job-peak.mjs")],
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Place]]:
    """Databases with a table to copy."""
    known = {place.name: place for place in places(tmp_path_factory.mktemp("memory"))}
    for place in known.values():
        place.fill("bench_plain", enumerate(plaintexts(ROWS), 1))
    yield known
    for place in known.values():
        place.clean()


def peak(language: str, place: Place, times: int) -> int:
    """The most memory of a process that runs the job on a new table, in KiB."""
    place.renew("bench_plain", times, ROWS)
    command = [*PROGRAMS[language], place.url, MANIFEST, str(ROWS * times)]
    env = environment({"RESEAL_PRIMARY_KEY": DATA.export()})
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize("database", ["PostgreSQL", "MariaDB", "SQLite"])
@pytest.mark.parametrize("language", PROGRAMS)
def test_memory_does_not_grow_with_the_table(
    language: str, database: str, filled: dict[str, Place]
) -> None:
    few, many = (peak(language, filled[database], times) for times in (1, TIMES))
    grown = many - few
    print(f"{language}, {database}: {few:,} KiB, {many:,} KiB, grown by {grown:,} KiB")
    assert grown < MOST_KIB
