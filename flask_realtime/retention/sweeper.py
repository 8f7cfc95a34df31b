"""Sweeps all runs now and then: one process at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone

from flask_realtime import host
from flask_realtime.errors import StoreUnavailable
from flask_realtime.keep import Keep
from flask_realtime.options import Options
from flask_realtime.retention.oldoutputs import OldOutputs, Outputs
from flask_realtime.retention.oldruns import OldRuns
from flask_realtime.retention.turn import Turn, TurnOver
from flask_realtime.runs import timestamp
from flask_realtime.store.store import Store

logger = logging.getLogger(__name__)

LOOK_SECONDS = 10.0  # between two looks of a process at whose turn it is


class Sweeper:
    """Removes what is not to be kept. For greenlets of the hub's thread.

    All processes have one; they take turns. Every step can be repeated, and is refused for a run
    that has not ended, so that a process that dies or hangs in the middle does no harm. They all
    may be done while Redis has no memory left: what frees some is first.

    `options.keep` holds for all runs, what `of_jobs()` gives by job for the job's runs as well. The
    output of a run is settled `options.output_hot_seconds` after its end. `now()` gives seconds
    since the epoch.
    """

    def __init__(
        self,
        store: Store,
        outputs: Outputs,
        owner: str,
        options: Options,
        of_jobs: Callable[[], Mapping[str, Keep]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._overall = options.keep
        self._of_jobs = of_jobs
        self._now = now
        self._turn = Turn(store, owner)
        self._runs = OldRuns(store, self._turn, self._ago)
        self._outputs = OldOutputs(
            store, self._turn, self._ago, outputs, options.output_hot_seconds
        )
        self._task: host.Task | None = None

    def start(self) -> None:
        """Begin to sweep."""
        self._task = host.spawn(self._sweep_for_ever)

    def stop(self) -> None:
        """Sweep no more; another process may begin at once."""
        if self._task is None:
            return
        self._task.kill()
        self._task = None
        if self._store.available:
            try:
                self._turn.give_up()
            except StoreUnavailable:
                return  # it ends by itself

    def _sweep_for_ever(self) -> None:
        while True:
            try:
                self.sweep()
            except StoreUnavailable:
                self._store.wait_until_available(LOOK_SECONDS)
            except Exception:  # else nothing would be removed any more
                logger.exception("the sweep broke off")
            host.sleep(LOOK_SECONDS)

    def sweep(self) -> None:
        """Sweep once, if it is this process's turn. Raises StoreUnavailable."""
        if not self._turn.take():
            return
        try:
            self._sweep()
        except TurnOver:
            logger.info("the sweep took so long that another process goes on with it")

    def _sweep(self) -> None:
        of_jobs = self._of_jobs()
        for job, keep in of_jobs.items():
            self._runs.remove(keep, job)
        self._runs.remove(self._overall)
        self._outputs.begin()
        self._outputs.finish()
        self._outputs.settle()
        for job, keep in of_jobs.items():
            self._outputs.discard_beyond(keep.output_bytes, job)
        self._outputs.discard_beyond(self._overall.output_bytes)

    def _ago(self, seconds: float) -> str:
        """The time `seconds` ago, as records have it."""
        return timestamp(datetime.fromtimestamp(self._now() - seconds, timezone.utc))
