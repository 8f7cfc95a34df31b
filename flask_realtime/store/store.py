"""The connection to Redis: calls that do not block the hub, and whether it answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

from redis import Redis
from redis.exceptions import (
    BusyLoadingError,
    ClusterError,
    ConnectionError,
    CrossSlotTransactionError,
    InvalidPipelineStack,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    ResponseError,
    TimeoutError,
    TryAgainError,
)

from flask_realtime import host
from flask_realtime.errors import StoreUnavailable
from flask_realtime.store import keys
from flask_realtime.store.backoff import Backoff
from flask_realtime.store.redisclients import ANSWER_SECONDS, blocking_client
from flask_realtime.store.redislink import (
    LazyClient,
    Link,
    Subscription,
    link_to,
    ping,
    probe,
    replicate,
)
from flask_realtime.store.redisurl import parse_redis_url
from flask_realtime.store.slots import Slots

__all__ = ["ANSWER_SECONDS", "AWAY", "Store", "blocking_client"]

T = TypeVar("T")

logger = logging.getLogger(__name__)

CHECK_SECONDS = 1.0  # between two pings while Redis answers
RECHECK_FIRST_SECONDS = 0.1  # between two pings while it does not, ...
RECHECK_MOST_SECONDS = 1.0  # ... longer each time
PROBE_BYTES = 1 << 20  # as much as the log writes at once: there must be room for that
OFFLOAD_READ_BYTES = 1 << 18  # at a time: redis-py needs less time for large answers

# What means "later", as opposed to an error in the call.
AWAY = (
    ConnectionError,
    TimeoutError,
    BusyLoadingError,
    ReadOnlyError,
    ClusterError,
    TryAgainError,
    RedisClusterException,
    OSError,
)
# ... of these, what is an error in the call after all.
_WRONG = (CrossSlotTransactionError, InvalidPipelineStack)


class Store:
    """A Redis that may go away and come back. Everything here is for the hub's thread.

    `changed` is called with nothing, in a greenlet, when `available` changes.
    """

    def __init__(self) -> None:
        self.available = True
        self.reason = ""  # why it is not, for people
        self.returns = 0  # how often it has come back, perhaps without what it took last
        self.changed: Callable[[], None] = lambda: None
        self._back = host.Signal()
        self._is_pinging = False
        self._pinged = host.Signal()
        self._closing = False
        self._closed = host.Signal()
        self._calls = Slots(0)
        self._link: Link | None = None
        self._blocking: LazyClient | None = None  # for native threads
        self._watcher: host.Task | None = None

    def connect(self, url: str) -> None:
        """Name the Redis to talk to, and begin to watch whether it answers.

        Raises ValueError for a malformed `url`.
        """
        address = parse_redis_url(url)
        self._link = link_to(address)
        self._calls = Slots(self._link.calls)
        self._blocking = LazyClient(address, read_bytes=OFFLOAD_READ_BYTES)
        self._watcher = host.spawn(self._watch)

    def close(self) -> None:
        """Stop watching, let the calls under way come to their end, and close the connections."""
        self._closing = True
        self._closed.set()
        if self._watcher is not None:
            self._watcher.wait()  # it may be in the middle of a ping
            self._watcher = None
        if self._link is not None:
            # A greenlet that waits at a socket would not hear that it was closed: it would wait on,
            # at the number of its descriptor, which the next one that is opened may have.
            with ExitStack() as all_calls:
                for _ in range(self._link.calls):
                    all_calls.enter_context(self._calls)
                self._link.close()
                self._link = None
        if self._blocking is not None:
            self._blocking.close()
            self._blocking = None
        self.available = False
        self._back.set()  # who waits for it ends

    def _connected(self) -> Link:
        if self._link is None:
            raise StoreUnavailable("there is no connection to Redis: call Realtime.start() first")
        return self._link

    def read(self, function: Callable[[Redis], T]) -> T:
        """As `call`, for what only reads: also while Redis refuses what writes."""
        return self.call(function, reads=True)

    def call(self, function: Callable[[Redis], T], *, reads: bool = False) -> T:
        """Return `function(client)`; only this greenlet waits for Redis.

        Raises StoreUnavailable at once while Redis is known to be away, and when it does not
        answer within ANSWER_SECONDS.
        """
        link = self._connected()
        with self._calls:
            return self._ask(lambda: link.call(function), reads)

    def secure(self, key: str) -> None:
        """Wait until what was written where `key`, a free one, belongs outlives a failover.

        Call it before letting go of what could be written again. It waits for a replica, if there
        is one that keeps up, and for no more than a second. Raises StoreUnavailable.
        """
        if self._link is not None and self._link.fails_over:
            self.read(lambda client: replicate(client, key))

    def offload(self, function: Callable[[Redis], T], thread: Callable[[Callable[[], T]], T]) -> T:
        """As `read`, for calls that carry much: `thread` calls what it is given on a native one."""
        self._connected()
        blocking = self._blocking
        assert blocking is not None
        return self._ask(lambda: thread(lambda: function(blocking.get())), reads=True)

    def subscription(self) -> Subscription:
        """What listens to channels; close it before the store. Its calls raise what AWAY has."""
        return Subscription(self._connected())

    def _ask(self, function: Callable[[], T], reads: bool) -> T:
        if not (self.available or (reads and self.reason in REFUSALS)):
            raise StoreUnavailable(self.reason)
        try:
            return function()
        except _WRONG:
            raise
        except AWAY as error:
            self._set_available(False, error)
            raise StoreUnavailable(self.reason) from error
        except ResponseError as error:
            if _refusal(error) is None:
                raise
            self._set_available(False, error)
            raise StoreUnavailable(self.reason) from error

    def wait_until_available(self, timeout: float | None = None) -> bool:
        """Wait until Redis answers again; True when it does.

        Ends the task that waits for a store that is closed: nothing will be stored any more.
        """
        is_back = self.available or self._closing or self._back.wait(timeout)
        if self._closing:
            raise host.TaskExit
        return is_back

    def ping(self) -> bool:
        """Ask Redis now whether it answers, and takes writes if it has refused some."""
        if self._is_pinging:  # one at a time: each may hold a native thread for long
            return self._pinged.wait(ANSWER_SECONDS) and self.available
        self._is_pinging = True
        try:
            return self._ping()
        finally:
            self._is_pinging = False
            self._pinged.set()

    def _ping(self) -> bool:
        probes = self.reason in REFUSALS
        try:
            link = self._connected()
            if probes:
                link.call(lambda client: probe(client, keys.probe, PROBE_BYTES))
            else:
                link.call(lambda client: ping(client, keys.probe(0)))
        except (*AWAY, ResponseError) as error:
            self._set_available(False, error)
        else:
            if probes or self.reason not in REFUSALS:  # else it has refused a write meanwhile
                self._set_available(True)
        return self.available

    def _watch(self) -> None:
        recheck = Backoff(RECHECK_FIRST_SECONDS, RECHECK_MOST_SECONDS)
        while True:
            self.ping()
            if not self._closing:
                if self.available:
                    recheck.reset()
                self._closed.wait(CHECK_SECONDS if self.available else recheck.next())
            if self._closing:
                return

    def _set_available(self, available: bool, error: BaseException | None = None) -> None:
        if not available:
            self.reason = _refusal(error) or NOT_ANSWERING
        if available == self.available:
            return
        self.available = available
        if available:
            self.reason = ""
            self.returns += 1
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


DISK = (
    "Redis cannot write to its disk; runs go on and their output is kept here, within its bound, "
    "until it can. Its operator has to make room there, or to see why it cannot be written."
)
NO_REPLICAS = (
    "Redis has too few replicas that keep up; runs go on and their output is kept here, within "
    "its bound, until it has enough. Its operator has to look after them."
)

# What writes are refused with while reads are answered, and what that means.
REFUSALS = {
    FULL: "OOM command not allowed",
    DISK: "MISCONF ",
    NO_REPLICAS: "NOREPLICAS ",
}


def _refusal(error: BaseException | None) -> str | None:
    """Why Redis refuses what writes, if it is that."""
    if isinstance(error, OutOfMemoryError):
        return FULL
    if not isinstance(error, ResponseError):
        return None
    # Of a script it is in the middle of the script's own error.
    return next((reason for reason, code in REFUSALS.items() if code in str(error)), None)
