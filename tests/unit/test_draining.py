"""A web node that goes: what it refuses, whom it lets go, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from app.health import health_blueprint
from flask_realtime import host
from flask_realtime.errors import ShuttingDown
from flask_realtime.nodes.draining import drain
from flask_realtime.nodes.nodes import Nodes
from flask_realtime.store import keys
from flask_realtime.store.store import Store
from tests.support.hub import until
from tests.support.watchedengine import Start


@contextmanager
def node(store: Store, name: str) -> Iterator[Nodes]:
    made = Nodes(store, name, {})
    made.start()
    until(lambda: store.call(lambda client: client.hexists(keys.NODES, name)))
    try:
        yield made
    finally:
        made.leave()


@pytest.mark.parametrize("has_others", [True, False])
def test_viewers_are_let_go_where_others_serve(
    engine: Start, store: Store, has_others: bool
) -> None:
    let_go: list[str] = []
    with engine() as watched, node(store, "one") as one, node(store, "two") as two:
        if not has_others:
            two.leave()
        drain(watched.engine, one, lambda: let_go.append("all"), 0)
    assert let_go == ["all"] * has_others


def test_no_run_is_begun_and_those_that_there_are_end_by_themselves(
    engine: Start, store: Store
) -> None:
    with engine() as watched, node(store, "one") as one:
        run = watched.start("wait")
        task = host.spawn(drain, watched.engine, one, lambda: None, 3600)
        until(lambda: not store.call(lambda client: client.exists(keys.NODES)))
        with pytest.raises(ShuttingDown):
            watched.start("count")
        app = Flask(__name__)
        app.register_blueprint(health_blueprint(watched.engine))
        answer = app.test_client().get("/readyz")
        assert (answer.status_code, answer.get_json()["code"]) == (503, "shutting_down")
        assert watched.engine.get_run("ann", run.id).state == "running"
        watched.engine.stop_run("ann", run.id, force=False)
        task.wait()
        assert not watched.engine.runs.own()


def test_the_wait_has_an_end(engine: Start, store: Store) -> None:
    with engine() as watched, node(store, "one") as one:
        watched.start("wait")
        drain(watched.engine, one, lambda: None, 0.01)
        assert watched.engine.runs.own()
