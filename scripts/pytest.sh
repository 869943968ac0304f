#!/usr/bin/env bash
# The tests of Python: a process for each file, three more at once than there are cores, since many wait for
# a database; the longest first. The output comes file by file, in the order of their names.
#   scripts/pytest.sh [OPTION...]     options go to pytest
source "$(dirname "$0")/lib.sh"

# They start Node by the thousand: its own builds start in half the time of some distributions', and
# this one has an SQLite of its own.
PATH=$ROOT/js-tests/node_modules/node-24/bin:$PATH
LOGS=$(mktemp -d)
trap 'rm -rf "$LOGS"' EXIT
AT_ONCE=$(($(nproc) + 3))
LONGEST=(
    cli retire cli_keysets job_life django_admin sql_keyset adapter_contract job_ids sql_fleet exchange job_faults
    job_plan job_types conversions job_workers cli_formats job_stops job_crash cli_jobs pages editors job_sources
    fleet stubs django_model_fields job_refused django_jobs cli_streams properties database bench schemas
    job_names job_locks job_discover typed_values example_django job_races job_rows
)

files() {
    local name
    for name in "${LONGEST[@]}"; do echo "py-tests/test_$name.py"; done
    ls py-tests/test_*.py
}

# Takes the next file that nobody has taken, and so on. Its files use one PostgreSQL and one MariaDB in
# turns, which stop when it has ended.
worker() {
    local file
    export SERVERS_WHILE=$$
    while read -r file; do
        mkdir "$LOGS/$(basename "$file").taken" 2>/dev/null || continue
        one "$file" "$@" </dev/null
    done <"$LOGS/files"
}

one() {
    local file=$1 status=0 plugins=(-p no:anyio)
    shift
    # It takes longer to load than many files take to run.
    grep -q "^from hypothesis import" "$file" || plugins+=(-p no:hypothesispytest)
    "$VENV/bin/python" -m pytest "${plugins[@]}" "$file" "$@" >"$LOGS/$(basename "$file").log" 2>&1 || status=$?
    [ "$status" = 0 ] || echo "$file: exit status $status" >>"$LOGS/failed"
}
export -f worker one
export VENV LOGS

files | awk '!seen[$0]++' >"$LOGS/files"
seq "$AT_ONCE" | xargs -P "$AT_ONCE" -I{} bash -c 'worker "$@"' worker "$@"
# A file that nobody ran has not passed.
while read -r file; do
    [ -e "$LOGS/$(basename "$file").log" ] || echo "$file: was not run" >>"$LOGS/failed"
done <"$LOGS/files"
cat "$LOGS"/*.log
if [ -e "$LOGS/failed" ]; then
    cat "$LOGS/failed"
    exit 1
fi
