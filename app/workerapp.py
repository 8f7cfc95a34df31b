"""The Celery application of the workers, as the environment and .env configure it."""

from __future__ import annotations

import logging
import os
from typing import Any

from app.logs import log_to_stderr
from app.options import add_jobs, token_keys_of
from app.settings import Settings, exit_misconfigured, settings_of
from app.workerprocess import WorkerProcess
from app.workers import redis_url_of_a_worker
from flask_realtime.errors import ConfigurationError
from flask_realtime.jobs import JobRegistry
from flask_realtime.jobsfolder.jobsfolder import load
from flask_realtime.masking import Secrets
from flask_realtime.store.schema import prepare_redis

logger = logging.getLogger(__name__)


def make_worker_app(environ: dict[str, str] | None = None) -> Any:
    """Return the Celery application; what is misconfigured ends the program with code 2.

    Connects to nothing: Celery's other commands, and Flower, use it as well. The jobs are loaded
    here, before the pool is forked, so that all its processes share them.
    """
    try:
        settings = settings_of(dict(os.environ) if environ is None else environ)
        return _made(settings)
    except ConfigurationError as error:
        exit_misconfigured(error)


def _made(settings: Settings) -> Any:
    try:
        from flask_realtime.executors.celery import make_worker
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"a worker needs Celery, which is not installed here ({error.name} is missing): "
            "pip install 'flask-realtime[celery]'"
        ) from error
    secrets = Secrets()
    jobs = JobRegistry()
    add_jobs(jobs, settings)
    failures = load(settings.jobs_path, jobs) if settings.jobs_path is not None else []
    jobs.check()
    url = redis_url_of_a_worker(settings)

    def begin() -> None:
        """In the worker's own process, before its pool."""
        try:
            log_to_stderr(settings.log_level, secrets, settings.log_format)
            token_keys_of(settings)
            prepare_redis(url)
        except ConfigurationError as error:
            exit_misconfigured(error)
        for failure in failures:
            logger.error("a file of JOBS_PATH gives no jobs here: %s", failure)

    def alive() -> None:
        if settings.worker_alive_file is not None:
            settings.worker_alive_file.touch()

    return make_worker(
        settings.broker_url or url,
        [job.name for job in jobs],
        lambda: WorkerProcess(settings, jobs, url, secrets),
        begin=begin,
        alive=alive,
    )
