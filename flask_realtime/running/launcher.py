"""What the box of a run is given: the job, its parameters, what it may take, whose run it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask_realtime import currentrun
from flask_realtime.bounds import Bounds
from flask_realtime.currentrun import CurrentRun
from flask_realtime.isolation.box import Launch
from flask_realtime.jobs import Job
from flask_realtime.masking import LEAST_LENGTH, Secrets
from flask_realtime.options import Options
from flask_realtime.runs import Run


class Launcher:
    """`secrets` are masked in the output of all runs; `before_run` is called before each job."""

    def __init__(
        self,
        options: Options,
        secrets: Secrets,
        before_run: Iterable[Callable[[CurrentRun], None]],
    ) -> None:
        self._options = options
        self._secrets = secrets
        self._before_run = before_run

    def bounds_of(self, job: Job) -> Bounds:
        """What holds for a run of `job`: its own bounds, and where it has none those of all."""
        return job.rules.bounds.or_else(self._options.bounds_for(job.isolation))

    def launch(self, run: Run, job: Job, bound: dict[str, Any]) -> Launch:
        """What `run` begins with; `bound` is what `Job.bind` returned."""
        current = CurrentRun(run.id, run.job, run.user, Secrets(self._secrets))
        for secret in job.secrets(bound):
            if len(secret) >= LEAST_LENGTH:
                current.secrets.add(secret)
        grace = job.rules.stop_grace
        return Launch(
            job=job,
            params=bound,
            run=current,
            prepare=lambda: self._prepare(current),
            options=self._options,
            grace=self._options.stop_grace_seconds if grace is None else grace,
        )

    def _prepare(self, current: CurrentRun) -> None:
        """In the job's context and thread, where it has these."""
        currentrun.enter(current)
        for prepare in self._before_run:
            prepare(current)
