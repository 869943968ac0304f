#!/usr/bin/env bash
# Builds the workbench and serves it on 127.0.0.1, on a free port or on PORT, until Ctrl-C.
source "$(dirname "$0")/lib.sh"
scripts/bootstrap.sh demo
echo "workbench: building the package (once)"
cargo xtask npm
node workbench/build.mjs target/workbench
exec node workbench/serve.mjs target/workbench "${PORT:-0}"
