#!/usr/bin/env bash
# The musllinux wheel of dist/ in a CPython that was built with musl. Debian has the C library and the
# source of its Python; where they cannot be had, this fails with a line that says so.
source "$(dirname "$0")/lib.sh"
FOLDER=$TOOLS/musl
PYTHON=$FOLDER/python/bin/python3

fetch() {
    local lists=$FOLDER/lists name
    name=$(apt-cache depends python3 | sed -n 's/^  Depends: \(python3\.[0-9]*\)$/\1/p' | head -n 1)
    rm -rf "$FOLDER" && mkdir -p "$lists/partial"
    # Sources, as beside the packages that this machine installs; its own settings stay.
    cat /etc/apt/sources.list.d/*.sources | sed 's/^Types:.*/Types: deb-src/' >"$FOLDER/from.sources"
    local options=(
        -o "Dir::Etc::SourceList=$FOLDER/from.sources" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$lists"
    )
    apt-get "${options[@]}" update -qq
    (cd "$FOLDER" && apt-get "${options[@]}" source -qq --download-only --tar-only "$name")
    mkdir "$FOLDER/source"
    tar -xf "$FOLDER"/python3*.orig.tar.* -C "$FOLDER/source" --strip-components=1
}

# Without what wants other libraries: ssl, sqlite3, zlib. The package needs none of them.
build() {
    command -v musl-gcc >/dev/null || apt-get install -y -qq --no-install-recommends musl musl-dev musl-tools >/dev/null
    fetch
    # Debian's compiler calls every system gnu; CPython asks with one dash and with two.
    printf '%s\n' '#!/bin/sh' 'case $1 in *-print-multiarch) echo x86_64-linux-musl && exit ;; esac' \
        'exec musl-gcc "$@"' >"$FOLDER/cc"
    chmod +x "$FOLDER/cc"
    cd "$FOLDER/source"
    ./configure -q CC="$FOLDER/cc" --without-ensurepip --disable-test-modules --with-pkg-config=no \
        --prefix="$FOLDER/python"
    make -s -j"$(nproc)"
    make -s install
}

if [ ! -x "$PYTHON" ]; then
    (build) >"$ROOT/target/musl.log" 2>&1 || die "musl: no CPython could be built with musl: see target/musl.log"
fi
wheel=$(ls dist/*-musllinux_1_2_x86_64.whl) || die "musl: no wheel in dist/; run scripts/package.sh"
glibc=$(ls dist/*manylinux*_x86_64.whl)

# As pip there would choose it; the one here unpacks it.
unpack() {
    rm -rf "$FOLDER/$1"
    "$VENV/bin/pip" install --quiet --no-index --no-deps --target "$FOLDER/$1" \
        --only-binary :all: --python-version "$2" --platform "$3" "$4"
}
version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
unpack musl-site "$version" musllinux_1_2_x86_64 "$wheel"
unpack glibc-site "$version" manylinux2014_x86_64 "$glibc"

# What one seals, the other opens.
SEAL='import reseal
key = reseal.Key.generate()
print(key.export(), reseal.Keyring(primary=key).seal("078-05-1120", {"row": 42}))'
OPEN='import sys, reseal
key, stored = sys.argv[1:]
print(reseal.Keyring(primary=reseal.Key.parse(key)).open_str(stored, {"row": 42}))'
musl() { PYTHONPATH=$FOLDER/musl-site "$PYTHON" "$@"; }
glibc() { PYTHONPATH=$FOLDER/glibc-site "$VENV/bin/python" "$@"; }
# shellcheck disable=SC2046 # two words
there=$(glibc -c "$OPEN" $(musl -c "$SEAL"))
# shellcheck disable=SC2046
back=$(musl -c "$OPEN" $(glibc -c "$SEAL"))
[ "$there" = 078-05-1120 ] && [ "$back" = 078-05-1120 ] || die "musl: $there, $back"
[ "$(musl -m reseal --version)" = "$(glibc -m reseal --version)" ] || die "musl: the command has another version"
echo "musl: CPython $version seals, opens and runs the command"
