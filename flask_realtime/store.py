"""The connection to Redis: calls that do not block the hub, and whether it answers."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TypeVar
from urllib.parse import urlsplit

from redis import Connection, Redis, UnixDomainSocketConnection
from redis.backoff import NoBackoff
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,
)
from redis.retry import Retry

from flask_realtime import host
from flask_realtime.errors import StoreUnavailable
from flask_realtime.slots import Slots

T = TypeVar("T")

logger = logging.getLogger(__name__)

PREFIX = "flask-realtime:1:"  # of every key; the number is the version of the key schema
ANSWER_SECONDS = 3.0  # a Redis that needs longer for one call counts as away
CHECK_SECONDS = 1.0  # between two pings while Redis answers
RECHECK_SECONDS = 0.25  # between two pings while it does not
MAX_CALLS = 48  # of the hub at once; of a connection too many redis-py says that Redis is away
PROBE_BYTES = 1 << 20  # as much as the log writes at once: there must be room for that
OFFLOAD_READ_BYTES = 1 << 18  # at a time: redis-py needs less time for large answers

# What means "later", as opposed to an error in the call.
AWAY = (ConnectionError, TimeoutError, BusyLoadingError, ReadOnlyError, OSError)


class Store:
    """A Redis that may go away and come back. Everything here is for the hub's thread.

    `changed` is called with nothing, in a greenlet, when `available` changes.
    """

    def __init__(self) -> None:
        self.available = True
        self.reason = ""  # why it is not, for people
        self.changed: Callable[[], None] = lambda: None
        self._back = host.Signal()
        self._is_pinging = False
        self._pinged = host.Signal()
        self._closing = False
        self._closed = host.Signal()
        self._calls = Slots(MAX_CALLS)
        self._url = ""
        self._client: Redis | None = None
        self._blocking: Redis | None = None  # for native threads
        self._watcher: host.Task | None = None

    def connect(self, url: str) -> None:
        """Name the Redis to talk to, and begin to watch whether it answers."""
        self._url = url
        self._client = Redis.from_url(
            url,
            connection_class=CONNECTIONS[urlsplit(url).scheme],
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 1, (ConnectionError,)),  # a pooled one may be stale
            max_connections=MAX_CALLS + 16,
        )
        self._watcher = host.spawn(self._watch)

    def close(self) -> None:
        """Stop watching, let the calls under way come to their end, and close the connections."""
        self._closing = True
        self._closed.set()
        if self._watcher is not None:
            self._watcher.wait()  # it may be in the middle of a ping
            self._watcher = None
        if self._client is not None:
            # A greenlet that waits at a socket would not hear that it was closed: it would wait on,
            # at the number of its descriptor, which the next one that is opened may have.
            with ExitStack() as all_calls:
                for _ in range(MAX_CALLS):
                    all_calls.enter_context(self._calls)
                self._client.close()
                self._client = None
        if self._blocking is not None:
            self._blocking.close()
            self._blocking = None

    def _connected(self) -> Redis:
        if self._client is None:
            raise StoreUnavailable("there is no connection to Redis: call Realtime.start() first")
        return self._client

    def read(self, function: Callable[[Redis], T]) -> T:
        """As `call`, for what only reads: also while Redis has no memory left."""
        return self.call(function, reads=True)

    def call(self, function: Callable[[Redis], T], *, reads: bool = False) -> T:
        """Return `function(client)`; only this greenlet waits for Redis.

        Raises StoreUnavailable at once while Redis is known to be away, and when it does not
        answer within ANSWER_SECONDS.
        """
        with self._calls:
            return self._ask(lambda: function(self._connected()), reads)

    def offload(self, function: Callable[[Redis], T], thread: Callable[[Callable[[], T]], T]) -> T:
        """As `read`, for calls that carry much: `thread` calls what it is given on a native one."""
        client = self._blocking_client()
        return self._ask(lambda: thread(lambda: function(client)), reads=True)

    def _blocking_client(self) -> Redis:
        if self._blocking is None:
            self._connected()
            self._blocking = blocking_client(self._url, read_bytes=OFFLOAD_READ_BYTES)
        return self._blocking

    def _ask(self, function: Callable[[], T], reads: bool) -> T:
        if not (self.available or (reads and self.reason == FULL)):
            raise StoreUnavailable(self.reason)
        try:
            return function()
        except AWAY as error:
            self._set_available(False, error)
            raise StoreUnavailable(self.reason) from error
        except ResponseError as error:
            if not _is_full(error):
                raise
            self._set_available(False, error)
            raise StoreUnavailable(self.reason) from error

    def wait_until_available(self, timeout: float | None = None) -> bool:
        """Wait until Redis answers again; True when it does."""
        return self.available or self._back.wait(timeout)

    def ping(self) -> bool:
        """Ask Redis now whether it answers, and takes writes if it was full."""
        if self._is_pinging:  # one at a time: each may hold a native thread for long
            self._pinged.wait(ANSWER_SECONDS)
            return self.available
        self._is_pinging = True
        try:
            return self._ping()
        finally:
            self._is_pinging = False
            self._pinged.set()

    def _ping(self) -> bool:
        try:
            if self.reason == FULL:
                self._connected().set(f"{PREFIX}probe", bytes(PROBE_BYTES), px=1)
            else:
                self._connected().ping()
        except (*AWAY, ResponseError) as error:
            self._set_available(False, error)
        else:
            self._set_available(True)
        return self.available

    def _watch(self) -> None:
        while True:
            self.ping()
            if not self._closing:
                self._closed.wait(CHECK_SECONDS if self.available else RECHECK_SECONDS)
            if self._closing:
                return

    def _set_available(self, available: bool, error: BaseException | None = None) -> None:
        if not available:
            self.reason = FULL if _is_full(error) else NOT_ANSWERING
        if available == self.available:
            return
        self.available = available
        if available:
            self.reason = ""
            logger.warning("Redis answers again")
            self._back.set()
        else:
            logger.error("Redis cannot be used: %s", error)
        host.spawn(self.changed)


NOT_ANSWERING = (
    "Redis does not answer; runs go on and their output is kept in memory, within its bound, "
    "until it does. Try again in a moment."
)
FULL = (
    "Redis has no memory left; runs go on and their output is kept here, within its bound, until "
    "it has. Its operator has to raise maxmemory, or to remove old runs."
)


def _is_full(error: BaseException | None) -> bool:
    if isinstance(error, OutOfMemoryError):
        return True
    # Of a script it is in the middle of the script's own error.
    return isinstance(error, ResponseError) and "OOM command not allowed" in str(error)


def blocking_client(url: str, *, read_bytes: int = 1 << 16) -> Redis:
    """A client for native threads, with the same patience as the hub's."""
    return Redis.from_url(
        url,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 1, (ConnectionError,)),
        socket_read_size=read_bytes,
    )


