#!/bin/sh
# The entry point of the image app-nginx: fills the settings into the configuration, sees to a certificate where TLS
# is wanted, and becomes nginx. As root, which the compose files ask for, it reads what the host's user alone may read
# (a certificate's key, the files of a clone), and becomes the user `nginx` before anything listens.
# Without Docker, NODES lists the nodes, and the settings below say where things are (docs/nodes.md).
set -eu
umask 022
source=$(cd "$(dirname "$0")" && pwd)

fail() {
    echo "nginx: $1" >&2
    exit 2
}

: "${PREFIX:=}" "${UPLOAD_LIMIT:=16m}" "${LOGIN_RATE:=30}" "${TLS:=off}" "${HTTPS_PORT:=443}"
: "${NODES:=}" "${SANDBOX:=sandbox:5050}" "${TARGET:=/run/nginx}" "${ASSETS:=/srv/assets}" "${RUN_AS:=nginx}"
: "${HTTP_LISTEN:=8080}" "${HTTPS_LISTEN:=8443}" "${HEALTH_LISTEN:=127.0.0.1:8081}"
target=$TARGET
case $PREFIX in
    "") ;;
    *[!A-Za-z0-9/_-]* | */ | *//* ) fail "PREFIX: '$PREFIX' is wrong: expected nothing, or a path such as /realtime" ;;
    /*) ;;
    *) fail "PREFIX: '$PREFIX' is wrong: expected nothing, or a path such as /realtime" ;;
esac
echo "$UPLOAD_LIMIT" | grep -Eqx '[0-9]{1,9}[kKmMgG]?' ||
    fail "UPLOAD_LIMIT: '$UPLOAD_LIMIT' is wrong: expected a size such as 500k, 16m or 2g; 0 is no limit"
echo "$LOGIN_RATE" | grep -Eqx '[1-9][0-9]{0,4}' ||
    fail "LOGIN_RATE: '$LOGIN_RATE' is wrong: expected how many logins a minute one address may begin, such as 30"
echo "$HTTPS_PORT" | grep -Eqx '[1-9][0-9]{0,4}' || fail "HTTPS_PORT: '$HTTPS_PORT' is wrong: expected a port"

case $TLS in
    off) SERVERS=plain.conf ;;
    on) SERVERS=tls.conf ;;
    *) fail "TLS: '$TLS' is wrong: expected on or off" ;;
esac

mkdir -p "$target/pages"
# Where requests go to, and by what a polling page finds its own node again (sticky.conf).
if [ -n "$NODES" ]; then
    UPSTREAM=flask_nodes
    NODE_ADDRESS=""
    {
        echo "upstream $UPSTREAM {"
        # All workers count together, and a page keeps its connection: who comes gets the node with the fewest.
        echo "    zone $UPSTREAM 128k;"
        echo "    least_conn;"
        for node in $(echo "$NODES" | tr ',' ' '); do
            echo "$node" | grep -Eqx '([0-9]{1,3}\.){3}[0-9]{1,3}:[1-9][0-9]{0,4}' ||
                fail "NODES: '$node' is wrong: expected addresses such as 10.0.0.1:5000,10.0.0.2:5000"
            # A node that does not answer is left out for a moment only: it may be restarting.
            echo "    server $node max_fails=1 fail_timeout=1s;"
            NODE_ADDRESS="$NODE_ADDRESS${NODE_ADDRESS:+|}$(echo "$node" | sed 's/\./\\./g')"
        done
        echo "}"
    } > "$target/nodes.conf"
else
    UPSTREAM=flask:5000
    : > "$target/nodes.conf"
    own=$(hostname -i | tr ' ' '\n' | grep -m 1 '\.') || fail "this container has no IPv4 address"
    NODE_ADDRESS="$(echo "$own" | cut -d . -f 1,2 | sed 's/\./\\./g')\\.\\d{1,3}\\.\\d{1,3}:5000"
fi
HTTPS_SUFFIX=""
[ "$HTTPS_PORT" = 443 ] || HTTPS_SUFFIX=":$HTTPS_PORT"
export PREFIX UPLOAD_LIMIT LOGIN_RATE SERVERS HTTPS_SUFFIX UPSTREAM NODE_ADDRESS SANDBOX TARGET ASSETS
export HTTP_LISTEN HTTPS_LISTEN HEALTH_LISTEN
for file in "$source"/*.conf; do
    # The names are listed: nginx has variables of its own.
    envsubst '$PREFIX $UPLOAD_LIMIT $LOGIN_RATE $SERVERS $HTTPS_SUFFIX $UPSTREAM $NODE_ADDRESS $SANDBOX $TARGET $ASSETS
        $HTTP_LISTEN $HTTPS_LISTEN $HEALTH_LISTEN' < "$file" > "$target/${file##*/}"
done
cp "$source"/*.html "$source"/*.json "$target/pages/"

if [ "$TLS" = on ]; then
    kept=/var/lib/certificates
    for name in tls_certificate tls_key; do
        [ ! -d "/run/secrets/$name" ] || fail "$name: is a folder on the host, where a file was expected: remove it"
    done
    if [ -s /run/secrets/tls_certificate ] && [ -s /run/secrets/tls_key ]; then
        certificate=/run/secrets/tls_certificate
        key=/run/secrets/tls_key
    elif [ -s /run/secrets/tls_certificate ] || [ -s /run/secrets/tls_key ]; then
        fail "of TLS_CERTIFICATE and TLS_KEY only one is there: give both, or neither for a self-signed pair"
    else
        certificate=$kept/self-signed.pem
        key=$kept/self-signed.key
        if [ ! -s "$certificate" ] || [ ! -s "$key" ]; then
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=localhost \
                -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$key" -out "$certificate" 2> "$target/openssl.log" ||
                { cat "$target/openssl.log" >&2; fail "no certificate could be made in $kept; openssl's words are above"; }
        fi
        echo "nginx: WARNING" >&2
        echo "nginx: WARNING  no TLS_CERTIFICATE and TLS_KEY were given: a SELF-SIGNED certificate is used." >&2
        echo "nginx: WARNING  Browsers warn of it, and rightly: anybody can make one. docs/docker.md says how to give yours." >&2
        echo "nginx: WARNING" >&2
    fi
    for file in "$certificate" "$key"; do
        [ -r "$file" ] || fail "$file cannot be read by $(id -un)"
    done
    install -m 0444 "$certificate" "$target/certificate.pem"
    install -m 0400 "$key" "$target/key.pem"
    openssl x509 -noout -in "$target/certificate.pem" 2> /dev/null || fail "TLS_CERTIFICATE: is no certificate in PEM form"
fi

set -- nginx -e /dev/stderr -c "$target/nginx.conf" -g "daemon off;"
[ "$(id -u)" = 0 ] || exec "$@"
chown -R "$RUN_AS:$RUN_AS" "$target"
chown "$RUN_AS:$RUN_AS" /dev/stdout /dev/stderr # pipes, which nginx opens anew
exec setpriv --reuid="$RUN_AS" --regid="$RUN_AS" --clear-groups --no-new-privs "$@"
