#!/usr/bin/env bash
# Runs one suite of tests: shows its output, counts its tests, notes the result for summary.sh.
#   scripts/suite.sh [--check] NAME COMMAND...
# The counts are read from the output: cargo test, vitest, pytest, or lines of our own runners
#   RESULT passed=N failed=N [skipped=N]
# A command that runs no test has failed. With --check the exit status is the one test.
source "$(dirname "$0")/lib.sh"

CHECK=
if [ "$1" = --check ]; then CHECK=1 && shift; fi
NAME=$1
shift
RESULTS=$ROOT/target/results
mkdir -p "$RESULTS"
LOG=$RESULTS/$NAME.log

say "== $NAME: $*"
SECONDS=0
status=0
"$@" </dev/null 2>&1 | tee "$LOG" || status=$?

if [ -n "$CHECK" ]; then
    passed=1 failed=0 skipped=0
else
    read -r passed failed skipped < <(sed $'s/\x1b\\[[0-9;]*m//g' "$LOG" | awk -f scripts/counts.awk)
fi
# What broke before, between or after the tests is a failure as well.
if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
    echo "$NAME: exit status $status"
    failed=1
    [ -z "$CHECK" ] || passed=0
elif [ "$passed" = 0 ] && [ "$failed" = 0 ]; then
    echo "$NAME: ran no tests"
    failed=1
fi
printf '%s\t%s\t%s\t%s\t%s\n' "$NAME" "$passed" "$failed" "$skipped" "$SECONDS" >>"$RESULTS/results.tsv"
[ "$failed" = 0 ]
