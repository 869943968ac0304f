#!/usr/bin/env bash
# Runs the demo with the packages that were built from this source; `make demo` builds them first.
source "$(dirname "$0")/../../scripts/lib.sh"
[ -d examples/demo/node_modules ] || rm -f "$STAMPS/demo-npm"
npm_key="$(hash_of examples/demo/package.json examples/demo/package-lock.json) $(node --version)"
# In the folder: with --prefix, older npm links `file:../../wasm` to the wrong place.
(cd examples/demo && unless_done demo-npm "$npm_key" npm ci --silent)
exec "$VENV/bin/python" examples/demo/run.py "$ROOT/target/demo"
