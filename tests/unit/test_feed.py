"""Many viewers of one run: what is sent once for all of them, and what is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis

from flask_realtime import host, outputlog, outputstream
from flask_realtime.archive import Archive
from flask_realtime.errors import ArchiveUnavailable, StoreUnavailable
from flask_realtime.nodes import mirror
from flask_realtime.outputlog import LogWriter, OutputLog
from flask_realtime.store.store import Store
from flask_realtime.tail import Chunk, Gap, Item
from flask_realtime.watching import feed
from flask_realtime.watching.messages import Message, MessageCache, before, merged
from flask_realtime.watching.viewers import Viewers
from tests.support.hub import until

CROWD = 40


class Client:
    """Acknowledges at once, or never."""

    def __init__(self, *, acknowledges: bool = True) -> None:
        self.messages: list[Message] = []
        self._acknowledges = acknowledges

    def send(self, message: Message, acknowledged: Callable[[], None] | None) -> None:
        self.messages.append(message)
        if acknowledged is not None and self._acknowledges:
            host.spawn(acknowledged)

    @property
    def data(self) -> bytes:
        reached = self.messages[0].offset if self.messages else 0
        for message in self.messages:
            assert message.offset == reached, "a byte was lost or repeated"
            reached = message.end
        return b"".join(message.payload["data"] for message in self.messages)


class Watched:
    """One run, and a crowd that watches it."""

    def __init__(self, store: Store, *, window_bytes: int = 1 << 20) -> None:
        self.log = OutputLog(store, Archive("memory://feed"), hot_bytes=1 << 30)
        self.viewers = Viewers(self.log, window_bytes=window_bytes)
        self.over = False
        self.whole = b""
        self.reads: list[int] = []
        self._read = self.log.read
        self.log.read = self._noted  # type: ignore[method-assign]

    def _noted(self, run: str, offset: int, *more: Any) -> list[Item]:
        self.reads.append(offset)
        return self._read(run, offset, *more)

    def attach(self, offset: int = 0, **options: Any) -> Client:
        client = Client(**options)
        name = f"client {id(client)}"
        self.viewers.attach(
            name,
            "r",
            offset,
            client.send,
            end=len(self.whole),
            run_ended=lambda: self.over,
        )
        return client

    def append(self, writer: LogWriter, data: bytes, stream: int = 1) -> None:
        writer.append(stream, data)
        self.whole += data

    def close(self) -> None:
        for client in list(self.viewers._viewers):
            self.viewers.disconnected(client)
        host.sleep(0)


@pytest.fixture
def watched(store: Store) -> Iterator[Watched]:
    made = Watched(store)
    yield made
    made.close()


@pytest.fixture
def writer(watched: Watched) -> Iterator[LogWriter]:
    made = watched.log.open("r")
    yield made
    made.end()
    made.drain()
    watched.log.close("r")


def settle() -> None:
    for _ in range(20):
        host.sleep(0)


def test_those_at_the_live_end_get_the_same_message(watched: Watched, writer: LogWriter) -> None:
    crowd = [watched.attach() for _ in range(CROWD)]
    settle()
    for number in range(20):
        watched.append(writer, b"%d\n" % number)
        host.sleep(0.001)
    until(lambda: all(client.data == watched.whole for client in crowd))
    first = crowd[0].messages
    assert all(
        mine is other
        for client in crowd
        for mine, other in zip(client.messages, first, strict=True)
    )
    assert len(first) < 20, "what comes quickly is sent together"


def test_a_single_viewer_gets_each_line_at_once(watched: Watched, writer: LogWriter) -> None:
    client = watched.attach()
    settle()
    for number in range(5):
        watched.append(writer, b"%d\n" % number)
        assert client.data == watched.whole


def test_laggards_share_what_they_read(watched: Watched, writer: LogWriter) -> None:
    for number in range(20):
        watched.append(writer, bytes([number]) * 30_000, stream=1 + number % 2)
    crowd = [watched.attach() for _ in range(CROWD)]
    until(lambda: all(client.data == watched.whole for client in crowd))
    assert len(watched.reads) < CROWD
    assert len({id(message) for client in crowd for message in client.messages}) < 2 * 20


def test_one_read_of_redis_serves_all_who_wait_for_it(watched: Watched, store: Store) -> None:
    writer = watched.log.open("r")
    for number in range(3):
        watched.append(writer, b"%d" % number * 30_000, stream=1 + number % 2)
    writer.drain()
    watched.log.close("r")
    watched.over = True
    crowd = [watched.attach() for _ in range(CROWD)]
    until(lambda: all(client.data == watched.whole for client in crowd))
    assert watched.reads == [0]


def test_a_late_viewer_meets_the_others_in_the_middle_of_a_round(
    watched: Watched, writer: LogWriter
) -> None:
    crowd = [watched.attach() for _ in range(CROWD)]
    settle()
    for number in range(50):
        watched.append(writer, b"%d\n" % number * 100)
        if number % 5 == 0:
            crowd.append(watched.attach(offset=number))
        host.sleep(0)
    until(lambda: all(watched.whole.endswith(client.data or b"?") for client in crowd))
    until(lambda: all(client.messages[-1].end == len(watched.whole) for client in crowd))


def test_who_acknowledges_nothing_holds_none_of_the_others(
    store: Store, watched: Watched, writer: LogWriter
) -> None:
    stuck = [watched.attach(acknowledges=False) for _ in range(CROWD // 2)]
    crowd = [watched.attach() for _ in range(CROWD // 2)]
    settle()
    for number in range(60):
        watched.append(writer, bytes([number]) * 30_000, stream=1 + number % 2)
        host.sleep(0)
    until(lambda: all(client.data == watched.whole for client in crowd))
    assert all(len(client.data) <= (1 << 18) + 65536 for client in stuck)
    assert all(watched.whole.startswith(client.data) for client in stuck)


def test_a_run_of_another_process_is_looked_at_once_for_all(
    watched: Watched, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "ASK_SECONDS", 0.05)
    monkeypatch.setattr(mirror, "POLL_SECONDS", 0.05)
    looks = []
    last_ids = outputstream.last_ids

    def noted(client: Redis, runs: list[str]) -> list[int]:
        looks.append(runs)
        return last_ids(client, runs)

    elsewhere = OutputLog(store, Archive("memory://feed"), hot_bytes=1 << 30)
    writer = elsewhere.open("r")
    crowd = [watched.attach() for _ in range(CROWD)]
    monkeypatch.setattr(outputstream, "last_ids", noted)
    host.sleep(0.2)  # of nothing: some four looks
    assert 1 <= len(looks) <= 6
    watched.append(writer, b"one ")
    until(lambda: all(client.data == b"one " for client in crowd))
    watched.append(writer, b"two")
    writer.drain()
    watched.over = True
    until(lambda: not watched.viewers._viewers)
    assert all(client.data == b"one two" for client in crowd)
    elsewhere.close("r")


def test_the_end_is_told_to_all_and_the_feed_ends(watched: Watched) -> None:
    writer = watched.log.open("r")
    crowd = [watched.attach() for _ in range(CROWD)]
    settle()
    watched.append(writer, b"the last words")
    watched.over = True
    writer.end()
    writer.drain()
    watched.log.close("r")
    until(lambda: not watched.viewers._viewers)
    assert all(client.data == b"the last words" for client in crowd)
    settle()
    assert not writer.followers
    assert not watched.viewers.watched()


def test_a_read_that_fails_fails_for_all_and_is_tried_again(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = watched.log.open("r")
    watched.append(writer, b"what is there")
    writer.drain()
    watched.log.close("r")
    watched.over = True
    faults = [StoreUnavailable("away"), ArchiveUnavailable("away as well")]
    read = watched.log.read

    def failing(*args: Any) -> list[Item]:
        host.sleep(0)
        if faults:
            raise faults.pop()
        return read(*args)

    monkeypatch.setattr(watched.log, "read", failing)
    monkeypatch.setattr(outputlog, "RETRY_SECONDS", 0.01)
    crowd = [watched.attach() for _ in range(5)]
    until(lambda: not watched.viewers._viewers)
    assert all(client.data == b"what is there" for client in crowd)


def test_items_are_cut_where_the_viewers_may_read_to() -> None:
    items: list[Item] = [Chunk(0, 1, 1, b"ab\ncd", 1), Gap(5, 9, 4), Chunk(9, 1, 2, b"e", 4)]
    assert list(before(items, 20)) == items
    assert list(before(items, 9)) == items[:2]
    assert list(before(items, 7)) == items[:2]
    assert list(before(items, 5)) == items[:1]
    assert list(before(items, 4)) == [Chunk(0, 1, 1, b"ab\nc", 1)]
    assert list(before(items, 0)) == []


def test_chunks_are_joined_while_they_follow_closely() -> None:
    chunks = [Chunk(2 * n, 100 * n, 1, b"%d\n" % n, n + 1) for n in range(4)]
    assert list(merged(chunks)) == [
        Chunk(0, 0, 1, b"0\n1\n", 1),
        Chunk(4, 200, 1, b"2\n3\n", 3),
    ]
    assert list(merged(chunks, 300)) == [Chunk(0, 0, 1, b"0\n1\n2\n3\n", 1)]


def message(offset: int, size: int) -> Message:
    return Message("r", Chunk(offset, 0, 1, bytes(size), 1))


def test_the_cache_is_bounded_and_keeps_what_was_used_last() -> None:
    cache = MessageCache(100)
    kept = [message(0, 40), message(40, 40)]
    for each in kept:
        cache.add("r", each)
    assert cache.following("r", 0, 1000) == kept
    assert cache.following("r", 0, 40) == kept[:1]
    assert cache.following("r", 1, 1000) == []
    cache.add("r", message(80, 40))  # the one at 40 was used before the one at 0
    assert cache.following("r", 40, 1000) == []
    assert cache.following("r", 0, 1000) == kept[:1]
    cache.add("r", message(0, 50))  # instead of the other one
    assert [each.size for each in cache.following("r", 0, 1000)] == [50]
    cache.add("s", message(0, 10))
    cache.forget("r")
    assert cache.following("r", 0, 1000) == []
    assert len(cache.following("s", 0, 1000)) == 1


def test_a_read_that_is_broken_off_is_taken_over_by_those_who_wait_for_it(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.whole = b"what is there"
    shared = feed.Feed(watched.log, "r", MessageCache(0), len(watched.whole), lambda: True)
    began = []

    def slow(*args: Any) -> list[Item]:
        began.append(args)
        host.sleep(0.01)
        return [Chunk(0, 0, 1, watched.whole, 1)]

    monkeypatch.setattr(watched.log, "read", slow)
    first = host.spawn(shared.messages, 0)
    others = [host.spawn(shared.messages, 0) for _ in range(3)]
    host.sleep(0)
    assert len(began) == 1
    first.kill()
    for other in others:
        assert [message.end for message in other.wait()] == [len(watched.whole)]
    assert len(began) == 2
    shared.close()
    host.sleep(0)
