"""The registry: keeps the records of runs in Redis, and notices those whose owner has died."""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from redis import Redis

from flask_realtime import history, host
from flask_realtime.errors import StoreUnavailable
from flask_realtime.history import ANY, Filter
from flask_realtime.runs import Run, unknown_run
from flask_realtime.store import keys
from flask_realtime.store.store import Store

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 3.0  # between two signs of life of a process that owns runs
# Between two looks at who gives none: whoever lives has given one in between, also when it is late.
BEATS_OF_A_LOOK = 5 / 3
# Without one an owner counts as silent, and at the second look as dead: within 25 s of its death.
OWNER_DEAD_SECONDS = 15


class RunRegistry:
    """The records of all runs. For greenlets of the hub's thread.

    Runs that this process owns live in memory until they have ended and are safely stored; all
    others are read from Redis. `changed(run)` is called on each change of state that this
    process makes; `disowned(run)` when a run of ours turns out to be another's; `begin_again(run)`
    when one that has lost its worker waits for another.
    """

    def __init__(self, store: Store, stored_end: Callable[[str], tuple[int, int]]) -> None:
        self.owner = f"{socket.gethostname()}-{secrets.token_hex(6)}"
        self.host = socket.gethostname()
        self.changed: Callable[[Run], None] = lambda run: None
        self.disowned: Callable[[Run], None] = lambda run: None
        self.begin_again: Callable[[Run], None] = lambda run: None
        self._store = store
        self._stored_end = stored_end
        self._own: dict[str, Run] = {}
        self._unknown: set[str] = set()  # runs of ours that we do not know of
        self._unsaved: dict[str, bool] = {}  # runs being stored → whether they changed since
        self._saved = host.Signal()
        self._tasks: list[host.Task] = []

    def start(self) -> None:
        """Begin to give signs of life, and to look for runs whose owner died."""
        self._tasks = [host.spawn(self._beat, self._store.returns), host.spawn(self._look_after)]

    def stop(self) -> None:
        """End the signs of life: what this process still owns is lost from now on."""
        for task in self._tasks:
            task.kill()
        self._tasks = []
        if self._store.available:
            try:
                self._store.call(lambda client: client.delete(keys.owner(self.owner)))
            except StoreUnavailable:
                return  # it expires by itself

    def add(self, run: Run) -> None:
        """Store a new run; raises StoreUnavailable, and then there is no run."""
        self._store.call(partial(history.add, run=run, owner_seconds=OWNER_DEAD_SECONDS))
        if run.owner == self.owner:
            self._own[run.id] = run
        self.changed(run)

    def take(self, run: Run) -> None:
        """A run of a worker's queue is ours from now on."""
        self._own[run.id] = run
        self.changed(run)

    def replace(self, run: Run, record: bytes) -> bool:
        """Store a run that nobody owns, if its record is still `record`; True if it is stored.

        Raises StoreUnavailable.
        """
        stored = self._store.call(partial(history.replace, run=run, record=record))
        if stored:
            self.changed(run)
        return stored

    def own(self) -> list[Run]:
        """The runs of this process that have not been handed over to Redis for good."""
        return list(self._own.values())

    def get(self, run: str) -> Run:
        """Raises UnknownRun and StoreUnavailable."""
        if run in self._own:
            return self._own[run]
        data: Any = self._store.read(lambda client: client.get(keys.record(run)))
        if data is None:
            raise unknown_run(run)
        return Run.load(data)

    def list(
        self, limit: int, wanted: Filter = ANY, *, before: str | None = None
    ) -> tuple[list[Run], str | None]:
        """Return up to `limit` runs, newest first, and the `before` of the next page.

        Raises StoreUnavailable.
        """
        found: list[Run] = []
        while True:
            page = self._store.read(
                partial(history.newest, wanted=wanted, before=before, count=limit + 1)
            )
            last = page[-1][0] if len(page) > limit else None
            runs = [Run.load(record) for run, record in page if record and run not in self._own]
            runs += [
                run
                for run in self._own.values()
                if (before is None or run.id < before) and (last is None or run.id >= last)
            ]
            for run in sorted(runs, key=lambda run: run.id, reverse=True):
                if wanted.matches(run):
                    if len(found) == limit:
                        return found, found[-1].id
                    found.append(run)
            if last is None:
                return found, None
            before = last

    def save(self, run: Run) -> None:
        """Tell of a change of a run of ours, and store it soon; does not wait."""
        self.changed(run)
        if run.id in self._unsaved:
            self._unsaved[run.id] = True  # whoever stores it now does so once more
        else:
            self._unsaved[run.id] = True
            host.spawn(self._store_record, run)

    def tell(self, run: Run) -> None:
        """Tell of a change of a run of ours that the next `save` will store; does not wait."""
        self.changed(run)

    def finish(self, run: Run) -> bool:
        """Wait until the last record of a run of ours is stored, and let go of the run.

        False if it is another process's by now.
        """
        while run.id in self._unsaved:
            self._saved.wait()
        while True:
            self._store_record(run, is_last=True)
            try:
                self._store.secure(keys.SECURED)
            except StoreUnavailable:
                self._store.wait_until_available()
            else:
                return self._own.pop(run.id, None) is not None

    def _store_record(self, run: Run, *, is_last: bool = False) -> None:
        """One at a time for each run, so that an old record never overwrites a newer one.

        That a run has ended is stored by the last one only, once its output is complete: others
        take what is stored of it then for all.
        """
        self._unsaved[run.id] = True
        while self._unsaved[run.id] and (is_last or not run.final):
            self._unsaved[run.id] = False
            as_it_is = Run.load(run.dump())  # it may change while another thread stores it
            try:
                if not self._store.call(partial(history.save, run=as_it_is)):
                    self._disown(run)
            except StoreUnavailable:
                self._unsaved[run.id] = True
                self._store.wait_until_available()
        del self._unsaved[run.id]
        self._saved.set()

    def let_go(self, run: Run) -> None:
        """It is not ours any more."""
        self._own.pop(run.id, None)

    def _disown(self, run: Run) -> None:
        """While we gave no sign of life, another process has begun it anew."""
        if self._own.pop(run.id, None) is not None:
            self.disowned(run)

    def _beat(self, seen: int) -> None:
        """`seen`: how often Redis had come back when all that is ours was last stored."""
        while True:
            returns = self._store.returns
            try:
                lived = self._store.call(self._give_sign_of_life)
                if returns != seen:  # it may have lost that they are there
                    self._store.call(partial(history.unsettle, runs=self.own()))
            except StoreUnavailable:
                self._store.wait_until_available()
                continue
            # While we were away others may have taken our runs for lost, or Redis their records.
            if not lived or returns != seen:
                for run in self.own():
                    self.save(run)
            seen = returns
            host.sleep(HEARTBEAT_SECONDS)

    def _give_sign_of_life(self, client: Redis) -> bool:
        """Return whether the last one was still there."""
        key = keys.owner(self.owner)
        return client.set(key, 1, ex=OWNER_DEAD_SECONDS, get=True) is not None

    def _look_after(self) -> None:
        silent: set[str] = set()
        while True:
            try:
                self.adopt()
                # Twice in a row: the signs of life are gone as well when the clock of Redis has
                # moved, or it was away for long; whoever lives gives another one in between.
                silent = self.sweep(silent)
            except StoreUnavailable:
                silent = set()
                self._store.wait_until_available()
            host.sleep(HEARTBEAT_SECONDS * BEATS_OF_A_LOOK)

    def adopt(self) -> None:
        """Index what a version without index has left here."""
        before = None
        while (before := self._store.call(partial(history.adopt, before=before))) is not None:
            host.sleep()

    def sweep(self, among: set[str] | None = None) -> set[str]:
        """Mark the runs `lost` whose owner gives no sign of life, and is one of `among`.

        And those that are ours by their record, and that we do not know of, at two looks in a row:
        Redis did what it was asked for, and its answer was lost. Returns all owners that give no
        sign of life.
        """
        silent = set()
        unknown: set[str] = set()
        for run, record in self._store.call(partial(_orphans, owner=self.owner)):
            if run.id in self._own:
                continue
            if run.owner == self.owner:
                unknown.add(run.id)
                if run.id in self._unknown:
                    self._mark_lost(run, record, dead="")
                continue
            silent.add(run.owner)
            if among is None or run.owner in among:
                self._mark_lost(run, record, dead=run.owner)
        self._unknown = unknown
        return silent

    def _mark_lost(self, run: Run, record: bytes, dead: str) -> None:
        if run.queue is not None and run.state != "stopping" and run.attempt < run.attempts:
            if run.state != "queued":
                run.enter("queued")
                run.attempt += 1
            run.owner = ""
            if self._store.call(partial(history.replace, run=run, record=record, dead=dead)):
                text = "run %s has lost its worker, and waits for another"
                logger.warning(text, run.id, extra=run.named)
                self.changed(run)
                self.begin_again(run)
            return
        run.output_bytes, end_line = self._stored_end(run.id)
        run.output_lines = end_line - 1
        run.enter("lost")
        run.exit = {"code": None, "reason": "the process that ran it has ended"}
        if self._store.call(partial(history.replace, run=run, record=record, dead=dead)):
            self.changed(run)


def _orphans(client: Redis, owner: str) -> list[tuple[Run, bytes]]:
    """Return the runs of `owner`, and those whose owner gives no sign of life.

    Each with its record as it is stored.
    """
    unfinished = []
    for run_id, record in history.active(client):
        try:
            run = Run.load(record) if record is not None else None
        except (TypeError, ValueError) as error:
            text = "the record of run %s cannot be read: %s"
            logger.error(text, run_id, error, extra={"run": run_id})
            continue  # it must not keep us from the others
        if run is None or record is None or run.final:
            client.srem(keys.ACTIVE, run_id)
        elif run.owner:
            unfinished.append((run, record))
    others = list({run.owner for run, _ in unfinished} - {owner})
    pipeline = client.pipeline(transaction=False)
    for other in others:
        pipeline.exists(keys.owner(other))
    dead = {other for other, lives in zip(others, pipeline.execute(), strict=True) if not lives}
    return [each for each in unfinished if each[0].owner in (owner, *dead)]
