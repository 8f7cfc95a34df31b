"""The engine: jobs, runs, their output and those who watch, put together. It knows no HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from flask_realtime import host
from flask_realtime.allocator import bound_arenas
from flask_realtime.archive import Archive
from flask_realtime.currentrun import CurrentRun
from flask_realtime.errors import (
    BadParameters,
    ShuttingDown,
    StoreUnavailable,
)
from flask_realtime.executors.remote import RemoteExecutor
from flask_realtime.history import ANY, Filter
from flask_realtime.jobs import Job, JobRegistry
from flask_realtime.masking import Secrets
from flask_realtime.nodes.bus import Bus
from flask_realtime.notices import Notices
from flask_realtime.options import Options
from flask_realtime.outputlog import OutputLog
from flask_realtime.parameters.schema import with_max_bytes
from flask_realtime.registry import RunRegistry
from flask_realtime.retention import Sweeper
from flask_realtime.running.dispatcher import Dispatcher, executor_of
from flask_realtime.running.launcher import Launcher
from flask_realtime.running.orders import Orders
from flask_realtime.running.runcalls import RunCalls
from flask_realtime.running.runner import Runner
from flask_realtime.running.worker import Worker
from flask_realtime.runs import Run, unknown_run
from flask_realtime.service import Service
from flask_realtime.services import Services
from flask_realtime.store.store import Store
from flask_realtime.uploads.uploads import Uploads
from flask_realtime.watching.runoutputs import RunOutputs
from flask_realtime.watching.unwatched import Unwatched
from flask_realtime.watching.viewers import Viewers

logger = logging.getLogger(__name__)


class Engine:
    """All that happens behind the events and the HTTP calls. For greenlets of the hub's thread.

    `status(run)` is called on each change of a run, `user_left(user)` when somebody logs out, here
    or at another process. `remote` hands runs to workers, which `perform` them. `secrets` are
    masked in the output of all runs; each of `before_run` is called in the context of a job before
    it.
    """

    def __init__(
        self,
        jobs: JobRegistry,
        store: Store,
        options: Options,
        *,
        archive: Archive,
        remote: RemoteExecutor | None = None,
        secrets: Secrets | None = None,
        before_run: Iterable[Callable[[CurrentRun], None]] = (),
    ) -> None:
        self.jobs = jobs
        self.options = options
        self.store = store
        self.archive = archive
        self.log = OutputLog(store, archive, hot_bytes=options.output_hot_bytes)
        self.runs = RunRegistry(store, self.log.stored_end)
        self.viewers = Viewers(self.log, window_bytes=options.viewer_window_bytes)
        self.outputs = RunOutputs(self.runs, self.log, self.viewers)
        self.status: Callable[[Run], None] = lambda run: None
        self.outputs.over = lambda run: self.status(run)
        self.notices = Notices()
        self.services = Services(jobs)
        self.unwatched = Unwatched(store, self.viewers.watched, self._stop_unwatched)
        self._sweeper = Sweeper(store, self.log, self.runs.owner, options, jobs.keep)
        self.user_left: Callable[[str], None] = lambda user: None
        self.uploads = Uploads(options.uploads_path, options.max_upload_bytes)
        launcher = Launcher(options, secrets or Secrets(), before_run)
        self._runner = Runner(self.runs, self.log, self.uploads, options, launcher)
        self.remote = remote
        self._dispatcher: Dispatcher | None = None
        orders = Orders(store, options.sealing_keys)
        self._worker = Worker(jobs, self.runs, store, orders, options, self._runner)
        if remote is not None:
            self._dispatcher = Dispatcher(
                self.runs, store, orders, self.uploads, options, remote, self._runner.ids
            )
            self._dispatcher.trouble = lambda text: self.notices.set("broker_away", text)
            self.runs.begin_again = self._dispatcher.send
        self._calls = RunCalls(self.runs, self._runner)
        self.bus = self._calls.bus = Bus(
            store,
            self.runs.owner,
            {
                "status": self._heard_status,
                "user_left": self._heard_left,
                **self._calls.handlers(),
            },
        )
        self.log.mirrors.channels = self.bus
        self._stopping = False

    def start(self) -> None:
        """Install the routing of stdout and begin to watch Redis."""
        bound_arenas()
        self._runner.began = self._began
        self._runner.over = self._over
        self._runner.stored = self._stored
        self._runner.start()
        self.runs.changed = self._tell
        self.runs.disowned = self._runner.disown
        self.store.changed = self._store_changed
        self.archive.start(self._archive_changed)
        self.runs.start()
        self.bus.start()
        self.services.start()
        if self._dispatcher is not None:
            self._dispatcher.start()
        self.unwatched.start()
        self._sweeper.start()
        self.uploads.start()

    def refuse(self) -> None:
        """Begin no more runs; those that there are go on."""
        self._stopping = True

    def check_serving(self) -> None:
        """Raise ShuttingDown once new runs are refused."""
        if self._stopping:
            raise ShuttingDown("the server is shutting down; start the job again in a moment")

    def stop(self, timeout: float) -> None:
        """Ask all runs to end, wait up to `timeout` seconds, and mark the rest `lost`."""
        self._stopping = True
        deadline = host.Deadline(timeout)
        self._worker.stop(deadline.left())
        self._runner.stop(deadline)
        while self.runs.own() and deadline.left() > 0:  # their last bytes are on the way to Redis
            host.sleep(0.01)
        self.uploads.stop()
        self._sweeper.stop()
        self.unwatched.stop()
        self.services.stop()
        if self._dispatcher is not None:
            self._dispatcher.stop()
        self.bus.stop()
        self.runs.stop()
        self.log.stop()
        self.archive.stop()
        self.store.close()
        self._runner.stopped()

    # Jobs and runs

    def describe_jobs(self) -> list[dict[str, object]]:
        """The jobs as clients see them; in a request's context."""
        most = self.options.max_upload_bytes
        return [
            {
                **job.describe(),
                "bounds": self._runner.launcher.bounds_of(job).public(),
                "parameters": with_max_bytes(job.parameters, most),
            }
            for job in self.jobs
        ]

    def get_run(self, user: str, run_id: str) -> Run:
        """The run, if `user` may see it, as its owner may; otherwise it is unknown."""
        run = self.runs.get(run_id)
        if run.user != user:
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
        """Start a run of a job, or let it wait in line; raises what is wrong with the request."""
        self.check_serving()
        job = self.jobs.get(job_name)
        if not isinstance(params, dict):
            raise BadParameters(f'"params" must be an object, not {type(params).__name__}')
        bound = job.bind(params)
        if executor_of(job, self.options, self.remote) != "thread":
            assert self._dispatcher is not None
            return self._dispatcher.submit(user, job, bound)
        return self._runner.submit(user, job, bound)

    def check(self) -> None:
        """Raise ConfigurationError for what runs cannot be handed to. Blocks; before `start`."""
        names = {executor_of(job, self.options, self.remote) for job in self.jobs}
        if self._dispatcher is not None and names != {"thread"}:
            self._dispatcher.check()

    def perform(self, run_id: str) -> None:
        """On a worker: run what a message spoke of, and return once it is over.

        Returns at once for what is not to be run, or not yet. Raises StoreUnavailable.
        """
        if not self._stopping:
            self._worker.perform(run_id)

    def _began(self, run: Run, job: Job) -> None:
        if job.rules.stop_when_unwatched is not None:
            self.unwatched.guard(run.id, job.rules.stop_when_unwatched)

    def _over(self, run: Run) -> None:
        """To those who watch here at once; to all others after the output."""
        self.unwatched.let_go(run.id)
        self.status(run)

    def stop_run(self, user: str, run_id: str, *, force: bool) -> Run:
        """Ask a run to end, or force it to; one that is over is returned as it is."""
        run = self.get_run(user, run_id)
        if run.final:
            return run
        if run.unclaimed and self._dispatcher is not None:
            if self._dispatcher.cancel(replace(run)):
                return self.get_run(user, run_id)
            run = self.get_run(user, run_id)  # a worker has just taken it
        if run.owner != self.runs.owner:
            return self._calls.stop(run, force)
        self._runner.stop_run(run.id, force=force)
        return run

    def give_input(self, user: str, run_id: str, data: object, *, eof: object) -> None:
        """Let a run read what somebody answers; `data` and `eof` as a client sent them."""
        self._calls.give_input(self.get_run(user, run_id), data, eof)

    def report(self, user: str, run_id: str) -> dict[str, Any]:
        """What a run does now, as the protocol's `report` has it. Takes up to some 2 s."""
        return self._calls.report(self.get_run(user, run_id))

    def control(self, user: str, job_name: str, action: object) -> Service:
        """Start, stop or restart the service of a job; a stop asks all runs of it here to end."""
        if self._stopping:
            raise ShuttingDown("the server is shutting down, and its services with it")
        service = self.services.get(job_name)
        if action == "stop":  # the runs first: those that find it stopped end as if by themselves
            for run in self._runner.own(job_name):
                self._runner.stop_run(run.id)
        self.services.act(job_name, action)
        logger.info("%s of %s was asked for by %s", action, job_name, user)
        return service

    def _stop_unwatched(self, run_id: str, seconds: float) -> None:
        self._runner.stop_run(run_id, reason=f"nobody watched it for {seconds:g} s")

    # Other processes

    def log_out(self, user: str) -> None:
        """End all connections of `user`, here and at the other processes."""
        self.user_left(user)
        self.bus.tell_all("user_left", user=user)

    def _tell(self, run: Run) -> None:
        self.status(run)
        self.log.mirrors.look(run.id)  # of another process that we have found dead, say
        self._tell_others(run)

    def _stored(self, run: Run) -> None:
        """All of a run that ended here is in Redis."""
        self._tell_others(run)
        self._worker.ended()
        if run.queue is not None and self._dispatcher is not None:
            self._dispatcher.ended(run)

    def _tell_others(self, run: Run) -> None:
        self.bus.tell_all("status", record=run.dump().decode())

    def _heard_status(self, message: dict[str, Any]) -> None:
        run = Run.load(message["record"].encode())
        self.status(run)
        self._calls.heard.set()
        if run.final:  # and all of its output is stored
            self.log.mirrors.look(run.id)

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
