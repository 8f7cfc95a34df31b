"""A viewer that does not give up: it connects anew, and goes on where it was."""

from __future__ import annotations

import threading
from typing import Any

import socketio
import socketio.exceptions

from tests.support.socketclient import ordered_client

ANSWER_SECONDS = 5.0  # that a server has for an attach
CALM_SECONDS = 0.1  # between two attempts


class Follower:
    """Follows a run by a port of localhost, through all that happens on the way.

    `data` is what it has; `fault` says what was wrong about what came. Until `proceed` is cleared
    it reads; then neither output nor pings. `delay` is how long it takes for each event, in s.
    """

    def __init__(self, port: int, run: str) -> None:
        self.data = bytearray()
        self.fault = ""
        self.connections = 0
        self.delay = 0.0
        self.proceed = threading.Event()
        self.proceed.set()
        self._lines = 1
        self._address = f"http://localhost:{port}"
        self._run = run
        self._stopped = threading.Event()
        self._left = threading.Event()  # the connection of now has ended
        self._client: socketio.Client | None = None
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def hang_up(self) -> None:
        """Close the connection; it makes another one."""
        client = self._client
        if client is not None:
            client.disconnect()

    def stop(self) -> None:
        self._stopped.set()
        self.proceed.set()
        self._left.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._stopped.is_set() and not self.fault:
            self._left.clear()
            client = ordered_client()
            client.on("output", lambda event, client=client: self._take(client, event))
            client.on("gap", lambda event: self._fail(f"a gap: {event}"))
            client.on("disconnect", lambda *reason: self._left.set())
            try:
                client.connect(self._address, transports=["websocket"], wait_timeout=ANSWER_SECONDS)
                self._client = client
                self._attach(client)
            except (socketio.exceptions.SocketIOError, OSError):
                self._stopped.wait(CALM_SECONDS)
            else:
                self._left.wait()
            finally:
                self._client = None
                client.disconnect()
                client.eio.wait()  # for its threads

    def _attach(self, client: socketio.Client) -> None:
        """Raises SocketIOError when that is refused, for a while."""
        wanted, line = len(self.data), self._lines
        answer = client.call("attach", {"run": self._run, "offset": wanted}, timeout=ANSWER_SECONDS)
        if error := answer.get("error"):
            if error["code"] not in ("store_unavailable", "archive_unavailable", "bad_offset"):
                self._fail(f"attach: {error}")
            # A server that reads from a Redis that has just crashed may know less than this.
            raise socketio.exceptions.SocketIOError(error["code"])
        self.connections += 1
        if (answer["offset"], answer["line"]) != (wanted, line):
            self._fail(f"attached at {answer['offset']}, line {answer['line']}; wanted {wanted}")

    def _take(self, client: socketio.Client, event: dict[str, Any]) -> dict[str, Any] | None:
        self.proceed.wait()
        if self.delay:
            self._stopped.wait(self.delay)
        if event["offset"] != len(self.data):
            self._fail(f"expected byte {len(self.data)}, got {event['offset']}")
        elif event["line"] != self._lines:
            self._fail(f"expected line {self._lines}, got {event['line']}")
        else:
            self.data += event["data"]
            self._lines += event["data"].count(b"\n")
        return {}

    def _fail(self, fault: str) -> None:
        self.fault = self.fault or fault
        self._left.set()
