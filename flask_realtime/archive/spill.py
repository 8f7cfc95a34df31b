"""The one way from the hot stream to the archive: the oldest entries become a segment."""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from functools import partial

from redis import Redis

from flask_realtime import outputstream
from flask_realtime.archive import manifest
from flask_realtime.archive.archive import Archive
from flask_realtime.archive.manifest import SegmentRef
from flask_realtime.archive.segment import MAX_CHUNKS, pack
from flask_realtime.errors import ArchiveUnavailable
from flask_realtime.store.store import Store
from flask_realtime.tail import Chunk

logger = logging.getLogger(__name__)

READ_ENTRIES = 4  # of one read from Redis: redis-py needs more time for larger answers
SMALL_BYTES = 1 << 17  # an answer up to this makes the next one ask for twice as many ...
MAX_ENTRIES = 1024  # ... up to this


def spill_segment(store: Store, archive: Archive, run: str, segment_bytes: int) -> tuple[int, int]:
    """Move about `segment_bytes` of the oldest hot output to the archive, if there is any.

    Returns the archived end, and the bytes that were moved: none when there are none, and when
    another node was quicker. Any node may do it at any time: the file is written first, under a
    name of its own, then one script puts it in the place of the entries, if nobody has. Raises
    ArchiveUnavailable and StoreUnavailable; nothing is lost then, a file may be left over.
    """
    if not archive.writing.works:  # before anything is read for it
        raise ArchiveUnavailable(archive.reason)
    made = store.offload(partial(_make, run=run, segment_bytes=segment_bytes), archive.offload)
    if isinstance(made, int):
        return made, 0
    ref, data = made
    archive.write(run, ref.name, data)
    # As a read: it is what makes room in a Redis that has no memory left.
    archived, taken = store.read(partial(manifest.commit, run=run, ref=ref))
    if taken:
        return archived, ref.end - ref.offset
    try:
        archive.remove(run, ref.name)
    except ArchiveUnavailable as error:
        said = (run, ref.name, error.message)
        logger.warning("%s/%s is left over in the archive: %s", *said, extra={"run": run})
    return archived, 0


def _make(client: Redis, run: str, segment_bytes: int) -> tuple[SegmentRef, bytes] | int:
    """Read and pack the oldest hot output; the archived end if there is none. Blocks."""
    last = manifest.newest(client, run)
    archived, line = (last.end, last.end_line) if last is not None else (0, 1)
    chunks = _oldest(client, run, archived, line, segment_bytes)
    if not chunks:
        return archived
    data = pack(run, archived, chunks)
    end = chunks[-1].end
    # The token: a file is never written twice, whoever tries, so no reader sees a half of one.
    name = f"{archived:015d}-{end:015d}-{secrets.token_hex(4)}.zst"
    first, last_line = chunks[0].line, chunks[-1].end_line
    return SegmentRef(archived, end, first, last_line, name, len(data)), data


def _oldest(client: Redis, run: str, offset: int, line: int, segment_bytes: int) -> list[Chunk]:
    chunks: list[Chunk] = []
    size = 0
    entries = READ_ENTRIES
    while found := outputstream.read(client, run, offset, entries, numbered=False):
        before = size
        for chunk in found:
            if not chunk.line:  # of an earlier version
                chunk = replace(chunk, line=chunks[-1].end_line if chunks else line)
            chunks.append(chunk)
            size += len(chunk.data)
            if size >= segment_bytes or len(chunks) == MAX_CHUNKS:
                return chunks
        offset = chunks[-1].end
        entries = READ_ENTRIES if size - before > SMALL_BYTES else min(2 * entries, MAX_ENTRIES)
    return chunks
