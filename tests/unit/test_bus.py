"""Messages between processes, as two of them over one Redis send and hear them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from redis import RedisCluster
from redis.exceptions import ResponseError

from flask_realtime import host
from flask_realtime.errors import InputFull, RealtimeError
from flask_realtime.nodes import bus
from flask_realtime.nodes.bus import Bus, Handler
from flask_realtime.store import keys, redislink
from flask_realtime.store.store import Store
from tests.support.hub import until

# In a cluster it is at the node where the bus listens: PUBLISH counts those of one node only.
CHANNEL = keys.SHARED + "channel"


@contextmanager
def running(store: Store, name: str, handlers: dict[str, Handler]) -> Iterator[Bus]:
    bus = Bus(store, name, handlers)
    bus.start()
    yield bus
    bus.stop()


def kill_subscriptions(client: Any) -> None:
    nodes = {"target_nodes": RedisCluster.ALL_NODES} if isinstance(client, RedisCluster) else {}
    client.client_kill_filter(_type="pubsub", **nodes)


def started(store: Store, name: str, heard: list[dict[str, Any]]) -> AbstractContextManager[Bus]:
    return running(store, name, {"news": heard.append})


def test_one_that_has_started_misses_nothing(store: Store) -> None:
    heard: list[dict[str, Any]] = []
    with started(store, "one", []) as one, started(store, "two", heard):
        assert one.ask("two", "news", number=1)
        one.tell_all("news", number=2)
        until(lambda: len(heard) == 2)
    assert sorted(message["number"] for message in heard) == [1, 2]
    assert not one.ask("two", "news", number=3)


def refuses(message: dict[str, Any]) -> dict[str, Any]:
    raise InputFull(f"{message['bytes']} bytes wait")


def waits(message: dict[str, Any]) -> dict[str, Any]:
    host.sleep(message["seconds"])
    return {"late": True}


def test_a_call_returns_what_its_handler_returns_or_raises(store: Store) -> None:
    handlers = {"adds": lambda message: {"sum": message["a"] + message["b"]}, "refuses": refuses}
    with running(store, "one", {}) as one, running(store, "two", handlers):
        assert one.call("two", "adds", 5, a=1, b=2) == {"sum": 3}
        with pytest.raises(RealtimeError, match="7 bytes wait") as raised:
            one.call("two", "refuses", 5, bytes=7)
        assert (raised.value.code, raised.value.status) == ("input_full", 429)
        assert one._answers == {}


def test_a_call_that_nobody_answers_comes_to_its_end(store: Store) -> None:
    with running(store, "one", {}) as one, running(store, "two", {"waits": waits}):
        assert one.call("nobody", "waits", 5, seconds=0) is None
        assert one.call("two", "unheard of", 0.1) is None
        assert one.call("two", "waits", 0.1, seconds=0.3) is None
        # The late answer to that one is not taken for the answer to another.
        assert one.call("two", "waits", 5, seconds=0.5) == {"late": True}
        assert one._answers == {}


def test_calls_at_once_get_each_their_own_answer(store: Store) -> None:
    handlers = {"echoes": lambda message: {"number": message["number"]}}
    with running(store, "one", {}) as one, running(store, "two", handlers):
        answers: list[object] = []
        calls = [
            host.spawn(
                lambda number: answers.append(one.call("two", "echoes", 5, number=number)), n
            )
            for n in range(20)
        ]
        for call in calls:
            call.wait()
    assert sorted(str(answer) for answer in answers) == sorted(
        str({"number": number}) for number in range(20)
    )


def test_a_channel_is_heard_from_its_subscription_on(store: Store) -> None:
    heard: list[bytes | None] = []
    with running(store, "one", {}) as one:
        one.hear(CHANNEL, heard.append)
        until(lambda: heard == [None])
        assert store.call(lambda client: client.publish(CHANNEL, "more")) == 1
        until(lambda: heard == [None, b"more"])
        one.unhear(CHANNEL)
        until(lambda: store.call(lambda client: client.publish(CHANNEL, "nobody")) == 0)
        one.hear(CHANNEL, heard.append)
        until(lambda: len(heard) == 3)
    assert heard == [None, b"more", None]


def test_what_may_have_been_missed_while_redis_was_away_is_told(store: Store) -> None:
    heard: list[bytes | None] = []
    with running(store, "one", {}) as one:
        one.hear(CHANNEL, heard.append)
        until(lambda: heard == [None])
        store.call(kill_subscriptions)
        until(lambda: heard == [None, None])
        store.call(lambda client: client.publish(CHANNEL, "more"))
        until(lambda: heard == [None, None, b"more"])


def test_who_listens_need_not_hear_anything_to_stop(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "LISTEN_SECONDS", 3600.0)  # that one look at the socket may take
    with started(store, "one", []) as one:
        assert one.ask("one", "unheard of")
        with host.Timeout(60, TimeoutError("it listens on")):
            one.stop()


def test_one_that_redis_refused_to_listen_listens_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers so to the pings of connections while its disk is full."""
    answers = ["MISCONF Errors writing to the AOF file: No space left on device"]
    get = redislink.Subscription.get

    def refused(subscription: redislink.Subscription, timeout: float) -> dict[str, Any] | None:
        if answers:
            raise ResponseError(answers.pop())
        return get(subscription, timeout)

    monkeypatch.setattr(redislink.Subscription, "get", refused)
    heard: list[dict[str, Any]] = []
    with started(store, "one", heard):
        store.call(lambda client: client.ping())
        until(lambda: not answers)
        with started(store, "two", []) as two:
            until(lambda: two.ask("one", "news", number=1))
            until(lambda: bool(heard))
