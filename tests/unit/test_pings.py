"""One task pings all clients of Socket.IO."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import engineio
import pytest
from engineio.packet import MESSAGE, PONG, Packet
from engineio.socket import Socket

from flask_realtime import host
from flask_realtime.watching import pings
from flask_realtime.watching.pings import Pings
from tests.support.hub import until

INTERVAL = 0.01  # s


def no_task(*args: object, **kwargs: object) -> None:
    raise AssertionError("engine.io started a task for a ping")


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[[Pings], Socket]:
    """Makes clients of which engine.io has sent the first ping already."""
    monkeypatch.setattr(pings, "TICK_SECONDS", 0.001)
    server = engineio.Server(async_mode=host.ASYNC_MODE, ping_interval=INTERVAL)
    server.start_background_task = no_task

    def connected(by: Pings) -> Socket:
        client = Socket(server, "client")
        by.take_over(client)
        return client

    return connected


def sent(client: Socket) -> list[Any]:
    found = []
    while not client.queue.empty():
        found.append(client.queue.get().encode())
    return found


def answer(client: Socket) -> None:
    client.receive(Packet(PONG))


def test_each_answer_makes_for_one_more_ping(connect: Callable[[Pings], Socket]) -> None:
    client = connect(Pings(INTERVAL))
    for _ in range(3):
        answer(client)
        answer(client)  # one too many: there is one ping to an answer
        until(lambda: not client.queue.empty())
        assert sent(client) == ["2"]
        assert client.last_ping


def test_who_has_left_is_not_pinged(connect: Callable[[Pings], Socket]) -> None:
    by = Pings(INTERVAL)
    left, stays = connect(by), connect(by)
    answer(left)
    left.closed = True
    answer(stays)
    until(lambda: not stays.queue.empty())
    assert sent(left) == []


def test_a_client_that_answers_no_ping_is_found_out(connect: Callable[[Pings], Socket]) -> None:
    client = connect(Pings(INTERVAL))
    client.server.ping_timeout = INTERVAL
    answer(client)
    until(lambda: not client.queue.empty())
    until(lambda: not client.check_ping_timeout())


def test_a_client_that_says_something_else_first_is_there(
    connect: Callable[[Pings], Socket],
) -> None:
    client = connect(Pings(INTERVAL))
    client.server.ping_timeout = 60
    answer(client)
    until(lambda: not client.queue.empty())
    client.last_ping -= 61  # the hub was busy for so long
    client.receive(Packet(MESSAGE, "of many"))
    assert client.check_ping_timeout()
    sent(client)
    answer(client)
    until(lambda: not client.queue.empty())
    assert sent(client) == ["2"]


def test_many_pings_leave_turns_to_others(
    connect: Callable[[Pings], Socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pings, "SLICE", 10)
    by = Pings(0)
    clients = [connect(by) for _ in range(100)]
    pinged_at_each_turn: list[int] = []

    def count() -> None:
        while not pinged_at_each_turn or pinged_at_each_turn[-1] < len(clients):
            pinged_at_each_turn.append(sum(not client.queue.empty() for client in clients))
            host.sleep(0)

    for client in clients:
        answer(client)
    counting = host.spawn(count)
    until(lambda: not clients[-1].queue.empty())
    counting.wait()
    steps = [after - before for before, after in pairwise(pinged_at_each_turn)]
    assert max(steps) <= 10
