"""The connections to Redis: what becomes of one that nobody waits for any more."""

from __future__ import annotations

import socket
import threading

import pytest
from redis import Connection

from flask_realtime import host
from flask_realtime.store import CONNECTIONS
from tests.support.hub import until


@pytest.mark.parametrize("killed", ["before", "after"])
def test_a_connection_that_nobody_takes_is_closed(
    monkeypatch: pytest.MonkeyPatch, killed: str
) -> None:
    """A greenlet is ended while a native thread connects for it, or just after that."""
    ours, theirs = socket.socketpair()
    begun, may_end = threading.Event(), threading.Event()

    def connect(self: Connection) -> socket.socket:
        begun.set()
        assert may_end.wait(60)
        return ours

    monkeypatch.setattr(Connection, "_connect", connect)
    task = host.spawn(CONNECTIONS["redis"]()._connect)
    until(begun.is_set)
    if killed == "before":
        task.kill()
        assert ours.fileno() >= 0
        may_end.set()
    else:
        may_end.set()
        task.kill()  # the hub has had no turn to hand it over
    until(lambda: ours.fileno() < 0)
    theirs.close()
