"""The removal of old runs from the history."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

from flask_realtime import history
from flask_realtime.history import ENDED, Filter
from flask_realtime.keep import Keep
from flask_realtime.retention import accounts
from flask_realtime.retention.turn import Turn
from flask_realtime.runs import Run
from flask_realtime.store.store import Store

logger = logging.getLogger(__name__)

AT_ONCE = 100  # runs of one question to Redis
DAY = 86_400.0


class OldRuns:
    """Removes the oldest ended runs of a job, or of all (None), with their records.

    Their output is noted to be discarded. `ago(seconds)` is that time as records have it.
    """

    def __init__(self, store: Store, turn: Turn, ago: Callable[[float], str]) -> None:
        self._store = store
        self._turn = turn
        self._ago = ago
        self._removed = 0

    def remove(self, keep: Keep, job: str | None = None) -> None:
        """Remove what `keep` does not keep of the runs of `job`."""
        wanted = Filter(job, states=ENDED)
        self._removed = 0
        if keep.days:
            self._remove_old(wanted, self._ago(keep.days * DAY))
        if keep.runs:
            self._remove_beyond(wanted, keep.runs)
        if self._removed:
            of_job = f" of {job}" if job is not None else ""
            logger.info("%d old runs%s were removed", self._removed, of_job)

    def _remove_old(self, wanted: Filter, kept_from: str) -> None:
        for run, record in self._oldest(wanted):
            if run.created >= kept_from:
                return  # those that began later have ended later
            if (run.ended or run.created) < kept_from:
                self._remove(run, record, wanted)

    def _remove_beyond(self, wanted: Filter, keep: int) -> None:
        too_many = self._store.read(partial(history.count, wanted=wanted)) - keep
        for run, record in islice(self._oldest(wanted), max(0, too_many)):
            self._remove(run, record, wanted, keep)

    def _oldest(self, wanted: Filter) -> Iterator[tuple[Run, bytes]]:
        after: str | None = None
        while True:
            page = self._store.read(
                partial(history.oldest, wanted=wanted, after=after, count=AT_ONCE)
            )
            for run, record in page:
                self._turn.keep()
                if record is not None:
                    yield Run.load(record), record
                after = run
            if len(page) < AT_ONCE:
                return

    def _remove(self, run: Run, record: bytes, wanted: Filter, keep: int = 0) -> None:
        if self._store.read(
            partial(accounts.remove, run=run, record=record, wanted=wanted, keep=keep)
        ):
            logger.debug("run %s of %s, created %s, was removed", run.id, run.job, run.created)
            self._removed += 1
