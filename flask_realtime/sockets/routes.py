"""Raw WebSocket routes of a Flask application: `Sockets`, and `Sock` as flask-sock has it."""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import flask_sock
from flask import Blueprint, Flask, Response, current_app, request
from flask.signals import got_request_exception
from simple_websocket import ConnectionClosed
from werkzeug.exceptions import Forbidden, HTTPException, MethodNotAllowed
from wsproto.frame_protocol import CloseReason

from flask_realtime import host
from flask_realtime.errors import ConfigurationError
from flask_realtime.server.httpprotocol import ON_STOP, TAKE_OVER
from flask_realtime.sockets.connection import WebSocket
from flask_realtime.sockets.heart import Heart
from flask_realtime.sockets.options import SocketOptions

__all__ = ["ConnectionClosed", "Sock", "Sockets", "WebSocket"]

GOING_AWAY = 1001  # RFC 6455, section 7.4.1

logger = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., object])


class Sockets(flask_sock.Sock):  # type: ignore[misc]  # flask-sock has no types
    """WebSocket routes: ``sockets = Sockets(app)``, then ``@sockets.route("/echo/<name>")``.

    A handler gets the `WebSocket` and the URL's variables. It runs in the context of the request
    that asked for the connection, in a greenlet of the hub: session and cookies are there, and
    nothing else waits for it as long as it waits by `receive`, `send` or `host.sleep`. When it
    returns, the connection is closed with 1000; when it raises, with 1011, and the error is
    logged. `before_request` functions run before the connection is accepted, and what they
    return or raise refuses it.

    `options` are those of `SocketOptions`. They, and those of a route, go before the application's
    setting SOCK_SERVER_OPTIONS.
    """

    _ends_with_none = True
    _blueprint = "__flask_sockets"  # of routes that are made before there is an application

    def __init__(self, app: Flask | None = None, **options: Any) -> None:
        self._options = options
        SocketOptions().changed(options)  # raises for a mistake here and now
        self._open: set[WebSocket] = set()
        self._closed_one = host.Signal()
        self._heart = Heart()
        super().__init__(app)

    def init_app(self, app: Flask) -> None:
        """Add the routes to `app`; those that are made from now on, too."""
        super().init_app(app)
        app.extensions.setdefault("sockets", []).append(self)

    def route(self, path: str, bp: Blueprint | None = None, **options: Any) -> Callable[[F], F]:
        """Make a function the handler of `path`, of the application or of the blueprint `bp`.

        `options` are those of `SocketOptions` and of Flask's `route`. Raises ConfigurationError.
        """

        def decorator(handler: F) -> F:
            self._add(bp or self._target(), path, handler, options)
            return handler

        return decorator

    def add_url_rule(
        self,
        path: str,
        endpoint: str | None = None,
        view_func: Callable[..., object] | None = None,
        **options: Any,
    ) -> None:
        """Do what `route` does, as a call."""
        if view_func is None:
            raise ConfigurationError(f"the socket route {path!r} has no handler")
        if endpoint is not None:
            options["endpoint"] = endpoint
        self._add(self._target(), path, view_func, options)

    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Add all routes of a blueprint as WebSocket routes; `options` as Flask has them."""
        if self.app is None:
            raise ConfigurationError("Sockets has no application: call init_app(app) first")
        blueprint.register(_SocketRules(self, self.app), options)  # type: ignore[arg-type]

    def close_all(self, code: int = GOING_AWAY, message: str = "", timeout: float = 5.0) -> bool:
        """Close what is open, as a server does that stops; False if some are left after `timeout`.

        Handlers end by ConnectionClosed at their next `receive` or `send`.
        """
        for socket in list(self._open):
            host.spawn(socket.close, code, message)
        return host.wait_for(lambda: not self._open, self._closed_one, timeout)

    def __len__(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def __bool__(self) -> bool:
        return True

    def _target(self) -> Flask | Blueprint:
        if self.app is not None:
            target: Flask | Blueprint = self.app
            return target
        if self.bp is None:
            self.bp: Blueprint | None = Blueprint(self._blueprint, __name__)
        return self.bp

    def _add(
        self,
        target: Any,
        path: str,
        handler: Callable[..., object],
        options: dict[str, Any],
    ) -> None:
        mine = {name: options.pop(name) for name in _OPTIONS & options.keys()}
        options.setdefault("endpoint", self._endpoint(handler))
        target.add_url_rule(path, view_func=self.view(handler, **mine), websocket=True, **options)

    @staticmethod
    def _endpoint(handler: Callable[..., object]) -> str:
        # A page and a socket may have functions of the same name, since Flask-Sockets kept them
        # apart.
        return f"socket:{handler.__name__}"

    def view(self, handler: Callable[..., object], **options: Any) -> Callable[..., Response]:
        """A Flask view that accepts the connection and gives it to `handler`."""
        if inspect.iscoroutinefunction(handler):
            raise ConfigurationError(
                f"the socket handler {handler.__name__!r} is a coroutine; it must be a plain "
                "function"
            )
        SocketOptions().changed(options)

        @wraps(handler)
        def view(*args: Any, **variables: Any) -> Response:
            configured = current_app.config.get("SOCK_SERVER_OPTIONS", {})
            chosen = SocketOptions().changed({**configured, **self._options, **options})
            self._serve(handler, chosen, args, variables)
            return _Answered()

        return view

    def _serve(
        self,
        handler: Callable[..., object],
        options: SocketOptions,
        args: tuple[Any, ...],
        variables: dict[str, Any],
    ) -> None:
        if request.method != "GET":
            raise MethodNotAllowed(["GET"])
        if not options.admits(request.origin, request.scheme, request.environ.get("HTTP_HOST")):
            logger.warning("refused a WebSocket of a page of %.100r", request.origin)
            raise Forbidden("Pages of another site may not open this WebSocket.")
        socket = WebSocket(request.environ, options, ends_with_none=self._ends_with_none)
        self._open.add(socket)
        self._heart.add(socket, options.ping_interval)
        if (on_stop := request.environ.get(ON_STOP)) is not None:
            on_stop(lambda: host.spawn(socket.close, GOING_AWAY, "the server stops"))
        code = int(CloseReason.INTERNAL_ERROR)
        message = ""
        try:
            handler(socket, *args, **variables)
            code = int(CloseReason.NORMAL_CLOSURE)
        except ConnectionClosed as error:
            if not socket.closed:  # another connection's, perhaps
                _report(error)
        except HTTPException as error:  # abort(403): too late for a status, but meant as refusal
            if error.code is not None and error.code < 500:
                code, message = int(CloseReason.POLICY_VIOLATION), error.name
            else:
                _report(error)
        except Exception as error:  # noqa: BLE001  # the boundary of a handler
            _report(error)
        finally:
            try:
                socket.finish(code, message)
            finally:
                self._heart.remove(socket)
                self._open.discard(socket)
                self._closed_one.set()


class Sock(Sockets):
    """flask-sock's `Sock`: `receive` raises ConnectionClosed at the end, endpoints are the names.

    A program that was written for flask-sock runs with its import line changed.
    """

    _ends_with_none = False
    _blueprint = "__flask_sock"

    @staticmethod
    def _endpoint(handler: Callable[..., object]) -> str:
        return handler.__name__


_OPTIONS = frozenset(SocketOptions.__dataclass_fields__)


class _SocketRules:
    """A Flask application to a blueprint, which makes its views handlers of sockets."""

    def __init__(self, sockets: Sockets, app: Flask) -> None:
        self._sockets = sockets
        self._app = app

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)

    def add_url_rule(
        self, rule: str, endpoint: str, view_func: Callable[..., object], **options: Any
    ) -> None:
        mine = {name: options.pop(name) for name in _OPTIONS & options.keys()}
        view = self._sockets.view(view_func, **mine)
        self._app.add_url_rule(rule, endpoint, view, websocket=True, **options)


class _Answered(Response):
    """What Flask is given when the connection has ended: nothing is to be sent."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        environ[TAKE_OVER]()
        return []


def _report(error: Exception) -> None:
    """Log it as Flask logs a view's, and tell those who collect errors."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    app.log_exception((type(error), error, sys.exc_info()[2]))
    got_request_exception.send(app, _async_wrapper=app.ensure_sync, exception=error)
