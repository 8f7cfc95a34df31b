"""Redis goes away, and so does the server: what was printed is complete afterwards."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import psutil
import pytest

from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.socketclient import ordered_client


def numbered(lines: int) -> bytes:
    return b"".join(b"%079d\n" % number for number in range(lines))


@pytest.fixture
def notices(own_server: Server) -> Iterator[list[tuple[str, bool]]]:
    """What a page that is connected is told of the store: (code, active)."""
    told: list[tuple[str, bool]] = []
    client = ordered_client()
    client.on("notice", lambda notice: told.append((notice["code"], notice["active"])))
    client.connect(own_server.url, transports=["websocket"])
    yield told
    client.disconnect()


def test_a_killed_redis_comes_back_and_no_byte_is_missing(own_server: Server) -> None:
    run = own_server.start_run("numbered", lines=20_000, pause_every=100)
    eventually(lambda: own_server.run_record(run)["output_bytes"] > 100_000)
    killed = own_server.redis_process()
    killed.kill()
    eventually(lambda: own_server.get("/readyz").status_code == 200 and not killed.is_running())
    assert own_server.redis_process().pid != killed.pid
    assert own_server.ended(run)["state"] == "succeeded"
    assert own_server.output(run) == numbered(20_000)


def test_a_redis_that_hangs_makes_the_job_wait_and_loses_nothing(
    own_server: Server, notices: list[tuple[str, bool]]
) -> None:
    lines = 400_000
    run = own_server.start_run("numbered", lines=lines)
    redis = own_server.redis_process()
    redis.suspend()
    try:
        eventually(lambda: ("store_away", True) in notices)
        assert own_server.get("/healthz").status_code == 200
        assert own_server.get("/readyz").status_code == 503
        refused = own_server.post("/api/runs", {"job": "greet"})
        assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
        record = own_server.run_record(run)
        assert record["state"] == "running"
        assert record["output_bytes"] < 80 * lines, "the buffer is bounded, so the job waits"
    finally:
        redis.resume()
    eventually(lambda: ("store_away", False) in notices)
    record = own_server.ended(run)
    assert (record["state"], record["output_bytes"]) == ("succeeded", 80 * lines)
    assert own_server.output(run) == numbered(lines)


def test_a_redis_without_memory_makes_the_job_wait_and_loses_nothing(
    own_server: Server, notices: list[tuple[str, bool]]
) -> None:
    lines = 400_000
    old = own_server.start_run("greet")
    own_server.ended(old)
    with own_server.redis_client() as redis:
        redis.config_set("maxmemory", "8mb")
        run = own_server.start_run("numbered", lines=lines)
        eventually(lambda: ("store_away", True) in notices)
        refused = own_server.get("/readyz")
        assert refused.status_code == 503
        assert "no memory left" in refused.json()["detail"]
        assert own_server.run_record(run)["output_bytes"] < 80 * lines
        assert own_server.output(old), "what is there can be read"
        redis.config_set("maxmemory", "0")
    eventually(lambda: ("store_away", False) in notices)
    assert own_server.ended(run)["state"] == "succeeded"
    assert own_server.output(run) == numbered(lines)


def test_runs_of_a_killed_server_become_lost_and_keep_their_output(own_server: Server) -> None:
    run = own_server.start_run("numbered", lines=1_000_000, pause_every=10)
    seen = eventually(lambda: own_server.output(run))
    # What was shown in the last moment may not have reached Redis yet; all before has.
    eventually(lambda: len(own_server.output(run)) > len(seen) + 40_000)
    children = psutil.Process(own_server.pid).children(recursive=True)
    own_server.stop(signal.SIGKILL)
    assert not any(child.is_running() for child in children), "an orphan was left"
    own_server.start()
    record = own_server.ended(run)
    assert record["state"] == "lost"
    assert record["exit"]["code"] is None
    kept = own_server.output(run)
    assert record["output_bytes"] == len(kept) >= len(seen)
    assert kept == numbered(1_000_000)[: len(kept)]
    assert own_server.ended(own_server.start_run("greet"))["state"] == "succeeded"
