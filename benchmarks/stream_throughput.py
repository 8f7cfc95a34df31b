"""1,000,000 lines of 80 characters from print() to a Socket.IO client in another process."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.parts import (
    HERE,
    TIMEOUT,
    answer,
    has_websocketd,
    middle,
    node,
    server,
    view,
    websocketd,
)

LINES = 1_000_000
ROUNDS = 3
PROGRAM = str(HERE / "jobs" / "_flood_program.py")


def main() -> None:
    ours: list[float] = []
    piped: list[float] = []
    sockets: list[float] = []
    for _ in range(ROUNDS):
        with server() as running:
            seen = view(running.url, "count", "flood", lines=LINES)
            assert seen["bytes"] == 80 * LINES
            ours.append(LINES / seen["seconds"])
        begin = time.perf_counter()
        subprocess.run(
            f"{sys.executable} {PROGRAM} {LINES} | wc -l",
            shell=True,
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=TIMEOUT,
        )
        piped.append(LINES / (time.perf_counter() - begin))
        if has_websocketd():
            with websocketd(PROGRAM, str(LINES), binary=True) as url:
                seen = answer(node("websocket.mjs", url, "count"))
                sockets.append(seen["bytes"] / 80 / seen["seconds"])
    print(f"  ours                    {middle(ours):>10,.0f} lines/s, every byte")
    print(f"  python | wc -l          {middle(piped):>10,.0f} lines/s")
    print(f"  ratio                   {middle(ours) / middle(piped):>10.2f}  (wanted: 1.5)")
    if sockets:
        print(f"  websocketd --binary     {middle(sockets):>10,.0f} lines/s")
        print(f"  ratio                   {middle(ours) / middle(sockets):>10.2f}  (wanted: 1.5)")
