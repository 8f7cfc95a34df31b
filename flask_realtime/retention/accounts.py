"""How much output is kept, job by job, and the removal of runs: what retention keeps in Redis.

The output of a run that has ended is settled once: from then on it has a size, which does not
change until it is discarded. The sum of each job is kept beside the sizes, so that nobody adds up a
hundred thousand of them. Each function is atomic, and repeated it does nothing more.

The functions take a client of Redis and wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis import Redis

from flask_realtime import history
from flask_realtime.history import Filter, Found
from flask_realtime.runs import Run
from flask_realtime.store import keys
from flask_realtime.store.keys import DISCARDING, REMOVED, SIZES, UNSETTLED


@dataclass(frozen=True, slots=True)
class Output:
    """The settled output of a run; `size` in bytes, as it is stored."""

    run: str
    job: str
    size: int


def unsettled(client: Redis, after: str | None, count: int) -> list[Found]:
    """Return the oldest `count` runs whose output is not settled, newer than the run `after`."""
    bound = f"({after}" if after else "-"
    return history.with_records(
        client, client.zrangebylex(UNSETTLED, bound, "+", start=0, num=count)
    )


def settle(client: Redis, output: Output) -> None:
    """Note the size of an output that grows no more."""
    touched = [UNSETTLED, keys.settled(output.job), SIZES]
    client.eval(_SETTLE, len(touched), *touched, output.run, output.size, output.job)


_SETTLE = """
if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 and tonumber(ARGV[2]) > 0
        and redis.call('ZADD', KEYS[2], 0, ARGV[1] .. ':' .. ARGV[2]) == 1 then
    redis.call('HINCRBY', KEYS[3], ARGV[3], ARGV[2])
end
"""


def never_settle(client: Redis, run: str) -> None:
    """Forget an output whose run has no record."""
    client.zrem(UNSETTLED, run)


def sizes(client: Redis) -> dict[str, int]:
    """The bytes of settled output by job."""
    found: Any = client.hgetall(SIZES)
    return {job.decode(): int(size) for job, size in found.items()}


def claim(client: Redis, job: str | None, most: int) -> Output | None:
    """Take the oldest settled output of `job`, or of all, if they have more bytes than `most`.

    It no longer counts, and is noted to be discarded.
    """
    jobs = list(sizes(client)) if job is None else [job]
    touched = [DISCARDING, SIZES, *map(keys.settled, jobs)]
    found: Any = client.eval(_CLAIM, len(touched), *touched, most, *jobs)
    if found is None:
        return None
    member, number = found
    run, _, size = member.decode().rpartition(":")
    return Output(run, jobs[number - 1], int(size))


_CLAIM = """
local size, oldest, number = 0
for i = 3, #KEYS do
    size = size + (redis.call('HGET', KEYS[2], ARGV[i - 1]) or 0)
    local member = redis.call('ZRANGE', KEYS[i], 0, 0)[1]
    if member and (not oldest or member < oldest) then
        oldest, number = member, i
    end
end
if size <= tonumber(ARGV[1]) or not oldest then
    return nil
end
redis.call('ZREM', KEYS[number], oldest)
local run, bytes = string.match(oldest, '(.*):(%d+)$')
if redis.call('HINCRBY', KEYS[2], ARGV[number - 1], -bytes) == 0 then
    redis.call('HDEL', KEYS[2], ARGV[number - 1])
end
redis.call('SADD', KEYS[1], run)
return {oldest, number - 2}
"""


def discarding(client: Redis, count: int) -> list[str]:
    """Return up to `count` runs whose output was claimed and is to be discarded yet."""
    return _some(client, DISCARDING, count)


def discarded(client: Redis, run: str) -> None:
    """Note that an output has been discarded, in the record of its run as well."""
    done: Any = 0
    while not done:
        record: Any = client.get(keys.record(run))
        touched = [DISCARDING, keys.record(run)]
        done = client.eval(_DISCARDED, 2, *touched, run, record or b"", _without_output(record))


def _without_output(record: bytes | None) -> bytes:
    """The record to be stored now; empty if there is none, or was no output."""
    if record is None:
        return b""
    run = Run.load(record)
    run.output_removed = True
    return run.dump() if run.output_bytes else b""


# KEYS: the outputs to be discarded, the record. ARGV: the run, the record that must be there, the
# one to be stored. The set goes first: after that a Redis without memory takes the record, too.
_DISCARDED = """
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[2] then
    return 0
end
redis.call('SREM', KEYS[1], ARGV[1])
if ARGV[3] ~= '' then
    redis.call('SET', KEYS[2], ARGV[3])
end
return 1
"""


def remove(client: Redis, run: Run, record: bytes, wanted: Filter, keep: int) -> bool:
    """Remove an ended run from the history, and note that its output is to go.

    False, and nothing is done, when the record is no longer `record`, when it is lost and its owner
    gives signs of life again, or when there are no more than `keep` runs that are `wanted`.
    """
    counted = wanted.keys if keep else []
    touched = [
        keys.record(run.id),
        keys.owner(run.owner),
        keys.settled(run.job),
        SIZES,
        UNSETTLED,
        REMOVED,
        *history.index_keys(run, run.state),
        *counted,
    ]
    lost = int(run.state == "lost")
    return bool(client.eval(_REMOVE, len(touched), *touched, run.id, record, lost, run.job, keep))


# KEYS: as above, from 7 to 10 the index, then the sets to count. ARGV: the id, the record, whether
# it is lost, the job, how many runs are kept, or 0.
_REMOVE = """
if redis.call('GET', KEYS[1]) ~= ARGV[2] then
    return 0
end
if ARGV[3] == '1' and redis.call('EXISTS', KEYS[2]) == 1 then
    return 0
end
if ARGV[5] ~= '0' then
    local count = 0
    for i = 11, #KEYS do
        count = count + redis.call('ZCARD', KEYS[i])
    end
    if count <= tonumber(ARGV[5]) then
        return 0
    end
end
redis.call('DEL', KEYS[1])
for i = 7, 10 do
    redis.call('ZREM', KEYS[i], ARGV[1])
end
redis.call('ZREM', KEYS[5], ARGV[1])
local settled = redis.call('ZRANGEBYLEX', KEYS[3], '[' .. ARGV[1] .. ':', '(' .. ARGV[1] .. ';')[1]
if settled then
    redis.call('ZREM', KEYS[3], settled)
    if redis.call('HINCRBY', KEYS[4], ARGV[4], -string.match(settled, '%d+$')) == 0 then
        redis.call('HDEL', KEYS[4], ARGV[4])
    end
end
redis.call('SADD', KEYS[6], ARGV[1])
return 1
"""


def removed(client: Redis, count: int) -> list[str]:
    """Return up to `count` runs that were removed and whose output is to go yet."""
    return _some(client, REMOVED, count)


def gone(client: Redis, run: str) -> None:
    """Note that the output of a removed run is gone as well."""
    client.srem(REMOVED, run)


def _some(client: Redis, key: str, count: int) -> list[str]:
    found: Any = client.srandmember(key, count)
    return [run.decode() for run in found]
