#!/usr/bin/env bash
# Installs what is missing, and only that; says in one line each what it could not install.
#   scripts/bootstrap.sh         everything that `make test` needs
#   scripts/bootstrap.sh demo    what the packages and the demo need
#   scripts/bootstrap.sh package what the packages need, and the wheels for other systems need
#   scripts/bootstrap.sh assure  everything, and what only `make assure` needs
# On Debian as root it installs packages; elsewhere it tells what to install.
source "$(dirname "$0")/lib.sh"

WHAT=${1:-all}
MIN_RUST=1.89 MIN_NODE=20 MIN_PYTHON=3.10
MISSING=()

main() {
    if [ "$(cat "$STAMPS/bootstrap-$WHAT" 2>/dev/null)" = "$(state)" ] && [ -x "$VENV/bin/python" ] &&
        has_npm_packages; then
        return
    fi
    need_compiler
    need_rust
    need_wasm
    need_node
    need_python
    ! for_tests || need_browsers
    ! for_tests || need_databases
    [ "$WHAT" != assure ] || need_webkit
    report
    ! for_packages || need_targets
    python_packages
    local folder
    for folder in $(npm_folders); do npm_packages "$folder"; done
    state >"$STAMPS/bootstrap-$WHAT"
    echo "setup: ready"
}

for_tests() { [ "$WHAT" = all ] || [ "$WHAT" = assure ]; }
for_packages() { [ "$WHAT" = package ] || [ "$WHAT" = assure ]; }

# What the outcome depends on. With the versions of the tools: an upgrade runs the checks again.
state() {
    { rustc --version; node --version; python3 --version; } 2>&1 || true
    hash_of scripts/bootstrap.sh scripts/lib.sh py-tests/requirements.txt scripts/requirements-package.txt \
        $(npm_folders | sed 's|$|/package-lock.json|')
}

# Where packages of npm are installed. The bundlers of js-tests/consumers/ are for `make assure`.
npm_folders() {
    echo wasm
    ! for_tests || printf '%s\n' js-tests js-tests/consumers/runtimes
    [ "$WHAT" != assure ] || printf '%s\n' js-tests/consumers/bundlers js-tests/consumers/next
}

has_npm_packages() {
    local folder
    for folder in $(npm_folders); do
        [ -d "$folder/node_modules" ] || return
    done
}

# version_of COMMAND...: the first number like 1.2 that it prints, or 0.
version_of() {
    local found
    found=$("$@" 2>/dev/null | grep -oE '[0-9]+\.[0-9]+' | head -n 1) || true
    echo "${found:-0}"
}

# at_least HAVE WANT
at_least() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

# --- Debian -----------------------------------------------------------------------------------

apt_usable() {
    command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
}

APT_FRESH=
apt_update() {
    apt_usable || return 0
    [ -n "$APT_FRESH" ] || as_root apt-get update -qq </dev/null || true
    APT_FRESH=1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# apt_install PACKAGE...: true if they are installed afterwards.
apt_install() {
    apt_usable || return 1
    apt_update
    say "setup: installing $*"
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >"$ROOT/target/apt.log" 2>&1 </dev/null ||
        { tail -n 5 "$ROOT/target/apt.log" >&2; return 1; }
}

# The version that `apt_install` would install, or 0; call apt_update before.
apt_candidate() {
    apt_usable || { echo 0; return; }
    apt-cache policy "$1" 2>/dev/null | grep Candidate | grep -oE '[0-9]+\.[0-9]+' | head -n 1 || echo 0
}

# --- tools ------------------------------------------------------------------------------------

need_compiler() {
    command -v cc >/dev/null && return
    apt_install gcc libc6-dev ca-certificates || MISSING+=("a C compiler as linker (Debian: gcc libc6-dev)")
}

# Debian's own Rust is old; the packages that its browsers are built with follow the releases.
need_rust() {
    if at_least "$(version_of rustc --version)" "$MIN_RUST" && command -v cargo >/dev/null; then
        ! for_tests || rust_components
        return
    fi
    apt_update
    if at_least "$(apt_candidate rustc-web)" "$MIN_RUST" &&
        apt_install cargo-web rustc-web rustfmt-web rust-web-clippy ca-certificates; then
        return
    fi
    MISSING+=("Rust $MIN_RUST or newer: https://rustup.rs")
}

rust_components() {
    cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return
    rustup component add rustfmt clippy >/dev/null 2>&1 ||
        apt_install rustfmt-web rust-web-clippy || MISSING+=("rustfmt and clippy: rustup component add rustfmt clippy")
}

# Two ways; xtask/src/wasm.rs takes whichever is there.
need_wasm() {
    local lib
    lib=$(rustc --print sysroot 2>/dev/null)/lib/rustlib/wasm32-unknown-unknown/lib
    [ -d "$lib" ] && return
    if command -v rustup >/dev/null && timeout 180 rustup target add wasm32-unknown-unknown >/dev/null 2>&1; then
        return
    fi
    if [ -d /usr/lib/rustlib/src/rust/library/std ] && at_least "$(version_of /usr/bin/rustc --version)" "$MIN_RUST" &&
        compgen -c wasm-ld >/dev/null; then
        return
    fi
    apt_update
    if at_least "$(apt_candidate rustc-web)" "$MIN_RUST" && apt_install rustc-web rust-web-src "$(newest_lld)"; then
        return
    fi
    MISSING+=("Rust's WASM target: rustup target add wasm32-unknown-unknown")
}

# The wheels for other Linuxes; scripts/package.sh leaves out those that could not be had.
need_targets() {
    local target
    for target in "${WHEEL_TARGETS[@]}"; do
        has_target "$target" && continue
        command -v rustup >/dev/null && timeout 180 rustup target add "$target" >/dev/null 2>&1 && continue
        echo "setup: no Rust for $target, its wheel will be left out: rustup target add $target" >&2
    done
}

newest_lld() {
    apt-cache search --names-only '^lld-[0-9]+$' | cut -d ' ' -f 1 | sort -V | tail -n 1
}

# Where Debian's Node is too old, its npm can still fetch a newer one.
need_node() {
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        apt_install nodejs npm ca-certificates || true
    fi
    at_least "$(version_of node --version)" "$MIN_NODE" && command -v npm >/dev/null && return
    local machine
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) machine=linux-x64 ;;
        Linux-aarch64) machine=linux-arm64 ;;
        *) machine= ;;
    esac
    if [ -n "$machine" ] && command -v npm >/dev/null; then
        say "setup: installing Node 22 in target/tools"
        npm install --silent --no-save --ignore-scripts --prefix "$TOOLS/npm" "node-$machine@22" </dev/null || true
        rm -rf "$TOOLS/node"
        ln -s "npm/node_modules/node-$machine" "$TOOLS/node"
        hash -r
    fi
    at_least "$(version_of node --version)" "$MIN_NODE" || MISSING+=("Node $MIN_NODE or newer, with npm: https://nodejs.org")
}

