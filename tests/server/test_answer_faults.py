"""Nothing that an application does wrong makes one answer into two, or into none."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.server.answering import AGAIN, SERVE, request, second, split
from tests.server.program import Program
from tests.support.patience import eventually


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("answers"), SERVE) as running:
        yield running


def test_what_exceeds_its_length_is_not_sent(program: Program) -> None:
    _, fields, body = split(program.send(request("/longer"), AGAIN))
    assert (fields["content-length"], body) == (["4"], b"one")  # and the end, which shows the fault
    assert "the answer is longer than its Content-Length" in program.log


def test_what_is_shorter_than_its_length_ends_with_the_connection(program: Program) -> None:
    _, fields, body = split(program.send(request("/shorter"), AGAIN))
    assert (fields["content-length"], body) == (["9"], b"onetwo")
    assert "the answer is shorter than its Content-Length" in program.log


FAULTS = [
    "/longer-at-once",
    "/none-at-all",
    "/split-value",
    "/split-feed",
    "/split-name",
    "/split-status",
    "/no-latin",
    "/gzip",
    "/lengths",
    "/interim",
    "/text",
    "/fails-at-once",
    "/raises",
    "/exits-at-once",
    "/writes-too-early",
    "/again",
]


@pytest.mark.parametrize("path", FAULTS)
def test_a_fault_before_the_answer_is_answered_with_500(program: Program, path: str) -> None:
    status, fields, body = split(program.send(request(path), AGAIN))
    assert (status, body) == (b"HTTP/1.1 500 Internal Server Error", b"")
    assert (fields["content-length"], fields["connection"]) == (["0"], ["close"])
    assert not {"x-a", "x-b", "set-cookie"} & fields.keys()


@pytest.mark.parametrize("path", ["/fails", "/exits"])
def test_a_fault_within_the_answer_is_no_proper_end(program: Program, path: str) -> None:
    assert split(program.send(request(path), AGAIN))[2] == b"3\r\none\r\n"
    eventually(lambda: f"closed {path[1:]}\n" in program.output)


def test_another_answer_may_take_the_place_of_one_that_failed(program: Program) -> None:
    status, _, body = split(second(program.send(request("/again-with-fault"), AGAIN)))
    assert (status, body) == (b"HTTP/1.1 503 Service Unavailable", b"twice")


def test_it_may_not_once_the_first_has_begun(program: Program) -> None:
    status, _, body = split(program.send(request("/again-too-late"), AGAIN))
    assert (status, body) == (b"HTTP/1.1 200 OK", b"3\r\none\r\n")


def test_what_is_written_comes_before_what_is_returned(program: Program) -> None:
    body = split(second(program.send(request("/writes"), AGAIN)))[2]
    assert body == b"3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"
    eventually(lambda: "closed writes\n" in program.output)


def test_an_answer_whose_close_fails_was_given_all_the_same(program: Program) -> None:
    assert split(program.send(request("/bad"), AGAIN))[2] == b"onetwo"
    assert "could not be closed" in program.log


def test_an_answer_is_closed_when_its_client_has_gone(program: Program) -> None:
    before = program.output.count("closed stream\n")
    with program.connect() as client:
        client.sendall(request("/stream"))
    eventually(lambda: program.output.count("closed stream\n") > before)


def test_requests_that_wait_in_line_are_not_run_behind_a_fault(program: Program) -> None:
    three = request("/list") + request("/shorter") + AGAIN
    assert len(re.findall(rb"HTTP/1.1 200", program.send(three))) == 2