class _Green:
    """Makes a connection of redis-py wait without holding the hub.

    Name resolution and the handshake of TCP happen on a native thread; from then on
    the socket is a green one. One round trip costs some 0.1 ms less than on a thread, and much
    less while jobs compute: a thread would have to wait for the interpreter's lock each time.
    """

    def _connect(self) -> Any:
        attempt = _Attempt(super()._connect)  # type: ignore[misc]
        try:
            # The timeout of redis-py is not that of the name's resolution, which may hang longer.
            with host.Timeout(ANSWER_SECONDS, TimeoutError("no connection was made in time")):
                return host.green_socket(host.offload(attempt))
        except BaseException:  # the greenlet is ended, or its time is up: the thread goes on
            attempt.abandon()
            raise


class _Attempt:
    """A connection that is being made on a native thread, for a greenlet that may not take it."""

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._made: socket.socket | None = None
        self._abandoned = False

    def __call__(self) -> socket.socket:
        made = self._connect()
        with self._lock:
            self._made = made
            if self._abandoned:
                made.close()
        return made

    def abandon(self) -> None:
        """Close what was made, or will be."""
        with self._lock:
            self._abandoned = True
            if self._made is not None:
                self._made.close()


class _TcpConnection(_Green, Connection):
    pass


class _UnixConnection(_Green, UnixDomainSocketConnection):
    pass


CONNECTIONS: dict[str, type[Any]] = {
    "redis": _TcpConnection,
    "unix": _UnixConnection,
}
