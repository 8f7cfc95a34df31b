"""The newest part of a run's output: what is merged, what is kept, when there is too much."""

from __future__ import annotations

from flask_realtime.tail import MERGE_BYTES, MERGE_MS, Chunk, Tail


def append(tail: Tail, data: bytes, time: int = 0, stream: int = 1) -> None:
    tail.append(Chunk(tail.end, time, stream, data, tail.end_line))


def whole(tail: Tail) -> list[Chunk]:
    return tail.from_offset(tail.start, 1 << 30)


def test_small_chunks_that_follow_closely_become_one_with_the_time_of_the_first() -> None:
    tail = Tail(10_000, 100)
    append(tail, b"a", 1000)
    append(tail, b"b", 1000 + MERGE_MS)
    assert whole(tail) == [Chunk(0, 1000, 1, b"ab", 1)]


def test_later_chunks_other_streams_and_large_ones_stand_alone() -> None:
    tail = Tail(100_000, 100)
    append(tail, b"a", 0)
    append(tail, b"b", MERGE_MS + 1)
    append(tail, b"c", MERGE_MS + 1, stream=2)
    append(tail, b"d" * MERGE_BYTES, MERGE_MS + 1, stream=2)
    append(tail, b"e", MERGE_MS + 1, stream=2)
    assert [(chunk.stream, chunk.data[:1], len(chunk.data)) for chunk in whole(tail)] == [
        (1, b"a", 1),
        (1, b"b", 1),
        (2, b"c", 1),
        (2, b"d", MERGE_BYTES),
        (2, b"e", 1),
    ]


def test_reading_ends_with_the_chunk_that_reaches_the_bound() -> None:
    tail = Tail(1000, 100)
    for number in range(5):
        append(tail, b"%d" % number * 10, 1000 * number)
    assert [chunk.offset for chunk in tail.from_offset(0, 20)] == [0, 10]
    assert [chunk.offset for chunk in tail.from_offset(0, 21)] == [0, 10, 20]
    assert tail.from_offset(15, 1) == [Chunk(15, 1000, 1, b"1" * 5, 1)]
    assert tail.from_offset(50, 100) == []


def test_it_is_full_of_bytes_or_of_chunks_that_are_not_flushed() -> None:
    bytes_bound, chunks_bound = Tail(30, 100), Tail(10_000, 3)
    for number in range(3):
        for tail in (bytes_bound, chunks_bound):
            assert not tail.full
            append(tail, b"x" * 10, 1000 * number)
    assert bytes_bound.full
    assert chunks_bound.full
    for tail in (bytes_bound, chunks_bound):
        tail.mark_flushed(10)
        assert not tail.full


def test_what_is_flushed_goes_only_when_the_bounds_are_passed() -> None:
    tail = Tail(30, 100)
    for number in range(3):
        append(tail, b"x" * 10, 1000 * number)
    tail.mark_flushed(30)
    assert tail.start == 0
    for number in range(3, 6):
        append(tail, b"x" * 10, 1000 * number)
        tail.mark_flushed(tail.end)
        assert tail.start == tail.end - 30


def test_what_is_not_flushed_stays_however_much_it_is() -> None:
    tail = Tail(30, 2)
    for number in range(20):
        append(tail, b"x" * 10, 1000 * number)
    tail.mark_flushed(10)
    assert tail.start <= 10
    assert len(b"".join(chunk.data for chunk in tail.from_offset(10, 10**6))) == 190


def test_a_redis_that_lost_something_moves_the_mark_back() -> None:
    tail = Tail(1000, 100)
    append(tail, b"x" * 100)
    tail.mark_flushed(100)
    tail.mark_flushed(40)
    assert tail.flushed == 40
    assert tail.from_offset(40, 1000) == [Chunk(40, 0, 1, b"x" * 60, 1)]
    tail.mark_flushed(10_000)  # a mark beyond the end is the end
    assert tail.flushed == 100


def test_an_empty_tail_begins_where_it_ends() -> None:
    tail = Tail(10, 1)
    assert (tail.start, tail.end, tail.full) == (0, 0, False)
    append(tail, b"x" * 20)
    tail.mark_flushed(20)
    append(tail, b"y" * 20, 1000)
    tail.mark_flushed(40)
    assert tail.start == 20


def test_lines_are_counted_from_the_beginning_of_the_output_also_when_that_has_gone() -> None:
    tail = Tail(30, 100)
    for number in range(6):
        append(tail, b"%04d\nabcd\n" % number, 1000 * number)
        tail.mark_flushed(tail.end)
    assert (tail.start, tail.start_line, tail.end_line) == (30, 7, 13)
    assert [tail.line_of(offset) for offset in (30, 34, 35, 39, 40, 60)] == [7, 7, 8, 8, 9, 13]
    assert tail.start_of(7) is None, "the line feed before it is not here"
    assert [tail.start_of(line) for line in (8, 9, 12, 13, 14)] == [35, 40, 55, 60, None]


def test_a_line_may_span_chunks_and_a_chunk_begin_within_one() -> None:
    tail = Tail(1000, 100)
    for number, data in enumerate([b"ab", b"cd", b"\n\nef", b"gh\n"]):
        append(tail, data, 1000 * number)
    assert [chunk.line for chunk in whole(tail)] == [1, 1, 1, 3]
    assert [tail.start_of(line) for line in (2, 3, 4)] == [5, 6, 11]
    assert tail.from_offset(5, 1)[0].line == 2
    assert tail.from_offset(9, 100) == [Chunk(9, 3000, 1, b"h\n", 3)]
