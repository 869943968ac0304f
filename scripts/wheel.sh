#!/usr/bin/env bash
# Builds the wheel that would be shipped, and installs it in .venv; nothing to do if nothing changed.
source "$(dirname "$0")/lib.sh"
OUT=$ROOT/target/wheels

build() {
    rm -rf "$OUT"
    RUSTFLAGS=$(remapped_paths) \
        "$VENV/bin/maturin" build --quiet --release --locked --manifest-path python/Cargo.toml \
            --interpreter "$VENV/bin/python" --out "$OUT"
    "$VENV/bin/pip" install --quiet --no-index --no-deps --force-reinstall "$OUT"/*.whl
}

sources=(Cargo.toml Cargo.lock .cargo python core/Cargo.toml core/src core/primitives cli/Cargo.toml cli/src scripts/wheel.sh scripts/lib.sh)
"$VENV/bin/pip" show --quiet reseal 2>/dev/null || rm -f "$STAMPS/wheel"
unless_done wheel "$(hash_of "${sources[@]}")" build
ls "$OUT"
