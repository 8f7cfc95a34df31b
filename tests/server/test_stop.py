"""How a server ends: requests answered, WebSockets told, exit code 0; and what it says of it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import socketio
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.server.program import Program, received
from tests.support.patience import eventually
from tests.support.serialtls import insecure_context

SERVE = """
from flask_socketio import SocketIO
from simple_websocket import Server as Upgraded

@app.get("/slow")
def slow():
    print("slow", file=sys.stderr, flush=True)
    host.sleep(float(request.args["seconds"]))
    return "done"

@app.get("/stream")
def stream():
    def parts():
        for number in range(20):
            yield f"{number}\\n"
            host.sleep(0.1)
    return parts()

@app.get("/hold")
def hold():  # nobody else gets the hub until there is a file of this name
    print("hold", file=sys.stderr, flush=True)
    while not Path(request.args["file"]).exists():
        time.sleep(0.01)
    return "done"

@app.post("/upload")
def upload():
    return str(len(request.get_data()))

sio = SocketIO(app, async_mode=host.ASYNC_MODE, cors_allowed_origins="*")

@sio.on("echo")
def echo(value):
    return value

@sio.on("disconnect")
def gone(*reason):
    print("client gone", file=sys.stderr, flush=True)

from flask_realtime.server import server
server.CLOSE_SECONDS = 60 if "patient" in sys.argv else server.CLOSE_SECONDS

