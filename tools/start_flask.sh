#!/bin/sh
# The entry point of the image app-flask. As root, which the compose files ask for, it reads what the host's user
# alone may read (webexintegration.env is 0600), and becomes the user `app` before anything else runs.
set -eu

# The sources that docker-compose-dev.yml maps in, over those of the image: a copy, because the page lies inside the
# library and only the image has it built. Restarting the container takes the copy anew.
if [ -d /mapped ]; then
    cp -R /srv /run/srv
    for name in app flask_realtime webexsandbox; do
        [ -d "/mapped/$name" ] || continue
        rm -rf "/run/srv/$name"
        cp -R "/mapped/$name" "/run/srv/$name"
    done
    rm -rf /run/srv/flask_realtime/static/dist
    mkdir -p /run/srv/flask_realtime/static
    ln -s /srv/flask_realtime/static/dist /run/srv/flask_realtime/static/dist
    chmod -R a+rX /run/srv
    cd /run/srv
    export PYTHONDONTWRITEBYTECODE=1
fi

# Relative to the project's folder, which may be its owner's alone.
case ${JOBS_PATH:-} in
    "" | /*) ;;
    *)
        if [ ! -d "/project/$JOBS_PATH" ]; then
            echo "JOBS_PATH: '$JOBS_PATH' is wrong: expected a folder in the project's" >&2
            exit 2
        fi
        cp -R "/project/$JOBS_PATH/." /run/jobs
        chmod -R a+rX /run/jobs
        export JOBS_PATH=/run/jobs
        ;;
esac

# Programs that it names lie beside it: it is read where it is.
case ${APPS_FILE:-} in
    "" | /*) ;;
    *) export APPS_FILE="/project/$APPS_FILE" ;;
esac

[ "$(id -u)" = 0 ] || exec "$@"

if [ -n "${APPS_FILE:-}" ] && ! setpriv --reuid=app --regid=app --clear-groups test -r "$APPS_FILE"; then
    echo "APPS_FILE: $APPS_FILE cannot be read by the user of the container: chmod it and its folders o+rX" >&2
    exit 2
fi
export ENV_FOLDER=/run/settings
mkdir -p "$ENV_FOLDER"
for file in /project/.env /project/webexintegration.env /run/secrets/*; do
    name=${file##*/}
    if [ -f "$file" ]; then
        install -m 0444 "$file" "$ENV_FOLDER/$name"
    elif [ -d "$file" ]; then
        # Docker makes a folder of a file to be mapped in that is not there.
        echo "$name: is a folder on the host, where a file was expected: remove it and make the file (docs/docker.md)." >&2
        exit 2
    fi
done
exec setpriv --reuid=app --regid=app --clear-groups --no-new-privs "$@"
