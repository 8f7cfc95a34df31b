"""The services of an application's jobs: what is asked of them, and who is told how they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_realtime import host
from flask_realtime.errors import RealtimeError
from flask_realtime.jobs import JobRegistry
from flask_realtime.proxy.waiters import Waiters
from flask_realtime.service import ACTIONS, Service, ServiceStatus

LOOK_SECONDS = 3600.0  # at the latest; each change wakes the watch


class Services:
    """For the hub's thread. `tell(job, status)` is called on each change of a service's status."""

    def __init__(self, jobs: JobRegistry) -> None:
        self.tell: Callable[[str, dict[str, Any]], None] = lambda job, status: None
        self._jobs = jobs
        self._told: dict[str, ServiceStatus] = {}
        self._waiters = Waiters()
        self._watch: host.Task | None = None

    def start(self) -> None:
        """Begin to watch the services of all jobs that are registered by now."""
        for service in self._all().values():
            service.changed = self._waiters.wake
        self._told = self._statuses()
        self._watch = host.spawn(self._tell_changes)

    def stop(self) -> None:
        """Watch no more; the services go on."""
        for service in self._all().values():
            service.changed = _nobody_listens
        if self._watch is not None:
            self._watch.kill()

    def get(self, job: str) -> Service:
        """The service of a job. Raises UnknownJob, and RealtimeError for a job that has none."""
        service = self._jobs.get(job).service
        if service is None:
            raise RealtimeError(
                f"the job {job!r} has no service: start and stop its runs",
                code="no_service",
                status=409,
            )
        return service

    def act(self, job: str, action: object) -> None:
        """Start, stop or restart the service of a job; returns at once. Raises as `get`."""
        service = self.get(job)
        if action not in ACTIONS:
            raise RealtimeError(f'"action" must be one of {", ".join(ACTIONS)}, not {action!r:.50}')
        {"start": service.start, "stop": service.stop, "restart": service.restart}[str(action)]()

    def _all(self) -> dict[str, Service]:
        return {job.name: job.service for job in self._jobs if job.service is not None}

    def _statuses(self) -> dict[str, ServiceStatus]:
        return {job: service.status for job, service in self._all().items()}

    def _tell_changes(self) -> None:
        while True:
            self._waiters.wait(lambda: self._statuses() != self._told, LOOK_SECONDS)
            before, self._told = self._told, self._statuses()
            for job, status in self._told.items():
                if before.get(job) != status:
                    self.tell(job, status.public())


def _nobody_listens() -> None:
    pass
