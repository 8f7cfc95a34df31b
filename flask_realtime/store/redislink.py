"""The two ways of the hub to a Redis: over green sockets, or on native threads.

One server without TLS is asked over green sockets (docs/decisions/004). redis-py's clients for
Sentinels and clusters hold locks of native threads while they wait, and a TLS connection does not
become green: these are asked on native threads, which costs more (docs/decisions/092).
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from redis import Connection, ConnectionPool, Redis, RedisCluster, UnixDomainSocketConnection
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.cluster import ClusterPubSub
from redis.exceptions import ConnectionError, TimeoutError
from redis.retry import Retry

from flask_realtime import host
from flask_realtime.store.redisclients import ANSWER_SECONDS, client_of
from flask_realtime.store.redisurl import RedisUrl

T = TypeVar("T")

GREEN_CALLS = 48  # of the hub at once; of a connection too many redis-py says that Redis is away
# ... on native threads, which are 20 for all that the hub offloads (host/). Whoever wants more
# waits in line: of a Redis that hangs these threads wait, too.
THREAD_CALLS = 12
REPLICATE_MS = 1000
PROBED_KEYS = 4096  # names that are tried until each node of a cluster has one


class Link(Protocol):
    """For greenlets of the hub's thread; only the calling one waits."""

    calls: int  # at once
    fails_over: bool  # a replica may take over, which has not got what was written last

    def call(self, function: Callable[[Redis], T]) -> T:
        """Return `function(client)`."""

    def run(self, function: Callable[[], T]) -> T:
        """Return `function()`, which waits for a client that `call` gave."""

    def close(self) -> None:
        """Close the connections; no call may be under way."""


class GreenLink:
    """Over green sockets, in the greenlet that calls."""

    calls = GREEN_CALLS
    fails_over = False

    def __init__(self, address: RedisUrl) -> None:
        kind = _UnixConnection if "path" in address.options else _TcpConnection
        options = {
            "socket_timeout": ANSWER_SECONDS,
            "socket_connect_timeout": ANSWER_SECONDS,
            # A pooled one may be stale. No pause: it would be one of the whole hub.
            "retry": Retry(NoBackoff(), 1, (ConnectionError,)),
            **address.options,
        }
        pool = ConnectionPool(kind, max_connections=GREEN_CALLS + 16, **options)
        self._client = Redis.from_pool(pool)

    def call(self, function: Callable[[Redis], T]) -> T:
        return function(self._client)

    def run(self, function: Callable[[], T]) -> T:
        return function()

    def close(self) -> None:
        self._client.close()


class ThreadLink:
    """By a blocking client, on native threads of the hub's pool."""

    calls = THREAD_CALLS

    def __init__(self, address: RedisUrl) -> None:
        self.fails_over = address.kind != "single"
        self._client = LazyClient(address)

    def call(self, function: Callable[[Redis], T]) -> T:
        return host.offload(lambda: function(self._client.get()))

    def run(self, function: Callable[[], T]) -> T:
        return host.offload(function)

    def close(self) -> None:
        host.offload(self._client.close)


def link_to(address: RedisUrl) -> Link:
    """The better one that there is for `address`."""
    return GreenLink(address) if address.is_plain else ThreadLink(address)


class LazyClient:
    """A blocking client, made when it is wanted first: that of a cluster asks it at once."""

    def __init__(self, address: RedisUrl, **options: Any) -> None:
        self._address = address
        self._options = options
        self._lock = threading.Lock()
        self._made: Redis | None = None

    def get(self) -> Redis:
        """For native threads. Raises redis.ConnectionError."""
        with self._lock:  # held while one connects: the others need what it makes
            if self._made is None:
                self._made = client_of(self._address, **self._options)
            return self._made

    def close(self) -> None:
        with self._lock:
            made, self._made = self._made, None
        if made is not None:
            made.close()


def ping(client: Redis | RedisCluster, key: str) -> None:
    """Ask whether Redis answers; of a cluster, each part of it, and whether it is whole.

    `key` is any of ours. Raises what redis-py does.
    """
    if isinstance(client, RedisCluster):
        client.ping(target_nodes=RedisCluster.PRIMARIES)
        client.exists(key)  # answered by a cluster that has lost too much with an error
    else:
        client.ping()


def probe(client: Redis | RedisCluster, name: Callable[[int], str], size: int) -> None:
    """Find out whether Redis, or each node of a cluster, has memory for `size` bytes.

    `name(n)` is a key for each number, in a slot of its own. Raises what redis-py does.
    """
    names = [name(0)]
    if isinstance(client, RedisCluster):
        wanted = len(client.get_primaries())  # type: ignore[no-untyped-call]
        by_node: dict[str, str] = {}
        for number in range(PROBED_KEYS):
            node: Any = client.get_node_from_key(name(number))  # type: ignore[no-untyped-call]
            by_node.setdefault(node.name, name(number))
            if len(by_node) == wanted:
                break
        names = list(by_node.values())
    for each in names:
        client.set(each, bytes(size), px=1)


def replicate(client: Redis | RedisCluster, key: str) -> bool:
    """Wait until a replica has all that was written before where `key` belongs, up to a second.

    `key` is a free one; it is written, too, since a connection can wait for its own writes only.
    False when there is no replica, or none that keeps up. Raises what redis-py does.
    """
    node: Any = client
    if isinstance(client, RedisCluster):
        node = client.get_redis_connection(
            client.get_node_from_key(key)  # type: ignore[no-untyped-call]
        )
    if not node.info("replication").get("connected_slaves"):
        return False
    pipeline = node.pipeline(transaction=False)
    pipeline.set(key, 1, px=REPLICATE_MS)
    pipeline.wait(1, REPLICATE_MS)
    return bool(pipeline.execute()[1])


class Subscription:
    """Channels that are listened to. For one greenlet of the hub's thread; close it at the end."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._first = ""  # channel
        self._pubsub: PubSub = link.call(lambda client: client.pubsub())  # type: ignore[no-untyped-call]

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *error: object) -> None:
        self._link.run(self._pubsub.close)

    def subscribe(self, *channels: str) -> None:
        """Ask for what is sent to `channels`. Raises what redis-py does.

        Of a cluster the node of the first of them is listened to.
        """
        self._first = self._first or channels[0]
        self._link.run(lambda: self._pubsub.subscribe(*channels))

    def unsubscribe(self, *channels: str) -> None:
        """Ask for no more of it. Raises what redis-py does."""
        self._link.run(lambda: self._pubsub.unsubscribe(*channels))  # type: ignore[no-untyped-call]

    def get(self, timeout: float) -> dict[str, Any] | None:
        """Return the next message, as redis-py has it; None after `timeout` seconds.

        Raises what redis-py does, and ConnectionError once the first channel belongs to another
        node: messages would still come, but who sends one learns only who listens there.
        """
        found: dict[str, Any] | None = self._link.run(lambda: self._get(timeout))
        return found

    def _get(self, timeout: float) -> dict[str, Any] | None:
        node = getattr(self._pubsub, "node", None)
        if isinstance(self._pubsub, ClusterPubSub) and node is not None:
            home = self._pubsub.cluster.get_node_from_key(self._first)
            if home is not None and home.name != node.name:
                raise ConnectionError(f"the channel {self._first} has moved to another node")
        found: dict[str, Any] | None = self._pubsub.get_message(timeout=timeout)
        return found

    def ping(self) -> None:
        """Have Redis answer with a message of the type `pong`."""
        self._link.run(self._pubsub.ping)


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


CONNECTIONS: dict[str, type[Any]] = {"redis": _TcpConnection, "unix": _UnixConnection}
