"""Several workers over one Redis: whose run it is, how many at once, and what ends them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from flask_realtime.redisserver import RedisServer
from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.workers import JOBS, Worker

LOST = "the process that ran it has ended"


def printed(server: Server, *runs: str) -> None:
    """Wait until all of `runs` have printed."""
    eventually(lambda: all(server.output(run) for run in runs))


def states(server: Server, *runs: str) -> list[str]:
    return [server.run_record(run)["state"] for run in runs]


@pytest.fixture
def start(redis: RedisServer, instance: Path, tmp_path: Path) -> Any:
    """Start workers that end with the test."""
    with ExitStack() as stack:

        def start(name: str, **options: Any) -> Worker:
            worker = Worker(tmp_path, instance, name=name, REDIS_URL=redis.url, **options)
            return stack.enter_context(worker)

        yield start


@pytest.fixture
def own_server(tmp_path: Path, redis: RedisServer, instance: Path) -> Iterator[Server]:
    """Another web node, to be restarted."""
    options = {"REDIS_URL": redis.url, "EXECUTOR": "celery", "JOBS_PATH": str(JOBS)}
    with Server(tmp_path, INSTANCE_PATH=str(instance), **options) as running:
        yield running


def test_a_run_waits_for_a_worker_of_its_queue(server: Server, start: Any) -> None:
    run, other = server.start_run("on_gpu"), server.start_run("count")
    start("plain", processes=1)
    assert server.ended(other)["state"] == "succeeded"
    waiting = server.run_record(run)
    assert (waiting["state"], waiting["queue"], waiting["host"]) == ("queued", "gpu", "")
    start("gpu", queues="gpu", processes=1)
    assert server.ended(run)["state"] == "succeeded"
    assert server.output(run) == b"on gpu\n"


def test_one_that_waits_for_a_worker_can_be_stopped(server: Server, start: Any) -> None:
    run = server.start_run("count")
    assert server.post(f"/api/runs/{run}/stop").json()["state"] == "stopped"
    other = server.start_run("count")
    start("late", processes=1)
    assert server.ended(other)["state"] == "succeeded"
    assert server.run_record(run)["exit"]["reason"] == "stopped before it began"
    assert server.output(run) == b""


def test_bounds_of_a_job_hold_over_all_workers(server: Server, start: Any) -> None:
    runs = [server.start_run("one_at_a_time") for _ in range(4)]
    start("one", processes=2)
    start("two", processes=2)
    ended = [server.ended(run) for run in runs]
    assert {each["state"] for each in ended} == {"succeeded"}
    spans = sorted((each["started"], each["ended"]) for each in ended)
    assert all(spans[at][1] <= spans[at + 1][0] for at in range(3)), spans


def test_a_web_node_restarts_and_the_run_does_not_notice(own_server: Server, start: Any) -> None:
    server = own_server
    start("steady", processes=2)
    runs = [server.start_run(job, lines=5000, delay_ms=20) for job in ("count", "count_apart")]
    printed(server, *runs)
    server.restart()
    assert states(server, *runs) == ["running", "running"]
    for run in runs:
        server.post(f"/api/runs/{run}/stop", {})
        assert server.ended(run)["state"] == "stopped"
        *numbers, last = server.output(run).splitlines()
        assert last == b"asked to stop"
        assert numbers == [b"%d" % number for number in range(len(numbers))]


def test_what_a_killed_worker_had_is_lost_or_begun_anew(
    server: Server, start: Any, tmp_path: Path
) -> None:
    maimed = start("maimed", processes=1)
    other = server.start_run("ignores_stop")
    printed(server, other)  # so what follows is the other worker's
    killed = start("killed", processes=3)
    lost = [server.start_run(job, lines=5000, delay_ms=20) for job in ("count", "count_apart")]
    again = server.start_run("again", mark=str(tmp_path / "begun"))
    printed(server, *lost, again)
    killed.kill()
    (process,) = maimed.pool()
    process.kill()
    start("fresh", processes=1)
    for run in (*lost, other):
        record = server.ended(run)
        assert (record["state"], record["exit"]["reason"]) == ("lost", LOST)
        assert server.output(run)
    record = server.ended(again)
    assert (record["state"], record["attempt"], record["attempts"]) == ("succeeded", 2, 2)
    first, _, second = server.output(again).decode().rpartition("\n0\n")
    assert first.startswith("0\n1\n")
    assert not first.splitlines()[-1].isdigit()  # the line that says so
    assert second.split() == [str(number) for number in range(1, 100)]
    # The worker of the process that was killed has another one by now.
    fresh = server.start_run("count")
    assert server.ended(fresh)["state"] == "succeeded"


def test_a_worker_ends_warm_when_its_runs_have_ended(server: Server, start: Any) -> None:
    worker = start("warm", processes=2)
    runs = [server.start_run(job, lines=60, delay_ms=20) for job in ("count", "count_apart")]
    printed(server, *runs)
    worker.signal(signal.SIGTERM)
    eventually(lambda: "Warm shutdown" in worker.log)
    late = server.start_run("count")
    worker.stop()
    assert states(server, *runs) == ["succeeded", "succeeded"]
    assert states(server, late) == ["queued"]
    for run in runs:
        assert server.output(run).split() == [b"%d" % number for number in range(60)]
    start("next", processes=1)
    assert server.ended(late)["state"] == "succeeded"


def test_a_worker_that_must_end_at_once_leaves_its_runs_to_others(
    server: Server, start: Any, tmp_path: Path
) -> None:
    worker = start("cold", processes=3)
    lost = [server.start_run("count_apart", lines=5000, delay_ms=20)]
    lost.append(server.start_run("ignores_stop"))
    again = server.start_run("again", mark=str(tmp_path / "begun"))
    printed(server, *lost, again)
    worker.stop(signal.SIGQUIT)
    for run in lost:
        assert server.ended(run)["state"] == "lost"
    assert states(server, again) == ["queued"]
    start("next", processes=1)
    record = server.ended(again)
    assert (record["state"], record["attempt"]) == ("succeeded", 2)


def test_a_worker_that_cannot_run_a_run_says_why(
    server: Server, start: Any, tmp_path: Path
) -> None:
    run = server.start_run("count")
    ignorant = start("ignorant", processes=1, JOBS_PATH="")
    record = server.ended(run)
    assert (record["state"], record["exit"]["code"]) == ("failed", None)
    assert "there is no job 'count'" in record["exit"]["reason"]
    ignorant.stop()
    run = server.start_run("count")
    start("stranger", processes=1, INSTANCE_PATH=str(tmp_path / "elsewhere"))
    record = server.ended(run)
    assert record["state"] == "failed"
    assert "a key that this worker does not have" in record["exit"]["reason"]


def test_celerys_own_ways_with_a_pool_do_no_harm(server: Server, start: Any) -> None:
    start("changing", processes=1, options=("--autoscale=3,1", "--max-tasks-per-child=2"))
    runs = [server.start_run("count", lines=20, delay_ms=20) for _ in range(12)]
    for run in runs:
        assert server.ended(run)["state"] == "succeeded"
        assert len(server.output(run).split()) == 20
