#!/usr/bin/env bash
# Runs every program of this folder, ESM and CommonJS, with the packed package, on each Node we have.
source "$(dirname "$0")/../../scripts/lib.sh"
CONSUMER=$(scripts/consumer.sh)
cp js-tests/consumers/*.*js "$CONSUMER"

passed=0 failed=0
for node in node js-tests/node_modules/node-22/bin/node js-tests/node_modules/node-24/bin/node; do
    # The packages with other Nodes are for Linux; elsewhere the machine's own has to do.
    command -v "$node" >/dev/null || { echo "consumers: no $node here"; continue; }
    for program in js-tests/consumers/*.*js; do
        if "$node" "$CONSUMER/$(basename "$program")"; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "consumers: $(basename "$program") failed on $("$node" --version)"
        fi
    done
done
echo "RESULT passed=$passed failed=$failed"
[ $failed = 0 ]
