"""The archive as the hub sees it: segments are written, and read through a small cache."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from flask_realtime.archive.calls import PATIENCE_SECONDS, Calls, Outcome
from flask_realtime.archive.files import ArchiveFiles
from flask_realtime.archive.manifest import SegmentRef
from flask_realtime.archive.segment import CorruptSegment, Segment, unpack
from flask_realtime.archive.side import Side
from flask_realtime.errors import ArchiveUnavailable

T = TypeVar("T")

CACHE_BYTES = 32 << 20  # of unpacked segments, for all readers together
LOST_SECONDS = 60.0  # before a segment that was lost is looked for again


class SegmentLost(Exception):
    """The archive answers, but this segment is missing or corrupt; `news`: not known before."""

    def __init__(self, message: str, *, news: bool) -> None:
        super().__init__(message)
        self.news = news


class Archive:
    """Segments by run and name. For greenlets of the hub's thread.

    `changed` is called when `reason` changes: why the archive cannot be used, for people; empty
    while it can. `reading` and `writing` can be waited for.
    """

    def __init__(self, url: str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.files = ArchiveFiles(url)
        self._calls = Calls(patience_seconds)
        self.reading = Side("read", lambda: self._calls.run(self.files.check_reading))
        self.writing = Side("written", lambda: self._calls.run(self._check_writing))
        self._begun = False
        self._cache: OrderedDict[tuple[str, str], Segment] = OrderedDict()
        self._cached_bytes = 0
        self._loading: dict[tuple[str, str], Outcome[Segment]] = {}
        self._lost: dict[tuple[str, str], float] = {}  # when it was found out

    def start(self, changed: Callable[[], None]) -> None:
        """Find out whether it can be used; call `changed` when that changes."""
        self.reading.changed = self.writing.changed = changed
        self.writing.check()

    def stop(self) -> None:
        self.reading.stop()
        self.writing.stop()
        self._calls.stop()

    @property
    def reason(self) -> str:
        if not self.writing.works:
            return (
                f"Older output cannot be moved to the archive, {self.files.name} "
                f"({self.writing.reason}). Runs go on until their buffers are full, and wait then "
                "until it can."
            )
        if not self.reading.works:
            return (
                f"Older output cannot be read from the archive, {self.files.name} "
                f"({self.reading.reason}). It is shown as soon as it can."
            )
        return ""

    def offload(self, function: Callable[[], T]) -> T:
        """Return `function()`, called on a native thread of the archive's."""
        return self._calls.run(function)

    def write(self, run: str, name: str, data: bytes) -> None:
        """Make a file, durably. Raises ArchiveUnavailable; `writing` can be waited for then."""
        self._write(partial(self.files.write, run, name, data))

    def remove(self, run: str, name: str) -> None:
        """Remove a file that no manifest names. Raises ArchiveUnavailable."""
        self._write(partial(self.files.remove, run, name))

    def remove_run(self, run: str) -> None:
        """Remove all files of a run. Raises ArchiveUnavailable."""
        self._write(partial(self.files.remove_run, run))
        for key in [key for key in self._cache if key[0] == run]:
            self._cached_bytes -= self._cache.pop(key).size

    def load(self, run: str, ref: SegmentRef) -> Segment:
        """Return a segment, from the cache or from its file, which all who ask read once.

        Raises SegmentLost, and ArchiveUnavailable; `reading` can be waited for then.
        """
        key = (run, ref.name)
        segment = self._cache.get(key)
        if segment is not None:
            self._cache.move_to_end(key)
            return segment
        if time.monotonic() - self._lost.get(key, -LOST_SECONDS) < LOST_SECONDS:
            raise SegmentLost("as before", news=False)
        outcome = self._loading.get(key)
        if outcome is not None:
            return outcome.wait(2 * PATIENCE_SECONDS)  # it has an end by itself
        outcome = self._loading[key] = Outcome()
        try:
            outcome.take(partial(self._load, run, ref))
        finally:
            del self._loading[key]
        return outcome.wait(0)

    def _load(self, run: str, ref: SegmentRef) -> Segment:
        if not self.reading.works:
            raise ArchiveUnavailable(self.reason)
        key = (run, ref.name)
        try:
            segment = self._calls.run(partial(self._read, run, ref))
        except (FileNotFoundError, CorruptSegment) as error:
            news = key not in self._lost
            self._lost[key] = time.monotonic()
            reason = f"corrupt: {error}" if isinstance(error, CorruptSegment) else "missing"
            raise SegmentLost(f"{run}/{ref.name} is {reason}", news=news) from error
        except ArchiveUnavailable:
            raise
        except Exception as error:  # a file system raises what it likes
            self.reading.failed(error)
            raise ArchiveUnavailable(self.reason) from error
        self._lost.pop(key, None)
        self._cache[key] = segment
        self._cached_bytes += segment.size
        while self._cached_bytes > CACHE_BYTES and len(self._cache) > 1:
            self._cached_bytes -= self._cache.popitem(last=False)[1].size
        return segment

    def _read(self, run: str, ref: SegmentRef) -> Segment:
        """On a native thread."""
        segment = unpack(self.files.read(run, ref.name))
        if (segment.run, segment.offset, segment.end) != (run, ref.offset, ref.end):
            raise CorruptSegment("it is another segment")
        return segment

    def _write(self, function: Callable[[], None]) -> None:
        if not self.writing.works:
            raise ArchiveUnavailable(self.reason)
        try:
            self._calls.run(function)
        except ArchiveUnavailable:
            raise
        except Exception as error:  # a file system raises what it likes
            self.writing.failed(error)
            raise ArchiveUnavailable(self.reason) from error

    def _check_writing(self) -> None:
        """On a native thread."""
        if not self._begun:
            self.files.begin()
            self._begun = True
        else:
            self.files.check_writing()
