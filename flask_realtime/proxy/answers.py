"""What the proxy itself answers: refusals, and the page that waits for an app server."""

from __future__ import annotations

import html
import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask_realtime.host.connection import INPUT
from flask_realtime.proxy.client import Client
from flask_realtime.proxy.errors import BadRequest, BodyTooLarge, ClientGone, NotReady, ProxyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

REFRESH_SECONDS = 1

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">{refresh}</head>
<body><h1>{title}</h1><p>{text}</p></body></html>
"""


def answer_error(
    error: ProxyError, name: str, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """A page for people, problem+json (RFC 9457) for programs; the connection closed if need be."""
    status = HTTPStatus(error.status)
    retry = error.retry_after if isinstance(error, NotReady) else None
    headers = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
    if retry is not None:
        headers.append(("Retry-After", str(retry)))
    if "text/html" in environ.get("HTTP_ACCEPT", "") and environ["REQUEST_METHOD"] == "GET":
        refresh = f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">'
        starting = retry is not None and error.code == NotReady.code
        title = f"{name} is starting" if starting else f"{name}: {status.phrase}"
        body = _PAGE.format(
            title=html.escape(title),
            text=html.escape(error.message),
            refresh=refresh if retry is not None else "",
        ).encode()
        headers.append(("Content-Type", "text/html; charset=utf-8"))
        headers.append(("Content-Security-Policy", "default-src 'none'; frame-ancestors 'self'"))
    else:
        problem = {
            "type": "about:blank",
            "title": status.phrase,
            "status": int(status),
            "detail": error.message,
            "code": error.code,
        }
        body = json.dumps(problem).encode()
        headers.append(("Content-Type", "application/problem+json"))
    headers.append(("Content-Length", str(len(body))))
    line = f"{status.value} {status.phrase}"
    if isinstance(error, BadRequest | BodyTooLarge | ClientGone) and INPUT in environ:
        # What is left of the request is not read, and would be taken for the next one.
        lines = [f"HTTP/1.1 {line}", *(f"{key}: {value}" for key, value in headers)]
        head = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")
        start_response(line, headers)
        Client(environ).refuse(head, body)
        return []
    start_response(line, headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]
