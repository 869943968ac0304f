#!/usr/bin/env bash
# Every test, in every language; goes on after a failure. `scripts/test.sh NAME...` runs the suites
# whose names begin so, and the builds that they need.
source "$(dirname "$0")/lib.sh"
export CI=${CI:-true}
rm -rf target/results
scripts/bootstrap.sh || { echo "setup failed, no test was run" >&2; scripts/summary.sh; exit 1; }

ONLY=("$@")
wanted() {
    local only
    [ ${#ONLY[@]} != 0 ] || return 0
    for only in "${ONLY[@]}" build; do
        case $1 in "$only"*) return 0 ;; esac
    done
    return 1
}
suite() {
    local name=$1
    [ "$name" != --check ] || name=$2
    if wanted "$name"; then scripts/suite.sh "$@" || true; fi
}

# beside FUNCTION...: the suites of the first before our eyes, those of the others meanwhile; what they
# printed is shown afterwards.
beside() {
    local first=$1 other
    shift
    for other in "$@"; do "$other" >"target/$other.log" 2>&1 & done
    "$first"
    wait
    for other in "$@"; do cat "target/$other.log"; done
}

suite --check rust-format cargo fmt --all --check
suite --check rust-lint cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
suite --check rust-slim cargo clippy --package reseal-wasm --lib --no-default-features --locked --quiet -- -D warnings
# No compiler runs beside browsers; what does not compile fails with the tests.
if wanted rust; then cargo test --workspace --locked --quiet --no-run || true; fi

# To link keeps one core busy, of two packages both.
of_wheel() {
    suite --check build-wheel scripts/wheel.sh
    suite --check py-lint "$VENV/bin/ruff" check python py-tests scripts spec examples
    suite --check py-format "$VENV/bin/ruff" format --check python py-tests scripts spec examples
    suite --check py-types scripts/mypy.sh
}
of_npm() {
    suite --check build-npm cargo xtask npm
    suite --check rust-no-std cargo xtask no-std
    suite --check build-testkit cargo xtask testkit
}
beside of_wheel of_npm

# Browsers and package managers wait much; of the tests in Rust the last of each program keeps one core busy.
in_node() { suite js npm test --silent --prefix js-tests; }
in_browsers() {
    suite js-consumers js-tests/consumers/run.sh
    suite js-browser node js-tests/browser/run.mjs
    suite js-workbench node js-tests/workbench/run.mjs
    suite --check js-types npm run --silent --prefix wasm check:types
    suite --check js-tests-types npm run --silent --prefix js-tests check:types
    suite --check js-format npm run --silent --prefix wasm check:format
    suite --check js-package npm run --silent --prefix wasm check:package
}
in_rust() {
    suite rust cargo test --workspace --locked --quiet --no-fail-fast
    suite --check rust-api cargo xtask api --check
    suite --check licences cargo xtask licences --check
    suite --check sbom cargo xtask sbom --check
}
beside in_node in_browsers in_rust

# Many wait for a database, or for a command that they started.
in_python() { suite py scripts/pytest.sh; }
of_readers() { suite docs "$VENV/bin/python" scripts/doc_blocks.py; }
of_all_languages() {
    suite py-interpreters "$VENV/bin/python" scripts/interpreters.py target/wheels/*.whl
    suite vectors env VECTORS_BUILT=1 scripts/vectors.sh
    suite interop scripts/interop.sh
    suite --check demo examples/demo/run.sh
}
beside in_python of_readers of_all_languages

scripts/summary.sh
