#!/bin/sh
# Writes requirements.lock (what a server and a worker need), requirements-apps.lock (that and the example apps) and
# requirements-dev.lock (that and what the tests need):
# exact versions with hashes for every supported Python and machine, and no address of a package index.
# Usage: tools/lock.sh [--upgrade], or `make lock` and `make lock UPGRADE=1`.
set -eu
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-python3}" -m venv "$tools/venv"
"$tools/venv/bin/pip" install --quiet uv

compile() { # lock file, further options
    lock=$1
    shift
    # --no-config and no environment: a developer's own index or folder of wheels must not get in.
    env -u UV_INDEX -u UV_INDEX_URL -u UV_DEFAULT_INDEX -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
        "$tools/venv/bin/uv" pip compile pyproject.toml --quiet --no-config --universal --python-version 3.10 \
        --generate-hashes --custom-compile-command "make lock" --output-file "$lock" "$@"
}

compile requirements.lock --extra celery "$@"
# What several of them name has one version.
compile requirements-dev.lock --extra test --constraint requirements.lock "$@"
compile requirements-apps.lock --extra celery --extra examples --constraint requirements-dev.lock "$@"

if grep -nE '(https?|file):|--(index-url|extra-index-url|find-links)| @ ' requirements.lock requirements-apps.lock requirements-dev.lock; then
    echo "lock.sh: a lock file names a place to fetch from, see above" >&2
    exit 1
fi
