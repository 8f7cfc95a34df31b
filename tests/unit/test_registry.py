"""The registry on a real Redis: pages, the order of records, and runs whose owner has died."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from redis import Redis

from flask_realtime import history, host, registry
from flask_realtime.errors import StoreUnavailable, UnknownRun
from flask_realtime.redisserver import RedisServer
from flask_realtime.registry import RunRegistry
from flask_realtime.runs import Run
from flask_realtime.store import keys
from flask_realtime.store.keys import ACTIVE
from flask_realtime.store.store import Store
from tests.support.hub import until
from tests.support.registries import a_run

T = TypeVar("T")
NO_OUTPUT = (0, 1)


class FaultyStore(Store):
    """A connection that is slow, or away, when a test wants it to be."""

    def __init__(self) -> None:
        super().__init__()
        self.slow: list[float] = []  # seconds that the next calls take
        self.away = False
        self.refused = 0

    def call(self, function: Callable[[Redis], T], *, reads: bool = False) -> T:
        if self.away:
            self.refused += 1
            raise StoreUnavailable("away")
        if self.slow:
            host.sleep(self.slow.pop(0))
        return super().call(function, reads=reads)

    def wait_until_available(self, timeout: float | None = None) -> bool:
        until(lambda: not self.away)
        return True


@pytest.fixture
def faulty(store: Store, redis_server: RedisServer) -> Iterator[FaultyStore]:
    made = FaultyStore()
    made.connect(redis_server.url)
    yield made
    made.close()


def a_registry(
    store: Store, stored_end: Callable[[str], tuple[int, int]] = lambda run: (0, 1)
) -> RunRegistry:
    """One as a process of its own would have it."""
    return RunRegistry(store, stored_end)


def die(store: Store, owner: RunRegistry) -> None:
    """What Redis does when a process has given no sign of life for long."""
    store.call(lambda client: client.delete(keys.owner(owner.owner)))


def active(store: Store) -> set[str]:
    members: Any = store.call(lambda client: client.smembers(ACTIVE))
    return {member.decode() for member in members}


# Reading


def test_a_run_is_found_by_its_id_from_any_process(store: Store) -> None:
    first, second = a_registry(store), a_registry(store)
    told: list[Run] = []
    first.changed = told.append
    run = a_run(first, params={"n": 1})
    assert told == [run]
    assert first.get(run.id) is run
    assert second.get(run.id) == run
    with pytest.raises(UnknownRun, match="there is no run 'nowhere'"):
        first.get("nowhere")


# Storing


def test_the_last_change_is_what_stays_stored(faulty: FaultyStore) -> None:
    owner, other = a_registry(faulty), a_registry(faulty)
    seen: list[str] = []
    owner.changed = lambda run: seen.append(run.state)
    run = a_run(owner)
    faulty.slow = [0.03, 0.0, 0.0]  # were the records not stored one by one, the first came last
    for state in ("running", "stopping"):
        run.enter(state)
        owner.save(run)
        host.sleep(0)
    run.output_bytes = 77
    owner.save(run)
    until(lambda: not owner._unsaved)
    stored = other.get(run.id)
    assert (stored.state, stored.output_bytes) == ("stopping", 77)
    assert seen == ["queued", "running", "stopping", "stopping"]


def test_a_finished_run_is_let_go_once_its_last_record_is_stored(faulty: FaultyStore) -> None:
    owner, other = a_registry(faulty), a_registry(faulty)
    run = a_run(owner)
    run.enter("running")
    faulty.slow = [0.03]
    owner.save(run)
    host.sleep(0)
    run.enter("succeeded")
    assert owner.own() == [run]
    assert active(faulty) == {run.id}
    owner.finish(run)
    assert owner.own() == []
    assert active(faulty) == set()
    assert owner.get(run.id) == other.get(run.id) == run


def test_changes_while_redis_is_away_are_stored_when_it_is_back(faulty: FaultyStore) -> None:
    owner, other = a_registry(faulty), a_registry(faulty)
    run = a_run(owner)
    faulty.away = True
    run.enter("running")
    owner.save(run)
    finishing = host.spawn(owner.finish, run)
    until(lambda: faulty.refused)
    run.enter("failed")
    assert owner.get(run.id).state == "failed"
    faulty.away = False
    finishing.wait()
    assert other.get(run.id).state == "failed"


def test_without_redis_there_is_no_new_run(faulty: FaultyStore) -> None:
    owner = a_registry(faulty)
    faulty.away = True
    with pytest.raises(StoreUnavailable):
        a_run(owner)
    assert owner.own() == []


# Runs whose owner has died


def test_a_run_whose_owner_died_is_lost_and_its_output_counted(store: Store) -> None:
    dead = a_registry(store)
    run = a_run(dead)
    told: list[Run] = []
    finder = a_registry(store, lambda run: (4711, 13))
    finder.changed = told.append
    finder.sweep()
    assert told == []  # it lives yet
    die(store, dead)
    finder.sweep()
    (lost,) = told
    assert lost == finder.get(run.id)
    assert (lost.id, lost.state) == (run.id, "lost")
    assert (lost.output_bytes, lost.output_lines) == (4711, 12)
    assert lost.ended
    assert lost.exit == {"code": None, "reason": "the process that ran it has ended"}
    assert active(store) == set()
    finder.sweep()
    assert told == [lost]


def test_two_that_look_at_the_same_time_lose_each_run_once(store: Store) -> None:
    dead = a_registry(store)
    runs = [a_run(dead) for _ in range(20)]
    die(store, dead)
    told: list[str] = []
    met: dict[str, host.Signal] = {}

    def stored_end(run: str) -> tuple[int, int]:
        if run in met:
            met[run].set()  # both have found it: now they write at the same time
        else:
            met[run] = host.Signal()
            assert met[run].wait(60)
        return 0, 1

    finders = [a_registry(store, stored_end) for _ in range(2)]
    for finder in finders:
        finder.changed = lambda run: told.append(run.id)
    for task in [host.spawn(finder.sweep) for finder in finders]:
        task.wait()
    assert sorted(told) == sorted(run.id for run in runs)
    assert {finders[0].get(run.id).state for run in runs} == {"lost"}


def test_a_run_that_ends_while_it_is_looked_at_is_not_lost(store: Store) -> None:
    slow = a_registry(store)
    run = a_run(slow)
    die(store, slow)

    def stored_end(_: str) -> tuple[int, int]:
        run.enter("running")
        run.enter("succeeded")
        slow.finish(run)
        return 1, 1

    finder = a_registry(store, stored_end)
    told: list[Run] = []
    finder.changed = told.append
    finder.sweep()
    assert told == []
    assert finder.get(run.id).state == "succeeded"


def test_a_process_does_not_lose_its_own_runs(store: Store) -> None:
    owner = a_registry(store)
    run = a_run(owner)
    die(store, owner)
    owner.sweep()
    assert run.state == "queued"
    assert a_registry(store).get(run.id).state == "queued"


def test_a_record_of_another_version_is_lost_as_well(store: Store) -> None:
    dead = a_registry(store)
    run = a_run(dead)
    record = {**json.loads(run.dump()), "from_the_future": True}
    store.call(lambda client: client.set(keys.record(run.id), json.dumps(record)))
    die(store, dead)
    finder = a_registry(store)
    finder.sweep()
    assert finder.get(run.id).state == "lost"


def test_a_record_that_cannot_be_read_keeps_no_other_from_being_lost(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    dead = a_registry(store)
    runs = [a_run(dead) for _ in range(4)]
    for run, record in zip(runs, (b"not JSON", b'{"id": "without the rest"}'), strict=False):
        key = keys.record(run.id)
        store.call(lambda client, key=key, record=record: client.set(key, record))  # type: ignore[misc]
    die(store, dead)
    finder = a_registry(store)
    finder.sweep()
    assert {finder.get(run.id).state for run in runs[2:]} == {"lost"}
    assert [run.id in caplog.text for run in runs] == [True, True, False, False]


def test_an_owner_that_was_only_away_has_the_last_word_and_can_die_again(store: Store) -> None:
    away, finder = a_registry(store), a_registry(store)
    run = a_run(away)
    die(store, away)
    finder.sweep()
    assert finder.get(run.id).state == "lost"
    run.enter("running")
    away.save(run)
    until(lambda: not away._unsaved)
    assert finder.get(run.id).state == "running"
    finder.sweep()
    assert finder.get(run.id).state == "lost"


def test_what_is_only_half_there_is_tidied_up(store: Store) -> None:
    dead = a_registry(store)
    ended = a_run(dead, state="succeeded")
    store.call(lambda client: client.sadd(ACTIVE, ended.id, "without-a-record"))
    assert active(store) == {ended.id, "without-a-record"}
    die(store, dead)
    finder = a_registry(store)
    finder.sweep()
    assert active(store) == set()
    assert finder.get(ended.id).state == "succeeded"


def test_a_process_gives_signs_of_life_until_it_stops(store: Store) -> None:
    owner = a_registry(store)

    def lives() -> Any:
        return store.call(lambda client: client.ttl(keys.owner(owner.owner)))

    owner.start()
    until(lambda: lives() > 0)
    assert lives() <= registry.OWNER_DEAD_SECONDS
    owner.stop()
    assert lives() == -2  # there is none


def test_an_owner_that_was_away_for_long_says_that_its_runs_go_on(store: Store) -> None:
    away, finder = a_registry(store), a_registry(store)
    run = a_run(away)
    run.enter("running")
    die(store, away)
    finder.sweep()
    assert finder.get(run.id).state == "lost"
    away.start()
    until(lambda: finder.get(run.id).state == "running")
    away.stop()


def test_an_owner_that_was_away_tells_no_end_before_its_output_is_stored(store: Store) -> None:
    """Whoever reads that a run has ended takes what is stored of its output for all."""
    away, finder = a_registry(store), a_registry(store)
    ended, goes_on = a_run(away), a_run(away)
    for run in (ended, goes_on):
        run.enter("running")
    ended.enter("stopped")
    die(store, away)
    away.start()
    until(lambda: finder.get(goes_on.id).state == "running")
    assert finder.get(ended.id).state == "queued"
    away.finish(ended)
    assert finder.get(ended.id).state == "stopped"
    away.stop()


def test_a_change_that_waits_for_redis_tells_no_end_either(faulty: FaultyStore) -> None:
    owner = a_registry(faulty)
    run = a_run(owner)
    faulty.away = True
    run.enter("running")
    owner.save(run)
    until(lambda: faulty.refused == 1)
    run.enter("failed")  # and its output is on its way
    faulty.away = False
    until(lambda: run.id not in owner._unsaved)
    assert a_registry(faulty).get(run.id).state == "queued"
    owner.finish(run)
    assert a_registry(faulty).get(run.id).state == "failed"


def test_an_owner_that_comes_back_while_it_is_looked_at_loses_nothing(store: Store) -> None:
    away = a_registry(store)
    run = a_run(away)
    die(store, away)

    def stored_end(_: str) -> Any:
        key = keys.owner(away.owner)
        store.call(lambda client: client.set(key, 1, ex=registry.OWNER_DEAD_SECONDS))
        return NO_OUTPUT

    finder = a_registry(store, stored_end)
    finder.sweep()
    assert finder.get(run.id).state == "queued"


def test_what_redis_lost_of_our_runs_while_it_was_away_is_stored_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a replica loses it that takes over; the sign of life may be there all the same."""
    monkeypatch.setattr(registry, "HEARTBEAT_SECONDS", 0.01)
    owner, other = a_registry(store), a_registry(store)
    run = a_run(owner)
    owner.start()
    lost = [keys.record(run.id), keys.ACTIVE, keys.UNSETTLED, *history.index_keys(run, run.state)]
    store.call(lambda client: client.delete(*lost))
    store.returns += 1
    until(lambda: store.call(lambda client: client.exists(*lost)) == len(lost))
    assert other.get(run.id) == run
    owner.stop()


