"""Reads the archived part of a run's output, and remembers which segments there are."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections import OrderedDict
from functools import partial

from flask_realtime.archive import manifest
from flask_realtime.archive.archive import Archive, SegmentLost
from flask_realtime.archive.manifest import SegmentRef
from flask_realtime.store.store import Store
from flask_realtime.tail import Chunk, Gap, Item, exactly_from

logger = logging.getLogger(__name__)

LOOK_SEGMENTS = 64  # of the manifest at a time: who reads on needs the next ones
KNOWN_SEGMENTS = 2048  # of a run that are remembered (8 GiB of output), and ...
KNOWN_RUNS = 16  # ... of how many runs


class ArchiveReader:
    """Reads by offset and by line. For greenlets of the hub's thread.

    What is archived stays where it is, so a segment that was seen once need not be asked for again.
    """

    def __init__(self, store: Store, archive: Archive) -> None:
        self._store = store
        self._archive = archive
        self._known: OrderedDict[str, list[SegmentRef]] = OrderedDict()  # by run, ascending

    def known(self, run: str, offset: int, max_bytes: int, max_chunks: int) -> list[Item]:
        """As `read`, but without asking Redis where the run's segments have not been looked at."""
        refs = self._known.get(run)
        if refs is None or offset >= refs[-1].end:
            return []
        return self.read(run, offset, max_bytes, max_chunks)

    def read(self, run: str, offset: int, max_bytes: int, max_chunks: int) -> list[Item]:
        """Return the output from byte `offset` on, exactly; nothing if that is not archived.

        Raises StoreUnavailable and ArchiveUnavailable.
        """
        ref = self._find(run, offset)
        if ref is None:
            return []
        if ref.name:
            try:
                segment = self._archive.load(run, ref)
            except SegmentLost as lost:
                if lost.news and (ref := self._look_again(run, ref, lost)) is None:
                    return []
            else:
                return exactly_from(offset, segment.chunks(offset, max_bytes, max_chunks))
        return [Gap(offset, ref.end, ref.end_line)]

    def _look_again(self, run: str, ref: SegmentRef, lost: SegmentLost) -> SegmentRef | None:
        """Find out whether a segment was removed on purpose, which another node may have done."""
        self.forget(run)
        found = self._find(run, ref.offset)
        if found == ref:
            logger.error(
                "the archive lost bytes %d to %d of run %s: %s",
                *(ref.offset, ref.end, run, lost),
                extra={"run": run},
            )
        return found

    def before_line(self, run: str, line: int) -> tuple[Chunk | None, int]:
        """Return the last archived chunk that begins in a line before `line`.

        Where there is none: from where on to read, to find out what is missing there.
        """
        ref = self._store.read(partial(manifest.before_line, run=run, line=line))
        if ref is None:
            return None, 0
        if not ref.name:
            return None, ref.offset
        try:
            return self._archive.load(run, ref).before_line(line), ref.offset
        except SegmentLost:
            return None, ref.offset

    def forget(self, run: str) -> None:
        """Its segments have been removed."""
        self._known.pop(run, None)

    def _find(self, run: str, offset: int) -> SegmentRef | None:
        refs = self._known.get(run, [])
        index = bisect_right(refs, offset, key=lambda ref: ref.end)
        if index < len(refs) and refs[index].offset <= offset:
            self._known.move_to_end(run)
            return refs[index]
        found = self._store.read(
            partial(manifest.following, run=run, offset=offset, count=LOOK_SEGMENTS)
        )
        if not found:
            return None
        self._remember(run, found)
        return found[0]

    def _remember(self, run: str, found: list[SegmentRef]) -> None:
        known = {ref.end: ref for ref in self._known.get(run, [])}
        if len(known) > KNOWN_SEGMENTS:
            known = {}
        known.update((ref.end, ref) for ref in found)
        self._known[run] = [known[end] for end in sorted(known)]
        self._known.move_to_end(run)
        while len(self._known) > KNOWN_RUNS:
            self._known.popitem(last=False)
