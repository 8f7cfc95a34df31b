"""The search in a run's output: reads it, and has it looked through on native threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from flask_realtime import host
from flask_realtime.archive.calls import Outcome
from flask_realtime.begunline import begun_line
from flask_realtime.errors import BadLine, BadOffset, LineGone, TooManySearches
from flask_realtime.logreader import LogReader
from flask_realtime.outputlog import OutputLog
from flask_realtime.search.linesearch import OVERLAP, LineSearch, Match
from flask_realtime.search.searchpattern import Pattern
from flask_realtime.tail import Gap

SECONDS = 10.0  # of one request, its wait included; then the answer says where to go on
AT_ONCE = 4  # searches of this process: what they take of the machine is bounded
MOST_WAITING = 16  # for one of these to end
TURN_SECONDS = 0.25  # on a native thread, until somebody looks whether the client is still there
READ_BYTES = 1 << 20  # of the output at a time, about
READ_SECONDS = 120.0  # beyond which nothing takes to read: each part of it has its own end


class RunSearch:
    """Searches the output of runs. For greenlets of the hub's thread."""

    def __init__(self, log: OutputLog) -> None:
        self._log = log
        self._turns = Turns(AT_ONCE, MOST_WAITING)

    def find(
        self, run: str, pattern: Pattern, *, after: int, limit: int, gone: Callable[[], bool]
    ) -> dict[str, Any]:
        """Find up to `limit` lines from byte `after` on, within about SECONDS, as the API has it.

        ``{"matches": [{"line", "offset", "text", "start", "end", "cut"}], "next", "searched",
        "end"}``: docs/protocol.md says what these are. What is printed meanwhile is not searched.
        Ends early when `gone()`: nobody reads the answer then. Raises BadOffset, TooManySearches,
        StoreUnavailable and ArchiveUnavailable.
        """
        deadline = time.monotonic() + SECONDS
        with self._turns.take(SECONDS):
            end = self._log.end(run)
            if after > end:
                raise BadOffset(f"offset {after} is beyond the output, which has {end} bytes")
            search = self._begun(run, pattern, limit, after)
            following, missing = None, 0
            for part in _ahead(self._parts(run, after, end)):
                is_late = search.offset > after and time.monotonic() >= deadline
                if is_late or gone() or not _look_through(search, part, deadline, gone):
                    following = self._following(run, search, end)
                    break
                if part.gap is not None:
                    search.skip(part.gap.end, part.gap.line)
                    missing += part.gap.end - part.gap.offset
            reached = end if following is None else following
            return {
                "matches": [_public(match) for match in search.matches],
                "next": following,
                "searched": max(0, reached - after - missing),
                "end": end,
            }

    def _begun(self, run: str, pattern: Pattern, limit: int, after: int) -> LineSearch:
        """A search from byte `after` on, which knows what comes before that in its line."""
        line = begun_line(self._log, run, after, OVERLAP)
        return LineSearch(
            pattern,
            limit,
            offset=after,
            line=line.number,
            line_offset=line.offset,
            before=line.before,
        )

    def _following(self, run: str, search: LineSearch, end: int) -> int | None:
        """Where to go on; None when nothing is left."""
        offset = search.offset
        if search.found_line is not None:
            try:
                offset = self._log.offset_of_line(run, search.found_line + 1)
            except BadLine:
                return None  # it is the last one
            except LineGone:
                pass  # it ends in what is no longer kept: go on in front of that
        return offset if offset < end else None

    def _parts(self, run: str, offset: int, end: int) -> Iterator[_Part]:
        """The output in [offset, end)."""
        reader = LogReader(self._log, run, READ_BYTES)
        while offset < end:
            items = reader.read(offset)
            if not items:  # it was lost with a Redis that crashed, and is not written again yet
                return
            data: list[bytes] = []
            for item in items:
                offset = item.end
                if isinstance(item, Gap):
                    yield _Part(data, item, True)
                    data = []
                else:
                    data.append(item.data[: end - item.offset])
                if offset >= end:
                    break
            if data:
                yield _Part(data, None, offset >= end)


@dataclass(frozen=True, slots=True)
class _Part:
    """Output that comes in one go, and the gap behind it; `is_end`: no line goes on behind it."""

    data: list[bytes]
    gap: Gap | None
    is_end: bool


def _ahead(parts: Iterator[_Part]) -> Iterator[_Part]:
    """The same parts, each read while the one before it is looked through."""

    def read() -> Outcome[_Part | None]:
        outcome: Outcome[_Part | None] = Outcome()
        host.spawn(outcome.take, lambda: next(parts, None))
        return outcome

    coming = read()
    while (part := coming.wait(READ_SECONDS)) is not None:
        coming = read()
        yield part


def _look_through(
    search: LineSearch, part: _Part, deadline: float, gone: Callable[[], bool]
) -> bool:
    """Have `part` looked through; False when the search is over, or must be, before its end."""

    def turn(data: list[bytes]) -> bool:
        search.add(b"".join(data))
        return search.work(min(deadline, time.monotonic() + TURN_SECONDS), is_end=part.is_end)

    if host.offload(turn, part.data):
        return True
    while not (search.full or gone() or time.monotonic() >= deadline):
        if host.offload(turn, []):
            return True
    return False


def _public(match: Match) -> dict[str, Any]:
    return {"line": match.line, "offset": match.offset, **asdict(match.excerpt)}


class Turns:
    """How many may do something at once, and how many may wait for it. For greenlets of the hub."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = at_once
        self._places = waiting
        self._freed = host.Signal()

    @contextmanager
    def take(self, seconds: float) -> Iterator[None]:
        """Wait for a turn, up to `seconds`. Raises TooManySearches."""
        if not self._free:
            self._wait(seconds)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1
            self._freed.set()

    def _wait(self, seconds: float) -> None:
        if not self._places:
            raise TooManySearches("too many searches are waiting already; try again in a moment")
        self._places -= 1
        try:
            if not host.wait_for(lambda: self._free > 0, self._freed, seconds):
                raise TooManySearches(
                    f"other searches have taken all of {seconds:g} s; try again in a moment"
                )
        finally:
            self._places += 1
