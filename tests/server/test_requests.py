"""What the server takes of a request, and what it refuses: smuggling, sizes, slowness."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.server.program import Program, received
from tests.support.patience import eventually

SERVE = """
@app.get("/large")
def large():
    return b"x" * 20_000_000

@app.post("/unread")
def unread():
    return "not read"

sizes = {"max_header_bytes": 10_000, "max_body_bytes": 5000}
times = {
    "head_seconds": 1, "idle_seconds": 3, "body_seconds": 1, "body_bytes_per_second": 1000,
    "write_seconds": 1,
} if "hasty" in sys.argv else {}
Server(app, limits=Limits(**sizes, **times)).run(0)
"""
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("requests"), SERVE) as running:
        yield running


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Has no patience: on a busy machine not even with the clients of other tests."""
    with Program(tmp_path_factory.mktemp("hasty"), SERVE, "hasty") as running:
        yield running


REFUSED = {
    "no target": (b"GET\r\n\r\n", 400),
    "http 0.9": (b"GET /\r\n\r\n", 400),
    "http 2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "absolute": (b"GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "authority": (b"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "two blanks": (b"GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "control character": (b"GET /\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (GET + b"Host: other\r\n\r\n", 400),
    "blank before colon": (GET + b"Content-Length : 5\r\n\r\n", 400),
    "folded": (GET + b"X-A: 1\r\n 2\r\n\r\n", 400),
    "no colon": (GET + b"nonsense\r\n\r\n", 400),
    "no name": (GET + b": x\r\n\r\n", 400),
    "bare return": (GET + b"X-A: 1\rTransfer-Encoding: chunked\r\n\r\n", 400),
    "nul": (GET + b"X-A: 1\0\r\n\r\n", 400),
    "length and coding": (POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    "two lengths": (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    "list of lengths": (POST + b"Content-Length: 1, 1\r\n\r\n", 400),
    "negative": (POST + b"Content-Length: -1\r\n\r\n", 400),
    "plus": (POST + b"Content-Length: +1\r\n\r\n", 400),
    "underscore": (POST + b"Content-Length: 1_0\r\n\r\n", 400),
    "other coding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    "two codings": (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n", 501),
    "coding behind a control": (POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n", 501),
    "coding with a prefix": (POST + b"Transfer-Encoding: xchunked\r\n\r\n", 501),
    "no coding": (POST + b"Transfer-Encoding:\r\n\r\n", 501),
    "blank before the first header": (b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n", 400),
    "two hosts in 1.0": (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "coding in 1.0": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    "long target": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    "long header": (GET + b"X-A: " + b"a" * 20_000 + b"\r\n\r\n", 431),
    "many headers": (GET + b"X-A: 1\r\n" * 101 + b"\r\n", 431),
    "large body": (POST + b"Content-Length: 5001\r\n\r\n" + b"x" * 5001, 413),
    "large chunk": (CHUNKED + b"1389\r\n" + b"x" * 5001 + b"\r\n0\r\n\r\n", 413),
    "large in chunks": (CHUNKED + b"3e8\r\n" + b"3e8\r\n".join([b"x" * 1000 + b"\r\n"] * 6), 413),
    "chunk without size": (CHUNKED + b"\r\n\r\n", 400),
    "negative chunk": (CHUNKED + b"-1\r\nx\r\n0\r\n\r\n", 400),
    "chunk with prefix": (CHUNKED + b"0x1\r\nx\r\n0\r\n\r\n", 400),
    "chunk too long": (CHUNKED + b"1\r\nxy\r\n0\r\n\r\n", 400),
    "endless chunk line": (CHUNKED + b"1;" + b"a" * 5000, 400),
    "line feed behind a chunk's size": (CHUNKED + b"1\nx\r\n0\r\n\r\n", 400),
    "line feed in an extension": (CHUNKED + b"1;a\nx\r\n0\r\n\r\n", 400),
    "return in an extension": (CHUNKED + b"1;a\rb\r\nx\r\n0\r\n\r\n", 400),
    "line feed behind a chunk": (CHUNKED + b"1\r\nx\n0\r\n\r\n", 400),
    "line feed at the end": (CHUNKED + b"1\r\nx\r\n0\r\n\n", 400),
    "blank behind a size": (CHUNKED + b"1 \r\nx\r\n0\r\n\r\n", 400),
    "blank before a size": (CHUNKED + b" 1\r\nx\r\n0\r\n\r\n", 400),
    "underscore in a size": (CHUNKED + b"1_0\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n", 400),
    "size of many digits": (CHUNKED + b"0" * 16 + b"1\r\nx\r\n0\r\n\r\n", 400),
    "request as a trailer": (CHUNKED + b"0\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "trailer without end": (CHUNKED + b"0\r\nX-A: 1\n\r\n", 400),
    "many trailers": (CHUNKED + b"0\r\n" + b"X-A: 1\r\n" * 200 + b"\r\n", 400),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_be_read_in_two_ways_is_refused_and_the_connection_closed(
    program: Program, name: str
) -> None:
    request, status = REFUSED[name]
    # Were it taken for a request of its own, this one would be answered too.
    answer = program.send(request, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer.split(b" ")[1] == str(status).encode(), answer
    assert answer.count(b"\r\n\r\n") == 1, answer
    assert b"Traceback" not in answer


TAKEN = {
    "empty line before": b"\r\n" + GET + b"Connection: close\r\n\r\n",
    "line feeds only": b"GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n",
    "http 1.0": b"GET / HTTP/1.0\r\n\r\n",
    "close among others": GET + b"Connection: foo, Close\r\n\r\n",
    "latin-1 value": GET + b"Connection: close\r\nX-A: \xe4\r\n\r\n",
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_unusual_but_clear_is_taken(program: Program, name: str) -> None:
    answer = program.send(TAKEN[name])
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer


def test_chunked_bodies_are_read(program: Program) -> None:
    body = b"5;name=value\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
    assert b'"body":16' in program.send(CHUNKED + body)


def test_a_body_that_nobody_reads_does_not_become_a_request(program: Program) -> None:
    second = b"GET /second HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    for framed in (
        b"Content-Length: %d\r\n\r\n%s" % (len(second), second),
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(second), second),
    ):
        request = b"POST /unread HTTP/1.1\r\nHost: localhost\r\n" + framed
        answer = program.send(request, GET + b"Connection: close\r\n\r\n")
        assert answer.count(b"HTTP/1.1 200 OK") == 2, answer
        assert b" 404 " not in answer


def test_requests_in_one_packet_are_answered_in_order(program: Program) -> None:
    answer = program.send(GET + b"\r\n" + TAKEN["close among others"])
    assert answer.count(b"HTTP/1.1 200 OK") == 2


def test_a_head_that_is_cut_off_is_not_run(program: Program) -> None:
    with program.connect() as client:
        client.sendall(POST + b"Content-Le")
        client.shutdown(socket.SHUT_WR)
        assert received(client) == b""


def test_an_announced_body_is_refused_before_it_is_sent(program: Program) -> None:
    request = POST + b"Expect: 100-continue\r\nContent-Length: 6000\r\n\r\n"
    assert program.send(request).startswith(b"HTTP/1.1 413 ")


def test_an_announced_body_is_asked_for(program: Program) -> None:
    with program.connect() as client:
        client.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"hello")
        assert b'"body":5' in received(client)


def test_asking_for_a_websocket_is_no_way_around_the_limits(hasty: Program) -> None:
    asked = POST + b"Upgrade: websocket\r\nContent-Length: 2000\r\n\r\n"
    with hasty.connect() as client:
        client.sendall(asked)
        assert 0.9 < dribble(client, b"x" * 1000) < 30


def seconds_until_closed(client: socket.socket) -> tuple[float, bytes]:
    begin = time.monotonic()
    return_value = received(client)
    return time.monotonic() - begin, return_value


def dribble(client: socket.socket, data: bytes) -> float:
    """Send a byte each 50 ms until the server closes; return the seconds."""
    begin = time.monotonic()
    client.settimeout(0.05)
    for byte in data:
        try:
            client.send(bytes([byte]))
            answer = client.recv(1000)
        except TimeoutError:
            continue
        except OSError:
            break
        if not answer:
            break
    return time.monotonic() - begin


def test_a_head_that_comes_slowly_is_answered_with_408(hasty: Program) -> None:
    with hasty.connect() as client:
        client.sendall(GET)
        seconds, answer = seconds_until_closed(client)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout"), answer
    assert seconds > 0.9


def test_bytes_now_and_then_do_not_keep_a_head_alive(hasty: Program) -> None:
    with hasty.connect() as client:
        assert 0.9 < dribble(client, GET * 30) < 30


def test_bytes_now_and_then_do_not_keep_a_body_alive(hasty: Program) -> None:
    with hasty.connect() as client:
        client.sendall(POST + b"Content-Length: 2000\r\n\r\n")
        assert 0.9 < dribble(client, b"x" * 1000) < 30


@pytest.mark.parametrize("begin", [b"", GET + b"\r\n"])
def test_an_idle_connection_is_closed_without_a_word(hasty: Program, begin: bytes) -> None:
    with hasty.connect() as client:
        client.sendall(begin)
        seconds, answer = seconds_until_closed(client)
    assert answer.count(b"HTTP/1.1 ") == (1 if begin else 0)
    assert seconds > 2.9


def test_who_does_not_read_an_answer_is_closed(hasty: Program) -> None:
    with hasty.connect() as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        eventually(lambda: "it read nothing for 1 s" in hasty.log)
        assert 0 < len(received(client)) < 20_000_000


def test_who_leaves_before_the_end_of_an_answer_is_no_fault(program: Program) -> None:
    for _ in range(3):
        with program.connect() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
            client.recv(1000)
    assert b" 200 OK" in program.send(TAKEN["http 1.0"])
    assert "Traceback" not in program.log


def test_slow_clients_do_not_slow_others(tmp_path: Path) -> None:
    with Program(tmp_path, SERVE) as program, ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(program.connect()).sendall(GET)
        begin = time.monotonic()
        assert b" 200 OK" in program.send(TAKEN["http 1.0"])
        assert time.monotonic() - begin < 20  # as many as each of them has
