"""A run of another process, as it is read once for all who watch it here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from flask_realtime import host
from flask_realtime.archive import Archive
from flask_realtime.nodes import mirror
from flask_realtime.nodes.bus import Bus
from flask_realtime.outputlog import LogWriter, OutputLog
from flask_realtime.store import keys
from flask_realtime.store.store import Store
from flask_realtime.tail import Chunk, Gap, Item
from tests.support.hub import until

Reads = list[int]


class Follower:
    """Gathers what a mirror hands on."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.looks = 0

    def __call__(self, chunk: Chunk | None) -> None:
        if chunk is None:
            self.looks += 1
        else:
            self.data += chunk.data


@pytest.fixture
def writer(store: Store) -> Iterator[LogWriter]:
    owner = OutputLog(store, Archive("memory://mirror"), hot_bytes=1 << 30)
    made = owner.open("r")
    yield made
    made.drain()
    owner.close("r")


@pytest.fixture
def log(store: Store) -> Iterator[OutputLog]:
    """Of another process, which hears of growth."""
    made = OutputLog(store, Archive("memory://mirror"), hot_bytes=1 << 30)
    bus = Bus(store, "watcher", {})
    made.mirrors.channels = bus
    bus.start()
    yield made
    made.stop()
    bus.stop()


@pytest.fixture
def reads(log: OutputLog, monkeypatch: pytest.MonkeyPatch) -> Reads:
    """The offsets at which Redis was asked for output."""
    noted: Reads = []
    read = log.read_stored

    def noting(run: str, offset: int, *more: Any) -> list[Item]:
        noted.append(offset)
        return read(run, offset, *more)

    monkeypatch.setattr(log, "read_stored", noting)
    return noted


