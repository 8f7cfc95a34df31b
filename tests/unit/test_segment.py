"""Segments: what is packed is unpacked; what is damaged is said to be corrupt, and nothing else."""

from __future__ import annotations

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_realtime.archive.segment import MAGIC, CorruptSegment, pack, unpack
from flask_realtime.tail import Chunk, Gap, exactly_from

PIECES = st.lists(
    st.tuples(
        st.integers(0, 5),  # bytes that are missing before it
        st.sampled_from([1, 2]),
        st.integers(0, 2**41),
        st.lists(st.sampled_from([b"a", b"\n", b"\xff", b"\x00"]), min_size=1, max_size=30),
    ),
    min_size=1,
    max_size=20,
)


def chunks_of(pieces: list[tuple[int, int, int, list[bytes]]], start: int) -> list[Chunk]:
    chunks: list[Chunk] = []
    offset, line = start, 1 + start
    for missing, stream, time, data in pieces:
        chunk = Chunk(offset + missing, time, stream, b"".join(data), line + missing)
        chunks.append(chunk)
        offset, line = chunk.end, chunk.end_line
    return chunks


@settings(deadline=None)
@given(PIECES, st.integers(0, 2**40))
def test_a_segment_gives_what_was_packed_from_any_offset(
    pieces: list[tuple[int, int, int, list[bytes]]], start: int
) -> None:
    chunks = chunks_of(pieces, start)
    segment = unpack(pack("r1", start, chunks))
    assert (segment.run, segment.offset, segment.end) == ("r1", start, chunks[-1].end)
    assert (segment.line, segment.end_line) == (chunks[0].line, chunks[-1].end_line)
    assert segment.chunks(start, 10**9, 10**9) == chunks
    for offset in range(start, segment.end):
        whole = exactly_from(offset, [chunk for chunk in chunks if chunk.end > offset])
        assert exactly_from(offset, segment.chunks(offset, 10**9, 10**9)) == whole
        (first, *_) = exactly_from(offset, segment.chunks(offset, 1, 1))
        assert first == whole[0] or isinstance(first, Gap)
    for line in range(max(1, segment.line - 1), segment.end_line + 2):
        before = [chunk for chunk in chunks if chunk.line < line]
        assert segment.before_line(line) == (before[-1] if before else None)


@settings(deadline=None)
@given(st.data())
def test_a_damaged_segment_is_corrupt(data: st.DataObject) -> None:
    chunks = [
        Chunk(number * 10, 1000 + number, 1, b"012345678\n", 1 + number) for number in range(9)
    ]
    packed = bytearray(pack("r1", 0, chunks))
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(packed) - 1))
        packed[at] ^= data.draw(st.integers(1, 255))
    else:
        del packed[data.draw(st.integers(0, len(packed) - 1)) :]
    try:
        segment = unpack(bytes(packed))
    except CorruptSegment:
        return
    # zstd ignores some bits of its header; the content is what its checksum says.
    assert segment.chunks(0, 10**9, 10**9) == chunks


@pytest.mark.parametrize("packed", [b"", b"{}", MAGIC, MAGIC + b"junk", b"\x00" * 1000])
def test_what_is_no_segment_is_corrupt(packed: bytes) -> None:
    with pytest.raises(CorruptSegment):
        unpack(packed)


def test_what_claims_to_be_huge_is_not_unpacked() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(65 << 20))
    with pytest.raises(CorruptSegment, match="claims to hold 68157440 bytes"):
        unpack(MAGIC + bomb)
