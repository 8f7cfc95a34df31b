"""What the two sides of a WebSocket hear when the server stops: going away, 1001."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from tests.proxy.support import Site
from tests.proxy.test_websockets import handshake, opened, serve, trusting
from tests.proxy.upstreams import Upstream
from tests.proxy.websocketserver import WebSocketServer
from tests.support.patience import eventually

GOING_AWAY = b"\x88\x02\x03\xe9"
BIG = 24 << 20  # more than all buffers on the way hold


@pytest.fixture
def upstream() -> Iterator[WebSocketServer]:
    with WebSocketServer() as running:
        yield running


@pytest.fixture(params=["http", "https"])
def tls(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "https")


def connected(site: Site) -> socket.socket:
    """A connection on which a handshake was sent."""
    plain = socket.create_connection(("127.0.0.1", site.port), timeout=60)
    if context := trusting(site).get("ssl"):
        plain = context.wrap_socket(plain)
    plain.sendall(handshake(site))
    return plain


def refuses(site: Site) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", site.port)) != 0


def begin_stop(site: Site) -> None:
    assert site.process is not None
    site.process.send_signal(signal.SIGTERM)
    eventually(lambda: refuses(site))


def ended(site: Site) -> bool:
    """Whether it ended well, in time, by itself."""
    assert site.process is not None
    return site.process.wait(60) == 0


def test_both_sides_hear_it(site: Site, upstream: WebSocketServer, tls: bool) -> None:
    serve(site, upstream, server=True, tls=tls)
    with ExitStack() as stack:
        clients = [stack.enter_context(opened(site)) for _ in range(3)]
        for client in clients:
            client.send("x")
            assert client.recv(10) == "x"
        begin_stop(site)
        for client in clients:
            with pytest.raises(ConnectionClosed) as closed:
                client.recv(5)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
        assert ended(site)
    eventually(lambda: upstream.closed_with == [1001, 1001, 1001])
    assert "cut off" not in site.log


def test_a_message_on_its_way_arrives_before(
    site: Site, upstream: WebSocketServer, tls: bool
) -> None:
    serve(site, upstream, server=True, tls=tls)
    with connected(site) as client:
        received = bytearray(until(client, b"\r\n\r\n"))
        client.sendall(Frame(Opcode.TEXT, b"big %d" % BIG).serialize(mask=True))
        received += client.recv(100)
        begin_stop(site)
        expected = Frame(Opcode.BINARY, bytes(BIG)).serialize(mask=False) + GOING_AWAY
        del received[: received.index(b"\r\n\r\n") + 4]
        while len(received) < len(expected):
            received += client.recv(1 << 20)
        assert received == expected
        client.sendall(Frame(Opcode.CLOSE, b"\x03\xe9").serialize(mask=True))
        assert client.recv(100) == b""
    assert ended(site)
    eventually(lambda: upstream.closed_with == [1001])


def until(client: socket.socket, end: bytes) -> bytes:
    received = b""
    while end not in received:
        received += client.recv(1)
    return received


def test_a_visitor_who_does_not_answer_holds_nobody_up(
    site: Site, upstream: WebSocketServer, tls: bool
) -> None:
    serve(site, upstream, server=True, tls=tls)
    with connected(site) as client:
        until(client, b"\r\n\r\n")
        begin_stop(site)
        assert ended(site)
        assert client.recv(100) == GOING_AWAY
    eventually(lambda: upstream.closed_with == [1001])


def test_a_tunnel_that_opens_meanwhile_hears_it(site: Site, tls: bool) -> None:
    is_asked, may_open = threading.Event(), threading.Event()

    async def opens_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        is_asked.set()
        await asyncio.to_thread(may_open.wait)
        writer.write(b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        await reader.read()

    with Upstream(opens_late) as late:
        mount = {"prefix": "/app", "upstream": late.url}
        site.parent(mount, server=True, tls=tls)
        with connected(site) as client:
            assert is_asked.wait(60)
            begin_stop(site)
            may_open.set()
            assert until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 101")
            assert client.recv(100) == GOING_AWAY
        assert ended(site)
