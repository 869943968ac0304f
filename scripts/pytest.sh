#!/usr/bin/env bash
# The tests of Python, in three processes more at once than there are cores, since many wait for a database. The
# longest files come first, each in a process of its own; of the others each process has some, since pytest takes
# longer to start than most of them to run; last come those of Django, whose settings belong to a process.
#   scripts/pytest.sh [OPTION...]     options go to pytest
source "$(dirname "$0")/lib.sh"

# They start Node by the thousand: its own builds start in half the time of some distributions', and
# this one has an SQLite of its own.
PATH=$ROOT/js-tests/node_modules/node-24/bin:$PATH
LOGS=$(mktemp -d)
trap 'rm -rf "$LOGS"' EXIT
AT_ONCE=$(($(nproc) + 3))
TOGETHER=6
LONGEST=(
    retire django_admin cli cli_keysets django_project job_ids job_life job_workers job_crash job_types job_faults
    sql_keyset exchange sql_fleet conversions stubs django_model_fields job_refused job_plan adapter_contract
    job_discover django_jobs job_sources job_stops cli_jobs editors cli_streams database_servers properties job_locks
    fleet cli_formats example_django job_rows typed_values bench job_limits job_raised job_triggers job_names
    job_races schemas pages
)

# A line for each process, with its files.
runs() {
    local name file longest=() alone=() others=()
    for name in "${LONGEST[@]}"; do longest+=("py-tests/test_$name.py"); done
    for file in py-tests/test_*.py; do
        case " ${longest[*]} " in *" $file "*) continue ;; esac
        if grep -q django "$file"; then alone+=("$file"); else others+=("$file"); fi
    done
    printf '%s\n' "${longest[@]}"
    printf '%s\n' "${others[@]}" | xargs -n "$TOGETHER"
    printf '%s\n' "${alone[@]}"
}

# Takes the next line that nobody has taken, and so on. Its files use one PostgreSQL and one MariaDB in
# turns, which stop when it has ended.
worker() {
    local line
    export SERVERS_WHILE=$$
    while read -r line; do
        mkdir "$LOGS/$(name_of "$line").taken" 2>/dev/null || continue
        one "$line" "$@" </dev/null
    done <"$LOGS/runs"
}

name_of() { basename "${1%% *}"; }

one() {
    local files status=0 plugins=(-p no:anyio)
    read -r -a files <<<"$1"
    shift
    # It takes longer to load than many files take to run.
    grep -q "^from hypothesis import" "${files[@]}" || plugins+=(-p no:hypothesispytest)
    "$VENV/bin/python" -m pytest "${plugins[@]}" "${files[@]}" "$@" >"$LOGS/$(name_of "${files[0]}").log" 2>&1 || status=$?
    [ "$status" = 0 ] || echo "${files[*]}: exit status $status" >>"$LOGS/failed"
}
export -f worker one name_of
export VENV LOGS

runs >"$LOGS/runs"
seq "$AT_ONCE" | xargs -P "$AT_ONCE" -I{} bash -c 'worker "$@"' worker "$@"
# A file that nobody ran has not passed.
while read -r line; do
    [ -e "$LOGS/$(name_of "$line").log" ] || echo "$line: was not run" >>"$LOGS/failed"
done <"$LOGS/runs"
cat "$LOGS"/*.log
if [ -e "$LOGS/failed" ]; then
    cat "$LOGS/failed"
    exit 1
fi
