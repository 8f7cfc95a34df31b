"""A job with a service, as Socket.IO clients see it: an app server, without a login."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.socketclient import ordered_client

APPS = """
[apps.files]
command = ["{python}", "-u", "-m", "http.server", "{port}", "--bind", "127.0.0.1"]
strip_prefix = true
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("services")
    (folder / "apps.toml").write_text(APPS)
    with Server(
        folder, APPS_FILE=str(folder / "apps.toml"), MAX_RUNS="1", MAX_QUEUED="0"
    ) as running:
        yield running


class Watcher:
    """A client that keeps the states it is told of."""

    def __init__(self, server: Server) -> None:
        self.io = ordered_client()
        self.states: list[str] = []
        self.io.on("service", self._heard)
        self.io.connect(server.url, transports=["websocket"])

    def _heard(self, event: dict[str, Any]) -> None:
        assert event["job"] == "app_files"
        assert set(event["service"]) == {"state", "since", "pid", "starts", "fault", "held"}
        self.states.append(event["service"]["state"])

    def call(self, event: str, payload: object) -> Any:
        return self.io.call(event, payload, timeout=10)

    def control(self, action: object, job: str = "app_files") -> Any:
        return self.call("control", {"job": job, "action": action})


@pytest.fixture
def watchers(server: Server) -> Iterator[list[Watcher]]:
    made = [Watcher(server), Watcher(server)]
    yield made
    for each in made:
        each.io.disconnect()


def test_all_clients_are_told_of_each_state(server: Server, watchers: list[Watcher]) -> None:
    first, second = watchers
    answer = first.control("start")
    assert answer["service"]["href"] == "/files/"
    for each in watchers:
        eventually(lambda each=each: each.states[-1:] == ["running"])
    second.control("restart")
    for each in watchers:
        eventually(lambda each=each: "stopping" in each.states)
        eventually(lambda each=each: each.states[-1] == "running")
        assert "stopped" not in each.states
    # More runs than there may be: to stop it needs none.
    run = first.call("start", {"job": "count", "params": {"lines": 100_000, "delay_ms": 50}})["run"]
    assert second.call("start", {"job": "app_files"})["error"]["code"] == "too_many_runs"
    assert second.control("stop")["service"]["state"] in ("running", "stopping", "stopped")
    for each in watchers:
        eventually(lambda each=each: each.states[-1] == "stopped")
    first.call("stop", {"run": run["id"]})
    server.ended(run["id"])


def test_a_newcomer_finds_the_state_with_the_jobs(watchers: list[Watcher]) -> None:
    jobs = watchers[0].call("jobs", {})["jobs"]
    (found,) = (job for job in jobs if "service" in job)
    assert (found["name"], found["title"]) == ("app_files", "Files")
    assert found["parameters"].get("properties", {}) == {}
    assert (found["service"]["state"], found["service"]["held"]) == ("stopped", True)


def test_wrong_requests_are_answered(watchers: list[Watcher]) -> None:
    watcher = watchers[0]
    assert watcher.control("start", job="count")["error"]["code"] == "no_service"
    assert watcher.control("start", job="nothing")["error"]["code"] == "unknown_job"
    assert watcher.control(["start"])["error"]["code"] == "bad_request"
    assert watcher.call("control", {"action": "start"})["error"]["code"] == "bad_request"
    assert watcher.states == []
