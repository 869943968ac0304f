#!/usr/bin/env bash
# What would be published, in dist/: the wheel of this platform, the sdist, the npm tarball, and the
# folder of the workbench.
source "$(dirname "$0")/lib.sh"
scripts/bootstrap.sh demo
cargo xtask npm
scripts/wheel.sh >/dev/null
rm -rf dist && mkdir dist
cp target/wheels/*.whl dist/
"$VENV/bin/maturin" sdist --manifest-path python/Cargo.toml --out dist >/dev/null 2>&1 </dev/null
(cd wasm && npm pack --silent --pack-destination "$ROOT/dist" >/dev/null)
node workbench/build.mjs dist/workbench
ls -l dist
