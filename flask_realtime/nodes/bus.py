"""Messages between the processes that serve one Redis: what changed, and what to do.

Redis' publish and subscribe: a message reaches who listens now, and nobody else. So nothing may
hang on one: the records and the log in Redis are the truth, and a message only says to look, or
asks the process that owns a run to do what others cannot.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable
from typing import Any

from redis.exceptions import ConnectionError, ResponseError

from flask_realtime import host
from flask_realtime.errors import RealtimeError, StoreUnavailable
from flask_realtime.store import keys
from flask_realtime.store.backoff import Backoff
from flask_realtime.store.redislink import Subscription
from flask_realtime.store.store import AWAY, Store

logger = logging.getLogger(__name__)

LISTEN_SECONDS = 1.0  # between two looks at whether to end
QUIET_SECONDS = 5.0  # in which nothing came: then Redis is asked whether it is there still
RETRY_FIRST_SECONDS = 0.1  # before it is subscribed again, ...
RETRY_MOST_SECONDS = 2.0  # ... longer each time
START_SECONDS = 5.0  # in which Redis says that it will hand on what others send

Handler = Callable[[dict[str, Any]], dict[str, Any] | None]
Listener = Callable[[bytes | None], None]


class Bus:
    """Sends and receives messages. For greenlets of the hub's thread.

    `owner` names this process. `handlers` has what to call, in a greenlet, for each kind of
    message; it must not wait for long. What one returns or raises is the answer to a `call`.
    """

    def __init__(self, store: Store, owner: str, handlers: dict[str, Handler]) -> None:
        self._store = store
        self._owner = owner
        # What is told to all is for web nodes: each change of each run. With 10,000 processes that
        # run runs, Redis could not tell it to all (docs/scaling.md). To be set before `start`.
        self.hears_all = True
        self._handlers = {**handlers, _ANSWER: self._answered}
        self._calls = itertools.count()
        self._answers: dict[int, dict[str, Any] | None] = {}  # to calls that wait for them
        self._answer_came = host.Signal()
        self._listener: host.Task | None = None
        self._listens = host.Signal()
        self._channels: dict[str, Listener] = {}  # that others publish on, beside messages
        self._subscribed: set[str] = set()  # those of them that Redis was asked for
        self._closing = False

    def start(self) -> None:
        """Begin to listen: what others send from now on is heard, unless Redis goes away."""
        self._listener = host.spawn(self._listen)
        self._listens.wait(START_SECONDS)

    def stop(self) -> None:
        """Listen no more."""
        self._closing = True
        if self._listener is not None:
            self._wake()  # it would notice only when its look ends, within LISTEN_SECONDS
            self._listener.wait()
            self._listener = None

    def hear(self, channel: str, listener: Listener) -> None:
        """Call `listener` with all that is published on `channel`; does not wait.

        It is called with None once Redis listens for us, also when that begins anew: what came
        before may have been missed. It must not wait.
        """
        self._channels[channel] = listener
        self._change_subscription()

    def unhear(self, channel: str) -> None:
        """Listen no more for what is published there; does not wait."""
        self._channels.pop(channel, None)
        self._change_subscription()

    def _change_subscription(self) -> None:
        """Wake the listener, which alone uses its connection; it looks each second anyway."""
        if self._listener is not None and self._changes() != (set(), set()):
            self._wake()

    def _wake(self) -> None:
        host.spawn(self._publish, keys.bus(self._owner), _CHANGE, {})

    def _changes(self) -> tuple[set[str], set[str]]:
        wanted = set(self._channels)
        return wanted - self._subscribed, self._subscribed - wanted

    def tell_all(self, kind: str, **message: Any) -> None:
        """Send to all other processes that listen; does not wait."""
        host.spawn(self._publish, keys.BUS, kind, message)

    def ask(self, owner: str, kind: str, **message: Any) -> bool:
        """Send to one process; False when it does not listen. Raises StoreUnavailable."""
        return self._send(keys.bus(owner), kind, message) > 0

    def call(self, owner: str, kind: str, timeout: float, **message: Any) -> dict[str, Any] | None:
        """Send to one process, and return what its handler returns, or raise what it raises.

        None when it does not listen, or does not answer in `timeout` seconds. Raises
        StoreUnavailable.
        """
        number = next(self._calls)
        self._answers[number] = None
        try:
            if not self.ask(owner, kind, call=number, **message):
                return None
            host.wait_for(lambda: self._answers[number] is not None, self._answer_came, timeout)
            answer = self._answers[number]
        finally:
            del self._answers[number]
        if answer is not None and "error" in answer:
            error = answer["error"]
            raise RealtimeError(error["message"], code=error["code"], status=error["status"])
        return answer

    def _answered(self, message: dict[str, Any]) -> None:
        if message["to"] in self._answers:  # else it came too late
            self._answers[message["to"]] = message["answer"]
            self._answer_came.set()

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
        retry = Backoff(RETRY_FIRST_SECONDS, RETRY_MOST_SECONDS)
        while not self._closing:
            try:
                with self._store.subscription() as subscription:
                    self._subscribed = set()
                    shared = [keys.BUS] if self.hears_all else []
                    subscription.subscribe(*shared, keys.bus(self._owner))
                    self._receive_all(subscription, retry)
            except StoreUnavailable:
                self._store.wait_until_available(LISTEN_SECONDS)
            except (*AWAY, ResponseError) as error:
                if isinstance(error, ResponseError):  # it refuses even pings while its disk is full
                    logger.warning("Redis does not let this process listen: %s", error)
                if self._store.ping() and not self._closing:  # it was the connection alone
                    host.sleep(retry.next())
                else:
                    self._store.wait_until_available(LISTEN_SECONDS)

    def _receive_all(self, subscription: Subscription, retry: Backoff) -> None:
        """Deal with what comes. Raises ConnectionError when nothing does, not even an answer.

        A host that is gone, or a cut network, would be noticed by nobody else here: who only
        listens sends nothing.
        """
        quiet, asked = host.Deadline(QUIET_SECONDS), False
        while not self._closing:
            self._subscribe(subscription)
            got = subscription.get(LISTEN_SECONDS)
            if got is not None:
                quiet, asked = host.Deadline(QUIET_SECONDS), False
                retry.reset()
                self._receive(got)
            elif not quiet.left():
                if asked:
                    raise ConnectionError("the subscription does not answer")
                subscription.ping()
                quiet, asked = host.Deadline(QUIET_SECONDS), True

    def _subscribe(self, subscription: Subscription) -> None:
        """Ask Redis for what is listened to from now on, and for no more than that."""
        more, less = self._changes()
        if more:
            subscription.subscribe(*more)
        if less:
            subscription.unsubscribe(*less)
        self._subscribed = (self._subscribed | more) - less

    def _receive(self, got: dict[str, Any]) -> None:
        if got["type"] not in ("subscribe", "message"):
            return
        channel = got["channel"].decode()
        listener = self._channels.get(channel)
        if got["type"] == "subscribe":  # Redis answers to the subscription
            self._listens.set()
            if listener is not None:
                listener(None)
        elif listener is not None:
            listener(got["data"])
        elif channel in (keys.BUS, keys.bus(self._owner)):  # else nobody listens there any more
            self._take(got)

    def _take(self, got: dict[str, Any]) -> None:
        message = json.loads(got["data"])
        sender = message.pop("from")
        if sender == self._owner:
            return
        handler = self._handlers.get(message.pop("kind"))
        if handler is not None:  # else a later version sent it
            host.spawn(self._handle, handler, message, sender, message.pop("call", None))

    def _handle(
        self, handler: Handler, message: dict[str, Any], sender: str, call: int | None
    ) -> None:
        try:
            answer = handler(message) or {}
        except StoreUnavailable as error:
            logger.warning("a message of another process was not dealt with: %s", error)
            return
        except RealtimeError as error:
            fault = {"code": error.code, "message": error.message, "status": error.status}
            answer = {"error": fault}
        if call is not None:
            self._publish(keys.bus(sender), _ANSWER, {"to": call, "answer": answer})


_ANSWER = "answer"
_CHANGE = "change"  # of what we listen to
