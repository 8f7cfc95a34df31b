"""What a worker and a run cost, in the worker, in Redis and in the web node.

A worker has a process for each run that it runs at once. Measured is what a worker of MORE
processes adds: a MORE-th of that is what a process costs, and what it adds to each run elsewhere.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from redis import Redis

from benchmarks.scale.cluster import Cluster, tree
from benchmarks.scale.queued import ended, queue

MORE = 8
RUNS = 300
IDLE_SECONDS = 10.0
SETTLE_SECONDS = 3.0


@dataclass(frozen=True)
class Use:
    """CPU seconds and what Redis counts, between two readings or since the start."""

    workers: float
    redis: float
    web: float
    commands: int
    received: int
    sent: int
    memory: int
    clients: int

    def since(self, before: Use) -> Use:
        return Use(*(a - b for a, b in zip(_values(self), _values(before), strict=True)))


@dataclass(frozen=True)
class Costs:
    """Of one process of a worker while it is idle, and of one short run.

    CPU in seconds (idle: each second), sizes in bytes. `others` is what each further process that
    shares the Redis adds to the cost of a run.
    """

    worker_memory: float
    worker_clients: float
    idle_worker_cpu: float
    idle_redis_cpu: float
    idle_commands: float
    run_worker_cpu: float
    run_redis_cpu: float
    run_web_cpu: float
    run_commands: float
    run_memory: float
    others_redis_cpu: float
    others_bytes: float


def main() -> None:
    for line in describe(measure()):
        print(f"  {line}", flush=True)


def describe(costs: Costs) -> list[str]:
    return [
        f"a process of a worker: {costs.worker_memory / 2**20:.1f} MiB (PSS), "
        f"{costs.worker_clients:.1f} connections to Redis",
        f"idle, each second: {costs.idle_worker_cpu * 1e3:.2f} ms of CPU, "
        f"{costs.idle_commands:.1f} commands, {costs.idle_redis_cpu * 1e3:.3f} ms of Redis",
        f"a short run: worker {costs.run_worker_cpu * 1e3:.2f} ms, web node "
        f"{costs.run_web_cpu * 1e3:.2f} ms, Redis {costs.run_redis_cpu * 1e3:.3f} ms of CPU, "
        f"{costs.run_commands:.0f} commands, {costs.run_memory:,.0f} bytes of Redis kept",
        f"each further process adds to a run {costs.others_redis_cpu * 1e6:.1f} µs of Redis, and "
        f"{costs.others_bytes:,.0f} bytes that Redis sends",
    ]


def measure() -> Costs:
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder)) as cluster:
        client = cluster.web.redis_client()
        with client:
            cluster.add_workers(1)
            few_idle = _idle(cluster, client)
            few, few_clients = _runs(cluster, client, folder), _use(cluster, client).clients
            cluster.add_workers(1, MORE)
            many_idle = _idle(cluster, client)
            many, many_clients = _runs(cluster, client, folder), _use(cluster, client).clients
            memory = _pss(cluster.workers[1]) / MORE
    return Costs(
        worker_memory=memory,
        worker_clients=(many_clients - few_clients) / MORE,
        idle_worker_cpu=(many_idle.workers - few_idle.workers) / IDLE_SECONDS / MORE,
        idle_redis_cpu=(many_idle.redis - few_idle.redis) / IDLE_SECONDS / MORE,
        idle_commands=(many_idle.commands - few_idle.commands) / IDLE_SECONDS / MORE,
        run_worker_cpu=few.workers / RUNS,
        run_redis_cpu=few.redis / RUNS,
        run_web_cpu=few.web / RUNS,
        run_commands=few.commands / RUNS,
        run_memory=few.memory / RUNS,
        others_redis_cpu=(many.redis - few.redis) / RUNS / MORE,
        others_bytes=(many.sent - few.sent) / RUNS / MORE,
    )


def _runs(cluster: Cluster, client: Redis, folder: str) -> Use:
    """What so many short runs use, from their start to the quiet after them."""
    for _ in range(2):  # the first time there are connections to be made, and scripts to be loaded
        before = _use(cluster, client)
        _run_all(cluster, folder)
    return _use(cluster, client).since(before)


def _run_all(cluster: Cluster, folder: str) -> None:
    queue(cluster.web.url, f"{folder}/began", RUNS)
    ended(cluster.web.url)
    time.sleep(SETTLE_SECONDS)


def _idle(cluster: Cluster, client: Redis) -> Use:
    time.sleep(SETTLE_SECONDS)
    before = _use(cluster, client)
    time.sleep(IDLE_SECONDS)
    return _use(cluster, client).since(before)


def _use(cluster: Cluster, client: Redis) -> Use:
    cpu = cluster.cpu()
    info: dict[str, Any] = client.info()
    return Use(
        cpu["workers"],
        cpu["redis"],
        cpu["web"],
        info["total_commands_processed"],
        info["total_net_input_bytes"],
        info["total_net_output_bytes"],
        info["used_memory"],
        info["connected_clients"],
    )


def _values(use: Use) -> list[Any]:
    return list(vars(use).values())


def _pss(worker: psutil.Process) -> float:
    """Bytes of memory of a worker and its pool, its share of what it shares."""
    return float(sum(process.memory_full_info().pss for process in tree(worker)))
