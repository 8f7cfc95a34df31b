"""A job on its thread: how it ends, how it is stopped, and that its output waits for its reader."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest

from flask_realtime import host
from flask_realtime.flaskthread import FORCED, FlaskThread
from flask_realtime.isolation.box import Exit
from flask_realtime.isolation.outcome import MAX_REASON
from flask_realtime.pipeio import STDERR, STDOUT
from flask_realtime.routing import Routing
from tests.support.hub import installed_routing, until

SUCCEEDED = Exit("succeeded", 0, "finished")
STOPPED = Exit("stopped", 0, "stopped")
Running = Callable[[], bool]


class Started:
    """A FlaskThread that was started, and what it handed over."""

    def __init__(
        self, routing: Routing, function: Callable[..., Any], params: Any = None, **options: Any
    ) -> None:
        self.ends: list[Exit] = []
        self.batches: list[tuple[int, bytes]] = []
        self.held = False  # while it is, the reader does not take any more output
        self.thread = FlaskThread(
            function, params or {}, routing=routing, output=self._take, ended=self._end, **options
        )
        self.thread.start()

    def _take(self, stream: int, data: bytes) -> None:
        assert not self.ends
        until(lambda: not self.held, 20)
        self.batches.append((stream, data))

    def _end(self, end: Exit) -> None:
        self.ends.append(end)

    def end(self) -> Exit:
        until(lambda: self.ends)
        self.thread.join(60)
        assert not self.thread.is_alive()
        (end,) = self.ends
        return end

    def output(self, stream: int = STDOUT) -> str:
        return b"".join(data for number, data in self.batches if number == stream).decode()


Start = Callable[..., Started]


@contextmanager
def starter() -> Iterator[Start]:
    with installed_routing() as routing:
        yield lambda function, params=None, **options: Started(routing, function, params, **options)


def waits_for_stop(running: Running) -> None:
    while running():
        time.sleep(0.001)


def ignores_stop(running: Running) -> NoReturn:
    print("deaf")
    while True:
        time.sleep(0.001)


def exits(code: object = None) -> Callable[[Running], NoReturn]:
    return lambda running: sys.exit(code)  # type: ignore[arg-type]


def test_a_job_that_returns_succeeded_and_all_it_printed_comes_before_its_end() -> None:
    def job(running: Running, count: int, word: str) -> str:
        assert running()
        for number in range(count):
            print(word, number)
        return "not shown"

    with starter() as start:
        run = start(job, {"count": 1000, "word": "line"}, name="named")
        assert run.thread.name == "named"
        assert run.end() == SUCCEEDED
    assert run.output() == "".join(f"line {number}\n" for number in range(1000))
    assert run.output(STDERR) == ""


def test_a_job_that_raises_failed_and_shows_its_own_part_of_the_traceback() -> None:
    def job(running: Running) -> None:
        print("before")
        raise ValueError("a bad day\nof two lines")

    with starter() as start:
        run = start(job)
        end = run.end()
    assert end == Exit("failed", 1, "ValueError: a bad day of two lines")
    lines = run.output(STDERR).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].endswith("in job")
    assert lines[-2:] == ["ValueError: a bad day", "of two lines"]
    assert "/flaskthread.py" not in run.output(STDERR)
    assert run.output() == "before\n"


def test_a_long_reason_is_cut_in_the_record_and_whole_in_the_output() -> None:
    def job(running: Running) -> None:
        raise ValueError("x" * 10_000)

    with starter() as start:
        run = start(job)
        assert len(run.end().reason) == MAX_REASON
    assert "x" * 10_000 in run.output(STDERR)


def test_wrong_arguments_fail_the_run() -> None:
    with starter() as start:
        run = start(lambda running: None, {"surplus": 1})
        assert run.end().state == "failed"
    assert "TypeError" in run.output(STDERR)


@pytest.mark.parametrize(
    ("code", "expected", "shown"),
    [
        (None, SUCCEEDED, ""),
        (0, SUCCEEDED, ""),
        (3, Exit("failed", 3, "exited with code 3"), ""),
        (-1, Exit("failed", -1, "exited with code -1"), ""),
        ("no such file", Exit("failed", 1, "no such file"), "no such file\n"),
        (("a", 1), Exit("failed", 1, "('a', 1)"), "('a', 1)\n"),
    ],
)
def test_sys_exit_ends_a_job_as_it_ends_a_program(code: object, expected: Exit, shown: str) -> None:
    with starter() as start:
        run = start(exits(code))
        assert run.end() == expected
    assert run.output(STDERR) == shown


def test_an_async_job_gets_a_loop_of_its_own() -> None:
    async def job(running: Running, count: int) -> None:
        async def task(number: int) -> None:
            await asyncio.sleep(0)
            print(number)

        await asyncio.gather(*map(task, range(count)))

    async def broken(running: Running) -> None:
        raise LookupError("in the loop")

    with starter() as start:
        run = start(job, {"count": 3})
        failing = start(broken)
        assert run.end() == SUCCEEDED
        assert failing.end() == Exit("failed", 1, "LookupError: in the loop")
    assert run.output() == "0\n1\n2\n"


def test_what_is_prepared_is_in_the_context_of_the_job_and_of_no_other() -> None:
    who = contextvars.ContextVar("who", default="nobody")

    def job(running: Running) -> None:
        print(who.get())

    with starter() as start:
        first = start(job, prepare=lambda: who.set("first"))
        second = start(job)
        assert first.end() == second.end() == SUCCEEDED
    assert (first.output(), second.output(), who.get()) == ("first\n", "nobody\n", "nobody")


def test_what_prepare_raises_is_the_end_of_the_job() -> None:
    def refuse() -> None:
        raise PermissionError("not today")

    with starter() as start:
        run = start(lambda running: print("never"), prepare=refuse)
        assert run.end() == Exit("failed", 1, "PermissionError: not today")
    assert run.output() == ""


def test_a_thread_that_the_system_refuses_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    name = "_start_joinable_thread" if sys.version_info >= (3, 13) else "_start_new_thread"
    with starter() as start:
        with monkeypatch.context() as patch:
            patch.setattr(threading, name, refuse)
            run = start(waits_for_stop)
        until(lambda: run.ends)
    assert run.ends == [Exit("failed", 1, "RuntimeError: can't start new thread")]


def test_a_stop_that_is_honoured_ends_as_stopped() -> None:
    with starter() as start:
        run = start(waits_for_stop)
        host.sleep(0.01)
        assert not run.ends
        run.thread.stop()
        assert run.end() == STOPPED


@pytest.mark.parametrize("error", [KeyboardInterrupt, asyncio.CancelledError, SystemExit])
def test_a_job_may_end_by_an_interruption_once_it_is_asked_to(error: type[BaseException]) -> None:
    def job(running: Running) -> None:
        waits_for_stop(running)
        raise error

    with starter() as start:
        run = start(job)
        run.thread.stop()
        assert run.end() == STOPPED
    assert run.output(STDERR) == ""


def test_an_interruption_that_nobody_asked_for_is_a_failure() -> None:
    def job(running: Running) -> None:
        raise KeyboardInterrupt

    with starter() as start:
        run = start(job)
        assert run.end() == Exit("failed", 1, "KeyboardInterrupt")


def test_a_job_that_fails_after_a_stop_has_failed() -> None:
    def job(running: Running) -> None:
        waits_for_stop(running)
        raise OSError("while tidying up")

    with starter() as start:
        run = start(job)
        run.thread.stop()
        assert run.end() == Exit("failed", 1, "OSError: while tidying up")


def test_a_stop_that_is_ignored_is_forced() -> None:
    with starter() as start:
        run = start(ignores_stop)
        until(lambda: run.batches)
        run.thread.stop()
        host.sleep(0.05)
        assert not run.ends
        run.thread.force()
        assert run.end() == FORCED
    assert (run.output(), run.output(STDERR)) == ("deaf\n", "")


def test_a_job_that_survives_a_force_is_ended_by_the_next() -> None:
    def job(running: Running) -> None:
        try:
            ignores_stop(running)
        except SystemExit:
            print("not yet")
        ignores_stop(running)

    with starter() as start:
        run = start(job)
        until(lambda: "deaf" in run.output())
        run.thread.force()
        until(lambda: "not yet" in run.output())
        run.thread.force()
        assert run.end() == FORCED


def test_what_a_job_prints_while_it_is_forced_arrives() -> None:
    def job(running: Running) -> None:
        try:
            ignores_stop(running)
        finally:
            print("tidied up")

    with starter() as start:
        run = start(job)
        until(lambda: run.batches)
        run.thread.force()
        assert run.end() == FORCED
    assert run.output() == "deaf\ntidied up\n"


def test_a_job_waits_while_its_buffer_is_full_and_nothing_is_lost() -> None:
    written = 0
    is_held = threading.Event()

    def job(running: Running) -> None:
        nonlocal written
        is_held.wait()
        for _ in range(500):
            sys.stdout.write("x" * 1000)
            written += 1000

    with starter() as start:
        run = start(job, max_buffer=20_000)
        run.held = True
        is_held.set()
        until(lambda: written)
        reached, since = written, time.monotonic()
        while time.monotonic() - since < 0.2:  # it stands still for this long
            if written != reached:
                reached, since = written, time.monotonic()
            host.sleep(0.005)
        assert 10_000 <= reached <= 40_000  # what the reader took before, and one buffer
        run.held = False
        assert run.end() == SUCCEEDED
    assert len(run.output()) == 500_000


def test_a_job_that_waits_for_room_can_be_forced() -> None:
    def job(running: Running) -> None:
        while True:
            print("flood")

    with starter() as start:
        run = start(job, max_buffer=5000)
        run.held = True
        host.sleep(0.05)
        run.thread.force()
        run.thread.join(60)
        assert not run.thread.is_alive()
        run.held = False
        assert run.end() == FORCED
    assert set(run.output().split()) <= {"flood"}


def test_what_is_printed_after_the_end_goes_to_the_server(
    capsys: pytest.CaptureFixture[str],
) -> None:
    late = threading.Event()
    threads: list[threading.Thread] = []

    def lingers() -> None:
        late.wait(60)
        print("too late")

    def job(running: Running) -> None:
        threads.append(threading.Thread(target=lingers))
        threads[0].start()

    with starter() as start:
        run = start(job)
        assert run.end() == SUCCEEDED
        late.set()
        threads[0].join()
    assert run.output() == ""
    assert capsys.readouterr().out == "too late\n"
