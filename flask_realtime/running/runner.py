"""Starts, bounds and ends the runs of this process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from flask_realtime import history, host
from flask_realtime.errors import NotRunning
from flask_realtime.executors.thread import ThreadExecutor
from flask_realtime.isolation.box import Exit
from flask_realtime.isolation.isolations import isolations
from flask_realtime.jobs import Job
from flask_realtime.options import Options
from flask_realtime.outputlog import OutputLog
from flask_realtime.pipeio import STDERR
from flask_realtime.registry import RunRegistry
from flask_realtime.routing import Routing
from flask_realtime.running.activerun import ActiveRun
from flask_realtime.running.launcher import Launcher
from flask_realtime.running.runqueue import Limits, RunQueue
from flask_realtime.runs import Run, RunIds
from flask_realtime.uploads.uploads import Uploads

logger = logging.getLogger(__name__)

KILL_SECONDS = 2.0  # that the processes of a run may take to be gone once they are killed
POSITION_SECONDS = 0.25  # in which changes of the line are gathered before they are told


class Runner:
    """For greenlets of the hub's thread.

    `began(run, job)` is called once a run has begun, `over(run)` when it has ended; its last
    output may still be on the way to Redis then, `stored(run)` is called when it is there.
    """

    def __init__(
        self,
        runs: RunRegistry,
        log: OutputLog,
        uploads: Uploads,
        options: Options,
        launcher: Launcher,
    ) -> None:
        self.began: Callable[[Run, Job], None] = lambda run, job: None
        self.over: Callable[[Run], None] = lambda run: None
        self.stored: Callable[[Run], None] = lambda run: None
        self._runs = runs
        self._log = log
        self._uploads = uploads
        self._options = options
        self.launcher = launcher
        self._routing = Routing()
        self.executor = ThreadExecutor(isolations(self._routing))
        self._queue = RunQueue(Limits(options.max_runs, options.max_runs_per_user))
        self._active: dict[str, ActiveRun] = {}  # those in line, and those that have begun
        self._arriving: dict[str, ActiveRun] = {}  # accepted, but their records not stored yet
        self._telling: host.Task | None = None
        self.ids = RunIds()
        self._stopping = False

    def start(self) -> None:
        """Route stdout from now on: runs may begin."""
        self._routing.install()

    def stop(self, deadline: host.Deadline) -> None:
        """Ask all runs to end until `deadline`; the rest, and those in line, are `lost`.

        Those of a worker's queue are ended at once, and not lost if they may be begun anew.
        """
        self._stopping = True
        for active in self._in_line():
            self._end(active, _SERVER_STOPPED, deadline.left() + 1)
        for active in [each for each in self._begun() if each.run.queue is not None]:
            self._leave(active, deadline.left() + 1)
        for active in self._begun():
            active.run.stop_reason = active.run.stop_reason or "the server was stopped"
            self._ask(active)
        for active in self._begun():
            self.executor.wait_until(active.run.id, deadline.left())
        killed = host.Deadline(KILL_SECONDS)
        for active in [each for each in self._begun() if self._force(each, if_deadly=True)]:
            self.executor.wait_until(active.run.id, killed.left())
        for active in self._begun():
            self._end(active, _SERVER_STOPPED, deadline.left() + 1)

    def stopped(self) -> None:
        """Nothing of a run comes any more."""
        self._routing.uninstall()

    # Starting

    def submit(self, user: str, job: Job, bound: dict[str, Any]) -> Run:
        """Begin a run of `job`, or let it wait in line.

        Raises TooManyRuns, StoreUnavailable, and BadParameters for an upload that is not there.
        """
        run = Run(
            id=self.ids.new(),
            job=job.name,
            params=job.plain(bound),
            user=user,
            executor=self.executor.name,
            isolation=job.isolation,
            owner=self._runs.owner,
        )
        active = self._make(run, job, bound)
        active.run.queue_position = self._queue.admit(
            active.place,
            [each.place for each in (*self._begun(), *self._arriving.values())],
            sum(each.run.queue_position is not None for each in self._arriving.values()),
            self._options.max_queued,
        )
        self._arriving[run.id] = active
        try:
            claimed = self._uploads.claim(run.id, user, job.uploads, bound)
            bound.update(claimed.paths)
            run.params.update(claimed.shown)
            self._runs.add(run)
        except BaseException:
            self._uploads.give_back(run.id, user)
            raise
        finally:
            del self._arriving[run.id]
        active.writer = self._log.open(run.id)
        self._active[run.id] = active
        self._queue.add(active.place)
        self._proceed()
        return run

    def _make(self, run: Run, job: Job, bound: dict[str, Any]) -> ActiveRun:
        return ActiveRun(
            run,
            self.launcher.launch(run, job, bound),
            self.launcher.bounds_of(job),
            changed=self._runs.save,
            told=self._runs.tell,
            broken=lambda active, reason: self.executor.box(active.run.id).end(reason),
            over=lambda active, end: self._end(active, end, None),
        )

    def _proceed(self) -> None:
        """Begin the runs that may, first come first served."""
        while not self._stopping:
            first = self._queue.next(each.place for each in self._begun())
            if first is None:
                break
            self._queue.remove(first.run)
            self._begin(self._active[first.run])
        if len(self._queue) and self._telling is None:
            self._telling = host.spawn(self._tell_positions)

    def take(self, run: Run, job: Job, bound: dict[str, Any]) -> None:
        """Begin a run that a worker's queue has brought, and that is ours now.

        Raises StoreUnavailable; then it is as it was before.
        """
        active = self._make(run, job, bound)
        active.writer = self._log.take(run.id, history.fence_of(run))
        active.writer.refused = lambda: self.disown(run)
        self._active[run.id] = active
        self._runs.take(run)
        self._uploads.adopt(run.id)
        if run.attempt > 1:
            again = f"\n[its worker was lost: attempt {run.attempt} of {run.attempts}]\n"
            active.writer.append(STDERR, again.encode())
        self._launch(active)

    def disown(self, run: Run) -> None:
        """End a run here that another process has begun anew, and say nothing more of it."""
        active = self._active.pop(run.id, None)
        if active is None:
            return
        logger.error("run %s was begun anew elsewhere: it ends here", run.id, extra=run.named)
        self._log.close(run.id)
        self._runs.let_go(run)
        if self.executor.has(run.id):
            self._force(active)

    def _leave(self, active: ActiveRun, drain_seconds: float) -> None:
        """Let others decide what becomes of a run of a worker, which ends: another may begin it."""
        del self._active[active.run.id]
        if self._force(active):
            self.executor.wait_until(active.run.id, KILL_SECONDS)
        with host.Timeout(drain_seconds, False):
            active.writer.drain()
        self._runs.let_go(active.run)

    def _begin(self, active: ActiveRun) -> None:
        active.run.enter("running")
        self._launch(active)

    def _launch(self, active: ActiveRun) -> None:
        run, job = active.run, active.launch.job
        active.begins()
        self.executor.start(active.launch, active)
        self._runs.save(run)
        self.began(run, job)
        if active.bounds.timeout is not None:
            host.spawn(self._watch_time, active, active.bounds.timeout)
        logger.info("run %s of %s began for %s", run.id, run.job, run.user, extra=run.named)

    def _tell_positions(self) -> None:
        """Soon, and once for all that begin at the same time."""
        host.sleep(POSITION_SECONDS)
        self._telling = None
        places = self._queue.positions(each.place for each in self._begun())
        for run_id, place in places.items():
            run = self._active[run_id].run
            if run.queue_position != place:
                run.queue_position = place
                self._runs.save(run)

    def _in_line(self) -> list[ActiveRun]:
        return [self._active[waiting.run] for waiting in self._queue]

    def _begun(self) -> list[ActiveRun]:
        return [each for each in self._active.values() if each.run.id not in self._queue]

    # Ending

    def has(self, run: Run) -> bool:
        """Whether `run` waits or goes on here."""
        return run.id in self._active

    def active(self, run_id: str) -> ActiveRun:
        """A run that waits or goes on here. Raises NotRunning."""
        active = self._active.get(run_id)
        if active is None:
            raise NotRunning(f"run {run_id[:64]} has ended")
        return active

    def own(self, job: str | None = None) -> list[Run]:
        """The runs that wait or go on here: all, or those of one job."""
        return [each.run for each in self._active.values() if job in (None, each.run.job)]

    def stop_run(self, run_id: str, *, force: bool = False, reason: str = "") -> None:
        """Ask a run to end, or force it to; one in line leaves it. `reason`: why, if nobody asked.

        Nothing is done with a run that is over.
        """
        active = self._active.get(run_id)
        if active is None:
            return
        if run_id in self._queue:
            self._end(active, Exit("stopped", None, "stopped before it began"), None)
            return
        active.run.stop_reason = reason or active.run.stop_reason
        self._ask(active)
        if force:
            self._force(active)

    def _ask(self, active: ActiveRun) -> None:
        box = self.executor.box(active.run.id) if self.executor.has(active.run.id) else None
        if box is not None:
            box.stop()
        if active.run.state == "running":
            if box is not None and box.deadly:
                active.run.stop_grace = active.launch.grace
            active.run.enter("stopping")
            self._runs.save(active.run)
            host.spawn(self._watch_grace, active)

    def _force(self, active: ActiveRun, *, if_deadly: bool = False) -> bool:
        """Whether that was done."""
        if not self.executor.has(active.run.id):
            return False
        box = self.executor.box(active.run.id)
        if if_deadly and not box.deadly:
            return False
        box.force()
        return True

    def _watch_grace(self, active: ActiveRun) -> None:
        """What can be killed is killed after the grace; of a thread the page offers what it can."""
        if self.executor.wait_until(active.run.id, active.launch.grace):
            return
        box = self.executor.box(active.run.id)
        if active.fault:
            box.end(active.fault)
        elif box.deadly:
            box.force()
        else:
            active.run.stop_overdue = True
            self._runs.save(active.run)

    def _watch_time(self, active: ActiveRun, seconds: float) -> None:
        if not self.executor.wait_until(active.run.id, seconds) and not active.fault:
            active.fault = active.run.stop_reason = f"it took longer than {seconds:g} s (timeout)"
            self._ask(active)

    def _end(self, active: ActiveRun, end: Exit, drain_seconds: float | None) -> None:
        """Note how a run ended, once, and store the rest of its output, however long it takes."""
        run, writer = active.run, active.writer
        if run.final or run.id not in self._active:
            return
        if run.id in self._queue:
            self._queue.remove(run.id)
        del self._active[run.id]
        run.output_bytes, run.output_lines = writer.tail.end, writer.tail.end_line - 1
        why = f": {run.stop_reason}" if run.stop_reason and end.state == "stopped" else ""
        run.exit = {"code": end.code, "reason": end.reason + why}
        run.enter(end.state)
        said = (run.id, run.job, run.state, end.reason)
        logger.info("run %s of %s: %s (%s)", *said, extra=run.named)
        self.over(run)
        self._proceed()
        self._uploads.release(run.id)
        writer.end()
        with host.Timeout(drain_seconds, False):
            writer.drain()
            ours = self._runs.finish(run)
            self._log.close(run.id)
            if ours:
                self.stored(run)


_SERVER_STOPPED = Exit("lost", None, "the server was stopped")
