"""WebSockets through the proxy: http and https, with clients and servers of another make."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.proxy.support import Site
from tests.proxy.upstreams import Echo, Upstream
from tests.proxy.websocketserver import WebSocketServer
from tests.support.patience import eventually
from tests.support.serialtls import insecure_context

MIB = 1 << 20


@pytest.fixture
def upstream() -> Iterator[WebSocketServer]:
    with WebSocketServer() as running:
        yield running


@pytest.fixture(params=["http", "https"])
def app(site: Site, upstream: WebSocketServer, request: pytest.FixtureRequest) -> Site:
    return serve(site, upstream, server=True, tls=request.param == "https")


def serve(
    site: Site,
    upstream: WebSocketServer,
    /,
    *,
    server: bool = False,
    tls: bool = False,
    **arguments: Any,
) -> Site:
    mount = {"prefix": "/app", "upstream": upstream.url, "strip_prefix": True, **arguments}
    return site.parent(mount, server=server, tls=tls)


def address(site: Site) -> str:
    return site.url.replace("http", "ws", 1) + "/app/ws?x=1"


def trusting(site: Site) -> dict[str, Any]:
    if site.url.startswith("http:"):
        return {}
    return {"ssl": insecure_context()}


def opened(site: Site, **options: Any) -> ClientConnection:
    defaults = {"max_size": None, "close_timeout": 5, "open_timeout": 60, "ping_interval": None}
    return connect(address(site), **{**defaults, **trusting(site), **options})


def test_messages_of_every_size(app: Site) -> None:
    with opened(app, compression=None) as client:
        for size in (0, 1, 125, 126, 65536, 300_000, 5 * MIB):
            data = os.urandom(size)
            client.send(data)
            assert client.recv(60) == data
        client.send("t\u00e9xt")
        assert client.recv(60) == "t\u00e9xt"


def test_compression_and_subprotocol_are_the_upstreams(app: Site) -> None:
    with opened(app, compression="deflate", subprotocols=["chat.v2", "chat.v1"]) as client:
        assert client.subprotocol == "chat.v1"
        assert "permessage-deflate" in client.response.headers["Sec-WebSocket-Extensions"]
        client.send("x" * 100_000)
        assert client.recv(60) == "x" * 100_000


def test_the_handshake_tells_who_asks(app: Site, upstream: WebSocketServer) -> None:
    with opened(app, origin=app.url, additional_headers={"Cookie": "parent_session=x; a=1"}):
        eventually(lambda: upstream.requests)  # it goes on after its answer
        headers = upstream.requests[0].headers
        assert upstream.requests[0].path == "/ws?x=1"
        assert headers["X-Forwarded-For"] == "127.0.0.1"
        assert headers["X-Forwarded-Proto"] == app.url.partition(":")[0]
        assert headers["Cookie"] == "a=1"
        assert headers["Origin"] == app.url


def test_pings_and_close_codes_pass(app: Site, upstream: WebSocketServer) -> None:
    with opened(app) as client:
        assert client.ping().wait(60)
        client.send("close 4321 because")
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(60)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4321, "because")
    with opened(app) as client:
        client.close(4000, "mine")
    eventually(lambda: 4000 in upstream.closed_with)


def test_a_visitor_who_vanishes_is_gone_for_the_upstream(
    app: Site, upstream: WebSocketServer
) -> None:
    with opened(app) as client:
        eventually(lambda: upstream.open)
        client.socket.shutdown(socket.SHUT_RDWR)
        eventually(lambda: not upstream.open)


def test_an_upstream_that_refuses(app: Site) -> None:
    with pytest.raises(InvalidStatus) as refusal, opened(app, subprotocols=["none.of.these"]):
        pass
    assert refusal.value.response.status_code == 400


def test_a_64_mb_message_passes_at_constant_memory(app: Site) -> None:
    with opened(app, compression=None) as client:
        client.send("warm")
        client.recv(60)
        before = app.memory_bytes()
        client.send(f"big {64 * MIB}")
        assert len(client.recv(60)) == 64 * MIB
        client.send(bytes(64 * MIB))
        assert len(client.recv(60)) == 64 * MIB
        assert app.memory_bytes() - before < 12 * MIB


def test_a_silence_is_no_end(app: Site) -> None:
    """Longer than an answer's head is waited for at a time."""
    with opened(app, compression=None) as client:
        for text in ("before", "after"):
            client.send(text)
            assert client.recv(60) == text
            time.sleep(1.5)


@pytest.mark.parametrize("server", [False, True])
def test_an_upstream_that_does_not_read_holds_its_visitor(site: Site, server: bool) -> None:
    async def never_reads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        await asyncio.Event().wait()

    with Upstream(never_reads) as upstream:
        site.parent({"prefix": "/app", "upstream": upstream.url}, server=server)
        with socket.create_connection(("127.0.0.1", site.port), timeout=60) as connection:
            connection.sendall(handshake(site))
            assert connection.recv(65536).startswith(b"HTTP/1.1 101")
            before = site.memory_bytes()
            connection.settimeout(0.5)
            with pytest.raises(TimeoutError):  # what the upstream does not take stays with us
                connection.sendall(bytes(100 * MIB))
            assert site.memory_bytes() - before < 12 * MIB
            assert site.get("/login").status_code == 200


