#!/usr/bin/env bash
# The package is checked from its source, the tests against it.
source "$(dirname "$0")/lib.sh"
MYPYPATH=$ROOT/python:$ROOT/py-tests:$ROOT/py-tests/bench:$ROOT/scripts:$ROOT/spec exec "$VENV/bin/mypy" --config-file python/pyproject.toml python/reseal py-tests scripts spec
