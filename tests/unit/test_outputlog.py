"""The log's pure parts at every split, and the log on a real Redis that forgets."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from flask_realtime import logwriter
from flask_realtime.archive import Archive
from flask_realtime.errors import BadLine, BadOffset
from flask_realtime.outputlog import LogWriter, OutputLog
from flask_realtime.redisserver import RedisServer
from flask_realtime.store import keys
from flask_realtime.store.store import Store, blocking_client
from flask_realtime.tail import Chunk, Gap, Tail
from flask_realtime.watching.messages import merged
from flask_realtime.watching.window import Window
from tests.support.hub import until

APPENDS = st.lists(
    st.tuples(st.sampled_from([1, 2]), st.binary(min_size=1, max_size=50), st.integers(0, 300)),
    min_size=1,
    max_size=40,
)


@given(APPENDS, st.data())
def test_the_tail_gives_the_exact_bytes_from_any_offset(
    appends: list[tuple[int, bytes, int]], data: st.DataObject
) -> None:
    tail = Tail(max_bytes=200, max_chunks=8)
    whole = b""
    time = 0
    for stream, content, wait in appends:
        time += wait
        tail.append(Chunk(tail.end, time, stream, content, tail.end_line))
        whole += content
        tail.mark_flushed(data.draw(st.integers(tail.flushed, tail.end)))
        assert tail.start <= tail.flushed <= tail.end == len(whole)
        offset = data.draw(st.integers(tail.start, tail.end))
        chunks = tail.from_offset(offset, 10**6)
        assert b"".join(chunk.data for chunk in chunks) == whole[offset:]
        if chunks:
            assert chunks[0].offset == offset
        kept = merged(chunks)
        assert b"".join(chunk.data for chunk in kept if isinstance(chunk, Chunk)) == whole[offset:]


def test_a_tail_is_full_until_enough_is_flushed() -> None:
    tail = Tail(max_bytes=100, max_chunks=8)
    tail.append(Chunk(0, 0, 1, b"x" * 100, 1))
    assert tail.full
    tail.mark_flushed(100)
    assert not tail.full


def test_a_window_closes_and_opens() -> None:
    window = Window(100)
    window.sent(100)
    assert not window.open
    window.acknowledged(1)
    assert window.open


@pytest.mark.parametrize(
    ("bytes_per_second", "size"),
    [(60_000, 1 << 16), (250_000, 1 << 18), (100_000_000, 1 << 20)],
)
def test_a_window_adapts_to_what_its_client_takes(bytes_per_second: float, size: int) -> None:
    """Events of 64 KiB through a network of one speed: what waits there takes seconds at most."""
    clock = 0.0
    window = Window(1 << 20, lambda: clock)
    queue: list[float] = []  # when each event has passed
    longest = 0.0
    for _ in range(300):
        while window.open:
            window.sent(1 << 16)
            queue.append(max(clock, queue[-1] if queue else 0) + (1 << 16) / bytes_per_second)
            longest = max(longest, queue[-1] - clock)
        clock = queue.pop(0)
        window.acknowledged(1 << 16)
    assert size / 2 <= window.size <= size * 2
    assert longest < 6  # the heartbeat waits 10


def test_gaps_and_streams_are_not_merged() -> None:
    items = [
        Chunk(0, 0, 1, b"\n", 1),
        Chunk(1, 5, 1, b"b", 2),
        Chunk(2, 6, 2, b"c", 2),
        Gap(3, 9, 4),
    ]
    assert list(merged(items)) == [Chunk(0, 0, 1, b"\nb", 1), Chunk(2, 6, 2, b"c", 2), Gap(3, 9, 4)]


@pytest.fixture
def store(redis_server: RedisServer) -> Iterator[Store]:
    made = Store()
    made.connect(redis_server.url)
    yield made
    made.close()


@pytest.fixture
def redis(redis_server: RedisServer) -> Iterator[Redis]:
    client = blocking_client(redis_server.url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def archive() -> Iterator[Archive]:
    made = Archive(f"memory://{secrets.token_hex(4)}")
    yield made
    made.stop()


def fill(writer: LogWriter, count: int) -> bytes:
    whole = b""
    for number in range(count):
        data = b"%06d\n" % number * 1000
        writer.append(1, data)
        whole += data
    return whole


def read_all(log: OutputLog, run: str) -> bytes:
    data, cursor = b"", 0
    while items := log.read(run, cursor, 1 << 18):
        for item in items:
            assert isinstance(item, Chunk)
            assert item.offset == cursor
            data += item.data
            cursor = item.end
    return data


def test_what_was_appended_is_read_also_after_the_owner_let_go(
    store: Store, redis: Redis, archive: Archive
) -> None:
    log = OutputLog(store, archive, tail_bytes=50_000)
    writer = log.open("r1")
    whole = fill(writer, 60)
    assert read_all(log, "r1") == whole
    writer.drain()
    log.close("r1")
    assert read_all(log, "r1") == whole
    assert log.stored_end("r1") == (len(whole), 60_001)
    with pytest.raises(BadOffset):
        log.read("r1", len(whole) + 1, 100)


def test_the_line_of_an_end_that_moves_on_is_that_of_the_offset(
    store: Store, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, log = OutputLog(store, archive), OutputLog(store, archive)
    writer = owner.open("r")
    writer.append(1, b"one\ntw")
    writer.drain()
    stored_end = log.stored_end
    asked = []

    def grows(run: str) -> tuple[int, int]:
        """Something is written between the two questions: where it ends, and in which line."""
        found = stored_end(run)
        asked.append(found)
        if len(asked) == 1:
            writer.append(1, b"o\nthree\n")
            writer.drain()
        return found

    monkeypatch.setattr(log, "stored_end", grows)
    assert log.line_of("r", 6) == 2
    owner.close("r")


def test_what_redis_forgot_is_written_again(store: Store, redis: Redis, archive: Archive) -> None:
    log = OutputLog(store, archive)
    writer = log.open("r2")
    first = fill(writer, 20)
    writer.drain()
    newest = redis.xrevrange(keys.output("r2"), count=3)
    redis.delete(keys.output("r2"))
    assert newest
    second = fill(writer, 5)
    writer.drain()
    log.close("r2")
    assert read_all(log, "r2") == first + second


def test_an_append_whose_reply_was_lost_is_not_doubled(
    store: Store, redis: Redis, archive: Archive
) -> None:
    log = OutputLog(store, archive)
    chunks = [Chunk(0, 0, 1, b"abc", 1), Chunk(3, 0, 1, b"def", 1)]
    assert log.store_chunks("r3", 0, chunks) == (6, 0, 0)
    assert log.store_chunks("r3", 0, chunks) == (6, 0, 0)
    assert read_all(log, "r3") == b"abcdef"


def line_starts(whole: bytes) -> list[int]:
    """Where the lines begin; that of line 1 stands first."""
    return [0, *(at + 1 for at, byte in enumerate(whole) if byte == 10)]


def test_lines_and_offsets_lead_to_each_other_in_memory_and_in_redis(
    store: Store, redis: Redis, archive: Archive
) -> None:
    log = OutputLog(store, archive, tail_bytes=3000)
    writer = log.open("l1")
    whole = b""
    for number in range(200):
        data = (b"x" * (number % 7) + b"\n") * (number % 5) + b"y" * (number % 3 * 40)
        if data:
            writer.append(1 + number // 50 % 2, data)
            whole += data
        if number % 10 == 0:
            writer.drain()
    writer.drain()
    starts = line_starts(whole)

    def check() -> None:
        assert (log.end("l1"), log.end_line("l1")) == (len(whole), len(starts))
        for line, offset in enumerate(starts, 1):
            assert log.offset_of_line("l1", line) == offset
        for offset in range(len(whole) + 1):
            assert log.line_of("l1", offset) == 1 + whole[:offset].count(b"\n")
        for line in (0, -1, len(starts) + 1):
            with pytest.raises(BadLine):
                log.offset_of_line("l1", line)
        with pytest.raises(BadOffset):
            log.line_of("l1", len(whole) + 1)

    assert 0 < writer.tail.start < len(whole)
    check()
    log.close("l1")
    check()


def test_the_lines_of_a_run_without_output(store: Store, redis: Redis, archive: Archive) -> None:
    log = OutputLog(store, archive)
    assert (log.end_line("none"), log.line_of("none", 0), log.offset_of_line("none", 1)) == (
        1,
        1,
        0,
    )
    with pytest.raises(BadLine, match="no line 2: the output has 1"):
        log.offset_of_line("none", 2)


def test_what_redis_lost_while_it_was_away_is_written_again_in_a_quiet_run(
    store: Store, redis: Redis, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a replica loses it that takes over: who reads elsewhere shall not have to wait."""
    monkeypatch.setattr(logwriter, "QUIET_SECONDS", 0.01)
    owner, elsewhere = OutputLog(store, archive), OutputLog(store, archive)
    writer = owner.open("quiet")
    whole = fill(writer, 3)
    until(lambda: elsewhere.stored_end("quiet")[0] == len(whole))
    redis.delete(keys.output("quiet"))
    store.returns += 1
    until(lambda: elsewhere.stored_end("quiet")[0] == len(whole))
    assert read_all(elsewhere, "quiet") == whole
    owner.close("quiet")
