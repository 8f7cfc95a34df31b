"""Viewers: each follows one run with a cursor of its own and a bounded window."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from flask_realtime import host
from flask_realtime.errors import ArchiveUnavailable, StoreUnavailable, TooManyViewers
from flask_realtime.outputlog import OutputLog
from flask_realtime.watching.feed import Feed
from flask_realtime.watching.messages import Message, MessageCache
from flask_realtime.watching.window import Window

MAX_VIEWERS_PER_CLIENT = 100  # runs that one connection may follow at once
SHARED_BYTES = 16 << 20  # of messages that several viewers may need, in all

# send(message, acknowledged): sends to the viewer's client; `acknowledged` is called once the
# client has dealt with it, or never. Must not wait.
Send = Callable[[Message, Callable[[], None] | None], None]


class Viewer:
    """Sends the output of a run from an offset on, as fast as its client acknowledges it.

    Where all viewers stand, at the end of what there is, its feed hands it what comes; elsewhere it
    reads for itself. It ends by itself, and calls `done`, when the run has ended and all was sent.
    """

    def __init__(
        self,
        feed: Feed,
        offset: int,
        send: Send,
        *,
        window_bytes: int,
        store_back: Callable[[], object],
        done: Callable[[Viewer], None],
    ) -> None:
        self.feed = feed
        self.cursor = offset
        self._send_to_client = send
        self._window = Window(window_bytes)
        self._store_back = store_back
        self._done = done
        self._detached = False
        self._wake = host.Signal()
        host.spawn(self._follow)

    def detach(self) -> None:
        """Send no more."""
        self._detached = True
        self._wake.set()

    def take(self, messages: list[Message]) -> None:
        """Send `messages`, which begin at the cursor, as far as the window allows."""
        for message in messages:
            if self._detached or not self._window.open:
                self._wake.set()
                return
            self._send(message)

    def wake(self) -> None:
        """Look again what there is."""
        self._wake.set()

    def _follow(self) -> None:
        pending: deque[Message] = deque()
        feed = self.feed
        while not self._detached:
            if not self._window.open:
                self._wake.wait()
            elif pending:
                self._send(pending.popleft())
            else:
                over, version = feed.over, feed.version
                try:
                    pending.extend(feed.messages(self.cursor))
                except (ArchiveUnavailable, StoreUnavailable):
                    self._store_back()
                    continue
                if pending:
                    continue
                if over:
                    break
                if feed.version == version:  # nothing has come while this was read
                    self._stand()
        self._done(self)

    def _stand(self) -> None:
        """Take what comes, until the window is full or something is to be read."""
        self.feed.stand(self)
        try:
            self._wake.wait()
        finally:
            self.feed.leave(self)

    def _send(self, message: Message) -> None:
        self.cursor = message.end
        if not message.size:
            self._send_to_client(message, None)
            return
        self._window.sent(message.size)
        self._send_to_client(message, lambda: self._acknowledged(message.size))

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
        self._feeds: dict[str, Feed] = {}  # of each run that is watched
        self._cache = MessageCache(SHARED_BYTES)

    def attach(
        self,
        client: str,
        run: str,
        offset: int,
        send: Send,
        *,
        end: int,
        run_ended: Callable[[], bool],
    ) -> None:
        """Let `client` follow `run` from `offset`; an attachment that it had moves there.

        `end` is what the output has at least. Raises TooManyViewers.
        """
        mine = self._viewers.setdefault(client, {})
        if run not in mine and len(mine) >= MAX_VIEWERS_PER_CLIENT:
            raise TooManyViewers(
                f"one connection may follow {MAX_VIEWERS_PER_CLIENT} runs at once: detach some"
            )
        feed = self._feeds.get(run)
        if feed is None:
            feed = self._feeds[run] = Feed(self._log, run, self._cache, end, run_ended)
        feed.viewers += 1
        self.detach(client, run)
        self._viewers.setdefault(client, {})[run] = Viewer(
            feed,
            offset,
            send,
            window_bytes=self._window_bytes,
            store_back=self._log.wait_readable,
            done=lambda viewer: self._forget(client, viewer),
        )

    @property
    def count(self) -> int:
        """How many viewers there are; who follows two runs is two."""
        return sum(map(len, self._viewers.values()))

    def watched(self) -> set[str]:
        """The runs that have a viewer here."""
        return set(self._feeds)

    def detach(self, client: str, run: str) -> None:
        """End the attachment, if there is one."""
        viewer = self._viewers.get(client, {}).get(run)
        if viewer is not None:
            viewer.detach()
            self._forget(client, viewer)

    def disconnected(self, client: str) -> None:
        """End all attachments of a client that has gone."""
        for run in list(self._viewers.get(client, {})):
            self.detach(client, run)

    def _forget(self, client: str, viewer: Viewer) -> None:
        mine = self._viewers.get(client, {})
        feed = viewer.feed
        if mine.get(feed.run) is viewer:
            del mine[feed.run]
            feed.viewers -= 1
            if not feed.viewers:
                feed.close()
                del self._feeds[feed.run]
        if not mine:
            self._viewers.pop(client, None)
