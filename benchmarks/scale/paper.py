"""What 100,000 viewers and 10,000 simultaneous runs need, from what one of each costs. No I/O.

The unit costs are measured (docs/scaling.md says how); no such crowd was ever there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

VIEWERS = 100_000
RUNS = 10_000
BUSY = 0.6  # of a core that one may plan with: the rest is for bursts, and for a node that is away


@dataclass(frozen=True)
class Unit:
    """CPU in seconds each second (runs: in all), memory in bytes, of one viewer, run or worker."""

    viewer_memory: float = 56e3
    viewer_idle_cpu: float = 51e-6
    viewer_connect_cpu: float = 2.5e-3  # once
    viewer_live_cpu: float = 0.56e-3  # 1,000 of them share a run of 100 lines/s
    worker_memory: float = 49 * 2**20
    worker_idle_cpu: float = 1.25e-3
    worker_connections: float = 6.0
    idle_commands: float = 2.4
    idle_redis_cpu: float = 0.125e-3
    run_redis_cpu: float = 2.0e-3  # from its start to its end
    run_web_cpu: float = 10e-3
    run_record: float = 1_700
    line_worker_cpu: float = 1.0e-6
    line_redis_cpu: float = 0.24e-6
    line_bytes: float = 80
    hot_window: float = 16 * 2**20  # OUTPUT_HOT_MIB; twice that while the archive does not keep up


@dataclass(frozen=True)
class Limits:
    """Of one web node, one Redis, one nginx: what each of them can have."""

    node_viewers: int = 5_000
    node_connections: int = 10_000
    redis_clients: int = 10_000
    nginx_connections: int = 8_192
    source_ports: int = 28_232  # of one address of nginx to one address of a node


@dataclass(frozen=True)
class Need:
    """An amount of something, and how it comes about."""

    what: str
    amount: float
    unit: str
    why: str


def for_viewers(viewers: int, unit: Unit, limits: Limits) -> Iterator[Need]:
    """What so many idle viewers need; some of it again for viewers of live output."""
    nodes = math.ceil(viewers / limits.node_viewers)
    yield Need("web nodes", nodes, "", f"{limits.node_viewers:,} viewers each, as measured")
    idle = viewers * unit.viewer_idle_cpu
    yield Need("their CPU, idle", idle, "cores", "a ping every 4 s")
    live = viewers * (unit.viewer_idle_cpu + unit.viewer_live_cpu)
    yield Need("their CPU, live", live, "cores", "runs of 100 lines/s, 1,000 viewers each")
    yield Need("nodes for that", math.ceil(live / BUSY), "", f"{BUSY:.0%} of a core each")
    yield Need("their memory", viewers * unit.viewer_memory / 2**30, "GiB", "beside 0.1 each node")
    again = viewers * unit.viewer_connect_cpu / nodes / BUSY
    yield Need("all come back after", again, "s", "on these nodes, when all were cut off")
    yield Need("descriptors, a node", limits.node_viewers + 300, "", "one each; more than 1,024")
    proxies = math.ceil(2 * viewers / limits.nginx_connections)
    yield Need("nginx processes", proxies, "", f"{limits.nginx_connections:,} connections, 2 each")
    yield Need("ports, nginx to node", limits.node_viewers, "", f"of {limits.source_ports:,}")


def for_runs(runs: int, lines: float, unit: Unit, limits: Limits) -> Iterator[Need]:
    """What so many runs at once need, each of `lines` lines a second."""
    yield Need("processes of pools", runs, "", "one run each")
    yield Need("their memory", runs * unit.worker_memory / 2**30, "GiB", "before any job's own")
    cpu = runs * (unit.worker_idle_cpu + lines * unit.line_worker_cpu)
    yield Need("their CPU", cpu, "cores", f"{lines:g} lines/s each, before any job's own")
    clients = runs * unit.worker_connections
    yield Need("connections to Redis", clients, "", f"of {limits.redis_clients:,} (maxclients)")
    idle = runs * unit.idle_redis_cpu
    yield Need(
        "Redis, signs of life", idle, "cores", f"{runs * unit.idle_commands:,.0f} commands/s"
    )
    total = runs * lines
    output = total * unit.line_redis_cpu
    yield Need("Redis, output", output, "cores", f"{total:,.0f} lines/s; it has one")
    data = total * unit.line_bytes / 1e6
    yield Need("its network and disk", data, "MB/s", "in; once more to the archive")
    hot = runs * unit.hot_window / 2**30
    yield Need("its memory, at most", hot, "GiB", "OUTPUT_HOT_MIB=16, once they have printed it")
    yield Need("with OUTPUT_HOT_MIB=1", hot / 16, "GiB", "twice that in a flood")
    yield Need(
        "all begin within", runs * unit.run_redis_cpu / BUSY, "s", "what Redis does for a run"
    )


def main() -> None:
    unit, limits = Unit(), Limits()
    for title, needs in (
        (f"{VIEWERS:,} viewers, on paper", for_viewers(VIEWERS, unit, limits)),
        (f"{RUNS:,} runs at once, on paper", for_runs(RUNS, 10, unit, limits)),
    ):
        print(f"  {title}")
        for need in needs:
            amount = f"{need.amount:,.0f}" if need.amount >= 10 else f"{need.amount:.2f}"
            print(f"    {need.what:<24}{amount:>10} {need.unit:<6} {need.why}", flush=True)
