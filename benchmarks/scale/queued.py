"""1,000 runs that wait for workers: all end, in the order in which they came, none of them twice.

SCALE_QUEUED is their number, SCALE_POOL that of the workers.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests

from benchmarks.scale.cluster import Cluster, span
from benchmarks.scale.machine import shared

RUNS = int(os.environ.get("SCALE_QUEUED", "1000"))
POOL = int(os.environ.get("SCALE_POOL", "2"))
TIMEOUT = 200.0  # s until all have ended
PAGE = 200  # records that the API gives at once


def overtaken(began: Sequence[str], queued: Sequence[str]) -> int:
    """How many runs had not begun, at most at one time, that were in front of one which had.

    Workers take runs in order, and those that they have taken begin side by side: n of them may
    have overtaken n - 1. Raises ValueError for a run that was not queued, or began twice.
    """
    places = {run: place for place, run in enumerate(queued)}
    if len(set(began)) < len(began) or not places.keys() >= set(began):
        raise ValueError("a run began twice, or was never queued")
    most = last = 0
    for number, run in enumerate(began, 1):
        last = max(last, places[run] + 1)
        most = max(most, last - number)
    return most


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Cluster(Path(folder)) as cluster,
        shared() as share,
    ):
        note = Path(folder, "began")
        before = _redis_bytes(cluster)
        begin = time.monotonic()
        queued = queue(cluster.web.url, str(note), RUNS)
        queueing = time.monotonic() - begin
        waiting = (_redis_bytes(cluster) - before) / RUNS
        cluster.add_workers(POOL)
        records = ended(cluster.web.url)
        began = note.read_text("ascii").split()
    seconds = span(records)
    states = [record["state"] for record in records]
    others = sorted(set(states) - {"succeeded"})
    twice = len(began) - len(set(began))
    most = overtaken(list(dict.fromkeys(began)), queued)
    print(f"  {RUNS:,} runs queued in {queueing:.1f} s, {RUNS / queueing:,.0f} /s")
    print(f"  while it waits a run takes {waiting:,.0f} bytes of Redis, its message included")
    print(
        f"  {POOL} workers ended them in {seconds:.1f} s, {RUNS / seconds:,.0f} /s; "
        f"{share.free_cores:.1f} of {share.cores} cores were free of others"
    )
    for name, is_met in (
        (
            f"all ended: {states.count('succeeded'):,} succeeded {others or ''}",
            len(records) == RUNS,
        ),
        (f"none began twice: {twice} did", not twice and set(began) == set(queued)),
        (f"in order: at most {most} overtaken at one time, of {POOL - 1}", most < POOL),
    ):
        print(f"  {name:<50} {'pass' if is_met and not others else 'miss'}", flush=True)


def _redis_bytes(cluster: Cluster) -> int:
    with cluster.web.redis_client() as client:
        info: dict[str, Any] = client.info("memory")
    return int(info["used_memory"])


def queue(url: str, note: str, count: int) -> list[str]:
    """Start `count` runs, one after the other; their ids."""
    runs = []
    with requests.Session() as session:
        for _ in range(count):
            body = {"job": "worker_note", "params": {"path": note}}
            response = session.post(f"{url}/api/runs", json=body, timeout=60)
            assert response.status_code == 201, response.text
            runs.append(response.json()["id"])
    return runs


def ended(url: str) -> list[dict[str, Any]]:
    """The records of all runs, once none of them waits or goes on."""
    deadline = time.monotonic() + TIMEOUT
    with requests.Session() as session:
        while any(
            _get(session, url, limit=1, state=state)["runs"]
            for state in ("queued", "running", "stopping")
        ):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not all runs ended within {TIMEOUT:.0f} s")
            time.sleep(0.1)
        records: list[dict[str, Any]] = []
        before = None
        while True:
            page = _get(session, url, limit=PAGE, **({"before": before} if before else {}))
            records += page["runs"]
            before = page["next"]
            if before is None:
                return records


def _get(session: requests.Session, url: str, **query: str | int) -> dict[str, Any]:
    response = session.get(f"{url}/api/runs", params=query, timeout=60)
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer
