"""The Socket.IO side of the wire protocol: events in, acknowledgements and events out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import request
from flask_socketio import ConnectionRefusedError, Namespace, SocketIO, join_room

from flask_realtime import host
from flask_realtime.engine import Engine
from flask_realtime.errors import LOG_IN, BadLine, NotLoggedIn, RealtimeError, TooManyRequests
from flask_realtime.runs import Run
from flask_realtime.service import describe
from flask_realtime.watching.messages import Message
from flask_realtime.watching.pings import Pings
from flask_realtime.watching.runoutputs import READ_MAX

logger = logging.getLogger(__name__)

DEFAULT_READ_BYTES = 65536
MAX_ASKED = 128  # events of one connection at once; it may have to attach all its runs again

INTERNAL = {
    "code": "internal",
    "message": "the server failed to handle this; its log says why",
}


class RealtimeEvents(Namespace):  # type: ignore[misc]  # Flask-SocketIO has no types
    """Answers each event with one object; an error is ``{"error": {"code", "message"}}``.

    `identify()` is called in the request context of a connection, when it is made and for each
    event, and returns the user's name, or None for nobody: then the connection ends.
    """

    def __init__(
        self, socketio: SocketIO, engine: Engine, identify: Callable[[], str | None]
    ) -> None:
        super().__init__("/")
        self._server = socketio.server
        self._engine = engine
        self._identify = identify
        self._pings = Pings(self._server.eio.ping_interval)
        self._users: dict[str, str] = {}  # client → user
        self._asked: dict[str, int] = {}  # client → events that it has no answer to yet

    @property
    def clients(self) -> int:
        """How many connections there are."""
        return len(self._users)

    # What clients send

    def on_connect(self, auth: object = None) -> None:
        """Let the client in; it may name as ``{"user"}`` in `auth` for whom its page was made."""
        try:
            user = self._identify()
        except RealtimeError as error:
            raise ConnectionRefusedError(error.message, {"code": error.code}) from error
        expected = auth.get("user") if isinstance(auth, dict) else None
        if user is None or (expected is not None and expected != user):
            raise ConnectionRefusedError(LOG_IN, {"code": NotLoggedIn.code})
        self._users[_client()] = user
        join_room(_room(user))
        self._pings.take_over(self._connection())
        host.spawn(self._send_notices, _client())  # after the connection has been accepted

    def on_disconnect(self, reason: object = None) -> None:
        self._users.pop(_client(), None)
        self._engine.viewers.disconnected(_client())

    def on_jobs(self, payload: dict[str, Any]) -> dict[str, Any]:
        self._user()
        return {"jobs": self._engine.describe_jobs()}

    def on_start(self, payload: dict[str, Any]) -> dict[str, Any]:
        job = _text(payload, "job")
        return self._run(self._engine.start_run(self._user(), job, payload.get("params", {})))

    def on_stop(self, payload: dict[str, Any]) -> dict[str, Any]:
        force = payload.get("force", False)
        if not isinstance(force, bool):
            raise RealtimeError(f'"force" must be true or false, not {force!r:.50}')
        return self._run(self._engine.stop_run(self._user(), _text(payload, "run"), force=force))

    def on_input(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Let a run read a text; `eof` ends its input."""
        run = _text(payload, "run")
        data, eof = payload.get("data", ""), payload.get("eof", False)
        self._engine.give_input(self._user(), run, data, eof=eof)
        return {}

    def on_report(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Answer with what a run does now."""
        return {"report": self._engine.report(self._user(), _text(payload, "run"))}

    def on_control(self, payload: dict[str, Any]) -> dict[str, Any]:
        job = _text(payload, "job")
        service = self._engine.control(self._user(), job, payload.get("action"))
        return {"service": describe(service)}

    def on_attach(self, payload: dict[str, Any]) -> dict[str, Any]:
        client = _client()

        def send(message: Message, acknowledged: Callable[[], None] | None) -> None:
            self._server.manager.send(client, self.namespace, message, acknowledged)

        offset = _whole(payload, "offset", 0)
        tail = _whole(payload, "tail", 0) if "tail" in payload else None
        line = _line(payload) if "line" in payload else None
        run = self._engine.get_run(self._user(), _text(payload, "run"))
        offset, line = self._engine.outputs.attach(
            run, client, send, offset=offset, tail=tail, line=line
        )
        if client not in self._users:  # it has left meanwhile
            self._engine.viewers.disconnected(client)
        return {**self._run(run), "offset": offset, "line": line}

    def on_read(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Answer with a piece of a run's output; the client's cursor stays where it is."""
        size = payload.get("bytes", DEFAULT_READ_BYTES)
        if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= READ_MAX:
            raise RealtimeError(
                f'"bytes" must be a whole number, 1 to {READ_MAX}, not {size!r:.50}'
            )
        line = _line(payload) if "line" in payload else None
        offset = _whole(payload, "offset", 0)
        run = self._engine.get_run(self._user(), _text(payload, "run"))
        return self._engine.outputs.read(run, offset=offset, line=line, size=size)

    def on_detach(self, payload: dict[str, Any]) -> dict[str, Any]:
        self._engine.viewers.detach(_client(), _text(payload, "run"))
        return {}

    # What clients get

    def send_status(self, run: Run) -> None:
        """Tell all who may see the run how it stands."""
        self._emit("status", self._run(run), _room(run.user))

    def disconnect_user(self, user: str) -> None:
        """End all connections of `user`: they have logged out."""
        for client in [client for client, name in self._users.items() if name == user]:
            host.spawn(self._server.disconnect, client)

    def send_notice(self, notice: dict[str, Any]) -> None:
        """Tell everybody."""
        self._emit("notice", notice, None)

    def send_service(self, job: str, status: dict[str, Any]) -> None:
        """Tell everybody how a service does."""
        self._emit("service", {"job": job, "service": status}, None)

    def _send_notices(self, client: str) -> None:
        for notice in self._engine.notices.standing():
            self._emit("notice", notice, client)

    def _emit(
        self,
        event: str,
        data: dict[str, Any],
        to: str | None,
    ) -> None:
        self._server.emit(event, data, namespace=self.namespace, to=to)

    # How

    def trigger_event(self, event: str, *args: Any) -> Any:
        """Call `on_<event>`; the boundary where errors become answers."""
        if event in ("connect", "disconnect"):
            return super().trigger_event(event, *args)
        try:
            if not hasattr(self, f"on_{event}"):
                raise RealtimeError(
                    f"there is no event {event[:50]!r}", code="unknown_event", status=404
                )
            if len(args) != 2 or not isinstance(args[1], dict):
                raise RealtimeError(f"event {event!r} takes one JSON object, and nothing else")
            with self._asking(args[0]):
                return super().trigger_event(event, *args)
        except RealtimeError as error:
            return {"error": {"code": error.code, "message": error.message}}
        except Exception:
            logger.exception("event %r failed", event)
            return {"error": INTERNAL}

    @contextmanager
    def _asking(self, client: str) -> Iterator[None]:
        """While an event of `client` is dealt with. Raises TooManyRequests."""
        asked = self._asked.get(client, 0)
        if asked >= MAX_ASKED:
            raise TooManyRequests(
                f"{asked} events of this connection are being dealt with, which is the limit: "
                "wait for answers"
            )
        self._asked[client] = asked + 1
        try:
            yield
        finally:
            self._asked[client] -= 1
            if not self._asked[client]:
                del self._asked[client]

    def _user(self) -> str:
        client = _client()
        connected = self._users.get(client)
        user = self._identify()
        if user is None or user != connected:
            if connected is not None:
                host.spawn(self._server.disconnect, client)  # after the answer
            raise NotLoggedIn(LOG_IN)
        return user

    def _connection(self) -> Any:
        """engine.io's end of the client."""
        eio = self._server.eio
        return eio.sockets[self._server.manager.eio_sid_from_sid(_client(), self.namespace)]

    def _run(self, run: Run) -> dict[str, Any]:
        return {"run": self._engine.outputs.present(run)}


def _client() -> str:
    client: str = request.sid  # type: ignore[attr-defined]  # set by Flask-SocketIO
    return client


def _room(user: str) -> str:
    return f"user:{user}"


def _text(payload: dict[str, Any], name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not value:
        raise RealtimeError(f'"{name}" must be a non-empty text')
    return value


def _whole(payload: dict[str, Any], name: str, default: int) -> int:
    value = payload.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise RealtimeError(
            f'"{name}" must be a whole number of bytes, 0 or more, not {value!r:.50}',
            code="bad_offset",
            status=416,
        )
    return value


def _line(payload: dict[str, Any]) -> int:
    value = payload["line"]
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise BadLine(f'"line" must be a whole number, 1 or more, not {value!r:.50}')
    return value
