"""Viewers: each follows one run with a cursor of its own and a bounded window."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask_realtime import host
from flask_realtime.errors import BadOffset, StoreUnavailable, TooManyViewers
from flask_realtime.outputlog import (
    FOREIGN_POLL_SECONDS,
    MAX_CHUNK,
    READ_ENTRIES,
    READ_ENTRIES_MAX,
    OutputLog,
)
from flask_realtime.tail import MERGE_MS, Chunk, Gap, Item

READ_BYTES = 1 << 18  # of one read; small enough that a viewer does not hold the hub for long
FIRST_WINDOW_BYTES = 1 << 18  # on their way to a client of which nothing is known yet
LEAST_WINDOW_BYTES = MAX_CHUNK
QUICK_SECONDS = 0.5  # an acknowledgement that comes sooner lets the window grow ...
SLOW_SECONDS = 2.0  # ... and one that comes later lets it shrink
MAX_VIEWERS_PER_CLIENT = 100  # runs that one connection may follow at once

# emit(event, payload, acknowledged): sends to the viewer's client; `acknowledged` is called once
# the client has dealt with it, or never.
Emit = Callable[[str, dict[str, Any], Callable[[], None] | None], None]


class Window:
    """How many bytes are on their way to a client, and how many may be. No I/O.

    It adapts to the client, up to `max_bytes`: what is on its way stays so for a second or two.
    On a slow network a large window would hold up the heartbeat, and the client be cut off.
    `now()` gives seconds.
    """

    def __init__(self, max_bytes: int, now: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._now = now
        self._sent_at: deque[float] = deque()  # of each event that was not acknowledged
        self.size = min(max_bytes, FIRST_WINDOW_BYTES)
        self.in_flight = 0

    @property
    def open(self) -> bool:
        """Whether one more event may be sent: the last one may reach over the bound."""
        return self.in_flight < self.size

    def sent(self, size: int) -> None:
        """Count an event of `size` bytes."""
        self.in_flight += size
        self._sent_at.append(self._now())

    def acknowledged(self, size: int) -> None:
        """The oldest event that was not acknowledged, of `size` bytes, has been."""
        self.in_flight -= size
        took = self._now() - self._sent_at.popleft()
        if took < QUICK_SECONDS:
            self.size = min(self._max_bytes, 2 * self.size)
        elif took > SLOW_SECONDS:
            self.size = min(self._max_bytes, max(LEAST_WINDOW_BYTES, self.size // 2))


def merged(items: Iterable[Item]) -> Iterator[Item]:
    """Join chunks that follow each other closely into events of up to MAX_CHUNK bytes."""
    batch: list[Chunk] = []
    size = 0
    for item in items:
        if batch and (
            isinstance(item, Gap)
            or item.stream != batch[0].stream
            or item.time - batch[0].time > MERGE_MS
            or size + len(item.data) > MAX_CHUNK
        ):
            yield _joined(batch)
            batch, size = [], 0
        if isinstance(item, Gap):
            yield item
        else:
            batch.append(item)
            size += len(item.data)
    if batch:
        yield _joined(batch)


def _joined(batch: list[Chunk]) -> Chunk:
    if len(batch) == 1:
        return batch[0]
    data = b"".join(chunk.data for chunk in batch)
    return Chunk(batch[0].offset, batch[0].time, batch[0].stream, data, batch[0].line)


class Viewer:
    """Sends the output of a run from an offset on, as fast as its client acknowledges it.

    At the live end of a run of this process the writer hands each chunk over itself, which saves
    a turn of the hub; wherever that is not possible, the viewer reads the log. It ends by itself,
    and calls `done`, when the run has ended and all was sent.
    """

    def __init__(
        self,
        log: OutputLog,
        run: str,
        offset: int,
        emit: Emit,
        *,
        window_bytes: int,
        run_ended: Callable[[], bool],
        done: Callable[[Viewer], None],
    ) -> None:
        self.run = run
        self._log = log
        self._cursor = offset
        self._emit = emit
        self._window = Window(window_bytes)
        self._run_ended = run_ended
        self._done = done
        self._entries = READ_ENTRIES
        self._at_live_end = False  # has sent all there is, and waits
        self._detached = False
        self._wake = host.Signal()
        host.spawn(self._follow)

    def detach(self) -> None:
        """Send no more."""
        self._detached = True
        self._wake.set()

    def _follow(self) -> None:
        pending: deque[Item] = deque()
        with self._log.following(self.run, self._push):
            while not self._detached:
                if not self._window.open:
                    self._wake.wait()
                elif pending:
                    self._send(pending.popleft())
                else:
                    try:
                        ended = self._run_ended()  # asked before the read, which is complete then
                        pending.extend(merged(self._read()))
                    except StoreUnavailable:
                        self._log.store.wait_until_available()
                        continue
                    if not pending:
                        if ended:
                            break
                        self._wait_at_live_end()
        self._done(self)

    def _wait_at_live_end(self) -> None:
        self._at_live_end = True
        self._wake.wait(None if self._log.writer(self.run) else FOREIGN_POLL_SECONDS)
        self._at_live_end = False

    def _push(self, chunk: Chunk | None) -> None:
        """Take what the writer has just appended; None when there will be no more."""
        if not self._at_live_end or self._detached:
            return  # on its way to the log anyway
        if chunk is not None and chunk.offset == self._cursor and self._window.open:
            self._send(chunk)
        else:
            self._wake.set()

    def _read(self) -> list[Item]:
        try:
            items = self._log.read(self.run, self._cursor, READ_BYTES, self._entries)
        except BadOffset:
            # Redis lost what this client has seen already; while the run goes on, its owner
            # writes it again.
            return []
        size = sum(item.end - item.offset for item in items)
        if len(items) < self._entries or size >= READ_BYTES:
            self._entries = READ_ENTRIES
        else:  # many small ones: fetch more at a time
            self._entries = min(2 * self._entries, READ_ENTRIES_MAX)
        return items

    def _send(self, item: Item) -> None:
        self._cursor = item.end
        if isinstance(item, Gap):
            gap = {"run": self.run, "offset": item.offset, "next": item.end}
            self._emit("gap", gap, None)
            return
        size = len(item.data)
        self._window.sent(size)
        output = {
            "run": self.run,
            "offset": item.offset,
            "data": item.data,
            "time": item.time,
            "stream": item.stream,
        }
        self._emit("output", output, lambda: self._acknowledged(size))

    def _acknowledged(self, size: int) -> None:
        was_open = self._window.open
        self._window.acknowledged(size)
        if not was_open:
            self._wake.set()


class Viewers:
    """Who follows what: at most one viewer for each client and run."""

    def __init__(self, log: OutputLog, *, window_bytes: int) -> None:
        self._log = log
        self._window_bytes = window_bytes
        self._viewers: dict[str, dict[str, Viewer]] = {}  # client → run → viewer

    def attach(
        self, client: str, run: str, offset: int, emit: Emit, run_ended: Callable[[], bool]
    ) -> None:
        """Let `client` follow `run` from `offset`; an attachment that it had moves there."""
        mine = self._viewers.setdefault(client, {})
        if run not in mine and len(mine) >= MAX_VIEWERS_PER_CLIENT:
            raise TooManyViewers(
                f"one connection may follow {MAX_VIEWERS_PER_CLIENT} runs at once: detach some"
            )
        self.detach(client, run)
        self._viewers.setdefault(client, {})[run] = Viewer(
            self._log,
            run,
            offset,
            emit,
            window_bytes=self._window_bytes,
            run_ended=run_ended,
            done=lambda viewer: self._forget(client, viewer),
        )

    def detach(self, client: str, run: str) -> None:
        """End the attachment, if there is one."""
        viewer = self._viewers.get(client, {}).get(run)
        if viewer is not None:
            viewer.detach()
            self._forget(client, viewer)

    def disconnected(self, client: str) -> None:
        """End all attachments of a client that has gone."""
        for viewer in list(self._viewers.get(client, {}).values()):
            self.detach(client, viewer.run)

    def _forget(self, client: str, viewer: Viewer) -> None:
        mine = self._viewers.get(client, {})
        if mine.get(viewer.run) is viewer:
            del mine[viewer.run]
        if not mine:
            self._viewers.pop(client, None)
