#!/usr/bin/env bash
# The packed package in the hands of users: plain programs on every Node, TypeScript, other runtimes,
# and pages bundled by esbuild. `run.sh bundlers` takes the bundlers that are slow.
source "$(dirname "$0")/../../scripts/lib.sh"
CONSUMER=$(scripts/consumer.sh)
cd js-tests/consumers

status=0
if [ "${1:-}" = bundlers ]; then
    node run-bundlers.mjs "$CONSUMER" rollup vite webpack || status=1
    node run-next.mjs "$CONSUMER" || status=1
else
    node run.mjs "$CONSUMER" || status=1
    node run-runtimes.mjs "$CONSUMER" || status=1
    node run-bundlers.mjs "$CONSUMER" esbuild || status=1
fi
exit $status