@pytest.fixture
def unpolled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody tells of is not seen."""
    monkeypatch.setattr(mirror, "POLL_SECONDS", 3600.0)


def heard(store: Store, run: str) -> int:
    """How many listen to the growth of a run."""
    channel = keys.grown(run)
    found: Any = store.call(lambda client: client.pubsub_numsub(channel))
    return int(found[0][1])


@pytest.mark.usefixtures("unpolled")
def test_growth_is_told_and_read_once_for_all(
    store: Store, log: OutputLog, writer: LogWriter, reads: Reads
) -> None:
    followers = [Follower() for _ in range(3)]
    writer.append(1, b"what was before\n")
    writer.drain()
    with log.following("r", followers[0]), log.following("r", followers[1]):
        until(lambda: heard(store, "r") == 1 and followers[0].looks)
        for number in range(5):
            writer.append(1, b"%d\n" % number)
            until(lambda number=number: followers[0].data.endswith(b"%d\n" % number))
        with log.following("r", followers[2]):
            writer.append(2, b"all")
            until(lambda: followers[2].data == b"all")
    assert followers[0].data == followers[1].data == b"0\n1\n2\n3\n4\nall"
    assert len(reads) == 6
    offset = len(b"what was before\n")
    items = log.read("r", offset, 1 << 20)
    assert b"".join(item.data for item in items if isinstance(item, Chunk)) == followers[0].data
    assert len(reads) == 6, "what the mirror keeps is read from there"


@pytest.mark.usefixtures("unpolled")
def test_the_subscription_ends_after_the_last_one_who_watches(
    store: Store, log: OutputLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "LINGER_SECONDS", 0.01)
    with log.following("r", Follower()):
        with log.following("r", Follower()):
            until(lambda: heard(store, "r") == 1)
        host.sleep(0.05)
        assert heard(store, "r") == 1
    until(lambda: heard(store, "r") == 0)
    assert log.mirrors.get("r") is None


def test_a_message_that_is_lost_is_made_up_for(
    store: Store, log: OutputLog, writer: LogWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "POLL_SECONDS", 0.02)
    log.mirrors.channels = None  # nothing is heard
    follower = Follower()
    with log.following("r", follower):
        until(lambda: follower.looks)
        writer.append(1, b"unheard of")
        until(lambda: follower.data == b"unheard of")


@pytest.mark.usefixtures("unpolled")
def test_what_grows_by_much_is_left_to_those_who_read(
    store: Store, log: OutputLog, writer: LogWriter, reads: Reads
) -> None:
    follower = Follower()
    with log.following("r", follower) as found:
        assert isinstance(found, mirror.Mirror)
        until(lambda: heard(store, "r") == 1 and follower.looks)
        looks, size = follower.looks, 2 * mirror.READ_BYTES
        writer.append(1, bytes(size))
        until(lambda: found.end == size)
        assert follower.looks > looks
        assert not reads
        writer.append(1, b"\nthe end")
        until(lambda: follower.data == b"\nthe end")
        assert log.line_of("r", size + 1) == 2
        assert [item.line for item in log.read("r", size, 100)] == [1]


def test_what_redis_lost_is_read_anew(
    store: Store, log: OutputLog, writer: LogWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "POLL_SECONDS", 0.02)
    follower = Follower()
    with log.following("r", follower) as found:
        assert isinstance(found, mirror.Mirror)
        until(lambda: heard(store, "r") == 1 and follower.looks)
        writer.append(1, b"lost")
        until(lambda: found.end == 4)
        store.call(lambda client: client.delete(*client.keys("*:output")))
        until(lambda: found.end == 0)
        writer.append(1, b" and found")  # all of it is written again
        until(lambda: found.end == 14)
        until(lambda: log.read("r", 0, 100))
        items = log.read("r", 0, 100)
        assert b"".join(i.data for i in items if isinstance(i, Chunk)) == b"lost and found"


@pytest.mark.usefixtures("unpolled")
def test_a_gap_is_stepped_over(
    store: Store, log: OutputLog, writer: LogWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = log.read_stored

    def with_a_gap(run: str, offset: int, *more: Any) -> list[Item]:
        items = read(run, offset, *more)
        return [Gap(0, 3, 1), *(c.since(3) for c in items if isinstance(c, Chunk))]

    follower = Follower()
    with log.following("r", follower) as found:
        assert isinstance(found, mirror.Mirror)
        until(lambda: heard(store, "r") == 1 and follower.looks)
        monkeypatch.setattr(log, "read_stored", with_a_gap)
        writer.append(1, b"abcdef")
        until(lambda: follower.data == b"def")
        assert found.read(3, 100)
        assert not found.read(0, 100)


@pytest.mark.usefixtures("unpolled")
def test_who_waits_is_woken_by_growth_and_by_a_look(
    store: Store, log: OutputLog, writer: LogWriter
) -> None:
    woken: list[int] = []

    def wait(offset: int) -> None:
        log.wait("r", offset, 3600.0)
        woken.append(offset)

    follower = Follower()
    with log.following("r", follower):
        until(lambda: heard(store, "r") == 1 and follower.looks)
        task = host.spawn(wait, 0)
        host.sleep(0.01)
        assert not woken
        writer.append(1, b"abc")
        task.wait()
        assert woken == [0]
        assert not log.mirrors.is_end("r", 0)
        assert log.mirrors.is_end("r", 3)
        wait(2)  # at once
        task = host.spawn(wait, 3)
        host.sleep(0.01)
        log.mirrors.look("r")
        task.wait()
    assert woken == [0, 2, 3]


@pytest.mark.usefixtures("unpolled")
def test_a_writer_knows_whether_others_wait_for_what_it_stores(
    store: Store, log: OutputLog, writer: LogWriter
) -> None:
    writer.append(1, b"nobody listens")
    writer.drain()
    assert not writer._is_heard
    follower = Follower()
    with log.following("r", follower):
        until(lambda: heard(store, "r") == 1 and follower.looks)
        writer.append(1, b" now somebody does")
        until(lambda: follower.data)
        assert writer._is_heard
