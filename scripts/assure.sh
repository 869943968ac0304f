#!/usr/bin/env bash
# The checks that take long: ignored tests, property tests with many cases, fuzzing, the packages as they
# would be published, each built twice. FUZZ_SECONDS is the time per fuzz target, RESEAL_JOB_KILLS how often a bulk job is killed. Words
# choose suites by how their names begin: `scripts/assure.sh memory`.
source "$(dirname "$0")/lib.sh"
FUZZ_SECONDS=${FUZZ_SECONDS:-120}
CARGO_FUZZ=0.13.1
# Test suites of all languages read this and do more.
export RESEAL_ASSURE=1 PROPTEST_CASES=${PROPTEST_CASES:-20000} RESEAL_KILLS=${RESEAL_KILLS:-200}

fuzz_tool() {
    [ -x "$TOOLS/bin/cargo-fuzz" ] || cargo install --quiet --locked --root "$TOOLS" --version "$CARGO_FUZZ" cargo-fuzz
}

# On stable: coverage needs an unstable flag, and the sanitizers a library that stable lacks.
fuzz() {
    local target
    for target in $("$TOOLS/bin/cargo-fuzz" list --fuzz-dir core/fuzz); do
        # What is found goes into the first corpus; the second is that of the repository.
        mkdir -p "target/fuzz-corpus/$target"
        if RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$ROOT/target/fuzz "$TOOLS/bin/cargo-fuzz" run --sanitizer none \
            --fuzz-dir core/fuzz "$target" "target/fuzz-corpus/$target" "core/fuzz/corpus/$target" \
            -- -max_total_time="$FUZZ_SECONDS"; then
            echo "RESULT passed=1 failed=0"
        else
            echo "RESULT passed=0 failed=1"
        fi
    done
}

# Does what a user's pip does where there is no wheel: needs nothing but cargo.
sdist() {
    local folder=$ROOT/target/sdist
    rm -rf "$folder" && mkdir "$folder"
    "$VENV/bin/maturin" sdist --manifest-path python/Cargo.toml --out "$folder"
    "$VENV/bin/pip" wheel --quiet --no-deps --wheel-dir "$folder" "$folder"/*.tar.gz
    "$VENV/bin/python" scripts/archives.py "$folder"/*.tar.gz "$folder"/*.whl
    "$VENV/bin/python" scripts/interpreters.py "$folder"/*.whl
}

# All that would be published: that it can be made, what is in it, and that the wheels run.
packages() {
    scripts/package.sh release
    "$VENV/bin/python" scripts/archives.py dist/*.*
    "$VENV/bin/python" scripts/interpreters.py dist/*manylinux*"$(uname -m)".whl
    scripts/musl.sh && echo "RESULT passed=1 failed=0"
}

# The script calls itself for the steps that are functions.
case ${1:-} in
    fuzz) fuzz_tool; fuzz; exit ;;
    sdist) sdist; exit ;;
    packages) packages; exit ;;
esac

rm -rf target/results
scripts/bootstrap.sh assure
ONLY=" $* "
suite() {
    local name=$1 only word
    [ "$name" != --check ] || name=$2
    case $name in build*) only=$name ;; *) only= ;; esac
    for word in $ONLY; do
        case $name in "$word"*) only=$name ;; esac
    done
    if [ "$ONLY" = "  " ] || [ -n "$only" ]; then scripts/suite.sh "$@" || true; fi
}
suite --check build-npm cargo xtask npm
suite --check build-wheel scripts/wheel.sh
suite --check build-testkit cargo xtask testkit
suite rust-long cargo test --release --locked --quiet --workspace -- --include-ignored
suite js-long npm test --silent --prefix js-tests
for version in 22 24; do
    suite "js-node-$version" env -u RESEAL_ASSURE PATH="$ROOT/js-tests/node_modules/node-$version/bin:$PATH" npm test --silent --prefix js-tests
done
suite consumers js-tests/consumers/run.sh bundlers
suite py-long "$VENV/bin/python" -m pytest py-tests --ignore py-tests/test_job_memory.py
suite memory "$VENV/bin/python" -m pytest -s py-tests/test_job_memory.py
suite crash env RESEAL_JOB_KILLS="${RESEAL_JOB_KILLS:-50}" "$VENV/bin/python" -m pytest py-tests/test_job_crash.py
suite docs-long "$VENV/bin/python" scripts/doc_blocks.py
suite fuzz scripts/assure.sh fuzz
suite interop-long env COUNT=50000 scripts/interop.sh
suite vectors-long scripts/vectors.sh
suite js-browser-long node js-tests/browser/run.mjs --query runs=1000
if [ -n "$(find_webkit)" ]; then
    suite js-webkit node js-tests/browser/run.mjs --browser webkit
else
    echo "js-webkit: left out, WebKitGTK's driver or Xvfb is not here (Debian: webkit2gtk-driver xvfb)"
fi
suite sdist scripts/assure.sh sdist
suite packages scripts/assure.sh packages
suite reproducible scripts/reproducible.sh
scripts/summary.sh
