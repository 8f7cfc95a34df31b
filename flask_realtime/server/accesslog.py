"""The access log: one line for each request, as Apache writes it or as JSON.

Lines are written by a native thread: a console or a pipe that nobody reads must not stop the hub.
"""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any

from flask_realtime import host
from flask_realtime.errors import ConfigurationError
from flask_realtime.requestid import REQUEST_ID
from flask_realtime.server.answer import ENDED

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# In the environ: called with the name of who sent the request, once that is known. (What the
# application sets in the environ may be set in a copy, which Flask-SocketIO makes.)
NOTE_USER = "flask_realtime.note_user"
MAX_LINES = 20_000  # that wait to be written; then lines are left out, and a line says how many
BATCH_SECONDS = 0.05  # lines are collected for so long: to wake a thread for each would cost more
CLOSE_SECONDS = 2.0

_log = logging.getLogger(__name__)
_UNSAFE = re.compile(r'[\x00-\x1f"\\\x7f-\xff]|[^\x00-\xff]')
# What lets somebody in as somebody else, by the names of RFC 6749 and RFC 6750.
_SECRETS = re.compile(r"\b(code|state|access_token)=[^&]+")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(slots=True)  # not frozen, which would take three times as long to make
class Entry:
    """One request that was answered; `time` is its begin, s since the epoch; "" is not known."""

    time: float
    seconds: float
    remote: str
    user: str
    method: str
    target: str
    protocol: str
    status: int
    bytes: int  # of the body of the answer
    host: str = ""
    referer: str = ""
    agent: str = ""
    request_id: str = ""


def combined(entry: Entry) -> str:
    """The "combined" format of Apache and nginx, the request's id at its end; times are UTC."""
    request = f"{entry.method} {entry.target} {entry.protocol}".strip()
    texts = [entry.remote, entry.user, request, entry.referer, entry.agent, entry.request_id]
    if _UNSAFE.search("".join(texts)):  # one look at all of them, for there rarely is any
        texts = [_UNSAFE.sub(_escaped, text) for text in texts]
    remote, user, request, referer, agent, request_id = texts
    return (
        f"{remote or '-'} - {user or '-'} [{_stamp(int(entry.time))}] "
        f'"{request or "-"}" {entry.status} {entry.bytes or "-"} '
        f'"{referer or "-"}" "{agent or "-"}" {request_id or "-"}'
    )


def as_json(entry: Entry) -> str:
    """One JSON object; its names are those of `Entry`, after those that all logs have."""
    return json.dumps(
        {
            **_of_all_logs(entry.time, "info", f"{entry.method} {entry.target} {entry.status}"),
            "remote": entry.remote,
            "user": entry.user,
            "method": entry.method,
            "target": entry.target,
            "protocol": entry.protocol,
            "status": entry.status,
            "bytes": entry.bytes,
            "seconds": round(entry.seconds, 6),
            "host": entry.host,
            "referer": entry.referer,
            "agent": entry.agent,
            "request_id": entry.request_id,
        }
    )


def _of_all_logs(at: float, level: str, message: str) -> dict[str, object]:
    """What entries of the access log share with those of other logs (docs/operations.md)."""
    second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
    return {
        "time": f"{second}.{int(at * 1000) % 1000:03}Z",
        "level": level,
        "logger": "access",
        "message": message,
        "node": socket.gethostname(),
        "pid": os.getpid(),
    }


def _left_out_as_json(message: str) -> str:
    return json.dumps(_of_all_logs(time.time(), "warning", message))


FORMATS: dict[str, Callable[[Entry], str]] = {"combined": combined, "json": as_json}
_REMARKS: dict[str, Callable[[str], str]] = {"combined": "# {}".format, "json": _left_out_as_json}


@lru_cache(maxsize=8)
def _stamp(second: int) -> str:
    at = time.gmtime(second)
    return time.strftime(f"%d/{_MONTHS[at.tm_mon - 1]}/%Y:%H:%M:%S +0000", at)


def _escaped(unsafe: re.Match[str]) -> str:
    """No visitor writes a line of the log: what is not plain is \\xNN."""
    return f"\\x{min(ord(unsafe[0]), 255):02x}"


