#!/usr/bin/env bash
# The tests of Python: a process for each file, three more at once than there are cores, since many wait for
# a database; the longest first. The output comes file by file, in the order of their names.
#   scripts/pytest.sh [OPTION...]     options go to pytest
source "$(dirname "$0")/lib.sh"

LOGS=$(mktemp -d)
trap 'rm -rf "$LOGS"' EXIT
AT_ONCE=$(($(nproc) + 3))
LONGEST=(
    adapter_contract django_jobs django_model_fields django django_admin sqlalchemy retire sql_keyset job_workers sql_fleet cli cli_keysets job_stops job_life job_sources job_crash job_ids job_faults job_plan job_refused cli_jobs
    exchange job_locks cli_formats job_types job_discover job_names editors cli_streams fleet pages job_rows
    job_races database conversions properties
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
    local file=$1 status=0
    shift
    "$VENV/bin/python" -m pytest "$file" "$@" >"$LOGS/$(basename "$file").log" 2>&1 || status=$?
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
