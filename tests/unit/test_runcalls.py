"""Answers to runs and reports of them: who may, when, and how many at once."""

from __future__ import annotations

from typing import Any

import pytest

from flask_realtime import host, mask
from flask_realtime.errors import NotRunning, UnknownRun
from flask_realtime.isolation.thread import ThreadBox
from flask_realtime.jobs import JobRegistry
from tests.support.hub import until
from tests.support.watchedengine import Running, Start


def asks(running: Running) -> None:
    print("Hello", input("Name? "))


@pytest.fixture
def jobs() -> JobRegistry:
    registry = JobRegistry()
    registry.add(asks)
    return registry


def test_only_who_may_see_a_run_may_answer_it_and_have_it_reported(
    engine: Start, jobs: JobRegistry
) -> None:
    with engine(jobs=jobs) as watched:
        run = watched.start("asks", "ann")
        until(lambda: run.waiting)
        with pytest.raises(UnknownRun):
            watched.engine.give_input("bob", run.id, "Bob\n", eof=False)
        with pytest.raises(UnknownRun):
            watched.engine.report("bob", run.id)
        watched.engine.give_input("ann", run.id, "Ann\n", eof=False)
        watched.ended(run)
        assert watched.output(run) == b"Name? Ann\nHello Ann\n"


def test_a_run_in_line_reads_nothing_and_has_nothing_to_report(
    engine: Start, jobs: JobRegistry
) -> None:
    with engine(jobs=jobs, max_runs=1) as watched:
        first, second = watched.start("asks"), watched.start("asks")
        assert second.state == "queued"
        for ask in (
            lambda: watched.engine.give_input("ann", second.id, "x\n", eof=False),
            lambda: watched.engine.report("ann", second.id),
        ):
            with pytest.raises(NotRunning, match="it waits in line"):
                ask()
        watched.engine.stop_run("ann", second.id, force=False)
        watched.engine.stop_run("ann", first.id, force=False)
        watched.ended(first)


def test_who_asks_while_a_report_is_made_gets_that_one(
    engine: Start, jobs: JobRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[None] = []
    make = ThreadBox.report

    def counted(box: ThreadBox) -> dict[str, Any]:
        made.append(None)
        return make(box)

    monkeypatch.setattr(ThreadBox, "report", counted)
    with engine(jobs=jobs) as watched:
        run = watched.start("asks")
        until(lambda: run.waiting)
        reports: list[dict[str, Any]] = []
        tasks = [
            host.spawn(lambda: reports.append(watched.engine.report("ann", run.id)))
            for _ in range(10)
        ]
        for task in tasks:
            task.wait()
        assert len(made) == 1
        assert reports == [reports[0]] * 10
        assert reports[0]["waiting"] == run.waiting
        watched.engine.report("ann", run.id)
        assert len(made) == 2
        watched.engine.stop_run("ann", run.id, force=False)
        watched.ended(run)


def test_a_run_that_ends_while_its_report_is_made(engine: Start, jobs: JobRegistry) -> None:
    with engine(jobs=jobs) as watched:
        run = watched.start("asks")
        until(lambda: run.waiting)
        reports: list[dict[str, Any]] = []
        task = host.spawn(lambda: reports.append(watched.engine.report("ann", run.id)))
        host.sleep(0)
        watched.engine.give_input("ann", run.id, "x\n", eof=False)
        watched.ended(run)
        task.wait()
        assert len(reports) == 1, "it was finished all the same"


def test_a_prompt_in_the_record_is_short_and_masked(engine: Start) -> None:
    secret = "swordfish-77"

    def asks_long(running: Running) -> None:
        mask(secret)
        input("x" * 300 + secret * 20 + " go on? ")

    registry = JobRegistry()
    registry.add(asks_long)
    with engine(jobs=registry) as watched:
        run = watched.start("asks_long")
        until(lambda: run.waiting)
        assert run.waiting["prompt"] == "x" * 133 + "***" * 20 + " go on?"
        watched.engine.stop_run("ann", run.id, force=False)
        watched.ended(run)
