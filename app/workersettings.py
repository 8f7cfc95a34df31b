"""The settings of workers: which runs they take, and by which way they hear of them."""

from __future__ import annotations

from app.setting import Setting
from app.settingtypes import broker_url, choice, optional_path, whole_number

WORKER_SETTINGS = (
    Setting(
        "EXECUTOR",
        "thread",
        "",
        choice("thread", "celery"),
        "Where the runs of jobs run that do not say: `thread`, in this server, or `celery`, on "
        "workers ([workers.md](workers.md)).",
        "celery",
    ),
    Setting(
        "BROKER_URL",
        "",
        "",
        broker_url,
        "Where workers hear of runs: a Redis, as REDIS_URL, or RabbitMQ. Empty: REDIS_URL, or the "
        "embedded Redis.",
        "amqp://user:invented-password@rabbitmq:5672//",
    ),
    Setting(
        "MAX_QUEUED_ON_WORKERS",
        "10000",
        "runs",
        whole_number(0, 1_000_000),
        "Runs that wait until a worker takes them; a start beyond is refused.",
        "500",
    ),
    Setting(
        "WORKER_ALIVE_FILE",
        "",
        "",
        optional_path,
        "File that a worker touches every 2 s while its broker answers, for health checks. Empty: "
        "none.",
        "/run/worker-alive",
    ),
)
