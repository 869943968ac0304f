#!/usr/bin/env bash
# Prints the table of the suites that ran, and as the very last line the sum of all.
source "$(dirname "$0")/lib.sh"
RESULTS=$ROOT/target/results/results.tsv
[ -s "$RESULTS" ] || { echo "0 passed, 1 failed"; exit 1; }

awk -F '\t' '
    BEGIN { printf "\n%-18s %8s %8s %8s %8s\n", "suite", "passed", "failed", "skipped", "seconds" }
    { printf "%-18s %8d %8d %8d %8d\n", $1, $2, $3, $4, $5; p += $2; f += $3; s += $4; t += $5 }
    $3 { bad = bad " " $1 }
    END {
        printf "%-18s %8d %8d %8d %8d\n\n", "all", p, f, s, t
        if (bad) print "failed:" bad
        printf "%d passed, %d failed", p, f
        if (s) printf ", %d skipped", s
        print ""
        exit f > 0
    }' "$RESULTS"
