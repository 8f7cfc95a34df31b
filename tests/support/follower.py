"""A viewer that does not give up: it connects anew, and goes on where it was."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from contextlib import suppress
from typing import Any

import websocket

ADDRESS = "ws://localhost:%d/socket.io/?EIO=4&transport=websocket"
SILENCE_SECONDS = 15.0  # after which it takes the network for lost: the server pings each 4 s
CALM_SECONDS = 0.1  # between two attempts
PASSING = ("store_unavailable", "archive_unavailable")


class Follower:
    """Follows a run by ports of localhost, each in its turn, through all that happens on the way.

    It speaks Socket.IO by itself, over a WebSocket, in one thread. `data` is what it has; `fault`
    says what was wrong about what came. While `proceed` is cleared it reads nothing, pings
    included. `delay` is how long it takes for each event, in s.
    """

    def __init__(self, run: str, *ports: int) -> None:
        self.data = bytearray()
        self.fault = ""
        self.connections = 0
        self.delay = 0.0
        self.proceed = threading.Event()
        self.proceed.set()
        self._lines = 1
        self._ports = itertools.cycle(ports)
        self._run = run
        self._stopped = threading.Event()
        self._socket: websocket.WebSocket | None = None
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def hang_up(self) -> None:
        """End the connection; it makes another one."""
        connected = self._socket
        if connected is not None and connected.sock is not None:
            with suppress(OSError):  # it has just ended by itself
                connected.sock.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        self._stopped.set()
        self.proceed.set()
        self.hang_up()  # it may wait for what comes
        self._thread.join()

    def _follow(self) -> None:
        while not self._stopped.is_set() and not self.fault:
            connected = websocket.WebSocket()
            connected.settimeout(SILENCE_SECONDS)
            try:
                connected.connect(ADDRESS % next(self._ports))
                self._socket = connected
                self._listen(connected)
            except (websocket.WebSocketException, OSError):
                self._stopped.wait(CALM_SECONDS)
            finally:
                connected.shutdown()

    def _listen(self, connected: websocket.WebSocket) -> None:
        """Attach and take what comes, until the connection ends."""
        event: dict[str, Any] = {}
        connected.send("40")
        while not self._stopped.is_set() and not self.fault:
            message = connected.recv()
            self.proceed.wait()
            if isinstance(message, bytes):
                self._take(event["output"], message)
                connected.send(f"43{event['number']}[]")
            elif not message:
                return
            elif message == "2":
                connected.send("3")
            elif message.startswith("40"):
                wanted = {"run": self._run, "offset": len(self.data)}
                connected.send("420" + json.dumps(["attach", wanted]))
            elif message.startswith("430"):
                if not self._attached(json.loads(message[3:])[0]):
                    return
            elif message.startswith("451-"):
                number, _, rest = message[4:].partition("[")
                name, output = json.loads("[" + rest)
                assert name == "output", name
                event = {"number": number, "output": output}
            elif message.startswith('42["gap"'):
                self._fail(f"a gap: {message}")

    def _attached(self, answer: dict[str, Any]) -> bool:
        error = answer.get("error")
        if error is not None:
            if error["code"] not in PASSING:
                self._fail(f"attach: {error}")
            self._stopped.wait(CALM_SECONDS)
            return False
        self.connections += 1
        if (answer["offset"], answer["line"]) != (len(self.data), self._lines):
            self._fail(f"attached at {answer['offset']}, line {answer['line']}")
        return True

    def _take(self, output: dict[str, Any], data: bytes) -> None:
        if self.delay:
            self._stopped.wait(self.delay)
        if output["offset"] != len(self.data):
            self._fail(f"expected byte {len(self.data)}, got {output['offset']}")
        elif output["line"] != self._lines:
            self._fail(f"expected line {self._lines}, got {output['line']}")
        else:
            self.data += data
            self._lines += data.count(b"\n")

    def _fail(self, fault: str) -> None:
        self.fault = self.fault or fault
