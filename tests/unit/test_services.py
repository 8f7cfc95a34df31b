"""Services: what is asked of them arrives, and changes of their state are told, once each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from flask_realtime.errors import RealtimeError, UnknownJob
from flask_realtime.jobs import JobRegistry
from flask_realtime.service import ServiceStatus
from flask_realtime.services import Services
from tests.support.hub import until


class Lamp:
    """A service that does at once what it is asked for."""

    href = "/lamp/"

    def __init__(self) -> None:
        self.changed: Callable[[], object] = lambda: None
        self.status = ServiceStatus("stopped", 0.0)

    def start(self) -> None:
        self.become("running")

    def stop(self) -> None:
        self.become("stopped")

    def restart(self) -> None:
        self.become("starting")

    def become(self, state: str) -> None:
        self.status = replace(self.status, state=state)
        self.changed()


def shine(running: Callable[[], bool]) -> None:
    """Shine."""


def plain(running: Callable[[], bool]) -> None:
    """Do something."""


@pytest.fixture
def lamp() -> Lamp:
    return Lamp()


@pytest.fixture
def services(lamp: Lamp) -> Iterator[Services]:
    jobs = JobRegistry()
    jobs.add(plain)
    jobs.add(shine, service=lamp)
    services = Services(jobs)
    services.start()
    yield services
    services.stop()


@pytest.fixture
def told(services: Services) -> list[tuple[str, str]]:
    heard: list[tuple[str, str]] = []

    def tell(job: str, status: dict[str, Any]) -> None:
        heard.append((job, status["state"]))

    services.tell = tell
    return heard


def test_what_is_asked_for_is_done_and_told(
    services: Services, lamp: Lamp, told: list[tuple[str, str]]
) -> None:
    for action, state in (("start", "running"), ("restart", "starting"), ("stop", "stopped")):
        services.act("shine", action)
        assert lamp.status.state == state
        until(lambda state=state: ("shine", state) in told)
    assert told == [("shine", "running"), ("shine", "starting"), ("shine", "stopped")]


def test_a_change_in_another_thread_is_told_once(
    services: Services, lamp: Lamp, told: list[tuple[str, str]]
) -> None:
    changing = threading.Thread(target=lambda: [lamp.become("failed"), lamp.changed()])
    changing.start()
    until(lambda: told)
    changing.join()
    lamp.become("failed")  # it was so
    lamp.become("running")
    until(lambda: ("shine", "running") in told)
    assert told == [("shine", "failed"), ("shine", "running")]


def test_nothing_is_told_after_the_end(
    services: Services, lamp: Lamp, told: list[tuple[str, str]]
) -> None:
    services.stop()
    lamp.become("running")
    assert lamp.status.state == "running"
    assert not told


def test_wrong_requests_are_refused(services: Services, lamp: Lamp) -> None:
    with pytest.raises(UnknownJob):
        services.act("glow", "start")
    with pytest.raises(RealtimeError, match="'plain' has no service") as refused:
        services.act("plain", "start")
    assert (refused.value.code, refused.value.status) == ("no_service", 409)
    for action in ("explode", None, ["start"], "__init__"):
        with pytest.raises(RealtimeError, match="must be one of start, stop, restart"):
            services.act("shine", action)
    assert lamp.status.state == "stopped"


def test_a_job_with_a_service_describes_it() -> None:
    jobs = JobRegistry()
    assert "service" not in jobs.add(plain).describe()
    assert jobs.add(shine, service=Lamp()).describe()["service"] == {
        "href": "/lamp/",
        "state": "stopped",
        "since": "1970-01-01T00:00:00.000Z",
        "pid": None,
        "starts": 0,
        "fault": "",
        "held": False,
    }
