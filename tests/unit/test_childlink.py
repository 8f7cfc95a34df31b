"""Sockets to the processes of a run: nobody waits to speak, and no child is trusted."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from flask_realtime import host
from flask_realtime.currentrun import CurrentRun
from flask_realtime.isolation.box import Exit, Prompt
from flask_realtime.isolation.childlink import SILENT, ChildLink
from flask_realtime.isolation.line import Line
from flask_realtime.masking import Secrets
from tests.support.hub import until


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


def heard(theirs: socket.socket) -> bytes:
    try:
        return theirs.recv(1 << 20)
    except BlockingIOError:
        host.sleep(0.001)
        return b""


def test_what_is_said_goes_out_in_order_as_soon_as_there_is_room(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    line, theirs = Line(pair[0]), pair[1]
    said = [b"%d" % number * 50_000 for number in range(30)]
    for data in said:
        line.say(data)
    got = b""
    while len(got) < sum(map(len, said)):
        got += heard(theirs)
    assert got == b"".join(said)
    line.say(b"more")
    assert until(lambda: heard(theirs)) == b"more"
    line.close()


def test_a_line_can_be_closed_while_it_sends(pair: tuple[socket.socket, socket.socket]) -> None:
    line = Line(pair[0])
    line.say(b"x" * 10_000_000)
    host.sleep(0)
    line.close()
    line.say(b"nobody hears this")


def test_a_peer_that_is_gone_is_an_end(pair: tuple[socket.socket, socket.socket]) -> None:
    line, theirs = Line(pair[0]), pair[1]
    theirs.close()
    line.say(b"x")
    line.say(b"y")
    assert line.read() == b""
    line.close()


class Watched:
    """What a child's link tells."""

    def __init__(self) -> None:
        self.progressed: list[tuple[float, float | None, str]] = []

    def output(self, stream: int, data: bytes) -> None:
        raise AssertionError

    def waiting(self, prompt: Prompt | None) -> None:
        raise AssertionError

    def ended(self, end: Exit) -> None:
        raise AssertionError

    def progress(self, done: float, total: float | None, label: str) -> None:
        self.progressed.append((done, total, label))


class Linked:
    """A link, and the child's end of it in the test's hand."""

    def __init__(self, ours: socket.socket, theirs: socket.socket) -> None:
        self.run = CurrentRun("1", "job", "ada", Secrets())
        self.watched = Watched()
        self.hidden: list[bool] = []
        self.link = ChildLink(ours, b'{"first":1}\n', self.run, self.watched, self.hidden.append)
        self._theirs = theirs

    def says(self, *messages: Any) -> None:
        for message in messages:
            data = message if isinstance(message, bytes) else json.dumps(message).encode()
            self._theirs.sendall(data + b"\n")

    def hears(self) -> list[Any]:
        return [json.loads(line) for line in until(lambda: heard(self._theirs)).splitlines()]


@pytest.fixture
def linked(pair: tuple[socket.socket, socket.socket]) -> Iterator[Linked]:
    made = Linked(*pair)
    assert made.hears() == [{"first": 1}]
    yield made
    made.link.close()


def test_a_child_tells_how_far_it_is_and_how_it_ended(linked: Linked) -> None:
    linked.says(
        {"ready": 1, "dumps": None},
        {"progress": {"done": 1, "total": None, "label": "x"}},
        {"end": {"state": "succeeded", "code": 0, "reason": "finished"}},
    )
    until(lambda: linked.link.end)
    assert linked.watched.progressed == [(1, None, "x")]
    assert linked.link.end == Exit("succeeded", 0, "finished")


def test_what_was_said_last_is_heard_when_it_is_closed(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    linked = Linked(*pair)
    linked.says({"end": {"state": "failed", "code": 3, "reason": "x"}})
    linked.link.close()
    assert linked.link.end == Exit("failed", 3, "x")


def test_a_secret_is_known_before_the_child_goes_on(linked: Linked) -> None:
    linked.says({"mask": "open-sesame", "number": 7})
    assert linked.hears() == [{"masked": 7}]
    assert linked.run.secrets.mask("open-sesame") == "***"
    linked.says({"mask": "short", "number": 8})  # would hide ordinary text
    assert linked.hears() == [{"masked": 8}]
    assert linked.run.secrets.mask("a short one") == "a short one"


def test_what_is_read_is_hidden_before_the_child_reads_it(linked: Linked) -> None:
    linked.says({"hidden": True, "number": 1})
    assert linked.hears() == [{"masked": 1}]
    linked.says({"hidden": False, "number": 2})
    assert linked.hears() == [{"masked": 2}]
    assert linked.hidden == [True, False]


@pytest.mark.parametrize(
    "nonsense",
    [b"no JSON", [], {"unknown": 1}, {"end": {"state": "lost", "code": 0, "reason": ""}}, b"\xff"],
)
def test_nonsense_is_left_aside(
    linked: Linked, nonsense: Any, caplog: pytest.LogCaptureFixture
) -> None:
    linked.says(nonsense)
    until(lambda: "its process said" in caplog.text)
    linked.says({"progress": {"done": 2, "total": 4, "label": ""}})
    until(lambda: linked.watched.progressed)
    assert linked.watched.progressed == [(2, 4, "")]
    assert linked.link.end is None


def test_threads_that_nobody_asked_for_are_not_kept(linked: Linked) -> None:
    linked.says({"report": 99, "threads": []})
    assert linked.link.threads(1, 0.05) == ([], SILENT)
    linked.says({"report": 2, "threads": []})
    assert linked.link.threads(1, 10) == ([], "")
