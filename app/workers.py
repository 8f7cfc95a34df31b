"""The way from a web node to the workers, and what they find of one that runs beside them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from pathlib import Path

from app.settings import Settings
from flask_realtime.errors import ConfigurationError
from flask_realtime.executors.remote import RemoteExecutor
from flask_realtime.store.redissocket import running_at
from flask_realtime.store.redisurl import with_password


def redis_url_of(settings: Settings) -> str:
    """The address of the Redis; empty for the embedded one."""
    return with_password(settings.redis_url, settings.redis_password)


def redis_url_of_a_worker(settings: Settings) -> str:
    """The address of the Redis, be it that which `make run` has started on this machine.

    Raises ConfigurationError.
    """
    url = redis_url_of(settings) or running_at(settings.redis_data)
    if url is None:
        raise ConfigurationError(
            f"REDIS_URL: is empty, and no embedded Redis runs in {settings.redis_data}: start the "
            "server first (make run), or set REDIS_URL to the Redis that the server uses"
        )
    return url


def executor(settings: Settings, redis_url: Callable[[], str]) -> RemoteExecutor | None:
    """What hands runs to workers; None where Celery is not installed.

    `redis_url()` is that of the Redis, be it embedded. Raises ConfigurationError when the settings
    ask for Celery all the same.
    """
    if importlib.util.find_spec("celery") is not None:
        return LateExecutor(lambda: settings.broker_url or redis_url())
    if settings.executor == "celery":
        raise ConfigurationError(
            "EXECUTOR: 'celery' is wrong: Celery is not installed here: "
            "pip install 'flask-realtime[celery]'"
        )
    return None


class LateExecutor:
    """The executor `celery`, which is loaded and connected when it is first used.

    A server whose jobs all run in it needs neither the time nor the memory.
    """

    name = "celery"

    def __init__(self, broker_url: Callable[[], str]) -> None:
        self._broker_url = broker_url
        self._made: RemoteExecutor | None = None

    def check(self) -> None:
        self._executor().check()

    def send(self, run: str, queue: str, job: str = "") -> None:
        self._executor().send(run, queue, job)

    def waiting(self, queues: Iterable[str]) -> dict[str, int]:
        return self._executor().waiting(queues)

    def close(self) -> None:
        if self._made is not None:
            self._made.close()

    def _executor(self) -> RemoteExecutor:
        if self._made is None:
            from flask_realtime.executors.celery import CeleryExecutor

            self._made = CeleryExecutor(self._broker_url())
        return self._made


# The sandbox that a web node starts beside itself has another port each time.


def sandbox_note(settings: Settings) -> Path:
    """The file with the address of the Webex sandbox that a server beside a worker has started."""
    return settings.instance_path / "sandbox_address"


def note_sandbox(settings: Settings, address: str) -> None:
    """Let workers beside this server find its sandbox."""
    note = sandbox_note(settings)
    note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    note.write_text(address, "utf-8")


def sandbox_of_a_worker(settings: Settings) -> str | None:
    """The address of the Webex sandbox, None where none is used or known."""
    if settings.client_id or settings.login != "webex":
        return None
    if settings.sandbox_url:
        return settings.sandbox_url
    try:
        return sandbox_note(settings).read_text("utf-8")
    except FileNotFoundError:
        return None
