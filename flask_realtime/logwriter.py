"""The owner's end of one run's log: appends, tells viewers at once, stores it behind them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask_realtime import host
from flask_realtime.errors import ArchiveUnavailable, StoreUnavailable
from flask_realtime.outputstream import NotOurs
from flask_realtime.store import keys
from flask_realtime.tail import Chunk, Tail

if TYPE_CHECKING:
    from flask_realtime.outputlog import OutputLog

MAX_CHUNK = 1 << 16  # bytes; larger events gain nothing (measured: 407 MB/s at this size)
RETRY_SECONDS = 1.0  # at most, before the archive is tried again
QUIET_SECONDS = 5.0  # in which nothing was printed: then it is seen to that Redis has it all still
FLUSH_DELAY_SECONDS = 0.01  # what is printed within this goes to Redis together, after the viewers
# ... where another process has viewers, who wait for it: then what is first does not wait itself.
HEARD_DELAY_SECONDS = 0.005


class LogWriter:
    """The owner's end of one run's log. For greenlets of the hub's thread.

    `name` says which writer this is, where another may go on with the log: what this one appends
    then is refused, and `refused` is called. `begin`: byte and line from which on it writes.
    """

    written_bytes = 0  # of all runs, since this process began

    def __init__(
        self, log: OutputLog, run: str, name: str = "", begin: tuple[int, int] = (0, 1)
    ) -> None:
        self.refused: Callable[[], None] = lambda: None
        self._log = log
        self._run = run
        self._name = name
        self.tail = Tail(log.tail_bytes, log.tail_chunks, begin)
        self.followers: list[Callable[[Chunk | None], None]] = []  # told of each chunk, and the end
        self._grown = host.Signal()  # for readers that wait
        self._flushed = host.Signal()  # for the writer: there is room
        self._more = host.Signal()  # for the flusher: there is work
        self._spilled = host.Signal()  # for the flusher: the hot window may have room
        self._archived = 0  # where what is in the archive ends
        self._spilling = False
        self._is_heard = False  # others wait for what comes to Redis
        self._flushed_at = 0.0  # time.monotonic()
        self._closed = False
        self._returns = log.store.returns  # of Redis, after which we have looked what it has
        self._is_refused = False  # somebody else writes the log now
        self._flusher = host.spawn(self._flush)

    def append(self, stream: int, data: bytes) -> None:
        """Append `data` to the output; wait while too much of it is not in Redis yet."""
        now = int(time.time() * 1000)
        for start in range(0, len(data), MAX_CHUNK):
            while self.tail.full and not (self._closed or self._is_refused):
                self._flushed.wait()
            piece = data[start : start + MAX_CHUNK]
            chunk = Chunk(self.tail.end, now, stream, piece, self.tail.end_line)
            self.tail.append(chunk)
            LogWriter.written_bytes += len(piece)
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
        """Wait until all that was appended is in Redis, however long that takes.

        Redis is asked: it may have lost what it had said it has.
        """
        while True:
            if self._closed:  # the process ends without Redis: there is nothing more to do
                raise host.TaskExit
            try:
                if self.tail.flushed == self.tail.end and self._look() == self.tail.end:
                    self._log.store.secure(keys.secured(self._run))
                    return
            except StoreUnavailable:
                self._log.store.wait_until_available()
                host.sleep(FLUSH_DELAY_SECONDS)
            except NotOurs:
                return
            if self._is_refused:
                return
            self._more.set()
            if self.tail.flushed < self.tail.end:
                self._flushed.wait(RETRY_SECONDS)

    def close(self) -> None:
        """End the flusher and the spiller; call `drain` first."""
        self._closed = True
        self._more.set()
        self._flushed.set()
        self._spilled.set()

    @property
    def hot(self) -> int:
        """The bytes that are in Redis and not in the archive."""
        return self.tail.flushed - self._archived

    @property
    def _is_wide(self) -> bool:
        """Whether the hot window can spare a segment."""
        return self.hot >= self._log.hot_bytes + self._log.segment_bytes

    def _look(self) -> int:
        """Find out what Redis has; return where that ends."""
        return self._store(-1, [])

    def _store(self, stored: int, chunks: list[Chunk]) -> int:
        """Append what Redis takes, note what it has then, and return where that ends."""
        self._flushed_at = time.monotonic()
        answer = self._log.store_chunks(self._run, stored, chunks, self._name)
        stored, self._archived, told = answer
        if chunks:
            self._is_heard = told > 0
        self.tail.mark_flushed(stored)
        self._flushed.set()
        self._spilled.set()
        return stored

    def _flush(self) -> None:
        while not self._closed:
            stored = self.tail.flushed
            chunks = self.tail.from_offset(stored, self._log.flush_bytes)
            returns = self._log.store.returns
            if not chunks and (self._more.wait(QUIET_SECONDS) or returns == self._returns):
                self._collect()
                continue
            try:
                # The answer differs from what we expect when Redis lost what it had not made
                # durable, or kept an attempt whose reply was lost: then go on from there.
                self._store(stored if chunks else -1, chunks)
                self._returns = returns
            except StoreUnavailable:
                self._log.store.wait_until_available()
                continue
            except NotOurs:
                self._is_refused = True
                self._flushed.set()
                host.spawn(self.refused)
                return
            self._bound_hot_window()

    def _collect(self) -> None:
        """Wait for more of what is printed: a moment, or less where others wait for it."""
        if self._is_heard:
            since = time.monotonic() - self._flushed_at
            host.sleep(max(0.0, HEARD_DELAY_SECONDS - since))
        else:
            host.sleep(FLUSH_DELAY_SECONDS)

    def _bound_hot_window(self) -> None:
        """Have the archive take what is beyond the window; wait when that is too much."""
        while not self._closed:
            if self._is_wide and not self._spilling:
                self._spilling = True
                host.spawn(self._spill)
            if self.hot < 2 * self._log.hot_bytes:
                return
            self._spilled.wait()  # the archive does not keep up, or is away

    def _spill(self) -> None:
        """Move the oldest hot output to the archive, until the hot window has its size again."""
        while self._is_wide and not self._closed:
            try:
                self._archived, moved = self._log.spill_segment(self._run)
                if not moved:  # Redis may have lost what we take for hot
                    self._look()
            except ArchiveUnavailable:
                self._log.archive.writing.wait(RETRY_SECONDS)
            except StoreUnavailable:
                self._log.store.wait_until_available()
                host.sleep(FLUSH_DELAY_SECONDS)
            except NotOurs:
                break
            self._spilled.set()
        self._spilling = False
