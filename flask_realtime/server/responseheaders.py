"""What a server adds to each response: date, the request's id, and whether to stay with https."""

from __future__ import annotations

import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask_realtime.requestid import REQUEST_ID, give_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class ResponseHeaders:
    """WSGI middleware: Date, X-Request-ID, and Strict-Transport-Security on https (RFC 6797).

    Names are written as most write them, ``Content-Length``; how, is worked out once a name.

    The application finds the id in ``environ["flask_realtime.request_id"]``. A reverse proxy that
    is trusted may name it; nobody else.
    `hsts_seconds` 0 sends no Strict-Transport-Security.
    """

    def __init__(self, wsgi_app: WSGIApplication, hsts_seconds: int = 0) -> None:
        self._wsgi_app = wsgi_app
        self._hsts = f"max-age={hsts_seconds}" if hsts_seconds else None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        give_id(environ)
        added = []
        if self._hsts is not None and environ["wsgi.url_scheme"] == "https":
            added.append(("Strict-Transport-Security", self._hsts))

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            fields = [(_written(name), value) for name, value in headers]
            present = {name for name, _ in fields}
            ours = (
                ("Date", _http_date(int(time.time()))),
                ("X-Request-Id", environ[REQUEST_ID]),  # by now a proxy may have been believed
                *added,
            )
            for field in ours:
                if field[0] not in present:
                    fields.append(field)
            return start_response(status, fields, exc_info)

        return self._wsgi_app(environ, start)


@lru_cache(maxsize=128)
def _written(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


@lru_cache(maxsize=2)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)
