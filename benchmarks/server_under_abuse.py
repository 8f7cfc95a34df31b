"""GET /healthz every 10 ms while programs flood, spin, eat memory, fork, crash and ignore Stop."""

from __future__ import annotations

import threading

from benchmarks.parts import latencies, percentile, program_server
from tests.support.server import Server

SECONDS = 8
FLOOD_BYTES = 10**9
TABLES = {
    "floods": f'args = ["{FLOOD_BYTES}"]',
    "spins": "max_cpu_seconds = 5",
    "eats_memory": "max_memory_mib = 500",
    "forks_children": "",
    "forks_a_daemon": "",
    "ignores_term": "stop_grace = 1",
    "segfaults": "",
    "prints_binary": "",
    "reads_a_password": "",
}


def main() -> None:
    with program_server(TABLES) as running:
        _say("idle", latencies(running.url, SECONDS))
        for job in TABLES:
            if job != "floods":
                _say(job, _while_running(running, [job]))
        _say("floods", _while_running(running, ["floods"]))
        together = _while_running(running, list(TABLES))
        _say("all at once", together)
        print(
            f"  p99                     {percentile(together, 0.99):>10.1f} ms  (wanted: below 60)"
        )


def _while_running(running: Server, jobs: list[str]) -> list[float]:
    """Ask while each of `jobs` runs, again and again if it ends."""
    over = threading.Event()
    threads = [threading.Thread(target=_repeat, args=(running, job, over)) for job in jobs]
    for thread in threads:
        thread.start()
    try:
        return latencies(running.url, SECONDS)
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _repeat(running: Server, job: str, over: threading.Event) -> None:
    while not over.is_set():
        run = running.start_run(job)
        while not running.run_record(run)["ended"] and not over.wait(0.2):
            continue
        running.post(f"/api/runs/{run}/stop", {"force": True})
        running.ended(run)


def _say(name: str, values: list[float]) -> None:
    p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
    print(f"  {name:<23} p50 {p50:.1f}  p99 {p99:.1f}  max {max(values):.1f} ms", flush=True)
