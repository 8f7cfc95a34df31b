"""A process that runs runs hears what it is asked, and not what is told to all."""

from __future__ import annotations

from typing import Any

from flask_realtime.nodes.bus import Bus
from flask_realtime.store.store import Store
from tests.support.hub import until


def test_a_worker_hears_what_is_for_it_and_nothing_else(store: Store) -> None:
    heard: dict[str, list[dict[str, Any]]] = {"web": [], "worker": []}
    buses = {name: Bus(store, name, {"news": found.append}) for name, found in heard.items()}
    asking = Bus(store, "asking", {})
    buses["worker"].hears_all = False
    for bus in (*buses.values(), asking):
        bus.start()
    try:
        asking.tell_all("news", number=1)
        until(lambda: heard["web"])
        assert asking.ask("worker", "news", number=2)
        until(lambda: heard["worker"])
        assert [message["number"] for message in heard["worker"]] == [2]
        buses["worker"].tell_all("news", number=3)  # others hear it all the same
        until(lambda: len(heard["web"]) == 2)
    finally:
        for bus in (*buses.values(), asking):
            bus.stop()
