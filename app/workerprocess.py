"""A process of a worker's pool: an engine without a web server, on plain threads."""

from __future__ import annotations

import logging

from redis import Redis

from app.login.integration import api_base_url, integration_of
from app.login.jobaccess import JobAccess
from app.options import options_of, token_keys_of
from app.settings import Settings
from app.workers import executor, sandbox_of_a_worker
from flask_realtime import host
from flask_realtime.archive import Archive, default_url
from flask_realtime.currentrun import CurrentRun
from flask_realtime.engine import Engine
from flask_realtime.errors import ConfigurationError
from flask_realtime.jobs import JobRegistry
from flask_realtime.logwriter import LogWriter
from flask_realtime.masking import Secrets
from flask_realtime.running.workersigns import own_sign, worker_signs
from flask_realtime.store.store import Store, blocking_client

logger = logging.getLogger(__name__)


class WorkerProcess:
    """Runs runs. For the main thread of a process that has no web server.

    It starts at once. `url` is the address of the Redis; `secrets` learns what no log may show.
    Raises ConfigurationError.
    """

    def __init__(self, settings: Settings, jobs: JobRegistry, url: str, secrets: Secrets) -> None:
        host.use("threading")
        self._seconds = settings.shutdown_seconds
        of_runs = Secrets()
        before_run = []
        if settings.login == "webex":
            before_run.append(_Access(settings, url, secrets, of_runs))
        self.engine = Engine(
            jobs,
            Store(),
            options_of(settings),
            archive=Archive(settings.archive_url or default_url(str(settings.instance_path))),
            remote=executor(settings, lambda: url),
            secrets=of_runs,
            before_run=before_run,
        )
        self.engine.bus.hears_all = False  # nobody watches here
        with host.entered():
            self.engine.store.connect(url)
            self.engine.start()
            runs = self.engine.runs
            self._signs = worker_signs(
                self.engine.store,
                runs.owner,
                lambda: own_sign(len(runs.own()), LogWriter.written_bytes),
            )
            self._signs.start()

    def perform(self, run: str) -> None:
        """Run it, if that is still to be done; return once it is over."""
        with host.entered():
            self.engine.perform(run)

    def stop(self) -> None:
        """Ask what still goes on to end, within SHUTDOWN_SECONDS."""
        with host.entered():
            self._signs.stop()
            self.engine.stop(self._seconds)


class _Access:
    """Gives each run its user's Webex, also after the server beside us has another sandbox."""

    def __init__(self, settings: Settings, url: str, secrets: Secrets, of_runs: Secrets) -> None:
        self._settings = settings
        self._url = url
        self._secrets = secrets
        self._of_runs = of_runs
        self._client: Redis | None = None
        self._access: JobAccess | None = None
        self._sandbox: str | None = None

    def __call__(self, run: CurrentRun) -> None:
        sandbox = sandbox_of_a_worker(self._settings)
        if self._access is None or sandbox != self._sandbox:
            try:
                integration = integration_of(self._settings, sandbox)
            except ConfigurationError:
                logger.warning("the Webex sandbox is not known here: SANDBOX_URL names it")
                return
            self._sandbox = sandbox
            self._of_runs.add(integration.client_secret)
            self._access = JobAccess(
                integration,
                self._connected,
                api_base_url=api_base_url(self._settings, sandbox),
                token_keys=token_keys_of(self._settings),
                seconds=self._settings.login_hours * 3600,
                secrets=self._secrets,
            )
        self._access(run)

    def _connected(self) -> Redis:
        if self._client is None:
            self._client = blocking_client(self._url)
        return self._client
