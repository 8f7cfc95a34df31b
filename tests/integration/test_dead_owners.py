"""Servers that die: their runs are lost, within 30 s and once, and nothing stays `running`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.client import PubSub

from flask_realtime.redisserver import RedisServer
from flask_realtime.registry import BEATS_OF_A_LOOK, HEARTBEAT_SECONDS, OWNER_DEAD_SECONDS
from flask_realtime.store import keys
from tests.support.patience import eventually
from tests.support.server import Server

LOST_SECONDS = 30.0  # after the death of their owner, says the design


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def messages(redis: RedisServer) -> Iterator[PubSub]:
    """What the servers tell each other."""
    with Redis.from_url(redis.url) as client, client.pubsub() as subscription:  # type: ignore[no-untyped-call]
        subscription.subscribe(keys.BUS)
        yield subscription


def lost_runs(messages: PubSub) -> list[str]:
    """The runs that servers have told to be lost since the last call."""
    found = []
    while (message := messages.get_message(timeout=0.1)) is not None:
        told: dict[str, Any] = json.loads(message["data"]) if message["type"] == "message" else {}
        record = json.loads(told.get("record", "{}"))
        if record.get("state") == "lost":
            found.append(record["id"])
    return found


def in_state(server: Server, state: str) -> set[str]:
    return {run["id"] for run in server.get(f"/api/runs?state={state}").json()["runs"]}


def loses(server: Server, runs: set[str]) -> bool:
    return in_state(server, "lost") == runs


def test_whoever_looks_does_so_in_time() -> None:
    """By its intervals; a machine that stalls may take longer, so that no clock is asked here."""
    looks = 2 * BEATS_OF_A_LOOK * HEARTBEAT_SECONDS
    assert OWNER_DEAD_SECONDS + looks < LOST_SECONDS


def test_one_of_many_servers_loses_each_run_of_one_that_died(
    tmp_path: Path, redis: RedisServer, messages: PubSub
) -> None:
    with ExitStack() as stack:
        servers = []
        for name in ("dies", "one", "two"):
            (tmp_path / name).mkdir()
            servers.append(
                stack.enter_context(Server(tmp_path / name, REDIS_URL=redis.url, MAX_RUNS="5"))
            )
        dies, *others = servers
        kept = others[0].start_run("ignores_stop")
        runs = {dies.start_run("count", lines=1_000_000, delay_ms=1) for _ in range(5)}
        eventually(lambda: all(dies.run_record(run)["output_bytes"] > 1000 for run in runs))
        in_line = dies.start_run("count")
        assert in_state(dies, "queued") == {in_line}
        dies.kill()
        dies.start()  # its runs are those of a process that is gone, all the same
        assert in_state(dies, "running") == {*runs, kept}
        for server in servers:
            eventually(partial(loses, server, {*runs, in_line}))
        assert sorted(lost_runs(messages)) == sorted([*runs, in_line]), (
            "each of them once, by one server"
        )
        for server in servers:
            assert in_state(server, "running") == {kept}
            assert in_state(server, "queued") == in_state(server, "stopping") == set()
        assert others[0].run_record(in_line)["queue_position"] is None
        for run in runs:
            record = others[0].run_record(run)
            assert record["exit"]["reason"] == "the process that ran it has ended"
            output = others[0].output(run)
            assert len(output) == record["output_bytes"] >= 1000, "what was stored is kept"
            assert output == others[1].output(run)
        again = dies.start_run("count", lines=3)
        assert dies.ended(again)["state"] == "succeeded"
        others[0].post(f"/api/runs/{kept}/stop", {"force": True})
        others[0].ended(kept)


def test_a_crash_of_all_leaves_no_run_in_progress(own_server: Server) -> None:
    run = own_server.start_run("count", lines=1_000_000, delay_ms=1)
    eventually(lambda: own_server.run_record(run)["output_bytes"] > 1000)
    own_server.redis_process().kill()
    own_server.kill()
    own_server.start()
    record = own_server.ended(run)
    assert record["state"] == "lost"
    assert in_state(own_server, "running") == set()
    assert len(own_server.output(run)) == record["output_bytes"] > 0
