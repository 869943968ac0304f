# Sourced by every script here: the root, the tools, and a few helpers. Needs bash 3.2 or newer.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

STAMPS=$ROOT/target/stamps
TOOLS=$ROOT/target/tools
VENV=$ROOT/.venv
mkdir -p "$STAMPS"

# A Node that bootstrap had to bring is found first; rustup's folder may be missing from PATH.
PATH=$TOOLS/node/bin:$PATH
[ -d "$HOME/.cargo/bin" ] && PATH=$PATH:$HOME/.cargo/bin
export PATH
# One interpreter for every build of the Python module, so that cargo does not rebuild it in turns.
export PYO3_PYTHON=$VENV/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '\033[1m%s\033[0m\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# One checksum for the contents of files and folders.
hash_of() {
    find "$@" -type f ! -name '*.so' ! -name '*.pyc' -exec cksum {} + | LC_ALL=C sort | cksum | tr ' ' -
}

# unless_done NAME KEY COMMAND...: runs the command unless it succeeded before with the same key.
unless_done() {
    local stamp=$STAMPS/$1 key=$2
    shift 2
    if [ "$(cat "$stamp" 2>/dev/null)" != "$key" ]; then
        rm -f "$stamp"
        "$@"
        printf '%s' "$key" >"$stamp"
    fi
}

# first_of COMMAND...: the path of the first that is there, or nothing.
first_of() {
    local candidate
    for candidate in "$@"; do
        if [ -n "$candidate" ] && command -v "$candidate" >/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

# The browsers for tests, or nothing. CHROMIUM and FIREFOX name others.
find_chromium() {
    first_of "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
}
find_firefox() {
    first_of "${FIREFOX:-}" firefox-esr firefox "/Applications/Firefox.app/Contents/MacOS/firefox"
}
# WebKitGTK is driven in a display of its own.
find_webkit() {
    [ -z "$(first_of Xvfb)" ] || first_of WebKitWebDriver
}

# Flags for a build whose bytes do not tell where it was made: panic messages carry file names. As in
# xtask/src/wasm.rs. The library's own source gets the name that it has where it is not installed.
remapped_paths() {
    local commit sysroot
    sysroot=$(rustc --print sysroot)
    commit=$(rustc --version --verbose | sed -n 's/^commit-hash: //p')
    echo "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" \
        "--remap-path-prefix=$ROOT=/reseal" \
        "--remap-path-prefix=${CARGO_TARGET_DIR:-$ROOT/target}=/reseal/target" \
        "--remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$commit"
}

# What wheels are made for, and whether this machine's Rust can.
WHEEL_TARGETS=(
    x86_64-unknown-linux-gnu x86_64-unknown-linux-musl aarch64-unknown-linux-gnu aarch64-unknown-linux-musl
)
has_target() { [ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ]; }
