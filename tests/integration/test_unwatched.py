"""Runs that are stopped when nobody watches them; two servers over one Redis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import socketio

from flask_realtime.redisserver import RedisServer
from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.socketclient import ordered_client

STOPPED = "nobody watched it for 5 s"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with (
        RedisServer(tmp_path / "redis") as redis,
        Server(tmp_path / "one", REDIS_URL=redis.url) as one,
        Server(tmp_path / "two", REDIS_URL=redis.url) as two,
    ):
        yield one, two


@pytest.fixture
def client(servers: tuple[Server, Server]) -> Iterator[socketio.Client]:
    """A page of the server that does not own the runs."""
    client = ordered_client()
    client.connect(servers[1].url, transports=["websocket"])
    yield client
    client.disconnect()


def test_a_run_goes_on_while_somebody_watches_it_anywhere(
    servers: tuple[Server, Server], client: socketio.Client
) -> None:
    owner, other = servers
    of_another_job = owner.start_run("ignores_stop")
    watched = owner.start_run("to_be_watched")
    client.on("output", lambda message: {})
    assert client.call("attach", {"run": watched})["run"]["id"] == watched
    followed = owner.start_run("to_be_watched")
    path = f"{other.url}/api/runs/{followed}/output?follow=1"
    with requests.get(path, stream=True, timeout=60) as following:
        lines = following.iter_lines()
        assert next(lines) == b"tick"
        alone = owner.start_run("to_be_watched")
        record = owner.ended(alone)
        assert (record["state"], record["stop_reason"]) == ("stopped", STOPPED)
        assert record["exit"]["reason"] == f"stopped: {STOPPED}"
        assert owner.run_record(watched)["state"] == "running"
        assert owner.run_record(followed)["state"] == "running"
        assert next(lines) == b"tick"
    client.disconnect()
    for run in (watched, followed):
        assert owner.ended(run)["stop_reason"] == STOPPED
        assert eventually(lambda run=run: other.run_record(run)["stop_reason"]) == STOPPED
    assert owner.run_record(of_another_job)["state"] == "running"
    stopped = owner.post(f"/api/runs/{of_another_job}/stop", {"force": True}).json()
    assert stopped["stop_reason"] is None
    assert owner.ended(of_another_job)["exit"]["reason"] == "stopped by force"
