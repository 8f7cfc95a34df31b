"""What stands on the http port beside an https server: a redirect, and ACME challenges."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from flask_realtime import host
from flask_realtime.trust import parse_authority

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CHALLENGES = "/.well-known/acme-challenge/"  # RFC 8555, section 8.3
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")
_MAX_CHALLENGE_BYTES = 4096


class HttpsRedirect:
    """WSGI application: 308 to the same host, path and query, on https.

    308 keeps method and body (RFC 9110, section 15.4.9). `port` is that of the https server. With
    `acme_folder`, an ACME client's webroot, challenges are answered from its
    ``.well-known/acme-challenge/``.
    """

    def __init__(self, port: int, acme_folder: str | Path | None = None) -> None:
        self._port = "" if port == 443 else f":{port}"
        self._challenges = (
            Path(acme_folder, *CHALLENGES.strip("/").split("/")) if acme_folder else None
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if self._challenges is not None and path.startswith(CHALLENGES):
            return self._challenge(path.removeprefix(CHALLENGES), start_response)
        own = parse_authority(environ.get("HTTP_HOST", ""))
        if own is None:
            return _answer(start_response, "400 Bad Request", b"The Host header is not one name.\n")
        query = environ.get("QUERY_STRING", "")
        raw = str(environ.get("RAW_PATH_INFO", path)) + (f"?{query}" if query else "")
        location = f"https://{own.host}{self._port}{raw}"
        return _answer(
            start_response,
            "308 Permanent Redirect",
            f"This server speaks https: {location}\n".encode("latin-1"),
            ("Location", location),
        )

    def _challenge(self, token: str, start_response: StartResponse) -> Iterable[bytes]:
        content = None
        if self._challenges is not None and _TOKEN.fullmatch(token):
            content = host.offload(_read, self._challenges / token)
        if content is None:
            return _answer(start_response, "404 Not Found", b"There is no such challenge.\n")
        return _answer(start_response, "200 OK", content)


def with_challenges(wsgi_app: WSGIApplication, acme_folder: str | Path) -> WSGIApplication:
    """`wsgi_app` with ACME challenges answered before it, for a server without a redirect."""
    challenges = HttpsRedirect(443, acme_folder)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        chosen = challenges if environ["PATH_INFO"].startswith(CHALLENGES) else wsgi_app
        return chosen(environ, start_response)

    return application


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_CHALLENGE_BYTES)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def _answer(
    start_response: StartResponse, status: str, body: bytes, *more: tuple[str, str]
) -> Iterable[bytes]:
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("X-Content-Type-Options", "nosniff"),
        *more,
    ]
    start_response(status, headers)
    return [body]
