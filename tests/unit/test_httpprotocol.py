"""What a connection's protocol does when it is told something from elsewhere."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from flask_realtime.server.connections import Connection
from flask_realtime.server.httpprotocol import Protocol, Service
from flask_realtime.server.limits import Limits, Phase


@pytest.fixture
def ends() -> Iterator[tuple[Protocol, socket.socket]]:
    """A protocol, and its client's end, which does not wait."""
    client, connected = socket.socketpair()
    for each in (client, connected):
        each.setblocking(False)
    guard = Connection(connected, ("192.0.2.1", 40_000), is_tls=False)
    guard.open_plain()
    protocol = Protocol(guard, Service(lambda environ, start: [], Limits(), None, is_tls=False))
    yield protocol, client
    protocol.rfile.close()
    guard.socket.close()
    client.close()


def test_a_head_that_does_not_come_is_given_up(ends: tuple[Protocol, socket.socket]) -> None:
    protocol, client = ends
    protocol.guard.progress.enter(Phase.HEAD, time.monotonic())
    protocol.refuse_late("for long")
    assert client.recv(1000).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert client.recv(1000) == b""


def test_one_that_has_come_meanwhile_is_not(ends: tuple[Protocol, socket.socket]) -> None:
    protocol, client = ends
    protocol.guard.progress.enter(Phase.ANSWER, time.monotonic())
    protocol.refuse_late("for long")
    with pytest.raises(BlockingIOError):  # not a word, nor the end
        client.recv(1000)
    assert not protocol.close_connection
