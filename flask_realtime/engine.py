"""The engine: jobs, runs, their output and those who watch, put together. It knows no HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from flask_realtime import currentrun, host
from flask_realtime.allocator import bound_arenas
from flask_realtime.archive import Archive
from flask_realtime.bus import Bus
from flask_realtime.currentrun import CurrentRun
from flask_realtime.errors import (
    BadParameters,
    NotRunning,
    ShuttingDown,
    StoreUnavailable,
    TooManyRuns,
)
from flask_realtime.executors.thread import ThreadExecutor
from flask_realtime.flaskthread import Exit
from flask_realtime.history import ANY, Filter
from flask_realtime.jobs import JobRegistry
from flask_realtime.masking import Masker, Secrets
from flask_realtime.notices import Notices
from flask_realtime.options import Options
from flask_realtime.outputlog import OutputLog
from flask_realtime.registry import RunRegistry
from flask_realtime.retention import Sweeper
from flask_realtime.routing import Routing
from flask_realtime.runs import Run, RunIds, unknown_run
from flask_realtime.service import Service
from flask_realtime.services import Services
from flask_realtime.store import Store
from flask_realtime.watching.runoutputs import RunOutputs
from flask_realtime.watching.unwatched import Unwatched
from flask_realtime.watching.viewers import Viewers

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 2.0  # in which another process tells of the stop that it was asked for


class Engine:
    """All that happens behind the events and the HTTP calls. For greenlets of the hub's thread.

    `status(run)` is called on each change of a run, `user_left(user)` when somebody logs out, here
    or at another process. `secrets` are masked in the output of all runs;
    each of `before_run` is called in the context of a job before it.
    """

    def __init__(
        self,
        jobs: JobRegistry,
        store: Store,
        options: Options,
        *,
        archive: Archive,
        secrets: Secrets | None = None,
        before_run: Iterable[Callable[[CurrentRun], None]] = (),
    ) -> None:
        self.jobs = jobs
        self.options = options
        self.store = store
        self.archive = archive
        self.log = OutputLog(store, archive, hot_bytes=options.output_hot_bytes)
        self.runs = RunRegistry(store, self.log.stored_end)
        self.bus = Bus(
            store,
            self.runs.owner,
            {"status": self._heard_status, "stop": self._heard_stop, "user_left": self._heard_left},
        )
        self.viewers = Viewers(self.log, window_bytes=options.viewer_window_bytes)
        self.outputs = RunOutputs(self.runs, self.log, self.viewers)
        self.status: Callable[[Run], None] = lambda run: None
        self.notices = Notices()
        self.services = Services(jobs)
        self.unwatched = Unwatched(store, self.viewers.watched, self._stop_unwatched)
        self._sweeper = Sweeper(store, self.log, self.runs.owner, options, jobs.keep)
        self.user_left: Callable[[str], None] = lambda user: None
        self._heard = host.Signal()  # another process told of a change of a run
        self._secrets = secrets or Secrets()
        self._before_run = before_run
        self._routing = Routing()
        self._executor = ThreadExecutor(self._routing, max_buffer=options.job_buffer_bytes)
        self._ids = RunIds()
        self._starting = 0  # runs that were accepted but are not in the registry yet
        self._stopping = False

    def start(self) -> None:
        """Install the routing of stdout and begin to watch Redis."""
        bound_arenas()
        self._routing.install()
        self.runs.changed = self._tell
        self.store.changed = self._store_changed
        self.archive.start(self._archive_changed)
        self.runs.start()
        self.bus.start()
        self.services.start()
        self.unwatched.start()
        self._sweeper.start()

    def stop(self, timeout: float) -> None:
        """Ask all runs to end, wait up to `timeout` seconds, and mark the rest `lost`."""
        self._stopping = True
        for run in self.runs.own():
            self._ask_to_stop(run)
        deadline = host.Deadline(timeout)
        for run in self.runs.own():
            self._executor.wait_until(run.id, deadline.left())
        for run in self.runs.own():
            if not run.final:
                self._end(run, Exit("lost", None, "the server was stopped"), deadline.left() + 1)
        while self.runs.own() and deadline.left() > 0:  # their last bytes are on the way to Redis
            host.sleep(0.01)
        self._sweeper.stop()
        self.unwatched.stop()
        self.services.stop()
        self.bus.stop()
        self.runs.stop()
        self.log.stop()
        self.archive.stop()
        self.store.close()
        self._routing.uninstall()

    # Jobs and runs

    def get_run(self, user: str, run_id: str) -> Run:
        """The run, if `user` may see it; otherwise it is unknown."""
        run = self.runs.get(run_id)
        if not visible(user, run):
            raise unknown_run(run_id)
        return run

    def list_runs(
        self, viewer: str, limit: int, wanted: Filter = ANY, *, before: str | None = None
    ) -> tuple[list[Run], str | None]:
        """Runs that `viewer` may see, newest first, and the `before` of the next page."""
        if wanted.user not in (None, viewer):
            return [], None
        return self.runs.list(limit, replace(wanted, user=viewer), before=before)

    def start_run(self, user: str, job_name: str, params: Any) -> Run:
        """Start a run of a job; raises what is wrong with the request."""
        if self._stopping:
            raise ShuttingDown("the server is shutting down; start the job again in a moment")
        job = self.jobs.get(job_name)
        if not isinstance(params, dict):
            raise BadParameters(f'"params" must be an object, not {type(params).__name__}')
        bound = job.bind(params)
        active = self._starting + sum(not run.final for run in self.runs.own())
        if active >= self.options.max_runs:
            raise TooManyRuns(
                f"{active} runs are active, which is the limit (MAX_RUNS): "
                "stop one, or wait until one ends"
            )
        run = Run(
            id=self._ids.new(),
            job=job.name,
            params=job.plain(bound),
            user=user,
            executor=self._executor.name,
            isolation=job.isolation,
            owner=self.runs.owner,
        )
        self._starting += 1
        try:
            self.runs.add(run)
        finally:
            self._starting -= 1
        writer = self.log.open(run.id)
        run.enter("running")
        current = CurrentRun(run.id, run.job, run.user, Secrets(self._secrets))
        masker = Masker(writer.append, current.secrets)

        def ended(end: Exit) -> None:
            masker.flush()
            self._end(run, replace(end, reason=current.secrets.mask(end.reason)), None)

        self._executor.start(
            run.id, job, bound, lambda: self._prepare(current), masker.write, ended
        )
        self.runs.save(run)
        if job.rules.stop_when_unwatched is not None:
            self.unwatched.guard(run.id, job.rules.stop_when_unwatched)
        logger.info("run %s of %s started for %s", run.id, run.job, run.user)
        return run

    def _prepare(self, current: CurrentRun) -> None:
        """In the job's context and thread."""
        currentrun.enter(current)
        for prepare in self._before_run:
            prepare(current)

    def stop_run(self, user: str, run_id: str, *, force: bool) -> Run:
        """Ask a run to end, or force it to; one that is over is returned as it is."""
        run = self.get_run(user, run_id)
        if run.final:
            return run
        if run.owner != self.runs.owner:
            return self._stop_elsewhere(run, force)
        self._stop_here(run, force)
        return run

    def _stop_here(self, run: Run, force: bool) -> None:
        self._ask_to_stop(run)
        if force:
            self._executor.stop(run.id, force=True)

    def _stop_elsewhere(self, run: Run, force: bool) -> Run:
        """Let the process that owns the run stop it; return the run as it is then."""
        if not self.bus.ask(run.owner, "stop", run=run.id, force=force):
            raise NotRunning(
                f"the server process that runs {run.id}, on {run.host}, does not answer; "
                "if it is gone, the run is marked lost within 30 s"
            )
        host.wait_for(
            lambda: self.runs.get(run.id).state not in ("queued", "running"),
            self._heard,
            ANSWER_SECONDS,
        )
        return self.runs.get(run.id)

    def control(self, user: str, job_name: str, action: object) -> Service:
        """Start, stop or restart the service of a job; a stop asks all runs of it here to end."""
        if self._stopping:
            raise ShuttingDown("the server is shutting down, and its services with it")
        service = self.services.get(job_name)
        if action == "stop":  # the runs first: those that find it stopped end as if by themselves
            for run in self.runs.own():
                if run.job == job_name and not run.final:
                    self._ask_to_stop(run)
        self.services.act(job_name, action)
        logger.info("%s of %s was asked for by %s", action, job_name, user)
        return service

    def _ask_to_stop(self, run: Run) -> None:
        self._executor.stop(run.id, force=False)
        if run.state == "running":
            run.enter("stopping")
            self.runs.save(run)
            host.spawn(self._watch_grace, run)

    def _stop_unwatched(self, run_id: str, seconds: float) -> None:
        run = self.runs.get(run_id)
        run.stop_reason = f"nobody watched it for {seconds:g} s"
        self._ask_to_stop(run)

    def _watch_grace(self, run: Run) -> None:
        if not self._executor.wait_until(run.id, self.options.stop_grace_seconds):
            run.stop_overdue = True
            self.runs.save(run)

    def _end(self, run: Run, end: Exit, drain_seconds: float | None) -> None:
        """Note how a run ended, once, and store the rest of its output, however long it takes."""
        if run.final:
            return
        writer = self.log.writer(run.id)
        assert writer is not None
        run.output_bytes = writer.tail.end
        run.output_lines = writer.tail.end_line - 1
        self.unwatched.let_go(run.id)
        why = f": {run.stop_reason}" if run.stop_reason and end.state == "stopped" else ""
        run.exit = {"code": end.code, "reason": end.reason + why}
        run.enter(end.state)
        logger.info("run %s of %s: %s (%s)", run.id, run.job, run.state, end.reason)
        self.status(run)  # to those who watch here at once; to all others after the output
        writer.end()
        with host.Timeout(drain_seconds, False):
            writer.drain()
            self.runs.finish(run)
            self.log.close(run.id)
            self._tell_others(run)

    # Other processes

    def log_out(self, user: str) -> None:
        """End all connections of `user`, here and at the other processes."""
        self.user_left(user)
        self.bus.tell_all("user_left", user=user)

    def _tell(self, run: Run) -> None:
        self.status(run)
        self._tell_others(run)

    def _tell_others(self, run: Run) -> None:
        self.bus.tell_all("status", record=run.dump().decode())

    def _heard_status(self, message: dict[str, Any]) -> None:
        self.status(Run.load(message["record"].encode()))
        self._heard.set()

    def _heard_stop(self, message: dict[str, Any]) -> None:
        for run in self.runs.own():
            if run.id == message["run"] and not run.final:
                self._stop_here(run, message["force"])

    def _heard_left(self, message: dict[str, Any]) -> None:
        self.user_left(message["user"])

    def _store_changed(self) -> None:
        self.notices.set("store_away", None if self.store.available else self.store.reason)

    def _archive_changed(self) -> None:
        self.notices.set("archive_away", self.archive.reason or None)

    def check_store(self) -> None:
        """Raise StoreUnavailable unless Redis answers now."""
        if not self.store.ping():
            raise StoreUnavailable(self.store.reason)


def visible(user: str, run: Run) -> bool:
    """Whether `user` may see, and stop, `run`: its owner may."""
    return run.user == user
