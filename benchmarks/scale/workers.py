"""Floods on 1, 2 and 4 workers at once: how much more do more of them carry?

SCALE_WORKERS are the numbers of workers, SCALE_LINES what each of them prints. Redis, the web node
and whatever else the machine does need cores as well. So beside the rate stands what the rate would
be if each process had had a core: from the CPU that a line took of a worker, and of Redis, which
all workers share.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scale.cluster import Cluster, span
from benchmarks.scale.machine import shared, verdict

WORKERS = [int(number) for number in os.environ.get("SCALE_WORKERS", "1,2,4").split(",")]
LINES = int(os.environ.get("SCALE_LINES", "1000000"))
LEAST_RATIO = 0.8  # of what so many workers would carry if each carried as much as the first
TIMEOUT = 150  # s that the floods may take


@dataclass(frozen=True)
class Flood:
    """What so many workers did: lines in all, seconds, and CPU seconds of each part."""

    workers: int
    lines: int
    seconds: float
    worker_cpu: float
    redis_cpu: float
    free_cores: float

    @property
    def rate(self) -> float:
        """Lines a second."""
        return self.lines / self.seconds

    @property
    def unhindered(self) -> float:
        """Lines a second if each process had a core: what the workers print, or Redis takes."""
        return min(
            self.workers * self.lines / self.worker_cpu if self.worker_cpu else 0.0,
            self.redis_limit,
        )

    @property
    def redis_limit(self) -> float:
        """Lines a second that keep one core of Redis busy."""
        return self.lines / self.redis_cpu if self.redis_cpu else float("inf")


def judge(one: Flood, many: Flood) -> list[str]:
    """Lines on what `many` workers carried, as a share of what they would if each did as `one`.

    As it was, that can be told only if the machine had the cores: one for each worker, and what
    Redis needed meanwhile.
    """
    times = many.workers / one.workers
    needed = many.workers + many.redis_cpu / many.worker_cpu * many.workers
    measured = many.rate / (times * one.rate)
    unhindered = many.unhindered / (times * one.unhindered)
    verdicts = [
        verdict(measured, LEAST_RATIO, at_least=True)
        if min(one.free_cores, many.free_cores) >= needed
        else f"{needed:.1f} cores needed, {many.free_cores:.1f} free of others",
        verdict(unhindered, LEAST_RATIO, at_least=True),
    ]
    return [
        f"{many.workers} to {one.workers}, {name:<15} {share:>6.2f} × linear  "
        f"(wanted: at least {LEAST_RATIO}; {said})"
        for name, share, said in zip(
            ("as it was", "a core to each"), (measured, unhindered), verdicts, strict=True
        )
    ]


def main() -> None:
    found = [measure(workers) for workers in WORKERS]
    for flood in found:
        print(
            f"  {flood.workers} workers: {flood.rate:>10,.0f} lines/s; CPU for 1M lines: worker "
            f"{flood.worker_cpu / flood.lines * 1e6:.2f} s, Redis "
            f"{flood.redis_cpu / flood.lines * 1e6:.2f} s; "
            f"{flood.free_cores:.1f} cores were free of others"
        )
    for flood in found[1:]:
        for line in judge(found[0], flood):
            print(f"  {line}")
    limit = min(flood.redis_limit for flood in found)
    print(f"  one Redis carries       {limit:>10,.0f} lines/s of 80 bytes", flush=True)


def measure(workers: int) -> Flood:
    """Let a run flood on each of so many workers."""
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder)) as cluster:
        cluster.add_workers(workers)
        web = cluster.web
        for run in [web.start_run("worker_flood", lines=1000) for _ in range(workers)]:
            web.ended(run)
        with shared() as share:
            before = cluster.cpu()
            runs = [web.start_run("worker_flood", lines=LINES) for _ in range(workers)]
            records = [web.ended(run, TIMEOUT) for run in runs]
            after = cluster.cpu()
    for record in records:
        assert record["state"] == "succeeded", record
        assert record["output_bytes"] == 80 * LINES, record
    return Flood(
        workers,
        workers * LINES,
        span(records),
        after["workers"] - before["workers"],
        after["redis"] - before["redis"],
        share.free_cores,
    )
