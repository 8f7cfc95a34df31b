"""How long a body may be: as the server says, but for those that only pass through a proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask_realtime.host.connection import INPUT
from flask_realtime.server.chunkedbody import ChunkedBody
from flask_realtime.server.httpprotocol import BE_LAST

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class BodyLimit:
    """WSGI middleware: answers 413 when a body has more than `max_bytes`.

    One for which `is_proxied(environ)` is passed on as it comes, and its proxy has a bound of its
    own. Stands behind ForwardedHeaders, since a proxy may have a host name of its own.
    """

    def __init__(
        self,
        wsgi_app: WSGIApplication,
        max_bytes: int,
        is_proxied: Callable[[WSGIEnvironment], bool],
    ) -> None:
        self._wsgi_app = wsgi_app
        self._max_bytes = max_bytes
        self._is_proxied = is_proxied

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ[INPUT]
        if isinstance(body, ChunkedBody):
            body.max_bytes = None if self._is_proxied(environ) else self._max_bytes
        elif int(environ.get("CONTENT_LENGTH") or 0) > self._max_bytes and not self._is_proxied(
            environ
        ):
            return self._refuse(environ, start_response)
        return self._wsgi_app(environ, start_response)

    def _refuse(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[BE_LAST]()
        text = f"The body is limited to {self._max_bytes} bytes.\n".encode()
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(text))),
        ]
        start_response("413 Content Too Large", headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else text]
