#!/usr/bin/env bash
# Speed, each peer in the same run. Rust: core/benches. Python and Node: one program per file.
source "$(dirname "$0")/lib.sh"
scripts/bootstrap.sh
cargo xtask npm
scripts/wheel.sh >/dev/null

cargo bench --locked --package reseal
for program in py-tests/bench/*.py; do
    [ -e "$program" ] || die "bench: no programs in py-tests/bench"
    "$VENV/bin/python" "$program"
done
for program in js-tests/bench/*.mjs; do
    [ -e "$program" ] || die "bench: no programs in js-tests/bench"
    node "$program"
done