options = {"ssl_cert": "adhoc"} if "tls" in sys.argv else {}
limits = Limits(stop_seconds=1 if "briefly" in sys.argv else 30)
Server(app, limits=limits, access_log="combined").run(0, **options)
"""
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
AT_ONCE = 20  # seconds that are fewer than those of a stop that waits for somebody


@pytest.fixture(params=["http", "https"])
def words(request: pytest.FixtureRequest) -> list[str]:
    """What the program is told."""
    return ["tls"] if request.param == "https" else []


@pytest.fixture
def program(words: list[str], tmp_path: Path) -> Iterator[Program]:
    with Program(tmp_path, SERVE, *words) as running:
        yield running


def socket_of(program: Program) -> ClientConnection:
    address = program.url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    return connect(address, ssl=insecure_context() if address.startswith("wss") else None)


def asked(program: Program, path: str) -> socket.socket:
    client = program.connect()
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return client


def test_requests_in_progress_are_answered(program: Program) -> None:
    with asked(program, "/slow?seconds=1") as slow, asked(program, "/stream") as stream:
        eventually(lambda: "slow" in program.log)
        stream.recv(10)
        begin = time.monotonic()
        assert program.stop() == 0
        assert time.monotonic() - begin < AT_ONCE
        assert received(slow).endswith(b"\r\n\r\ndone")
        assert received(stream).endswith(b"19\n\r\n0\r\n\r\n")


def test_an_answer_in_progress_says_that_the_connection_closes(program: Program) -> None:
    with asked(program, "/slow?seconds=0.5") as slow:
        eventually(lambda: "slow" in program.log)
        assert program.stop() == 0
        assert b"Connection: close\r\n" in received(slow)


def test_an_upload_in_progress_is_taken(program: Program) -> None:
    with program.connect() as client:
        client.sendall(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345")
        time_to_stop = threading.Timer(0.3, client.sendall, [b"67890"])
        time_to_stop.start()
        assert program.stop() == 0
        time_to_stop.join()
        assert received(client).endswith(b"\r\n\r\n10")


def test_requests_that_came_before_the_stop_are_answered(words: list[str], tmp_path: Path) -> None:
    with ExitStack() as stack:
        program = stack.enter_context(Program(tmp_path, SERVE, "patient", *words))
        kept = stack.enter_context(asked(program, "/"))
        assert b"200 OK" in kept.recv(65536)
        holding = stack.enter_context(asked(program, f"/hold?file={tmp_path / 'go'}"))
        eventually(lambda: "hold" in program.log)
        begun = [stack.enter_context(program.begin_to_connect()) for _ in range(5)]
        kept.sendall(REQUEST)
        for client in begun:
            if not isinstance(client, ssl.SSLSocket):
                client.sendall(REQUEST)
        program.process.terminate()
        (tmp_path / "go").touch()
        for client in begun:
            if isinstance(client, ssl.SSLSocket):
                client.do_handshake()
                client.sendall(REQUEST)
        assert received(holding).endswith(b"\r\n\r\ndone")
        for client in (kept, *begun):
            assert b" 200 OK\r\n" in received(client)
        assert program.process.wait(60) == 0


def test_who_came_before_the_stop_and_asks_nothing_does_not_hold_it_up(
    program: Program, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        holding = stack.enter_context(asked(program, f"/hold?file={tmp_path / 'go'}"))
        eventually(lambda: "hold" in program.log)
        silent = [stack.enter_context(program.begin_to_connect()) for _ in range(3)]
        program.process.terminate()
        (tmp_path / "go").touch()
        begin = time.monotonic()
        assert received(holding).endswith(b"\r\n\r\ndone")
        assert program.process.wait(60) == 0
        assert time.monotonic() - begin < AT_ONCE
        for client in silent:
            client.settimeout(60)
            socket.socket.recv(client, 65536)
    assert "cut off" not in program.log


def test_no_new_connections_and_no_idle_ones(program: Program) -> None:
    with asked(program, "/") as idle, asked(program, "/slow?seconds=2") as slow:
        eventually(lambda: "slow" in program.log)
        assert b"200 OK" in idle.recv(65536)
        program.process.terminate()
        assert received(idle) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", program.port), 60)
        assert received(slow).endswith(b"done")
        assert program.process.wait(60) == 0


def test_requests_that_take_too_long_are_cut_off_and_counted(tmp_path: Path) -> None:
    with (
        Program(tmp_path, SERVE, "briefly") as program,
        asked(program, "/slow?seconds=60") as slow,
    ):
        eventually(lambda: "slow" in program.log)
        begin = time.monotonic()
        assert program.stop() == 0
        assert 0.9 < time.monotonic() - begin < AT_ONCE
        assert received(slow) == b""
    assert "1 requests were cut off by the stop" in program.log


def test_websockets_are_closed_with_1001(program: Program) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(socket_of(program)) for _ in range(3)]
        for client in clients:
            assert str(client.recv(60)).startswith("0{")  # Engine.IO's greeting
        begin = time.monotonic()
        program.process.terminate()
        for client in clients:
            with pytest.raises(ConnectionClosed) as caught:
                client.recv(60)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1001
        assert program.process.wait(60) == 0
        assert time.monotonic() - begin < AT_ONCE


def test_socket_io_clients_of_both_transports_are_served_and_let_go(tmp_path: Path) -> None:
    with Program(tmp_path, SERVE) as program, ExitStack() as stack:
        clients = []
        for transport in ("polling", "websocket"):
            client = socketio.Client(reconnection=False)
            client.connect(program.url, transports=[transport])
            if transport == "websocket":  # which it leaves open once the server has closed it
                stack.callback(client.eio.ws.shutdown)
            stack.callback(client.eio.queue.put, None)  # its writer would wait for half a minute
            assert client.call("echo", "hello", timeout=60) == "hello"
            clients.append(client)
        begin = time.monotonic()
        assert program.stop() == 0
        assert time.monotonic() - begin < AT_ONCE
        for client in clients:
            eventually(lambda client=client: not client.connected)
    assert program.log.count("client gone") == 2
    assert "Traceback" not in program.log


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with Program(tmp_path, SERVE) as program, asked(program, "/slow?seconds=60"):
        eventually(lambda: "slow" in program.log)
        program.process.terminate()
        eventually(lambda: refuses(program))
        begin = time.monotonic()
        assert program.stop() == -15
        assert time.monotonic() - begin < AT_ONCE


def refuses(program: Program) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", program.port)) != 0
