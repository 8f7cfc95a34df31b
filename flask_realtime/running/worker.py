"""The side of a worker: takes a run that a message spoke of, and runs it here."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from flask_realtime import host
from flask_realtime.bounds import UNBOUNDED
from flask_realtime.errors import RealtimeError, StoreUnavailable
from flask_realtime.jobs import Job, JobRegistry
from flask_realtime.options import Options
from flask_realtime.registry import RunRegistry
from flask_realtime.running import claims
from flask_realtime.running.orders import Orders
from flask_realtime.running.runner import Runner
from flask_realtime.runs import Run
from flask_realtime.store import keys
from flask_realtime.store.store import Store

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.1  # after Redis was away
END_SECONDS = 0.5  # at most between two looks at whether the run is over


class Worker:
    """For greenlets of the hub's thread."""

    def __init__(
        self,
        jobs: JobRegistry,
        runs: RunRegistry,
        store: Store,
        orders: Orders,
        options: Options,
        runner: Runner,
    ) -> None:
        self._jobs = jobs
        self._runs = runs
        self._store = store
        self._orders = orders
        self._options = options
        self._runner = runner
        self._ended = host.Signal()
        self._taking = 0  # runs that are claimed, perhaps, and not begun
        self._stopping = False

    def perform(self, run_id: str) -> None:
        """Run it here and return once it is over; at once if it is not to be run, or not yet.

        Raises StoreUnavailable; then it is still to be run.
        """
        record: Any = self._store.read(lambda client: client.get(keys.record(run_id)))
        run = Run.load(record) if record is not None else None
        if run is None or not run.unclaimed or self._runner.has(run) or self._stopping:
            return
        fault = None
        try:
            job = self._jobs.get(run.job)
            bound = job.unwire(self._orders.get(run_id))
        except RealtimeError as error:
            if error.status == 503:
                raise
            job, bound, fault = None, {}, error
        self._taking += 1
        try:
            if not self._claim(run, record, job):
                return
            if job is None:
                self._refuse(run, str(fault))
                return
            self._take(run, job, bound)
        finally:
            self._taking -= 1
            self._ended.set()
        while self._runner.has(run) or run in self._runs.own():
            self._ended.wait(END_SECONDS)

    def _take(self, run: Run, job: Job, bound: dict[str, Any]) -> None:
        """Nobody else runs what we have claimed, so Redis is waited for."""
        while True:
            try:
                self._runner.take(run, job, bound)
            except StoreUnavailable:
                self._store.wait_until_available()
                host.sleep(RETRY_SECONDS)
            else:
                return

    def stop(self, seconds: float) -> None:
        """Take no more; what is being taken is the runner's afterwards, or nobody's."""
        self._stopping = True
        host.wait_for(lambda: not self._taking, self._ended, seconds)

    def ended(self) -> None:
        """Some run here is over."""
        self._ended.set()

    def _claim(self, run: Run, record: bytes, job: Job | None) -> bool:
        """Whether it is ours now. An answer that was lost is looked for in the record."""
        try:
            return self._claimed(run, record, job)
        except StoreUnavailable:
            while True:
                self._store.wait_until_available()
                host.sleep(RETRY_SECONDS)
                try:
                    there = self._store.read(lambda client: client.get(keys.record(run.id)))
                except StoreUnavailable:
                    continue
                return there == run.dump()

    def _claimed(self, run: Run, record: bytes, job: Job | None) -> bool:
        run.owner = self._runs.owner
        run.host = self._runs.host
        run.enter("running")
        bounds = job.rules.bounds if job is not None else UNBOUNDED
        said = self._store.call(
            partial(
                claims.claim,
                run=run,
                record=record,
                job=bounds.runs,
                user=bounds.runs_per_user,
                all_=self._options.max_runs_per_user,
            )
        )
        if said == claims.TAKEN:  # before a failover forgets it, and another claims it as well
            self._store.secure(keys.SECURED)
        return said == claims.TAKEN

    def _refuse(self, run: Run, reason: str) -> None:
        """It cannot be run here: let it fail, since it would nowhere else."""
        logger.error("run %s of %s cannot be run: %s", run.id, run.job, reason, extra=run.named)
        run.exit = {"code": None, "reason": reason}
        run.enter("failed")
        self._runs.take(run)
        self._runs.finish(run)
