"""The archive fills up, goes away, hangs, or loses a file: what the log does then."""

from __future__ import annotations

import errno
import logging
import secrets
import threading
from collections.abc import Iterator

import pytest
from redis import Redis

from flask_realtime import host
from flask_realtime.archive import Archive
from flask_realtime.archive import archive as archive_module
from flask_realtime.errors import ArchiveUnavailable, LineGone
from flask_realtime.outputlog import LogWriter, OutputLog
from flask_realtime.redisserver import RedisServer
from flask_realtime.store.keys import output as key
from flask_realtime.store.keys import segments as segments_key
from flask_realtime.store.store import Store, blocking_client
from flask_realtime.tail import Chunk, Gap
from tests.support.faultyfiles import PROTOCOL, FaultyFiles
from tests.support.hub import until

HOT, SEGMENT, TAIL = 20_000, 5_000, 8_000
LINE = b"%09d\n"
FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


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
def reasons() -> list[str]:
    """What the archive's notice said, in turn."""
    return []


@pytest.fixture
def archive(reasons: list[str]) -> Iterator[Archive]:
    FaultyFiles.reset()
    made = Archive(f"{PROTOCOL}://{secrets.token_hex(4)}", patience_seconds=5)
    made.start(lambda: reasons.append(made.reason))
    until(lambda: made._begun)  # its calls are none of the test's
    yield made
    FaultyFiles.reset()
    made.stop()


@pytest.fixture
def log(store: Store, redis: Redis, archive: Archive) -> OutputLog:
    return OutputLog(store, archive, hot_bytes=HOT, segment_bytes=SEGMENT, tail_bytes=TAIL)


def path_of(archive: Archive, *names: str) -> str:
    return archive.files._path(*names)


def files_of(archive: Archive, run: str) -> list[str]:
    archive.files._fs.invalidate_cache()
    return sorted(archive.files._fs.find(path_of(archive, run)))


def fill(writer: LogWriter, lines: int) -> bytes:
    whole = b"".join(LINE % number for number in range(lines))
    for start in range(0, len(whole), 2000):
        writer.append(1, whole[start : start + 2000])
    return whole


def archived(log: OutputLog, run: str, lines: int = 10_000) -> bytes:
    """An ended run, all of it in the archive, nothing of it in the cache."""
    writer = log.open(run)
    whole = fill(writer, lines)
    writer.drain()
    log.close(run)
    log.spill(run)
    log.archive._cache.clear()
    return whole


def read_all(log: OutputLog, run: str, offset: int = 0) -> tuple[bytes, list[Gap]]:
    data, gaps = b"", []
    while items := log.read(run, offset, 10_000):
        for item in items:
            assert item.offset == offset
            offset = item.end
            if isinstance(item, Chunk):
                data += item.data
            else:
                gaps.append(item)
    return data, gaps


def test_a_full_archive_makes_the_job_wait_and_loses_nothing(
    log: OutputLog, redis: Redis, reasons: list[str]
) -> None:
    FaultyFiles.faults["write"] = FULL
    writer = log.open("f1")
    written: list[bytes] = []
    job = host.spawn(lambda: written.append(fill(writer, 20_000)))
    (reason,) = until(lambda: reasons)
    assert "No space left on device" in reason
    assert "wait" in reason
    until(lambda: writer.tail.full and writer.tail.flushed >= 2 * HOT)
    stuck = writer.tail.end
    host.sleep(0.05)
    assert writer.tail.end == stuck <= 2 * HOT + 2 * TAIL + 2000
    (newest,) = redis.xrevrange(key("f1"), count=1)
    assert int(newest[0].split(b"-")[0]) <= 2 * HOT + TAIL
    assert read_all(log, "f1")[0] == (LINE * 20_000 % tuple(range(20_000)))[:stuck]
    FaultyFiles.faults.clear()
    job.wait()
    writer.drain()
    assert reasons[-1] == ""
    assert read_all(log, "f1") == (written[0], [])
    log.close("f1")


def test_readers_wait_for_an_archive_that_is_away(log: OutputLog, reasons: list[str]) -> None:
    whole = archived(log, "f2")
    FaultyFiles.faults["read"] = ConnectionRefusedError("Connection refused")
    with pytest.raises(ArchiveUnavailable, match="Connection refused") as refused:
        log.read("f2", 0, 1000)
    assert (refused.value.code, refused.value.status) == ("archive_unavailable", 503)
    assert "cannot be read" in reasons[-1]
    for _ in range(3):  # without asking it again
        calls = len(FaultyFiles.calls)
        with pytest.raises(ArchiveUnavailable):
            log.offset_of_line("f2", 50)
        assert len(FaultyFiles.calls) <= calls + 1
    host.spawn(FaultyFiles.faults.clear)
    log.wait_readable()
    assert reasons[-1] == ""
    assert read_all(log, "f2") == (whole, [])


def test_an_archive_that_hangs_is_given_up_and_what_is_hot_is_read(
    log: OutputLog, archive: Archive
) -> None:
    whole = archived(log, "f3")
    writer = log.open("f4")
    hot = fill(writer, 500)
    hang = FaultyFiles.faults["read"] = threading.Event()
    archive._calls._patience_seconds = 1.0
    waiting = [host.spawn(_unavailable, log, "f3", offset) for offset in (0, 0, 50_000)]
    assert read_all(log, "f4") == (hot, [])
    assert [task.wait() for task in waiting] == ["no answer within 1 s"] * 3
    FaultyFiles.faults.clear()
    hang.set()
    archive.reading.wait()
    archive._calls._patience_seconds = 5.0
    assert read_all(log, "f3") == (whole, [])
    writer.drain()
    log.close("f4")


