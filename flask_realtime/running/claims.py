"""Who runs a run that waits for a worker: one of them, as soon as the job's bounds let it.

Of several workers that have heard of a run one claims it: the script that says so moves it to
`running` as well. One that the bounds hold back is put aside, and the end of the run that held it
back brings it up again. Functions that ask Redis; the store calls them.
"""

from __future__ import annotations

from typing import Any

from redis import Redis

from flask_realtime.history import index_keys
from flask_realtime.runs import Run
from flask_realtime.store import keys

TAKEN, GONE, HELD = 1, 0, -1

# KEYS: the record, the set of active runs, four sets of the index that it goes to and four that it
# leaves, then for each bound three: who is held back by it, and two sets that count. ARGV: the id,
# the record that must be there, the new one, then each bound.
_CLAIM = """
if redis.call('GET', KEYS[1]) ~= ARGV[2] then
    return 0
end
for i = 4, #ARGV do
    local n = 11 + (i - 4) * 3
    if redis.call('ZCARD', KEYS[n + 1]) + redis.call('ZCARD', KEYS[n + 2]) >= tonumber(ARGV[i]) then
        redis.call('ZADD', KEYS[n], 0, ARGV[1])
        return -1
    end
end
redis.call('SET', KEYS[1], ARGV[3])
redis.call('SADD', KEYS[2], ARGV[1])
for i = 3, 6 do
    redis.call('ZADD', KEYS[i], 0, ARGV[1])
    redis.call('ZREM', KEYS[i + 4], ARGV[1])
end
return 1
"""


def claim(
    client: Redis, run: Run, record: bytes, *, job: int | None, user: int | None, all_: int | None
) -> int:
    """Store that `run`, whose record was `record`, is running, as its new record says.

    The bounds: how many runs may go on of the job, of the job for the user, and for the user.
    Returns TAKEN, GONE if the record is another by now, or HELD.
    """
    touched = [keys.record(run.id), keys.ACTIVE]
    touched += [*index_keys(run, "running"), *index_keys(run, "queued")]
    bounds: list[int] = []
    for of, bound in zip(_bounded(run), (job, user, all_), strict=True):
        if bound is not None:
            bounds.append(bound)
            touched.append(keys.held(*of))
            touched += [keys.index(state, *of) for state in ("running", "stopping")]
    done: Any = client.eval(_CLAIM, len(touched), *touched, run.id, record, run.dump(), *bounds)
    return int(done)


def next_held(client: Redis, run: Run) -> list[str]:
    """Take out, for each bound that the end of `run` may have loosened, the oldest that it held."""
    pipeline = client.pipeline(transaction=False)
    for of in _bounded(run):
        pipeline.zpopmin(keys.held(*of))
    return list(dict.fromkeys(found[0][0].decode() for found in pipeline.execute() if found))


def _bounded(run: Run) -> list[tuple[str | None, str | None]]:
    """The job and the user that each of the bounds that hold for `run` is about."""
    return [(run.job, None), (run.job, run.user), (None, run.user)]
