#!/usr/bin/env bash
# Each language seals thousands of random values, and each opens what all have sealed. Then values go through
# all pairs of codecs: one language moves them, the other brings them back.
source "$(dirname "$0")/lib.sh"
COUNT=${COUNT:-3000}
FOLDER=$ROOT/target/interop
# The seed is new in every run and printed, so that a failure can be repeated.
SEED=${SEED:-$RANDOM}
rm -rf "$FOLDER" && mkdir -p "$FOLDER"
echo "COUNT=$COUNT SEED=$SEED"

# The name that a language's program goes by in this script.
interop() {
    local language=$1
    shift
    case $language in
        rust) cargo run --quiet --locked --package reseal-testkit --bin interop -- "$@" ;;
        node) node js-tests/interop.mjs "$@" ;;
        python) "$VENV/bin/python" py-tests/interop.py "$@" ;;
    esac
}

files=()
for language in rust node python; do
    files+=("$FOLDER/$language.jsonl")
    interop "$language" seal "$COUNT" "$SEED" "$FOLDER/$language.jsonl"
done
status=0
for language in rust node python; do
    interop "$language" open "${files[@]}" || status=1
done | tee "$FOLDER/results" || status=1
# One line per language and file, and every value of it.
awk -v count="$COUNT" '
    match($0, /passed=[0-9]+/) { passed += substr($0, RSTART + 7, RLENGTH - 7) }
    match($0, /failed=[0-9]+/) { failed += substr($0, RSTART + 7, RLENGTH - 7) }
    END {
        missed = 9 * count - passed - failed
        printf "%d values opened, %d refused, %d missed\n", passed, failed, missed
        printf "RESULT passed=%d failed=%d\n", failed + missed == 0, failed + missed != 0
        exit failed + missed != 0
    }' "$FOLDER/results" || status=1

# The program of a language for the pairs of codecs.
conversions() {
    local language=$1
    shift
    case $language in
        node) node js-tests/conversions.mjs "$@" ;;
        python) "$VENV/bin/python" -W ignore::UserWarning py-tests/conversions.py "$@" ;;
    esac
}

# What A brought to each codec, B brings back, and A makes it plain again. A program fails on a missing pair.
converted() {
    local one=$1 other=$2 moved=$FOLDER/$1-moved.jsonl back=$FOLDER/$2-back.jsonl
    conversions "$one" move "$moved" &&
        conversions "$other" back "$moved" "$back" &&
        conversions "$one" check "$back"
}

for pair in "python node" "node python"; do
    # shellcheck disable=SC2086 # two words
    if converted $pair; then
        echo "RESULT passed=1 failed=0"
    else
        echo "RESULT passed=0 failed=1" && status=1
    fi
done
exit $status
