"""Many viewers at little cost, which hold every byte against what must come.

Each is a raw Socket.IO client on a WebSocket, all in one thread with a loop of asyncio. They do not
give up: one whose connection ends makes another, and goes on where it was.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.faults.expected import expected

SILENCE_SECONDS = 14.0  # after which the network is taken for lost: the server pings each 4 s
CALM_SECONDS = (0.2, 1.0)  # between two attempts
OUTPUT = re.compile(rb'451-(\d+)\["output",\{.*"offset":(\d+)')
PASSING = ("store_unavailable", "archive_unavailable", "too_many_requests")
FINAL = frozenset({"succeeded", "failed", "stopped", "lost"})

# What closes a connection, and what a proxy answers meanwhile.
GONE = (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError)


@dataclass(eq=False)
class Watched:
    """A run as its viewers see it."""

    id: str
    tag: str
    job: str
    owner: str  # the name of the process that it was started at
    restarts: bool = False  # it may be begun anew, and its output with it
    viewers: list[Viewer] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.job} {self.id} of {self.owner}"


class Viewer:
    """One connection after the other, and one run at a time."""

    def __init__(self, port: int, run: Watched) -> None:
        self.port = port
        self.faults: list[str] = []
        self.bytes = 0  # of all runs
        self.connections = 0
        self.restarts = 0  # from the first byte on, since the log had less than it had seen
        self.closed = False
        self._overlaps = False
        self._writer: asyncio.StreamWriter | None = None
        self.watch(run)

    def watch(self, run: Watched) -> None:
        """Look at `run` from its beginning."""
        self.run = run
        self.reached = 0
        self.unstored = 0  # what it had reached when the log did not have as much
        self.state = ""
        self.total: int | None = None  # bytes of the whole output, once the run has ended
        self.silent_since = time.monotonic()
        self.hang_up()

    def hang_up(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()

    async def live(self) -> None:
        while not self.closed and not self.faults:
            try:
                await self._connect()
            except GONE:
                pass
            except Exception as error:
                self._fail(repr(error))
                raise
            finally:
                self.hang_up()
                self._writer = None
            await asyncio.sleep(random.uniform(*CALM_SECONDS))

    async def _connect(self) -> None:
        connecting = asyncio.open_connection("127.0.0.1", self.port)
        reader, self._writer = await asyncio.wait_for(connecting, SILENCE_SECONDS)
        self._writer.write(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
            b"Host: localhost:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n" % self.port
        )
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SILENCE_SECONDS)
        if not head.startswith(b"HTTP/1.1 101"):
            return
        self.connections += 1
        self._overlaps = False
        self._send(b"40")
        await self._listen(reader, self.run)

    def _send(self, text: bytes) -> None:
        """A masked text frame; the mask is zero, so that it costs nothing."""
        assert self._writer is not None
        assert len(text) < 126
        self._writer.write(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text)

    async def _listen(self, reader: asyncio.StreamReader, run: Watched) -> None:
        announced: tuple[bytes, int] | None = None  # acknowledgement and offset of what follows
        while self.run is run and not self.faults:
            opcode, data = await asyncio.wait_for(_frame(reader), SILENCE_SECONDS)
            if self.run is not run or opcode == 8:
                return
            if opcode == 2:
                assert announced is not None
                self._take(announced[1], data)
                self._send(b"43%s[{}]" % announced[0])
            elif data == b"2":
                self._send(b"3")
            elif data.startswith(b"40"):
                self._attach()
            elif data.startswith(b"430"):
                if not self._attached(json.loads(data[3:])[0]):
                    return
            elif data.startswith(b"451-"):
                found = OUTPUT.match(data)
                assert found is not None, data
                announced = found[1], int(found[2])
            elif data.startswith(b'42["status"'):
                self._told(json.loads(data[2:])[1]["run"])
            elif data.startswith(b'42["gap"'):
                self._fail(f"a gap: {data.decode()}")

    def _attach(self) -> None:
        wanted = {"run": self.run.id, "offset": self.reached}
        self._send(b"420" + json.dumps(["attach", wanted]).encode())

    def _attached(self, answer: dict[str, Any]) -> bool:
        error = answer.get("error")
        if error is None:
            self._told(answer["run"])
            return True
        if error["code"] == "bad_offset":  # what its owner had shown and not stored died with it
            self.unstored = max(self.unstored, self.reached)
            self.restarts += 1
            self.reached = 0  # as the page does
        elif error["code"] not in PASSING:
            self._fail(f"attach: {error}")
        return False

    def _told(self, record: dict[str, Any]) -> None:
        if record["id"] != self.run.id:
            return
        goes_on = self.total is not None and record["state"] not in FINAL
        self.state = record["state"]
        self.total = record["output_bytes"] if self.state in FINAL else None
        if goes_on:  # it was taken for lost, and its output may have been over
            self._overlaps = True  # what was on its way comes again
            self._attach()

    def _take(self, offset: int, data: bytes) -> None:
        if self._overlaps and offset < self.reached:
            data = data[self.reached - offset :]
            offset = self.reached
        if offset != self.reached:
            self._fail(f"expected byte {self.reached}, got {offset}")
        elif not self.run.restarts and data != expected(self.run.tag, offset, len(data)):
            self._fail(f"wrong bytes at {offset}: {data[-400:]!r}")
        self.reached += len(data)
        self.bytes += len(data)
        self.silent_since = time.monotonic()

    def _fail(self, fault: str) -> None:
        self.faults.append(f"{self.run}: {fault}")


async def _frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readexactly(2)
    length = head[1] & 127
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2), "big")
    elif length == 127:
        length = int.from_bytes(await reader.readexactly(8), "big")
    return head[0] & 15, await reader.readexactly(length)


class Crowd:
    """The viewers, and the thread that they live in."""

    def __init__(self) -> None:
        self.viewers: list[Viewer] = []
        self._loop = asyncio.new_event_loop()
        self._tasks: list[asyncio.Task[None]] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="crowd")
        self._thread.start()

    @property
    def bytes(self) -> int:
        """What all viewers have got, and found right, so far."""
        return sum(viewer.bytes for viewer in self.viewers)

    def add(self, port: int, run: Watched) -> Viewer:
        viewer = Viewer(port, run)
        self.viewers.append(viewer)
        run.viewers.append(viewer)
        self._call(lambda: self._tasks.append(self._loop.create_task(viewer.live())))
        return viewer

    def move(self, old: Watched, new: Watched) -> None:
        """Let all who watch `old` watch `new`."""
        new.viewers += old.viewers
        moved = list(old.viewers)
        self._call(lambda: [viewer.watch(new) for viewer in moved])

    def close(self) -> None:
        async def end() -> None:
            for viewer in self.viewers:
                viewer.closed = True
                viewer.hang_up()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, function: Any) -> None:
        """Call it in the loop's thread, and wait until that is done."""

        async def called() -> None:
            function()

        asyncio.run_coroutine_threadsafe(called(), self._loop).result(60)
