"""One request on its way through a proxy, from the visitor's head to the last byte."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask_realtime.proxy import tunnel
from flask_realtime.proxy.answers import answer_error
from flask_realtime.proxy.client import Body, Client, sent_headers
from flask_realtime.proxy.errors import BadRequest, ClientGone, NotReady, ProxyError, UpstreamDown
from flask_realtime.proxy.exchange import IDEMPOTENT, Exchange
from flask_realtime.proxy.headers import HeaderRules, Headers, Visit, index, tokens
from flask_realtime.proxy.paths import checked_path, checked_query
from flask_realtime.trust import Asked, Refusal, decide, parse_authority, refuse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from flask_realtime.proxy.reverseproxy import ReverseProxy

_log = logging.getLogger(__name__)

_METHOD = re.compile(r"[A-Z][A-Z_-]{0,30}")


class ProxiedRequest:
    """A WSGI application for one request that has been allowed."""

    def __init__(
        self, proxy: ReverseProxy, rules: HeaderRules, path: str, parents: Headers
    ) -> None:
        self._proxy = proxy
        self._rules = rules
        self._path = path
        self._parents = parents  # headers that the parent adds: its session's cookie

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        name = self._proxy.name
        try:
            return self._pass_on(environ, start_response)
        except ProxyError as error:
            if not isinstance(error, ClientGone | NotReady):
                _log.warning("%s: %s", name, error.message)
            if isinstance(error, UpstreamDown) and self._proxy.supervisor is not None:
                error = NotReady("The app has ended, and is started again.", 1)
            return answer_error(error, name, environ, start_response)

    def _pass_on(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        proxy, limits = self._proxy, self._proxy.limits
        headers, method = sent_headers(environ), environ["REQUEST_METHOD"]
        fields = index(headers)
        visit = proxy.visit(environ)
        path, query = checked_path(self._path), checked_query(environ.get("QUERY_STRING", ""))
        query = f"?{query}" if query else ""
        if not _METHOD.fullmatch(method) or method == "CONNECT":
            raise BadRequest("The method is malformed or not known here.")
        body = Body(environ, fields, limits.max_body_bytes)
        upgrade = _is_websocket(fields)
        if upgrade and (method != "GET" or not body.ended):
            raise BadRequest("A WebSocket begins with GET, without a body.")
        if refusal := _foreign(environ, visit, upgrade, proxy):
            return refuse(refusal, environ, start_response)
        if path == proxy.prefix and proxy.strip_prefix and not upgrade:
            # Without the slash the page's relative addresses would be the parent's.
            slashed = ("Location", f"{visit.root}{path}/{query}")
            start_response("308 Permanent Redirect", [slashed, ("Content-Length", "0")])
            return []
        sent = self._rules.request(headers, visit)
        if upgrade:
            sent += [("Connection", "Upgrade"), ("Upgrade", "websocket")]
        elif proxy.rewriting:
            sent = proxy.rewriting.request(sent)
        if upgrade and proxy.tunnels >= limits.max_tunnels:
            raise NotReady(f"All {limits.max_tunnels} tunnels to the app are taken.", 5)
        is_page = method == "GET" and "text/html" in environ.get("HTTP_ACCEPT", "")
        client = Client(environ)
        done = proxy.begin(upgrade, limits.hold_page if is_page else limits.hold)
        exchange = Exchange(
            proxy.pool,
            client,
            read_timeout=limits.read_timeout,
            idle_timeout=limits.idle_timeout,
        )
        answer = _Answer(exchange, done)
        try:
            self._send(exchange, method, proxy.paths.to_upstream(path) + query, sent, body)
            if exchange.head.status == 101:
                answer.pieces = self._tunnel(environ, exchange, client, visit, upgrade)
            else:
                answer.pieces = self._stream(environ, start_response, exchange, client, visit)
        except BaseException:
            answer.close()
            raise
        return answer

    def _send(
        self, exchange: Exchange, method: str, target: str, headers: Headers, body: Body
    ) -> None:
        """Once more, if it can be, when a supervised app server turns out to be gone."""
        supervisor, limits = self._proxy.supervisor, self._proxy.limits
        status = supervisor.status if supervisor is not None else None
        may_repeat = method in IDEMPOTENT and body.ended
        try:
            exchange.send(method, target, headers, body)
        except UpstreamDown:
            if supervisor is None or not may_repeat:
                raise
            exchange.close()
            supervisor.wait_ready(limits.hold, lost=status)
            exchange.send(method, target, headers, body)

    def _stream(
        self,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        exchange: Exchange,
        client: Client,
        visit: Visit,
    ) -> Iterator[bytes]:
        proxy, head = self._proxy, exchange.head
        headers = [*self._rules.response(head.headers, visit), *self._parents]
        pieces = exchange.pieces()
        if proxy.rewriting.applies(head.status, head.fields):
            headers = [each for each in headers if each[0].lower() != "accept-ranges"]
            pieces = proxy.rewriting.pieces(pieces, visit.root + proxy.prefix)
        elif (length := head.stated_length) is not None:
            headers.append(("Content-Length", str(length)))
        # A server refuses a status without words.
        start_response(f"{head.status} {head.reason.strip() or _phrase(head.status)}", headers)
        return self._guarded(pieces, client, environ, start_response)

    def _guarded(
        self,
        pieces: Iterator[bytes],
        client: Client,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterator[bytes]:
        """The pieces; an answer in which something goes wrong ends as one that is not whole."""
        begun = False
        try:
            for piece in pieces:
                begun = True
                yield piece
        except ClientGone:
            client.cut()
        except ProxyError as error:
            _log.warning("%s: %s", self._proxy.name, error.message)
            if begun:
                client.cut()
                return
            fault = sys.exc_info()
            name = self._proxy.name
            yield from answer_error(
                error,
                name,
                environ,
                lambda status, headers, _=None: start_response(status, headers, fault),
            )

    def _tunnel(
        self,
        environ: WSGIEnvironment,
        exchange: Exchange,
        client: Client,
        visit: Visit,
        upgrade: bool,
    ) -> Iterator[bytes]:
        """Once iterated, which is when Flask has left the request's context, carries the tunnel."""
        head = exchange.head
        if not upgrade or tokens(head.fields.get("upgrade", ())) != ["websocket"]:
            raise ProxyError("The app server switched to a protocol that nobody asked for.")
        headers = [
            *self._rules.response(head.headers, visit),
            *self._parents,
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
        ]
        lines = ["HTTP/1.1 101 Switching Protocols", *(f"{key}: {text}" for key, text in headers)]

        def carry() -> Iterator[bytes]:
            upstream, early = exchange.detach()
            tunnel.carry(
                client,
                upstream,
                head="\r\n".join([*lines, "", ""]).encode("latin-1"),
                early=early,
                idle_timeout=self._proxy.limits.idle_timeout,
                # TLS is between the hub and the visitor: nobody else can speak it.
                copy=hasattr(client.socket, "cipher"),
            )
            yield b""

        return carry()


