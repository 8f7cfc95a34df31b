"""The records of runs in Redis, and their index: pages by job, user and state, in any combination.

A run is in four sorted sets of its state: that of all runs, of its user's, of its job's, and of
its job's for its user. All scores are 0, so a set is sorted by run ids, which is by creation. A
page is a range of one set, or of the sets of several states merged: its cost does not grow with
the number of runs (docs/redis.md).

The functions take a client of Redis and wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis import Redis

from flask_realtime.runs import FINAL, STATES, Run
from flask_realtime.store import keys
from flask_realtime.store.keys import ACTIVE, UNINDEXED, UNSETTLED

ADOPTED_AT_ONCE = 200

# A run's id, and its record if there is one.
Found = tuple[str, bytes | None]

IN_PROGRESS = tuple(state for state in STATES if state not in FINAL)
ENDED = tuple(state for state in STATES if state in FINAL)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which runs are wanted; None is any."""

    job: str | None = None
    user: str | None = None
    states: tuple[str, ...] = tuple(STATES)

    def matches(self, run: Run) -> bool:
        return (
            self.job in (None, run.job)
            and self.user in (None, run.user)
            and run.state in self.states
        )

    @property
    def keys(self) -> list[str]:
        """The sorted sets that hold such runs, one for each state."""
        return [keys.index(state, self.job, self.user) for state in self.states]


ANY = Filter()


def index_keys(run: Run, state: str) -> list[str]:
    """Of the four sorted sets that have `run` while it is in `state`."""
    return [keys.index(state, job, user) for job in (None, run.job) for user in (None, run.user)]


# KEYS: the record, the set of active runs, the owner's sign of life, the four sets that the run
# belongs to, then those that it may have been in. ARGV: the id, the record, "1" if the run has
# ended, then, each empty if it does not matter: the record that must be there, "1" if the owner
# must be dead, the owner and attempt that the record there must have.
# The first write takes memory, so a Redis without any refuses it before anything has changed.
_SAVE = """
local there = redis.call('GET', KEYS[1])
if ARGV[4] ~= '' and there ~= ARGV[4] then
    return 0
end
if ARGV[6] ~= '' and there then
    local record = cjson.decode(there)
    if record.owner .. ':' .. record.attempt ~= ARGV[6] then
        return 0
    end
end
if ARGV[5] == '1' and redis.call('EXISTS', KEYS[3]) == 1 then
    return 0
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call(ARGV[3] == '1' and 'SREM' or 'SADD', KEYS[2], ARGV[1])
for i = 4, 7 do
    redis.call('ZADD', KEYS[i], 0, ARGV[1])
end
for i = 8, #KEYS do
    redis.call('ZREM', KEYS[i], ARGV[1])
end
return 1
"""


def add(client: Redis, run: Run, owner_seconds: int) -> None:
    """Store a new run, and a sign of life of its owner that lasts `owner_seconds`."""
    pipeline = client.pipeline(transaction=True)
    if run.owner:
        pipeline.set(keys.owner(run.owner), 1, ex=owner_seconds)
    _save(pipeline, run, run.dump())
    pipeline.zadd(UNSETTLED, {run.id: 0})
    pipeline.execute()


def unsettle(client: Redis, runs: list[Run]) -> None:
    """Note once more that the output of `runs` is to be settled after their end."""
    if runs:
        client.zadd(UNSETTLED, {run.id: 0 for run in runs})


def save(client: Redis, run: Run) -> bool:
    """Store the record, and put the run where its state belongs.

    False for a run on a worker that is another's by now: then nothing has changed.
    """
    return bool(_save(client, run, run.dump(), fence=fence_of(run)))


def replace(client: Redis, run: Run, record: bytes, dead: str = "") -> bool:
    """As `save`, if the record is still `record`, and the owner `dead` gives no sign of life.

    True for one of those who try.
    """
    return bool(_save(client, run, run.dump(), record, dead))


