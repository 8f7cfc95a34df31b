"""GET /metrics, in the text format of Prometheus, for who has the token; nobody else is answered.

What one process knows is beside what Redis tells of all; docs/operations.md names the figures.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from app.figures import Figures
from flask_realtime import Realtime, host

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/metrics"
LAG_SECONDS = 0.25  # between two looks how late the hub is
LAG_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The figures of `app`, which has a Realtime."""

    def __init__(self, app: Flask, realtime: Realtime) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(Figures(realtime))
        self._lag = Histogram(
            "flask_realtime_hub_lag_seconds",
            "How late the hub was for its next turn.",
            buckets=LAG_BUCKETS,
            registry=self.registry,
        )
        self._seconds = Histogram(
            "flask_realtime_http_request_seconds",
            "Time until the answer to a request began.",
            ["route", "method", "code"],
            buckets=REQUEST_BUCKETS,
            registry=self.registry,
        )
        self._task: host.Task | None = None
        app.before_request(self._begin)
        app.after_request(self._answered)

    def text(self) -> bytes:
        """All figures as they are now, in a request. May wait for Redis, for a few seconds."""
        if self._task is None:  # whom nobody asks need not look
            self._task = host.spawn(self._watch)
        return bytes(generate_latest(self.registry))

    def _watch(self) -> None:
        while True:
            due = time.monotonic() + LAG_SECONDS
            host.sleep(LAG_SECONDS)
            self._lag.observe(max(0.0, time.monotonic() - due))

    def _begin(self) -> None:
        g.metrics_begin = time.monotonic()

    def _answered(self, response: Response) -> Response:
        begin = g.pop("metrics_begin", None)
        if begin is not None:  # else a request was refused before it began
            self._seconds.labels(_route(), _method(), response.status_code).observe(
                time.monotonic() - begin
            )
        return response


def _route() -> str:
    """A name, of which there are few: never the path, which visitors choose."""
    return request.endpoint or "none"


def _method() -> str:
    return request.method if request.url_rule is not None else "any"


class MetricsPage:
    """WSGI middleware, the outermost of the application: answers PATH to who has the token.

    It stands before the guards of hosts and proxies: a Prometheus asks each process by its own
    address. Everybody else is handed on, to where no such page is.
    """

    def __init__(self, wsgi_app: WSGIApplication, metrics: Metrics, token: str) -> None:
        self._wsgi_app = wsgi_app
        self._metrics = metrics
        self._expected = f"Bearer {token}".encode()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == PATH and environ["REQUEST_METHOD"] == "GET":
            given = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1", "replace")
            if hmac.compare_digest(given, self._expected):
                body = self._metrics.text()
                headers = [
                    ("Content-Type", CONTENT_TYPE_LATEST),
                    ("Content-Length", str(len(body))),
                    ("Cache-Control", "no-store"),
                ]
                start_response("200 OK", headers)
                return [body]
        return self._wsgi_app(environ, start_response)


def add_metrics(app: Flask, realtime: Realtime, token: str) -> Metrics:
    """Serve the figures of `app` to who has `token`; once all else of it is there."""
    metrics = Metrics(app, realtime)
    app.wsgi_app = MetricsPage(app.wsgi_app, metrics, token)  # type: ignore[method-assign]
    return metrics
