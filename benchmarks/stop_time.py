"""From Stop until nothing is left of a run in a process; and how soon a function starts in one."""

from __future__ import annotations

import datetime
import subprocess
import sys
import time

from benchmarks.parts import middle, program_server
from tests.support.server import Server

ROUNDS = 10
GRACE = 1.0
TABLES = {
    "ignores_term": f"stop_grace = {GRACE}",
    "forks_children": "",
    "forks_a_daemon": f'args = ["stay"]\nstop_grace = {GRACE}',
}
# The job, what it prints once it is ready, how many processes it is, the bound in ms.
STOPPED = (
    ("a function that asks running()", "waits_for_stop", b"here\n", 1, 200),
    ("a command", "forks_children", b"50 children\n", 51, 200),
    ("a daemon that ignores SIGTERM", "forks_a_daemon", b"\n", 2, 1000 * (GRACE + 1)),
    ("one that ignores everything", "ignores_term", b"impressed\n", 1, 1000 * (GRACE + 1)),
)


def main() -> None:
    with program_server(TABLES) as running:
        for title, job, ready, count, bound in STOPPED:
            values = [_stop(running, job, ready, count) for _ in range(ROUNDS)]
            print(f"  {title:<32} {_shown(values)}  (wanted: below {bound:g})")
        starts = [_start(running) for _ in range(ROUNDS)]
    bare = [_interpreter() for _ in range(ROUNDS)]
    print(f"  {'Start to a first line':<32} {_shown(starts)}")
    print(f"  {'python -c print(), alone':<32} {_shown(bare)}")
    print(f"  {'beyond it':<32} p50 {middle(starts) - middle(bare):.0f} ms  (wanted: below 150)")


def _shown(values: list[float]) -> str:
    return f"p50 {middle(values):.0f}  max {max(values):.0f} ms"


def _stop(running: Server, job: str, ready: bytes, count: int) -> float:
    run = running.start_run(job)
    while ready not in running.output(run):
        time.sleep(0.01)
    begin = time.perf_counter()
    running.post(f"/api/runs/{run}/stop")
    while not (record := running.run_record(run))["ended"]:
        time.sleep(0.002)
    seconds = time.perf_counter() - begin
    assert record["processes"] == {"ended": count, "left": 0}, record
    return 1000 * seconds


def _start(running: Server) -> float:
    run = running.start_run("tells_the_time")
    record = running.ended(run)
    started = datetime.datetime.fromisoformat(record["started"].replace("Z", "+00:00"))
    return 1000 * (float(running.output(run)) - started.timestamp())


def _interpreter() -> float:
    begin = time.time()
    command = [sys.executable, "-c", "import time; print(time.time())"]
    return 1000 * (float(subprocess.run(command, capture_output=True, check=True).stdout) - begin)