def fence_of(run: Run) -> str:
    """What says that `run` is in the hands of who has it now; empty where nobody can get it."""
    return "" if run.queue is None else f"{run.owner}:{run.attempt}"


def _save(
    client: Redis, run: Run, record: bytes, expected: bytes = b"", dead: str = "", fence: str = ""
) -> Any:
    touched = [keys.record(run.id), ACTIVE, keys.owner(dead), *index_keys(run, run.state)]
    for state in STATES:
        if state != run.state:
            touched += index_keys(run, state)
    conditions = (expected, "1" if dead else "", fence)
    # By this name: the pipeline of a cluster has no eval.
    command: Any = client.execute_command
    return command(
        "EVAL", _SAVE, len(touched), *touched, run.id, record, int(run.final), *conditions
    )


# KEYS: sorted sets of run ids. ARGV: the command, the bound to begin at, the one to end at, how
# many. Returns ids of all sets in one order.
_MERGED = """
local sets, heads = {}, {}
for i = 1, #KEYS do
    sets[i] = redis.call(ARGV[1], KEYS[i], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])
    heads[i] = 1
end
local backwards = ARGV[1] == 'ZREVRANGEBYLEX'
local found = {}
for n = 1, tonumber(ARGV[4]) do
    local best, id
    for i = 1, #KEYS do
        local head = sets[i][heads[i]]
        if head and (not id or (head < id) ~= backwards) then
            best, id = i, head
        end
    end
    if not id then
        break
    end
    heads[best] = heads[best] + 1
    found[n] = id
end
return found
"""


def newest(client: Redis, wanted: Filter, before: str | None, count: int) -> list[Found]:
    """Return the newest `count` runs that match and are older than the run `before`."""
    return _merged(client, wanted, "ZREVRANGEBYLEX", f"({before}" if before else "+", "-", count)


def oldest(client: Redis, wanted: Filter, after: str | None, count: int) -> list[Found]:
    """Return the oldest `count` runs that match and are newer than the run `after`."""
    return _merged(client, wanted, "ZRANGEBYLEX", f"({after}" if after else "-", "+", count)


def _merged(
    client: Redis, wanted: Filter, command: str, begin: str, end: str, count: int
) -> list[Found]:
    sets = wanted.keys
    ids: Any = client.eval(_MERGED, len(sets), *sets, command, begin, end, count)
    return with_records(client, ids)


def count(client: Redis, wanted: Filter) -> int:
    """How many runs match."""
    pipeline = client.pipeline(transaction=False)
    for key in wanted.keys:
        pipeline.zcard(key)
    return sum(pipeline.execute())


def active(client: Redis) -> list[Found]:
    """The runs that have not ended."""
    return with_records(client, client.smembers(ACTIVE))


def with_records(client: Redis, ids: Any) -> list[Found]:
    """Add the records to ids as Redis gives them."""
    names = [run.decode() for run in ids]
    records: Any = client.mget([keys.record(run) for run in names]) if names else []
    return list(zip(names, records, strict=True))


def adopt(client: Redis, before: str | None) -> str | None:
    """Index runs older than `before` that a version without index has added, the newest first.

    Returns the `before` to go on with, None at the end. One that has not ended is looked at again
    next time: its server may still be one of that version. Several processes may do this at once.
    """
    top = f"({before}" if before else "+"
    ids: Any = client.zrevrangebylex(UNINDEXED, top, "-", start=0, num=ADOPTED_AT_ONCE)
    if not ids:
        return None
    done = []
    for run_id, record in with_records(client, ids):
        if record is not None:
            run = Run.load(record)
            if not _save(client, run, record, record) or not run.final:
                continue  # it may change yet, or has just done so: the next time finds it again
            client.zadd(UNSETTLED, {run_id: 0})
        done.append(run_id)
    if done:
        client.zrem(UNINDEXED, *done)
    return ids[-1].decode() if len(ids) == ADOPTED_AT_ONCE else None
