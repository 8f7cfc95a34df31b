"""The version of what Redis keeps: older data are brought up to ours, later ones are refused."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Iterator
from typing import Any

from redis import Redis, RedisCluster
from redis.exceptions import BusyLoadingError, RedisClusterException, RedisError

from flask_realtime.errors import ConfigurationError
from flask_realtime.runs import STATES
from flask_realtime.store import keys
from flask_realtime.store.redischeck import check_redis
from flask_realtime.store.redisclients import blocking_client
from flask_realtime.store.redisurl import without_password

logger = logging.getLogger(__name__)

OLD = keys.ROOT + "1:"  # began the name of every key of schema 1
SCANNED = 2_000  # keys of one question
LOCK_SECONDS = 30.0  # without a renewal, until another may go on with the migration
LOOK_SECONDS = 0.2
LOADING_SECONDS = 300.0  # in which a Redis must have read its data
OWNER_SECONDS = 25.0  # a server of the older version that has died counts as running for 20 s

# Sets that schema 1 had whenever it had runs: so a Redis that is up to date is not read through.
_MARKS = [OLD + "active", OLD + "runs", *(f"{OLD}runs:{state}" for state in STATES)]
# What says something of processes, of which none runs any more.
_GONE = re.compile(re.escape(OLD) + "(owner:.*|sweeper|probe|.*:watched)")
_OF_RUN = re.compile(re.escape(OLD) + r"\{(?P<run>[^}]*)\}:(?P<what>run|output|segments)")


class OldServer(Exception):
    """A server of the older version runs over the same Redis."""


def prepare(url: str) -> int:
    """See to it that the Redis at `url` has data of our schema; return how many keys were renamed.

    Blocks; several processes may do it at once: one works, the others wait. Broken off, it goes on
    where it was. Raises ConfigurationError with one line.
    """
    shown = without_password(url)
    try:
        with blocking_client(url) as client:
            _wait_until_loaded(client)
            return _prepare(client, shown)
    except OldServer as error:
        raise ConfigurationError(
            f"REDIS_URL: a server of an older version of Flask-Realtime still runs over {shown} "
            f"(its process {error}): stop it first"
        ) from error
    except (RedisError, RedisClusterException, OSError) as error:
        raise ConfigurationError(
            f"REDIS_URL: the Redis at {shown} could not be prepared: "
            f"{' '.join(str(error).split())[:200]}"
        ) from error


def prepare_redis(url: str) -> int:
    """Check that the Redis at `url` can be used (redischeck.py), and `prepare` it."""
    check_redis(url)
    return prepare(url)


def _wait_until_loaded(client: Redis) -> None:
    """One that reads its data says so; that may take minutes, and it is well."""
    deadline = time.monotonic() + LOADING_SECONDS
    while True:
        try:
            client.exists(keys.SCHEMA)
        except BusyLoadingError:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOOK_SECONDS)
        else:
            return


def _prepare(client: Redis, shown: str) -> int:
    while True:
        if _is_current(client, shown):
            return 0
        token = secrets.token_hex(8)
        if client.set(keys.MIGRATING, token, nx=True, px=int(LOCK_SECONDS * 1000)):
            break
        logger.info("waiting for another server, which migrates what Redis keeps")
        time.sleep(LOOK_SECONDS)
    try:
        client.delete(keys.SCHEMA)  # broken off, it is found again
        renamed = _migrate(client, token)
        client.set(keys.SCHEMA, keys.VERSION)
    finally:
        client.eval(_UNLOCK, 1, keys.MIGRATING, token)
    if renamed:
        logger.warning("%d keys of Redis were migrated to schema %d", renamed, keys.VERSION)
    return renamed


def _is_current(client: Redis | RedisCluster, shown: str) -> bool:
    found: Any = client.get(keys.SCHEMA)
    if found is not None and int(found) > keys.VERSION:
        raise ConfigurationError(
            f"REDIS_URL: a later version of Flask-Realtime wrote what {shown} keeps (schema "
            f"{int(found)}; this version knows {keys.VERSION}): run that one, or use another Redis"
        )
    if isinstance(client, RedisCluster):  # schema 1 could not live in one
        if found is None:
            client.set(keys.SCHEMA, keys.VERSION, nx=True)
        return True
    return found is not None and not client.exists(*_MARKS)


def _migrate(client: Redis, token: str) -> int:
    _wait_for_owners(client, token)
    renamed = 0
    for found in _scan(client, OLD + "*"):
        if not client.eval(_RENEW, 1, keys.MIGRATING, token, int(LOCK_SECONDS * 1000)):
            raise ConnectionError("the lock of the migration was lost; start again")
        pipeline = client.pipeline(transaction=False)
        for old in found:
            new = new_name(old)
            if new is None:
                pipeline.delete(old)
            else:
                pipeline.eval(_MOVE, 2, old, new, keys.SIZES)
                renamed += 1
        pipeline.execute()
    return renamed


def _wait_for_owners(client: Redis, token: str) -> None:
    """Return once no server of schema 1 gives signs of life. Raises OldServer.

    One that was killed has left a sign that expires; one that runs renews it.
    """
    lasting: dict[str, int] = {}
    deadline = time.monotonic() + OWNER_SECONDS
    while True:
        owners = [name for found in _scan(client, OLD + "owner:*") for name in found]
        for name in owners:
            left: Any = client.pttl(name)
            if left > lasting.get(name, left) or time.monotonic() > deadline:
                raise OldServer(name.removeprefix(OLD + "owner:"))
            lasting[name] = left
        if not owners:
            return
        if not client.eval(_RENEW, 1, keys.MIGRATING, token, int(LOCK_SECONDS * 1000)):
            raise ConnectionError("the lock of the migration was lost; start again")
        time.sleep(LOOK_SECONDS)


def _scan(client: Redis, pattern: str) -> Iterator[list[str]]:
    cursor: Any = 0
    while True:
        answer: Any = client.scan(cursor, match=pattern, count=SCANNED)
        cursor, found = answer
        if found:
            yield [name.decode() for name in found]
        if not cursor:
            return


def new_name(old: str) -> str | None:
    """What a key of schema 1 is called now; None for what is of no use any more."""
    if _GONE.fullmatch(old):
        return None
    if of_run := _OF_RUN.fullmatch(old):
        make = {"run": keys.record, "output": keys.output, "segments": keys.segments}
        return make[of_run["what"]](of_run["run"])
    return keys.SHARED + old.removeprefix(OLD)


# KEYS: the old name, the new one. ARGV: the hash of sums. Both are there when an older server ran
# after a migration: then what is in sets is put together, and what was written later stays.
_MOVE = """
if redis.call('EXISTS', KEYS[1]) == 0 then
    return
end
if redis.call('EXISTS', KEYS[2]) == 0 then
    redis.call('RENAME', KEYS[1], KEYS[2])
    return
end
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'set' then
    redis.call('SUNIONSTORE', KEYS[2], KEYS[2], KEYS[1])
elseif kind == 'zset' then
    redis.call('ZUNIONSTORE', KEYS[2], 2, KEYS[2], KEYS[1], 'AGGREGATE', 'MAX')
elseif KEYS[2] == ARGV[1] then
    local sums = redis.call('HGETALL', KEYS[1])
    for i = 1, #sums, 2 do
        redis.call('HINCRBY', KEYS[2], sums[i], sums[i + 1])
    end
end
redis.call('DEL', KEYS[1])
"""

_RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

_UNLOCK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('DEL', KEYS[1])
end
"""
