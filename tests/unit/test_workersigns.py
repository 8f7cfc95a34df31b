"""Processes of workers tell of themselves in Redis, and are forgotten when they do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flask_realtime.nodes import signs as all_signs
from flask_realtime.running.workersigns import Sign, heard, own_sign, worker_signs
from flask_realtime.store import keys
from flask_realtime.store.store import Store
from tests.support.hub import until

SIGN = Sign("node-1", 7, runs=1, memory=50 << 20, cpu=1.5, output=100)


def test_a_process_is_heard_of_until_it_goes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_signs, "BEAT_SECONDS", 0.01)
    signs = [SIGN]
    told = worker_signs(store, "worker-1", lambda: signs[0])
    told.start()
    until(lambda: store.call(heard) == {"worker-1": SIGN})
    signs[0] = replace(SIGN, runs=0, output=200)
    until(lambda: store.call(heard) == {"worker-1": signs[0]})
    told.stop()
    assert store.call(heard) == {}


def test_one_that_has_died_does_not_count(store: Store) -> None:
    text = '5 {"host":"x","pid":1,"runs":1,"memory":1,"cpu":1,"output":1}'
    store.call(lambda client: client.hset(keys.WORKERS, "dead", text))
    assert store.call(heard) == {}
    assert not store.call(lambda client: client.exists(keys.WORKERS))


def test_one_of_another_version_is_understood() -> None:
    text = b'{"host":"x","pid":1,"runs":2,"later":true}'
    assert Sign.load(text) == Sign("x", 1, runs=2, memory=0, cpu=0.0, output=0)


def test_this_process_is_measured() -> None:
    sign = own_sign(runs=2, output=3)
    assert (sign.runs, sign.output) == (2, 3)
    assert 1 << 20 < sign.memory < 1 << 40
    assert sign.cpu > 0
