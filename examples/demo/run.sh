#!/usr/bin/env bash
# Runs the demo with the packages that were built from this source; `make demo` builds them first.
source "$(dirname "$0")/../../scripts/lib.sh"
npm_key=$(cat examples/demo/package.json examples/demo/package-lock.json | cksum)
[ -d examples/demo/node_modules ] || npm_key=
unless_done demo-npm "$npm_key" npm ci --silent --prefix examples/demo
exec "$VENV/bin/python" examples/demo/run.py "$ROOT/target/demo"
