#!/bin/sh
# (Re)builds the Redis image and starts it as the container `redis`, in place of one that runs already.
# It answers on 127.0.0.1:6379 only, and keeps its data in ./redis_data.
set -eu
cd "$(dirname "$0")"

fail() {
    echo "run_redis.sh: $1" >&2
    exit 1
}

command -v docker >/dev/null 2>&1 ||
    fail "docker is not installed. Install Docker, or let the application start its own Redis: leave REDIS_URL unset."
docker version >/dev/null 2>&1 ||
    fail "the Docker engine does not answer: start it, or get the right to use it (docker version says more)."

mkdir -p redis_data
docker build -t app-redis -f Dockerfile-redis .
# The one line that docker prints when there is no such container says nothing of use.
if docker container inspect redis >/dev/null 2>&1; then docker rm -f redis >/dev/null; fi
docker run --name redis -p 127.0.0.1:6379:6379 -d -v "$(pwd)/redis_data:/data" app-redis >/dev/null

# Answers before this returns: what is started next can rely on it.
tries=0
until [ "$(docker exec redis redis-cli ping 2>/dev/null)" = PONG ]; do
    tries=$((tries + 1))
    if [ "$tries" -ge 150 ]; then
        docker logs --tail 20 redis >&2
        fail "Redis does not answer after 30 s; its last lines are above."
    fi
    sleep 0.2
done
echo "Redis answers: REDIS_URL=redis://127.0.0.1:6379/0"
