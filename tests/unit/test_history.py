"""The index of runs on a real Redis: pages by job, user and state, and what older versions left."""

from __future__ import annotations

import random
from typing import Any

import pytest
from redis import Redis

from flask_realtime import history, host
from flask_realtime.history import Filter
from flask_realtime.registry import RunRegistry
from flask_realtime.runs import STATES, Run
from flask_realtime.store import keys
from flask_realtime.store.keys import ACTIVE
from flask_realtime.store.store import Store
from tests.support.hub import until
from tests.support.registries import IDS, a_run, all_pages


def a_registry(store: Store) -> RunRegistry:
    """One as a process of its own would have it."""
    return RunRegistry(store, lambda run: (0, 1))


def test_pages_hold_each_run_once_newest_first(store: Store) -> None:
    owners = a_registry(store), a_registry(store)
    ids = [a_run(owners[number % 2]).id for number in range(12)]
    for limit, sizes in {1: [1] * 12, 4: [4, 4, 4], 5: [5, 5, 2], 12: [12], 99: [12]}.items():
        pages = all_pages(owners[0], limit)
        assert [len(each) for each in pages] == sizes
        assert [run for each in pages for run in each] == ids[::-1]


def mixed_runs(owner: RunRegistry) -> list[Run]:
    """Runs of all jobs, users and states, in an order without a pattern; two of each."""
    kinds = [
        {"job": job, "user": user, "state": state}
        for job in ("count", "count.more")
        for user in ("ann", "bob", "count:user:ann")
        for state in STATES
    ] * 2
    random.Random(6).shuffle(kinds)
    return [a_run(owner, **kind) for kind in kinds]


@pytest.mark.parametrize("own", [True, False], ids=["of the owner", "of another process"])
def test_filters_combine_and_fill_their_pages(store: Store, own: bool) -> None:
    owner, other = a_registry(store), a_registry(store)
    runs = mixed_runs(owner)
    filters = [
        Filter(job, user, states)
        for job in (None, "count", "count.more", "never.run")
        for user in (None, "ann", "bob", "count:user:ann", "nobody")
        for states in (tuple(STATES), ("failed",), ("running", "lost"))
    ]
    for wanted in filters:
        expected = [
            run.id
            for run in reversed(runs)
            if wanted.job in (None, run.job)
            and wanted.user in (None, run.user)
            and run.state in wanted.states
        ]
        pages = all_pages(owner if own else other, 3, wanted)
        assert [run for each in pages for run in each] == expected
        assert [len(each) for each in pages[:-1]] == [3] * (len(pages) - 1)


def test_a_run_is_found_by_its_present_state_only(store: Store) -> None:
    owner, other = a_registry(store), a_registry(store)
    run = a_run(owner)
    for state in ("running", "stopping", "stopped"):
        run.enter(state)
        (owner.finish if run.final else owner.save)(run)
        until(lambda: not owner._unsaved)
        for each in STATES:
            found = [run.id] if each == state else []
            assert all_pages(other, 5, Filter(states=(each,))) == [found]
            assert all_pages(other, 5, Filter("count", "ann", (each,))) == [found]


def test_what_is_not_stored_yet_is_listed_as_it_is(store: Store) -> None:
    owner = a_registry(store)
    runs = [a_run(owner) for _ in range(6)]
    for run in runs[::2]:
        run.enter("running")  # Redis and its index have it as queued yet
    running, queued = ([run.id for run in reversed(runs[start::2])] for start in (0, 1))
    assert all_pages(owner, 2, Filter(states=("running",))) == [running[:2], running[2:]]
    assert all_pages(owner, 2, Filter(states=("queued",))) == [queued[:2], queued[2:]]
    assert all_pages(owner, 4) == [
        [run.id for run in reversed(part)] for part in (runs[2:], runs[:2])
    ]


