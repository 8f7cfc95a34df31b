"""Messages between the processes that serve one Redis: what changed, and what to do.

Redis' publish and subscribe: a message reaches who listens now, and nobody else. So nothing may
hang on one: the records and the log in Redis are the truth, and a message only says to look, or
asks the process that owns a run to do what others cannot.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from redis import Redis
from redis.client import PubSub

from flask_realtime import host
from flask_realtime.errors import StoreUnavailable
from flask_realtime.store import AWAY, PREFIX, Store

logger = logging.getLogger(__name__)

LISTEN_SECONDS = 1.0  # between two looks at whether to end

Handler = Callable[[dict[str, Any]], None]


class Bus:
    """Sends and receives messages. For greenlets of the hub's thread.

    `owner` names this process. `handlers` has what to call, in a greenlet, for each kind of
    message; it must not wait for long.
    """

    def __init__(self, store: Store, owner: str, handlers: dict[str, Handler]) -> None:
        self._store = store
        self._owner = owner
        self._handlers = handlers
        self._listener: host.Task | None = None
        self._closing = False

    def start(self) -> None:
        """Begin to listen."""
        self._listener = host.spawn(self._listen)

    def stop(self) -> None:
        """Listen no more."""
        self._closing = True
        if self._listener is not None:
            self._listener.wait()
            self._listener = None

    def tell_all(self, kind: str, **message: Any) -> None:
        """Send to all other processes that listen; does not wait."""
        host.spawn(self._publish, _ALL, kind, message)

    def ask(self, owner: str, kind: str, **message: Any) -> bool:
        """Send to one process; False when it does not listen. Raises StoreUnavailable."""
        return self._send(_channel(owner), kind, message) > 0

    def _publish(self, channel: str, kind: str, message: dict[str, Any]) -> None:
        try:
            self._send(channel, kind, message)
        except StoreUnavailable:
            logger.debug("%s was not told to the others: Redis is away", kind)

    def _send(self, channel: str, kind: str, message: dict[str, Any]) -> int:
        text = json.dumps({"from": self._owner, "kind": kind, **message})
        heard: Any = self._store.call(lambda client: client.publish(channel, text))
        return int(heard)

    def _listen(self) -> None:
        while not self._closing:
            try:
                with self._store.call(_subscription) as subscription:
                    subscription.subscribe(_ALL, _channel(self._owner))
                    while not self._closing:
                        self._receive(subscription)
            except StoreUnavailable:
                self._store.wait_until_available(LISTEN_SECONDS)
            except AWAY:
                self._store.ping()

    def _receive(self, subscription: PubSub) -> None:
        got = subscription.get_message(ignore_subscribe_messages=True, timeout=LISTEN_SECONDS)
        if got is None:
            return
        message = json.loads(got["data"])
        if message.pop("from") == self._owner:
            return
        handler = self._handlers.get(message.pop("kind"))
        if handler is not None:  # else a later version sent it
            host.spawn(self._handle, handler, message)

    def _handle(self, handler: Handler, message: dict[str, Any]) -> None:
        try:
            handler(message)
        except StoreUnavailable as error:
            logger.warning("a message of another process was not dealt with: %s", error)


_ALL = PREFIX + "bus"


def _subscription(client: Redis) -> PubSub:
    subscription: PubSub = client.pubsub()  # type: ignore[no-untyped-call]
    return subscription


def _channel(owner: str) -> str:
    return f"{PREFIX}bus:{owner}"
