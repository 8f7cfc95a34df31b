"""1 to 1,000 viewers of one run: the server's CPU for each megabyte that they get.

FANOUT_VIEWERS, FANOUT_SECONDS and FANOUT_MIB (of the flood) make it shorter.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import requests

from benchmarks.parts import HERE, percentile, server
from tests.support.server import Server

VIEWERS = [int(number) for number in os.environ.get("FANOUT_VIEWERS", "1,10,100,1000").split(",")]
SECONDS = int(os.environ.get("FANOUT_SECONDS", "10"))
FLOOD_MIB = int(os.environ.get("FANOUT_MIB", "16"))
FEW, MANY = 10, 1000  # what is compared
TIMEOUT = 600  # s


def main() -> None:
    for name, job, params in (
        ("100 lines/s", "paced_lines", {"rate": 100, "seconds": SECONDS}),
        ("flood", "flooded_lines", {"mib": FLOOD_MIB}),
    ):
        costs = {}
        for viewers in VIEWERS:
            found = measure(viewers, job, **params)
            costs[viewers] = found["cpu"] / (found["bytes"] / 1e6)
            _say(f"{name}, {viewers}", found, costs[viewers])
            if viewers == MANY:  # apart, since the probe takes CPU as well
                stalls = measure(viewers, job, probed=True, **params)["stalls"]
                p50, p99 = percentile(stalls, 0.5), percentile(stalls, 0.99)
                print(f"    /healthz meanwhile p50 {p50:.1f} p99 {p99:.1f} ms", flush=True)
        if FEW in costs and MANY in costs:
            ratio = costs[MANY] / costs[FEW]
            print(f"  {name}: {MANY} to {FEW} viewers {ratio:>6.2f}  (wanted: at most 2)")


def measure(viewers: int, job: str, *, probed: bool = False, **params: int) -> dict[str, Any]:
    """Let so many follow a run of `job`; what they got, and what that took of the server."""
    with tempfile.TemporaryDirectory() as folder, server() as running:
        go = Path(folder) / "go"
        run = running.start_run(job, go=str(go), **params)
        crowd = subprocess.Popen(
            [
                sys.executable,
                str(HERE / "clients" / "crowd.py"),
                *("localhost", str(running.port), str(viewers), run),
            ],
            stdout=subprocess.PIPE,
        )
        assert crowd.stdout is not None
        assert crowd.stdout.readline() == b"ready\n"
        process = psutil.Process(running.pid)
        before, memory, begin = process.cpu_times(), process.memory_info().rss, time.monotonic()
        probe = Probe(running) if probed else None
        go.touch()
        output, _ = crowd.communicate(timeout=TIMEOUT)
        after = process.cpu_times()
        found: dict[str, Any] = json.loads(output)
        found["seconds"] = time.monotonic() - begin
        found["stalls"] = probe.stop() if probe is not None else []
        found["cpu"] = after.user + after.system - before.user - before.system
        found["memory"] = process.memory_info().rss - memory
        record = running.ended(run)
        assert record["state"] == "succeeded", record
        assert found["bytes"] == viewers * record["output_bytes"]
    return found


class Probe:
    """GET /healthz every 10 ms, as hub_stall does it, while something else goes on."""

    def __init__(self, running: Server) -> None:
        self._url = f"{running.url}/healthz"
        self._stopped = threading.Event()
        self._values: list[float] = []
        self._thread = threading.Thread(target=self._probe)
        self._thread.start()

    def _probe(self) -> None:
        with requests.Session() as session:
            while not self._stopped.wait(0.01):
                begin = time.perf_counter()
                session.get(self._url, timeout=60)
                self._values.append((time.perf_counter() - begin) * 1000)

    def stop(self) -> list[float]:
        """The answers' times in ms."""
        self._stopped.set()
        self._thread.join()
        return self._values or [0.0]


def _say(name: str, found: dict[str, Any], cost: float) -> None:
    lag = "" if found["p50"] is None else f"lag p50 {found['p50']:.1f} p99 {found['p99']:.1f} ms, "
    print(
        f"  {name:<20} {cost * 1000:>9.1f} ms of CPU/MB  {found['bytes'] / 1e6:,.1f} MB and "
        f"{found['events']:,} events in {found['seconds']:.1f} s, {found['cpu']:.1f} s of CPU, "
        f"{lag}"
        f"memory {found['memory'] / 2**20:+.0f} MiB",
        flush=True,
    )
