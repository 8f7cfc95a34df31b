"""The output of runs: one byte sequence a run, appended by its owner, read by offset by anybody.

It lies in three tiers, of which a reader sees nothing. The owner keeps the newest part in memory:
viewers at the live end need not wait for Redis, the job goes on while Redis is away until the bound
is reached, and what a Redis that crashed had not yet made durable is written again. Redis has the
hot window (outputstream.py), and the archive what is older (archive/).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TypeVar

from redis import Redis

from flask_realtime import host, outputstream
from flask_realtime.archive import Archive, manifest
from flask_realtime.archive.reader import ArchiveReader
from flask_realtime.archive.spill import spill_segment
from flask_realtime.errors import BadLine, BadOffset, LineGone
from flask_realtime.logwriter import MAX_CHUNK, LogWriter
from flask_realtime.nodes.mirror import POLL_SECONDS, Mirror, Mirrors
from flask_realtime.store.store import Store
from flask_realtime.tail import Chunk, Gap, Item, exactly_from

__all__ = ["MAX_CHUNK", "LogWriter", "OutputLog"]

T = TypeVar("T")

READ_ENTRIES = 16  # entries of one read from Redis: at most 1 MiB at MAX_CHUNK
READ_ENTRIES_MAX = 1024  # ... while they turn out small
SEGMENT_BYTES = 4 << 20  # of output in one file of the archive
RETRY_SECONDS = 1.0  # at most, before what could not be read is tried again


class OutputLog:
    """Appends and reads the output of runs by byte offset. For greenlets of the hub's thread.

    `hot_bytes`: what Redis keeps of a run in progress; what is older goes to the archive.
    `tail_bytes`: what the owner keeps in memory of a run, written or not.
    """

    tail_chunks = 4096  # bounds the overhead when chunks are small (some 200 bytes each)
    flush_bytes = 1 << 20  # of one round trip

    def __init__(
        self,
        store: Store,
        archive: Archive,
        *,
        hot_bytes: int = 16 << 20,
        tail_bytes: int = 8 << 20,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        self.store = store
        self.archive = archive
        self.hot_bytes = hot_bytes
        self.tail_bytes = tail_bytes
        self.segment_bytes = min(segment_bytes, hot_bytes)
        self._archived = ArchiveReader(store, archive)
        self._writers: dict[str, LogWriter] = {}
        self.mirrors = Mirrors(self)

    # Writing

    def open(self, run: str) -> LogWriter:
        """Begin the output of a new run, which this process owns."""
        writer = self._writers[run] = LogWriter(self, run)
        return writer

    def take(self, run: str, name: str) -> LogWriter:
        """Go on with the output of a run that is ours from now on, and nobody else's.

        `name` is ours as its writer; who had another can append no more. Raises StoreUnavailable.
        """
        self.store.call(partial(outputstream.fence, run=run, writer=name))
        end = self.stored_end(run)
        writer = self._writers[run] = LogWriter(self, run, name, end)
        return writer

    def close(self, run: str) -> None:
        """Forget the run's tail; its output has been drained into Redis."""
        self._writers.pop(run).close()

    def stop(self) -> None:
        """Forget all tails, also of runs whose output could not be stored."""
        for run in list(self._writers):
            self.close(run)
        self.mirrors.stop()

    def writer(self, run: str) -> LogWriter | None:
        """The writer, if this process owns the run and it has not been closed."""
        return self._writers.get(run)

    def store_chunks(
        self, run: str, stored: int, chunks: list[Chunk], writer: str = ""
    ) -> tuple[int, int, int]:
        """Append `chunks` if the output that is stored ends at `stored`.

        Returns where it ends then, where what is archived ends, and how many other processes hear
        of it. Raises NotOurs.
        """
        append = partial(outputstream.append, run=run, stored=stored, chunks=chunks, writer=writer)
        return self.store.call(append)

    # Reading

    def end(self, run: str) -> int:
        """The number of bytes that the run has put out so far."""
        return self._ends(run)[0]

    def end_line(self, run: str) -> int:
        """The number of the line in which the output ends so far: 1 and its line feeds."""
        return self._ends(run)[1]

    def _ends(self, run: str) -> tuple[int, int]:
        writer = self._writers.get(run)
        return (writer.tail.end, writer.tail.end_line) if writer else self.stored_end(run)

    def stored_end(self, run: str) -> tuple[int, int]:
        """The number of bytes of the run that are stored, and the line in which they end."""
        return self._ask(run, partial(manifest.end, run=run))

    def read(
        self, run: str, offset: int, max_bytes: int, entries: int = READ_ENTRIES
    ) -> list[Item]:
        """Return the output from byte `offset` on: about `max_bytes`, as chunks and gaps.

        The first item begins at `offset`; nothing is returned at the end of what there is so
        far. `entries` bounds a read from Redis. Raises StoreUnavailable, ArchiveUnavailable
        (`wait_readable` waits for the end of both), and BadOffset beyond the end.
        """
        writer = self._writers.get(run)
        if writer is not None and offset >= writer.tail.start:
            if offset > writer.tail.end:
                raise _beyond(offset, writer.tail.end)
            return list(writer.tail.from_offset(offset, max_bytes))
        mirror = self.mirrors.get(run)
        if mirror is not None and (found := mirror.read(offset, max_bytes)):
            return found
        return self.read_stored(run, offset, max_bytes, entries)

    def read_stored(
        self, run: str, offset: int, max_bytes: int, entries: int = READ_ENTRIES
    ) -> list[Item]:
        """As `read`, of what is stored only."""
        if items := self._archived.known(run, offset, max_bytes, READ_ENTRIES_MAX):
            return items
        chunks = self._ask(run, partial(outputstream.read, run=run, offset=offset, entries=entries))
        if chunks and chunks[0].offset <= offset:
            return exactly_from(offset, chunks)
        # Asked after the hot window: what has left that in between is here.
        if items := self._archived.read(run, offset, max_bytes, READ_ENTRIES_MAX):
            return items
        if chunks:
            return exactly_from(offset, chunks)
        writer = self._writers.get(run)
        if writer is not None:  # Redis lost what the tail no longer holds
            return [Gap(offset, writer.tail.start, writer.tail.start_line)]
        if offset > (end := self.stored_end(run)[0]):
            raise _beyond(offset, end)
        return []

    def line_of(self, run: str, offset: int) -> int:
        """The number of the line in which byte `offset` lies: 1 is the first.

        In a gap it is the line in which the gap ends. Raises as `read` does.
        """
        writer = self._writers.get(run)
        if writer is not None and writer.tail.start <= offset <= writer.tail.end:
            return writer.tail.line_of(offset)
        while not (items := self.read(run, offset, 1, 1)):
            end, line = self._ends(run)
            if end <= offset:  # else it has just grown
                return line
        return items[0].line

    def offset_of_line(self, run: str, line: int) -> int:
        """The offset of the first byte of `line`, which may be the end of the output.

        Raises BadLine beyond the last line, LineGone when its beginning is no longer kept,
        StoreUnavailable and ArchiveUnavailable.
        """
        last = self.end_line(run)
        if not 1 <= line <= last:
            raise BadLine(f"there is no line {line}: the output has {last} so far, from 1 on")
        before, offset = self._before_line(run, line)
        if offset is not None:
            return offset
        items = self.read(run, before, 1, 1)
        if items and isinstance(items[0], Gap):
            gap = items[0]
            kept = f"its output is kept from line {gap.line} on, which byte {gap.end} lies in"
            if gap.end == self.end(run):
                kept = "nothing from there on is"
            raise LineGone(f"line {line} is no longer kept; {kept}")
        return before

    def _before_line(self, run: str, line: int) -> tuple[int, int | None]:
        """Return up to where the line feed before `line` was looked for, and its end, if found."""
        writer = self._writers.get(run)
        offset = writer.tail.start_of(line) if writer is not None else None
        if line == 1 or offset is not None:
            return 0, offset
        chunk = self._ask(run, partial(outputstream.before_line, run=run, line=line))
        if chunk is None:
            chunk, end = self._archived.before_line(run, line)
            if chunk is None:
                return end, None
        return chunk.end, chunk.start_of(line)

    def wait(self, run: str, offset: int, timeout: float) -> None:
        """Wait until there may be more of the run than `offset` bytes, or for `timeout` seconds.

        Call it where nothing was found there.
        """
        writer = self._writers.get(run)
        if writer is not None:
            writer.wait(timeout)
            return
        with self.mirrors.watching(run) as mirror:
            mirror.wait(offset, min(timeout, POLL_SECONDS))

    def wait_readable(self) -> None:
        """Wait until what StoreUnavailable or ArchiveUnavailable told of may have ended."""
        if not self.store.available:
            self.store.wait_until_available()
        elif not self.archive.reading.works:
            self.archive.reading.wait()
        else:
            host.sleep(RETRY_SECONDS)

    @contextmanager
    def following(
        self, run: str, follower: Callable[[Chunk | None], None]
    ) -> Iterator[LogWriter | Mirror]:
        """Call `follower` with each new chunk; gives the run's writer, or what stands for it here.

        It is called with None at the end of a run of ours, and where one of another process is to
        be looked at. It is called in another greenlet and must not wait.
        """
        with ExitStack() as stack:
            writer = self._writers.get(run)
            source = writer or stack.enter_context(self.mirrors.watching(run))
            source.followers.append(follower)
            stack.callback(source.followers.remove, follower)
            yield source

    # What retention does

    def spill(self, run: str) -> int:
        """Move all hot output of a run that has ended to the archive; return how many bytes.

        Several nodes may try at once. Raises ArchiveUnavailable and StoreUnavailable.
        """
        moved, archived = 0, -1
        while True:
            before = archived
            archived, taken = self.spill_segment(run)
            moved += taken
            if archived == before:
                return moved

    def spill_segment(self, run: str) -> tuple[int, int]:
        """Move the oldest of the hot output; return the archived end and how many bytes it were."""
        return spill_segment(self.store, self.archive, run, self.segment_bytes)

    def discard(self, run: str) -> int:
        """Remove the output of a run that has ended; return the bytes that this freed.

        What remains is where it ended: reading gives one gap up to there. Raises
        ArchiveUnavailable and StoreUnavailable; call it again then.
        """
        while True:
            freed = self.stored_bytes(run)
            end, end_line = self.stored_end(run)
            ref = self.store.read(partial(manifest.newest, run=run))
            self.archive.remove_run(run)
            self._archived.forget(run)
            archived = ref.end if ref is not None else 0
            if self.store.read(
                partial(manifest.discard, run=run, archived=archived, end=end, end_line=end_line)
            ):
                return freed

    def forget(self, run: str) -> int:
        """Remove the output of a run that has ended, and that there was any; return bytes freed.

        Raises ArchiveUnavailable and StoreUnavailable; call it again then.
        """
        freed = self.stored_bytes(run)
        self.archive.remove_run(run)
        self._archived.forget(run)
        self.store.read(partial(manifest.forget, run=run))
        return freed

    def stored_bytes(self, run: str) -> int:
        """The bytes that a run's output takes now, hot (as it is) and archived (compressed)."""
        return self.store.read(partial(manifest.stored_bytes, run=run))

    def _ask(self, run: str, function: Callable[[Redis], T]) -> T:
        """Return what Redis says; output of an earlier version goes to the archive first.

        It has no line numbers, which it gets there.
        """
        try:
            return self.store.read(function)
        except outputstream.Unnumbered:
            self.spill(run)
            return self.store.read(function)


def _beyond(offset: int, end: int) -> BadOffset:
    return BadOffset(f"offset {offset} is beyond the output, which has {end} bytes so far")
