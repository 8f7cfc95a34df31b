"""A run's log against a plain byte string, through all that may happen to it in any order."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from flask_realtime import host
from flask_realtime.archive import Archive
from flask_realtime.errors import BadLine, BadOffset, LineGone
from flask_realtime.outputlog import OutputLog
from flask_realtime.redisserver import RedisServer
from flask_realtime.store.keys import output as key
from flask_realtime.store.keys import segments as segments_key
from flask_realtime.store.store import Store, blocking_client
from flask_realtime.tail import MERGE_BYTES, Gap

HOT, SEGMENT, TAIL = 2_000, 700, 6_000
DATA = st.builds(
    lambda words, count: b"\n".join(words) * count,
    st.lists(st.binary(max_size=12), min_size=1, max_size=5),
    st.integers(1, 60),
)


class LogMachine(RuleBasedStateMachine):
    """What the owner writes, and another node reads, is `whole`; `gone` once it was discarded."""

    def __init__(self, store: Store, redis: Redis) -> None:
        super().__init__()
        self.redis = redis
        self.run_id = secrets.token_hex(4)
        archive = Archive(f"memory://{self.run_id}")
        self.owner = OutputLog(
            store, archive, hot_bytes=HOT, segment_bytes=SEGMENT, tail_bytes=TAIL
        )
        self.owner.flush_bytes = 500
        # Another process: it shares Redis and the files, and knows nothing else.
        self.archives = [archive, Archive(f"memory://{self.run_id}")]
        self.other = OutputLog(store, self.archives[1], hot_bytes=HOT, segment_bytes=SEGMENT)
        self.writer = self.owner.open(self.run_id)
        self.whole = b""
        self.open = True
        self.gone = False
        self.saved: tuple[bytes | None, bytes | None] = (None, None)
        self.saved_end = 0

    def teardown(self) -> None:
        if self.open:
            self.writer.drain()
            self.owner.close(self.run_id)
        for archive in self.archives:
            archive.stop()

    @property
    def keys(self) -> tuple[str, str]:
        return key(self.run_id), segments_key(self.run_id)

    # What happens to it

    @precondition(lambda self: self.open)
    @rule(data=DATA, stream=st.sampled_from([1, 2]))
    def append(self, data: bytes, stream: int) -> None:
        if data:
            self.writer.append(stream, data)
            self.whole += data

    @precondition(lambda self: self.open)
    @rule()
    def flush(self) -> None:
        self.writer.drain()

    @rule(turns=st.integers(1, 30))
    def let_the_others_run(self, turns: int) -> None:
        for _ in range(turns):
            host.sleep(0.001)

    @rule()
    def spill(self) -> None:
        """By a node that takes the run for ended, rightly or not."""
        self.other.spill(self.run_id)

    @precondition(lambda self: self.open)
    @rule()
    def end(self) -> None:
        self.writer.drain()
        self.owner.close(self.run_id)
        self.open = False
        self.make_durable()

    @rule()
    def make_durable(self) -> None:
        """What Redis has now is on its disk."""
        self.saved = tuple(map(self.redis.dump, self.keys))  # type: ignore[assignment]
        self.saved_end = self.other.stored_end(self.run_id)[0]

    @rule()
    def crash_redis(self) -> None:
        """It comes back without what it has got since, if the owner's tail still has that.

        No precondition: that depends on time, and Hypothesis wants those to be the same each time.
        """
        if self.open and self.saved_end < self.writer.tail.start:
            return
        pipeline = self.redis.pipeline()
        for name, value in zip(self.keys, self.saved, strict=True):
            if value is None:
                pipeline.delete(name)
            else:
                pipeline.restore(name, 0, value, replace=True)
        pipeline.execute()
        if self.gone and not self.open:
            self.owner.discard(self.run_id)  # as the next sweep does
            self.other.discard(self.run_id)

    @precondition(lambda self: not self.open and not self.gone)
    @rule()
    def discard(self) -> None:
        before = self.other.stored_bytes(self.run_id)
        assert self.other.discard(self.run_id) == before
        self.gone = True

    # What is seen of it

    @rule(data=st.data())
    def read_in_the_middle(self, data: st.DataObject) -> None:
        self.read(self.owner, data.draw(st.integers(0, len(self.whole))))
        if not self.open:
            self.read(self.other, data.draw(st.integers(0, len(self.whole))))

    def read(self, log: OutputLog, offset: int) -> None:
        while items := log.read(self.run_id, offset, 600, 3):
            for item in items:
                assert item.offset == offset
                if isinstance(item, Gap):
                    assert self.gone
                    assert item.end == len(self.whole)
                    assert item.line == 1 + self.whole.count(b"\n")
                else:
                    # A node that does not know yet that it was discarded may have it still.
                    assert log is self.owner or not self.gone
                    assert item.data == self.whole[offset : item.end]
                    assert item.line == 1 + self.whole[:offset].count(b"\n")
                offset = item.end
        assert offset == len(self.whole)

    @rule(data=st.data())
    def find_lines(self, data: st.DataObject) -> None:
        log = self.owner if self.open else self.other
        starts = [0, *(at + 1 for at, byte in enumerate(self.whole) if byte == 10)]
        line = data.draw(st.integers(1, len(starts)))
        if self.gone and starts[line - 1] < len(self.whole):
            with pytest.raises(LineGone):
                log.offset_of_line(self.run_id, line)
        elif not self.gone:
            assert log.offset_of_line(self.run_id, line) == starts[line - 1]
            assert log.line_of(self.run_id, starts[line - 1]) == line
        with pytest.raises(BadLine):
            log.offset_of_line(self.run_id, len(starts) + 1)
        with pytest.raises(BadOffset):
            log.line_of(self.run_id, len(self.whole) + 1)

    @invariant()
    def it_has_its_size(self) -> None:
        log = self.owner if self.open else self.other
        assert log.end(self.run_id) == len(self.whole)
        assert log.end_line(self.run_id) == 1 + self.whole.count(b"\n")

    @invariant()
    def redis_is_bounded(self) -> None:
        (archived, hot) = self.bounds()
        assert hot - archived <= 2 * HOT + self.owner.flush_bytes + MERGE_BYTES

    def bounds(self) -> tuple[int, int]:
        ends = [
            int(entries[0][0].partition(b"-")[0]) if entries else 0
            for entries in (self.redis.xrevrange(name, count=1) for name in reversed(self.keys))
        ]
        return ends[0], max(ends)


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


def test_the_log_is_the_bytes_that_were_appended_whatever_happens(
    redis_server: RedisServer,
) -> None:
    store = Store()
    store.connect(redis_server.url)
    redis = blocking_client(redis_server.url)
    try:
        run_state_machine_as_test(
            lambda: LogMachine(store, redis),
            settings=settings(
                max_examples=40,
                stateful_step_count=30,
                deadline=None,
                phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink takes minutes
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
    finally:
        redis.close()
        store.close()
