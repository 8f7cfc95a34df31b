"""100 reconnects in the middle of a flood: no byte lost or repeated, and how soon it goes on."""

from __future__ import annotations

import socket
import struct
import time

from benchmarks.clients.crowd import Viewer
from benchmarks.parts import percentile, server

RECONNECTS = 100
BYTES_BETWEEN = 1 << 20  # that come before the connection is cut again
LINE_BYTES = 80


class Checking(Viewer):
    """Compares each byte with what the job prints there."""

    def see(self, offset: int, buffer: bytes, begin: int, length: int) -> None:
        first, last = offset // LINE_BYTES, (offset + length - 1) // LINE_BYTES
        lines = b"".join(b"%079d\n" % number for number in range(first, last + 1))
        skip = offset - first * LINE_BYTES
        expected = lines[skip : skip + length]
        assert buffer[begin : begin + length] == expected, f"wrong bytes from {offset} on"

    def cut(self) -> None:
        """End the connection by force, as a network does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def main() -> None:
    with server() as running:
        run = running.start_run("numbered_flood")
        address = ("localhost", running.port)
        reached = 0
        waits: list[float] = []
        for _ in range(RECONNECTS + 1):
            begin = time.perf_counter()
            viewer = Checking(address, run, offset=reached)
            while viewer.reached == reached:
                viewer.receive()
            waits.append((time.perf_counter() - begin) * 1000)
            while viewer.reached < reached + BYTES_BETWEEN:
                viewer.receive()
            reached = viewer.reached
            viewer.cut()
        waits = waits[1:]  # the first was no reconnect
        size = running.run_record(run)["output_bytes"]
        running.post(f"/api/runs/{run}/stop")
        running.ended(run)
    print(f"  {RECONNECTS} reconnects, {reached:,} of {size:,} bytes: none lost, none repeated")
    p50, p99 = percentile(waits, 0.5), percentile(waits, 0.99)
    print(f"  connect to first byte   p50 {p50:.1f}  p99 {p99:.1f}  max {max(waits):.1f} ms")
