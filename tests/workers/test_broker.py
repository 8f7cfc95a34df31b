"""The broker only says that there may be work: when it is away or forgets, nothing is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis import Redis

from flask_realtime.errors import ConfigurationError, ExecutorUnavailable
from flask_realtime.executors.celery import CeleryExecutor
from flask_realtime.redisserver import RedisServer
from tests.support.patience import eventually
from tests.support.server import Server, free_port
from tests.support.workers import JOBS, Worker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis for messages alone, of one test's own."""
    with RedisServer(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def executor(broker: RedisServer) -> Iterator[CeleryExecutor]:
    made = CeleryExecutor(broker.url)
    yield made
    made.close()


def test_messages_that_no_worker_has_taken_are_counted(executor: CeleryExecutor) -> None:
    executor.check()
    for run in ("one", "two"):
        executor.send(run, "default", "count")
    executor.send("three", "gpu", "count")
    assert executor.waiting(["default", "gpu", "other"]) == {"default": 2, "gpu": 1, "other": 0}


def test_all_that_a_broker_keeps_has_a_name_of_ours(
    executor: CeleryExecutor, broker: RedisServer
) -> None:
    executor.send("one", "default", "count")
    with Redis.from_url(broker.url) as client:
        keys = client.keys()
    assert keys == [b"flask-realtime:celery:default"]


def test_a_queue_that_was_flushed_away_is_sent_to_again(
    executor: CeleryExecutor, broker: RedisServer
) -> None:
    executor.send("one", "default", "count")
    with Redis.from_url(broker.url) as client:
        client.flushall()
    executor.send("two", "default", "count")
    assert executor.waiting(["default"]) == {"default": 1}


def test_a_broker_that_hangs_is_given_up_and_used_again_later(
    executor: CeleryExecutor, broker: RedisServer
) -> None:
    executor.send("one", "default", "count")
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        with pytest.raises(ExecutorUnavailable, match="does not answer"):
            executor.send("two", "default", "count")
        with pytest.raises(ConfigurationError, match="BROKER_URL: no broker can be used at unix:"):
            executor.check()
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    executor.send("three", "default", "count")
    executor.check()


@pytest.mark.parametrize(
    "url", ["redis://:invented@127.0.0.1:{}/0", "amqp://me:invented@127.0.0.1:{}//"]
)
def test_where_nobody_listens_is_one_clear_line_without_the_password(url: str) -> None:
    executor = CeleryExecutor(url.format(free_port()))
    with pytest.raises(ConfigurationError) as caught:
        executor.check()
    executor.close()
    (line,) = caught.value.lines
    assert line.startswith("BROKER_URL: no broker can be used at ")
    assert "invented" not in line
    assert ":***@127.0.0.1" in line


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://localhost", "the scheme 'ftp' is none of"),
        ("amqp://", "it names no host"),
        ("amqp://localhost:99999", "has no port from 1 to 65535"),
        ("amqp://localhost?heartbeat=1", "there is no option 'heartbeat'"),
        ("redis+cluster://one,two", "Celery cannot use a Redis Cluster as its broker"),
    ],
)
def test_an_address_that_is_none_says_what_is_wrong(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^BROKER_URL: ") as caught:
        CeleryExecutor(url)
    assert said in caught.value.message


def test_a_broker_that_is_away_or_forgets_loses_no_run(
    tmp_path: Path, redis: RedisServer, broker: RedisServer
) -> None:
    options = {"REDIS_URL": redis.url, "BROKER_URL": broker.url, "JOBS_PATH": str(JOBS)}
    (tmp_path / "server").mkdir()
    instance = tmp_path / "server" / "instance"
    with (
        Server(tmp_path / "server", EXECUTOR="celery", **options) as server,
        Worker(tmp_path, instance, **options) as worker,
    ):
        going_on = server.start_run("count", lines=100, delay_ms=50)
        eventually(lambda: server.output(going_on))
        broker.stop()
        waits = server.start_run("count")  # it is taken all the same, and waits
        assert server.run_record(waits)["state"] == "queued"
        assert server.ended(going_on)["state"] == "succeeded"
        broker.start()
        assert server.ended(waits)["state"] == "succeeded"
        worker.stop()
        forgotten = [server.start_run("count") for _ in range(3)]
        with Redis.from_url(broker.url) as client:
            assert client.llen("flask-realtime:celery:default") == 3
            client.flushall()
        worker.start()
        assert {server.ended(run)["state"] for run in forgotten} == {"succeeded"}
        assert len(server.output(forgotten[0]).split()) == 10


def test_many_threads_send_at_once(executor: CeleryExecutor) -> None:
    """Over a few connections; whoever finds none free waits for one."""
    executor.send("run0", "default", "count")  # what is loaded at the first is
    with ThreadPoolExecutor(8) as threads:
        sent = [threads.submit(executor.send, f"run{n}", "default", "count") for n in range(1, 80)]
    assert not [each.exception() for each in sent if each.exception() is not None]
    assert executor.waiting(["default"]) == {"default": 80}
