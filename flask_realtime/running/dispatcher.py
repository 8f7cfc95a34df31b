"""Hands runs to workers: stores them, says that they are there, and sees that none is forgotten."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from redis import Redis

from flask_realtime import history, host
from flask_realtime.errors import (
    ConfigurationError,
    ExecutorUnavailable,
    StoreUnavailable,
    TooManyRuns,
)
from flask_realtime.executors.remote import RemoteExecutor
from flask_realtime.history import Filter
from flask_realtime.jobs import Job
from flask_realtime.options import Options
from flask_realtime.registry import RunRegistry
from flask_realtime.running import claims
from flask_realtime.running.orders import Orders
from flask_realtime.runs import Run, RunIds
from flask_realtime.store.keys import RESENDER
from flask_realtime.store.store import Store
from flask_realtime.uploads.uploads import Uploads

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0  # between two looks for runs that no message speaks of any more
RESEND_SECONDS = 10.0  # that a run waits while its queue is empty, before it is sent again
RESEND_RUNS = 500  # at one look
SEND_SECONDS = 10.0  # that the broker may take to take a message

QUEUED = Filter(states=("queued",))


class Dispatcher:
    """For greenlets of the hub's thread.

    `trouble(text)` is called when the broker does not answer, and with None when it does again.
    """

    def __init__(
        self,
        runs: RunRegistry,
        store: Store,
        orders: Orders,
        uploads: Uploads,
        options: Options,
        remote: RemoteExecutor,
        ids: RunIds,
    ) -> None:
        self.trouble: Callable[[str | None], None] = lambda text: None
        self.remote = remote
        self._runs = runs
        self._store = store
        self._orders = orders
        self._uploads = uploads
        self._options = options
        self._ids = ids
        self._sent: dict[str, float] = {}  # run → when we last said that it is there
        self._task: host.Task | None = None

    def check(self) -> None:
        """Raise ConfigurationError for what is wrong with how runs are handed on; blocks."""
        self._orders.check()
        self.remote.check()

    def start(self) -> None:
        """Begin to look for runs that no message speaks of any more."""
        self._task = host.spawn(self._look_after)

    def stop(self) -> None:
        """What is sent is sent: nothing is waited for."""
        if self._task is not None:
            self._task.kill()
            self._task = None
        self.remote.close()

    def submit(self, user: str, job: Job, bound: dict[str, Any]) -> Run:
        """Let a run wait for a worker.

        Raises TooManyRuns, StoreUnavailable, and BadParameters for an upload that is not there.
        """
        waiting = self._store.read(partial(history.count, wanted=QUEUED))
        if waiting >= self._options.max_queued_on_workers:
            raise TooManyRuns(
                f"{waiting} runs wait for a worker and no more may (MAX_QUEUED_ON_WORKERS): "
                "stop one, or wait until one begins"
            )
        run = Run(
            id=self._ids.new(),
            job=job.name,
            params=job.plain(bound),
            user=user,
            executor=self.remote.name,
            isolation=job.isolation,
            owner="",
            host="",
            queue=job.rules.queue,
            attempts=1 + job.rules.retries,
        )
        try:
            claimed = self._uploads.claim(run.id, user, job.uploads, bound, shared=True)
            bound.update(claimed.paths)
            run.params.update(claimed.shown)
            self._orders.put(run.id, job.wire(bound))
            self._runs.add(run)
        except BaseException as error:
            if isinstance(error, StoreUnavailable):
                host.spawn(self._withdraw, Run.load(run.dump()))
            self._uploads.give_back(run.id, user)
            raise
        text = "run %s of %s waits for a worker of %s"
        logger.info(text, run.id, run.job, run.queue, extra=run.named)
        self.send(run)
        return run

    def cancel(self, run: Run) -> bool:
        """Stop a run that no worker has taken; False if one has meanwhile."""
        record = run.dump()
        run.exit = {"code": None, "reason": "stopped before it began"}
        run.enter("stopped")
        if not self._runs.replace(run, record):
            return False
        self.forget(run)
        return True

    def _withdraw(self, run: Run) -> None:
        """Nobody was told of it, so it must not begin: Redis may have it all the same."""
        while True:
            self._store.wait_until_available()
            try:
                self.cancel(Run.load(run.dump()))
            except StoreUnavailable:
                host.sleep(LOOK_SECONDS)
            else:
                return

    def forget(self, run: Run) -> None:
        """What was kept for a worker is not wanted any more."""
        self._sent.pop(run.id, None)
        self._uploads.adopt(run.id)
        self._uploads.release(run.id)
        self._orders.remove(run.id)

    def ended(self, run: Run) -> None:
        """A run of a worker has ended: those that waited for that may begin. Raises as Redis."""
        self.forget(run)
        for run_id in self._store.call(partial(claims.next_held, run=run)):
            self.send(self._runs.get(run_id))

    def send(self, run: Run) -> None:
        """Say that there is a run; if that fails, it is said again later."""
        assert run.queue is not None
        self._sent[run.id] = time.monotonic()
        try:
            with host.Timeout(SEND_SECONDS, ExecutorUnavailable("the broker does not answer")):
                host.offload(self.remote.send, run.id, run.queue, run.job)
        except ExecutorUnavailable as error:
            text = "run %s could not be sent to a worker yet: %s"
            logger.error(text, run.id, error, extra=run.named)
            self.trouble(f"{error.message}. Runs on workers begin once it does.")
        else:
            self.trouble(None)

    def _look_after(self) -> None:
        while True:
            host.sleep(LOOK_SECONDS)
            try:
                if self._store.call(_my_turn):
                    self.resend()
            except StoreUnavailable:
                self._store.wait_until_available()
            except ExecutorUnavailable as error:
                self.trouble(f"{error.message}. Runs on workers begin once it does.")

    def resend(self) -> None:
        """Send the runs again that wait although no message is under way.

        Raises StoreUnavailable and ExecutorUnavailable.
        """
        waiting: dict[str, list[Run]] = defaultdict(list)
        for run in self._unclaimed():
            waiting[run.queue or ""].append(run)
        known = {run.id for runs in waiting.values() for run in runs}
        self._sent = {run: when for run, when in self._sent.items() if run in known}
        if not waiting:
            return
        messages = host.offload(self.remote.waiting, list(waiting))
        self.trouble(None)
        now = time.monotonic()
        for queue, runs in waiting.items():
            if messages[queue]:
                continue
            for run in runs:
                # Of those that another node has sent we learn at the first look.
                if now - self._sent.setdefault(run.id, now) >= RESEND_SECONDS:
                    self.send(run)

    def _unclaimed(self) -> Iterable[Run]:
        found = self._store.read(
            partial(history.oldest, wanted=QUEUED, after=None, count=RESEND_RUNS)
        )
        for _, record in found:
            run = Run.load(record) if record is not None else None
            if run is not None and run.queue is not None and run.unclaimed:
                yield run


def _my_turn(client: Redis) -> bool:
    """Whether nobody else has looked for a while."""
    return bool(client.set(RESENDER, 1, px=int(LOOK_SECONDS * 900), nx=True))


def executor_of(job: Job, options: Options, remote: RemoteExecutor | None) -> str:
    """Where runs of `job` run. Raises ConfigurationError for where they cannot."""
    name = job.rules.executor or options.executor
    if job.service is not None:
        if job.rules.executor not in ("", "thread"):
            raise ConfigurationError(
                f"{job.name!r} ({job.source}) stands for a service: its runs are this server's own"
            )
        return "thread"
    if name != "thread" and (remote is None or remote.name != name):
        raise ConfigurationError(
            f"{job.name!r} ({job.source}) runs on executor {name!r}, which is not set up"
        )
    return name
