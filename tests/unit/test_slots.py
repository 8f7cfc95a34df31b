"""Slots: so many at once, in order, and none is lost."""

from __future__ import annotations

import pytest

from flask_realtime import host
from flask_realtime.store.slots import Slots
from flask_realtime.store.store import Store


def test_so_many_are_in_at_once_and_the_others_follow_in_order() -> None:
    slots = Slots(3)
    inside: list[int] = []
    most = 0
    order: list[int] = []

    def work(number: int) -> None:
        nonlocal most
        with slots:
            inside.append(number)
            order.append(number)
            most = max(most, len(inside))
            host.sleep(0)
            inside.remove(number)

    for task in [host.spawn(work, number) for number in range(20)]:
        task.wait()
    assert most == 3
    assert order == list(range(20))


def test_whoever_fails_or_gives_up_leaves_its_slot() -> None:
    slots = Slots(1)
    with pytest.raises(ValueError, match="inside"), slots:
        raise ValueError("inside")
    gave_up = []

    def give_up() -> None:
        with host.Timeout(0.01, False), slots:
            pass
        gave_up.append(True)

    with slots:
        tasks = [host.spawn(give_up) for _ in range(3)]
        for task in tasks:
            task.wait()
        late = host.spawn(give_up)
        host.sleep(0)
    late.wait()
    assert len(gave_up) == 4
    with slots:
        pass


def test_many_greenlets_may_ask_redis_at_once(store: Store) -> None:
    answers = []

    def ask() -> None:
        answers.append(store.call(lambda client: client.incr("asked")))

    for task in [host.spawn(ask) for _ in range(300)]:
        task.wait()
    assert sorted(answers) == list(range(1, 301))
    assert store.available
