"""A run of one node, watched through the other: how late its lines come, and what that costs.

The same run is watched at the node that owns it, for comparison. TWO_NODES_VIEWERS and
TWO_NODES_SECONDS make it shorter.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.parts import HERE
from flask_realtime.redisserver import RedisServer
from tests.support.server import Server

VIEWERS = [int(number) for number in os.environ.get("TWO_NODES_VIEWERS", "1,200").split(",")]
SECONDS = int(os.environ.get("TWO_NODES_SECONDS", "8"))
RATES = (20, 200)  # lines/s
FLOOD_MIB = 8
TIMEOUT = 300  # s


def main() -> None:
    for viewers in VIEWERS:
        for rate in RATES:
            _compare(f"{rate} lines/s", viewers, "paced_lines", rate=rate, seconds=SECONDS)
        _compare("flood", viewers, "flooded_lines", mib=FLOOD_MIB)
    _say("200 lines/s, nobody", measure(0, "other", "paced_lines", rate=200, seconds=SECONDS))


def _compare(name: str, viewers: int, job: str, **params: int) -> None:
    for where in ("owner", "other"):
        _say(f"{name}, {viewers} at {where}", measure(viewers, where, job, **params))


def measure(viewers: int, where: str, job: str, **params: int) -> dict[str, Any]:
    """Let so many follow a run of `job` at its owner or at the other node; CPU of each, in s."""
    with tempfile.TemporaryDirectory() as folder, _nodes(Path(folder)) as nodes:
        owner = nodes["owner"]
        go = Path(folder) / "go"
        run = owner.start_run(job, go=str(go), **params)
        found: dict[str, Any] = {"bytes": 0, "events": 0, "p50": None}
        crowd = None
        if viewers:
            arguments = ("localhost", str(nodes[where].port), str(viewers), run)
            crowd = subprocess.Popen(
                [sys.executable, str(HERE / "clients" / "crowd.py"), *arguments],
                stdout=subprocess.PIPE,
            )
            assert crowd.stdout is not None
            assert crowd.stdout.readline() == b"ready\n"
        processes = {name: psutil.Process(node.pid) for name, node in nodes.items()}
        before = {name: _cpu(process) for name, process in processes.items()}
        go.touch()
        record = owner.ended(run, TIMEOUT)
        if crowd is not None:
            output, _ = crowd.communicate(timeout=TIMEOUT)
            found = json.loads(output)
        for name, process in processes.items():
            found[name] = _cpu(process) - before[name]
        assert found["bytes"] == viewers * record["output_bytes"]
    return found


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


@contextmanager
def _nodes(folder: Path) -> Iterator[dict[str, Server]]:
    common = {"JOBS_PATH": str(HERE / "jobs"), "ARCHIVE_URL": (folder / "archive").as_uri()}
    for name in ("one", "two"):
        (folder / name).mkdir()
    with RedisServer(folder / "redis") as redis:
        common["REDIS_URL"] = redis.url
        with Server(folder / "one", **common) as owner, Server(folder / "two", **common) as other:
            yield {"owner": owner, "other": other}


def _say(name: str, found: dict[str, Any]) -> None:
    lag = ""
    if found["p50"] is not None:
        lag = f"lag p50 {found['p50']:.1f} p99 {found['p99']:.1f} max {found['longest']:.0f} ms, "
    print(
        f"  {name:<27} {lag}{found['events']:,} events, "
        f"CPU owner {found['owner']:.2f} s, other {found['other']:.2f} s",
        flush=True,
    )
