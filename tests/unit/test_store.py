"""The connections to Redis: how they are closed, and one that nobody waits for any more."""

from __future__ import annotations

import socket
import threading

import pytest
from redis import Connection
from redis.exceptions import ResponseError

from flask_realtime import host
from flask_realtime.errors import StoreUnavailable
from flask_realtime.redisserver import RedisServer
from flask_realtime.store import redislink
from flask_realtime.store import store as store_module
from flask_realtime.store.redislink import CONNECTIONS, GREEN_CALLS
from flask_realtime.store.store import Store
from tests.support.hub import until


@pytest.mark.parametrize("killed", ["before", "after"])
def test_a_connection_that_nobody_takes_is_closed(
    monkeypatch: pytest.MonkeyPatch, killed: str
) -> None:
    """A greenlet is ended while a native thread connects for it, or just after that."""
    ours, theirs = socket.socketpair()
    begun, may_end = threading.Event(), threading.Event()

    def connect(self: Connection) -> socket.socket:
        begun.set()
        assert may_end.wait(60)
        return ours

    monkeypatch.setattr(Connection, "_connect", connect)
    task = host.spawn(CONNECTIONS["redis"]()._connect)
    until(begun.is_set)
    if killed == "before":
        task.kill()
        assert ours.fileno() >= 0
        may_end.set()
    else:
        may_end.set()
        task.kill()  # the hub has had no turn to hand it over
    until(lambda: ours.fileno() < 0)
    theirs.close()


def test_calls_under_way_come_to_their_end_before_it_is_closed(redis_server: RedisServer) -> None:
    store = Store()
    store.connect(redis_server.url)
    waits = [
        host.spawn(store.call, lambda client: client.blpop("nothing ever", 0.3))
        for _ in range(GREEN_CALLS + 2)  # two wait for room
    ]
    host.sleep(0)
    store.close()
    assert {wait.wait() for wait in waits} == {None}
    with pytest.raises(StoreUnavailable, match=r"call Realtime.start\(\) first"):
        store.read(lambda client: client.ping())


def test_a_name_whose_resolution_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """And takes one native thread, however many ask whether Redis answers."""
    monkeypatch.setattr(redislink, "ANSWER_SECONDS", 3.0)  # all ask within it
    monkeypatch.setattr(store_module, "ANSWER_SECONDS", 3.0)
    monkeypatch.setattr(store_module, "RECHECK_FIRST_SECONDS", 60.0)
    may_end = threading.Event()
    asked = 0

    def connect(self: Connection) -> socket.socket:
        nonlocal asked
        asked += 1
        assert may_end.wait(60)
        raise OSError("there is no such name")

    monkeypatch.setattr(Connection, "_connect", connect)
    store = Store()
    store.connect("redis://nowhere:1/0")
    pings = [host.spawn(store.ping) for _ in range(5)]
    assert [ping.wait() for ping in pings] == [False] * 5
    until(lambda: not store.available)  # the first of all may end a moment after the others
    with pytest.raises(StoreUnavailable):
        store.read(lambda client: client.ping())
    assert asked == 1
    may_end.set()
    store.close()


def test_who_asks_beside_another_is_not_told_what_was_known_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store_module, "ANSWER_SECONDS", 0.1)
    may_end = threading.Event()

    def connect(self: Connection) -> socket.socket:
        assert may_end.wait(60)
        raise OSError("there is no such name")

    monkeypatch.setattr(Connection, "_connect", connect)
    store = Store()
    store.connect("redis://nowhere:1/0")
    first, second = host.spawn(store.ping), host.spawn(store.ping)
    assert second.wait() is False  # while the first has not heard anything
    may_end.set()
    assert first.wait() is False
    store.close()


def test_while_redis_refuses_writes_it_is_read(store: Store) -> None:
    """Too few replicas, here: as with a full disk, each write is answered with an error."""
    changes: list[bool] = []
    store.changed = lambda: changes.append(store.available)
    store.call(lambda client: client.set("known", "before"))
    store.read(lambda client: client.config_set("min-replicas-to-write", 1))
    try:
        with pytest.raises(StoreUnavailable, match="too few replicas"):
            store.call(lambda client: client.eval("redis.call('SET', KEYS[1], 1)", 1, "known"))
        assert not store.ping()
        with pytest.raises(StoreUnavailable, match="too few replicas"):
            store.call(lambda client: client.get("known"))
        assert store.read(lambda client: client.get("known")) == b"before"
    finally:
        store.read(lambda client: client.config_set("min-replicas-to-write", 0))
    assert store.wait_until_available(60)
    store.call(lambda client: client.set("known", "after"))
    until(lambda: changes == [False, True])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("MISCONF Errors writing to the AOF file: No space left on device", "its disk"),
        ("ERR Error running script: @user_script: 13: -MISCONF Errors writing", "its disk"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "no memory"),
    ],
)
def test_what_redis_refuses_to_write_is_no_error_in_the_call(
    store: Store, answer: str, reason: str
) -> None:
    def refused(client: object) -> None:
        raise ResponseError(answer)

    with pytest.raises(StoreUnavailable, match=reason):
        store.call(refused)
    assert store.wait_until_available(60)


def test_another_error_is_one_in_the_call(store: Store) -> None:
    with pytest.raises(ResponseError):
        store.call(lambda client: client.execute_command("NO-SUCH-COMMAND"))
    assert store.available


def test_a_task_that_waits_for_a_store_that_was_closed_ends(redis_server: RedisServer) -> None:
    """In a loop that tries again, it would hold the hub up for good."""
    store = Store()
    store.connect(redis_server.url)
    assert store.wait_until_available(0.01)
    went_on: list[str] = []
    ended: list[str] = []

    def wait(who: str) -> None:
        try:
            store.wait_until_available()
            went_on.append(who)
        finally:
            ended.append(who)

    store.close()
    for who in ("one", "another"):
        host.spawn(wait, who)
    until(lambda: ended == ["one", "another"])
    assert went_on == []
    with pytest.raises(StoreUnavailable):
        store.read(lambda client: client.ping())
