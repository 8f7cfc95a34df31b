"""The output of runs: one byte sequence a run, appended by its owner, read by offset by anybody.

In Redis a run's output is a stream whose entry ids are byte offsets: the entry of the bytes
[a, b) has the id `b-0`. So the entry that holds byte n is the first one with an id above n, an
append that is repeated after a lost reply is refused by Redis instead of doubled, and what was
trimmed from the front shows as the difference between an id and the data's length.

The owner keeps the newest part in memory: viewers at the live end need not wait for Redis, the
job goes on while Redis is away until the bound is reached, and what a Redis that crashed had
not yet made durable is written again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from redis import Redis

from flask_realtime import host
from flask_realtime.errors import BadOffset, StoreUnavailable
from flask_realtime.store import PREFIX, Store
from flask_realtime.tail import Chunk, Gap, Item, Tail

MAX_CHUNK = 1 << 16  # bytes; larger events gain nothing (measured: 407 MB/s at this size)
READ_ENTRIES = 16  # entries of one read from Redis: at most 1 MiB at MAX_CHUNK
READ_ENTRIES_MAX = 1024  # ... while they turn out small
FLUSH_DELAY_SECONDS = 0.01  # what is printed within this goes to Redis together, after the viewers
FOREIGN_POLL_SECONDS = 0.25  # between two looks at the output of a run that another process owns


class LogWriter:
    """The owner's end of one run's log. For greenlets of the hub's thread."""

    def __init__(self, log: OutputLog, run: str) -> None:
        self._log = log
        self._run = run
        self.tail = Tail(log.tail_bytes, log.tail_chunks)
        self.followers: list[Callable[[Chunk | None], None]] = []  # told of each chunk, and the end
        self._grown = host.Signal()  # for readers that wait
        self._flushed = host.Signal()  # for the writer: there is room
        self._more = host.Signal()  # for the flusher: there is work
        self._closed = False
        self._flusher = host.spawn(self._flush)

    def append(self, stream: int, data: bytes) -> None:
        """Append `data` to the output; wait while too much of it is not in Redis yet."""
        now = int(time.time() * 1000)
        for start in range(0, len(data), MAX_CHUNK):
            while self.tail.full:
                self._flushed.wait()
            piece = data[start : start + MAX_CHUNK]
            chunk = Chunk(self.tail.end, now, stream, piece)
            self.tail.append(chunk)
            self._tell(chunk)  # viewers first: they need not wait for Redis
            self._more.set()

    def end(self) -> None:
        """Tell the readers that there will be no more."""
        self._tell(None)

    def wait(self, timeout: float | None) -> None:
        """Wait until there is more, or there will be no more, or for `timeout` seconds."""
        self._grown.wait(timeout)

    def _tell(self, chunk: Chunk | None) -> None:
        for follower in self.followers:
            follower(chunk)
        self._grown.set()

    def drain(self) -> None:
        """Wait until all that was appended is in Redis, however long that takes."""
        while self.tail.flushed < self.tail.end:
            self._flushed.wait()

    def close(self) -> None:
        """End the flusher; call `drain` first."""
        self._closed = True
        self._more.set()

    def _flush(self) -> None:
        while not self._closed:
            stored = self.tail.flushed
            chunks = self.tail.from_offset(stored, self._log.flush_bytes)
            if not chunks:
                self._more.wait()
                host.sleep(FLUSH_DELAY_SECONDS)
                continue
            try:
                # The answer differs from what we expect when Redis lost what it had not made
                # durable, or kept an attempt whose reply was lost: then go on from there.
                self.tail.mark_flushed(self._log.store_chunks(self._run, stored, chunks))
            except StoreUnavailable:
                self._log.store.wait_until_available()
                continue
            self._flushed.set()


