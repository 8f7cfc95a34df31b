"""2,000,000 lines while one viewer takes nothing: memory, the other viewer's speed, every byte."""

from __future__ import annotations

import json
import subprocess

import psutil

from benchmarks.parts import answer, node, server, view

LINES = 2_000_000


def main() -> None:
    with server() as running:
        alone = view(running.url, "count", "flood", lines=LINES)
    with server() as running:
        memory = psutil.Process(running.pid)
        view(running.url, "count", "flood", lines=100_000)  # warm
        before = memory.memory_info().rss
        fast = node(
            "viewer.mjs",
            running.url,
            "count",
            "job=flood",
            f"params={json.dumps({'lines': LINES})}",
            stderr=subprocess.PIPE,
        )
        assert fast.stderr is not None
        run = fast.stderr.readline().decode().strip()
        slow = node("viewer.mjs", running.url, "stall", f"run={run}")
        seen = answer(fast)
        grown = memory.memory_info().rss - before
        assert slow.stdin is not None
        slow.stdin.write(b"go on\n")
        slow.stdin.flush()
        late = answer(slow)
    assert seen["bytes"] == late["bytes"] == 80 * LINES
    print(f"  memory grew by          {grown / 2**20:>10.1f} MiB  (wanted: below 64)")
    print(f"  the other viewer        {LINES / seen['seconds']:>10,.0f} lines/s")
    print(f"  the same alone          {LINES / alone['seconds']:>10,.0f} lines/s")
    print(f"  the slow one, later     {LINES / late['seconds']:>10,.0f} lines/s, every byte")
