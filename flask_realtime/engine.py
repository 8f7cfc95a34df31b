"""The engine: jobs, runs, their output and those who watch, put together. It knows no HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from flask_realtime import currentrun, host
from flask_realtime.currentrun import CurrentRun
from flask_realtime.errors import (
    BadOffset,
    BadParameters,
    NotRunning,
    ShuttingDown,
    StoreUnavailable,
    TooManyRuns,
)
from flask_realtime.executors.thread import ThreadExecutor
from flask_realtime.flaskthread import Exit
from flask_realtime.jobs import JobRegistry
from flask_realtime.masking import Masker, Secrets
from flask_realtime.options import Options
from flask_realtime.outputlog import OutputLog
from flask_realtime.registry import RunRegistry
from flask_realtime.routing import Routing
from flask_realtime.runs import Run, RunIds, unknown_run
from flask_realtime.store import NOT_ANSWERING, Store
from flask_realtime.viewers import Emit, Viewers

logger = logging.getLogger(__name__)


class Engine:
    """All that happens behind the events and the HTTP calls. For greenlets of the hub's thread.

    `status(run)` is called on each change of a run, `notice(object)` when something that
    everybody should know begins or ends. `secrets` are masked in the output of all runs;
    each of `before_run` is called in the context of a job before it.
    """

    def __init__(
        self,
        jobs: JobRegistry,
        store: Store,
        options: Options,
        *,
        secrets: Secrets | None = None,
        before_run: Iterable[Callable[[CurrentRun], None]] = (),
    ) -> None:
        self.jobs = jobs
        self.options = options
        self.store = store
        self.log = OutputLog(store, keep_bytes=options.output_keep_bytes)
        self.runs = RunRegistry(store, self.log.stored_end)
        self.viewers = Viewers(self.log, window_bytes=options.viewer_window_bytes)
        self.status: Callable[[Run], None] = lambda run: None
        self.notice: Callable[[dict[str, Any]], None] = lambda notice: None
        self._secrets = secrets or Secrets()
        self._before_run = before_run
        self._routing = Routing()
        self._executor = ThreadExecutor(self._routing, max_buffer=options.job_buffer_bytes)
        self._ids = RunIds()
        self._starting = 0  # runs that were accepted but are not in the registry yet
        self._stopping = False
        self._standing: dict[str, dict[str, Any]] = {}  # notices that hold now, by code

    def start(self) -> None:
        """Install the routing of stdout and begin to watch Redis."""
        self._routing.install()
        self.runs.changed = lambda run: self.status(run)
        self.store.changed = self._store_changed
        self.runs.start()

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
        self.runs.stop()
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
        self, user: str, limit: int, *, before: str | None = None, **wanted: str
    ) -> tuple[list[Run], str | None]:
        """Runs that `user` may see, newest first; `wanted` compares fields of the record."""

        def matches(run: Run) -> bool:
            return visible(user, run) and all(
                getattr(run, name) == value for name, value in wanted.items()
            )

        return self.runs.list(limit, before=before, matches=matches)

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
            raise NotRunning(
                f"run {run.id} belongs to another server process, on {run.host}: stop it there"
            )
        self._ask_to_stop(run)
        if force:
            self._executor.stop(run.id, force=True)
        return run

    def _ask_to_stop(self, run: Run) -> None:
        self._executor.stop(run.id, force=False)
        if run.state == "running":
            run.enter("stopping")
            self.runs.save(run)
            host.spawn(self._watch_grace, run)

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
        run.exit = {"code": end.code, "reason": end.reason}
        run.enter(end.state)
        logger.info("run %s of %s: %s (%s)", run.id, run.job, run.state, end.reason)
        self.status(run)  # to those who watch at once; to Redis after the output
        writer.end()
        with host.Timeout(drain_seconds, False):
            writer.drain()
            self.runs.finish(run)
            self.log.close(run.id)

    def present(self, run: Run) -> dict[str, Any]:
        """The run as the wire protocol has it, its output counted up to now."""
        record = run.public()
        writer = self.log.writer(run.id)
        if writer is not None and not run.final:
            record["output_bytes"] = writer.tail.end
        return record

    # Output

    def attach(
        self,
        user: str,
        client: str,
        run_id: str,
        emit: Emit,
        *,
        offset: int = 0,
        tail: int | None = None,
    ) -> tuple[Run, int]:
        """Let `client` follow a run from `offset`, or from `tail` bytes before its end."""
        run = self.get_run(user, run_id)
        end = self.output_end(run)
        start = offset if tail is None else max(0, end - tail)
        if not 0 <= start <= end:
            raise BadOffset(
                f"offset {start} is outside the output of run {run.id}, which has {end} bytes"
            )
        self.viewers.attach(client, run.id, start, emit, lambda: self.run_ended(run))
        return run, start

    def output_end(self, run: Run) -> int:
        """The number of bytes that a run has put out so far."""
        writer = self.log.writer(run.id)
        return writer.tail.end if writer is not None else self.log.stored_end(run.id)

    def run_ended(self, run: Run) -> bool:
        """Whether the run is over: then what can be read now is all there will be."""
        return run.final or (run.owner != self.runs.owner and self.runs.get(run.id).final)

    # Notices

    def notices(self) -> list[dict[str, Any]]:
        """Those that hold now, for a client that has just come."""
        return list(self._standing.values())

    def note(self, code: str, message: str | None) -> None:
        """Let the notice `code` stand with `message`, or take it back with None."""
        active = message is not None
        notice = {"code": code, "active": active, "message": message or ""}
        if active:
            self._standing[code] = notice
        elif self._standing.pop(code, None) is None:
            return
        self.notice(notice)

    def _store_changed(self) -> None:
        self.note("store_away", None if self.store.available else NOT_ANSWERING)

    def check_store(self) -> None:
        """Raise StoreUnavailable unless Redis answers now."""
        if not self.store.ping():
            raise StoreUnavailable(NOT_ANSWERING)


def visible(user: str, run: Run) -> bool:
    """Whether `user` may see, and stop, `run`: its owner may."""
    return run.user == user