def test_who_is_silent_at_one_look_only_loses_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As all are when the clock of Redis has moved ahead: no sign of life lasts that long."""
    monkeypatch.setattr(registry, "HEARTBEAT_SECONDS", 0.05)
    looks = 0

    class Finder(RunRegistry):
        def sweep(self, among: set[str] | None = None) -> set[str]:
            nonlocal looks
            looks += 1
            if looks % 2:
                die(store, owner)
            else:
                store.call(owner._give_sign_of_life)
            return super().sweep(among)

    owner, dead, finder = a_registry(store), a_registry(store), Finder(store, lambda run: (0, 1))
    run, orphan = a_run(owner), a_run(dead)
    die(store, dead)
    finder.start()
    until(lambda: finder.get(orphan.id).state == "lost")
    until(lambda: looks > 6)
    assert finder.get(run.id).state == "queued"
    finder.stop()


def test_signs_of_life_go_on_while_many_runs_are_looked_at(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "HEARTBEAT_SECONDS", 0.01)
    dead = a_registry(store)
    a_run(dead)
    die(store, dead)
    looking: list[str] = []
    enough = host.Signal()

    def stored_end(run: str) -> Any:
        looking.append(run)
        enough.wait()
        return NO_OUTPUT

    finder = a_registry(store, stored_end)
    finder.start()
    key = keys.owner(finder.owner)
    for _ in range(3):
        until(lambda: store.call(lambda client: client.exists(key)))
        store.call(lambda client: client.delete(key))
    until(lambda: looking)
    enough.set()
    until(lambda: active(store) == set())
    finder.stop()


def test_a_process_that_starts_finds_what_died_before(store: Store) -> None:
    dead, finder = a_registry(store), a_registry(store)
    run = a_run(dead)
    die(store, dead)
    finder.start()
    until(lambda: finder.get(run.id).state == "lost")
    finder.stop()


def test_a_run_that_is_ours_and_that_we_do_not_know_of_is_lost_at_the_second_look(
    store: Store,
) -> None:
    """Its record is stored, but the answer was lost, and who started it was told so."""
    owner, other = a_registry(store), a_registry(store)
    run, known = a_run(owner), a_run(owner)
    owner.let_go(run)
    owner.sweep()
    assert other.get(run.id).state == "queued"
    owner.sweep()
    assert other.get(run.id).state == "lost"
    assert other.get(known.id).state == "queued"
