"""Django's own tests of model fields hold for the encrypted ones, but for those that name a reason."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django_suite import exceptions, source
from django_suite.substitute import FIELDS

HERE = Path(__file__).resolve().parent
RUNS = [
    *(("sqlite", mode) for mode in exceptions.MODES),
    *((kind, "random") for kind in exceptions.DATABASES[1:]),
]
ALL_RUNS = [*((kind, "django") for kind in exceptions.DATABASES), *RUNS]


@pytest.fixture(scope="module")
def suites(servers: dict[str, str]) -> dict[tuple[str, str], Any]:
    """What the tests came to, for each run and for Django's own fields on each database."""
    folder, urls = source.folder(), {"sqlite": "sqlite:", **servers}

    def run(kind: str, fields: str) -> Any:
        command = [sys.executable, "-m", "django_suite.run", str(folder), urls[kind], fields]
        done = subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE)
        return json.loads(done.stdout)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(ALL_RUNS, pool.map(run, *zip(*ALL_RUNS, strict=True)), strict=True))


@pytest.mark.parametrize("kind", exceptions.DATABASES)
def test_they_hold_for_the_fields_of_django(suites: Any, kind: str) -> None:
    found = Counter(suites[kind, "django"]["outcomes"].values())
    assert set(found) == {"passed", "skipped"}
    assert found["passed"] > 400


@pytest.mark.parametrize(("kind", "mode"), RUNS)
def test_they_hold_for_encrypted_fields(suites: Any, kind: str, mode: str) -> None:
    expected, listed = suites[kind, "django"]["outcomes"], exceptions.of(kind, mode)
    found = suites[kind, mode]["outcomes"]
    assert module_counts(found) == module_counts(expected)
    assert sorted(set(listed) - set(found)) == [], "listed, and not there"
    wrong = {}
    for name, outcome in found.items():
        if name in listed and expected.get(name) == "passed":
            holds = re.match(listed[name].error, outcome, re.DOTALL)
        else:
            holds = outcome == expected.get(name)
        if not holds:
            wrong[name] = outcome
    assert wrong == {}


@pytest.mark.parametrize(("kind", "mode"), RUNS)
def test_each_exception_is_one(suites: Any, kind: str, mode: str) -> None:
    expected = suites[kind, "django"]["outcomes"]
    idle = [name for name in exceptions.of(kind, mode) if expected.get(name) != "passed"]
    assert idle == [], "listed, and skipped there in any case"


@pytest.mark.parametrize(("kind", "mode"), RUNS)
def test_every_field_was_in_its_place(suites: Any, kind: str, mode: str) -> None:
    before, declared = (Counter(suites[kind, it]["declared"]) for it in ("django", mode))
    for field in FIELDS:
        assert declared[f"Encrypted{field}"] > 0
        # What is left are primary keys, and fields beside a computed one.
        assert declared[f"Encrypted{field}"] + declared[field] == before[field]


def module_counts(outcomes: dict[str, str]) -> Counter[str]:
    """How many tests ran, by the module."""
    return Counter(name.partition(".")[0] for name in outcomes)
