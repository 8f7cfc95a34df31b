"""The engine on a real Redis: runs start, end, are stopped and forced, within their limits."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from flask_realtime import host
from flask_realtime.currentrun import CurrentRun
from flask_realtime.errors import (
    BadOffset,
    BadParameters,
    NotRunning,
    ShuttingDown,
    StoreUnavailable,
    TooManyRuns,
    UnknownJob,
    UnknownRun,
)
from flask_realtime.history import Filter
from flask_realtime.registry import RunRegistry
from flask_realtime.runs import Run
from flask_realtime.store.store import Store
from flask_realtime.watching.messages import Message
from tests.support.hub import until
from tests.support.watchedengine import Start


def test_a_run_is_told_stored_and_read_to_its_end(engine: Start) -> None:
    with engine() as watched:
        run = watched.start("count", to=5)
        assert run.state == "running"
        stored = watched.ended(run)
        assert watched.states_of(run) == ["queued", "running", "succeeded"]
        assert (stored.job, stored.user, stored.params) == ("count", "ann", {"to": 5})
        assert (stored.state, stored.output_bytes) == ("succeeded", 10)
        assert stored.exit == {"code": 0, "reason": "finished"}
        assert stored.created <= stored.started <= stored.ended
        assert watched.output(run) == b"0\n1\n2\n3\n4\n"
        assert watched.engine.outputs.ended(stored)
        assert watched.engine.outputs.end(stored) == 10


def test_a_job_that_fails_says_why_in_the_record_and_in_the_output(engine: Start) -> None:
    with engine() as watched:
        run = watched.start("broken")
        stored = watched.ended(run)
        assert stored.state == "failed"
        assert stored.exit == {"code": 1, "reason": "ZeroDivisionError: of course"}
        assert watched.output(run).endswith(b"ZeroDivisionError: of course\n")


def test_many_runs_at_once_keep_their_outputs_apart(engine: Start) -> None:
    with engine() as watched:
        runs = [watched.start("count", to=to) for to in range(1, 16)]
        for to, run in enumerate(runs, 1):
            assert watched.ended(run).state == "succeeded"
            assert watched.output(run) == b"".join(b"%d\n" % n for n in range(to))


@pytest.mark.parametrize(
    ("job", "params", "error", "said"),
    [
        ("cuont", {}, UnknownJob, "there is no job 'cuont'; there are: count, wait, deaf, broken"),
        ("count", [1], BadParameters, '"params" must be an object, not list'),
        ("count", {"to": "many"}, BadParameters, "to"),
        ("count", {"too": 1}, BadParameters, "too"),
    ],
)
def test_a_wrong_request_starts_nothing(
    engine: Start, job: str, params: Any, error: type[Exception], said: str
) -> None:
    with engine() as watched:
        with pytest.raises(error, match=said):
            watched.engine.start_run("ann", job, params)
        assert watched.engine.runs.list(10) == ([], None)
        assert watched.states == []


def test_no_more_runs_than_the_limit_also_when_they_start_at_the_same_time(engine: Start) -> None:
    with engine(max_runs=2, max_queued=0) as watched:
        refused: list[TooManyRuns] = []

        def start() -> None:
            try:
                watched.start("wait")
            except TooManyRuns as error:
                refused.append(error)

        for task in [host.spawn(start) for _ in range(5)]:
            task.wait()
        assert len(refused) == 3
        assert (
            "2 runs are active, and this one has to wait (MAX_RUNS), but 0 wait already"
            in refused[0].message
        )
        first, second = watched.engine.runs.own()
        watched.engine.stop_run("ann", first.id, force=False)
        watched.ended(first)
        watched.start("wait")
        with pytest.raises(TooManyRuns):
            watched.start("count")
        assert second.state == "running"


def test_a_stop_is_asked_told_and_honoured(engine: Start) -> None:
    with engine() as watched:
        run = watched.start("wait")
        stopping = watched.engine.stop_run("ann", run.id, force=False)
        assert stopping.state == "stopping"
        assert stopping.stop_requested
        stored = watched.ended(run)
        assert (stored.state, stored.exit) == ("stopped", {"code": 0, "reason": "stopped"})
        assert watched.states_of(run) == ["queued", "running", "stopping", "stopped"]
        assert not stored.stop_overdue


def test_a_job_that_ignores_stop_is_overdue_after_the_grace_period_and_can_be_forced(
    engine: Start,
) -> None:
    with engine(stop_grace_seconds=0.05) as watched:
        run = watched.start("deaf")
        watched.engine.stop_run("ann", run.id, force=False)
        assert not run.stop_overdue
        until(lambda: run.stop_overdue)
        assert run.state == "stopping"
        forced = watched.engine.stop_run("ann", run.id, force=True)
        assert forced.id == run.id
        stored = watched.ended(run)
        assert (stored.state, stored.exit) == ("stopped", {"code": 1, "reason": "stopped by force"})
        assert not stored.stop_overdue
        assert watched.output(run) == b"deaf\n"


def test_a_run_can_be_forced_without_being_asked_first(engine: Start) -> None:
    with engine() as watched:
        run = watched.start("deaf")
        until(lambda: watched.output(run))
        watched.engine.stop_run("ann", run.id, force=True)
        assert watched.ended(run).state == "stopped"
        assert watched.states_of(run) == ["queued", "running", "stopping", "stopped"]


def test_stopping_what_is_over_changes_nothing(engine: Start) -> None:
    with engine() as watched:
        run = watched.start("count")
        stored = watched.ended(run)
        for force in (False, True):
            assert watched.engine.stop_run("ann", run.id, force=force) == stored
        assert watched.states_of(run) == ["queued", "running", "succeeded"]


def test_a_run_of_another_process_cannot_be_stopped_here(engine: Start, store: Store) -> None:
    with engine() as watched:
        other = RunRegistry(store, lambda run: 0)
        run = watched.start("wait")
        foreign = Run(**{**run.__dict__, "id": "f" * 24, "owner": other.owner, "host": "far-away"})
        other.add(foreign)
        with pytest.raises(NotRunning, match="on far-away, does not answer"):
            watched.engine.stop_run("ann", foreign.id, force=False)


def test_users_see_and_stop_their_own_runs_only(engine: Start) -> None:
    with engine() as watched:
        anns, bobs = watched.start("wait", "ann"), watched.start("count", "bob")
        watched.ended(bobs)
        with pytest.raises(UnknownRun):
            watched.engine.get_run("bob", anns.id)
        with pytest.raises(UnknownRun):
            watched.engine.stop_run("bob", anns.id, force=True)
        assert watched.engine.list_runs("bob", 10) == ([watched.engine.runs.get(bobs.id)], None)
        assert watched.engine.list_runs("ann", 10, Filter("count")) == ([], None)
        assert watched.engine.list_runs("ann", 10, Filter(user="bob")) == ([], None)
        wanted = Filter("wait", states=("running",))
        assert watched.engine.list_runs("ann", 10, wanted) == ([anns], None)
        assert anns.state == "running"


@pytest.mark.parametrize(
    ("wanted", "begin"), [({"offset": 15}, 15), ({"tail": 6}, 14), ({"tail": 999}, 0), ({}, 0)]
)
def test_a_viewer_begins_where_it_asks(engine: Start, wanted: dict[str, int], begin: int) -> None:
    whole = b"".join(b"%d\n" % number for number in range(10))
    received = b""

    def send(message: Message, acknowledged: Any) -> None:
        nonlocal received
        received += message.payload["data"]

    with engine() as watched:
        run = watched.start("count", to=10)
        watched.ended(run)
        assert watched.engine.outputs.attach(run, "client", send, **wanted)[0] == begin
        until(lambda: received == whole[begin:])


@pytest.mark.parametrize("offset", [-1, 7])
def test_a_viewer_cannot_begin_outside_of_the_output(engine: Start, offset: int) -> None:
    with engine() as watched:
        run = watched.start("count")
        watched.ended(run)
        with pytest.raises(BadOffset, match=f"offset {offset} is outside .* has 6 bytes"):
            watched.engine.outputs.attach(run, "client", lambda *_: None, offset=offset)


def test_a_run_that_goes_on_is_presented_with_what_it_has_put_out(engine: Start) -> None:
    with engine() as watched:
        run = watched.start("deaf")
        until(lambda: watched.engine.outputs.present(run)["output_bytes"] == 5)
        assert run.output_bytes == 0  # the record says it at the end
        assert "owner" not in watched.engine.outputs.present(run)


def test_what_comes_before_a_run_is_in_its_context_and_thread(engine: Start) -> None:
    seen: list[tuple[str, str, str, bool]] = []

    def note(run: CurrentRun) -> None:
        native = threading.current_thread() is not threading.main_thread()
        seen.append((run.id, run.job, run.user, native))
        print("first")

    with engine(before_run=[note]) as watched:
        run = watched.start("count", "bob", to=1)
        watched.ended(run)
        assert seen == [(run.id, "count", "bob", True)]
        assert watched.output(run) == b"first\n0\n"


def test_when_the_engine_stops_runs_end_and_what_does_not_is_lost(
    engine: Start, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    with engine() as watched:
        polite, rude = watched.start("wait"), watched.start("deaf")
        until(lambda: watched.output(rude))
        watched.engine.stop(0.2)
        with pytest.raises(ShuttingDown):
            watched.start("count")
        elsewhere = RunRegistry(store, lambda run: 0)
        assert elsewhere.get(polite.id).state == "stopped"
        lost = elsewhere.get(rude.id)
        assert (lost.state, lost.output_bytes) == ("lost", 5)
        assert lost.exit == {"code": None, "reason": "the server was stopped"}
        watched.engine._runner.executor.box(rude.id).force()
        until(lambda: watched.engine._runner.executor.wait_until(rude.id, 0))
        assert rude.state == "lost"  # its end comes too late to be told
    assert "Traceback" not in capsys.readouterr().err
    assert watched.states_of(rude) == ["queued", "running", "stopping", "lost"]


def test_without_redis_nothing_starts_and_nothing_is_counted(
    engine: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine(max_runs=1) as watched:
        with monkeypatch.context() as patch:
            patch.setattr(watched.engine.store, "available", False)
            for _ in range(3):
                with pytest.raises(StoreUnavailable):
                    watched.start("count")
        assert watched.ended(watched.start("count")).state == "succeeded"
        assert len(watched.engine.list_runs("ann", 10)[0]) == 1


def test_a_notice_stands_until_it_is_taken_back(engine: Start) -> None:
    with engine() as watched:
        watched.engine.notices.set("late", None)  # there was none
        watched.engine.notices.set("late", "The train is late.")
        stands = {"code": "late", "active": True, "message": "The train is late."}
        assert watched.engine.notices.standing() == [stands]
        watched.engine.notices.set("late", None)
        assert watched.engine.notices.standing() == []
        assert watched.notices == [stands, {"code": "late", "active": False, "message": ""}]
