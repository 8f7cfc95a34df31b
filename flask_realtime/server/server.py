"""A server for any Flask application, TLS included: ``run(app)``.

It serves WSGI, Socket.IO, raw WebSockets and proxied applications on one port, in greenlets of one
native thread or in plain threads that take turns (host/), and ends as a service should: no new
requests, those in progress answered, WebSockets told with 1001, exit code 0.
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask_realtime import host as hub
from flask_realtime.errors import ConfigurationError
from flask_realtime.forwarded import ForwardedHeaders
from flask_realtime.isolation.jobref import refuse_to_serve
from flask_realtime.server.accesslog import AccessLog, LoggedRequests
from flask_realtime.server.bodylimit import BodyLimit
from flask_realtime.server.connections import Connection
from flask_realtime.server.descriptors import take_descriptors
from flask_realtime.server.garbage import short_collections
from flask_realtime.server.hosted import end_polling, is_proxied, put_on_the_hub, started
from flask_realtime.server.httpprotocol import Service
from flask_realtime.server.httpsredirect import HttpsRedirect, with_challenges
from flask_realtime.server.limits import Limits, Phase, overdue
from flask_realtime.server.ports import Port
from flask_realtime.server.responseheaders import ResponseHeaders
from flask_realtime.server.stopsignals import received_signals
from flask_realtime.server.tls import Certificates, reload_certificates

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SWEEP_SECONDS = 1.0  # between two looks for connections that are overdue
# That clients of WebSockets have to answer a close frame, and those who have just come to ask.
CLOSE_SECONDS = 2.0

_log = logging.getLogger(__name__)


class Server:
    """Serves `app`, a Flask or any other WSGI application: ``Server(app).run(port=8443, …)``.

    `access_log` is "combined", "json" or None; it goes to stdout. `hsts_seconds` is the max-age of
    Strict-Transport-Security on https, 0 for none. `proxies` are addresses, networks or names of
    reverse proxies in front: their X-Forwarded headers are believed, and only they and this machine
    are answered. `acme_folder` is the webroot of an ACME client. Raises ConfigurationError.

    An application with Realtime is started and stopped with it.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        limits: Limits | None = None,
        access_log: str | None = None,
        hsts_seconds: int = 0,
        proxies: Iterable[str] = (),
        acme_folder: str | Path | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._app = app
        put_on_the_hub(app)
        self._acme_folder = acme_folder
        self._log = AccessLog(access_log, sys.stdout) if access_log else None
        wrapped: WSGIApplication = ResponseHeaders(self._bounded(app), hsts_seconds)
        proxies = tuple(proxies)
        if proxies:
            wrapped = ForwardedHeaders(wrapped, proxies)
        if acme_folder is not None:
            wrapped = with_challenges(wrapped, acme_folder)
        self._wsgi_app = wrapped
        self._ports: list[Port] = []
        self._connections: set[Connection] = set()
        self._ended = hub.Signal()
        self._stop: Callable[[], None] | None = None

    def run(
        self,
        port: int = 5000,
        host: str = "127.0.0.1",
        *,
        ssl_cert: str | Path | None = None,
        ssl_key: str | Path | None = None,
        redirect_http: int | None = None,
    ) -> None:
        """Serve until Ctrl+C or SIGTERM; to be called in the main thread.

        With `ssl_cert` it speaks https; ``ssl_cert="adhoc"`` makes a certificate up. Without
        `ssl_key` the key is in the same file. SIGHUP reads both again. `redirect_http` is a port,
        80 in general, whose http requests are sent to https. Raises ConfigurationError when it
        cannot start.
        """
        self.bind(port, host, ssl_cert=ssl_cert, ssl_key=ssl_key, redirect_http=redirect_http)
        with hub.entered():
            try:
                with started(self._app):
                    self.serve(self.announcement())
            finally:
                self.close()

    def bind(
        self,
        port: int,
        host: str,
        *,
        ssl_cert: str | Path | None = None,
        ssl_key: str | Path | None = None,
        redirect_http: int | None = None,
    ) -> None:
        """Take the ports and read the certificates; nobody is answered yet."""
        refuse_to_serve()
        if ssl_key is not None and ssl_cert is None:
            raise ConfigurationError("ssl_key: is of no use without ssl_cert")
        if redirect_http is not None and ssl_cert is None:
            raise ConfigurationError("redirect_http: there is no https to go to: set ssl_cert")
        certificates = None if ssl_cert is None else Certificates(ssl_cert, ssl_key)
        try:
            self._add(port, host, self._wsgi_app, certificates)
            if redirect_http is not None:
                redirect = HttpsRedirect(self.port, self._acme_folder)
                self._add(redirect_http, host, self._bounded(redirect), None, "REDIRECT_HTTP")
        except BaseException:
            self._close_ports()
            raise
        self._host = host

    def _bounded(self, app: WSGIApplication) -> WSGIApplication:
        limit = self.limits.max_body_bytes
        return app if limit is None else BodyLimit(app, limit, partial(is_proxied, app))

    def _add(
        self,
        port: int,
        host: str,
        wsgi_app: WSGIApplication,
        certificates: Certificates | None,
        name: str = "PORT",
    ) -> None:
        listener = hub.listen(host, port, name)
        logged = wsgi_app if self._log is None else LoggedRequests(wsgi_app, self._log)
        service = Service(logged, self.limits, self._log, certificates is not None)
        self._ports.append(Port(listener, service, certificates))

    @property
    def port(self) -> int:
        """The port that it has, where 0 was asked for."""
        return self._ports[0].number

    @property
    def url(self) -> str:
        scheme = "http" if self._ports[0].certificates is None else "https"
        return f"{scheme}://{shown_host(self._host)}:{self.port}"

    def announcement(self, path: str = "/") -> list[str]:
        """What to say of the addresses; `path` is that of the first page."""
        lines = [f"Serving {self.url}{path}  (Ctrl+C stops it)"]
        for redirect in self._ports[1:]:
            plain = f"http://{shown_host(self._host)}:{redirect.number}"
            lines.append(f"Redirecting {plain}/ to {self.url}/")
        return lines

    def serve(self, announcement: Iterable[str] = ()) -> None:
        """Answer until SIGINT, SIGTERM or `stop`; then take no new connections and return.

        The lines of `announcement` go to stderr once signals are heeded. Connections live on until
        `close`. A second signal ends the process at once.
        """
        # A job that computes hands the interpreter over this often (docs/benchmarks.md, hub_stall).
        sys.setswitchinterval(hub.SWITCH_SECONDS)
        take_descriptors()
        reloaded = [port.certificates for port in self._ports if port.certificates is not None]
        signals = [signal.SIGHUP] if reloaded else []
        sweeper = hub.spawn(self._sweep)
        try:
            with short_collections(), received_signals(*signals) as (wait, self._stop):
                for port in self._ports:
                    port.open(self._has_room, self._ended.wait, self._take)
                for line in announcement:
                    print(line, file=sys.stderr, flush=True)
                while wait() == signal.SIGHUP:
                    for certificates in reloaded:
                        reload_certificates(certificates)
        finally:
            self._stop = None
            sweeper.kill()
            self._close_ports()

    def stop(self) -> bool:
        """Let `serve` return, as SIGTERM does; False while it does not serve. From any thread."""
        stop = self._stop
        if stop is not None:
            stop()
        return stop is not None

    def let_go(self) -> None:
        """Tell those who are connected to connect anew, elsewhere perhaps. Does not wait.

        WebSockets end, and what waits for the next request; a request in progress goes on.
        """
        end_polling(self._app)
        for connection in list(self._connections):
            connection.leave()

    def close(self) -> None:
        """End all connections: requests in progress have `limits.stop_seconds`."""
        self._close_ports()
        deadline = hub.Deadline(self.limits.stop_seconds)
        self.let_go()
        self._wait_for_end(min(CLOSE_SECONDS, deadline.left()))
        for connection in list(self._connections):
            connection.leave_at_last()
        self._wait_for_end(deadline.left())
        if self._connections:
            _log.warning("%d requests were cut off by the stop", len(self._connections))
        for connection in list(self._connections):
            connection.cut()
            connection.task.kill()
        if self._log is not None:
            self._log.close()

    def _wait_for_end(self, seconds: float) -> None:
        hub.wait_for(lambda: not self._connections, self._ended, seconds)

    def _close_ports(self) -> None:
        for port in self._ports:
            port.close()

    def _has_room(self) -> bool:
        return len(self._connections) < self.limits.max_connections

    def _take(self, port: Port, plain: socket.socket, address: Any) -> bool:
        connection = Connection(plain, address, port.certificates is not None)
        self._connections.add(connection)
        try:
            connection.task = hub.spawn(self._serve_connection, port, connection)
        except RuntimeError as error:  # the machine has no thread left
            _log.warning("no connection can be served now: %s", error)
            self._connections.discard(connection)
            plain.close()
            return False
        return True

    def _serve_connection(self, port: Port, connection: Connection) -> None:
        try:
            if port.certificates is None:
                connection.open_plain()
            else:
                connection.open_tls(port.certificates.current)
            port.service.serve_connection(connection)
        except (OSError, EOFError) as error:  # TLS that fails is one
            _log.debug("the connection of %s ended: %s", connection.address, error)
        finally:
            connection.socket.close()
            self._connections.discard(connection)
            self._ended.set()

    def _sweep(self) -> None:
        looked = time.monotonic()
        while True:
            hub.sleep(SWEEP_SECONDS)
            now = time.monotonic()
            late, looked = now - looked - SWEEP_SECONDS, now
            if late > SWEEP_SECONDS:  # a machine that slept, say
                for connection in self._connections:
                    connection.progress.excuse(late)
            for connection in list(self._connections):
                reason = overdue(connection.progress, now, self.limits)
                if reason is not None:
                    _log.info("closed the connection of %s: %s", connection.address, reason)
                    if connection.progress.phase is Phase.HEAD:
                        hub.spawn(connection.protocol.refuse_late, reason)
                    else:
                        connection.cut()


def shown_host(name: str) -> str:
    """A host name as it stands in an address."""
    if name in ("127.0.0.1", "::1"):
        return "localhost"
    return f"[{name}]" if ":" in name else name


def run(
    app: WSGIApplication,
    port: int = 5000,
    host: str = "127.0.0.1",
    *,
    ssl_cert: str | Path | None = None,
    ssl_key: str | Path | None = None,
    redirect_http: int | None = None,
) -> None:
    """Serve `app`: `Server.run` in one line."""
    Server(app).run(port, host, ssl_cert=ssl_cert, ssl_key=ssl_key, redirect_http=redirect_http)
