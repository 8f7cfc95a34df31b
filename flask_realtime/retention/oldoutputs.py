"""The removal of old output: of runs that were removed, and of the oldest beyond a size."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import ParamSpec, Protocol

from flask_realtime.errors import ArchiveUnavailable
from flask_realtime.retention import accounts
from flask_realtime.retention.accounts import Output
from flask_realtime.retention.turn import Turn
from flask_realtime.runs import Run
from flask_realtime.store.store import Store

P = ParamSpec("P")

logger = logging.getLogger(__name__)

AT_ONCE = 100  # runs of one question to Redis
LOST_SECONDS = 600.0  # after which the owner of a lost run is not expected back


class Outputs(Protocol):
    """The output of runs, as the sweeper deals with it. All but the size: ArchiveUnavailable."""

    def spill(self, run: str) -> int:
        """Bring all output of an ended run to where it stays for long; return how many bytes."""

    def stored_bytes(self, run: str) -> int:
        """The bytes that the output takes where it is stored."""

    def discard(self, run: str) -> int:
        """Let go of all output, so that a reader finds one gap; return the bytes that it took."""

    def forget(self, run: str) -> int:
        """As `discard`, for a run that is no more: it leaves nothing at all."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An output as far as it has grown; `ended` tells that it grows no more."""

    output: Output
    ended: bool

    def is_of(self, job: str | None) -> bool:
        return job in (None, self.output.job)


class OldOutputs:
    """Settles the outputs of ended runs and discards the oldest.

    The output of a run is settled `hot_seconds` after its end. `ago(seconds)` is that time as
    records have it.
    """

    def __init__(
        self,
        store: Store,
        turn: Turn,
        ago: Callable[[float], str],
        outputs: Outputs,
        hot_seconds: float,
    ) -> None:
        self._store = store
        self._turn = turn
        self._ago = ago
        self._outputs = outputs
        self._hot_seconds = hot_seconds
        self._archive_away = False  # in this sweep
        self._unsettled: list[Unsettled] = []  # as this sweep found them
        self._discarded = 0  # outputs, for the log
        self._freed = 0  # bytes

    def begin(self) -> None:
        """Begin a sweep."""
        self._archive_away = False
        self._unsettled = []

    def finish(self) -> None:
        """Discard what is noted to go, also by a process that died before it was gone."""
        while runs := self._store.read(partial(accounts.removed, count=AT_ONCE)):
            if not all(self._of_archive(self._discard_whole, run) for run in runs):
                return
        while runs := self._store.read(partial(accounts.discarding, count=AT_ONCE)):
            if not all(self._of_archive(self._discard, run) for run in runs):
                return

    def _discard_whole(self, run: str) -> None:
        self._outputs.forget(run)
        self._store.read(partial(accounts.gone, run=run))

    def _discard(self, run: str) -> None:
        size = self._outputs.discard(run)
        self._store.read(partial(accounts.discarded, run=run))
        logger.debug("the output of run %s was removed: %d bytes", run, size)
        self._discarded += 1
        self._freed += size

    def settle(self) -> None:
        """Settle the outputs whose runs have ended long enough ago, and look at all others."""
        after: str | None = None
        while True:
            page = self._store.read(partial(accounts.unsettled, after=after, count=AT_ONCE))
            for run, record in page:
                self._turn.keep()
                if record is None:
                    self._store.read(partial(accounts.never_settle, run=run))
                else:
                    self._settle_or_count(Run.load(record))
                after = run
            if len(page) < AT_ONCE:
                return

    def _settle_or_count(self, run: Run) -> None:
        if self._is_quiet(run) and self._of_archive(self._settle, run.id, run.job):
            return
        output = Output(run.id, run.job, self._outputs.stored_bytes(run.id))
        self._unsettled.append(Unsettled(output, run.final and run.state != "lost"))

    def _is_quiet(self, run: Run) -> bool:
        """Whether nothing more is to come of a run, and few look at it now."""
        if not run.final:
            return False
        seconds = self._hot_seconds
        if run.state == "lost":  # its owner may be away, and the run go on
            seconds = max(seconds, LOST_SECONDS)
        return (run.ended or run.created) <= self._ago(seconds)

    def _settle(self, run: str, job: str) -> None:
        self._outputs.spill(run)
        output = Output(run, job, self._outputs.stored_bytes(run))
        self._store.read(partial(accounts.settle, output=output))

    def discard_beyond(self, most: int, job: str | None = None) -> None:
        """Discard the oldest outputs, of `job` or of all, while there are more bytes than `most`.

        Those go first that are settled, then those of runs that have ended a moment ago.
        """
        self._discarded = self._freed = 0
        while most and not self._archive_away:
            unsettled = sum(each.output.size for each in self._unsettled if each.is_of(job))
            claimed = self._store.read(partial(accounts.claim, job=job, most=most - unsettled))
            if claimed is not None:
                self._of_archive(self._discard, claimed.run)
                continue
            fresh = self._oldest_unsettled(job)
            if unsettled <= most or fresh is None:
                break
            self._of_archive(self._discard_unsettled, fresh)
        if self._discarded:
            of_job = f" of {job}" if job is not None else ""
            logger.info(
                "the output of %d old runs%s was removed: %d bytes",
                *(self._discarded, of_job, self._freed),
            )

    def _oldest_unsettled(self, job: str | None) -> Unsettled | None:
        for each in self._unsettled:
            if each.ended and each.output.size and each.is_of(job):
                return each
        return None

    def _discard_unsettled(self, fresh: Unsettled) -> None:
        self._discard(fresh.output.run)
        self._store.read(partial(accounts.settle, output=replace(fresh.output, size=0)))
        self._unsettled.remove(fresh)

    def _of_archive(self, function: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> bool:
        """Call `function`; False when the archive is away: a later sweep does it then."""
        if self._archive_away:
            return False
        self._turn.keep()
        try:
            function(*args, **kwargs)
        except ArchiveUnavailable as error:
            logger.warning("old output is not removed yet: %s", error)
            self._archive_away = True
            return False
        return True
