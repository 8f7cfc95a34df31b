"""How answers are framed, and whether another one may follow."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.server.answering import AGAIN, KEEP, SERVE, request, second, split
from tests.server.program import Program, received


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("answers"), SERVE) as running:
        yield running


def test_a_list_has_a_length_and_the_connection_stays(program: Program) -> None:
    status, fields, body = split(second(program.send(request("/list"), AGAIN)))
    assert (status, body) == (b"HTTP/1.1 200 OK", b"onetwo")
    assert fields["content-length"] == ["6"]
    assert not {"connection", "transfer-encoding"} & fields.keys()


@pytest.mark.parametrize("path", ["/stream", "/coded", "/keeping"])
def test_what_has_no_length_comes_in_chunks(program: Program, path: str) -> None:
    _, fields, body = split(second(program.send(request(path), AGAIN)))
    assert body == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
    assert fields["transfer-encoding"] == ["chunked"]
    assert not {"content-length", "connection", "keep-alive"} & fields.keys()


def test_nothing_at_all_is_an_answer(program: Program) -> None:
    assert split(second(program.send(request("/empty"), AGAIN)))[2] == b"0\r\n\r\n"


@pytest.mark.parametrize("path", ["/sized", "/late"])
def test_a_length_of_its_own_is_kept(program: Program, path: str) -> None:
    _, fields, body = split(second(program.send(request(path), AGAIN)))
    assert (fields["content-length"], body) == (["6"], b"onetwo")


def test_an_application_may_end_the_connection(program: Program) -> None:
    _, fields, body = split(program.send(request("/closing"), AGAIN))
    assert (fields["connection"], body) == (["close"], b"onetwo")


@pytest.mark.parametrize(
    ("path", "length"),
    [
        ("/list", None),
        ("/stream", None),
        ("/sized", ["6"]),
        ("/shorter", ["9"]),
        ("/longer", ["4"]),
    ],
)
def test_head_has_no_body(program: Program, path: str, length: list[str] | None) -> None:
    _, fields, body = split(second(program.send(request(path, "HEAD"), AGAIN)))
    assert (body, fields.get("content-length")) == (b"", length)
    assert "transfer-encoding" not in fields


@pytest.mark.parametrize(("path", "length"), [("/no-content", None), ("/not-modified", ["6"])])
def test_a_status_without_a_body_has_none(
    program: Program, path: str, length: list[str] | None
) -> None:
    _, fields, body = split(second(program.send(request(path), AGAIN)))
    assert (body, fields.get("content-length")) == (b"", length)
    assert "transfer-encoding" not in fields


def test_an_old_client_that_asks_for_it_keeps_its_connection(program: Program) -> None:
    _, fields, body = split(second(program.send(request("/list", version="1.0", more=KEEP), AGAIN)))
    assert (fields["connection"], body) == (["keep-alive"], b"onetwo")


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/list", ""),
        ("/list", KEEP + "Connection: close\r\n"),
        ("/list", "Connection: keep-alive, close\r\n"),
        ("/stream", KEEP),  # its end is the answer's
    ],
)
def test_else_it_has_one_answer_without_chunks(program: Program, path: str, asked: str) -> None:
    _, fields, body = split(program.send(request(path, version="1.0", more=asked), AGAIN))
    assert (fields["connection"], body) == (["close"], b"onetwo")
    assert "transfer-encoding" not in fields


def test_close_goes_before_keep_alive_in_any_of_several_lines(program: Program) -> None:
    asked = "Connection: keep-alive\r\nConnection: close\r\n"
    assert split(program.send(request("/list", more=asked), AGAIN))[2] == b"onetwo"


EXPECT = "Expect: 100-continue\r\n"


@pytest.mark.parametrize(
    ("version", "more"),
    [("1.0", EXPECT + KEEP + "Content-Length: 3\r\n"), ("1.1", EXPECT)],
    ids=["an old client", "without a body"],
)
def test_nobody_is_invited_who_waits_for_no_invitation(
    program: Program, version: str, more: str
) -> None:
    body = b"abc" if "Content-Length" in more else b""
    answer = second(program.send(request("/echo", "POST", version, more) + body, AGAIN))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert split(answer)[2] == body


def test_who_is_answered_without_an_invitation_is_not_heard_further(program: Program) -> None:
    asked = request("/list", "POST", more=f"{EXPECT}Content-Length: {len(AGAIN)}\r\n")
    answer = program.send(asked, AGAIN)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert split(answer)[1]["connection"] == ["close"]


def test_a_chunked_body_that_is_invited_comes_whole(program: Program) -> None:
    with program.connect() as client:
        client.sendall(request("/echo", "POST", more=EXPECT + "Transfer-Encoding: chunked\r\n"))
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"3\r\nabc\r\n0\r\n\r\n" + AGAIN)
        assert split(second(received(client)))[2] == b"abc"


def test_an_unread_body_that_is_too_large_or_malformed_ends_the_connection(
    program: Program,
) -> None:
    coded = request("/list", "POST", more="Transfer-Encoding: chunked\r\n")
    before = program.log
    for body in (b"fff\r\n" + b"x" * 4095 + b"\r\n0\r\n\r\n", b"3\r\nabcd\r\n0\r\n\r\n", b"x\r\n"):
        answer = program.send(coded + body, AGAIN)
        assert answer.count(b"HTTP/1.1 ") == 1
        assert split(answer)[2] == b"onetwo"
    assert program.log == before


def test_a_body_that_ends_too_early_is_not_followed_by_a_request(program: Program) -> None:
    with program.connect() as client:
        client.sendall(request("/list", "POST", more="Content-Length: 50\r\n") + b"x" * 49)
        client.shutdown(socket.SHUT_WR)
        assert received(client).count(b"HTTP/1.1 ") == 1
