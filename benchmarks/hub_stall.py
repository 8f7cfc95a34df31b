"""GET /healthz every 10 ms while code_census computes, and while nothing does."""

from __future__ import annotations

import time

import requests

from benchmarks.parts import percentile, server
from tests.support.server import Server

SECONDS = 8


def main() -> None:
    with server() as running:
        _say("idle", _measure(running))
        run = running.start_run("code_census")
        values = _measure(running)
        assert running.run_record(run)["state"] == "running", "it ended too early"
        _say("while code_census runs", values)
        print(f"  p99                     {percentile(values, 0.99):>10.1f} ms  (wanted: below 60)")
        running.post(f"/api/runs/{run}/stop")
        running.ended(run)


def _measure(running: Server) -> list[float]:
    values = []
    session = requests.Session()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        begin = time.perf_counter()
        session.get(f"{running.url}/healthz", timeout=10)
        values.append((time.perf_counter() - begin) * 1000)
        time.sleep(0.01)
    session.close()
    return values


def _say(name: str, values: list[float]) -> None:
    p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
    print(f"  {name:<23} p50 {p50:.1f}  p99 {p99:.1f}  max {max(values):.1f} ms")
