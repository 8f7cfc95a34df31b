"""The newest part of a run's output, in memory: chunks, gaps, and the tail. No I/O, no clock."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

MERGE_BYTES = 4096  # a chunk up to this takes in what follows it ...
MERGE_MS = 100  # ... within this, so that many small prints are few entries, timed well enough


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes [offset, end) of a run's output; `time` in ms since the epoch; `stream` 1 or 2.

    `line` is the number of the line in which the first byte lies. Lines count from 1; line n begins
    behind the (n-1)th line feed of the output.
    """

    offset: int
    time: int
    stream: int
    data: bytes
    line: int

    @property
    def end(self) -> int:
        return self.offset + len(self.data)

    @property
    def end_line(self) -> int:
        """The number of the line in which byte `end` lies."""
        return self.line + self.data.count(b"\n")

    def since(self, offset: int) -> Chunk:
        """The part of this chunk that begins at `offset`."""
        data = self.data[offset - self.offset :]
        return Chunk(offset, self.time, self.stream, data, self.line_of(offset))

    def line_of(self, offset: int) -> int:
        """The number of the line in which byte `offset` of the output, which is in here, lies."""
        return self.line + self.data.count(b"\n", 0, offset - self.offset)

    def start_of(self, line: int) -> int | None:
        """The offset at which `line` begins, if the line feed before it is in here."""
        missing = line - self.line
        if missing < 1:
            return None
        at = -1
        for _ in range(missing):
            at = self.data.find(b"\n", at + 1)
            if at < 0:
                return None
        return self.offset + at + 1


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes [offset, end) are no longer kept; `line` is that in which byte `end` lies."""

    offset: int
    end: int
    line: int


Item = Chunk | Gap


def exactly_from(offset: int, chunks: Iterable[Chunk]) -> list[Item]:
    """Let what was read begin at `offset`, and say where something is missing."""
    items: list[Item] = []
    for chunk in chunks:
        if chunk.offset > offset:
            items.append(Gap(offset, chunk.offset, chunk.line))
        items.append(chunk.since(offset) if chunk.offset < offset else chunk)
        offset = chunk.end
    return items


class Tail:
    """The newest chunks of a run, in memory. No I/O, no clock.

    Chunks up to `flushed` are in Redis as well; of these, about `max_bytes` in at most
    `max_chunks` stay. The same bounds say when there is too much that is not in Redis: `full`.
    """

    def __init__(self, max_bytes: int, max_chunks: int, begin: tuple[int, int] = (0, 1)) -> None:
        self._max_bytes = max_bytes
        self._max_chunks = max_chunks
        self._chunks: list[Chunk] = []
        self._ends: list[int] = []  # of the chunks, for bisection
        self._first = 0  # index of the first chunk that is kept
        self.end, self.end_line = begin
        self.flushed = self.end

    @property
    def start(self) -> int:
        """The offset of the first byte kept here."""
        return self._chunks[self._first].offset if self._first < len(self._chunks) else self.end

    @property
    def start_line(self) -> int:
        """The number of the line in which that byte lies."""
        return self._chunks[self._first].line if self._first < len(self._chunks) else self.end_line

    @property
    def full(self) -> bool:
        return (
            self.end - self.flushed >= self._max_bytes
            or len(self._chunks) - self._index(self.flushed) >= self._max_chunks
        )

    def append(self, chunk: Chunk) -> None:
        """Append `chunk`; one that follows a small one closely is merged with it."""
        assert (chunk.offset, chunk.line) == (self.end, self.end_line)
        self.end_line = chunk.end_line
        last = self._chunks[-1] if self._first < len(self._chunks) else None
        if (
            last is not None
            and last.stream == chunk.stream
            and chunk.time - last.time <= MERGE_MS
            and len(last.data) + len(chunk.data) <= MERGE_BYTES
        ):
            data = last.data + chunk.data
            chunk = Chunk(last.offset, last.time, last.stream, data, last.line)
            self._chunks[-1] = chunk
            self._ends[-1] = chunk.end
        else:
            self._chunks.append(chunk)
            self._ends.append(chunk.end)
        self.end = chunk.end

    def from_offset(self, offset: int, max_bytes: int) -> list[Chunk]:
        """Return about `max_bytes` of chunks; the first one begins at `offset`, or at `start`."""
        chunks: list[Chunk] = []
        size = 0
        for index in range(self._index(offset), len(self._chunks)):
            chunk = self._chunks[index]
            if chunk.offset < offset:
                chunk = chunk.since(offset)
            chunks.append(chunk)
            size += len(chunk.data)
            if size >= max_bytes:
                break
        return chunks

    def line_of(self, offset: int) -> int:
        """The number of the line in which byte `offset` lies; `start` <= `offset` <= `end`."""
        if offset == self.end:
            return self.end_line
        return self._chunks[self._index(offset)].line_of(offset)

    def start_of(self, line: int) -> int | None:
        """The offset at which `line` begins, if the line feed before it is in here."""
        after = bisect_left(self._chunks, line, self._first, key=lambda chunk: chunk.line)
        return self._chunks[after - 1].start_of(line) if after > self._first else None

    def mark_flushed(self, offset: int) -> None:
        """Redis has the bytes before `offset`, and none from there on."""
        self.flushed = min(offset, self.end)
        while self._first < len(self._chunks) and (
            self._ends[self._first] <= self.flushed
            and (
                self.end - self._ends[self._first] >= self._max_bytes
                or len(self._chunks) - self._first > self._max_chunks
            )
        ):
            self._first += 1
        if self._first > len(self._chunks) // 2:  # delete in blocks: each chunk is moved once
            del self._chunks[: self._first], self._ends[: self._first]
            self._first = 0

    def _index(self, offset: int) -> int:
        """Where the chunk that holds byte `offset` stands."""
        return bisect_right(self._ends, offset, self._first)
