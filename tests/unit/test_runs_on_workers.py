"""Runs that wait for a worker: stored, claimed by one, held back, begun anew, and never forgotten.

The workers are this process too, and the messages a list: the real ones are tested in
tests/workers/.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet

from flask_realtime import history, host, outputstream
from flask_realtime.errors import (
    ConfigurationError,
    ExecutorUnavailable,
    RealtimeError,
    StoreUnavailable,
    TooManyRuns,
)
from flask_realtime.jobrules import read_rules
from flask_realtime.jobs import JobRegistry
from flask_realtime.parameters import Secret
from flask_realtime.running import claims, dispatcher
from flask_realtime.runs import Run
from flask_realtime.store import keys
from flask_realtime.tail import Chunk
from tests.support.hub import until
from tests.support.watchedengine import Start, Watched

KEY = Fernet.generate_key().decode()


class Messages:
    """What would be a broker: the messages of each queue, in order."""

    name = "celery"

    def __init__(self) -> None:
        self.away = False
        self.sent: list[tuple[str, str]] = []  # queue, run: all that ever came
        self.queues: dict[str, list[str]] = {}

    def check(self) -> None:
        pass

    def send(self, run: str, queue: str, job: str) -> None:
        if self.away:
            raise ExecutorUnavailable("the broker is away")
        self.sent.append((queue, run))
        self.queues.setdefault(queue, []).append(run)

    def waiting(self, queues: Iterable[str]) -> dict[str, int]:
        if self.away:
            raise ExecutorUnavailable("the broker is away")
        return {queue: len(self.queues.get(queue, [])) for queue in queues}

    def close(self) -> None:
        pass


def tell(running: Any, word: str, token: Secret | None = None) -> None:
    print(word, "with" if token and token == "hush-hush-hush" else "without", token)


released = threading.Event()


def hold(running: Any) -> None:
    released.wait(30)
    print("held")


@pytest.fixture
def messages() -> Messages:
    released.clear()
    return Messages()


def the_jobs() -> JobRegistry:
    registry = JobRegistry()
    registry.add(tell, executor="celery", queue="gpu")
    registry.add(hold, executor="celery", max_runs=1)
    registry.add(hold, name="again", executor="celery", retries=1)
    return registry


@pytest.fixture
def options(messages: Messages) -> dict[str, Any]:
    return {"remote": messages, "jobs": the_jobs(), "sealing_keys": (KEY,)}


def perform(watched: Watched, messages: Messages, queue: str = "default") -> host.Task:
    """What a worker does with the next message of a queue."""
    return host.spawn(watched.engine.perform, messages.queues[queue].pop(0))


def stored(watched: Watched, run: Run) -> Run:
    return watched.engine.runs.get(run.id)


def test_a_run_waits_until_a_worker_takes_it(
    engine: Start, messages: Messages, options: dict[str, Any]
) -> None:
    with engine(**options) as watched:
        run = watched.start("tell", word="hello", token="hush-hush-hush")
        assert (run.state, run.owner, run.queue, run.host) == ("queued", "", "gpu", "")
        assert messages.sent == [("gpu", run.id)]
        assert run.params == {"word": "hello", "token": "***"}
        perform(watched, messages, "gpu").wait()
        done = stored(watched, run)
        assert (done.state, done.owner) == ("succeeded", watched.engine.runs.owner)
        assert watched.output(run) == b"hello with ***\n"
        assert watched.states_of(run) == ["queued", "running", "succeeded"]


def test_secrets_lie_in_redis_sealed_and_only_until_the_end(
    engine: Start, messages: Messages, options: dict[str, Any]
) -> None:
    def everything(watched: Watched) -> bytes:
        def read(client: Any) -> bytes:
            return b"".join(client.dump(key) or b"" for key in client.scan_iter("*order*"))

        return watched.engine.store.call(read)

    with engine(**options) as watched:
        run = watched.start("tell", word="hello", token="hush-hush-hush")
        assert everything(watched)
        assert b"hush" not in everything(watched)
        perform(watched, messages, "gpu").wait()
        until(lambda: not everything(watched))
        assert stored(watched, run).state == "succeeded"


def test_a_message_that_comes_twice_or_late_does_nothing(
    engine: Start, messages: Messages, options: dict[str, Any]
) -> None:
    with engine(**options) as watched:
        run = watched.start("tell", word="once")
        messages.queues["gpu"] *= 3
        for _ in range(3):
            perform(watched, messages, "gpu").wait()
        assert watched.output(run) == b"once without None\n"
        watched.engine.perform("nothing-like-this")


def test_a_run_that_no_worker_has_taken_is_stopped_by_anybody(
    engine: Start, messages: Messages, options: dict[str, Any]
) -> None:
    with engine(**options) as watched:
        run = watched.start("tell", word="never")
        stopped = watched.engine.stop_run("ann", run.id, force=False)
        assert (stopped.state, stored(watched, run).state) == ("stopped", "stopped")
        perform(watched, messages, "gpu").wait()
        assert stored(watched, run).state == "stopped"
        assert watched.output(run) == b""


def test_the_bound_of_a_job_holds_over_all_workers_in_the_order_of_starts(
    engine: Start, messages: Messages, options: dict[str, Any]
) -> None:
    with engine(**options) as watched:
        runs = [watched.start("hold") for _ in range(3)]
        perform(watched, messages)
        until(lambda: stored(watched, runs[0]).state == "running")
        for _ in range(2):
            perform(watched, messages).wait()
        assert [stored(watched, run).state for run in runs] == ["running", "queued", "queued"]
        released.set()
        for n in (1, 2):
            until(lambda: messages.queues["default"])
            assert messages.queues["default"] == [runs[n].id]
            perform(watched, messages).wait()
        assert [stored(watched, run).state for run in runs] == ["succeeded"] * 3


def test_what_the_broker_forgot_is_sent_again(
    engine: Start,
    messages: Messages,
    options: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatcher, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(dispatcher, "RESEND_SECONDS", 0.1)
    with engine(**options) as watched:
        run = watched.start("tell", word="again")
        messages.queues["gpu"].clear()
        until(lambda: messages.queues["gpu"])
        perform(watched, messages, "gpu").wait()
        assert stored(watched, run).state == "succeeded"


def test_while_the_broker_is_away_runs_wait_and_everybody_is_told(
    engine: Start,
    messages: Messages,
    options: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatcher, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(dispatcher, "RESEND_SECONDS", 0.1)
    messages.away = True
    with engine(**options) as watched:
        run = watched.start("tell", word="late")
        until(lambda: [each for each in watched.notices if each["code"] == "broker_away"])
        assert stored(watched, run).state == "queued"
        messages.away = False
        until(lambda: messages.queues.get("gpu"))
        until(lambda: not watched.notices[-1]["active"])
        perform(watched, messages, "gpu").wait()
        assert stored(watched, run).state == "succeeded"


def lose(watched: Watched, run: Run) -> None:
    """Let the record say that a process has it which gives no sign of life."""
    found = stored(watched, run)
    found.owner = "nobody-000000"
    if found.state == "queued":
        found.enter("running")
    watched.engine.store.call(
        lambda client: history.replace(client, found, client.get(keys.record(run.id)))
    )


def test_a_run_that_lost_its_worker_is_lost_unless_its_job_may_be_begun_anew(
    engine: Start, messages: Messages, options: dict[str, Any]
) -> None:
    released.set()
    with engine(**options) as watched:
        gone, again = watched.start("hold"), watched.start("again")
        messages.queues.clear()
        for run in (gone, again):
            lose(watched, run)
        watched.engine.runs.sweep()
        assert stored(watched, gone).state == "lost"
        waiting = stored(watched, again)
        assert (waiting.state, waiting.owner, waiting.attempt) == ("queued", "", 2)
        until(lambda: messages.queues.get("default") == [again.id])
        perform(watched, messages).wait()
        assert stored(watched, again).state == "succeeded"
        assert watched.output(again) == b"\n[its worker was lost: attempt 2 of 2]\nheld\n"
        lose(watched, again)  # it has ended: nothing to lose
        watched.engine.runs.sweep()


def test_the_attempts_come_to_an_end(
    engine: Start, messages: Messages, options: dict[str, Any]
) -> None:
    with engine(**options) as watched:
        run = watched.start("again")
        for state in ("queued", "lost"):
            lose(watched, run)
            watched.engine.runs.sweep()
            assert stored(watched, run).state == state


def test_who_comes_back_when_another_has_begun_its_run_anew_lets_it_be(
    engine: Start, messages: Messages, options: dict[str, Any]
) -> None:
    with engine(**options) as watched:
        run = watched.start("again")
        perform(watched, messages)
        until(lambda: stored(watched, run).state == "running")
        mine = watched.engine.runs.get(run.id)
        other = Run.load(mine.dump())
        other.owner, other.attempt = "somebody-111111", 2

        def take_away(client: Any) -> None:
            client.set(keys.owner(other.owner), 1, ex=60)
            assert history.replace(client, other, client.get(keys.record(run.id)))

        watched.engine.store.call(take_away)
        name = history.fence_of(other)
        watched.engine.store.call(lambda client: outputstream.fence(client, run.id, name))
        released.set()  # it prints, and ends
        until(lambda: watched.engine.log.writer(run.id) is None)
        there = stored(watched, run)
        assert (there.owner, there.attempt, there.state) == ("somebody-111111", 2, "running")
        assert watched.output(run) == b""


def test_output_goes_on_behind_what_the_lost_worker_had_stored(
    engine: Start, messages: Messages, options: dict[str, Any]
) -> None:
    released.set()
    with engine(**options) as watched:
        run = watched.start("again")
        chunk = Chunk(0, 1_700_000_000_000, 1, b"one\ntwo\nthr", 1)
        watched.engine.log.store_chunks(run.id, 0, [chunk], "nobody-000000:1")
        lose(watched, run)
        watched.engine.runs.sweep()
        until(lambda: messages.queues.get("default"))
        messages.queues["default"] = [run.id]
        perform(watched, messages).wait()
        assert watched.output(run) == (
            b"one\ntwo\nthr\n[its worker was lost: attempt 2 of 2]\nheld\n"
        )
        assert stored(watched, run).output_lines == 5


def test_a_worker_that_stops_leaves_its_runs_to_others(
    engine: Start, messages: Messages, options: dict[str, Any]
) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with engine(**options) as watched:
        runs = [watched.start("hold"), watched.start("again")]
        for _ in runs:
            perform(watched, messages)
        until(lambda: {stored(watched, run).state for run in runs} == {"running"})
        watched.engine.stop(0.5)
        watched.engine.stop = lambda timeout: None  # type: ignore[method-assign]
    with engine(remote=messages, jobs=the_jobs(), sealing_keys=(KEY,)) as other:
        until(lambda: "running" not in {stored(other, run).state for run in runs})
        assert [stored(other, run).state for run in runs] == ["lost", "queued"]
    released.set()
    until(lambda: len(os.listdir("/proc/self/fd")) <= before)  # the threads have ended


def test_an_order_that_cannot_be_opened_fails_the_run_and_says_what_to_do(
    engine: Start, messages: Messages, options: dict[str, Any]
) -> None:
    with engine(**options) as watched:
        run = watched.start("tell", word="hello")
    other_key = Fernet.generate_key().decode()
    with engine(remote=messages, jobs=the_jobs(), sealing_keys=(other_key,)) as other:
        perform(other, messages, "gpu").wait()
        failed = stored(other, run)
        assert failed.state == "failed"
        assert failed.exit is not None
        assert "the same keys" in failed.exit["reason"]


def test_a_worker_without_the_job_fails_the_run(
    engine: Start, messages: Messages, options: dict[str, Any]
) -> None:
    with engine(**options) as watched:
        run = watched.start("tell", word="hello")
    with engine(**{**options, "jobs": JobRegistry()}) as other:
        perform(other, messages, "gpu").wait()
        failed = stored(other, run)
        assert failed.exit is not None
        assert "there is no job 'tell'" in failed.exit["reason"]


def test_so_many_runs_wait_for_a_worker_and_no_more(
    engine: Start, messages: Messages, options: dict[str, Any]
) -> None:
    with engine(**options, max_queued_on_workers=2) as watched:
        for _ in range(2):
            watched.start("tell", word="x")
        with pytest.raises(TooManyRuns, match="MAX_QUEUED_ON_WORKERS"):
            watched.start("tell", word="x")


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"executor": "fork"}, "expected one of thread, celery"),
        ({"queue": "a b"}, "expected letters"),
        ({"retries": -1}, "0 or more"),
        ({"executor": "thread", "retries": 1}, "holds on workers only"),
    ],
)
def test_wrong_rules_say_what_is_expected(rules: dict[str, Any], said: str) -> None:
    with pytest.raises(RealtimeError, match=said):
        read_rules(rules)


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (False, "runs on executor 'celery', which is not set up"),
        (True, "sealing_keys: runs on workers need a key"),
    ],
)
def test_a_job_on_workers_without_any_is_refused_at_the_start(
    store: Any, redis_server: Any, messages: Messages, there: bool, said: str
) -> None:
    watched = Watched(redis_server.url, jobs=the_jobs(), remote=messages if there else None)
    try:
        with pytest.raises(ConfigurationError, match=said):
            watched.engine.check()
    finally:
        watched.engine.store.close()


@pytest.fixture(autouse=True)
def release() -> Iterator[None]:
    yield
    released.set()


def lose_the_answer(watched: Watched, monkeypatch: pytest.MonkeyPatch, function: Any) -> None:
    """Let Redis do what `function` asks it the next time, and its answer not arrive."""
    store, lost = watched.engine.store, []
    call = store.call

    def calls(asked: Any, **options: Any) -> Any:
        answer = call(asked, **options)
        if getattr(asked, "func", None) is function and not lost:
            lost.append(asked)
            raise StoreUnavailable("the answer was lost")
        return answer

    monkeypatch.setattr(store, "call", calls)


def test_a_claim_whose_answer_was_lost_is_found_in_the_record(
    engine: Start, messages: Messages, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine(**options) as watched:
        run = watched.start("tell", word="hello")
        lose_the_answer(watched, monkeypatch, claims.claim)
        perform(watched, messages, "gpu").wait()
        assert stored(watched, run).state == "succeeded"
        assert watched.output(run) == b"hello without None\n"


def test_a_start_that_was_refused_never_begins_although_redis_has_it(
    engine: Start, messages: Messages, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine(**options) as watched:
        lose_the_answer(watched, monkeypatch, history.add)
        with pytest.raises(StoreUnavailable):
            watched.start("tell", word="never")
        (run,) = watched.engine.runs.list(10)[0]
        until(lambda: stored(watched, run).state == "stopped")
        assert messages.sent == []
