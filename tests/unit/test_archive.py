"""The log over its three tiers: what goes to the archive is read as if it were still here."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from flask_realtime.archive import Archive, check_url, default_url
from flask_realtime.archive.files import MARKER
from flask_realtime.errors import ConfigurationError, LineGone
from flask_realtime.outputlog import LogWriter, OutputLog
from flask_realtime.redisserver import RedisServer
from flask_realtime.store.keys import output as key
from flask_realtime.store.keys import segments as segments_key
from flask_realtime.store.store import Store, blocking_client
from flask_realtime.tail import Chunk, Gap, Item
from tests.support.hub import until

HOT, SEGMENT, TAIL = 20_000, 5_000, 8_000


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


@pytest.fixture(params=["memory", "folder"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    made = Archive(
        f"memory://{secrets.token_hex(4)}"
        if request.param == "memory"
        else default_url(tmp_path / "a folder, 100%ü")
    )
    made.start(lambda: None)
    yield made
    made.stop()


@pytest.fixture
def log(store: Store, redis: Redis, archive: Archive) -> OutputLog:
    return OutputLog(store, archive, hot_bytes=HOT, segment_bytes=SEGMENT, tail_bytes=TAIL)


def fill(writer: LogWriter, count: int) -> bytes:
    """Lines of all lengths, in chunks of all sizes."""
    whole = b""
    for number in range(count):
        data = b"%06d" % number * (number % 9) + b"\n" * (number % 4)
        if data:
            writer.append(1 + number % 2, data)
            whole += data
    writer.drain()
    until(lambda: not writer._spilling)
    return whole


def read_items(log: OutputLog, run: str, offset: int = 0) -> list[Item]:
    items: list[Item] = []
    while found := log.read(run, offset, 3_000, 4):
        for item in found:
            assert item.offset == offset
            offset = item.end
        items += found
    return items


def data_of(items: list[Item]) -> bytes:
    assert all(isinstance(item, Chunk) for item in items)
    return b"".join(item.data for item in items if isinstance(item, Chunk))


def check_lines(log: OutputLog, run: str, whole: bytes) -> None:
    starts = [0, *(at + 1 for at, byte in enumerate(whole) if byte == 10)]
    assert (log.end(run), log.end_line(run)) == (len(whole), len(starts))
    for line in {*range(1, len(starts) + 1, 97), len(starts)}:
        assert log.offset_of_line(run, line) == starts[line - 1]
        assert log.line_of(run, starts[line - 1]) == line


def test_what_the_hot_window_does_not_hold_is_read_from_the_archive(
    log: OutputLog, redis: Redis
) -> None:
    writer = log.open("a1")
    whole = fill(writer, 4000)
    assert len(whole) > 4 * HOT
    for _ in range(2):  # while the owner has it, and afterwards
        assert data_of(read_items(log, "a1")) == whole
        for offset in range(0, len(whole), 1237):
            assert data_of(read_items(log, "a1", offset)) == whole[offset:]
        check_lines(log, "a1", whole)
        if log.writer("a1"):
            log.close("a1")
    (first,) = redis.xrange(key("a1"), count=1)
    assert len(whole) - int(first[0].split(b"-")[0]) < 2 * HOT
    assert redis.xlen(segments_key("a1")) > 5


def test_an_ended_run_leaves_redis_but_for_its_manifest(log: OutputLog, redis: Redis) -> None:
    writer = log.open("a2")
    whole = fill(writer, 2000)
    log.close("a2")
    before = read_items(log, "a2")
    moved = log.spill("a2")
    assert 0 < moved < 2 * HOT
    assert list(redis.scan_iter("*a2*")) == [segments_key("a2").encode()]
    assert log.spill("a2") == 0
    assert data_of(read_items(log, "a2")) == whole
    assert {(item.time, item.stream) for item in before if isinstance(item, Chunk)} == {
        (item.time, item.stream) for item in read_items(log, "a2") if isinstance(item, Chunk)
    }
    check_lines(log, "a2", whole)
    assert 0 < log.stored_bytes("a2") < len(whole)


def test_what_is_discarded_shows_as_one_gap(log: OutputLog, redis: Redis) -> None:
    writer = log.open("a3")
    whole = fill(writer, 2000)
    log.close("a3")
    stored = log.stored_bytes("a3")
    assert log.discard("a3") == stored > 0
    lines = 1 + whole.count(b"\n")
    assert read_items(log, "a3") == [Gap(0, len(whole), lines)]
    assert read_items(log, "a3", 77) == [Gap(77, len(whole), lines)]
    assert (log.end("a3"), log.end_line("a3"), log.stored_bytes("a3")) == (len(whole), lines, 0)
    for line in (1, 2, lines - 1):
        with pytest.raises(LineGone, match=f"line {line} is no longer kept"):
            log.offset_of_line("a3", line)
    assert not log.archive.files._open().exists(log.archive.files._path("a3"))
    assert log.discard("a3") == 0
    assert log.forget("a3") == 0
    assert redis.keys("*a3*") == []
    assert read_items(log, "a3") == []


def test_the_default_is_a_folder_of_the_instance_whatever_its_name(tmp_path: Path) -> None:
    files = Archive(default_url(tmp_path / "a folder, 100%ü")).files
    files.begin()
    assert [path.name for path in tmp_path.iterdir()] == ["a folder, 100%ü"]
    assert (tmp_path / "a folder, 100%ü" / "archive" / MARKER).is_file()
    files.begin()
    files.check_reading()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/var/lib/archive", "it has no protocol"),
        ("nowhere://archive", "nowhere"),
        ("ftp://ann:hush@host.example:x/archive/nowhere", None),
    ],
)
def test_a_wrong_address_is_refused_before_anything_is_stored(
    url: str, expected: str | None
) -> None:
    if expected is None:
        check_url(url)
        assert "hush" not in Archive(url).files.name
        return
    with pytest.raises(ConfigurationError, match=f"ARCHIVE_URL: .*{expected}"):
        check_url(url)