need_python() {
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        apt_install python3 python3-venv || true
    fi
    at_least "$(version_of python3 --version)" "$MIN_PYTHON" && python3 -c 'import ensurepip, venv' 2>/dev/null && return
    MISSING+=("Python $MIN_PYTHON or newer with venv: https://python.org (Debian: python3-venv)")
}

# Only the browser tests need them, and they say so themselves.
need_browsers() {
    [ -n "$(find_chromium)" ] || apt_install chromium ||
        echo "setup: no Chromium found, the browser tests will fail: install it, or set CHROMIUM to its path" >&2
    [ -n "$(find_firefox)" ] || apt_install firefox-esr || apt_install firefox ||
        echo "setup: no Firefox found, the browser tests will fail: install it, or set FIREFOX to its path" >&2
}

need_webkit() {
    [ -n "$(find_webkit)" ] || apt_install webkit2gtk-driver xvfb ||
        echo "setup: no WebKitGTK found, it is left out: install its driver and Xvfb (Debian: webkit2gtk-driver xvfb)" >&2
}

# Programs that tests start themselves: what runs on this machine is left alone.
need_databases() {
    local missing=()
    has_program initdb || missing+=(postgresql)
    has_program mariadbd || missing+=(mariadb-server)
    [ ${#missing[@]} = 0 ] && return
    without_services apt_install "${missing[@]}" && return
    # Only the tests of databases need them, and they say so themselves.
    echo "setup: no PostgreSQL or no MariaDB found, the tests of databases will fail: install" \
        "${missing[*]} (initdb, postgres, mariadbd and mariadb-install-db in PATH)" >&2
}

# Where scripts/databases.py looks for it.
has_program() {
    local folder
    for folder in /usr/lib/postgresql/*/bin /usr/sbin /usr/local/sbin; do
        [ -x "$folder/$1" ] && return
    done
    command -v "$1" >/dev/null
}

# without_services COMMAND...: what it installs starts no server of the system, now.
without_services() {
    local policy=/usr/sbin/policy-rc.d status=0
    if ! apt_usable || [ -e "$policy" ]; then
        "$@"
        return
    fi
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    "$@" || status=$?
    as_root rm -f "$policy"
    return $status
}

report() {
    [ ${#MISSING[@]} = 0 ] && return
    printf 'setup: missing: %s\n' "${MISSING[@]}" >&2
    exit 1
}

# --- packages ---------------------------------------------------------------------------------

python_packages() {
    # A virtual environment points to the interpreter that made it.
    "$VENV/bin/python" -c '' 2>/dev/null || { rm -rf "$VENV" && python3 -m venv "$VENV"; }
    local wanted=py-tests/requirements.txt env
    env=$(stat_of "$VENV/pyvenv.cfg")
    if for_tests; then
        unless_done pip-all "$(hash_of "$wanted") $env" "$VENV/bin/pip" install --quiet -r "$wanted"
    else
        unless_done pip-demo "$(hash_of "$wanted") $env" \
            "$VENV/bin/pip" install --quiet "$(grep '^maturin==' "$wanted")"
    fi
    wanted=scripts/requirements-package.txt
    ! for_packages || unless_done pip-package "$(hash_of "$wanted") $env" "$VENV/bin/pip" install --quiet -r "$wanted"
}

npm_packages() {
    local key stamp=npm-${1//\//-}
    key="$(hash_of "$1/package-lock.json") $(node --version)"
    [ -d "$1/node_modules" ] || rm -f "$STAMPS/$stamp"
    # In the folder: with --prefix, older npm links `file:../wasm` to the wrong place.
    case $1 in
        # Their lock files lack binaries for other systems, of which `npm ci` wants each.
        */bundlers | */next) (cd "$1" && unless_done "$stamp" "$key" npm install --no-save --silent) ;;
        *) (cd "$1" && unless_done "$stamp" "$key" npm ci --silent) ;;
    esac
}

# Which environment it is: a new one has another inode and time.
stat_of() {
    cksum "$1" | tr ' ' -
    ls -i "$1" | cut -d ' ' -f 1
}

main
