"""The output of runs: one byte sequence a run, appended by its owner, read by offset by anybody.

The owner keeps the newest part in memory: viewers at the live end need not wait for Redis, the
job goes on while Redis is away until the bound is reached, and what a Redis that crashed had
not yet made durable is written again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask_realtime import host, outputstream
from flask_realtime.errors import BadLine, BadOffset, LineGone
from flask_realtime.logwriter import MAX_CHUNK, LogWriter
from flask_realtime.outputstream import key
from flask_realtime.store import Store
from flask_realtime.tail import Chunk, Gap, Item

__all__ = ["MAX_CHUNK", "LogWriter", "OutputLog", "key"]

READ_ENTRIES = 16  # entries of one read from Redis: at most 1 MiB at MAX_CHUNK
READ_ENTRIES_MAX = 1024  # ... while they turn out small
FOREIGN_POLL_SECONDS = 0.25  # between two looks at the output of a run that another process owns


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
        return self._ends(run)[0]

    def end_line(self, run: str) -> int:
        """The number of the line in which the output ends so far: 1 and its line feeds."""
        return self._ends(run)[1]

    def _ends(self, run: str) -> tuple[int, int]:
        writer = self._writers.get(run)
        return (writer.tail.end, writer.tail.end_line) if writer else self.stored_end(run)

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
        chunks = self.store.read(lambda client: outputstream.read(client, run, offset, entries))
        if chunks:
            return _items(chunks, offset)
        if writer is not None:  # Redis lost what the tail no longer holds
            return [Gap(offset, writer.tail.start, writer.tail.start_line)]
        if offset > (end := self.stored_end(run)[0]):
            raise _beyond(offset, end)
        return []

    def line_of(self, run: str, offset: int) -> int:
        """The number of the line in which byte `offset` lies, or lay: 1 is the first.

        In a gap it is the line in which the gap ends. Raises StoreUnavailable, and BadOffset beyond
        the end.
        """
        writer = self._writers.get(run)
        if writer is not None and writer.tail.start <= offset <= writer.tail.end:
            return writer.tail.line_of(offset)
        items = self.read(run, offset, 1, 1)
        return items[0].line if items else self.end_line(run)

    def offset_of_line(self, run: str, line: int) -> int:
        """The offset of the first byte of `line`, which may be the end of the output.

        Raises BadLine beyond the last line, LineGone when its beginning is no longer kept, and
        StoreUnavailable.
        """
        last = self.end_line(run)
        if not 1 <= line <= last:
            raise BadLine(f"there is no line {line}: the output has {last} so far, from 1 on")
        if line == 1:
            kept = self.read(run, 0, 1, 1)
            if not (kept and isinstance(kept[0], Gap)):
                return 0
            raise LineGone(f"line 1 is no longer kept; {_kept_from(kept[0])}")
        writer = self._writers.get(run)
        offset = writer.tail.start_of(line) if writer is not None else None
        if offset is not None:
            return offset
        chunk = self.store.read(lambda client: outputstream.before_line(client, run, line))
        offset = chunk.start_of(line) if chunk is not None else None
        if offset is not None:
            return offset
        gap = self.read(run, chunk.end if chunk is not None else 0, 1, 1)
        kept_from = _kept_from(gap[0]) if gap and isinstance(gap[0], Gap) else "read on from there"
        raise LineGone(f"line {line} is no longer kept; {kept_from}")

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

    def stored_end(self, run: str) -> tuple[int, int]:
        """The number of bytes of the run that Redis has seen, and the line in which they end."""
        chunk = self.store.read(lambda client: outputstream.newest(client, run))
        return (chunk.end, chunk.end_line) if chunk is not None else (0, 1)

    def store_chunks(self, run: str, stored: int, chunks: list[Chunk]) -> int:
        """Append `chunks` if Redis has just the bytes before `stored`; return what it has then."""
        return self.store.call(
            lambda client: outputstream.append(client, run, stored, chunks, self.keep_bytes)
        )


def _beyond(offset: int, end: int) -> BadOffset:
    return BadOffset(f"offset {offset} is beyond the output, which has {end} bytes so far")


def _kept_from(gap: Gap) -> str:
    return f"its output is kept from line {gap.line} on, which byte {gap.end} lies in"


def _items(chunks: list[Chunk], offset: int) -> list[Item]:
    """Begin exactly at `offset`, and say where something is missing."""
    items: list[Item] = []
    for chunk in chunks:
        if chunk.offset > offset:
            items.append(Gap(offset, chunk.offset, chunk.line))
        items.append(chunk.since(offset) if chunk.offset < offset else chunk)
        offset = chunk.end
    return items
