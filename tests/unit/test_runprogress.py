"""How far a run is, in its record: what the job says, or the bars that it draws."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from flask_realtime import host
from flask_realtime.isolation.newest import Newest
from flask_realtime.running import runprogress
from flask_realtime.running.runprogress import RunProgress
from flask_realtime.runs import Run
from tests.support.hub import until


class Watched:
    """A run, and its records as they were told and stored."""

    def __init__(self) -> None:
        self.run = Run("1", "job", {}, "ada", "thread", "thread", "owner")
        self.run.enter("running")
        self.told: list[dict[str, Any] | None] = []
        self.stored: list[dict[str, Any] | None] = []
        self.progress = RunProgress(
            self.run,
            tell=lambda run: self.told.append(run.progress),
            store=lambda run: self.stored.append(run.progress),
        )


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(runprogress, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(runprogress, "STORE_SECONDS", 0.2)
    return Watched()


def bar(percent: int) -> bytes:
    return f"\rx: {percent}%|##   | {percent}/100 [00:01<00:09, 9.0it/s]".encode()


def test_a_bar_is_read_into_the_record(watched: Watched) -> None:
    watched.progress.printed(bar(45))
    assert watched.run.progress is None, "not with each piece"
    until(lambda: watched.run.progress)
    assert watched.run.progress == {
        "percent": 45.0,
        "done": 45.0,
        "total": 100.0,
        "eta_seconds": 9.0,
        "source": "tqdm",
        "label": "x",
    }


def test_changes_are_told_some_times_a_second_and_stored_less_often(watched: Watched) -> None:
    deadline = host.Deadline(1)
    pieces = 0
    while deadline.left():
        pieces += 1
        watched.progress.printed(bar(min(pieces, 100)))
        host.sleep(0.001)
    told = len(watched.told) + len(watched.stored)
    assert told <= 51
    assert len(watched.stored) <= 6
    watched.progress.printed(bar(100))
    until(lambda: watched.stored[-1] is not None and watched.stored[-1]["percent"] == 100)


def test_output_without_a_bar_tells_nothing(watched: Watched) -> None:
    watched.progress.printed(b"text\n")
    watched.progress.end()
    assert watched.run.progress is None
    until(lambda: not watched.progress._looks)
    assert watched.told == watched.stored == []


def test_what_the_job_says_counts_more_than_bars(watched: Watched) -> None:
    watched.progress.printed(bar(45))
    watched.progress.said(1, 3, "files")
    watched.progress.printed(bar(50))
    watched.progress.end()
    assert watched.run.progress == {
        "percent": 33.3,
        "done": 1,
        "total": 3,
        "eta_seconds": None,
        "source": "job",
        "label": "files",
    }


@pytest.mark.parametrize(
    ("done", "total", "percent"),
    [(5, None, None), (0, 0, None), (3, 3, 100), (7, 3, 100), (0, 3, 0)],
)
def test_how_many_of_how_many(
    watched: Watched, done: float, total: float | None, percent: float | None
) -> None:
    watched.progress.said(done, total, "")
    watched.progress.end()
    assert watched.run.progress is not None
    assert watched.run.progress["percent"] == percent


def test_the_last_progress_stays_at_the_end_and_nothing_is_told_after_it(watched: Watched) -> None:
    watched.progress.printed(bar(80))
    watched.progress.end()
    watched.run.enter("succeeded")
    until(lambda: not watched.progress._looks)
    assert watched.run.progress is not None
    assert watched.run.progress["percent"] == 80
    assert watched.told == watched.stored == []


def test_only_the_newest_is_handed_on_and_never_lost() -> None:
    heard: list[int] = []
    wakes: list[None] = []
    newest = Newest(heard.append, wake=lambda: wakes.append(None))

    def says() -> None:
        for number in range(10_000):
            newest.say(number)

    thread = threading.Thread(target=says)
    thread.start()
    thread.join()
    assert len(wakes) == 1
    newest.hand_on()
    assert heard == [9999]
    newest.hand_on()
    assert heard == [9999], "nothing new"
    newest.say(1)
    newest.hand_on()
    assert heard == [9999], "not so soon"
    newest.say(2)
    until(lambda: heard == [9999, 2])
    newest.say(3)
    newest.hand_on()
    newest.hand_on(at_once=True)
    assert heard == [9999, 2, 3]