def _unavailable(log: OutputLog, run: str, offset: int) -> str:
    try:
        log.read(run, offset, 100)
    except ArchiveUnavailable as error:
        return "no answer within 1 s" if "no answer within 1 s" in error.message else error.message
    return "it was read"


@pytest.mark.parametrize("damage", ["missing", "corrupt", "short", "another"])
def test_a_segment_that_is_lost_is_a_gap_and_the_rest_reads(
    log: OutputLog,
    archive: Archive,
    damage: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = archived(log, "f5")
    paths = files_of(archive, "f5")
    lost, other = paths[2], paths[3]
    fs = archive.files._fs
    before = fs.cat_file(lost)
    {
        "missing": lambda: fs.rm_file(lost),
        "corrupt": lambda: fs.pipe_file(lost, before[:-9] + b"x" + before[-8:]),
        "short": lambda: fs.pipe_file(lost, before[:100]),
        "another": lambda: fs.pipe_file(lost, fs.cat_file(other)),
    }[damage]()
    begin, end = (int(part) for part in lost.rsplit("/", 1)[1].split("-")[:2])
    line = 1 + whole[:end].count(b"\n")
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            assert read_all(log, "f5") == (whole[:begin] + whole[end:], [Gap(begin, end, line)])
    (said,) = [record.getMessage() for record in caplog.records]
    assert f"lost bytes {begin} to {end} of run f5" in said
    with pytest.raises(LineGone, match=f"kept from line {line} on"):
        log.offset_of_line("f5", (begin + 100) // 10)
    assert log.offset_of_line("f5", line + 2) == 10 * (line + 1)
    if damage != "missing":
        fs.rm_file(lost)
    fs.pipe_file(lost, before)
    monkeypatch.setattr(archive_module, "LOST_SECONDS", 0.0)
    assert read_all(log, "f5") == (whole, [])


def test_a_volume_that_is_not_mounted_is_no_loss(log: OutputLog, archive: Archive) -> None:
    whole = archived(log, "f6")
    fs = archive.files._fs
    kept = {path: fs.cat_file(path) for path in fs.find(path_of(archive))}
    fs.rm(path_of(archive), recursive=True)
    with pytest.raises(ArchiveUnavailable, match="is the volume mounted"):
        log.read("f6", 0, 100)
    for path, data in kept.items():
        fs.pipe_file(path, data)
    archive.reading.wait()
    assert read_all(log, "f6") == (whole, [])


def test_a_segment_is_read_once_for_all_who_ask(log: OutputLog) -> None:
    whole = archived(log, "f7", 400)
    FaultyFiles.calls.clear()
    tasks = [host.spawn(log.read, "f7", offset, 100) for offset in range(50)]
    for offset, task in enumerate(tasks):
        assert task.wait()[0].data[:10] == whole[offset : offset + 10]
    assert [name for name, _ in FaultyFiles.calls] == ["read"]


def test_several_nodes_that_spill_at_once_leave_each_byte_once(
    log: OutputLog, archive: Archive, store: Store, redis: Redis
) -> None:
    log.hot_bytes = 1 << 30
    writer = log.open("f8")
    whole = fill(writer, 10_000)
    writer.drain()
    log.close("f8")
    # Each cuts where it likes.
    nodes = [OutputLog(store, archive, segment_bytes=size) for size in (5000, 7000, 5000)]
    moved = [task.wait() for task in [host.spawn(node.spill, "f8") for node in nodes]]
    assert sum(moved) == len(whole)
    assert redis.exists(key("f8")) == 0
    named = {fields[b"f"].decode() for _, fields in redis.xrange(segments_key("f8"))}
    assert {path.rsplit("/", 1)[1] for path in files_of(archive, "f8")} == named
    assert read_all(log, "f8") == (whole, [])


def test_a_full_redis_is_relieved_by_the_archive(log: OutputLog, redis: Redis) -> None:
    log.hot_bytes = 1 << 30
    writer = log.open("f9")
    whole = fill(writer, 10_000)
    writer.drain()
    log.close("f9")
    redis.config_set("maxmemory", "1")
    try:
        assert log.spill("f9") == len(whole)
        assert log.discard("f9") > 0
    finally:
        redis.config_set("maxmemory", "0")
    log.store.ping()
    assert read_all(log, "f9") == (b"", [Gap(0, len(whole), 10_001)])


def test_output_of_an_earlier_version_gets_its_line_numbers(log: OutputLog, redis: Redis) -> None:
    whole = b"".join(LINE % number for number in range(3000))
    for end in range(1000, len(whole) + 1, 1000):  # the first 2,000 bytes had been trimmed
        if end > 2000:
            fields = {"t": 1, "s": 1, "d": whole[end - 1000 : end]}
            redis.xadd(key("f10"), fields, id=f"{end}-0")  # type: ignore[arg-type]
    assert (log.end("f10"), log.end_line("f10")) == (len(whole), 1 + 2800)
    assert read_all(log, "f10") == (whole[2000:], [Gap(0, 2000, 1)])
    assert log.offset_of_line("f10", 1001) == 2000 + 10_000
    assert log.line_of("f10", 12_000) == 1001
