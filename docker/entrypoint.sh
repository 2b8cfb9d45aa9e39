#!/bin/sh
# Brings a server up as the official image does: a first start makes the cluster, the user and the
# database, a second one serves. Answers to POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB,
# POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD and PGDATA.
set -eu

case ${1-} in
'' | -*) set -- postgres "$@" ;;
esac
[ "$1" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown -R 999:999 "$PGDATA" /var/run/postgresql
    chmod 700 "$PGDATA"
    exec setpriv --reuid=999 --regid=999 --clear-groups "$0" "$@"
fi

if ! [ -s "$PGDATA/PG_VERSION" ]; then
    user=${POSTGRES_USER:-postgres} database=${POSTGRES_DB:-${POSTGRES_USER:-postgres}}
    method=${POSTGRES_HOST_AUTH_METHOD-}
    if [ -z "${POSTGRES_PASSWORD-}" ] && [ "$method" != trust ]; then
        echo 'POSTGRES_PASSWORD must be set, or POSTGRES_HOST_AUTH_METHOD=trust' >&2
        exit 1
    fi
    echo "${POSTGRES_PASSWORD:-unused}" >/tmp/password
    # The arguments are several words on purpose.
    # shellcheck disable=SC2086
    initdb --username="$user" --pwfile=/tmp/password ${POSTGRES_INITDB_ARGS-}
    rm /tmp/password
    # As the server itself keeps passwords, which is md5 before 14.
    echo "host all all all ${method:-$(postgres -C password_encryption)}" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    shift
    pg_ctl -D "$PGDATA" -o "$* -c listen_addresses= -c unix_socket_directories=/var/run/postgresql" -w start
    sql() { psql -v ON_ERROR_STOP=1 -h /var/run/postgresql -U "$user" "$@"; }
    [ "$database" = postgres ] ||
        echo 'CREATE DATABASE :"database"' | sql -d postgres -v database="$database"
    for file in /docker-entrypoint-initdb.d/*.sql; do
        ! [ -e "$file" ] || sql -d "$database" -f "$file"
    done
    pg_ctl -D "$PGDATA" -m fast -w stop
    set -- postgres "$@"
fi

exec "$@" -c unix_socket_directories=/var/run/postgresql
