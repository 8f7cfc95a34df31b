"""One native thread that carries bytes between the two sockets of each tunnel.

It waits in epoll for all of them, so that a tunnel waits neither for the hub nor for what the
hub's greenlets do: 50,000 messages/s instead of 18,000, and a view that blocks for 0.5 s delays
none (docs/decisions/060-the-pump.md).
"""

from __future__ import annotations

import math
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from flask_realtime.proxy.frames import TO_VISITOR, Frames, to_upstream

BUFFER_BYTES = 1 << 18  # taken at once; what cannot be handed on waits, and so does its sender
CHECK_SECONDS = 1.0  # how often silence is looked for
# After one side said that it has ended, the other has this long to say so, too.
HALF_CLOSED_SECONDS = 60.0
LINGER_SECONDS = 2.0  # ... and this long after the first has vanished
CLOSE_SECONDS = 1.5  # for both sides to answer the Close frames of a stop


class _Side:
    """One of the two sockets; `unsent` is what the other side sent and this has not taken yet."""

    __slots__ = ("ended", "frames", "gone", "mask", "other", "socket", "tunnel", "unsent")

    def __init__(
        self, tunnel: Tunnel, connected: socket.socket, unsent: bytes, frames: Frames
    ) -> None:
        connected.setblocking(False)
        self.tunnel = tunnel
        self.socket = connected
        self.unsent = memoryview(unsent)
        self.frames = frames  # of what it has sent
        self.ended = False  # it will send no more
        self.gone = False  # nor take any more
        self.mask = 0
        self.other: _Side = self

    def wanted(self) -> int:
        reading = 0 if self.ended or self.other.unsent else select.EPOLLIN
        return reading | (select.EPOLLOUT if self.unsent else 0)


class Tunnel:
    """Two sockets that hear each other. `done()` is called once, in the pump's thread.

    `said` is what the upstream has said already, and the client was sent.
    """

    def __init__(
        self,
        client: socket.socket,
        upstream: socket.socket,
        *,
        said: Frames,
        to_upstream: bytes,
        idle_timeout: float,
        done: Callable[[], None],
    ) -> None:
        asked = Frames()
        asked.pass_on(to_upstream)
        self.sides = (_Side(self, client, b"", asked), _Side(self, upstream, to_upstream, said))
        self.sides[0].other, self.sides[1].other = self.sides[1], self.sides[0]
        self.is_stopping = False
        self.idle_timeout = idle_timeout
        self.done = done
        self.used = time.monotonic()
        self.ends_at = math.inf  # once one side is gone, or the end was told

    def last_words(self, side: _Side, data: bytes | memoryview = b"") -> bytes:
        """What the other side still hears of `data` from `side`, and that this is the end."""
        to_client = side is self.sides[1]
        return side.frames.cut(TO_VISITOR if to_client else to_upstream(), data)


