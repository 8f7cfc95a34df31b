#!/bin/sh
# The health check of app-redis. redis-cli ends well also when Redis refuses it, so its answer is what counts.
if [ -f /run/redis-password ]; then
    REDISCLI_AUTH=$(cat /run/redis-password)
    export REDISCLI_AUTH
fi
answer=$(redis-cli ping 2>&1)
echo "$answer"
[ "$answer" = PONG ]
