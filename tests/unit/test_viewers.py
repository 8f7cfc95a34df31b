"""Viewers on a real Redis: windows, slow clients, moved cursors, gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis

from flask_realtime import host, outputstream
from flask_realtime.archive import Archive
from flask_realtime.errors import TooManyViewers
from flask_realtime.nodes import mirror
from flask_realtime.outputlog import LogWriter, OutputLog
from flask_realtime.store.keys import output as key
from flask_realtime.store.store import Store
from flask_realtime.watching import feed
from flask_realtime.watching.messages import Message
from flask_realtime.watching.viewers import MAX_VIEWERS_PER_CLIENT, Viewers
from tests.support.hub import until

WINDOW = 1000


class Client:
    """A client that acknowledges when it is told to, or at once."""

    def __init__(self, *, at_once: bool = False) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.unacknowledged: list[Callable[[], None]] = []
        self._at_once = at_once

    def send(self, message: Message, acknowledged: Callable[[], None] | None) -> None:
        self.events.append((message.event, message.payload))
        if acknowledged is None:
            return
        if self._at_once:
            host.spawn(acknowledged)
        else:
            self.unacknowledged.append(acknowledged)

    def acknowledge(self, count: int) -> None:
        for _ in range(count):
            self.unacknowledged.pop(0)()

    @property
    def data(self) -> bytes:
        return b"".join(payload["data"] for event, payload in self.events if event == "output")

    @property
    def in_flight(self) -> int:
        sizes = [len(payload["data"]) for event, payload in self.events if event == "output"]
        return sum(sizes[len(sizes) - len(self.unacknowledged) :])


class Runs:
    """The output of runs, and who watches it."""

    def __init__(self, store: Store, **options: Any) -> None:
        self.log = OutputLog(store, Archive("memory://viewers"), hot_bytes=1 << 30, **options)
        self.viewers = Viewers(self.log, window_bytes=WINDOW)
        self.over: set[str] = set()
        self.writers: dict[str, LogWriter] = {}

    def open(self, run: str) -> LogWriter:
        writer = self.writers[run] = self.log.open(run)
        return writer

    def attach(self, name: str, run: str, client: Client, offset: int = 0) -> None:
        self.viewers.attach(
            name,
            run,
            offset,
            client.send,
            end=max(offset, self.log.end(run)),
            run_ended=lambda: run in self.over,
        )

    def end(self, run: str) -> None:
        self.over.add(run)
        writer = self.writers.pop(run)
        writer.end()
        writer.drain()
        self.log.close(run)

    def close(self) -> None:
        for run in list(self.writers):
            self.end(run)
        for client in list(self.viewers._viewers):
            self.viewers.disconnected(client)
        host.sleep(0)


@pytest.fixture
def runs(store: Store) -> Iterator[Runs]:
    made = Runs(store)
    yield made
    made.close()


def settle() -> None:
    """Let everything happen that can happen now."""
    for _ in range(20):
        host.sleep(0)


def test_output_comes_as_it_is_appended_with_its_place_time_and_stream(runs: Runs) -> None:
    writer, client = runs.open("r"), Client(at_once=True)
    runs.attach("c", "r", client)
    settle()
    writer.append(1, b"out\n")
    settle()
    writer.append(2, b"err\n")
    settle()
    writer.append(1, b"\xff")
    until(lambda: len(client.data) == 9)
    assert client.data == b"out\nerr\n\xff"
    offset = 0
    for event, payload in client.events:
        assert event == "output"
        assert set(payload) == {"run", "offset", "data", "time", "stream", "line"}
        assert (payload["run"], payload["offset"]) == ("r", offset)
        offset += len(payload["data"])
    assert [payload["stream"] for _, payload in client.events] == [1, 2, 1]


def test_the_window_closes_and_an_acknowledgement_opens_it(runs: Runs) -> None:
    writer, client = runs.open("r"), Client()
    runs.attach("c", "r", client)
    settle()
    sent = []
    for number in range(10):
        writer.append(1 + number % 2, b"%d" % number * 400)
        settle()
        sent.append(len(client.data))
    assert sent == [400, 800, *[1200] * 8]  # the last event may reach over the bound
    client.acknowledge(1)
    until(lambda: len(client.data) == 1600)
    settle()
    assert client.in_flight == 1200
    while client.unacknowledged:
        client.acknowledge(1)
        settle()
        assert client.in_flight <= WINDOW + 400
    assert client.data == b"".join(b"%d" % number * 400 for number in range(10))


def test_a_client_that_never_acknowledges_holds_nobody(runs: Runs) -> None:
    writer, slow, quick = runs.open("r"), Client(), Client(at_once=True)
    runs.attach("slow", "r", slow)
    runs.attach("quick", "r", quick)
    settle()
    whole = b""
    for number in range(300):
        piece = b"%04d\n" % number * 100
        writer.append(1 + number % 2, piece)
        whole += piece
        host.sleep(0)
    until(lambda: len(quick.data) == len(whole))
    assert quick.data == whole
    assert slow.in_flight < WINDOW + len(piece)
    assert whole.startswith(slow.data)
    while len(slow.data) < len(whole):
        until(lambda: slow.unacknowledged)
        slow.acknowledge(1)
    assert slow.data == whole


def test_attaching_again_moves_the_cursor(runs: Runs) -> None:
    writer, first, second = runs.open("r"), Client(), Client(at_once=True)
    writer.append(1, b"0123456789" * 200)
    runs.attach("c", "r", first)
    until(lambda: first.events)
    runs.attach("c", "r", second, offset=1990)
    until(lambda: second.data == b"0123456789")
    received = first.data
    writer.append(1, b"more")
    until(lambda: second.data == b"0123456789more")
    for acknowledge in first.unacknowledged:
        acknowledge()  # late, from the attachment before
    settle()
    assert first.data == received
    assert second.events[0][1]["offset"] == 1990


def test_one_client_follows_several_runs_with_a_window_each(runs: Runs) -> None:
    first, second, client = runs.open("r1"), runs.open("r2"), Client()
    runs.attach("c", "r1", client)
    runs.attach("c", "r2", client)
    settle()
    first.append(1, b"a" * 2000)
    first.append(2, b"b" * 2000)
    second.append(1, b"c")
    until(lambda: client.data == b"a" * 2000 + b"c")


def test_a_viewer_ends_with_its_run_after_all_was_sent(runs: Runs) -> None:
    writer, client = runs.open("r"), Client()
    runs.attach("c", "r", client)
    settle()
    writer.append(1, b"a" * 1500)
    writer.append(2, b"the end")
    runs.end("r")
    settle()
    assert client.data == b"a" * 1500
    assert runs.viewers._viewers
    client.acknowledge(1)
    until(lambda: not runs.viewers._viewers)
    assert client.data == b"a" * 1500 + b"the end"


def test_a_run_that_is_over_is_read_from_redis(runs: Runs) -> None:
    whole = b"".join(b"%d\n" % number for number in range(1000))
    runs.open("r").append(1, whole)
    runs.end("r")
    client = Client(at_once=True)
    runs.attach("c", "r", client, offset=100)
    until(lambda: not runs.viewers._viewers)
    assert client.data == whole[100:]


def test_a_run_of_another_process_is_followed(
    runs: Runs, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "ASK_SECONDS", 0.01)
    monkeypatch.setattr(mirror, "POLL_SECONDS", 0.01)
    elsewhere = Runs(store)
    writer, client = elsewhere.open("r"), Client(at_once=True)
    runs.attach("c", "r", client)
    writer.append(1, b"one ")
    until(lambda: client.data == b"one ")
    writer.append(1, b"two")
    until(lambda: client.data == b"one two")
    elsewhere.end("r")
    runs.over.add("r")
    until(lambda: not runs.viewers._viewers)


def test_what_is_no_longer_kept_shows_as_a_gap(runs: Runs, store: Store) -> None:
    writer = runs.open("r")
    for number in range(4):
        writer.append(1 + number % 2, b"%d" % number * 100)
    runs.end("r")
    store.call(lambda redis: redis.xdel(key("r"), "100-0", "300-0"))
    client = Client(at_once=True)
    runs.attach("c", "r", client, offset=50)
    until(lambda: not runs.viewers._viewers)
    assert [
        (event, payload["offset"], payload.get("next"), payload.get("data", b"")[:1])
        for event, payload in client.events
    ] == [
        ("gap", 50, 100, b""),
        ("output", 100, None, b"1"),
        ("gap", 200, 300, b""),
        ("output", 300, None, b"3"),
    ]
    assert client.events[0][1] == {"run": "r", "offset": 50, "next": 100, "line": 1}


def test_detach_ends_the_events_also_of_a_client_whose_window_is_closed(runs: Runs) -> None:
    writer, open_, closed = runs.open("r"), Client(at_once=True), Client()
    runs.attach("open", "r", open_)
    runs.attach("closed", "r", closed)
    writer.append(1, b"x" * 2000)
    until(lambda: open_.data and closed.data)
    runs.viewers.detach("open", "r")
    runs.viewers.disconnected("closed")
    runs.viewers.detach("open", "r")  # twice, or without an attachment, is no error
    runs.viewers.disconnected("nobody")
    assert not runs.viewers._viewers
    writer.append(1, b"y")
    closed.acknowledge(1)
    settle()
    assert open_.data == closed.data == b"x" * 2000
    assert not writer.followers


def test_a_client_follows_a_bounded_number_of_runs(runs: Runs) -> None:
    client = Client()
    for number in range(MAX_VIEWERS_PER_CLIENT):
        runs.attach("c", str(number), client)
    runs.attach("c", "0", client)  # moves
    with pytest.raises(TooManyViewers, match="detach some"):
        runs.attach("c", "one more", client)
    runs.attach("other", "one more", client)
    runs.viewers.detach("c", "0")
    runs.attach("c", "one more", client)


def test_a_viewer_goes_on_when_redis_forgets_what_the_client_has(
    runs: Runs, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "ASK_SECONDS", 0.01)
    monkeypatch.setattr(mirror, "POLL_SECONDS", 0.01)
    elsewhere = Runs(store)
    writer, client = elsewhere.open("r"), Client(at_once=True)
    runs.attach("c", "r", client)
    writer.append(1, b"x" * 5000)
    until(lambda: client.data == b"x" * 5000)
    store.call(lambda redis: redis.delete(key("r")))
    looks = []
    last_ids = outputstream.last_ids

    def noted(client: Redis, runs: list[str]) -> list[int]:
        looks.append(runs)
        return last_ids(client, runs)

    monkeypatch.setattr(outputstream, "last_ids", noted)
    until(lambda: len(looks) > 2)  # Redis has less than this client
    writer.append(1, b"afterwards")  # its owner writes it all again
    until(lambda: client.data == b"x" * 5000 + b"afterwards")
    elsewhere.end("r")
    runs.over.add("r")
    until(lambda: not runs.viewers._viewers)
