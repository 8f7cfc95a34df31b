"""The newest output of a run that another process writes: read from Redis once for all here.

The writer publishes how far the output has grown, in the round trip that stores it. A process that
has somebody who watches hears of it, reads what is new, and keeps it as the writer keeps its own:
viewers find it in memory, and at the live end they are handed it. A message that is lost is made
up for by a look each second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol

from flask_realtime import host, outputstream
from flask_realtime.errors import ArchiveUnavailable, BadOffset, StoreUnavailable
from flask_realtime.store import keys
from flask_realtime.tail import Chunk, Gap, Item, Tail

if TYPE_CHECKING:
    from flask_realtime.outputlog import OutputLog

POLL_SECONDS = 1.0  # between two looks at outputs of which nobody tells anything
POLLED_AT_ONCE = 100  # runs
READ_BYTES = 1 << 18  # what has grown by more is not read here: each viewer does, at its own pace
TAIL_BYTES = 1 << 18  # that are kept of a run ...
TAIL_CHUNKS = 1024  # ... in at most so many chunks
LINGER_SECONDS = 3.0  # that a mirror is kept for somebody who comes back


class Channels(Protocol):
    """What tells of growth: the bus."""

    def hear(self, channel: str, listener: Callable[[bytes | None], None]) -> None: ...

    def unhear(self, channel: str) -> None: ...


class Mirror:
    """The newest output of one run of another process. For greenlets of the hub's thread.

    `followers` are called with each new chunk, and with None when there is something to look at:
    the output has grown by much, or the run may be over. They must not wait.
    """

    def __init__(self, log: OutputLog, run: str) -> None:
        self.tail: Tail | None = None  # until Redis has been asked for the first time
        self.followers: list[Callable[[Chunk | None], None]] = []
        self.users = 0
        self._log = log
        self._run = run
        self._heard: tuple[int, int] | None = None  # where the output ends, and in which line
        self._is_due = True  # Redis is to be asked where it ends
        self._wake = host.Signal()
        self._grown = host.Signal()
        self._closed = False
        host.spawn(self._follow)

    @property
    def end(self) -> int:
        """What is known of the output's length."""
        return self.tail.end if self.tail is not None else 0

    def read(self, offset: int, max_bytes: int) -> list[Item]:
        """What is kept here from `offset` on; nothing may mean that it is elsewhere."""
        tail = self.tail
        if tail is None or not tail.start <= offset < tail.end:
            return []
        return list(tail.from_offset(offset, max_bytes))

    def hear(self, message: bytes | None) -> None:
        """What the writer published; None when something may have been missed. Must not wait."""
        if message is None:
            self._is_due = True
        else:
            end, line = message.split()
            self._heard = int(end), int(line)
        self._wake.set()

    def look(self) -> None:
        """Let those who wait find out whether the run is over."""
        self._tell(None)

    def wait(self, offset: int, timeout: float) -> None:
        """Wait until there may be more than `offset` bytes, or for `timeout` s."""
        if self.end <= offset:
            self._grown.wait(timeout)

    def close(self) -> None:
        self._closed = True
        self._wake.set()

    def _follow(self) -> None:
        while not self._closed:
            try:
                self._catch_up()
            except (ArchiveUnavailable, StoreUnavailable):
                self._is_due = True
                self._log.wait_readable()
                continue
            if not (self._is_due or self._heard):
                self._wake.wait()

    def _catch_up(self) -> None:
        """Get what is new, or note where it ends."""
        if self._heard is not None:
            ends, self._heard = self._heard, None
        elif self._is_due:
            self._is_due = False
            ends = self._log.stored_end(self._run)
            if self.tail is not None and ends[0] < self.tail.end:  # Redis lost what we have
                self.tail = None
        else:
            return
        if self.tail is None or ends[0] - self.tail.end > READ_BYTES:
            self._begin(*ends)
        while not self._closed and self.end < ends[0] and self._read():
            pass

    def _begin(self, end: int, line: int) -> Tail:
        """Keep what comes after `end`."""
        self.tail = Tail(TAIL_BYTES, TAIL_CHUNKS, (end, line))
        self._tell(None)
        return self.tail

    def _read(self) -> bool:
        """Take some of what follows; False when there is nothing."""
        tail = self.tail
        assert tail is not None
        try:
            items = self._log.read_stored(self._run, tail.end, READ_BYTES)
        except BadOffset:  # Redis has lost it meanwhile; its writer stores it again
            return False
        for item in items:
            if isinstance(item, Gap):
                tail = self._begin(item.end, item.line)
                continue
            tail.append(item)
            tail.mark_flushed(tail.end)
            self._tell(item)
        return bool(items)

    def _tell(self, chunk: Chunk | None) -> None:
        for follower in self.followers:
            follower(chunk)
        self._grown.set()


class Mirrors:
    """The mirrors of a process, one for each run of others that is watched here."""

    def __init__(self, log: OutputLog) -> None:
        self.channels: Channels | None = None  # without: only the look each second
        self._log = log
        self._mirrors: dict[str, Mirror] = {}
        self._poller: host.Task | None = None

    def get(self, run: str) -> Mirror | None:
        """The mirror of a run, if there is one."""
        return self._mirrors.get(run)

    def is_end(self, run: str, offset: int) -> bool:
        """Whether nothing is known to come after `offset`, without asking Redis."""
        mirror = self._mirrors.get(run)
        return mirror is not None and mirror.end == offset > 0

    def look(self, run: str) -> None:
        """Something has changed about a run: who waits for its output is to look."""
        if (mirror := self._mirrors.get(run)) is not None:
            mirror.look()

    @contextmanager
    def watching(self, run: str) -> Iterator[Mirror]:
        """The mirror of a run, which is kept for the block's time."""
        mirror = self._mirrors.get(run)
        if mirror is None:
            mirror = self._mirrors[run] = Mirror(self._log, run)
            self._poller = self._poller or host.spawn(self._poll)
            if self.channels is not None:
                self.channels.hear(keys.grown(run), mirror.hear)
        mirror.users += 1
        try:
            yield mirror
        finally:
            mirror.users -= 1
            if not mirror.users:
                host.spawn(self._close_unused, run, mirror)

    def _close_unused(self, run: str, mirror: Mirror) -> None:
        host.sleep(LINGER_SECONDS)
        if not mirror.users and self._mirrors.get(run) is mirror:
            self._close(run)

    def _close(self, run: str) -> None:
        self._mirrors.pop(run).close()
        if self.channels is not None:
            self.channels.unhear(keys.grown(run))

    def stop(self) -> None:
        """Close all."""
        for run in list(self._mirrors):
            self._close(run)
        if self._poller is not None:
            self._poller.kill()
            self._poller = None

    def _poll(self) -> None:
        """Each second, in one question: which have grown, or shrunk, without a word of it?"""
        while True:
            host.sleep(POLL_SECONDS)
            runs = [run for run, mirror in self._mirrors.items() if mirror.tail is not None]
            try:
                for first in range(0, len(runs), POLLED_AT_ONCE):
                    self._compare(runs[first : first + POLLED_AT_ONCE])
            except StoreUnavailable:
                self._log.store.wait_until_available()

    def _compare(self, runs: list[str]) -> None:
        ends = self._log.store.read(partial(outputstream.last_ids, runs=runs))
        for run, end in zip(runs, ends, strict=True):
            mirror = self._mirrors.get(run)
            if mirror is not None and mirror.end != end:
                mirror.hear(None)
