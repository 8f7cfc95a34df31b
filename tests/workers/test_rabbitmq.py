"""RabbitMQ as the broker: a real one, from the message to the worker and back."""

from __future__ import annotations

from pathlib import Path

from flask_realtime.executors.celery import CeleryExecutor
from flask_realtime.redisserver import RedisServer
from tests.support.patience import eventually
from tests.support.rabbitmq import RabbitMQ
from tests.support.server import Server
from tests.support.workers import JOBS, Worker


def test_runs_go_over_rabbitmq_to_their_queues(tmp_path: Path, redis: RedisServer) -> None:
    for name in ("broker", "server"):
        (tmp_path / name).mkdir()
    instance = tmp_path / "server" / "instance"
    with RabbitMQ(tmp_path / "broker") as broker:
        options = {"REDIS_URL": redis.url, "BROKER_URL": broker.url, "JOBS_PATH": str(JOBS)}
        with (
            Server(tmp_path / "server", EXECUTOR="celery", **options) as server,
            Worker(tmp_path, instance, name="plain", **options) as plain,
        ):
            runs = [server.start_run(job, lines=500) for job in ("count", "count_apart")]
            of_gpu = server.start_run("on_gpu")
            for run in runs:
                assert server.ended(run)["state"] == "succeeded"
                assert server.output(run).split() == [b"%d" % number for number in range(500)]
            assert server.run_record(of_gpu)["state"] == "queued"
            with Worker(tmp_path, instance, name="gpu", queues="gpu", **options):
                assert server.ended(of_gpu)["state"] == "succeeded"
            stopped = server.start_run("count", lines=5000, delay_ms=20)
            eventually(lambda: server.output(stopped))
            server.post(f"/api/runs/{stopped}/stop")
            assert server.ended(stopped)["state"] == "stopped"
            executor = CeleryExecutor(broker.url)
            # Acknowledged, and not given to anybody else.
            eventually(lambda: executor.waiting(["default", "gpu"]) == {"default": 0, "gpu": 0})
            plain.stop()
            assert executor.waiting(["default"]) == {"default": 0}
            executor.close()
