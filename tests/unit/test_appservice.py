"""An app server as a service: how it does, in the words of the page, and a run that follows it."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, cast

import pytest

from app.appservice import AppService
from flask_realtime.proxy import ReverseProxy, Status, Supervisor
from flask_realtime.proxy.output import MAX_BYTES, Output
from tests.support.patience import eventually


class Fake:
    """A supervisor of nothing: a test says how it does."""

    def __init__(self) -> None:
        self.output = Output()
        self.changed: Callable[[], object] = lambda: None
        self.asked: list[str] = []
        self.become("stopped")

    def become(self, state: str, starts: int = 0, **more: Any) -> None:
        self.status = Status(state, None, 0.0, starts, "", **more)
        self.changed()

    def start(self) -> None:
        self.asked.append("start")
        self.become("ready", starts=1)

    def ask_to_stop(self) -> None:
        self.asked.append("stop")

    def restart(self) -> None:
        self.asked.append("restart")


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def service(fake: Fake) -> AppService:
    mounted = ReverseProxy("/app", "http://127.0.0.1:1")
    return AppService(mounted, cast(Supervisor, fake))


class Follower:
    """A thread that follows, as a run does."""

    def __init__(self, service: AppService) -> None:
        self._bytes = io.BytesIO()
        self.stdout = io.TextIOWrapper(self._bytes, encoding="utf-8", write_through=True)
        self.is_running = True
        self.thread = threading.Thread(target=service.follow, args=(lambda: self.is_running,))

    @property
    def printed(self) -> bytes:
        return self._bytes.getvalue()

    def join(self) -> bytes:
        self.thread.join(60)
        assert not self.thread.is_alive()
        return self.printed


@contextmanager
def following(service: AppService, fake: Fake) -> Iterator[Follower]:
    """A run, for the test's body: what a fixture sets in `sys`, pytest replaces after it."""
    run = Follower(service)
    with redirect_stdout(run.stdout):
        run.thread.start()
        eventually(lambda: "start" in fake.asked)
        try:
            yield run
        finally:
            fake.become("stopped")
            run.join()


def test_states_are_those_of_the_page(service: AppService, fake: Fake) -> None:
    changes: list[str] = []
    service.changed = lambda: changes.append(service.status.state)
    for state in ("starting", "ready", "stopping", "waiting"):
        fake.become(state)
    fake.become("waiting", failed_starts=1)
    fake.become("waiting", failed_starts=2)
    fake.become("starting", failed_starts=2)
    assert changes == [
        *("starting", "running", "stopping", "restarting"),
        *("restarting", "failed", "starting"),
    ]
    fake.become("stopped", held=True)
    assert service.status.held


def test_a_run_prints_what_was_there_and_what_comes(service: AppService, fake: Fake) -> None:
    fake.output.write(b"before\n")
    with following(service, fake) as run:
        eventually(lambda: run.printed == b"before\n")
        fake.output.write(b"\xff, and then\n")
        eventually(lambda: run.printed == b"before\n\xff, and then\n")
        fake.become("waiting")
        fake.become("ready", starts=2)  # it died: the run goes on
        fake.output.write(b"last words\n")
        fake.become("stopped", starts=2)
        assert run.join().endswith(b"and then\nlast words\nThe app was stopped.\n")
        assert fake.asked == ["start"]


def test_what_is_printed_while_it_stops_is_shown(service: AppService, fake: Fake) -> None:
    with following(service, fake) as run:
        run.is_running = False
        eventually(lambda: "stop" in fake.asked)
        fake.become("stopping", starts=1)
        fake.output.write(b"goodbye\n")
        eventually(lambda: b"goodbye" in run.printed)
        assert run.thread.is_alive()
        fake.become("stopped", starts=1)
        assert run.join() == b"goodbye\nThe app was stopped.\n"
        assert fake.asked == ["start", "stop"]


def test_a_run_ends_though_somebody_starts_the_app_anew(service: AppService, fake: Fake) -> None:
    with following(service, fake) as run:
        run.is_running = False
        eventually(lambda: "stop" in fake.asked)
        fake.become("ready", starts=2)
        assert run.join() == b"The app was stopped.\n"


def test_output_that_is_too_fast_is_left_out_and_said_so(service: AppService, fake: Fake) -> None:
    fake.output.write(b"x" * (3 * MAX_BYTES))  # no longer kept, but from before the run
    with following(service, fake) as run:
        eventually(lambda: len(run.printed) == MAX_BYTES)
        fake.output.write(b"y" * (4 * MAX_BYTES))
        eventually(lambda: len(run.printed) > 2 * MAX_BYTES)
        left_out = f"\n[{3 * MAX_BYTES} bytes are left out: they came faster than they are read]\n"
        eventually(
            lambda: run.printed == b"x" * MAX_BYTES + left_out.encode() + b"y" * MAX_BYTES, 20
        )
