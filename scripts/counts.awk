# Sums the counts of test runners' summary lines, and prints: passed failed skipped.
function count(word,    n) {
    # The number before a whole word: "3 failed" but not "3 xfailed".
    if (!match(" " $0, "[^0-9a-z][0-9]+ " word "([^a-z]|$)")) return 0
    n = substr(" " $0, RSTART + 1, RLENGTH - 1)
    return n + 0
}
function add(p, f, s) { passed += p; failed += f; skipped += s }

# cargo test
/^test result: / { add(count("passed"), count("failed"), count("ignored")); next }
# vitest; the line "Test Files" counts files
/^ *Tests  / { add(count("passed"), count("failed"), count("skipped") + count("todo")); next }
# pytest; errors are set-ups that failed
/^(=+ )?[0-9]+ [a-z].* in [0-9.]+s/ {
    add(count("passed") + count("xfailed"), count("failed") + count("errors?") + count("xpassed"), count("skipped"))
    next
}
# our own runners
/^RESULT / {
    for (i = 2; i <= NF; i++) {
        split($i, pair, "=")
        total[pair[1]] += pair[2]
    }
}
END { print passed + total["passed"], failed + total["failed"], skipped + total["skipped"] }
