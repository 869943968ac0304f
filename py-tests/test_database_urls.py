"""URLs of databases, and drivers that are missing; js-tests/database-{urls,drivers}.test.ts are the twins."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import reseal
from reseal import _database
from reseal._database_url import parse

ROOT = Path(__file__).resolve().parents[1]
URLS = json.loads((ROOT / "js-tests/fixtures/database-urls.json").read_text())


@pytest.mark.parametrize(("url", "expected"), URLS["good"], ids=lambda value: str(value)[:40])
def test_urls(url: str, expected: dict[str, Any]) -> None:
    target = parse(url)
    names = {"connectSeconds": "connect_seconds"}
    assert {name: getattr(target, names.get(name, name)) for name in expected} == expected
    assert target.password is None or target.password not in repr(target)


@pytest.mark.parametrize(("url", "words"), URLS["bad"], ids=lambda value: ascii(value)[:40])
def test_urls_that_are_not_in_order(url: str, words: str) -> None:
    with pytest.raises(reseal.ResealError) as caught:
        _database.connect(url)
    assert caught.value.code == "invalid-argument"
    message = str(caught.value)
    assert words in message
    for part in ("s3", "cret", "anna"):
        assert part not in message
    assert caught.value.__cause__ is None


def test_a_url_is_text() -> None:
    for url in (None, 1, b"sqlite:///x"):
        with pytest.raises(reseal.ResealError):
            _database.connect(url)  # type: ignore[arg-type]


@pytest.mark.parametrize(("dialect", "module"), [("postgresql", "psycopg"), ("mysql", "pymysql")])
def test_a_driver_that_is_missing(
    dialect: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(reseal.ResealError) as caught:
        _database.connect(f"{dialect}://u:p@127.0.0.1/d")
    assert caught.value.code == "engine-unsupported"
    assert f"pip install reseal[{dialect}]" in str(caught.value)
