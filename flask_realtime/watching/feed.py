"""A run's output for all who watch it in this process: read once, encoded once.

A feed has an end, up to which its viewers may read. Those who have reached it stand there, and are
handed what comes next: one message, whoever gets it. What is behind it everybody reads at their
own pace, and those who read at the same place share what was read.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from flask_realtime import host
from flask_realtime.errors import ArchiveUnavailable, BadOffset, StoreUnavailable
from flask_realtime.nodes.mirror import Mirror
from flask_realtime.outputlog import (
    MAX_CHUNK,
    READ_ENTRIES,
    READ_ENTRIES_MAX,
    OutputLog,
)
from flask_realtime.tail import MERGE_MS, Chunk
from flask_realtime.watching.messages import Message, MessageCache, before, merged

READ_BYTES = 1 << 18  # of one read; small enough that a viewer does not hold the hub for long
CACHED_BYTES = 1 << 14  # a message below this is read anew rather than kept: it would stay small
FEW_VIEWERS = 4  # so many are handed what is printed at once, by the writer itself
# Each event of each viewer costs the hub some 0.05 ms, its acknowledgement included. So with more
# viewers what is printed within this time for each of them is sent together: 0.15 s at 1,000.
PACE_SECONDS = 0.00015
# A run of another process: whether it is over is told; a message may be lost, or its sender.
ASK_SECONDS = 5.0
ROUND_MS = 300  # so exact are the times of what many get together
SLICE_BYTES = 1 << 20  # after so much the hub's other work has its turn ...
EVENT_BYTES = 10 << 10  # ... where an event costs as much as these bytes, beside its own


class Standing(Protocol):
    """A viewer, as its feed knows it."""

    @property
    def cursor(self) -> int: ...

    def take(self, messages: list[Message]) -> None:
        """Send `messages`, which begin at the cursor; as far as the window allows. No waiting."""

    def wake(self) -> None:
        """Look again what there is."""


class _Reading:
    """A read that several viewers wait for."""

    def __init__(self) -> None:
        self.messages: list[Message] | None = None  # also when it was broken off
        self.error: Exception | None = None
        self.done = host.Signal()


class Feed:
    """What one process offers of one run. For greenlets of the hub's thread.

    `end` is what the output has at least; `run_ended()` says whether the run is over, so that what
    can be read afterwards is all there will be. It may wait for Redis.
    """

    def __init__(
        self, log: OutputLog, run: str, cache: MessageCache, end: int, run_ended: Callable[[], bool]
    ) -> None:
        self.run = run
        self.end = end
        self.over = False  # nothing comes after `end`
        self.version = 0  # counts up with `end` and `over`
        self.viewers = 0  # of this run, wherever they stand
        self._log = log
        self._cache = cache
        self._run_ended = run_ended
        self._writer = log.writer(run)
        self._is_written = self._writer is not None  # the writer has not said that it ended
        self._mirror: Mirror | None = None  # of a run that another process writes
        self._asked = 0.0  # when it was asked whether that run is over
        self._entries = READ_ENTRIES
        self._readings: dict[int, _Reading] = {}
        self._standing: dict[Standing, None] = {}  # in the order in which they came
        self._is_busy = False  # a round goes on
        self._published = 0.0  # when the last round was
        self._more = host.Signal()
        self._closed = False
        host.spawn(self._publish)

    def close(self) -> None:
        """The last viewer has left."""
        self._closed = True
        self._cache.forget(self.run)
        self._more.set()

    # For viewers

    def messages(self, offset: int) -> list[Message]:
        """What there is from `offset` on, up to `end`: some READ_BYTES; nothing at the end.

        Raises StoreUnavailable and ArchiveUnavailable.
        """
        if offset >= self.end:
            return []
        found = self._cache.following(self.run, offset, READ_BYTES)
        if found:
            return found
        reading = self._readings.get(offset)
        if reading is not None:
            reading.done.wait()
            if reading.error is not None:
                raise reading.error
            return self.messages(offset) if reading.messages is None else reading.messages
        reading = self._readings[offset] = _Reading()
        try:
            messages = reading.messages = self._read(offset, self.end)
        except Exception as error:
            reading.error = error
            raise
        finally:
            del self._readings[offset]
            reading.done.set()
        return messages

    def stand(self, viewer: Standing) -> None:
        """Hand `viewer` what comes next, until it leaves."""
        if not self._standing and not self._is_written:
            self._more.set()  # somebody waits for what another process writes
        self._standing[viewer] = None

    def leave(self, viewer: Standing) -> None:
        self._standing.pop(viewer, None)

    def _read(self, offset: int, end: int, within_ms: int = MERGE_MS) -> list[Message]:
        try:
            items = self._log.read(self.run, offset, READ_BYTES, self._entries)
        except BadOffset:
            # Redis lost what this client has seen already; while the run goes on, its owner
            # writes it again.
            return []
        size = sum(item.end - item.offset for item in items)
        if len(items) < self._entries or size >= READ_BYTES:
            self._entries = READ_ENTRIES
        else:  # many small ones: fetch more at a time
            self._entries = min(2 * self._entries, READ_ENTRIES_MAX)
        messages = [Message(self.run, item) for item in merged(before(items, end), within_ms)]
        if self.viewers > 1:
            for message in messages:
                if message.size >= CACHED_BYTES:
                    self._cache.add(self.run, message)
        return messages

    # What comes next

    def _wrote(self, chunk: Chunk | None) -> None:
        """`chunk` was appended; None when there will be no more, or to look. Must not wait."""
        if chunk is None:
            self._is_written = False
            self._asked = 0.0
        if (
            chunk is None
            or self._is_busy
            or len(self._standing) > FEW_VIEWERS
            or chunk.offset != self.end
        ):
            self._more.set()
            return
        self._advance(chunk.end)
        if self._standing:  # few enough to be handed it without a turn for others
            self._hand_on(chunk.offset, [Message(self.run, chunk)])

    def _advance(self, end: int) -> None:
        self.end = end
        self.version += 1

    def _publish(self) -> None:
        with self._log.following(self.run, self._wrote) as source:
            self._mirror = source if isinstance(source, Mirror) else None
            while not self._closed and not self.over:
                try:
                    self._look()
                except (ArchiveUnavailable, StoreUnavailable):
                    self._log.wait_readable()

    def _look(self) -> None:
        """Publish what is new; wait when nothing is."""
        if self._writer is not None:
            ended, end = not self._is_written or self._run_ended(), self._written
        elif self._standing:
            ended, end = self._look_elsewhere()
        else:
            self._more.wait()
            return
        if end > self.end:
            self._pace()
            self._round(max(end, self._written))
        elif ended:
            self.over = True
            self.version += 1
            self._writer = None  # and its tail, however long somebody takes to read on
            self._hand_on(self.end, [])
        elif self._writer is not None:
            self._more.wait()
        else:
            self._hand_on(self.end, [])  # wakes those whom Redis owes something
            if self._asked and self._written <= self.end:  # nothing has come meanwhile
                self._more.wait(ASK_SECONDS)

    @property
    def _written(self) -> int:
        """How far the output goes, as it is known here without asking Redis."""
        if self._writer is not None:
            return self._writer.tail.end
        return self._mirror.end if self._mirror is not None else 0

    def _look_elsewhere(self) -> tuple[bool, int]:
        """Whether a run of another process is over, and how far its output goes."""
        now = time.monotonic()
        if self._written > self.end or now - self._asked < ASK_SECONDS:
            return False, self._written
        self._asked = now
        ended = self._run_ended()  # asked before the end, which is complete then
        return ended, self._log.stored_end(self.run)[0] if ended else self._written

    def _pace(self) -> None:
        """Wait for more of what is printed, the longer the more viewers stand here."""
        if len(self._standing) <= FEW_VIEWERS:
            return
        due = self._published + PACE_SECONDS * len(self._standing)
        while (left := due - time.monotonic()) > 0 and not self._closed:
            if self._written - self.end >= MAX_CHUNK:
                return
            self._more.wait(left)

    def _round(self, end: int) -> None:
        """Hand what comes before `end` to those who stand at the end."""
        begin = self.end
        self._is_busy = True
        try:
            messages = [] if end - begin > READ_BYTES else self._read(begin, end, ROUND_MS)
            self._advance(messages[-1].end if messages else end)
            self._hand_on(begin, messages)
        finally:
            self._published = time.monotonic()
            self._is_busy = False

    def _hand_on(self, begin: int, messages: list[Message]) -> None:
        """Hand `messages`, which begin at `begin`, to those who stand there; wake the others."""
        cost = EVENT_BYTES + sum(message.size for message in messages)
        spent = 0
        for viewer in list(self._standing):
            if viewer not in self._standing:  # it left in another's turn
                continue
            if messages and viewer.cursor == begin:
                viewer.take(messages)
            elif viewer.cursor < self.end or self.over:
                viewer.wake()
            spent += cost
            if spent > SLICE_BYTES:
                spent = 0
                host.sleep(0)
