#!/bin/sh
# Sees to a Docker engine and docker-compose for `make test-containers`. As root on Debian or Ubuntu it installs what
# is missing and starts an engine when none answers; elsewhere it says in one line what to do.
# Exit code 0: there they are. 1: CI is set, and they cannot be had. 3: they cannot be had, and need not.
set -eu

give_up() {
    echo "The containers' tests were not run: $1" >&2
    [ -z "${CI:-}" ] || exit 1
    exit 3
}

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }
answers() { docker version >/dev/null 2>&1; }

missing() {
    # A client alone is of use where an engine answers, or where none can be installed.
    { command -v docker && { command -v dockerd || answers || ! can_install; }; } >/dev/null 2>&1 || echo docker.io
    command -v docker-compose >/dev/null 2>&1 || docker compose version >/dev/null 2>&1 || echo docker-compose
}

wanted=$(missing | tr '\n' ' ')
if [ -n "$wanted" ]; then
    can_install || give_up "install $wanted(Debian, Ubuntu: sudo apt install $wanted)."
    echo "Installing with apt: $wanted" >&2
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    # RUNLEVEL: the package shall not start an engine of its own; where there is no init it could not.
    # shellcheck disable=SC2086
    { apt-get -q update && RUNLEVEL=1 apt-get -q install --yes --no-install-recommends $wanted; } >"$log" 2>&1 || {
        tail -n 15 "$log" >&2
        rm -f "$log"
        give_up "$wanted could not be installed; the last lines of apt are above."
    }
    rm -f "$log"
fi

answers || {
    { [ "$(id -u)" = 0 ] && command -v dockerd >/dev/null 2>&1; } ||
        give_up "the Docker engine does not answer: start it, or get the right to use it (docker version says more)."
    log=$(mktemp)
    echo "Starting dockerd; it goes on running, its log is $log" >&2
    # Packets larger than what the way out carries may vanish without a word.
    device=$(ip -4 route show default 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
    setsid dockerd --mtu "$(cat "/sys/class/net/$device/mtu" 2>/dev/null || echo 1500)" >"$log" 2>&1 </dev/null &
    engine=$!
    tries=0
    until answers; do
        tries=$((tries + 1))
        if [ "$tries" -ge 300 ] || ! kill -0 "$engine" 2>/dev/null; then
            tail -n 15 "$log" >&2
            give_up "dockerd does not run here; its last lines are above."
        fi
        sleep 0.1
    done
}

# An image that is there already is used as it is: not every machine reaches a registry.
base_images() { sed -n 's/^FROM \([^ ]*\).*/\1/p' Dockerfile-flask Dockerfile-nginx Dockerfile-redis | sort -u; }
for image in $(base_images); do
    docker image inspect "$image" >/dev/null 2>&1 || docker pull --quiet "$image" >/dev/null 2>&1 || {
        [ -n "${CI:-}" ] || give_up "the image $image is not here and cannot be pulled (docker pull $image says why)."
        tools/base_images.sh || give_up "the image $image can be neither pulled nor made here."
        break
    }
done
