"""The line that runs wait in: who may begin, who is held back by what, and each one's place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flask_realtime.bounds import Bounds
from flask_realtime.running.runqueue import Limits, RunQueue, Waiting

FREE = Bounds()
ALONE = Bounds(runs=1)


def waiting(run: str, job: str = "job", user: str = "ann", bounds: Bounds = FREE) -> Waiting:
    return Waiting(run, job, user, bounds)


def queue(*runs: Waiting, most: int = 10, per_user: int | None = None) -> RunQueue:
    made = RunQueue(Limits(most, per_user))
    for run in runs:
        made.add(run)
    return made


def test_first_come_first_served() -> None:
    line = queue(waiting("a"), waiting("b"), most=1)
    assert line.next([waiting("x")]) is None
    first = line.next([])
    assert first is not None
    assert first.run == "a"
    line.remove("a")
    assert [run.run for run in line] == ["b"]


def test_one_that_its_job_holds_back_holds_up_no_other() -> None:
    going_on = [waiting("x", "tidy", bounds=ALONE)]
    line = queue(waiting("a", "tidy", bounds=ALONE), waiting("b", "count"))
    first = line.next(going_on)
    assert first is not None
    assert first.run == "b"


def test_a_bound_for_each_user_holds_back_that_user_only() -> None:
    bounds = Bounds(runs_per_user=1)
    going_on = [waiting("x", "tidy", "ann", bounds)]
    line = queue(waiting("a", "tidy", "ann", bounds), waiting("b", "tidy", "ben", bounds))
    first = line.next(going_on)
    assert first is not None
    assert first.run == "b"


def test_a_user_has_no_more_than_his_part_of_all_jobs() -> None:
    line = queue(waiting("a", "count", "ann"), waiting("b", "count", "ben"), per_user=1)
    first = line.next([waiting("x", "tidy", "ann")])
    assert first is not None
    assert first.run == "b"


def test_nobody_passes_those_that_wait_for_the_same() -> None:
    line = queue(waiting("a"), most=1)
    assert not line.may_begin(waiting("b"), [])
    assert line.may_begin(waiting("c"), []) is False
    line.remove("a")
    assert line.may_begin(waiting("c"), [])


def test_a_place_counts_those_that_wait_for_the_same_bound() -> None:
    going_on = [waiting("x", "tidy", bounds=ALONE)]
    line = queue(
        waiting("a", "tidy", bounds=ALONE),
        waiting("b", "sweep", bounds=ALONE),
        waiting("c", "tidy", bounds=ALONE),
    )
    assert line.positions([*going_on, waiting("y", "sweep", bounds=ALONE)]) == {
        "a": 1,
        "b": 1,
        "c": 2,
    }
    assert line.position_of(waiting("d", "tidy", bounds=ALONE), going_on) == 3


def test_when_the_server_is_full_everybody_waits_behind_everybody() -> None:
    line = queue(waiting("a", "tidy"), waiting("b", "sweep"), most=1)
    assert line.positions([waiting("x")]) == {"a": 1, "b": 2}


def test_what_holds_one_back_is_named_as_it_is_set() -> None:
    bounds = Bounds(runs=1, runs_per_user=1)
    going_on = [waiting("x", "tidy", "ann", bounds)]
    line = queue(most=1, per_user=1)
    assert line.held_by(waiting("a", "tidy", "ann", bounds), going_on) == [
        "MAX_RUNS",
        "MAX_RUNS_PER_USER",
        "the job's max_runs",
        "the job's max_runs_per_user",
    ]
    assert queue(per_user=1).held_by(waiting("b", "other", "ben"), going_on) == []


JOBS = {"free": FREE, "alone": ALONE, "each": Bounds(runs_per_user=1), "two": Bounds(runs=2)}


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(sorted(JOBS)), st.sampled_from(["ann", "ben"])),
            st.integers(0, 5),  # the end of one that goes on
        ),
        max_size=40,
    )
)
def test_whatever_comes_and_ends_no_bound_is_broken_and_nobody_waits_for_nothing(
    events: list[tuple[str, str] | int],
) -> None:
    line = queue(most=4, per_user=3)
    going_on: list[Waiting] = []
    began: list[str] = []
    for number, event in enumerate(events):
        if isinstance(event, tuple):
            job, user = event
            line.add(Waiting(f"{number:03}", job, user, JOBS[job]))
        elif going_on:
            going_on.pop(event % len(going_on))
        while (first := line.next(going_on)) is not None:
            line.remove(first.run)
            going_on.append(first)
            began.append(first.run)
        assert len(going_on) <= 4
        for user in ("ann", "ben"):
            theirs = [run for run in going_on if run.user == user]
            assert len(theirs) <= 3
            assert sum(run.job == "each" for run in theirs) <= 1
        assert sum(run.job == "alone" for run in going_on) <= 1
        assert sum(run.job == "two" for run in going_on) <= 2
        places = line.positions(going_on)
        assert all(1 <= place <= len(line) for place in places.values())
    while line or going_on:  # in the end, all have had their turn
        going_on.clear()
        while (first := line.next(going_on)) is not None:
            line.remove(first.run)
            going_on.append(first)
            began.append(first.run)
    assert len(began) == len(set(began)) == sum(isinstance(event, tuple) for event in events)
