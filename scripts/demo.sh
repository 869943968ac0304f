#!/usr/bin/env bash
# The demo, with no more set-up than it needs.
source "$(dirname "$0")/lib.sh"
scripts/bootstrap.sh demo
echo "demo: building the packages (once)"
cargo xtask npm
scripts/wheel.sh
exec examples/demo/run.sh "$@"
