#!/usr/bin/env bash
# The packed package in the hands of users: plain programs on every Node, and TypeScript.
cd "$(dirname "$0")/../.."
exec node js-tests/consumers/run.mjs "$(scripts/consumer.sh)"
