"""5,000 viewers of one node to whom nothing is said: what each costs, and what limits beyond.

SCALE_VIEWERS are the numbers of viewers, SCALE_SECONDS for how long each of them is looked at.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests

from benchmarks.parts import HERE, ROOT, percentile
from benchmarks.scale.machine import below, shared
from tests.support.server import Server

VIEWERS = {"eventlet": "5000", "threading": "1000"}  # on threads a viewer has some of its own
SECONDS = float(os.environ.get("SCALE_SECONDS", "20"))
WARM = 200  # what the first connections cost is not theirs: modules, caches
RUNS = 20  # that are watched, all of them silent
MOST_KB = 60.0  # of memory, each
MOST_MS = 60.0  # p99 of /healthz
CLIENT_SECONDS = 240  # that a client lives at most
SETTLE_SECONDS = 5.0


def main() -> None:
    usual = VIEWERS[os.environ.get("ASYNC_MODE") or "eventlet"]
    for viewers in os.environ.get("SCALE_VIEWERS", usual).split(","):
        measure(int(viewers))


def measure(viewers: int) -> None:
    """Let so many watch, and say what that takes of the server."""
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as running:
        runs = [running.start_run("silence") for _ in range(RUNS)]
        process = psutil.Process(running.pid)
        idle = percentile(healthz(running.url, SECONDS / 4), 0.99)  # beside what else goes on here
        with _idle(running, WARM, runs):
            before = process.memory_info().rss
            used = _cpu(process)
            with _idle(running, viewers, runs) as connected:
                connecting = (_cpu(process) - used) / viewers
                time.sleep(SETTLE_SECONDS)
                with shared() as share:
                    used, begin = _cpu(process), time.monotonic()
                    waits = healthz(running.url, SECONDS)
                    cpu = (_cpu(process) - used) / (time.monotonic() - begin)
                memory = (process.memory_info().rss - before) / viewers / 1000
                descriptors = process.num_fds()
    p50, p99 = percentile(waits, 0.5), percentile(waits, 0.99)
    rate = viewers / connected["seconds"]
    print(f"  {viewers:,} idle viewers")
    print(f"    memory each           {below(memory, MOST_KB, 'KB')}")
    print(f"    /healthz p99          {below(p99, MOST_MS, 'ms')}")
    print(f"    p50; p99 without them {p50:>10.1f} ms; {idle:.1f} ms")
    print(f"    CPU of the server     {cpu:>10.1%} of a core, {cpu / viewers * 1e6:.0f} µs/s each")
    print(f"    connect and attach    {rate:>10,.0f} /s, {connecting * 1e3:.2f} ms of CPU each")
    print(f"    descriptors           {descriptors:>10,}")
    print(f"    cores free of others  {share.free_cores:>10.1f} of {share.cores}", flush=True)


def healthz(url: str, seconds: float) -> list[float]:
    """Ask for /healthz every 20 ms, for so long; milliseconds that each answer took."""
    values = []
    end = time.monotonic() + seconds
    with requests.Session() as session:
        while time.monotonic() < end:
            begin = time.perf_counter()
            session.get(f"{url}/healthz", timeout=30)
            values.append((time.perf_counter() - begin) * 1000)
            time.sleep(0.02)
    return values


@contextmanager
def _server(folder: Path) -> Iterator[Server]:
    with Server(folder, JOBS_PATH=str(HERE / "jobs"), MAX_RUNS=str(RUNS)) as running:
        yield running


@contextmanager
def _idle(running: Server, viewers: int, runs: list[str]) -> Iterator[dict[str, Any]]:
    """So many idle viewers while the block runs; how long it took until all were there."""
    client = subprocess.Popen(
        [
            *(sys.executable, "-m", "benchmarks.clients.idle", "localhost", str(running.port)),
            *(str(viewers), str(CLIENT_SECONDS), *runs),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert client.stdout is not None
        ready: dict[str, Any] = json.loads(client.stdout.readline())
        yield ready
        client.communicate(timeout=30)  # the end of its stdin
        assert client.returncode == 0, "a viewer was cut off"
    finally:
        if client.poll() is None:
            client.kill()
            client.wait()


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
