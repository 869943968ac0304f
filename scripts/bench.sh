#!/usr/bin/env bash
# Speed, each peer in the same run. Rust: core/benches. Python and Node: one program per file. Words
# choose programs by their names: "rust", "jobs", "codecs".
source "$(dirname "$0")/lib.sh"
scripts/bootstrap.sh
cargo xtask npm
scripts/wheel.sh >/dev/null

wanted() {
    local word
    [ -n "$WORDS" ] || return 0
    for word in $WORDS; do
        case $1 in *"$word"*) return 0 ;; esac
    done
    return 1
}
WORDS=$*

if wanted rust; then
    cargo bench --locked --package reseal
fi
for program in py-tests/bench/*.py; do
    [ -e "$program" ] || die "bench: no programs in py-tests/bench"
    if wanted "$(basename "$program")"; then
        "$VENV/bin/python" "$program"
    fi
done
for program in js-tests/bench/*.mjs; do
    [ -e "$program" ] || die "bench: no programs in js-tests/bench"
    if wanted "$(basename "$program")"; then
        # The package is a link, and finds the drivers of databases where the link stands.
        node --preserve-symlinks "$program"
    fi
done
