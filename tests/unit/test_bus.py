"""Messages between processes, as two of them over one Redis send and hear them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask_realtime.bus import Bus
from flask_realtime.store import Store
from tests.support.hub import until


@contextmanager
def started(store: Store, name: str, heard: list[dict[str, Any]]) -> Iterator[Bus]:
    bus = Bus(store, name, {"news": heard.append})
    bus.start()
    yield bus
    bus.stop()


def test_one_that_has_started_misses_nothing(store: Store) -> None:
    heard: list[dict[str, Any]] = []
    with started(store, "one", []) as one, started(store, "two", heard):
        assert one.ask("two", "news", number=1)
        one.tell_all("news", number=2)
        until(lambda: len(heard) == 2)
    assert sorted(message["number"] for message in heard) == [1, 2]
    assert not one.ask("two", "news", number=3)