class AccessLog:
    """Writes entries to the descriptor of `file`, in a format of FORMATS."""

    def __init__(self, form: str, file: IO[str]) -> None:
        if form not in FORMATS:
            raise ConfigurationError(
                f"access_log: there is no format {form!r}; there are {', '.join(FORMATS)}"
            )
        self._format = FORMATS[form]
        self._remark = _REMARKS[form]
        self._file = file
        self._lines: deque[str] = deque()
        self._left_out = 0
        self._is_closing = False
        self._some = threading.Event()
        self._writer: threading.Thread | None = None

    def add(self, entry: Entry) -> None:
        """Take an entry; does not wait. For one thread."""
        if len(self._lines) >= MAX_LINES:
            self._left_out += 1
            return
        self._lines.append(self._format(entry))
        if not self._some.is_set():
            self._some.set()
        if self._writer is None:
            # Not one of the hub's pool: at its end a process waits for those.
            self._writer = threading.Thread(target=self._write, name="access log", daemon=True)
            self._writer.start()

    def close(self) -> None:
        """Write what is left; wait for it no longer than CLOSE_SECONDS."""
        self._is_closing = True
        self._some.set()
        deadline = host.Deadline(CLOSE_SECONDS)
        while self._writer is not None and self._writer.is_alive() and deadline.left():
            host.sleep(0.005)

    def _write(self) -> None:
        try:
            while not self._is_closing or self._lines:
                self._some.wait()
                if not self._is_closing:
                    time.sleep(BATCH_SECONDS)
                self._some.clear()
                self._put("".join(self._taken()))
        except OSError as error:  # a pipe without a reader, a full disk
            _log.error("the access log cannot be written any more: %s", error)

    def _taken(self) -> Iterator[str]:
        while self._lines:
            yield self._lines.popleft() + "\n"
        left_out, self._left_out = self._left_out, 0
        if left_out:
            yield self._remark(f"{left_out} lines were left out here") + "\n"

    def _put(self, text: str) -> None:
        data = text.encode()  # past the file: its lock would be held while nobody reads
        while data:
            data = data[os.write(self._file.fileno(), data) :]


class LoggedRequests:
    """WSGI middleware, the outermost: an entry in `log` for each request once it is answered."""

    def __init__(self, wsgi_app: WSGIApplication, log: AccessLog) -> None:
        self._wsgi_app = wsgi_app
        self._log = log

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = _Answer(self._log, environ)
        environ[ENDED].append(answer.log)
        environ[NOTE_USER] = answer.note_user
        return answer.watch(self._wsgi_app, environ, start_response)


class _Answer:
    # It does not keep the environ, which keeps it: as a cycle, each request would be left to the
    # garbage collector.
    def __init__(self, log: AccessLog, environ: WSGIEnvironment) -> None:
        self._log = log
        self._begin = time.time(), time.monotonic()
        self._target = environ.get("RAW_PATH_INFO", "")
        self._user = ""
        self._status = 0
        self._bytes = 0

    def watch(
        self, wsgi_app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse
    ) -> Iterable[bytes]:
        def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
            self._status = int(status[:3])
            write = start(status, headers, exc_info)

            def counted(data: bytes) -> object:
                self._bytes += len(data)
                return write(data)

            return counted

        result = wsgi_app(environ, start_response)
        if isinstance(result, (list, tuple)):  # the server tells their length to the client
            self._bytes += sum(map(len, result))
            return result
        return _Counted(result, self)

    def count(self, size: int) -> None:
        self._bytes += size

    def note_user(self, name: str) -> None:
        self._user = name

    def log(self, environ: WSGIEnvironment) -> None:
        # Only a WebSocket is answered past start_response.
        asked = "websocket" in environ.get("HTTP_UPGRADE", "").lower()
        query = _SECRETS.sub(r"\1=***", environ.get("QUERY_STRING", ""))
        begin, clock = self._begin
        self._log.add(
            Entry(
                time=begin,
                seconds=time.monotonic() - clock,
                remote=environ.get("REMOTE_ADDR", ""),
                user=self._user or environ.get("REMOTE_USER", ""),
                method=environ["REQUEST_METHOD"],
                target=self._target + (f"?{query}" if query else ""),
                protocol=environ.get("flask_realtime.protocol", "HTTP/1.1"),
                status=self._status or (101 if asked else 500),
                bytes=self._bytes,
                host=environ.get("HTTP_HOST", ""),
                referer=environ.get("HTTP_REFERER", ""),
                agent=environ.get("HTTP_USER_AGENT", ""),
                request_id=environ.get(REQUEST_ID, ""),
            )
        )


class _Counted:
    def __init__(self, result: Iterable[bytes], answer: _Answer) -> None:
        self._result = result
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._result:
            self._answer.count(len(chunk))
            yield chunk

    def close(self) -> None:
        close = getattr(self._result, "close", None)
        if close is not None:
            close()
