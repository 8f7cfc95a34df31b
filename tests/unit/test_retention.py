"""What is removed of past runs, on a real Redis with an archive of numbers."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import pytest

from flask_realtime import host
from flask_realtime.errors import ArchiveUnavailable, StoreUnavailable, UnknownRun
from flask_realtime.history import Filter
from flask_realtime.keep import Keep
from flask_realtime.options import Options
from flask_realtime.registry import RunRegistry
from flask_realtime.retention import Sweeper, accounts, turn
from flask_realtime.runs import FINAL, Run, timestamp
from flask_realtime.store import keys
from flask_realtime.store.store import Store
from tests.support.hub import until
from tests.support.registries import a_run, all_pages

HOT_SECONDS = 3600.0
DAY = 86_400.0
NOTHING = Keep()


class Archive:
    """Outputs as sizes in bytes: hot ones, and those in the archive."""

    def __init__(self) -> None:
        self.hot: dict[str, int] = {}
        self.cold: dict[str, int] = {}
        self.discarded: list[str] = []
        self.forgotten: list[str] = []
        self.away = False
        self.slow = False

    def _ask(self) -> None:
        if self.away:
            raise ArchiveUnavailable("the disk is full")
        if self.slow:
            host.sleep(0)

    def spill(self, run: str) -> int:
        self._ask()
        size = self.hot.pop(run, 0)
        self.cold[run] = self.cold.get(run, 0) + size // 2  # compressed
        return size

    def stored_bytes(self, run: str) -> int:
        return self.hot.get(run, 0) + self.cold.get(run, 0)

    def discard(self, run: str) -> int:
        self._ask()
        self.discarded.append(run)
        return self.hot.pop(run, 0) + self.cold.pop(run, 0)

    def forget(self, run: str) -> int:
        self._ask()
        self.forgotten.append(run)
        return self.hot.pop(run, 0) + self.cold.pop(run, 0)


class Past:
    """Runs of the past, what their output takes, and sweepers as processes have them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.archive = Archive()
        self.owner = RunRegistry(store, lambda run: (0, 1))
        self.now = time.time()

    def run(
        self,
        days: float,
        *,
        took_days: float = 0,
        size: int = 0,
        state: str = "succeeded",
        **fields: Any,
    ) -> Run:
        """A run that began so many days ago; call it for the oldest first."""
        ended = self.ago(days - took_days) if state in FINAL else None
        made = a_run(self.owner, created=self.ago(days), ended=ended, state=state, **fields)
        self.archive.hot[made.id] = size
        return made

    def ago(self, days: float) -> str:
        return timestamp(datetime.fromtimestamp(self.now - days * DAY, timezone.utc))

    def sweeper(
        self, overall: Keep = NOTHING, of_jobs: Mapping[str, Keep] | None = None, name: str = "one"
    ) -> Sweeper:
        return Sweeper(
            self.store,
            self.archive,
            name,
            Options(keep=overall, output_hot_seconds=HOT_SECONDS),
            lambda: of_jobs or {},
            now=lambda: self.now,
        )

    def sweep(self, overall: Keep = NOTHING, of_jobs: Mapping[str, Keep] | None = None) -> None:
        self.end_turn()
        self.sweeper(overall, of_jobs).sweep()

    def end_turn(self) -> None:
        """What Redis does after TURN_SECONDS."""
        self.store.call(lambda client: client.delete(keys.SWEEPER))

    def left(self) -> list[str]:
        """The runs that there are, the oldest first, by every way that leads to them."""
        reader = RunRegistry(self.store, lambda run: (0, 1))
        found = {
            run
            for job in ("count", "other")
            for page in all_pages(reader, 50, Filter(job=job))
            for run in page
        }
        (ids,) = all_pages(reader, 200)
        assert found == set(ids)
        for run in ids:
            reader.get(run)
        return ids[::-1]

    def with_output(self) -> list[str]:
        """The runs whose output is kept; the accounts have to be right."""
        settled = self.store.read(accounts.sizes)
        assert sum(settled.values()) == sum(self.archive.cold.values())
        assert all(settled.values())
        return sorted(run for run in self.left() if self.archive.stored_bytes(run))


