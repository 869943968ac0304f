#!/usr/bin/env bash
# The tests of Python, in three processes more at once than there are cores, since many wait for a database. The
# longest files come first, each in a process of its own, as do those of Django, whose settings belong to a process;
# of the others each process has some, since pytest takes longer to start than most of them to run.
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
    retire sql_keyset job_ids cli job_life sql_fleet cli_keysets django_admin adapter_contract exchange job_workers
    job_types conversions job_faults job_stops job_sources stubs job_crash cli_formats cli_jobs job_triggers job_plan
    properties bench database fleet cli_streams editors job_refused schemas django_jobs django_model_fields
    job_names example_django job_discover job_locks typed_values job_races job_rows pages
)

# A line for each process, with its files.
runs() {
    local name file alone=() others=()
    for name in "${LONGEST[@]}"; do alone+=("py-tests/test_$name.py"); done
    for file in py-tests/test_*.py; do
        case " ${alone[*]} " in *" $file "*) continue ;; esac
        if grep -q django "$file"; then alone+=("$file"); else others+=("$file"); fi
    done
    printf '%s\n' "${alone[@]}"
    printf '%s\n' "${others[@]}" | xargs -n "$TOGETHER"
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
