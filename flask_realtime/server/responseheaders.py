"""What a server adds to each response: date, the request's id, and whether to stay with https."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask_realtime.server.accesslog import REQUEST_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ID = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")


class ResponseHeaders:
    """WSGI middleware: Date, X-Request-ID, and Strict-Transport-Security on https (RFC 6797).

    Names are written as most write them, ``Content-Length``; how, is worked out once a name.

    The application finds the id in ``environ["flask_realtime.request_id"]``. A reverse proxy that
    is trusted (it stands in front of ForwardedHeaders then) may name it; nobody else.
    `hsts_seconds` 0 sends no Strict-Transport-Security.
    """

    def __init__(self, wsgi_app: WSGIApplication, hsts_seconds: int = 0) -> None:
        self._wsgi_app = wsgi_app
        self._hsts = f"max-age={hsts_seconds}" if hsts_seconds else None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        named = environ.pop("HTTP_X_REQUEST_ID", "")
        is_proxied = "werkzeug.proxy_fix.orig" in environ
        request_id = named if is_proxied and _ID.fullmatch(named) else _new_id()
        environ[REQUEST_ID] = environ["HTTP_X_REQUEST_ID"] = request_id
        added = [("X-Request-Id", request_id)]
        if self._hsts is not None and environ["wsgi.url_scheme"] == "https":
            added.append(("Strict-Transport-Security", self._hsts))

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            fields = [(_written(name), value) for name, value in headers]
            present = {name for name, _ in fields}
            for field in (("Date", _http_date(int(time.time()))), *added):
                if field[0] not in present:
                    fields.append(field)
            return start_response(status, fields, exc_info)

        return self._wsgi_app(environ, start)


def _new_id() -> str:
    return f"{random.getrandbits(64):016x}"  # no secret: the system need not be asked


@lru_cache(maxsize=128)
def _written(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


@lru_cache(maxsize=2)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)
