#!/bin/sh
# The entry point of the image app-redis: checks the data folder, takes over what an older Redis left there, and
# becomes redis-server as the user `redis`. Starts as root, to give a folder that Docker made to that user.
set -eu

fail() {
    echo "redis: $1" >&2
    exit 1
}

cd /data
if [ "$(id -u)" = 0 ]; then
    probe=$(mktemp /data/.probe.XXXXXX 2>&1) || fail "./redis_data cannot be written ($probe): give a folder on a disk that is writable"
    rm -f "$probe"
    find . ! -user redis -exec chown redis:redis {} + ||
        fail "./redis_data holds files that cannot be given to the user redis ($(id -u redis)): chown them on the host"
fi

configuration=/usr/local/etc/redis/redis.conf
set -- "$configuration" --maxmemory "${REDIS_MAXMEMORY:-0}"

# A secret, not an argument: those of a process are seen by all.
if [ -d /run/secrets/redis_password ]; then
    fail "secrets/redis_password is a folder: remove it and run tools/make_secrets.sh (docs/docker.md)"
elif [ -f /run/secrets/redis_password ]; then
    password=$(head -n 1 /run/secrets/redis_password)
    [ "${#password}" -ge 16 ] || fail "secrets/redis_password: expected at least 16 characters; tools/make_secrets.sh makes one"
    case $password in
        *[!A-Za-z0-9_.~=-]*) fail "secrets/redis_password: expected letters, digits and -._~= only; tools/make_secrets.sh makes one" ;;
    esac
    umask 077
    printf '%s' "$password" > /run/redis-password
    printf 'requirepass %s\n' "$password" > /run/redis-password.conf
    set -- "$@" --include /run/redis-password.conf
    [ "$(id -u)" != 0 ] || chown redis:redis /run/redis-password /run/redis-password.conf
fi

as_redis() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid=redis --regid=redis --clear-groups "$@"; else "$@"; fi
}

# Redis with an append-only file reads no snapshot: data of a Redis that kept only those would seem to be gone.
if [ -s dump.rdb ] && [ ! -e appendonlydir ] && [ ! -e appendonly.aof ]; then
    echo "redis: taking over dump.rdb of an older Redis" >&2
    socket=/run/takeover/redis.sock
    mkdir -p /run/takeover
    [ "$(id -u)" != 0 ] || chown redis:redis /run/takeover
    asked() { as_redis redis-cli -s "$socket" "$@"; }
    as_redis redis-server --dir /data --port 0 --unixsocket "$socket" --appendonly no --save "" > /run/takeover.log 2>&1 &
    server=$!
    until [ "$(asked ping 2> /dev/null)" = PONG ]; do
        kill -0 "$server" 2> /dev/null || { cat /run/takeover.log >&2; fail "dump.rdb cannot be read: Redis' words are above. A newer Redis may have written it"; }
        sleep 0.2
    done
    asked config set appendonly yes > /dev/null
    until asked info persistence | grep -q 'aof_rewrite_in_progress:0' && [ -s appendonlydir/appendonly.aof.manifest ]; do sleep 0.2; done
    asked shutdown nosave
    wait "$server" || true
    mv dump.rdb dump.rdb.taken-over
fi

if [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid=redis --regid=redis --clear-groups redis-server "$@"
fi
exec redis-server "$@"
