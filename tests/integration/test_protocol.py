"""The wire protocol while runs go on: cursors that move, streams, stops and how runs end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.socketclient import ordered_client


class Viewer:
    """A connection that follows runs and keeps their output by offset."""

    def __init__(self, url: str) -> None:
        self.io = ordered_client()
        self.events: list[dict[str, Any]] = []
        self.records: list[dict[str, Any]] = []
        self.io.on("output", self.events.append)
        self.io.on("status", lambda event: self.records.append(event["run"]))
        self.io.connect(url, transports=["websocket"])

    def call(self, event: str, payload: object) -> Any:
        return self.io.call(event, payload, timeout=60)

    def start(self, job: str, **params: object) -> str:
        run: str = self.call("start", {"job": job, "params": params})["run"]["id"]
        return run

    def last(self, run: str) -> dict[str, Any]:
        """The last record of a run that this client was told, or an empty one."""
        return next((each for each in reversed(self.records) if each["id"] == run), {})

    def ended(self, run: str) -> dict[str, Any]:
        return eventually(lambda: self.last(run) if self.last(run).get("ended") else None) or {}

    def received(self, run: str) -> bytes:
        """The output from its first byte, in the order of arrival; fails where one is missing."""
        data = b""
        for event in self.events:
            if event["run"] == run:
                assert event["offset"] == len(data), "a byte was lost, repeated or out of order"
                data += event["data"]
        return data

    def complete(self, run: str) -> bytes:
        size = self.ended(run)["output_bytes"]
        eventually(lambda: len(self.received(run)) >= size)
        return self.received(run)


@pytest.fixture
def viewer(server: Server) -> Iterator[Viewer]:
    connected = Viewer(server.url)
    yield connected
    connected.io.disconnect()


def test_a_second_attach_moves_the_cursor(viewer: Viewer) -> None:
    run = viewer.start("numbered", lines=3000, pause_every=100)
    viewer.call("attach", {"run": run, "offset": 0})
    eventually(lambda: len(viewer.received(run)) > 8000)
    answer = viewer.call("attach", {"run": run, "offset": 800})
    assert answer["offset"] == 800
    end = viewer.ended(run)["output_bytes"]
    assert end == 240_000

    def after_the_move() -> list[dict[str, Any]]:
        moved = [index for index, event in enumerate(viewer.events) if event["offset"] == 800]
        return viewer.events[moved[-1] :] if moved else []

    eventually(lambda: sum(len(event["data"]) for event in after_the_move()) >= end - 800)
    reached = 800
    for event in after_the_move():
        assert event["offset"] == reached, "the old cursor still sends"
        reached += len(event["data"])
    assert reached == end


def test_reconnecting_at_the_reached_offset_misses_and_repeats_nothing(server: Server) -> None:
    starter = Viewer(server.url)
    run = starter.start("numbered", lines=1_000_000, pause_every=10)
    data = b""
    for _ in range(6):
        viewer = Viewer(server.url)
        assert viewer.call("attach", {"run": run, "offset": len(data)})["offset"] == len(data)
        eventually(lambda: viewer.events)  # noqa: B023 - called within the turn
        viewer.call("detach", {"run": run})
        viewer.call("jobs", {})  # what was on its way has arrived
        viewer.io.disconnect()
        for event in viewer.events:
            assert event["offset"] == len(data)
            data += event["data"]
    assert data == b"".join(b"%079d\n" % number for number in range(len(data) // 80))
    starter.call("stop", {"run": run})
    starter.ended(run)
    starter.io.disconnect()


def test_the_order_of_stdout_and_stderr_is_kept(viewer: Viewer) -> None:
    run = viewer.start("both_streams", pairs=200)
    viewer.call("attach", {"run": run, "offset": 0})
    expected = "".join(f"out {number}\nerr {number}\n" for number in range(200)).encode()
    assert viewer.complete(run) == expected
    streams = {1: b"", 2: b""}
    for event in viewer.events:
        streams[event["stream"]] += event["data"]
    assert streams[1] == b"".join(b"out %d\n" % number for number in range(200))
    assert streams[2] == b"".join(b"err %d\n" % number for number in range(200))


def test_one_connection_follows_two_runs_that_never_mix(viewer: Viewer) -> None:
    runs = {label: viewer.start("count", lines=5000, label=label) for label in ("x", "y")}
    for run in runs.values():
        viewer.call("attach", {"run": run, "offset": 0})
    for label, run in runs.items():
        expected = "".join(f"{label}{number}\n" for number in range(5000)).encode()
        assert viewer.complete(run) == expected


def test_bound_methods_and_coroutines_are_jobs(viewer: Viewer) -> None:
    run = viewer.start("bound_method", times=2)
    viewer.call("attach", {"run": run, "offset": 0})
    assert viewer.complete(run) == b"Hello Ada\nHello Ada\n"
    failed = viewer.start("async_raises")
    viewer.call("attach", {"run": failed, "offset": 0})
    output = viewer.complete(failed).decode()
    assert output.startswith("before\nTraceback (most recent call last):\n")
    assert output.endswith("LookupError: not in a coroutine either\n")
    assert viewer.last(failed)["state"] == "failed"
    assert viewer.last(failed)["exit"] == {
        "code": 1,
        "reason": "LookupError: not in a coroutine either",
    }


def test_a_stop_that_is_ignored_becomes_overdue_and_force_ends_the_run(viewer: Viewer) -> None:
    run = viewer.start("ignores_stop")
    answer = viewer.call("stop", {"run": run})["run"]
    assert (answer["state"], answer["stop_overdue"]) == ("stopping", False)
    assert answer["stop_requested"] is not None
    eventually(lambda: viewer.last(run)["stop_overdue"])
    assert viewer.last(run)["state"] == "stopping"
    viewer.call("stop", {"run": run, "force": True})
    record = viewer.ended(run)
    assert (record["state"], record["stop_overdue"]) == ("stopped", False)


def test_stopping_what_is_over_changes_nothing(viewer: Viewer) -> None:
    run = viewer.start("greet")
    ended = viewer.ended(run)
    again = viewer.call("stop", {"run": run, "force": True})["run"]
    assert (again["state"], again["ended"]) == ("succeeded", ended["ended"])


def test_all_connections_of_the_user_are_told_of_states(server: Server, viewer: Viewer) -> None:
    other = Viewer(server.url)
    run = viewer.start("greet")
    for each in (viewer, other):
        assert each.ended(run)["state"] == "succeeded"
        states = [record["state"] for record in each.records if record["id"] == run]
        assert states == ["queued", "running", "succeeded"]
    other.io.disconnect()
