#!/bin/sh
# Makes stand-ins for the base images that the Dockerfiles name, out of Debian's own packages, for a machine whose
# Docker engine reaches no container registry but whose apt works. They have the programs, users, folders and entry
# points that the Dockerfiles use; versions are Debian's. Root and a Debian or Ubuntu are needed, and 40 seconds.
#
# CI calls this where an image can be neither found nor pulled (tools/install_docker.sh). On your own machine nothing
# does, for these images bear the names of the real ones: `docker pull` puts the real ones back.
set -eu

suite=bookworm
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export DEBIAN_FRONTEND=noninteractive
command -v mmdebstrap >/dev/null 2>&1 || {
    apt-get -q update >"$work/log" 2>&1 &&
        apt-get -q install --yes --no-install-recommends mmdebstrap >>"$work/log" 2>&1 ||
        { tail -n 15 "$work/log" >&2; exit 1; }
}

# Where this machine gets Debian's packages from; a machine with another system uses mmdebstrap's default.
apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
    grep -E " $suite(-updates|-security)? main$" | sort -u >"$work/sources.list" || true
[ -s "$work/sources.list" ] && sources=$work/sources.list || sources=

# The authorities that this machine trusts: a company's proxy may stand between it and the package registries.
authorities=/etc/ssl/certs/ca-certificates.crt
[ -f "$authorities" ] || authorities=/dev/null

# One tree serves all three. Its users are those of the real images, before the packages make others.
echo "Making stand-ins for the base images from Debian $suite." >&2
# shellcheck disable=SC2086,SC2016
TMPDIR=$work mmdebstrap --quiet --variant=minbase --mode=root --format=tar \
    --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --include=ca-certificates,netbase,tzdata,python3,python3-pip,python3-venv,redis-server,nginx,gettext-base,curl,openssl \
    --essential-hook='for user in redis:999 nginx:101; do
        echo "${user%:*}:x:${user#*:}:" >>"$1/etc/group"
        echo "${user%:*}:x:${user#*:}:${user#*:}::/nonexistent:/usr/sbin/nologin" >>"$1/etc/passwd"
    done' \
    --customize-hook='rm "$1"/usr/lib/python3*/EXTERNALLY-MANAGED "$1"/etc/redis/redis.conf' \
    --customize-hook='for name in python python3; do ln -s /usr/bin/python3 "$1/usr/local/bin/$name"; done' \
    --customize-hook='install -d -o 999 -g 999 "$1/data"; chown -R 101:101 "$1/var/lib/nginx"' \
    --customize-hook="[ ! -s $authorities ] || cp $authorities \"\$1/etc/ssl/certs/ca-certificates.crt\"" \
    "$suite" "$work/tree.tar" $sources >"$work/log" 2>&1 || {
    tail -n 15 "$work/log" >&2
    echo "mmdebstrap could not make the stand-ins; its last lines are above." >&2
    exit 1
}

stand_in() { # image, then what else `docker import` shall record of it
    image=$1
    shift
    docker import --change "LABEL stand-in=debian-$suite" --change "ENV LANG=C.UTF-8" "$@" "$work/tree.tar" "$image" >/dev/null
}

# pip and Node have lists of authorities of their own; the wheel of Node reads no configuration of the system's.
trusted=/etc/ssl/certs/ca-certificates.crt
for image in $(sed -n 's/^FROM \([^ ]*\).*/\1/p' Dockerfile-flask Dockerfile-nginx Dockerfile-redis | sort -u); do
    case $image in
        python:*)
            stand_in "$image" --change "ENV PIP_CERT=$trusted" --change "ENV NODE_EXTRA_CA_CERTS=$trusted" \
                ${PIP_INDEX_URL:+--change "ENV PIP_INDEX_URL=$PIP_INDEX_URL"} \
                ${NPM_CONFIG_REGISTRY:+--change "ENV NPM_CONFIG_REGISTRY=$NPM_CONFIG_REGISTRY"} \
                --change 'CMD ["python3"]'
            ;;
        nginx:*) stand_in "$image" --change 'CMD ["nginx", "-g", "daemon off;"]' ;;
        redis:*) stand_in "$image" --change 'WORKDIR /data' --change 'CMD ["redis-server"]' ;;
        *)
            echo "tools/base_images.sh knows no stand-in for $image: add one." >&2
            exit 1
            ;;
    esac
done
