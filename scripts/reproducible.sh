#!/usr/bin/env bash
# Builds all packages twice, each time in another folder, with another home, umask, time zone and
# language, and compares byte by byte. Then looks for names of folders in what came out.
#   scripts/reproducible.sh [WORD...]     some of it, as scripts/package.sh takes it
source "$(dirname "$0")/lib.sh"
scripts/bootstrap.sh package
OUT=$ROOT/target/reproducible
TARGET=$(rustc -vV | sed -n 's/^host: //p')
[ $# -gt 0 ] || set -- npm sdist crates "$TARGET"
WORDS=("$@")
rm -rf "$OUT" && mkdir -p "$OUT"

# build FOLDER UMASK ZONE LANGUAGE
build() {
    local copy=$OUT/$1 home=$OUT/$1-home
    mkdir -p "$copy/target/stamps" "$home/.cargo"
    tar -x -C "$copy" -f "$OUT/source.tar"
    cp -a wasm/node_modules "$copy/wasm/"
    ln -s "$VENV" "$copy/.venv"
    # What was downloaded is shared, under another name.
    ln -s "${CARGO_HOME:-$HOME/.cargo}"/{registry,bin} "$home/.cargo/"
    (
        umask "$2"
        unset CARGO_HOME
        export RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
        export HOME=$home TZ=$3 LC_ALL=$4 PACKAGE_READY=1 CARGO_TARGET_DIR=$copy/built
        "$copy/scripts/package.sh" "${WORDS[@]}" >"$copy.log" 2>&1
    ) || { cat "$copy.log" && return 1; }
    # Room for the second.
    mv "$copy/dist" "$OUT/$1-dist" && rm -rf "$copy"
}

# unnamed ARCHIVE: no file in it names a folder of this machine.
unnamed() {
    local inside=$OUT/inside found
    rm -rf "$inside" && mkdir "$inside"
    case $1 in
        *.whl) "$VENV/bin/python" -m zipfile -e "$1" "$inside" ;;
        *) tar -xzf "$1" -C "$inside" ;;
    esac
    found=$(grep -rlaF -e "$ROOT/" -e "$HOME/" -e "$OUT" -e "/.cargo/registry" -e "/.rustup/" "$inside") || return 0
    echo "a folder of this machine is named in $found" >&2
    return 1
}

# What is in the repository, or would be if it were committed: as it is now, for both.
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    [ ! -e "$file" ] || printf '%s\0' "$file"
done | tar -c --null -T - -f "$OUT/source.tar"

build one 022 UTC C
build a/second/folder 077 Asia/Kolkata C.UTF-8

passed=0 failed=0
for file in "$OUT"/one-dist/*; do
    name=$(basename "$file")
    other=$OUT/a/second/folder-dist/$name
    if cmp "$file" "$other" && unnamed "$file"; then
        echo "$name: the same, $(cksum <"$file")"
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done
echo "RESULT passed=$passed failed=$failed"
[ "$failed" = 0 ]
