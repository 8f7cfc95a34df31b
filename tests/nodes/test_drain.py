"""A node that is stopped lets its viewers go, and its runs come to their end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
import socketio

from tests.nodes.fleet import Fleet, Load, progress
from tests.support.patience import eventually
from tests.support.socketclient import ordered_client


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, DRAIN_SECONDS="3600") as made:
        yield made


@pytest.fixture
def load(fleet: Fleet) -> Iterator[Load]:
    with Load(fleet) as made:
        yield made


@pytest.fixture
def client() -> Iterator[socketio.Client]:
    client = ordered_client()
    yield client
    client.disconnect()


def test_a_node_that_is_stopped_waits_for_its_runs_which_others_answer_and_stop(
    fleet: Fleet, load: Load, client: socketio.Client
) -> None:
    leaving, other = fleet.nodes[0], fleet.nodes[1]
    asking = leaving.start_run("asks")
    endless = leaving.start_run("checksummed", lines_per_second=1000)
    (follower,) = load.follow(endless)
    progress([follower])
    eventually(lambda: other.run_record(asking)["waiting"])
    os.kill(leaving.pid, signal.SIGTERM)
    eventually(lambda: is_closed(leaving.url))

    progress([follower])  # at another node, by now
    assert fleet.run_record(endless)["state"] == "running"
    assert psutil.pid_exists(leaving.pid)
    client.connect(other.url, transports=["websocket"])
    assert client.call("input", {"run": asking, "data": "Ada\n"}) == {}
    assert fleet.ended(asking)["state"] == "succeeded"
    assert b"Hello Ada." in other.output(asking)
    assert psutil.pid_exists(leaving.pid)
    assert other.post(f"/api/runs/{endless}/stop").status_code == 200
    assert fleet.ended(endless)["state"] == "stopped"
    leaving.restart()
    has_all_of_ended(fleet, endless, follower.data)


def is_closed(url: str) -> bool:
    try:
        requests.get(f"{url}/healthz", timeout=60)
    except requests.ConnectionError:
        return True
    return False


def has_all_of_ended(fleet: Fleet, run: str, data: bytearray) -> None:
    size = fleet.run_record(run)["output_bytes"]
    eventually(lambda: len(data) >= size)
    assert all(node.output(run) == data for node in fleet.nodes)
