#!/usr/bin/env bash
# A program that depends on the npm package as a user gets it: packed, and unpacked in node_modules.
# Prints the folder.
source "$(dirname "$0")/lib.sh"
HOME_OF_CONSUMER=$ROOT/target/consumer

unpack() {
    rm -rf "$HOME_OF_CONSUMER"
    mkdir -p "$HOME_OF_CONSUMER/node_modules/reseal"
    (cd wasm && npm pack --silent --pack-destination "$HOME_OF_CONSUMER" >/dev/null)
    tar -xzf "$HOME_OF_CONSUMER"/reseal-*.tgz -C "$HOME_OF_CONSUMER/node_modules/reseal" --strip-components=1
    # What its user has beside it.
    local package
    for package in drizzle-orm kysely libsql pg; do
        ln -s "$ROOT/js-tests/node_modules/$package" "$HOME_OF_CONSUMER/node_modules/$package"
    done
}

[ -d "$HOME_OF_CONSUMER" ] || rm -f "$STAMPS/consumer"
unless_done consumer "$(hash_of wasm/dist wasm/package.json wasm/README.md scripts/consumer.sh)" unpack
echo "$HOME_OF_CONSUMER"
