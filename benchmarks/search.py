"""The search in a large run's output, and what it does to everything else."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from typing import Any

import psutil
import requests

from benchmarks.parts import percentile, server
from tests.support.server import Server

WHOLE_GB = 5  # what is wanted is said for an output of this size ...
WHOLE_SECONDS = 30  # ... in this time
ENDS_SECONDS = 600
KINDS = ("plain", "colour")
QUERIES: tuple[tuple[str, dict[str, object]], ...] = (
    ("a text", {"q": "needle in", "case": 1}),
    ("a text, case ignored", {"q": "Needle IN"}),
    ("an expression", {"q": r"handled \w+ 99999\d{5} of", "regex": 1}),
    ("an expression, slow", {"q": ".*zz$", "regex": 1}),
)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search")
    parser.add_argument("--mib", type=int, default=512, help="of output, of each kind")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    wanted = parser.parse_args(arguments or [])
    with server() as running:
        for kind in wanted.kinds:
            run = running.start_run("logbook", mib=wanted.mib, colour=kind == "colour")
            size = running.ended(run, ENDS_SECONDS)["output_bytes"]
            print(f"  {size / 1e9:.2f} GB, {kind}")
            before = _memory(running)
            for name, query in QUERIES:
                _measure(running, run, size, name, query)
            print(f"    {'memory of the server':<24} {_memory(running) - before:>+8.1f} MiB")
        print(f"    idle: p99 of /healthz {percentile(_probe(running, seconds=3), 0.99):.1f} ms")


def _measure(running: Server, run: str, size: int, name: str, query: dict[str, object]) -> None:
    worked, begin = _worked(running), time.perf_counter()
    found = _search(running, run, query)
    seconds, worked = time.perf_counter() - begin, _worked(running) - worked
    # Again, with somebody who asks: that takes a share of the time by itself.
    done = threading.Event()
    values: list[float] = []
    probing = threading.Thread(target=lambda: values.extend(_probe(running, done)))
    probing.start()
    _search(running, run, query)
    done.set()
    probing.join()
    print(
        f"    {name:<24} {size / seconds / 1e6:>6.0f} MB/s, {WHOLE_GB} GB in "
        f"{seconds * WHOLE_GB * 1e9 / size:>5.1f} s (wanted: {WHOLE_SECONDS}), "
        f"{worked * 1e9 / size:.1f} s of CPU a GB, {found} found; "
        f"p99 of /healthz {percentile(values, 0.99):.1f} ms, longest {max(values):.1f}"
    )


def _search(running: Server, run: str, query: dict[str, object]) -> int:
    """Search all of the output; return how many lines were found."""
    found = 0
    after: int | None = 0
    while after is not None:
        answer = _ask(running, run, {**query, "after": after})
        found += len(answer["matches"])
        after = answer["next"]
    return found


def _ask(running: Server, run: str, query: dict[str, object]) -> dict[str, Any]:
    response = requests.get(
        f"{running.url}/api/runs/{run}/search",
        params={name: str(value) for name, value in query.items()},
        timeout=60,
    )
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


def _probe(
    running: Server, done: threading.Event | None = None, seconds: float = 60
) -> list[float]:
    """Milliseconds that /healthz took, asked every 10 ms."""
    values = []
    session = requests.Session()
    end = time.monotonic() + seconds
    while not (done is not None and done.is_set()) and time.monotonic() < end:
        begin = time.perf_counter()
        session.get(f"{running.url}/healthz", timeout=10)
        values.append((time.perf_counter() - begin) * 1000)
        time.sleep(0.01)
    session.close()
    return values


def _worked(running: Server) -> float:
    """Seconds of CPU that the server has taken: other programs do not matter to that."""
    times = psutil.Process(running.pid).cpu_times()
    return times.user + times.system


def _memory(running: Server) -> float:
    return psutil.Process(running.pid).memory_info().rss / (1 << 20)


if __name__ == "__main__":
    main(sys.argv[1:])
