"""The manifest of a run: which segments there are. In Redis, beside the run's hot output.

It is a stream like the hot one: the segment of the bytes [a, b) has the id `b-0`, and entries
ascend by line as well. So both lookups are O(log n). What it names is archived: a file that it does
not name is none of the output's, whatever is in it. A manifest and the hot stream of its run are
changed together, by one script, so they never overlap, and a Redis that comes back without its last
second brings back what it had of both. Where the hot stream alone is short, the manifest's end is
the run's.

Functions that ask Redis; the store calls them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis import Redis

from flask_realtime import outputstream
from flask_realtime.outputstream import before_line_in, last_id
from flask_realtime.store import keys


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """Bytes [offset, end) of a run, from `line` to `end_line`, are in the file `name`.

    Without a name they are gone. `size`: of the file; `total`: of all files up to this one.
    """

    offset: int
    end: int
    line: int
    end_line: int
    name: str
    size: int
    total: int = 0


# In the scripts KEYS[1] is the hot stream and KEYS[2] the manifest. What frees memory stands before
# what takes some: so Redis carries it out also when it has no memory left.

# ARGV: the archived end that is expected, then the new entry: end, offset, line, end line, name,
# size. Returns the archived end, and 1 if the segment is in. Several may try: the first is taken.
# The entry that it ends with must be there still: a run that was discarded gets no segment.
_COMMIT = """
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local archived = newest and tonumber(string.match(newest[1], '%d+')) or 0
local last = ARGV[2] .. '-0'
if archived ~= tonumber(ARGV[1]) or not redis.call('XRANGE', KEYS[1], last, last)[1] then
    return {archived, 0}
end
local total = tonumber(ARGV[7])
if newest then
    for i = 1, #newest[2], 2 do
        if newest[2][i] == 'c' then total = total + tonumber(newest[2][i + 1]) end
    end
end
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f-0', tonumber(ARGV[2]) + 1))
if redis.call('XLEN', KEYS[1]) == 0 then redis.call('DEL', KEYS[1]) end
redis.call('XADD', KEYS[2], last, 'a', ARGV[3], 'n', ARGV[4], 'm', ARGV[5], 'f', ARGV[6],
           'b', ARGV[7], 'c', string.format('%.0f', total))
return {tonumber(ARGV[2]), 1}
"""

# ARGV: the archived end that is expected, the run's end and its line. Returns 1 if all is gone now,
# and 0 if something was archived meanwhile.
_DISCARD = """
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local archived = newest and tonumber(string.match(newest[1], '%d+')) or 0
if archived ~= tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
if tonumber(ARGV[2]) > 0 then
    redis.call('XADD', KEYS[2], ARGV[2] .. '-0', 'a', '0', 'n', '1', 'm', ARGV[3], 'f', '',
               'b', '0', 'c', '0')
end
return 1
"""


def commit(client: Redis, run: str, ref: SegmentRef) -> tuple[int, bool]:
    """Put a segment, whose file is there, in the place of the hot entries that it was made of.

    Returns the archived end, and whether this segment was taken.
    """
    archived, taken = _run(
        client,
        _COMMIT,
        run,
        *(ref.offset, ref.end, ref.offset, ref.line, ref.end_line, ref.name, ref.size),
    )
    return int(archived), bool(taken)


def discard(client: Redis, run: str, archived: int, end: int, end_line: int) -> bool:
    """Leave nothing of the output but where it ended; False if something was archived meanwhile."""
    return bool(_run(client, _DISCARD, run, archived, end, end_line))


def forget(client: Redis, run: str) -> None:
    """Leave nothing at all."""
    client.delete(keys.output(run), keys.segments(run), keys.writer(run))


def following(client: Redis, run: str, offset: int, count: int) -> list[SegmentRef]:
    """Return up to `count` segments, beginning with the one that holds byte `offset`."""
    found: Any = client.xrange(keys.segments(run), min=f"{offset + 1}-0", count=count)
    return [_ref(entry_id, fields) for entry_id, fields in found]


def newest(client: Redis, run: str) -> SegmentRef | None:
    """Return the last segment, if there is any."""
    found: Any = client.xrevrange(keys.segments(run), count=1)
    return _ref(*found[0]) if found else None


def end(client: Redis, run: str) -> tuple[int, int]:
    """Return where the stored output ends, and the line in which it does: (0, 1) if there is none.

    Raises Unnumbered.
    """
    last = newest(client, run)
    hot = outputstream.newest(client, run)
    if hot is not None and (last is None or hot.end > last.end):
        return hot.end, hot.end_line
    return (last.end, last.end_line) if last is not None else (0, 1)


def before_line(client: Redis, run: str, line: int) -> SegmentRef | None:
    """Return the last segment that begins in a line before `line`, if there is any."""
    found = before_line_in(client, keys.segments(run), line)
    return _ref(*found) if found is not None else None


def stored_bytes(client: Redis, run: str) -> int:
    """Return what a run's output takes: its files, and its hot bytes."""
    last = newest(client, run)
    archived, total = (last.end, last.total) if last is not None else (0, 0)
    return total + max(0, last_id(client, run) - archived)


def _run(client: Redis, script: str, run: str, *arguments: Any) -> Any:
    return client.eval(script, 2, keys.output(run), keys.segments(run), *arguments)


def _ref(entry_id: bytes, fields: dict[bytes, bytes]) -> SegmentRef:
    return SegmentRef(
        offset=int(fields[b"a"]),
        end=int(entry_id.partition(b"-")[0]),
        line=int(fields[b"n"]),
        end_line=int(fields[b"m"]),
        name=fields[b"f"].decode(),
        size=int(fields[b"b"]),
        total=int(fields[b"c"]),
    )
