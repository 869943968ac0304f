#!/usr/bin/env bash
# The documentation of the Rust crate in target/doc and of the command in docs/; then the code blocks of
# README and docs/ are run.
source "$(dirname "$0")/lib.sh"
scripts/bootstrap.sh
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --locked --no-deps --package reseal --all-features
cargo xtask npm
scripts/wheel.sh
"$VENV/bin/python" scripts/command_line.py
"$VENV/bin/python" scripts/doc_blocks.py
echo "docs: target/doc/reseal/index.html"
