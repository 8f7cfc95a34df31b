"""What a job says of its progress."""

from __future__ import annotations

import contextvars
import math
from fractions import Fraction
from typing import Any

import pytest

from flask_realtime import progress
from flask_realtime.currentrun import CurrentRun, enter
from flask_realtime.masking import Secrets


def told(*calls: tuple[Any, ...]) -> list[tuple[float, float | None, str]]:
    """What the hook of a run gets of calls of `progress`."""
    heard: list[tuple[float, float | None, str]] = []

    def job() -> None:
        run = CurrentRun(
            "1", "job", "ann", Secrets(), report_progress=lambda *said: heard.append(said)
        )
        enter(run)
        for call in calls:
            progress(*call)

    contextvars.copy_context().run(job)
    return heard


def test_it_reaches_the_run_that_the_job_belongs_to() -> None:
    assert told((1, 4), (0.5,), (3, 4, "copying")) == [
        (1.0, 4.0, ""),
        (0.5, None, ""),
        (3.0, 4.0, "copying"),
    ]
    assert told((Fraction(1, 2), 10**30)) == [(0.5, 1e30, "")]


def test_a_long_label_is_cut() -> None:
    assert told((1, 2, "x" * 1000)) == [(1.0, 2.0, "x" * 200)]


def test_outside_of_jobs_it_does_nothing() -> None:
    progress(1, 2)


def test_a_run_without_a_hook_hears_nothing() -> None:
    def job() -> None:
        enter(CurrentRun("1", "job", "ann", Secrets()))
        progress(1, 2, "nobody asked")

    contextvars.copy_context().run(job)


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (("1",), TypeError, "done='1' is wrong: expected a number"),
        ((None,), TypeError, "done=None is wrong"),
        ((-1,), ValueError, "done=-1 is wrong: expected a number, 0 or more"),
        ((1, math.nan), ValueError, "total=nan is wrong"),
        ((1, math.inf), ValueError, "total=inf is wrong"),
        ((1, 2, 3), TypeError, "label=3 is wrong: expected text"),
    ],
)
def test_what_is_no_progress_is_refused_in_jobs_and_outside(
    wrong: tuple[Any, ...], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        progress(*wrong)
    with pytest.raises(error, match=said):
        told(wrong)
