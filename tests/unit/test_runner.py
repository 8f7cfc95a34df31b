"""Runs in line and runs within bounds, in an engine on a real Redis."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from flask_realtime.bounds import Bounds
from flask_realtime.errors import TooManyRuns
from flask_realtime.jobs import JobRegistry
from flask_realtime.runs import Run
from flask_realtime.store.store import Store
from tests.support.hub import until
from tests.support.watchedengine import Start, Watched

Running = Callable[[], bool]


def polite(running: Running) -> None:
    while running():
        time.sleep(0.001)


def deaf(running: Running) -> None:
    while True:
        time.sleep(0.001)


def flood(running: Running) -> None:
    line = "x" * 99
    while True:
        print(line)


def quick(running: Running) -> None:
    print("quick")


def jobs() -> JobRegistry:
    registry = JobRegistry()
    registry.add(polite)
    registry.add(polite, name="alone", max_runs=1)
    registry.add(polite, name="one_each", max_runs_per_user=1)
    registry.add(polite, name="timed", timeout=0.05)
    registry.add(deaf, name="deaf_and_timed", timeout=0.05, stop_grace=0.05)
    registry.add(flood, max_output_mib=0.01)
    registry.add(quick)
    return registry


def begun(watched: Watched, *runs: Run) -> None:
    until(lambda: all(run.state == "running" for run in runs))


def test_a_start_beyond_the_limit_waits_in_line_and_begins_when_there_is_room(
    engine: Start,
) -> None:
    with engine(jobs=jobs(), max_runs=1) as watched:
        first, second, third = (watched.start("polite") for _ in range(3))
        assert [run.state for run in (first, second, third)] == ["running", "queued", "queued"]
        assert [run.queue_position for run in (first, second, third)] == [None, 1, 2]
        assert watched.engine.runs.get(second.id).started is None
        watched.engine.stop_run("ann", first.id, force=False)
        begun(watched, second)
        assert second.queue_position is None
        until(lambda: third.queue_position == 1)
        assert third.state == "queued"
        watched.engine.stop_run("ann", second.id, force=False)
        begun(watched, third)


def test_a_run_in_line_can_be_cancelled_and_those_behind_it_move_up(engine: Start) -> None:
    with engine(jobs=jobs(), max_runs=1) as watched:
        _, second, third = (watched.start("polite") for _ in range(3))
        watched.engine.stop_run("ann", second.id, force=False)
        stored = watched.ended(second)
        assert (stored.state, stored.exit) == (
            "stopped",
            {"code": None, "reason": "stopped before it began"},
        )
        assert (stored.started, stored.queue_position, stored.output_bytes) == (None, None, 0)
        assert watched.states_of(second) == ["queued", "stopped"]
        until(lambda: third.queue_position == 1)


def test_the_line_has_an_end(engine: Start) -> None:
    with engine(jobs=jobs(), max_runs=1, max_queued=2) as watched:
        for _ in range(3):
            watched.start("polite")
        with pytest.raises(
            TooManyRuns,
            match=r"1 runs are active, and this one has to wait \(MAX_RUNS\), but 2 wait",
        ):
            watched.start("polite")
        assert len(watched.engine.runs.own()) == 3


def test_a_job_that_runs_once_at_a_time_holds_up_no_other(engine: Start) -> None:
    with engine(jobs=jobs()) as watched:
        first, second = watched.start("alone"), watched.start("alone", "ben")
        assert (second.state, second.queue_position) == ("queued", 1)
        assert watched.ended(watched.start("quick")).state == "succeeded"
        watched.engine.stop_run("ann", first.id, force=False)
        begun(watched, second)


def test_a_user_who_has_one_waits_and_another_does_not(engine: Start) -> None:
    with engine(jobs=jobs()) as watched:
        watched.start("one_each")
        anns, bens = watched.start("one_each"), watched.start("one_each", "ben")
        assert (anns.state, bens.state) == ("queued", "running")


def test_a_user_has_so_many_runs_of_all_jobs(engine: Start) -> None:
    with engine(jobs=jobs(), max_runs_per_user=1) as watched:
        watched.start("polite")
        assert watched.start("quick").state == "queued"
        assert watched.ended(watched.start("quick", "ben")).state == "succeeded"


def test_all_that_wait_have_their_turn_in_their_order(engine: Start) -> None:
    with engine(jobs=jobs(), max_runs=2) as watched:
        runs = [watched.start("quick") for _ in range(30)]
        ended = [watched.ended(run) for run in runs]
        assert {run.state for run in ended} == {"succeeded"}
        started = [run.started for run in ended]
        assert started == sorted(started, key=str)
        assert all(watched.output(run) == b"quick\n" for run in runs)


def test_when_the_server_stops_those_in_line_are_lost_and_say_so(
    engine: Start, store: Store
) -> None:
    with engine(jobs=jobs(), max_runs=1) as watched:
        watched.start("polite")
        waiting = watched.start("polite")
        watched.engine.stop(5)
        assert (waiting.state, waiting.started) == ("lost", None)
        assert waiting.exit == {"code": None, "reason": "the server was stopped"}


def test_a_run_that_takes_too_long_is_asked_to_end_and_has_failed(engine: Start) -> None:
    with engine(jobs=jobs()) as watched:
        run = watched.ended(watched.start("timed"))
        assert (run.state, run.exit) == (
            "failed",
            {"code": 1, "reason": "it took longer than 0.05 s (timeout)"},
        )
        assert watched.states_of(run) == ["queued", "running", "stopping", "failed"]


def test_one_that_does_not_end_then_is_ended_by_force(engine: Start) -> None:
    with engine(jobs=jobs()) as watched:
        run = watched.ended(watched.start("deaf_and_timed"))
        assert run.exit == {"code": 1, "reason": "it took longer than 0.05 s (timeout)"}
        assert not run.stop_overdue


def test_a_run_that_prints_too_much_ends_with_what_it_may_print(engine: Start) -> None:
    with engine(jobs=jobs()) as watched:
        run = watched.ended(watched.start("flood"))
        reason = "it printed more than 0.01 MiB (max_output_mib)"
        assert (run.state, run.exit) == ("failed", {"code": 1, "reason": reason})
        output = watched.output(run)
        most = int(0.01 * (1 << 20))
        assert output[:most] == ((b"x" * 99 + b"\n") * 200)[:most]
        assert output[most:].decode() == f"\n[{reason}: it is ended]\n"


def test_what_is_set_for_all_holds_where_a_job_says_nothing_else(engine: Start) -> None:
    bounds = Bounds(timeout=0.05, memory_mib=100)
    with engine(jobs=jobs(), bounds=bounds) as watched:
        assert watched.ended(watched.start("polite")).state == "failed"
        described = {job["name"]: job["bounds"] for job in watched.engine.describe_jobs()}
        assert described["alone"]["timeout"] == 0.05
        assert described["alone"]["runs"] == 1
        assert described["alone"]["memory_mib"] is None  # of a thread it cannot be told
