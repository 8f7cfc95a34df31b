"""Two servers over one Redis: any of them shows and stops any run."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import socketio

from flask_realtime.redisserver import RedisServer
from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.socketclient import ordered_client


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def servers(tmp_path: Path, redis: RedisServer) -> Iterator[tuple[Server, Server]]:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    with (
        Server(folders[0], REDIS_URL=redis.url) as one,
        Server(folders[1], REDIS_URL=redis.url) as two,
    ):
        yield one, two


@pytest.fixture
def client() -> Iterator[socketio.Client]:
    client = ordered_client()
    yield client
    client.disconnect()


def test_a_run_is_stopped_by_the_other_server(servers: tuple[Server, Server]) -> None:
    owner, other = servers
    run = owner.start_run("count", lines=100_000, delay_ms=5)
    answer = other.post(f"/api/runs/{run}/stop")
    assert answer.status_code == 200
    assert answer.json()["state"] in ("stopping", "stopped")
    assert owner.ended(run)["state"] == "stopped"
    assert eventually(lambda: other.run_record(run)["state"] == "stopped")
    assert other.output(run) == owner.output(run)


def test_a_run_is_forced_by_the_other_server(servers: tuple[Server, Server]) -> None:
    owner, other = servers
    run = owner.start_run("ignores_stop")
    assert other.post(f"/api/runs/{run}/stop").json()["state"] == "stopping"
    other.post(f"/api/runs/{run}/stop", {"force": True})
    assert owner.ended(run)["exit"]["reason"] == "stopped by force"


def test_a_page_of_the_other_server_sees_changes_and_output(
    servers: tuple[Server, Server], client: socketio.Client
) -> None:
    owner, other = servers
    states: list[str] = []
    output = bytearray()
    ended = threading.Event()

    def on_status(message: dict[str, dict[str, str]]) -> None:
        states.append(message["run"]["state"])
        if message["run"]["state"] == "succeeded":
            ended.set()

    def on_output(message: dict[str, bytes]) -> dict[str, object]:
        assert message["offset"] == len(output)
        output.extend(message["data"])
        return {}

    client.on("status", on_status)
    client.on("output", on_output)
    client.connect(other.url, transports=["websocket"])
    run = owner.start_run("count", lines=300, delay_ms=2)
    eventually(lambda: "running" in states)
    assert client.call("attach", {"run": run, "offset": 0})["run"]["id"] == run
    assert ended.wait(60)
    expected = owner.output(run)
    assert other.output(run) == expected, "what has ended is complete everywhere"
    eventually(lambda: bytes(output) == expected)


def test_a_run_of_a_server_that_has_gone_cannot_be_stopped(
    servers: tuple[Server, Server],
) -> None:
    owner, other = servers
    run = owner.start_run("ignores_stop")
    owner.kill()
    answer = other.post(f"/api/runs/{run}/stop")
    assert answer.status_code == 409
    assert "does not answer" in answer.json()["detail"]


def test_messages_go_on_after_redis_was_away(
    servers: tuple[Server, Server], redis: RedisServer
) -> None:
    owner, other = servers
    run = owner.start_run("ignores_stop")
    assert redis.pid is not None
    os.kill(redis.pid, signal.SIGKILL)
    eventually(lambda: any(each.get("/readyz").status_code == 503 for each in servers))
    eventually(lambda: all(each.get("/readyz").status_code == 200 for each in servers))
    eventually(lambda: other.post(f"/api/runs/{run}/stop", {"force": True}).status_code == 200)
    assert owner.ended(run)["state"] == "stopped"
