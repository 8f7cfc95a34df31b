"""Idle viewers in one process: each follows a run that prints nothing, and answers pings.

argv: host, port, viewers, seconds at most, runs (the viewers are dealt out among them). Prints one
JSON object once all are attached, and one when its stdin ends or the time is up.
"""

from __future__ import annotations

import json
import resource
import selectors
import sys
import time

from benchmarks.clients.crowd import Viewer

PONG = b"\x81\x81\0\0\0\x003"


class Idle(Viewer):
    """Counts the pings that it answered."""

    pings = 0

    def _hear(self, opcode: int, text: bytes) -> bytes:
        if text == b"2":
            Idle.pings += 1
            return PONG
        return super()._hear(opcode, text)


def main(name: str, port: str, viewers: str, seconds: str, *runs: str) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    end = time.monotonic() + float(seconds)
    selector = selectors.DefaultSelector()
    begin = time.perf_counter()
    for number in range(int(viewers)):
        viewer = Idle((name, int(port)), runs[number % len(runs)])
        selector.register(viewer.socket, selectors.EVENT_READ, viewer)
        while not viewer.attached:
            _receive(selector, end)
    _say(viewers=int(viewers), seconds=time.perf_counter() - begin)
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    Idle.pings = 0
    begin = time.perf_counter()
    while time.monotonic() < end and _receive(selector, end):
        pass
    _say(pings=Idle.pings, seconds=time.perf_counter() - begin)


def _receive(selector: selectors.BaseSelector, end: float) -> bool:
    """Deal with what has come; False once stdin has ended. A viewer that is cut off ends it all."""
    if time.monotonic() > end:
        raise TimeoutError("the time of the idle viewers is up")
    for key, _mask in selector.select(1):
        if key.data is None:
            return False
        key.data.receive()
    return True


def _say(**found: float) -> None:
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
