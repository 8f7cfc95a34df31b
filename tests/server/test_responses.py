"""What the server writes: headers of its own, and in how many pieces."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import closing
from email.utils import parsedate_to_datetime

import pytest

from flask_realtime.server.responsewriter import JOINED_BYTES, ResponseWriter
from tests.server.program import Program

SERVE = """
def plain(environ, start_response):
    own = [("date", "Thu, 01 Jan 1970 00:00:00 GMT"), ("x-request-id", "own")]
    named = [("content-type", "text/plain"), ("content-length", "3")]
    start_response("200 OK", named + own * (environ["PATH_INFO"] == "/own"))
    return [b"one"]

Server(plain).run(0)
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("responses"), SERVE) as running:
        yield running


def fields(program: Program, path: str) -> list[tuple[str, str]]:
    with closing(http.client.HTTPConnection("127.0.0.1", program.port, timeout=60)) as client:
        client.request("GET", path)
        answer = client.getresponse()
        assert answer.read() == b"one"
        return answer.getheaders()


def test_each_header_is_there_once_however_it_was_written(program: Program) -> None:
    found = fields(program, "/")
    names = [name for name, _ in found]
    assert sorted(names) == ["Content-Length", "Content-Type", "Date", "X-Request-Id"]
    said = parsedate_to_datetime(dict(found)["Date"]).timestamp()
    assert abs(said - time.time()) < 60


def test_what_the_application_says_itself_is_kept(program: Program) -> None:
    found = fields(program, "/own")
    assert len(found) == 4
    assert dict(found)["Date"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert dict(found)["X-Request-Id"] == "own"


class Connected:
    """A socket that keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendall(self, data: memoryview) -> None:
        self.sent.append(bytes(data))


@pytest.mark.parametrize("size", [0, 1, JOINED_BYTES])
def test_head_and_body_go_out_together(size: int) -> None:
    connected = Connected()
    ResponseWriter(connected).writelines([b"HTTP/1.1 200 OK\r\n", b"\r\n", b"x" * size])
    assert connected.sent == [b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * size]


def test_a_large_body_is_not_copied_to_its_head() -> None:
    connected = Connected()
    body = b"x" * (JOINED_BYTES + 1)
    ResponseWriter(connected).writelines(iter([b"HTTP/1.1 200 OK\r\n", b"\r\n", body]))
    assert connected.sent == [b"HTTP/1.1 200 OK\r\n\r\n", body]