class _Answer:
    """An answer's body, which gives back what it holds however its reading ends."""

    def __init__(self, exchange: Exchange, done: Callable[[], None]) -> None:
        self.pieces: Iterator[bytes] = iter(())
        self._exchange = exchange
        self._done: Callable[[], None] | None = done

    def __iter__(self) -> Iterator[bytes]:
        return self.pieces

    def close(self) -> None:
        self._exchange.close()
        done, self._done = self._done, None
        if done is not None:
            done()


def _is_websocket(fields: dict[str, list[str]]) -> bool:
    """Whether it asks for a WebSocket; other protocols (h2c) are not passed on."""
    wanted = tokens(fields.get("upgrade", ()))
    return wanted == ["websocket"] and "upgrade" in tokens(fields.get("connection", ()))


_authority = lru_cache(256)(parse_authority)  # visitors use few names


def _foreign(
    environ: WSGIEnvironment, visit: Visit, upgrade: bool, proxy: ReverseProxy
) -> Refusal | None:
    """Why the request is refused: it names another host, or was made by another site's page."""
    origin = environ.get("HTTP_ORIGIN")
    own = _authority(visit.host)
    if own is None:
        raise BadRequest("The request has no Host header, or one that is not a single name.")
    if "*" in proxy.origins or origin in proxy.origins:
        origin = None
    if origin is None and not proxy.hosts:
        return None
    asked = Asked(
        environ["REQUEST_METHOD"], visit.scheme, visit.host, origin=origin, is_upgrade=upgrade
    )
    return decide(asked, proxy.hosts or frozenset({own.host}))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"
