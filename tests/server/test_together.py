"""Pages, Socket.IO, WebSocket routes and proxied applications on one port, by http and https."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.server.program import Program
from tests.support.serialtls import insecure_context

UPSTREAM = """
from flask_realtime.sockets import Sockets
sockets = Sockets(app)

@app.get("/inner/page")
def page():
    return "from the other server"

@sockets.route("/inner/echo")
def echo(ws):
    while (message := ws.receive()) is not None:
        ws.send("other: " + message)

Server(app).run(0)
"""
SERVE = """
from flask_socketio import SocketIO
from flask_realtime.proxy import ReverseProxy
from flask_realtime.sockets import Sockets

sio = SocketIO(app, async_mode=host.ASYNC_MODE)
sockets = Sockets(app)

@sockets.route("/echo")
def echo(ws):
    while (message := ws.receive()) is not None:
        ws.send(message)

ReverseProxy("/inner", upstream=sys.argv[1]).init_app(app)
options = {"ssl_cert": "adhoc"} if "tls" in sys.argv else {}
Server(app, limits=Limits(stop_seconds=30), access_log="combined").run(0, **options)
"""
GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(params=["http", "https"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Program]:
    (tmp_path / "upstream").mkdir()
    more = ["tls"] if request.param == "https" else []
    with (
        Program(tmp_path / "upstream", UPSTREAM) as upstream,
        Program(tmp_path, SERVE, upstream.url.replace("localhost", "127.0.0.1"), *more) as running,
    ):
        yield running


def websocket(program: Program, path: str) -> ClientConnection:
    address = program.url.replace("http", "ws", 1) + path
    return connect(address, ssl=insecure_context() if address.startswith("wss") else None)


def test_all_are_served_on_one_port_and_closed_with_1001(program: Program) -> None:
    assert b'"url":' in program.send(GET % b"/")
    assert b"from the other server" in program.send(GET % b"/inner/page")
    paths = ("/echo", "/inner/echo", "/socket.io/?EIO=4&transport=websocket")
    with ExitStack() as stack:
        route, proxied, engine = (stack.enter_context(websocket(program, p)) for p in paths)
        assert str(engine.recv(60)).startswith("0{")
        for size in (1, 1000, 200_000):
            route.send("x" * size)
            assert route.recv(60) == "x" * size
            proxied.send("y" * size)
            assert proxied.recv(60) == "other: " + "y" * size
        begin = time.monotonic()
        assert program.stop() == 0
        assert time.monotonic() - begin < 20  # nobody was waited for
        for client in (route, proxied, engine):
            with pytest.raises(ConnectionClosed) as caught:
                client.recv(60)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1001
    log = program.output
    assert '"GET /inner/page HTTP/1.1" 200 21 ' in log
    for path in paths:
        assert f'"GET {path} HTTP/1.1" 101 - ' in log
    assert "Traceback" not in program.log
