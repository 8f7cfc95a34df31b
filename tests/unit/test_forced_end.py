"""A forced stop at any moment of a job's life: the run ends once, and nothing else is hit."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from flask_realtime import host
from flask_realtime.flaskthread import FORCED, FlaskThread
from flask_realtime.isolation.box import Exit
from flask_realtime.routing import Routing
from tests.support.hub import installed_routing, until

SUCCEEDED = Exit("succeeded", 0, "finished")
STOPPED = Exit("stopped", 0, "stopped")
POSSIBLE = (SUCCEEDED, STOPPED, FORCED)
ROUNDS = 300

# A forced exit may arrive inside a finalizer or the callback of a weak reference, where Python
# reports it and goes on: then it takes another one.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@contextmanager
def witnesses() -> Iterator[None]:
    """Threads that come and go, so that the idents of ended ones are used again; none is hit."""
    over = threading.Event()
    hit: list[BaseException] = []

    def live() -> None:
        try:
            sum(range(300))
        except SystemExit as error:
            hit.append(error)

    def give_birth() -> None:
        try:
            while not over.is_set():
                child = threading.Thread(target=live)
                child.start()
                child.join()
                time.sleep(0.0001)
        except SystemExit as error:
            hit.append(error)

    parents = [threading.Thread(target=give_birth) for _ in range(2)]
    for parent in parents:
        parent.start()
    yield
    over.set()
    for parent in parents:
        parent.join(60)
        assert not parent.is_alive()
    assert not hit


def forced(routing: Routing, job: Callable[..., object], force: Callable[..., object]) -> Exit:
    """Run `job`, call `force(thread)` as soon as it is started, and return its one end."""
    ends: list[Exit] = []
    thread = FlaskThread(
        job, {}, routing=routing, output=lambda stream, data: None, ended=ends.append
    )
    thread.start()
    force(thread)
    until(lambda: ends)
    thread.join(60)
    assert not thread.is_alive()
    thread.force()  # too late: it must hit nobody
    host.sleep(0)
    (end,) = ends
    return end


def test_a_force_before_the_thread_runs_ends_the_job_before_it_begins() -> None:
    ran: list[object] = []
    ends: list[Exit] = []
    with installed_routing() as routing:
        thread = FlaskThread(
            ran.append, {}, routing=routing, output=lambda stream, data: None, ended=ends.append
        )
        thread.force()
        thread.start()
        until(lambda: ends)
        thread.join(60)
    assert ends == [FORCED]
    assert not ran


def test_a_force_while_the_thread_starts_does_not_hit_what_starts_it() -> None:
    class Slow(FlaskThread):
        def run(self) -> None:
            threading.Thread(target=self.force).start()
            until_then = time.monotonic() + 0.05
            while time.monotonic() < until_then:
                pass  # where a forced exit would arrive
            super().run()

    ran: list[object] = []
    ends: list[Exit] = []
    with installed_routing() as routing:
        thread = Slow(
            ran.append, {}, routing=routing, output=lambda stream, data: None, ended=ends.append
        )
        thread.start()
        until(lambda: ends)
        thread.join(60)
    assert ends == [FORCED]
    assert not ran


def test_a_force_at_the_very_start() -> None:
    with installed_routing() as routing, witnesses():
        for _ in range(ROUNDS):
            assert forced(routing, lambda running: time.sleep(0), FlaskThread.force) in POSSIBLE


def test_a_force_that_races_with_the_end() -> None:
    seen = set()
    chance = random.Random(1)

    def force(thread: FlaskThread) -> None:
        until_then = time.perf_counter() + chance.random() * 0.0004
        while time.perf_counter() < until_then:
            pass
        for _ in range(chance.randrange(1, 4)):
            thread.force()

    with installed_routing() as routing, witnesses():
        for _ in range(ROUNDS):
            end = forced(routing, lambda running: print("x"), force)
            assert end in POSSIBLE
            seen.add(end.state)
    assert seen <= {"succeeded", "stopped"}


def test_a_storm_of_forces_ends_a_job_that_prints() -> None:
    def job(running: Callable[[], bool]) -> None:
        while True:
            print("x" * 10)

    def force(thread: FlaskThread) -> None:
        for _ in range(50):
            host.sleep(0.0002)
            thread.force()

    with installed_routing() as routing, witnesses():
        for _ in range(40):
            assert forced(routing, job, force) == FORCED
