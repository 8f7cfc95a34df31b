"""The hot output of a run, as Redis holds it: a stream whose entry ids are byte offsets.

The entry of the bytes [a, b) has the id `b-0`. So the entry that holds byte n is the first one
with an id above n, an append that is repeated after a lost reply is refused by Redis instead of
doubled, and what is missing in front of an entry shows as the difference between its id and its
data's length. Each entry has the number of its first line, and they ascend as the ids do: the entry
in which a line begins is found by bisection.

Functions that ask Redis; the store calls them.
"""

from __future__ import annotations

from typing import Any

from redis import Redis

from flask_realtime.store import keys
from flask_realtime.tail import Chunk

# KEYS[1] the hot stream, KEYS[2] the manifest, KEYS[3] who may append; ARGV: who appends, empty if
# nobody else can, the end that the output must have, the channel on which to tell of it, what to
# tell, then for each chunk its end, time, stream, line and data. Returns the end that it has
# afterwards, that of what is archived, and how many were told; nothing if another may append. A
# Redis that lost who may learns it anew. The output ends where the later of the two does.
_APPEND = """
local writer = ARGV[1] ~= '' and redis.call('GET', KEYS[3])
if writer and writer ~= ARGV[1] then
    return nil
end
if ARGV[1] ~= '' and not writer then
    redis.call('SET', KEYS[3], ARGV[1])
end
local function last(stream)
    local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
    return newest and tonumber(string.match(newest[1], '%d+')) or 0
end
local archived = last(KEYS[2])
local stored = math.max(last(KEYS[1]), archived)
if stored ~= tonumber(ARGV[2]) then
    return {stored, archived, 0}
end
for i = 5, #ARGV, 5 do
    stored = tonumber(ARGV[i])
    redis.call('XADD', KEYS[1], ARGV[i] .. '-0', 't', ARGV[i + 1], 's', ARGV[i + 2],
               'n', ARGV[i + 3], 'd', ARGV[i + 4])
end
local told = #ARGV > 4 and redis.pcall('PUBLISH', ARGV[3], ARGV[4])
return {stored, archived, type(told) == 'number' and told or 0}
"""

_LAST_ID = """
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
return newest and newest[1]
"""

# KEYS[1] a stream whose entries have a line number `n`; ARGV[1] a line. Returns the last entry
# whose number is below that, or nothing. The ids `low` and `high` enclose it.
_BEFORE_LINE = """
local function line(entry)
    for i = 1, #entry[2], 2 do
        if entry[2][i] == 'n' then return tonumber(entry[2][i + 1]) end
    end
    return 1
end
local function id(entry) return tonumber(string.match(entry[1], '%d+')) end
local wanted = tonumber(ARGV[1])
local found = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if not found or line(found) >= wanted then return nil end
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if line(newest) < wanted then return newest end
local low, high = id(found), id(newest)
while high - low > 1 do
    local middle = math.floor((low + high) / 2)
    local entry = redis.call('XREVRANGE', KEYS[1], string.format('%.0f-0', middle),
                             string.format('%.0f-0', low), 'COUNT', 1)[1]
    if entry and line(entry) >= wanted then
        high = id(entry)
    else
        found, low = entry or found, middle
    end
end
return found
"""


class NotOurs(Exception):
    """The run is another process's: it was begun anew."""


class Unnumbered(Exception):
    """An entry of an earlier version, which has no line number."""


def fence(client: Redis, run: str, writer: str) -> None:
    """Let `writer` alone append from now on."""
    client.set(keys.writer(run), writer)


def append(
    client: Redis, run: str, stored: int, chunks: list[Chunk], writer: str = ""
) -> tuple[int, int, int]:
    """Append `chunks` if the output ends at `stored`; as `writer`, if others may become it.

    Returns where it ends then, where what is archived ends, and how many processes hear of it.
    Raises NotOurs.
    """
    news = f"{chunks[-1].end} {chunks[-1].end_line}" if chunks else ""
    arguments: list[Any] = [writer, stored, keys.grown(run), news]
    for chunk in chunks:
        arguments += [chunk.end, chunk.time, chunk.stream, chunk.line, chunk.data]
    touched = [keys.output(run), keys.segments(run), keys.writer(run)]
    answer = _eval(client, _APPEND, len(touched), *touched, *arguments)
    if answer is None:
        raise NotOurs
    stored, archived, told = answer
    return int(stored), int(archived), int(told)


def read(
    client: Redis, run: str, offset: int, entries: int, *, numbered: bool = True
) -> list[Chunk]:
    """Return up to `entries` chunks, beginning with the one that holds byte `offset`.

    Without `numbered`, chunks of an earlier version have line 0; with it they raise Unnumbered.
    """
    found: Any = client.xrange(keys.output(run), min=f"{offset + 1}-0", max="+", count=entries)
    return [_chunk(entry_id, fields, numbered) for entry_id, fields in found]


def newest(client: Redis, run: str) -> Chunk | None:
    """Return the last chunk, if there is any."""
    found: Any = client.xrevrange(keys.output(run), count=1)
    return _chunk(*found[0]) if found else None


def last_ids(client: Redis, runs: list[str]) -> list[int]:
    """As `last_id`, of several runs in one round trip."""
    pipeline: Any = client.pipeline(transaction=False)
    for run in runs:
        pipeline.execute_command("EVAL", _LAST_ID, 1, keys.output(run))  # a cluster's has no eval
    return [int(found.partition(b"-")[0]) if found else 0 for found in pipeline.execute()]


def last_id(client: Redis, run: str) -> int:
    """Return where the hot output ends, or 0, without the data."""
    found = _eval(client, _LAST_ID, 1, keys.output(run))
    return int(found.partition(b"-")[0]) if found else 0


def before_line(client: Redis, run: str, line: int) -> Chunk | None:
    """Return the last chunk that begins in a line before `line`, if there is any."""
    found = before_line_in(client, keys.output(run), line)
    return _chunk(*found) if found is not None else None


def before_line_in(
    client: Redis, stream: str, line: int
) -> tuple[bytes, dict[bytes, bytes]] | None:
    """As `before_line`, for any stream whose entries have a line number `n`."""
    found = _eval(client, _BEFORE_LINE, 1, stream, line)
    if found is None:
        return None
    entry_id, flat = found
    return entry_id, dict(zip(flat[::2], flat[1::2], strict=True))


def _eval(client: Redis, script: str, keys: int, *arguments: Any) -> Any:
    return client.eval(script, keys, *arguments)


def _chunk(entry_id: bytes, fields: dict[bytes, bytes], numbered: bool = True) -> Chunk:
    end = int(entry_id.partition(b"-")[0])
    data = fields[b"d"]
    line = int(fields.get(b"n", 0))
    if numbered and not line:
        raise Unnumbered
    return Chunk(end - len(data), int(fields[b"t"]), int(fields[b"s"]), data, line)
