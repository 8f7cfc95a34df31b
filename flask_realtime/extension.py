"""The Flask extension: adds jobs, their page, the API and the socket events to an application."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, overload

from flask import Flask
from redis import Redis

from flask_realtime import host
from flask_realtime.archive import Archive, check_url, default_url
from flask_realtime.commands.command import caller, command_job
from flask_realtime.currentrun import CurrentRun
from flask_realtime.engine import Engine
from flask_realtime.errors import ConfigurationError
from flask_realtime.events import RealtimeEvents
from flask_realtime.executors.remote import RemoteExecutor
from flask_realtime.forwarded import ForwardedHeaders
from flask_realtime.jobs import Job, JobRegistry
from flask_realtime.masking import Secrets
from flask_realtime.nodes.draining import drain
from flask_realtime.nodes.nodes import Nodes
from flask_realtime.options import Options
from flask_realtime.pages import pages_blueprint
from flask_realtime.redisserver import RedisServer
from flask_realtime.server import Server
from flask_realtime.server.limits import Limits
from flask_realtime.store.schema import prepare, prepare_redis
from flask_realtime.store.store import Store, blocking_client
from flask_realtime.trust import LOOPBACK_HOSTS, HostAndOriginGuard
from flask_realtime.watching.socketserver import socket_server
from flask_realtime.watching.socketwire import SocketWires
from flask_realtime.web.api import api_blueprint

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from typing_extensions import Unpack

    from flask_realtime.commands.command import CommandOptions
    from flask_realtime.jobrules import RuleOptions

F = TypeVar("F", bound=Callable[..., object])

SOCKET_PATH = "/socket.io"
PAUSE_SECONDS = 3600.0  # that a client may read nothing of an output
STOP_SECONDS = 3.0  # for requests in progress, once all runs have ended


class Realtime:
    """Live output of Python jobs for a Flask application.

    ``realtime = Realtime(app)`` adds the page at `url_prefix`, the API below it and the socket
    events; ``@realtime.job`` adds a job; ``realtime.run(app)`` serves it all. Without `redis_url`
    a Redis server of its own keeps its data in the application's instance folder. Output that is
    older than the newest of a run goes to `archive_url`, any that fsspec knows; by default to the
    folder `archive` of the instance folder.

    `remote` hands runs to workers, which other processes are (docs/workers.md).

    `identify()` is called in a request's context, for each request and each event, and returns
    the user's name, or None for nobody: the request is refused then. `login()` is what a page
    answers to nobody: a redirect to where one logs in, say. By default every visitor is the one
    local user, and `hosts`, the host names that are answered to, are those of this machine itself.
    `proxies` are the addresses, networks or names of reverse proxies in front: with any, they are
    believed and only they are answered. `async_mode`, "eventlet" or "threading", is what the whole
    process runs on (host/): eventlet, unless host.use has said otherwise.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        title: str = "Jobs",
        url_prefix: str = "/realtime",
        redis_url: str = "",
        redis_data: Path | None = None,
        archive_url: str = "",
        remote: RemoteExecutor | None = None,
        options: Options | None = None,
        identify: Callable[[], str | None] = lambda: "local",
        login: Callable[[], ResponseReturnValue] | None = None,
        hosts: Iterable[str] = LOOPBACK_HOSTS,
        proxies: Iterable[str] = (),
        events: type[RealtimeEvents] = RealtimeEvents,
        async_mode: str = "",
    ) -> None:
        if async_mode:
            host.use(async_mode)
        self.jobs = JobRegistry()
        self._title = title
        self._url_prefix = "/" + url_prefix.strip("/")
        self._redis_url = redis_url
        self._redis_data = redis_data
        self._archive_url = archive_url
        self._remote = remote
        self._options = options or Options()
        self._identify = identify
        self._hosts = tuple(hosts)
        self._proxies = tuple(proxies)
        self._login = login
        self._make_events = events
        self._before_run: list[Callable[[CurrentRun], None]] = []
        self._secrets = Secrets()
        self._redis: RedisServer | None = None
        self._blocking: Redis | None = None
        self._engine: Engine | None = None
        self._nodes: Nodes | None = None
        if app is not None:
            self.init_app(app)

    @overload
    def job(self, function: F, /) -> F: ...
    @overload
    def job(
        self,
        function: None = None,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        **rules: Unpack[RuleOptions],
    ) -> Callable[[F], F]: ...
    def job(
        self,
        function: F | None = None,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        **rules: Unpack[RuleOptions],
    ) -> F | Callable[[F], F]:
        """Make a function a job: ``@realtime.job`` or ``@realtime.job(title="Tidy up")``.

        The keywords are those of `flask_realtime.job`.
        """

        def add(added: F) -> F:
            self.jobs.add(added, name=name, title=title, **rules)
            return added

        return add if function is None else add(function)

    def command(self, name: str, argv: Sequence[str], **options: Unpack[CommandOptions]) -> Job:
        """Make a command a job: ``realtime.command("backup", ["./backup.sh", "{target}"])``.

        `argv` has the program and its arguments, which no shell reads; ``{name}`` in one of them
        is a parameter. `options` are those of `CommandOptions`, and of `flask_realtime.job`
        (docs/jobs.md). Raises RealtimeError for what cannot be run or filled in, with the caller's
        file and line.
        """
        made = command_job(name, argv, options, source=caller())
        self.jobs.extend([made])
        return made

    def before_run(self, function: Callable[[CurrentRun], None], /) -> Callable[[CurrentRun], None]:
        """Call `function(run)` before each job, in its thread and context; a decorator.

        What it sets in context variables the job finds there. What it raises fails the run.
        """
        self._before_run.append(function)
        return function

    def mask(self, secret: str) -> None:
        """Show ``***`` instead of `secret` in the output of all runs.

        Raises ValueError when `secret` has less than 8 characters.
        """
        self._secrets.add(secret)

    @property
    def engine(self) -> Engine:
        """What runs the jobs; there once `init_app` was called."""
        if self._engine is None:
            raise ConfigurationError("Realtime has no application: call init_app(app) first")
        return self._engine

    def init_app(self, app: Flask) -> None:
        """Add the page, the API and the events to `app`. Starts nothing."""
        if self._engine is not None:
            raise ConfigurationError("one Realtime serves one application: make another one")
        if not self._redis_url:
            self._redis = RedisServer(self._redis_data or Path(app.instance_path) / "redis")
        uploads = self._options.uploads_path or Path(app.instance_path) / "uploads"
        engine = self._engine = Engine(
            self.jobs,
            Store(),
            replace(self._options, uploads_path=uploads),
            archive=Archive(self._archive_url or default_url(app.instance_path)),
            remote=self._remote,
            secrets=self._secrets,
            before_run=self._before_run,
        )
        socketio = socket_server(app, self._options.max_event_bytes)
        events = self.events = self._make_events(socketio, engine, self._identify)
        socketio.on_namespace(events)
        engine.status = events.send_status
        engine.notices.tell = events.send_notice
        engine.services.tell = events.send_service
        engine.user_left = events.disconnect_user
        app.register_blueprint(api_blueprint(engine, self._identify), url_prefix=self._below("api"))
        app.register_blueprint(
            pages_blueprint(self._title, self._identify, self._login), url_prefix=self._url_prefix
        )
        wsgi_app = SocketWires(app.wsgi_app, SOCKET_PATH)
        app.wsgi_app = HostAndOriginGuard(  # type: ignore[method-assign]
            wsgi_app, self._hosts, prefixes=(self._url_prefix, SOCKET_PATH)
        )
        if self._proxies:
            app.wsgi_app = ForwardedHeaders(  # type: ignore[method-assign]
                app.wsgi_app, self._proxies
            )
        app.extensions["realtime"] = self

    def _below(self, name: str) -> str:
        return f"{self._url_prefix.rstrip('/')}/{name}"

    def start(self) -> None:
        """Connect to Redis, starting one if none was given, and begin to take runs.

        Call it in the main thread before serving; `run` does. Raises ConfigurationError.
        """
        self.jobs.check()
        if self._archive_url:
            check_url(self._archive_url)
        with host.entered():
            if self._redis is not None:
                self._redis.start()
                prepare(self._redis.url)
            else:
                prepare_redis(self._redis_url)
            self.engine.check()
            self.engine.store.connect(self.redis_url)
            self.engine.start()
            prints = self._options.key_prints
            self._nodes = Nodes(self.engine.store, self.engine.runs.owner, prints)
            self._nodes.start()

    def drain(self, let_go: Callable[[], None]) -> None:
        """Take no more runs, and wait up to `drain_seconds` for those of this process to end.

        `run` calls it once no connection is taken any more; `let_go` sends those who watch to other
        servers, if there are any. Call `stop` afterwards.
        """
        assert self._nodes is not None
        drain(self.engine, self._nodes, let_go, self._options.drain_seconds)

    def stop(self) -> None:
        """End all runs, within `shutdown_seconds`, and the Redis server that `start` started."""
        with host.entered():
            try:
                if self._nodes is not None:
                    self._nodes.leave()
                self.engine.stop(self._options.shutdown_seconds)
                if self._blocking is not None:
                    self._blocking.close()
            finally:
                if self._redis is not None:
                    self._redis.stop()

    @property
    def redis_url(self) -> str:
        """The address of the Redis; that of an embedded one is there once `start` was called."""
        return self._redis.url if self._redis is not None else self._redis_url

    def blocking_redis(self) -> Redis:
        """A client for native threads, jobs for example; the hub must not wait for it.

        There once `start` was called; one client serves all threads.
        """
        if self._blocking is None:
            self._blocking = blocking_client(self.redis_url)
        return self._blocking

    def run(
        self,
        app: Flask,
        host_name: str = "127.0.0.1",
        port: int = 5000,
        *,
        note: str = "",
        ssl_cert: str | Path | None = None,
        ssl_key: str | Path | None = None,
        redirect_http: int | None = None,
        hsts_seconds: int = 0,
        access_log: str | None = None,
    ) -> None:
        """Serve `app` until Ctrl+C or SIGTERM. Raises ConfigurationError when it cannot start.

        Once it can, a line on stderr gives the address, after the line `note` if there is one. The
        other arguments are those of `Server` and `Server.run`.
        """
        # How long a body may be is the application's to say. Output may wait in somebody's pager.
        limits = Limits(max_body_bytes=None, write_seconds=PAUSE_SECONDS, stop_seconds=STOP_SECONDS)
        server = Server(app, limits=limits, hsts_seconds=hsts_seconds, access_log=access_log)
        server.bind(
            port, host_name, ssl_cert=ssl_cert, ssl_key=ssl_key, redirect_http=redirect_http
        )
        with host.entered():
            try:
                self.start()
                try:
                    if note:
                        print(note, file=sys.stderr)
                    server.serve(server.announcement(self._url_prefix))
                    self.drain(server.let_go)
                finally:
                    self.stop()  # before the connections end: their viewers see how the runs do
            finally:
                server.close()
