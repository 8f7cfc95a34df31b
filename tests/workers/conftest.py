"""A Redis, a web node and workers over it, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flask_realtime.redisserver import RedisServer
from tests.support.server import Server
from tests.support.workers import JOBS, Worker


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, redis: RedisServer) -> Iterator[Server]:
    """A web node whose jobs run on workers."""
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, REDIS_URL=redis.url, EXECUTOR="celery", JOBS_PATH=str(JOBS)) as running:
        yield running


@pytest.fixture(scope="module")
def instance(server: Server) -> Path:
    """The instance folder, which the web node and the workers share."""
    return server.folder / "instance"


@pytest.fixture(scope="module")
def worker(
    tmp_path_factory: pytest.TempPathFactory, redis: RedisServer, instance: Path
) -> Iterator[Worker]:
    """A worker that many tests share; none stops it."""
    folder = tmp_path_factory.mktemp("worker")
    with Worker(folder, instance, processes=3, REDIS_URL=redis.url) as running:
        yield running


@pytest.fixture
def own_worker(tmp_path: Path, redis: RedisServer, instance: Path) -> Iterator[Worker]:
    """A worker of one test's own, to be ended by it; its queue is `own`."""
    with Worker(tmp_path, instance, name="own", queues="own", REDIS_URL=redis.url) as running:
        yield running
