"""The first page of the history, and one in its middle, with 100,000 past runs."""

from __future__ import annotations

import random
import time
from datetime import datetime, timedelta, timezone

import requests
from redis import Redis

from benchmarks.parts import middle, percentile, server
from flask_realtime import history
from flask_realtime.runs import Run

RUNS = 100_000
ROUNDS = 100
AT_ONCE = 500
WANTED_MS = 50


def main() -> None:
    with server() as running, running.redis_client() as client, requests.Session() as session:
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
