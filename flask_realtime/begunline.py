"""What comes before a byte of a run's output in the same line."""

from __future__ import annotations

from dataclasses import dataclass

from flask_realtime.errors import LineGone
from flask_realtime.logreader import LogReader
from flask_realtime.outputlog import OutputLog
from flask_realtime.tail import Gap


@dataclass(frozen=True, slots=True)
class BegunLine:
    """The line `number`, which begins at `offset`, and the bytes of it `before` some place."""

    number: int
    offset: int
    before: bytes = b""


def begun_line(log: OutputLog, run: str, offset: int, max_bytes: int) -> BegunLine:
    """The line of `run` that byte `offset` lies in, and the last `max_bytes` of it before that.

    Where the line's beginning is no longer kept, it counts as one that begins at `offset`. Raises
    BadOffset beyond the end, StoreUnavailable and ArchiveUnavailable.
    """
    number = log.line_of(run, offset)
    try:
        start = log.offset_of_line(run, number)
    except LineGone:
        start = offset
    if start >= offset:  # it begins there, or behind a gap that the byte lies in
        return BegunLine(number, offset)
    before = b""
    reached = max(start, offset - max_bytes)
    reader = LogReader(log, run, offset - reached)
    while reached < offset:
        items = reader.read(reached)
        if not items:
            break
        for item in items:
            before = b"" if isinstance(item, Gap) else before + item.data[: offset - item.offset]
            reached = item.end
            if reached >= offset:
                break
    return BegunLine(number, start, before)