def test_frames_that_come_with_the_handshake(site: Site, upstream: WebSocketServer) -> None:
    serve(site, upstream)
    frame = b"\x81\x82\0\0\0\0hi"
    with socket.create_connection(("127.0.0.1", site.port), timeout=60) as connection:
        connection.sendall(handshake(site) + frame)
        received = b""
        while b"\x81\x02hi" not in received:
            received += connection.recv(65536)


def handshake(site: Site, *lines: str) -> bytes:
    head = [
        "GET /app/ws HTTP/1.1",
        f"Host: localhost:{site.port}",
        "Connection: keep-alive, Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        *lines,
    ]
    return "\r\n".join([*head, "", ""]).encode()


@pytest.mark.parametrize(
    "origin", ["http://evil.test", "null", "http://localhost:1", "https://localhost"]
)
def test_pages_of_other_sites_may_not_open_one(
    site: Site, upstream: WebSocketServer, origin: str
) -> None:
    serve(site, upstream)
    answer = site.send(handshake(site, f"Origin: {origin}"))
    assert answer.startswith(b"HTTP/1.1 403")
    assert not upstream.requests


def test_origins_that_are_named_may(site: Site, upstream: WebSocketServer) -> None:
    serve(site, upstream, origins=["https://partner.test"])
    with opened(site, origin="https://partner.test") as client:
        client.send("x")
        assert client.recv(60) == "x"


def test_other_protocols_are_not_switched_to(site: Site) -> None:
    echo = Echo()
    with Upstream(echo) as upstream:
        site.parent({"prefix": "/app", "upstream": upstream.url})
        answer = site.get(
            "/app/", headers={"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c"}
        )
        assert answer.status_code == 200
        assert not echo.requests[0].values("upgrade")


def test_the_cap_on_tunnels(site: Site, upstream: WebSocketServer) -> None:
    serve(site, upstream, limits={"max_tunnels": 2})
    with opened(site), opened(site):
        with pytest.raises(InvalidStatus) as refusal, opened(site):
            pass
        assert refusal.value.response.status_code == 503
        assert refusal.value.response.headers["Retry-After"]
    eventually(lambda: site.apps()[0]["tunnels"] == 0)
    with opened(site):
        pass


def test_a_silent_tunnel_ends(app: Site, upstream: WebSocketServer, site: Site) -> None:
    site.stop()
    tls = app.url.startswith("https")
    serve(site, upstream, limits={"idle_timeout": 1.5}, server=tls, tls=tls)
    with opened(site) as client:
        began = time.monotonic()
        with pytest.raises(ConnectionClosed):
            client.recv(60)
        assert time.monotonic() - began > 0.5  # the handshake before may have taken a while


def test_a_view_that_blocks_holds_no_tunnel_up(site: Site, upstream: WebSocketServer) -> None:
    serve(site, upstream)
    with opened(site) as client:
        blocked = socket.create_connection(("127.0.0.1", site.port), timeout=60)
        blocked.sendall(b"GET /block?seconds=4 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        slowest, end = 0.0, time.monotonic() + 0.8
        while time.monotonic() < end:
            began = time.monotonic()
            client.send("x")
            client.recv(60)
            slowest = max(slowest, time.monotonic() - began)
        assert slowest < 2
        assert blocked.recv(65536).startswith(b"HTTP/1.1 200")
        blocked.close()


def test_500_tunnels(site: Site, upstream: WebSocketServer) -> None:
    serve(site, upstream)
    before = site.memory_bytes()

    async def all_of_them() -> int:
        clients = []
        for _ in range(500):
            clients.append(
                await connect_async(
                    address(site), compression=None, ping_interval=None, open_timeout=60
                )
            )
        for client in clients:
            await client.send("x")
        for client in clients:
            assert await client.recv() == "x"
        taken = site.memory_bytes() - before
        for client in clients:
            client.transport.abort()
        return taken

    assert asyncio.run(all_of_them()) < 40 * MIB
    eventually(lambda: site.apps()[0]["tunnels"] == 0)
    eventually(lambda: not upstream.open)


def test_a_stop_of_the_server_ends_tunnels(app: Site, upstream: WebSocketServer) -> None:
    with opened(app) as client:
        began = time.monotonic()
        app.stop()
        assert time.monotonic() - began < 5
        with pytest.raises(ConnectionClosed):
            client.recv(60)
    eventually(lambda: not upstream.open)


def test_a_login_holds_for_websockets(site: Site, upstream: WebSocketServer) -> None:
    mount = {"prefix": "/app", "upstream": upstream.url, "strip_prefix": True}
    site.parent(mount, login=True)
    answer = site.send(handshake(site))
    assert answer.startswith(b"HTTP/1.1 302")
    session = requests.get(site.url + "/login", timeout=60).cookies["parent_session"]
    headers = {"Cookie": f"parent_session={session}"}
    with opened(site, additional_headers=headers) as client:
        client.send("x")
        assert client.recv(60) == "x"
    assert "Cookie" not in upstream.requests[0].headers
