"""What is told of workers: their log as JSON, and figures at the web nodes' /metrics."""

from __future__ import annotations

import json
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from flask_realtime.redisserver import RedisServer
from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.workers import JOBS, Worker

TOKEN = "invented-token-0123456789"
SETTINGS = {"METRICS_TOKEN": TOKEN, "EXECUTOR": "celery", "JOBS_PATH": str(JOBS)}


def figures(server: Server) -> dict[str, float]:
    """What all nodes tell alike, added up by name and, where there is one, state."""
    answer = server.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = sample.labels
            if labels.get("executor", "celery") == "celery":
                name = " ".join(
                    [sample.name.removeprefix("flask_realtime_"), labels.get("state", "")]
                )
                found[name.strip()] = found.get(name.strip(), 0) + sample.value
    return found


def test_a_worker_is_told_of_and_tells(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    with RedisServer(tmp_path / "redis") as redis:
        shared = {"REDIS_URL": redis.url, "LOG_FORMAT": "json"}
        with Server(tmp_path, INSTANCE_PATH=str(instance), **SETTINGS, **shared) as server:
            waiting = [server.start_run("count", lines=100_000, delay_ms=10) for _ in range(3)]
            found = eventually(lambda: f if (f := figures(server))["queue_length"] == 3 else None)
            assert found["broker_up"] == 1
            assert found["web_nodes"] == 1
            assert found["worker_processes"] == 0
            assert found["active_runs queued"] == 3
            with Worker(tmp_path, instance, processes=2, **shared) as worker:
                found = eventually(
                    lambda: f if (f := figures(server)).get("worker_runs") == 2 else None
                )
                assert found["worker_processes"] == 2
                assert found["active_runs running"] == 2
                assert found["active_runs queued"] == found["queue_length"] == 1
                assert found["worker_memory_bytes"] > 2 << 20
                for run in waiting:
                    server.post(f"/api/runs/{run}/stop")
                for run in waiting:
                    server.ended(run)
            assert eventually(lambda: figures(server)["worker_processes"] == 0)
            lines = worker.log.splitlines()
    # Celery writes its banner and how it was asked to stop past everything.
    entries = [json.loads(line) for line in lines[_banner(lines) :] if line and line != _STOPPED]
    started = [each for each in entries if each.get("run") in waiting]
    assert len(started) >= 4
    assert {each["user"] for each in started} == {"local"}


_STOPPED = "worker: Warm shutdown (MainProcess)"


def _banner(lines: list[str]) -> int:
    return next(number for number, line in enumerate(lines) if line.startswith("{"))
