#!/bin/sh
# Makes what docker-compose.yml needs and nobody chooses: the password of Redis, the key of the session cookies and the
# key of the tokens, in the folder secrets/. What is there already stays.
set -eu
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets
echo "*" > secrets/.gitignore

random() { head -c "$1" /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_'; }

make_once() { # name, value
    if [ -s "secrets/$1" ]; then
        echo "secrets/$1 is there already."
    else
        printf '%s\n' "$2" > "secrets/$1"
        echo "secrets/$1 made."
    fi
}

make_once redis_password "$(random 33)"
make_once secret_key "$(random 48)"
# A Fernet key: 32 bytes in the alphabet for URLs.
make_once token_keys "$(random 32)"
