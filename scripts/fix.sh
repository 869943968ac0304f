#!/usr/bin/env bash
source "$(dirname "$0")/lib.sh"
scripts/bootstrap.sh
cargo fmt --all
"$VENV/bin/ruff" check --quiet --fix python py-tests scripts spec examples || true
"$VENV/bin/ruff" format --quiet python py-tests scripts spec examples
npm run --silent --prefix wasm format
for step in api licences sbom; do cargo xtask "$step"; done
