"""Clients of both transports that share what they are sent, and clients that answer wrongly."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import psutil
import pytest
import socketio
import websocket

from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.socketclient import ordered_client

CROWD = 8  # more than are handed each line by themselves


class Viewer:
    def __init__(self, server: Server, transport: str) -> None:
        self.data = bytearray()
        self.io: socketio.Client = ordered_client()
        self.io.on("output", self._take)
        self.io.connect(server.url, transports=[transport])

    def _take(self, message: dict[str, bytes]) -> dict[str, object]:
        assert message["offset"] == len(self.data), "a byte was lost or repeated"
        self.data += message["data"]
        return {}


@pytest.fixture
def crowd(server: Server) -> Iterator[list[Viewer]]:
    made = [Viewer(server, ("websocket", "polling")[number % 2]) for number in range(CROWD)]
    yield made
    for viewer in made:
        viewer.io.disconnect()


def test_clients_of_both_transports_share_what_they_get(
    server: Server, crowd: list[Viewer]
) -> None:
    run = server.start_run("count", lines=500, delay_ms=2)
    for viewer in crowd:
        viewer.io.call("attach", {"run": run, "offset": 0})
    server.ended(run)
    whole = server.output(run)
    for viewer in crowd:
        eventually(lambda viewer=viewer: len(viewer.data) >= len(whole))
        assert viewer.data == whole


def test_acknowledgements_that_answer_nothing_harm_nobody(server: Server) -> None:
    run = server.start_run("count", lines=2000, delay_ms=1)
    address = server.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    client = websocket.create_connection(address, timeout=60)
    client.recv()
    client.send("40")
    client.recv()
    client.send(f'420["attach",{{"run":"{run}","offset":0}}]')
    seen = 0
    while seen < 50:
        text = client.recv()
        if isinstance(text, str) and (found := re.match(r"451-(\d+)", text)):
            for number in (found[1], found[1], "1", "999999999", "1999999999", "9" * 90):
                client.send(f"43{number}[]")
            seen += 1
    client.send('421["jobs",{}]')
    while not str(client.recv()).startswith("431"):
        pass
    client.shutdown()
    server.post(f"/api/runs/{run}/stop")
    server.ended(run)


class Raw:
    """A client that sends what it likes, as fast as it can."""

    def __init__(self, server: Server) -> None:
        address = server.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        self.socket = websocket.create_connection(address, timeout=60)
        self.socket.recv()
        self.socket.send("40")
        self.socket.recv()

    def ask(self, count: int, event: str, payloads: Callable[[int], object]) -> Counter[str]:
        """Send so many events at once; what their answers say, counted."""
        sender = threading.Thread(target=self._send, args=(count, event, payloads))
        sender.start()
        answers: Counter[str] = Counter()
        while answers.total() < count:
            text = self.socket.recv()
            if isinstance(text, str) and (found := re.match(r"43\d+(.*)", text)):
                answer = json.loads(found[1])[0]
                answers[answer.get("error", {}).get("code", "fine")] += 1
            elif text == "2":
                self.socket.send("3")
        sender.join()
        return answers

    def _send(self, count: int, event: str, payloads: Callable[[int], object]) -> None:
        for number in range(count):
            self.socket.send(f"42{number}{json.dumps([event, payloads(number)])}")


@pytest.fixture
def raw(server: Server) -> Iterator[Raw]:
    made = Raw(server)
    yield made
    made.socket.shutdown()


def test_10_000_attaches_of_one_client_are_refused_past_a_limit(server: Server, raw: Raw) -> None:
    run = server.start_run("count", lines=1)
    server.ended(run)
    memory = psutil.Process(server.pid).memory_info().rss
    answers = raw.ask(10_000, "attach", lambda number: {"run": run, "offset": 0})
    assert set(answers) == {"fine", "too_many_requests"}
    assert raw.ask(1, "attach", lambda number: {"run": run, "offset": 0}) == {"fine": 1}
    assert server.get("/readyz").status_code == 200
    assert psutil.Process(server.pid).memory_info().rss - memory < 64 << 20
