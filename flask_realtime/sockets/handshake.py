"""How a request becomes a WebSocket: its handshake is read, and its socket taken over."""

from __future__ import annotations

import ssl
from typing import Any

from werkzeug.exceptions import BadRequest, HTTPException
from wsproto import WSConnection
from wsproto.events import Request
from wsproto.utilities import RemoteProtocolError

from flask_realtime.host.connection import INPUT
from flask_realtime.trust import parse_authority

_HEADERS = ("HOST", "UPGRADE", "CONNECTION")
_EARLY_BYTES = 64 * 1024  # more than the server buffers


class UpgradeRequired(HTTPException):
    """The client speaks another version of the protocol (RFC 6455, section 4.4)."""

    code = 426
    description = "This server speaks version 13 of the WebSocket protocol (RFC 6455)."

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        return [*super().get_headers(*args, **kwargs), ("Sec-WebSocket-Version", "13")]


def read_handshake(protocol: WSConnection, environ: dict[str, Any]) -> Request:
    """Give the request to `protocol`, which is new, and return what it makes of it.

    Raises HTTPException when it is no handshake.
    """
    if parse_authority(environ.get("HTTP_HOST", "")) is None:
        raise BadRequest("The request has no Host header, or one that is not a single name.")
    if environ.get("CONTENT_LENGTH", "") not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ:
        raise BadRequest("A WebSocket handshake has no body.")  # it would be taken for frames
    lines = ["GET / HTTP/1.1"]  # the path was routed already
    for key, value in environ.items():
        name = key.removeprefix("HTTP_")
        if name != key and (name in _HEADERS or name.startswith("SEC_WEBSOCKET_")):
            lines.append(f"{name.replace('_', '-')}: {value}")
    try:
        protocol.receive_data("\r\n".join([*lines, "", ""]).encode("latin-1"))
        request = next(protocol.events())
    except (RemoteProtocolError, StopIteration, ValueError) as error:
        if environ.get("HTTP_SEC_WEBSOCKET_VERSION", "13") != "13":
            raise UpgradeRequired from error
        raise BadRequest(f"This is no WebSocket handshake: {error}.") from error
    if not isinstance(request, Request):
        raise BadRequest("This is no WebSocket handshake.")
    return request


def check_server(environ: dict[str, Any]) -> None:
    """Raises RuntimeError when the server is none that gives its sockets away."""
    if INPUT not in environ:
        raise RuntimeError(
            "WebSockets need this application to be served by flask_realtime, for example by "
            "flask_realtime.run(app); Werkzeug's development server and test client cannot"
        )


def take_over(environ: dict[str, Any]) -> tuple[Any, bytes]:
    """The green socket of a request, and what the client sent along with the request.

    From then on nobody else may use the socket, but the server still closes it.
    """
    request_input = environ[INPUT]
    connected = request_input.get_socket()
    environ.pop("headers_raw", None)  # the headers once more, for as long as the connection lasts
    return connected, _early_bytes(request_input, connected)


def _early_bytes(request_input: Any, connected: Any) -> bytes:
    """What the client sent along with its request, which the server has read already."""
    connected.setblocking(False)
    try:
        return request_input.rfile.read1(_EARLY_BYTES) or b""
    except (BlockingIOError, ssl.SSLWantReadError):
        return b""
    finally:
        request_input.rfile.close()  # and with it a buffer of 8 KB
        connected.setblocking(True)  # without the time limit that the server sets for requests
