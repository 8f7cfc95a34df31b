"""What a job says about its runs, by all the ways in which a function becomes a job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flask_realtime import Realtime, job
from flask_realtime.errors import RealtimeError
from flask_realtime.jobrules import JobRules
from flask_realtime.jobs import JobRegistry, make_job
from flask_realtime.jobsfolder.jobsfolder import load
from flask_realtime.keep import Keep

RULES: dict[str, Any] = {
    "keep_days": 1.5,
    "keep_runs": 10,
    "keep_output_mib": 0.5,
    "stop_when_unwatched": 60,
}
READ = JobRules(keep=Keep(days=1.5, runs=10, output_bytes=512 * 1024), stop_when_unwatched=60)


def tidy(running: object) -> None:
    """Tidy up."""


def test_a_job_says_nothing_unless_it_is_told_to() -> None:
    assert make_job(tidy).rules == JobRules()
    assert make_job(tidy).describe()["stop_when_unwatched"] is None


def test_a_marked_job_of_a_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(
        "from flask_realtime import job\n"
        "@job(keep_days=1.5, keep_runs=10, keep_output_mib=0.5, stop_when_unwatched=60)\n"
        "def tidy(running): pass\n"
    )
    registry = JobRegistry()
    assert load(tmp_path, registry) == []
    assert registry.get("tidy").rules == READ
    assert registry.get("tidy").describe()["stop_when_unwatched"] == 60


def test_a_job_of_an_application_says_so() -> None:
    realtime = Realtime()
    realtime.job(name="decorated", **RULES)(tidy)
    assert realtime.jobs.get("decorated").rules == READ
    assert realtime.jobs.add(tidy, name="added", **RULES).rules == READ


def test_what_is_said_at_the_registration_goes_before_the_mark() -> None:
    marked = job(keep_runs=3, stop_when_unwatched=60)(lambda running: None)
    assert make_job(marked, name="a").rules == JobRules(keep=Keep(runs=3), stop_when_unwatched=60)
    assert make_job(marked, name="a", keep_runs=5).rules == JobRules(keep=Keep(runs=5))


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"keep_days": -1}, "keep_days=-1 is wrong: expected a number, 0 or more"),
        ({"keep_runs": 2.5}, "keep_runs=2.5 is wrong: expected a whole number, 0 or more"),
        ({"keep_runs": True}, "keep_runs=True is wrong"),
        ({"keep_output_mib": "1"}, "keep_output_mib='1' is wrong: expected a number"),
        ({"keep_days": float("nan")}, "keep_days=nan is wrong"),
        ({"keep_output_mib": float("inf")}, "keep_output_mib=inf is wrong"),
        ({"stop_when_unwatched": 4}, "stop_when_unwatched=4 is wrong: expected a number, 5 or"),
        ({"stop_when_unwatched": 0}, "stop_when_unwatched=0 is wrong"),
    ],
)
def test_a_wrong_value_is_refused_at_once(rules: dict[str, Any], said: str) -> None:
    with pytest.raises(RealtimeError, match=said):
        job(**rules)


def test_an_option_that_is_not_there_is_named() -> None:
    wrong: dict[str, Any] = {"keep_day": 3}
    with pytest.raises(TypeError, match="no option 'keep_day'; there are: executor, inherit,"):
        job(**wrong)
