#!/usr/bin/env bash
# The tests of Python: a process for each file, as many at once as there are cores, the longest first.
# The output comes file by file, in the order of their names.
#   scripts/pytest.sh [OPTION...]     options go to pytest
source "$(dirname "$0")/lib.sh"

LOGS=$(mktemp -d)
trap 'rm -rf "$LOGS"' EXIT
LONGEST=(job_crash job_stops job_faults job_locks job_races job_life job_plan job_ids cli_keysets cli_formats cli exchange editors fleet properties database cli_streams pages conversions)

files() {
    local name
    for name in "${LONGEST[@]}"; do echo "py-tests/test_$name.py"; done
    ls py-tests/test_*.py
}

one() {
    local file=$1 status=0
    shift
    "$VENV/bin/python" -m pytest "$file" "$@" >"$LOGS/$(basename "$file").log" 2>&1 || status=$?
    [ "$status" = 0 ] || echo "$file: exit status $status" >>"$LOGS/failed"
}
export -f one
export VENV LOGS

files | awk '!seen[$0]++' | xargs -P "$(nproc)" -I{} bash -c 'one "$@"' _ {} "$@"
cat "$LOGS"/*.log
if [ -e "$LOGS/failed" ]; then
    cat "$LOGS/failed"
    exit 1
fi
