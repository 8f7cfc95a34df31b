"""Fixtures that several folders of tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import settings

from flask_realtime import host
from flask_realtime.redisserver import RedisServer
from flask_realtime.store.store import Store
from tests.support.server import Server

pytest_plugins = ["pytester", "tests.support.leaks", "tests.support.selection"]


# How long an example takes says how busy the machine is; benchmarks/ say what is fast.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

_on_the_hub = ExitStack()  # for good


def pytest_sessionstart() -> None:
    """Run the tests' own tasks on the hub that ASYNC_MODE names, as the servers that they start."""
    host.use(os.environ.get("ASYNC_MODE") or "eventlet")
    _on_the_hub.enter_context(host.entered())


def pytest_sessionfinish() -> None:
    _on_the_hub.close()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis that many tests share; none stops it. TEST_REDIS_URL names another, to be emptied."""
    if url := os.environ.get("TEST_REDIS_URL"):
        yield cast(RedisServer, SimpleNamespace(url=url))
        return
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def store(redis_server: RedisServer) -> Iterator[Store]:
    """A connection of the hub to a Redis that is empty."""
    made = Store()
    made.connect(redis_server.url)
    made.call(lambda client: client.flushall())
    yield made
    made.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that many tests share; none stops it or its Redis."""
    with Server(tmp_path_factory.mktemp("server"), MAX_RUNS="6") as running:
        yield running


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of one test's own, to be killed and restarted."""
    with Server(tmp_path_factory.mktemp("server")) as running:
        yield running