@pytest.fixture
def past(store: Store) -> Past:
    return Past(store)


def ids(*runs: Run) -> list[str]:
    return [run.id for run in runs]


# Age


def test_runs_that_ended_longer_ago_are_removed_whole(past: Past) -> None:
    old = [past.run(days, size=10, state=state) for days, state in ((9, "failed"), (5, "stopped"))]
    kept = [past.run(days, size=10) for days in (3.9, 1)]
    past.sweep(Keep(days=4))
    assert past.left() == ids(*kept)
    assert sorted(past.archive.forgotten) == ids(*old)
    assert past.archive.discarded == []
    for run in old:
        with pytest.raises(UnknownRun):
            RunRegistry(past.store, lambda run: (0, 1)).get(run.id)


def test_age_counts_from_the_end(past: Past) -> None:
    long_ago = past.run(9, took_days=8)
    short = past.run(8)
    still = past.run(8, state="running")
    stopping = past.run(8, state="stopping")
    past.sweep(Keep(days=4))
    assert past.left() == ids(long_ago, still, stopping)
    assert past.archive.forgotten == [short.id]


def test_a_job_may_keep_its_runs_for_a_shorter_time(past: Past) -> None:
    runs = [past.run(days, job=job) for days in (9, 5, 1) for job in ("count", "other")]
    past.sweep(Keep(days=6), {"count": Keep(days=2)})
    assert past.left() == ids(runs[3], *runs[4:])


