"""What a server adds to each response: the request's id, and whether to stay with https."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask_realtime.server.accesslog import REQUEST_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ID = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")


class ResponseHeaders:
    """WSGI middleware: X-Request-ID, and Strict-Transport-Security on https (RFC 6797).

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
        request_id = named if is_proxied and _ID.fullmatch(named) else secrets.token_hex(8)
        environ[REQUEST_ID] = environ["HTTP_X_REQUEST_ID"] = request_id
        added = [("X-Request-ID", request_id)]
        if self._hsts is not None and environ["wsgi.url_scheme"] == "https":
            added.append(("Strict-Transport-Security", self._hsts))

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            present = {name.lower() for name, _ in headers}
            more = [(name, value) for name, value in added if name.lower() not in present]
            return start_response(status, [*headers, *more], exc_info)

        return self._wsgi_app(environ, start)
