"""Many viewers of one run in one process, at little cost: raw Socket.IO over WebSockets.

argv: host, port, viewers, run. Prints "ready" once all are attached, and at the end one JSON
object: the bytes and the events that came, and how many ms each line took that begins with the
time of its print() (time.monotonic_ns()). It checks that no viewer misses or repeats a byte.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
import time
from typing import Any

OUTPUT = re.compile(rb'451-(\d+)\["output",\{.*"offset":(\d+)')
RECEIVE_BYTES = 1 << 18
TIMED = 20  # one viewer of so many looks at the times of the lines


def frame(text: bytes) -> bytes:
    """A masked text frame; the mask is zero, so that it costs nothing."""
    assert len(text) < 126
    return bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text


class Viewer:
    """One connection. What it gets is taken apart as it comes; no output is kept."""

    def __init__(
        self, address: tuple[str, int], run: str, *, offset: int = 0, is_timed: bool = False
    ) -> None:
        self.run = run
        self._offset = offset
        self._is_timed = is_timed
        self.attached = False
        self.ended: int | None = None  # bytes of the whole output, once the run is over
        self.reached = offset
        self.events = 0
        self.latencies: list[float] = []
        self._buffer = b""
        self._binary: tuple[bytes, int] | None = None  # what was announced: acknowledgement, offset
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
            b"Host: localhost:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n" % address[1]
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.socket.recv(4096)
        head, _, self._buffer = head.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        self.socket.sendall(frame(b"40"))

    @property
    def done(self) -> bool:
        return self.ended is not None and self.reached >= self.ended

    def receive(self) -> None:
        data = self.socket.recv(RECEIVE_BYTES)
        assert data, "the server closed the connection"
        buffer = self._buffer + data if self._buffer else data
        begin, size = 0, len(buffer)
        answers = b""
        while size - begin >= 2:
            opcode, length = buffer[begin] & 15, buffer[begin + 1]
            head = 2 if length < 126 else 4 if length == 126 else 10
            if size - begin < head:
                break
            if length >= 126:
                length = int.from_bytes(buffer[begin + 2 : begin + head], "big")
            if size - begin < head + length:
                break
            begin += head
            if opcode == 2:
                answers += self._take(buffer, begin, length)
            else:
                answers += self._hear(opcode, buffer[begin : begin + length])
            begin += length
        self._buffer = buffer[begin:]
        if answers:
            self.socket.sendall(answers)

    def see(self, offset: int, buffer: bytes, begin: int, length: int) -> None:
        """Look at output: `length` bytes of `buffer`, which begin at `offset` in the run's."""

    def _hear(self, opcode: int, text: bytes) -> bytes:
        assert opcode == 1, f"opcode {opcode}"
        if text.startswith(b"451-"):
            found = OUTPUT.match(text)
            assert found is not None, text
            self._binary = (found[1], int(found[2]))
        elif text == b"2":
            return frame(b"3")
        elif text.startswith(b"40"):
            return frame(
                b'420["attach",{"run":"%s","offset":%d}]' % (self.run.encode(), self._offset)
            )
        elif text.startswith(b"430"):
            answer = json.loads(text[3:])[0]
            assert "error" not in answer, answer
            self.attached = True
            self._see(answer["run"])
        elif text.startswith(b'42["status"'):
            self._see(json.loads(text[2:])[1]["run"])
        return b""

    def _see(self, run: dict[str, Any]) -> None:
        if run["id"] == self.run and run["ended"]:
            self.ended = run["output_bytes"]

    def _take(self, buffer: bytes, begin: int, length: int) -> bytes:
        assert self._binary is not None
        (acknowledge, offset), self._binary = self._binary, None
        assert offset == self.reached, f"expected byte {self.reached}, got {offset}"
        self.see(offset, buffer, begin, length)
        self.reached += length
        self.events += 1
        if self._is_timed and buffer[begin : begin + 1].isdigit():
            now = time.monotonic_ns()
            for line in buffer[begin : begin + length].splitlines():
                self.latencies.append((now - int(line.split()[0])) / 1e6)
        return frame(b"43%s[{}]" % acknowledge)


def main(name: str, port: str, viewers: str, run: str) -> None:
    selector = selectors.DefaultSelector()
    crowd = []
    for number in range(int(viewers)):
        viewer = Viewer((name, int(port)), run, is_timed=number % TIMED == 0)
        crowd.append(viewer)
        selector.register(viewer.socket, selectors.EVENT_READ, viewer)
        while not viewer.attached:
            for key, _mask in selector.select():
                key.data.receive()
    print("ready", flush=True)
    left = len(crowd)
    while left:
        for key, _mask in selector.select():
            was_done = key.data.done
            key.data.receive()
            left -= key.data.done and not was_done
    latencies = sorted(value for viewer in crowd for value in viewer.latencies)
    print(
        json.dumps(
            {
                "bytes": sum(viewer.reached for viewer in crowd),
                "events": sum(viewer.events for viewer in crowd),
                "p50": latencies[len(latencies) // 2] if latencies else None,
                "p99": latencies[int(len(latencies) * 0.99)] if latencies else None,
                "longest": latencies[-1] if latencies else None,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
