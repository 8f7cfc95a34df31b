#!/bin/sh
# Installs the programs that the tests use beside Python: Chromium, redis-server, nginx, RabbitMQ, websocketd, Prometheus, fonts.
# As root on Debian or Ubuntu it installs what is missing; elsewhere it says in one line what to install.
# Exit code 1 when something the tests need is missing and CI is set: there, nothing may be skipped.
set -eu

missing=""
need() { # package, then the names that its program may have
    package=$1
    shift
    for program in "$@"; do
        if command -v "$program" >/dev/null 2>&1; then return; fi
    done
    missing="$missing $package"
}

look() {
    missing=""
    need chromium chromium
    need redis-server redis-server valkey-server
    need redis-tools redis-cli valkey-cli
    [ -x /usr/sbin/nginx ] || need nginx nginx
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || need rabbitmq-server rabbitmq-server
    need prometheus promtool
    # The fault tests cut networks, fill disks and move clocks.
    need iproute2 ip
    need util-linux nsenter
    need gettext-base envsubst
    [ -n "$(find /usr/lib /usr/lib64 -name 'libfaketime.so.1' 2>/dev/null)" ] || missing="$missing libfaketime"
    # The page's screenshots need a monospaced font and emoji; Chromium draws boxes without.
    if [ -d /usr/share/fonts ]; then
        [ -n "$(find /usr/share/fonts -name 'DejaVuSansMono.ttf' 2>/dev/null)" ] || missing="$missing fonts-dejavu-core"
        [ -n "$(find /usr/share/fonts -name 'NotoColorEmoji.ttf' 2>/dev/null)" ] || missing="$missing fonts-noto-color-emoji"
    else
        missing="$missing fonts-dejavu-core fonts-noto-color-emoji"
    fi
}

# Benchmarks compare with websocketd where there is one; no test needs it.
wanted_besides() { command -v websocketd >/dev/null 2>&1 || echo websocketd; }

look
besides=$(wanted_besides)
[ -n "$missing$besides" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    # RUNLEVEL: no package shall start a server of its own.
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    apt() { apt-get -q -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 || { tail -n 15 "$log" >&2; return 1; }; }
    # Asking the package lists costs minutes without a network; websocketd alone is not worth it.
    if [ -n "$missing" ]; then
        echo "Installing with apt:$missing $besides" >&2
        apt update
        # shellcheck disable=SC2086
        apt install --yes --no-install-recommends $missing
    fi
    if [ -n "$besides" ] && apt-cache show websocketd >/dev/null 2>&1; then
        apt install --yes --no-install-recommends websocketd || echo "websocketd could not be installed; going on without." >&2
    fi
    look
fi

if [ -n "$missing" ]; then
    echo "The tests need these packages, which are not installed:$missing (Debian, Ubuntu: sudo apt install$missing)." >&2
    [ -z "${CI:-}" ] || exit 1
fi
