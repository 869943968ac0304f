#!/usr/bin/env bash
# Runs test vectors in Rust, Node and Python: the given files, or all of spec/vectors.
#   scripts/vectors.sh [FILE...]
# Each runner prints one line per file, `LANGUAGE FILE run=N passed=N failed=N [left_out=N (WHY)]`, and
# what went wrong.
source "$(dirname "$0")/lib.sh"
FROM=${VECTORS_FROM:-$OLDPWD}

files=()
if [ $# -gt 0 ]; then
    for file in "$@"; do
        case $file in /*) ;; *) file=$FROM/$file ;; esac
        [ -f "$file" ] || die "vectors: no such file: $file"
        files+=("$file")
    done
else
    while IFS= read -r file; do files+=("$file"); done < <(
        find "$ROOT/spec/vectors" -name '*.json' ! -name '*schema*' ! -path '*/schema/*' | LC_ALL=C sort)
fi
[ ${#files[@]} -gt 0 ] || die "vectors: no files"

# `make test` has built everything; by itself the command builds what it needs.
if [ -z "${VECTORS_BUILT:-}" ]; then
    scripts/bootstrap.sh
    echo "vectors: building the runners and packages (once)"
    cargo xtask testkit >/dev/null
    cargo xtask npm >/dev/null
    scripts/wheel.sh >/dev/null
fi

LOG=$(mktemp)
trap 'rm -f "$LOG"' EXIT
broken=0
runner() {
    local language=$1
    shift
    if ! "$@" "${files[@]}" 2>&1 | tee -a "$LOG"; then
        # A runner that dies before its first line must not look like one with nothing to do.
        grep -q "^$language .* failed=[1-9]" "$LOG" || { echo "vectors: the $language runner broke"; broken=$((broken + 1)); }
    fi
}
runner rust cargo run --quiet --locked --package reseal-testkit --bin vectors --
runner node node js-tests/vectors/run.mjs
runner python "$VENV/bin/python" py-tests/vectors/run.py

awk -v broken="$broken" -v files="${#files[@]}" '
    function value(name) {
        return match($0, " " name "=[0-9]+") ? substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 2) + 0 : 0
    }
    $1 ~ /^(rust|node|python)$/ && / run=[0-9]+ passed=[0-9]+ failed=[0-9]+( |$)/ {
        runs[$1] += value("run"); passed[$1] += value("passed"); failed[$1] += value("failed"); seen[$1]++
        if (value("run") + value("left_out") == 0) { print "vectors: no case was run:", $0; broken++ }
    }
    END {
        printf "\n%-10s %8s %8s %8s %8s\n", "language", "files", "run", "passed", "failed"
        n = split("rust node python", languages, " ")
        for (i = 1; i <= n; i++) {
            l = languages[i]
            printf "%-10s %8d %8d %8d %8d\n", l, seen[l], runs[l], passed[l], failed[l]
            if (seen[l] != files) { print "vectors: " l " answered for " seen[l] + 0 " of " files " files"; broken++ }
            if (runs[l] != runs[languages[1]]) { print "vectors: " l " ran another number of cases than rust"; broken++ }
            P += passed[l]; F += failed[l]
        }
        print "RESULT passed=" P + 0 " failed=" F + broken
        exit F + broken > 0
    }' "$LOG"
