#!/usr/bin/env bash
# What would be published, in dist/: sdist, npm tarball, crates, the folder of the workbench, and the wheel
# for this machine. On Linux zig links wheels for glibc 2.17 or musl 1.2.
#   scripts/package.sh [WORD...]     some of it: npm, sdist, crates, workbench, or a target for its wheel
#   scripts/package.sh release       all of it, with a wheel for each of WHEEL_TARGETS
source "$(dirname "$0")/lib.sh"
[ -n "${PACKAGE_READY:-}" ] || scripts/bootstrap.sh package
# Archives carry times: the same ones, wherever and whenever they are made.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1767225600}
# And the same modes: npm packs a file as its maker may read it.
umask 022
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
PARTS="npm workbench sdist crates"
case $* in
    "") WORDS=" $PARTS $(rustc -vV | sed -n 's/^host: //p') " ;;
    release) WORDS=" $PARTS ${WHEEL_TARGETS[*]} " ;;
    *) WORDS=" $* " ;;
esac

wanted() { [[ $WORDS == *" $1 "* ]]; }

npm_tarball() {
    cargo xtask npm
    # What was built before this script, under another umask.
    chmod -R u=rwX,go=rX wasm/{dist,package.json,README.md,THIRD-PARTY.txt,sbom.cdx.json} wasm/LICENSE-*
    (cd wasm && npm pack --silent --pack-destination "$ROOT/dist" >/dev/null)
}

sdist() {
    local said
    said=$("$VENV/bin/maturin" sdist --manifest-path python/Cargo.toml --out dist 2>&1 </dev/null) || die "$said"
}

# wheel [OPTION...]
wheel() {
    # maturin finds zig by the Python that is first in PATH.
    RUSTFLAGS=$(remapped_paths) PATH=$VENV/bin:$PATH "$VENV/bin/maturin" build --quiet --release --locked \
        --manifest-path python/Cargo.toml --interpreter "$VENV/bin/python" --out dist "$@" </dev/null
}

wheels() {
    local target
    for target in "${WHEEL_TARGETS[@]}"; do
        wanted "$target" || continue
        has_target "$target" || { echo "package: no wheel for $target" >&2 && continue; }
        case $target in
            *musl) wheel --zig --target "$target" --compatibility musllinux_1_2 ;;
            *) wheel --zig --target "$target" --compatibility manylinux2014 ;;
        esac
    done
}

# Each is built from what is in its package. A person may try what is not committed yet.
crates() {
    rm -rf "$TARGET/package"
    cargo package --quiet --locked --allow-dirty --package reseal-primitives --package reseal
    cp "$TARGET"/package/reseal-*.crate dist/
}

rm -rf dist && mkdir dist
! wanted npm || npm_tarball
! wanted workbench || node workbench/build.mjs dist/workbench
! wanted sdist || sdist
if [ "$(uname -s)" = Linux ]; then wheels; else wheel; fi
! wanted crates || crates
ls -l dist
