"""The history with 100,000 past runs: its pages, and the removal of the oldest."""

from __future__ import annotations

import random
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import requests
from redis import Redis

from benchmarks.parts import middle, percentile
from flask_realtime import history
from flask_realtime.runs import Run
from flask_realtime.store import keys
from tests.support.server import Server

RUNS = 100_000
REMOVED = 5000
ROUNDS = 100
AT_ONCE = 500
WANTED_MS = 50


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with Server(Path(folder)) as running:
            _lists(running)
        with Server(Path(folder), KEEP_RUNS=str(RUNS - REMOVED)) as running:
            _sweep(running)


def _lists(running: Server) -> None:
    with running.redis_client() as client, requests.Session() as session:
        before = _used(client)
        ids = _fill(client)
        print(f"  memory of a run         {(_used(client) - before) / RUNS:>10,.0f} bytes of Redis")
        for name, query in {
            "no filter": "",
            "limit=200": "limit=200",
            "job": "job=job-3",
            "state": "state=failed",
            "state of few": "state=lost",
            "job and state": "job=job-3&state=failed",
            "all three": "job=job-3&state=failed&user=local",
            "nothing matches": "job=job-0&state=lost",
            "from the middle on": f"before={ids[RUNS // 2]}",
            "job, from the middle on": f"job=job-3&before={ids[RUNS // 2]}",
        }.items():
            _measure(session, f"{running.url}/api/runs?{query}", name)
        print(f"  (milliseconds of a request, {RUNS:,} runs; wanted: p50 below {WANTED_MS})")


def _sweep(running: Server) -> None:
    """How long the oldest runs take to go, and how the server answers meanwhile."""
    values = []
    with running.redis_client() as client, requests.Session() as session:
        begin = time.perf_counter()
        while _left(client) > RUNS - REMOVED:
            asked = time.perf_counter()
            session.get(f"{running.url}/healthz", timeout=30)
            values.append((time.perf_counter() - asked) * 1000)
            time.sleep(0.01)
        took = time.perf_counter() - begin
    print(f"  {'sweep of the oldest':<23} {took:>10.1f} s   ({REMOVED:,} runs and their output)")
    p50, p99 = middle(values), percentile(values, 0.99)
    print(f"  {'/healthz meanwhile':<23} {p50:>10.1f} ms  p99 {p99:.1f}")


def _left(client: Redis) -> int:
    """The runs that are there, and those whose output is to go yet."""
    removed: int = client.scard(keys.REMOVED)  # type: ignore[assignment]
    return history.count(client, history.ANY) + removed


def _measure(session: requests.Session, url: str, name: str) -> None:
    values = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        answer = session.get(url, timeout=30)
        values.append((time.perf_counter() - begin) * 1000)
    found = len(answer.json()["runs"])
    print(
        f"  {name:<23} {middle(values):>10.1f} ms  p99 {percentile(values, 0.99):.1f}  "
        f"({found} runs)"
    )


def _used(client: Redis) -> int:
    memory: int = client.info("memory")["used_memory"]  # type: ignore[index]
    return memory


def _fill(client: Redis) -> list[str]:
    """Past runs of ten jobs and three users, a minute apart; of job-0 none was lost."""
    dice = random.Random(1)
    begin = datetime.now(timezone.utc) - timedelta(minutes=RUNS)
    ids = []
    for first in range(0, RUNS, AT_ONCE):
        pipeline = client.pipeline(transaction=False)
        for number in range(first, first + AT_ONCE):
            created = begin + timedelta(minutes=number)
            job = dice.randrange(10)
            (state,) = dice.choices(["succeeded", "failed", "stopped", "lost"], [80, 15, 4, 1])
            when = created.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            run = Run(
                id=f"{int(created.timestamp() * 1e6):014x}{dice.getrandbits(40):010x}",
                job=f"job-{job}",
                params={"text": "some words", "number": number},
                user=dice.choices(["local", "ann", "bob"], [8, 1, 1])[0],
                executor="thread",
                isolation="thread",
                owner="a-server-of-the-past",
                state="failed" if job == 0 and state == "lost" else state,
                created=when,
                started=when,
                ended=when,
                exit={"code": 0, "reason": "finished"},
                output_bytes=dice.randrange(1 << 20),
            )
            history.save(pipeline, run)
            ids.append(run.id)
        pipeline.execute()
    return ids
