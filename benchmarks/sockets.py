"""Raw WebSockets: what 5,000 idle ones cost, and how fast messages come back.

The clients are plain sockets; all of it is on this machine.
"""

from __future__ import annotations

import gc
import os
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psutil

IDLE = 5_000
WARM = 200  # what the first connections cost is not theirs: modules, caches
ECHOES = 3_000
CLIENTS = 64
ROUNDS = 100
MESSAGE = b"x" * 1024

_HANDSHAKE = (
    b"GET /echo HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) a benchmark\r\nOrigin: http://127.0.0.1:%d\r\n"
    b"Cookie: session=eyJuYW1lIjoiYSBuYW1lIn0.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n"
    b"Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en\r\n%s\r\n"
)
# What browsers offer. The clients that measure speed do not, since they cannot decompress.
_OFFER = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
_HELLO = b"\x81\x85\0\0\0\0hello"  # masked by zeros
_FRAME = b"\x82\xfe" + len(MESSAGE).to_bytes(2, "big") + bytes(4) + MESSAGE
_ANSWER_BYTES = 4 + len(MESSAGE)


def serve() -> None:
    """Serve an echo, and say the port."""
    from flask import Flask, session

    from flask_realtime import Server, Sockets

    _take_descriptors()
    app = Flask(__name__)
    app.secret_key = "of a benchmark"
    sockets = Sockets(app, ping_interval=600)

    @sockets.route("/echo")
    def echo(ws) -> None:
        session.get("name")
        for message in ws:
            ws.send(message)

    server = Server(app)
    server.bind(0, "127.0.0.1")
    print(server.port, flush=True)
    server.serve()
    server.close()


def main() -> None:
    _take_descriptors()
    for name, offer in (("plain", b""), ("with compression", _OFFER)):
        with _serving() as (process, port):
            _idle(process, port, name, offer)
    with _serving() as (_, port):
        _echo(port)


@contextmanager
def _serving() -> Iterator[tuple[psutil.Process, int]]:
    child = subprocess.Popen([sys.executable, "-m", "benchmarks.sockets"], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        yield psutil.Process(child.pid), int(child.stdout.readline())
    finally:
        child.terminate()
        child.wait(20)


def _idle(server: psutil.Process, port: int, name: str, offer: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(WARM):
            stack.enter_context(_connect(port, offer))
        before = server.memory_info().rss
        begin = time.perf_counter()
        for _ in range(IDLE):
            stack.enter_context(_connect(port, offer))
        seconds = time.perf_counter() - begin
        cost = (server.memory_info().rss - before) / IDLE / 1000
        used = server.cpu_times().user
        time.sleep(5)
        idle = (server.cpu_times().user - used) / 5
    print(f"  an idle socket          {cost:>10.1f} KB  ({name}; wanted: below 60)")
    print(f"  connections             {IDLE / seconds:>10,.0f} /s")
    print(f"  {IDLE:,} idle sockets use {idle:>9.1%} of a core")


def _echo(port: int) -> None:
    with _connect(port) as client:
        taken = []
        for _ in range(ECHOES):
            begin = time.perf_counter()
            client.sendall(_FRAME)
            _read(client, _ANSWER_BYTES)
            taken.append((time.perf_counter() - begin) * 1e6)
    ranks = statistics.quantiles(taken, n=100)
    print(f"  1 KB there and back     {ranks[49]:>10.0f} µs  (99 %: {ranks[98]:.0f} µs)")
    with ExitStack() as stack:
        clients = [stack.enter_context(_connect(port)) for _ in range(CLIENTS)]
        gc.collect()
        begin = time.perf_counter()
        for _ in range(ROUNDS):
            for client in clients:
                client.sendall(_FRAME)
            for client in clients:
                _read(client, _ANSWER_BYTES)
        rate = CLIENTS * ROUNDS / (time.perf_counter() - begin)
    print(f"  1 KB × {CLIENTS} clients      {rate:>12,.0f} messages/s")


def _connect(port: int, offer: bytes = b"") -> socket.socket:
    """A socket whose handshake is done, and which was used once."""
    client = socket.create_connection(("127.0.0.1", port), 20)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.sendall(_HANDSHAKE % (port, port, offer))
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += client.recv(1)
    assert b" 101 " in head, head
    client.sendall(_HELLO)
    assert _read(client, 7) == b"\x81\x05hello"
    return client


def _read(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = client.recv(size - len(data))
        assert part, "the server has closed the connection"
        data += part
    return data


def _take_descriptors() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    serve()
