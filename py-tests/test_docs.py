"""Every public name is documented, and every example in a docstring runs."""

from __future__ import annotations

import doctest
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
import reseal
from reseal import hooks, jobs
from reseal.hooks import opentelemetry, prometheus

PARSER, RUNNER = doctest.DocTestParser(), doctest.DocTestRunner
NO_EXAMPLE_NEEDED = "As `Keyring."


def documented() -> Iterator[tuple[str, Any]]:
    yield "reseal", reseal
    yield "jobs", jobs
    yield "hooks", hooks
    for module in (opentelemetry, prometheus):
        yield module.__name__, module
        yield f"{module.__name__}.install", module.install
    names = {name: getattr(reseal, name) for name in reseal.__all__}
    of_codecs = reseal.codecs.__all__
    for name, thing in {
        **names,
        **{f"codecs.{name}": getattr(reseal.codecs, name) for name in of_codecs},
        **{f"jobs.{name}": getattr(jobs, name) for name in jobs.__all__ if name != "Event"},
        **{
            f"hooks.{name}": getattr(hooks, name)
            for name in ("Count", "Counters", "Event", "subscribe")
        },
    }.items():
        if name in ("ERROR_CODES", "__version__"):
            continue
        yield name, thing
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                if not member.startswith("_"):
                    yield f"{name}.{member}", value


ITEMS = dict(documented())


@pytest.mark.parametrize("name", ITEMS)
def test_it_is_documented(name: str) -> None:
    document = inspect.getdoc(ITEMS[name])
    assert document
    assert len(document.splitlines()[0]) <= 100
    if callable(ITEMS[name]) and not inspect.isclass(ITEMS[name]):
        assert str(inspect.signature(ITEMS[name]))


@pytest.mark.parametrize("name", [name for name in ITEMS if ">>>" in (ITEMS[name].__doc__ or "")])
def test_its_examples_run(name: str) -> None:
    document = inspect.getdoc(ITEMS[name]) or ""
    test = PARSER.get_doctest(document, {"reseal": reseal}, name, None, None)
    assert test.examples
    output: list[str] = []
    result = RUNNER().run(test, out=output.append)
    assert result.failed == 0, "".join(output)


def test_there_are_examples() -> None:
    assert sum(">>>" in (thing.__doc__ or "") for thing in ITEMS.values()) >= 20
