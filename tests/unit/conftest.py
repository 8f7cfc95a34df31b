"""What several unit tests share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from flask_realtime.redisserver import RedisServer
from flask_realtime.store.store import Store
from tests.support.hub import until
from tests.support.watchedengine import Start, Watched


@pytest.fixture
def engine(store: Store, redis_server: RedisServer) -> Start:
    """To be entered in the test's body: the engine replaces sys.stdout, as pytest does."""

    @contextmanager
    def started(**options: Any) -> Iterator[Watched]:
        watched = Watched(redis_server.url, **options)
        watched.engine.start()
        until(watched.is_alive)
        try:
            yield watched
        finally:
            for run in watched.engine.runs.own():
                watched.engine.stop_run(run.user, run.id, force=True)
            watched.engine.stop(5)

    return started