def test_a_record_that_is_gone_leaves_no_hole_in_a_page(store: Store) -> None:
    owner, other = a_registry(store), a_registry(store)
    ids = [a_run(owner).id for _ in range(7)]
    gone = [keys.record(run) for run in (ids[3], ids[4], ids[6])]
    store.call(lambda client: client.delete(*gone))
    left = [ids[5], ids[2], ids[1], ids[0]]
    assert all_pages(other, 2) == [left[:2], left[2:]]


def test_a_run_that_comes_while_pages_are_read_moves_none_of_them(store: Store) -> None:
    owner = a_registry(store)
    ids = [a_run(owner).id for _ in range(4)]
    first, before = owner.list(2)
    a_run(owner)
    second, _ = owner.list(2, before=before)
    assert [run.id for run in first + second] == ids[::-1]


def test_without_runs_there_is_one_empty_page(store: Store) -> None:
    assert a_registry(store).list(10) == ([], None)


def test_what_the_owner_knows_is_newer_than_what_is_stored(store: Store) -> None:
    owner, other = a_registry(store), a_registry(store)
    run = a_run(owner)
    run.enter("running")
    assert [found.state for found in owner.list(5)[0]] == ["running"]
    assert [found.state for found in other.list(5)[0]] == ["queued"]


# Runs that a version without index has added


def as_before_the_index(store: Store, run: Run) -> None:
    """What the version before did with a run and each of its changes."""

    def write(client: Redis) -> None:
        client.set(keys.record(run.id), run.dump())
        if run.final:
            client.srem(ACTIVE, run.id)
        else:
            client.sadd(ACTIVE, run.id)

    store.call(write)


def old_runs(store: Store, states: list[str]) -> list[Run]:
    runs = []
    for state in states:
        run = Run(IDS.new(), "count", {}, "ann", "thread", "thread", "old-server", state=state)
        as_before_the_index(store, run)
        store.call(lambda client, run=run: client.zadd(keys.UNINDEXED, {run.id: 0}))
        runs.append(run)
    return runs


def left_to_adopt(store: Store) -> list[str]:
    left: Any = store.call(lambda client: client.zrange(keys.UNINDEXED, 0, -1))
    return [run.decode() for run in left]


@pytest.mark.parametrize("at_once", [1, 3, 200])
def test_runs_of_a_version_without_index_are_indexed(
    store: Store, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "ADOPTED_AT_ONCE", at_once)
    runs = old_runs(store, ["succeeded", "failed", "lost", "succeeded", "stopped", "failed"])
    store.call(lambda client: client.zadd(keys.UNINDEXED, {"0-without-a-record": 0}))
    finders = [a_registry(store) for _ in range(2)]
    for task in [host.spawn(finder.adopt) for finder in finders]:
        task.wait()
    assert all_pages(finders[0], 4) == [
        [run.id for run in reversed(part)] for part in (runs[2:], runs[:2])
    ]
    assert all_pages(finders[0], 9, Filter("count", "ann", ("failed",))) == [
        [runs[5].id, runs[1].id]
    ]
    assert left_to_adopt(store) == []


def test_what_a_server_of_such_a_version_does_meanwhile_is_indexed(store: Store) -> None:
    (run,) = old_runs(store, ["running"])
    store.call(lambda client: client.set(keys.owner(run.owner), 1))
    finder = a_registry(store)
    finder.adopt()
    assert all_pages(finder, 9, Filter(states=("running",))) == [[run.id]]
    run.enter("succeeded")
    as_before_the_index(store, run)
    finder.adopt()
    assert all_pages(finder, 9, Filter(states=("running",))) == [[]]
    assert all_pages(finder, 9, Filter(states=("succeeded",))) == [[run.id]]
    assert left_to_adopt(store) == []


def test_a_run_of_such_a_server_that_has_died_is_lost(store: Store) -> None:
    (run,) = old_runs(store, ["running"])
    finder = a_registry(store)
    finder.start()
    until(lambda: finder.get(run.id).state == "lost")
    assert all_pages(finder, 9, Filter(states=("lost",))) == [[run.id]]
    finder.adopt()
    finder.stop()
    assert left_to_adopt(store) == []
