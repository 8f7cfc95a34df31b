"""How a listening socket hands its clients on."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from flask_realtime import host
from flask_realtime.server import ports
from flask_realtime.server.ports import Port
from tests.support.hub import until


def test_it_pauses_when_the_machine_cannot_serve_one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "BUSY_SECONDS", 0.3)
    service: Any = None
    refused: list[float] = []

    def take(port: Port, plain: socket.socket, address: Any) -> bool:
        plain.close()
        refused.append(time.monotonic())
        return False

    port = Port(host.listen("127.0.0.1", 0), service, None)
    port.open(lambda: True, host.Signal().wait, take)
    clients = [socket.create_connection(("127.0.0.1", port.number)) for _ in range(2)]
    try:
        until(lambda: len(refused) == len(clients))
        assert refused[1] - refused[0] >= 0.3
    finally:
        port.close()
        for client in clients:
            client.close()