def test_many_pages_of_old_runs_are_removed(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flask_realtime.retention.oldruns.AT_ONCE", 3)
    monkeypatch.setattr("flask_realtime.retention.oldoutputs.AT_ONCE", 3)
    for number in range(20):
        past.run(9, took_days=8 if number % 4 == 0 else 0)
    past.sweep(Keep(days=4))
    assert len(past.left()) == 5
    past.sweep(Keep(runs=2))
    assert len(past.left()) == 2
    assert len(past.archive.forgotten) == 18


# Number


def test_the_oldest_beyond_the_number_are_removed(past: Past) -> None:
    runs = [past.run(9 - number, state="lost" if number % 2 else "failed") for number in range(6)]
    past.sweep(Keep(runs=4))
    assert past.left() == ids(*runs[1:])  # the owner of the lost ones lives: they may go on
    past.store.call(lambda client: client.delete(keys.owner(past.owner.owner)))
    past.sweep(Keep(runs=4))
    assert past.left() == ids(*runs[2:])
    past.sweep(Keep(runs=4))
    assert past.left() == ids(*runs[2:])


def test_runs_in_progress_neither_count_nor_go(past: Past) -> None:
    active = [past.run(9, state=state) for state in ("queued", "running", "stopping")]
    ended = [past.run(8), past.run(7)]
    past.sweep(Keep(runs=1))
    assert past.left() == ids(*active, ended[1])


def test_a_job_may_keep_fewer_runs(past: Past) -> None:
    runs = [past.run(9, job=job) for job in ("count", "other", "count", "count", "other")]
    past.sweep(NOTHING, {"count": Keep(runs=1), "never.run": Keep(runs=1)})
    assert past.left() == ids(runs[1], runs[3], runs[4])


# Bytes


def test_the_oldest_outputs_beyond_the_size_go_and_the_records_stay(past: Past) -> None:
    runs = [past.run(9, size=2000) for _ in range(5)]  # 1000 in the archive
    past.sweep()
    assert past.with_output() == ids(*runs)
    past.sweep(Keep(output_bytes=3500))
    assert past.with_output() == ids(*runs[2:])
    assert past.left() == ids(*runs)
    assert past.archive.forgotten == [], "a reader still finds the gap"
    past.sweep(Keep(output_bytes=3000))
    assert past.with_output() == ids(*runs[2:])
    past.sweep(Keep(output_bytes=1))
    assert past.with_output() == []
    past.sweep(Keep(runs=1))
    assert past.left() == ids(runs[4])


def test_the_record_says_that_its_output_was_removed(past: Past) -> None:
    runs = [past.run(9, size=2000, output_bytes=2000) for _ in range(3)]
    silent = past.run(9)
    past.sweep()
    past.sweep(Keep(output_bytes=1500))
    past.sweep(Keep(output_bytes=1500))
    reader = RunRegistry(past.store, lambda run: (0, 1))
    removed = {run.id: reader.get(run.id).output_removed for run in (*runs, silent)}
    assert removed == dict(zip(ids(*runs, silent), (True, True, False, False), strict=True))
    (page,) = all_pages(reader, 50, Filter(job="count", states=("succeeded",)))
    assert sorted(page) == ids(*runs, silent), "the index still has them"


def test_a_job_may_keep_less_output(past: Past) -> None:
    runs = [past.run(9, size=2000, job=job) for job in ("count", "other", "count", "other")]
    past.sweep(Keep(output_bytes=2500), {"count": Keep(output_bytes=1000)})
    assert past.with_output() == ids(runs[2], runs[3])


def test_the_output_of_runs_in_progress_counts_and_stays(past: Past) -> None:
    running = past.run(9, size=5000, state="running")
    runs = [past.run(9, size=2000) for _ in range(3)]
    past.sweep(Keep(output_bytes=6500))
    assert past.with_output() == ids(running, runs[2])
    past.sweep(Keep(output_bytes=100))
    assert past.with_output() == ids(running)


def test_fresh_output_stays_hot_and_goes_last(past: Past) -> None:
    settled = past.run(9, size=2000)
    fresh = [past.run(0.01, size=1000), past.run(0.005, size=1000)]
    past.sweep()
    assert past.archive.hot == {fresh[0].id: 1000, fresh[1].id: 1000}
    assert past.archive.cold == {settled.id: 1000}
    past.sweep(Keep(output_bytes=2000))
    assert past.with_output() == ids(*fresh)
    past.sweep(Keep(output_bytes=1999))
    assert past.with_output() == ids(fresh[1])
    past.now += HOT_SECONDS
    past.sweep(Keep(output_bytes=1999))
    assert past.archive.cold == {fresh[1].id: 500}
    assert past.with_output() == ids(fresh[1])


def test_a_run_that_has_just_been_lost_is_left_alone(past: Past) -> None:
    lost = past.run(0.0001, size=1000, state="lost")
    past.sweep(Keep(output_bytes=10))
    assert past.archive.discarded == []
    past.now += HOT_SECONDS + 600
    past.sweep(Keep(output_bytes=10))
    assert past.archive.discarded == ids(lost)


# Faults, and several processes


def test_while_the_archive_is_away_outputs_wait_for_it(
    past: Past, caplog: pytest.LogCaptureFixture
) -> None:
    old, kept = past.run(9, size=2000), past.run(1, size=2000)
    past.archive.away = True
    with caplog.at_level(logging.WARNING):
        past.sweep(Keep(days=4, output_bytes=10))
    assert past.left() == ids(kept)
    assert past.archive.stored_bytes(old.id) == past.archive.stored_bytes(kept.id) == 2000
    assert [record.getMessage() for record in caplog.records] == [
        "old output is not removed yet: the disk is full"
    ]
    past.archive.away = False
    past.sweep(Keep(output_bytes=1000))
    assert past.archive.forgotten == ids(old)
    assert past.archive.cold == {kept.id: 1000}


def test_a_redis_without_memory_is_swept_and_has_some_again(past: Past) -> None:
    runs = [past.run(9, size=2000, output_bytes=2000) for _ in range(6)]
    past.sweep()
    runs += [past.run(9, size=2000, output_bytes=2000)]
    past.store.call(lambda client: client.set("ballast", bytes(4 << 20)))
    used = past.store.call(lambda client: client.info("memory"))["used_memory"]
    past.store.call(lambda client: client.config_set("maxmemory", used - (1 << 20)))
    try:
        with pytest.raises(StoreUnavailable):
            past.store.call(lambda client: client.set("more", "1"))
        past.sweeper(Keep(runs=3, output_bytes=2500)).sweep()
        assert past.left() == ids(*runs[4:])
        assert past.with_output() == ids(*runs[5:])
        assert RunRegistry(past.store, lambda run: (0, 1)).get(runs[4].id).output_removed
    finally:
        past.store.read(lambda client: client.config_set("maxmemory", 0))


def test_two_that_sweep_at_once_remove_nothing_twice_and_nothing_more(past: Past) -> None:
    runs = [past.run(9, size=200, job="count" if n % 2 else "other") for n in range(40)]
    past.sweep()
    past.archive.slow = True  # so that they take turns at each step
    keep, of_jobs = Keep(runs=30, output_bytes=1000), {"count": Keep(runs=18, output_bytes=400)}
    tasks = []
    for name in ("one", "two", "three"):
        past.end_turn()
        sweeper = past.sweeper(keep, of_jobs, name)
        tasks.append(host.spawn(sweeper.sweep))
        host.sleep(0)
    for task in tasks:
        task.wait()
    left = past.left()
    counts = [run.id for run in runs if run.job == "count"]
    assert left == ids(*[run for run in runs if run.id not in counts[:2]][8:])
    kept = past.with_output()
    assert len([run for run in kept if run in counts]) == 4
    assert len(kept) == 10
    assert kept == [run for run in left if run in kept]


def test_one_sweeps_at_a_time_and_the_next_when_its_turn_is_over(past: Past) -> None:
    first, second = past.sweeper(Keep(runs=1), name="one"), past.sweeper(Keep(runs=1), name="two")
    past.run(9), past.run(8)
    first.start()
    until(lambda: past.archive.forgotten)
    past.run(7)
    second.sweep()
    first.sweep()
    assert len(past.left()) == 2, "the turn lasts longer than the sweep"
    first.stop()
    second.sweep()
    assert len(past.left()) == 1


def test_a_process_whose_turn_is_over_leaves_the_rest_to_another(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = turn.Turn.take

    def take_and_lose(self: turn.Turn) -> bool:
        taken = take(self)
        past.store.call(lambda client: client.set(keys.SWEEPER, "other"))
        return taken

    runs = [past.run(9) for _ in range(5)]
    with monkeypatch.context() as patched:
        patched.setattr(turn.Turn, "take", take_and_lose)
        patched.setattr(turn.Turn, "_renew_later", lambda self: None)  # it asks at each step
        past.sweeper(Keep(runs=1)).sweep()
    assert past.left() == ids(*runs)
    past.sweep(Keep(runs=1))
    assert past.left() == ids(runs[4])


@pytest.mark.parametrize("step", ["discard", "forget", "spill", "stored_bytes"])
def test_what_a_process_leaves_when_it_dies_the_next_one_finishes(
    past: Past, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [past.run(9, size=2000) for _ in range(6)]
    works = getattr(past.archive, step)
    calls: list[str] = []

    def die_at_the_second(run: str) -> Any:
        calls.append(run)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return works(run)

    keep = Keep(runs=4, output_bytes=1500)
    monkeypatch.setattr(past.archive, step, die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        past.sweep(keep)
    monkeypatch.setattr(past.archive, step, works)
    past.sweep(keep)
    assert past.left() == ids(*runs[2:])
    assert past.with_output() == ids(runs[5])
    assert not past.archive.hot
    assert sorted(past.archive.forgotten) == ids(*runs[:2])
    assert sorted(past.archive.discarded) == ids(*runs[2:5])


def test_an_output_whose_run_has_no_record_is_not_looked_at_for_ever(past: Past) -> None:
    past.store.call(lambda client: client.zadd(keys.UNSETTLED, {"nothing": 0}))
    past.sweep()
    assert past.store.call(lambda client: client.exists(keys.UNSETTLED)) == 0


def test_a_run_of_a_version_without_retention_is_settled_as_well(past: Past) -> None:
    run = past.run(9, size=2000)
    past.store.call(lambda client: client.delete(keys.UNSETTLED))
    past.store.call(lambda client: client.zadd(keys.UNINDEXED, {run.id: 0}))
    past.owner.adopt()
    past.sweep()
    past.store.call(lambda client: client.zadd(keys.UNINDEXED, {run.id: 0}))
    past.owner.adopt()  # as when a process died in the middle of the first time
    past.sweep()
    assert past.archive.cold == {run.id: 1000}
    assert past.with_output() == ids(run)