class OutputLog:
    """Appends and reads the output of runs by byte offset. For greenlets of the hub's thread.

    `keep_bytes`: what Redis keeps of a run; older output is trimmed. `tail_bytes`: what the owner
    keeps in memory of a run, written or not.
    """

    tail_chunks = 4096  # bounds the overhead when chunks are small (some 200 bytes each)
    flush_bytes = 1 << 20  # of one round trip

    def __init__(self, store: Store, *, keep_bytes: int, tail_bytes: int = 8 << 20) -> None:
        self.store = store
        self.keep_bytes = keep_bytes
        self.tail_bytes = tail_bytes
        self._writers: dict[str, LogWriter] = {}

    def open(self, run: str) -> LogWriter:
        """Begin the output of a new run, which this process owns."""
        writer = self._writers[run] = LogWriter(self, run)
        return writer

    def close(self, run: str) -> None:
        """Forget the run's tail; its output has been drained into Redis."""
        self._writers.pop(run).close()

    def writer(self, run: str) -> LogWriter | None:
        """The writer, if this process owns the run and it has not been closed."""
        return self._writers.get(run)

    def end(self, run: str) -> int:
        """The number of bytes that the run has put out so far."""
        writer = self._writers.get(run)
        return writer.tail.end if writer else self.stored_end(run)

    def read(
        self, run: str, offset: int, max_bytes: int, entries: int = READ_ENTRIES
    ) -> list[Item]:
        """Return the output from byte `offset` on: about `max_bytes`, as chunks and gaps.

        The first item begins at `offset`; nothing is returned at the end of what there is so
        far. `entries` bounds a read from Redis. Raises StoreUnavailable, and BadOffset beyond
        the end.
        """
        writer = self._writers.get(run)
        if writer is not None and offset >= writer.tail.start:
            if offset > writer.tail.end:
                raise _beyond(offset, writer.tail.end)
            return list(writer.tail.from_offset(offset, max_bytes))
        chunks = self.store.read(lambda client: _read(client, run, offset, entries))
        if chunks:
            return _items(chunks, offset)
        if writer is not None:  # Redis lost what the tail no longer holds
            return [Gap(offset, writer.tail.start)]
        if offset > (end := self.stored_end(run)):
            raise _beyond(offset, end)
        return []

    def wait(self, run: str, timeout: float | None = None) -> None:
        """Wait until there may be more output of the run than there was, or for `timeout` s."""
        writer = self._writers.get(run)
        if writer is not None:
            writer.wait(timeout)
        else:
            host.sleep(FOREIGN_POLL_SECONDS)

    @contextmanager
    def following(self, run: str, follower: Callable[[Chunk | None], None]) -> Iterator[None]:
        """Call `follower` with each new chunk, and with None at the end, if the run is ours.

        It is called in the writer's greenlet and must not wait.
        """
        writer = self._writers.get(run)
        if writer is None:
            yield
            return
        writer.followers.append(follower)
        try:
            yield
        finally:
            writer.followers.remove(follower)

    def stored_end(self, run: str) -> int:
        """The number of bytes of the run that Redis has seen."""
        return self.store.read(lambda client: _stored_end(client, run))

    def store_chunks(self, run: str, stored: int, chunks: list[Chunk]) -> int:
        """Append `chunks` if Redis has just the bytes before `stored`; return what it has then."""
        return self.store.call(lambda client: _write(client, run, stored, chunks, self.keep_bytes))


def _beyond(offset: int, end: int) -> BadOffset:
    return BadOffset(f"offset {offset} is beyond the output, which has {end} bytes so far")


def _items(chunks: list[Chunk], offset: int) -> list[Item]:
    """Begin exactly at `offset`, and say where something is missing."""
    items: list[Item] = []
    for chunk in chunks:
        if chunk.offset > offset:
            items.append(Gap(offset, chunk.offset))
        items.append(chunk.since(offset) if chunk.offset < offset else chunk)
        offset = chunk.end
    return items


def key(run: str) -> str:
    """The Redis key of a run's output; the braces keep a run's keys on one node of a cluster."""
    return f"{PREFIX}{{{run}}}:output"


# What is asked of Redis.


# KEYS[1] the stream; ARGV: the end that it must have, the bytes to keep, then for each chunk its
# end, time, stream and data. Returns the end that it has afterwards.
_APPEND = """
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local stored = newest[1] and tonumber(string.match(newest[1][1], '%d+')) or 0
if stored ~= tonumber(ARGV[1]) then
    return stored
end
local keep = tonumber(ARGV[2])
for i = 3, #ARGV, 4 do
    stored = tonumber(ARGV[i])
    redis.call('XADD', KEYS[1], 'MINID', '~', string.format('%.0f-0', math.max(0, stored - keep)),
               ARGV[i] .. '-0', 't', ARGV[i + 1], 's', ARGV[i + 2], 'd', ARGV[i + 3])
end
return stored
"""


def _write(client: Redis, run: str, stored: int, chunks: list[Chunk], keep_bytes: int) -> int:
    arguments: list[Any] = [stored, keep_bytes]
    for chunk in chunks:
        arguments += [chunk.end, chunk.time, chunk.stream, chunk.data]
    end: Any = client.eval(_APPEND, 1, key(run), *arguments)
    return int(end)


def _read(client: Redis, run: str, offset: int, entries: int) -> list[Chunk]:
    found: Any = client.xrange(key(run), min=f"{offset + 1}-0", max="+", count=entries)
    chunks = []
    for entry_id, fields in found:
        end = int(entry_id.partition(b"-")[0])
        data = fields[b"d"]
        chunks.append(Chunk(end - len(data), int(fields[b"t"]), int(fields[b"s"]), data))
    return chunks


def _stored_end(client: Redis, run: str) -> int:
    newest: Any = client.xrevrange(key(run), count=1)
    return int(newest[0][0].partition(b"-")[0]) if newest else 0
