"""Runs that nobody watches, on a real Redis; the looks of two processes, one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from redis import Redis

from flask_realtime.errors import StoreUnavailable
from flask_realtime.redisserver import RedisServer
from flask_realtime.store.keys import watched as _key
from flask_realtime.store.store import Store
from flask_realtime.watching.unwatched import Unwatched
from tests.support.hub import until

T = TypeVar("T")


class Process:
    """The runs that are watched here, and those that were stopped."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.viewers: set[str] = set()
        self.stopped: list[tuple[str, float]] = []
        self.looks = 0
        self.unwatched = Unwatched(
            store, self.watched, lambda run, seconds: self.stopped.append((run, seconds))
        )

    def watched(self) -> set[str]:
        self.looks += 1
        return self.viewers

    def left(self, run: str) -> int:
        """The ms that a run has left, -2 without a key."""
        return self.store.call(lambda client: client.pttl(_key(run)))  # type: ignore[return-value]

    def pass_time(self, run: str, milliseconds: int) -> None:
        """What time does to the key of a run."""
        left = self.left(run) - milliseconds
        self.store.call(lambda client: client.pexpire(_key(run), max(left, 0)))


@pytest.fixture
def owner(store: Store) -> Process:
    return Process(store)


@pytest.fixture
def other(store: Store) -> Process:
    return Process(store)


def test_a_run_that_nobody_watches_is_stopped_once(owner: Process) -> None:
    owner.unwatched.guard("run", 60)
    owner.unwatched.guard("longer", 90.5)
    owner.unwatched.look()
    assert 59_000 < owner.left("run") <= 60_000
    assert 89_500 < owner.left("longer") <= 90_500
    owner.pass_time("run", 30_000)
    owner.unwatched.look()
    assert owner.stopped == []
    owner.pass_time("run", 30_000)
    owner.unwatched.look()
    owner.unwatched.look()
    assert owner.stopped == [("run", 60)]


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_viewer_on_any_process_keeps_it_alive(owner: Process, other: Process, where: str) -> None:
    process = owner if where == "here" else other
    owner.unwatched.guard("run", 60)
    owner.unwatched.look()
    process.viewers.add("run")
    for _ in range(3):
        owner.pass_time("run", 50_000)
        process.unwatched.look()
        owner.unwatched.look()
        assert owner.left("run") > 59_000
    process.viewers.clear()
    owner.pass_time("run", 61_000)
    other.unwatched.look()
    owner.unwatched.look()
    assert owner.stopped == [("run", 60)]
    assert other.stopped == []


def test_a_request_that_follows_is_a_viewer(owner: Process, other: Process) -> None:
    owner.unwatched.guard("run", 60)
    owner.unwatched.look()
    with other.unwatched.watching("run"):
        with other.unwatched.watching("run"):
            pass
        owner.pass_time("run", 50_000)
        other.unwatched.look()
        assert owner.left("run") > 59_000
    owner.pass_time("run", 50_000)
    other.unwatched.look()
    assert owner.left("run") <= 10_000


def test_runs_of_other_jobs_are_left_alone(owner: Process, other: Process) -> None:
    other.viewers.add("another")
    other.unwatched.look()
    assert other.left("another") == -2
    owner.unwatched.guard("run", 60)
    owner.unwatched.let_go("run")
    owner.unwatched.look()
    assert owner.left("run") == -2
    assert owner.stopped == []


def test_nobody_is_asked_while_there_is_nothing_to_ask(owner: Process) -> None:
    owner.store.close()
    owner.unwatched.look()


class Away(Store):
    """A Redis that does not answer while a test wants it so."""

    away = False
    refused = 0

    def call(self, function: Callable[[Redis], T], *, reads: bool = False) -> T:
        if self.away:
            self.refused += 1
            raise StoreUnavailable("away")
        return super().call(function, reads=reads)

    def wait_until_available(self, timeout: float | None = None) -> bool:
        until(lambda: not self.away)
        return True


def test_after_redis_was_away_the_time_begins_anew(
    store: Store, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flask_realtime.watching.unwatched.LOOK_SECONDS", 0.01)
    away = Away()
    away.connect(redis_server.url)
    owner = Process(away)
    owner.unwatched.guard("run", 60)
    owner.unwatched.guard("ended", 60)
    owner.unwatched.start()
    key = _key("run")
    until(lambda: store.call(lambda client: client.exists(key)))
    away.away = True
    until(lambda: away.refused)  # and all of them are to begin anew
    owner.unwatched.guard("meanwhile", 60)
    owner.unwatched.let_go("ended")
    store.call(lambda client: client.delete(key))
    away.away = False
    until(lambda: store.call(lambda client: client.exists(key, _key("meanwhile"))) == 2)
    looks = owner.looks
    until(lambda: owner.looks > looks + 3)
    owner.unwatched.stop()
    away.close()
    assert owner.stopped == []
