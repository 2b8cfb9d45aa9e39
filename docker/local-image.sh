#!/bin/sh
# Builds the image postgres:MAJOR from server binaries on this machine, where no image registry can
# be reached. It answers to the same environment variables as the official image.
#
#   docker/local-image.sh MAJOR [FOLDER OF THE BINARIES]
set -eu

major=${1:?usage: docker/local-image.sh MAJOR [FOLDER OF THE BINARIES]}
bin=$(readlink -f "${2:-/usr/lib/postgresql/$major/bin}")
here=$(dirname "$(readlink -f "$0")")
case $("$bin/postgres" --version) in
*" $major".* | *" $major"[a-z]*) ;;
*) echo "\"$bin\" does not hold PostgreSQL $major" >&2 && exit 1 ;;
esac

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# The server: as pg_config tells, or else all that lies beside its binaries.
if [ -x "$bin/pg_config" ]; then
    server="$bin $("$bin/pg_config" --pkglibdir) $("$bin/pg_config" --sharedir)"
else
    server=$(dirname "$bin")
fi
# What the entrypoint calls.
tools=$(for tool in sh cat chmod chown id mkdir rm setpriv sleep; do readlink -f "$(command -v $tool)"; done)
# Several words on purpose.
# shellcheck disable=SC2086
tar -C / -hcf - $(echo $server /usr/share/zoneinfo $tools | sed "s,\(^\| \)/,\1,g") | tar -C "$root" -xf -
mkdir -p "$root/bin" "$root/etc" "$root/docker-entrypoint-initdb.d" "$root/var/run/postgresql"
mkdir -p "$root/tmp"
chmod 1777 "$root/tmp"
[ -e "$root/bin/sh" ] || ln -s "$(readlink -f /bin/sh)" "$root/bin/sh"

# The shared libraries of all that, but not those of the compiler for queries, which is large.
rm -rf "$root"/usr/lib/postgresql/*/lib/*jit* "$root"/usr/lib/postgresql/*/lib/bitcode
find "$root" -type f \( -perm -u+x -o -name '*.so*' \) -exec ldd {} + 2>/dev/null |
    sed -n 's/^[^/]*\(\/[^ ]*\) (0x.*/\1/p' | sort -u |
    while read -r library; do [ -e "$root$library" ] || cp -L --parents "$library" "$root"; done

cp "$here/entrypoint.sh" "$root/entrypoint.sh"
chmod 755 "$root/entrypoint.sh"
echo 'root:x:0:0::/:/bin/sh
postgres:x:999:999::/var/lib/postgresql:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:
postgres:x:999:' >"$root/etc/group"
[ ! -e /etc/ld.so.conf ] || cp -r --parents /etc/ld.so.conf /etc/ld.so.conf.d "$root"
ldconfig -r "$root"

tar -C "$root" --numeric-owner --owner=0 --group=0 -c . | docker import \
    --change "ENV PATH=$bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    --change 'ENV PGDATA=/var/lib/postgresql/data LANG=C.UTF-8' \
    --change 'ENTRYPOINT ["/entrypoint.sh"]' \
    --change 'CMD ["postgres"]' \
    --change 'EXPOSE 5432' \
    - "postgres:$major"
