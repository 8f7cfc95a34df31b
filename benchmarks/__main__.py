"""Runs the benchmarks that are named, or all: on both hubs, or on the one that ASYNC_MODE names."""

from __future__ import annotations

import os
import sys

from benchmarks import (
    biglog,
    fanout,
    history,
    hub_stall,
    list_spaces,
    process_throughput,
    proxy,
    resume,
    scale,
    search,
    server,
    server_under_abuse,
    slow_viewer,
    sockets,
    stop_time,
    stream_latency,
    stream_throughput,
    two_nodes,
)
from flask_realtime.host.choice import IMPLEMENTATIONS

BENCHMARKS = {
    "stream_throughput": stream_throughput.main,
    "stream_latency": stream_latency.main,
    "two_nodes": two_nodes.main,
    "slow_viewer": slow_viewer.main,
    "hub_stall": hub_stall.main,
    "list_spaces": list_spaces.main,
    "server": server.main,
    "sockets": sockets.main,
    "proxy": proxy.main,
    "biglog": biglog.main,
    "search": search.main,
    "history": history.main,
    "fanout": fanout.main,
    "resume": resume.main,
    "process_throughput": process_throughput.main,
    "stop_time": stop_time.main,
    "server_under_abuse": server_under_abuse.main,
    "scale": scale.main,
}

if __name__ == "__main__":
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    asked = os.environ.get("ASYNC_MODE")
    for name in names:
        for mode in [asked] if asked else IMPLEMENTATIONS:
            os.environ["ASYNC_MODE"] = mode  # of the servers that it starts
            print(f"{name} ({mode})", flush=True)
            BENCHMARKS[name]()