class Pump:
    """Carries any number of tunnels. Its thread is there while there are any."""

    def __init__(self) -> None:
        # Guards what follows: no tunnel is added to a thread that has decided to end.
        self._lock = threading.Lock()
        self._new: deque[Tunnel] = deque()
        self._stopped: deque[Tunnel] = deque()
        self._dropped: deque[Tunnel] = deque()
        self._waker = -1
        self._buffer = memoryview(bytearray(BUFFER_BYTES))

    def add(self, tunnel: Tunnel) -> None:
        """Begin to carry it. Its sockets are the pump's from now on. Any thread."""
        with self._lock:
            self._new.append(tunnel)
            if self._waker >= 0:
                os.eventfd_write(self._waker, 1)
            else:
                self._waker = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                threading.Thread(target=self._run, name="tunnel pump", daemon=True).start()

    def stop(self, tunnel: Tunnel) -> None:
        """End it with a Close frame to both sides, 1001, which have CLOSE_SECONDS to answer it.

        Any thread; one that has ended may be named.
        """
        self._ask(self._stopped, tunnel)

    def drop(self, tunnel: Tunnel) -> None:
        """End it soon, whatever is on its way. Any thread; one that has ended may be named."""
        self._ask(self._dropped, tunnel)

    def _ask(self, queue: deque[Tunnel], tunnel: Tunnel) -> None:
        with self._lock:
            queue.append(tunnel)
            if self._waker >= 0:
                os.eventfd_write(self._waker, 1)

    def _run(self) -> None:
        tunnels: set[Tunnel] = set()
        sides: dict[int, _Side] = {}
        waker = self._waker
        checked = time.monotonic()
        with select.epoll() as epoll:
            epoll.register(waker, select.EPOLLIN)
            while True:
                with self._lock:
                    new, stopped, dropped = [*self._new], [*self._stopped], [*self._dropped]
                    for queue in (self._new, self._stopped, self._dropped):
                        queue.clear()
                    if not new and not tunnels:
                        os.close(waker)
                        self._waker = -1
                        return
                for tunnel in new:
                    tunnels.add(tunnel)
                    for side in tunnel.sides:
                        sides[side.socket.fileno()] = side
                        self._watch(epoll, side)
                for tunnel in stopped:
                    if tunnel in tunnels:
                        self._tell(epoll, tunnel)
                ended = {tunnel for tunnel in dropped if tunnel in tunnels}
                events = epoll.poll(CHECK_SECONDS)
                now = time.monotonic()
                for number, event in events:
                    if number == waker:
                        os.eventfd_read(waker)
                        continue
                    side = sides[number]
                    side.tunnel.used = now
                    if side.tunnel not in ended and not self._serve(epoll, side, event):
                        ended.add(side.tunnel)
                if now - checked >= CHECK_SECONDS:
                    checked = now
                    ended.update(tunnel for tunnel in tunnels if _is_idle(tunnel, now))
                for tunnel in ended:
                    tunnels.discard(tunnel)
                    for side in tunnel.sides:
                        if side.mask:
                            epoll.unregister(side.socket)
                        del sides[side.socket.fileno()]
                        side.socket.close()
                    tunnel.done()

    def _serve(self, epoll: select.epoll, side: _Side, event: int) -> bool:
        """Do what can be done without waiting; False when the tunnel has ended."""
        other, tunnel = side.other, side.tunnel
        if event & select.EPOLLOUT:
            _flush(side)
        if event & select.EPOLLIN:
            self._take(side)
        elif event & (select.EPOLLHUP | select.EPOLLERR):
            side.ended = True
            _give_up(side)
        if not side.unsent and not other.unsent:
            if side.ended and other.ended:
                return False
            sides = tunnel.sides
            if tunnel.is_stopping and all(each.ended or each.frames.is_over for each in sides):
                return False
        self._watch(epoll, side)
        self._watch(epoll, other)
        return True

    def _tell(self, epoll: select.epoll, tunnel: Tunnel) -> None:
        """Say to both sides that this is the end: now, or behind the frame that has begun."""
        tunnel.is_stopping = True
        tunnel.ends_at = min(tunnel.ends_at, time.monotonic() + CLOSE_SECONDS)
        for side in tunnel.sides:
            _hand_on(side.other, tunnel.last_words(side))
        for side in tunnel.sides:
            self._watch(epoll, side)

    def _take(self, side: _Side) -> None:
        """Hand on what `side` has sent."""
        try:
            received = side.socket.recv_into(self._buffer)
        except BlockingIOError:
            return
        except OSError:
            side.ended = True
            _give_up(side)
            return
        other = side.other
        if not received:
            side.ended = True
            if not other.unsent:
                _end_writing(other)
            return
        data: bytes | memoryview = self._buffer[:received]
        if side.tunnel.is_stopping:
            data = side.tunnel.last_words(side, data)
        else:
            side.frames.pass_on(data)
        _hand_on(other, data)

    @staticmethod
    def _watch(epoll: select.epoll, side: _Side) -> None:
        """Ask for the events that it can use now; for none, or an ended side would never rest."""
        wanted = side.wanted()
        if wanted == side.mask:
            return
        if not side.mask:
            epoll.register(side.socket, wanted)
        elif not wanted:
            epoll.unregister(side.socket)
        else:
            epoll.modify(side.socket, wanted)
        side.mask = wanted


def _hand_on(side: _Side, data: bytes | memoryview) -> None:
    """Send it, or keep what the side does not take now."""
    if side.gone or not data:
        return
    sent = 0
    try:
        if not side.unsent:
            sent = side.socket.send(data)
    except BlockingIOError:
        pass
    except OSError:
        _give_up(side)
        return
    if sent < len(data):
        rest = bytes(data[sent:])
        side.unsent = memoryview(bytes(side.unsent) + rest if side.unsent else rest)


def _end_writing(side: _Side) -> None:
    if side.gone:
        return
    try:
        side.socket.shutdown(socket.SHUT_WR)
    except OSError:
        _give_up(side)


def _flush(side: _Side) -> None:
    try:
        side.unsent = side.unsent[side.socket.send(side.unsent) :]
        if not side.unsent and side.other.ended:
            side.socket.shutdown(socket.SHUT_WR)
    except BlockingIOError:
        pass
    except OSError:
        _give_up(side)


def _give_up(side: _Side) -> None:
    """It takes nothing any more. What it has said before still reaches the other side.

    That is heard out: closed with bytes unread, a reset would take those words away.
    """
    side.gone = True
    side.unsent = memoryview(b"")
    side.tunnel.ends_at = min(side.tunnel.ends_at, time.monotonic() + LINGER_SECONDS)
    if side.ended and not side.other.unsent:
        with suppress(OSError):  # gone as well
            side.other.socket.shutdown(socket.SHUT_WR)


def _is_idle(tunnel: Tunnel, now: float) -> bool:
    if now >= tunnel.ends_at:
        return True
    limit = tunnel.idle_timeout
    if any(side.ended for side in tunnel.sides):
        limit = min(limit, HALF_CLOSED_SECONDS)
    return now - tunnel.used >= limit
