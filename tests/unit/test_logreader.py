"""How much of a run's output is asked of Redis at a time."""

from __future__ import annotations

from typing import Any

from flask_realtime.logreader import LogReader
from flask_realtime.outputlog import READ_ENTRIES, READ_ENTRIES_MAX
from flask_realtime.tail import Chunk, Item


class CountingLog:
    """Output without an end in entries of `size` bytes; remembers how many were asked for."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.asked: list[int] = []

    def read(self, run: str, offset: int, max_bytes: int, entries: int) -> list[Item]:
        self.asked.append(entries)
        ends = range(offset, offset + entries * self.size, self.size)
        return [Chunk(start, 0, 1, b"x" * self.size, 1) for start in ends]


def asked(log: Any, reads: int) -> list[int]:
    reader = LogReader(log, "run", 1 << 20)
    offset = 0
    for _ in range(reads):
        offset = reader.read(offset)[-1].end
    counts: list[int] = log.asked
    return counts


def test_of_small_entries_more_are_read() -> None:
    counts = asked(CountingLog(100), 12)
    assert counts[:3] == [READ_ENTRIES, 2 * READ_ENTRIES, 4 * READ_ENTRIES]
    assert max(counts) == counts[-1] == READ_ENTRIES_MAX


def test_large_entries_are_read_a_few_at_a_time() -> None:
    assert set(asked(CountingLog(1 << 16), 5)) == {READ_ENTRIES}
    log = CountingLog(100)
    reader = LogReader(log, "run", 1 << 20)  # type: ignore[arg-type]
    for _ in range(9):
        reader.read(0)
    log.size = 1 << 16
    reader.read(0)
    reader.read(0)
    assert log.asked[-1] == READ_ENTRIES
