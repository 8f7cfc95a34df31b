"""A run's record: its states, its times, and ids that sort."""

from __future__ import annotations

import json
import re
import threading

import pytest

from flask_realtime.errors import RealtimeError
from flask_realtime.runs import FINAL, STATES, Run, RunIds


def make(**fields: object) -> Run:
    known = {
        "id": "1",
        "job": "count",
        "params": {"to": 3},
        "user": "ann",
        "executor": "thread",
        "isolation": "thread",
        "owner": "somewhere",
    }
    return Run(**{**known, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("first", STATES)
@pytest.mark.parametrize("second", STATES)
def test_a_state_follows_only_where_it_may(first: str, second: str) -> None:
    run = make(state=first)
    if second in STATES[first]:
        run.enter(second)
        assert run.state == second
    else:
        with pytest.raises(RealtimeError, match=f"is {first}: it cannot become {second}"):
            run.enter(second)
        assert run.state == first


def test_what_is_final_stays() -> None:
    assert {"succeeded", "failed", "stopped", "lost"} == FINAL


def test_times_are_noted_with_the_state() -> None:
    run = make()
    assert (run.started, run.stop_requested, run.ended) == (None, None, None)
    run.enter("running")
    run.enter("stopping")
    run.stop_overdue = True
    run.enter("stopped")
    times = [run.created, run.started, run.stop_requested, run.ended]
    assert all(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time or "") for time in times
    )
    assert times == sorted(times, key=str)
    assert not run.stop_overdue


def test_a_record_is_read_as_it_was_written() -> None:
    run = make(params={"ä": [1, None, {"x": 1.5}]}, exit={"code": 0, "reason": "finished"})
    assert Run.load(run.dump()) == run


def test_a_record_of_another_version_can_be_read() -> None:
    record = json.loads(make().dump())
    record["from_the_future"] = 1
    del record["stop_overdue"]
    assert Run.load(json.dumps(record).encode()) == make(created=record["created"])


def test_clients_do_not_see_the_owner() -> None:
    run = make()
    assert set(json.loads(run.dump())) - set(run.public()) == {"owner"}


@pytest.mark.parametrize("times", [[5_000] * 3, [9_000, 1_000, 2_000], [1_000, 2_000, 3_000]])
def test_ids_sort_by_creation_whatever_the_clock_does(times: list[int]) -> None:
    clock = iter(times)
    ids = RunIds(lambda: next(clock))
    made = [ids.new() for _ in times]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_of_many_threads_differ_and_sort_within_each() -> None:
    ids = RunIds()
    made: list[list[str]] = [[] for _ in range(4)]
    threads = [
        threading.Thread(target=lambda mine=mine: mine.extend(ids.new() for _ in range(500)))
        for mine in made
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set().union(*made)) == 2000
    assert all(mine == sorted(mine) for mine in made)
