"""What can go wrong between a visitor and an app server; each has the status that it answers."""

from __future__ import annotations

from flask_realtime.errors import RealtimeError


class ProxyError(RealtimeError):
    """The root of the errors here; the visitor sees `status` and the message."""

    code = "bad_gateway"
    status = 502


class BadRequest(ProxyError):
    """The request is ambiguous or plays tricks; its connection is closed."""

    code = "bad_request"
    status = 400


class BodyTooLarge(ProxyError):
    code = "body_too_large"
    status = 413


class ClientGone(ProxyError):
    """The visitor has left, so nobody will read the answer."""

    code = "client_gone"
    status = 400


class UpstreamDown(ProxyError):
    """Nobody listens at the upstream's address, or it hung up before it answered."""


class UpstreamNonsense(ProxyError):
    """The upstream's answer is not HTTP/1.1, or not unambiguous."""


class UpstreamSlow(ProxyError):
    code = "gateway_timeout"
    status = 504


class StaleConnection(UpstreamDown):
    """A pooled connection was closed by the upstream before it answered anything."""


class NotReady(ProxyError):
    """The app server is starting, stopped, or all its tunnels are taken.

    `retry_after` is in seconds; None: not before somebody starts it.
    """

    code = "not_ready"
    status = 503

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
