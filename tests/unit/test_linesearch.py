"""The search in lines: against a plain one, however the output comes in pieces."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_realtime.search import linesearch
from flask_realtime.search.excerpt import SHOWN, Excerpt, excerpt
from flask_realtime.search.linesearch import LineSearch, Match
from flask_realtime.search.searchpattern import Pattern

EVER = float("inf")


def plainly(output: bytes, query: str) -> list[tuple[int, int, str, int, int]]:
    """Number, offset, text and place of the first match, of each line that has one."""
    found = []
    offset = 0
    lines = output.split(b"\n")
    for number, raw in enumerate(lines, 1):
        line = re.sub(rb"\x1b\[[0-9;]*m", b"", raw)
        if number < len(lines):
            line = line.removesuffix(b"\r")
        match = re.search(query.encode(), line)
        if match and (line or number < len(lines)):
            found.append((number, offset, line.decode(), *match.span()))
        offset += len(raw) + 1
    return found


def told(matches: list[Match]) -> list[tuple[int, int, str, int, int]]:
    return [
        (each.line, each.offset, each.excerpt.text, each.excerpt.start, each.excerpt.end)
        for each in matches
    ]


def searched(pieces: list[bytes], query: str, *, is_regex: bool = True) -> LineSearch:
    search = LineSearch(Pattern(query, is_regex=is_regex, match_case=True), 10**6)
    for piece in pieces:
        search.add(piece)
        if not search.work(EVER):
            return search
    search.work(EVER, is_end=True)
    return search


PARTS = st.lists(
    st.sampled_from([b"ab", b"b", b"\n", b"\n\n", b"\r\n", b"\x1b[31m", b"\x1b[0m", b"cab"]),
    max_size=40,
)
QUERIES = st.sampled_from(["ab", "b$", "^a", "^", "$", "x*", "a|^$", "c.*b$", "bb", "(b+|c)a"])


@given(PARTS, QUERIES, st.lists(st.integers(1, 20)), st.integers(1, 200))
def test_all_lines_that_match_are_found(
    parts: list[bytes], query: str, sizes: list[int], block: int
) -> None:
    output = b"".join(parts)
    pieces, at = [], 0
    for size in [*sizes, len(output)]:
        pieces.append(output[at : at + size])
        at += size
    with pytest.MonkeyPatch.context() as patch:
        for name in ("FIRST_BLOCK", "LEAST_BLOCK", "MOST_BLOCK"):
            patch.setattr(linesearch, name, block)
        search = searched([*pieces, output[at:]], query)
    assert told(search.matches) == plainly(output, query)
    assert search.offset == len(output)


@given(PARTS, st.sampled_from(["a", "ab", "bb", "bcab", "ba"]), st.integers(1, 60))
def test_a_text_is_found_between_escape_sequences(
    parts: list[bytes], query: str, block: int
) -> None:
    output = b"".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("FIRST_BLOCK", "LEAST_BLOCK", "MOST_BLOCK"):
            patch.setattr(linesearch, name, block)
        search = searched([output], query, is_regex=False)
    assert told(search.matches) == plainly(output, query)


@given(PARTS, st.sampled_from(["ab", "^ab", "bab$", "b$", "cabab"]), st.integers(1, 9))
def test_lines_longer_than_a_part_are_searched_in_parts(
    parts: list[bytes], query: str, size: int
) -> None:
    output = b"".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("FIRST_BLOCK", "LEAST_BLOCK", "MOST_BLOCK"):
            patch.setattr(linesearch, name, 4)
        patch.setattr(linesearch, "MAX_LINE", size)
        patch.setattr(linesearch, "OVERLAP", 12)
        search = searched([output], query)
    expected = plainly(output, query)
    assert [each[:2] for each in told(search.matches)] == [each[:2] for each in expected]
    for match, (_, _, text, start, end) in zip(search.matches, expected, strict=True):
        shown = match.excerpt
        assert shown.text[shown.start : shown.end] == text[start:end]
        assert shown.text.removesuffix("\r") in text  # its line feed may be for the next part


@given(PARTS, QUERIES, st.integers(1, 3))
def test_a_search_that_is_full_goes_on_behind_its_last_line(
    parts: list[bytes], query: str, limit: int
) -> None:
    output = b"".join(parts)
    found: list[tuple[int, int, str, int, int]] = []
    line, offset = 1, 0
    while True:
        pattern = Pattern(query, is_regex=True, match_case=True)
        search = LineSearch(pattern, limit, offset=offset, line=line)
        search.add(output[offset:])
        search.work(EVER, is_end=True)
        found += told(search.matches)
        if not search.full:
            break
        assert len(search.matches) == limit
        if search.found_line is not None:
            assert search.found_line == search.matches[-1].line
            assert b"\n" not in output[search.matches[-1].offset :]
            break
        line = search.matches[-1].line + 1
        assert search.offset == output.index(b"\n", search.matches[-1].offset) + 1
        offset = search.offset
    assert found == plainly(output, query)


def test_a_search_goes_on_in_the_middle_of_a_line() -> None:
    output = b"first\n" + b"x" * 100 + b"needle" + b"x" * 100 + b"needle\n"
    for offset in range(7, 7 + 100 + 6):
        search = LineSearch(
            Pattern("needle"), 5, offset=offset, line=2, line_offset=6, before=output[6:offset]
        )
        search.add(output[offset:])
        search.work(EVER, is_end=True)
        (match,) = search.matches
        assert (match.line, match.offset, match.excerpt.start) == (2, 6, 100)
    pattern = Pattern("^needle", is_regex=True)
    search = LineSearch(pattern, 5, offset=106, line=2, line_offset=6, before=output[96:106])
    search.add(output[106:])
    search.work(EVER, is_end=True)
    assert not search.matches


def test_behind_a_gap_lines_count_on() -> None:
    search = LineSearch(Pattern("a"), 9)
    search.add(b"a\nhalf a li")
    assert search.work(EVER)
    search.work(EVER, is_end=True)
    search.skip(1000, 50)
    search.add(b"ne a\na\n")
    search.work(EVER, is_end=True)
    assert [(each.line, each.offset) for each in search.matches] == [
        *((1, 0), (2, 2), (50, 1000), (51, 1005))
    ]


def test_time_ends_the_work_after_a_block() -> None:
    clock = 0.0

    def tick() -> float:
        nonlocal clock
        clock += 0.03  # each look at the clock: a block seems to take as long
        return clock

    search = LineSearch(Pattern("needle"), 9, clock=tick)
    search.add(b"line\n" * 100_000 + b"needle\n")
    assert not search.work(0.1)
    assert 0 < search.offset < 500_000
    assert search.work(EVER)
    assert [each.line for each in search.matches] == [100_001]


def test_a_line_without_end_is_searched_in_bounded_memory() -> None:
    search = LineSearch(Pattern("needle"), 9)
    for _ in range(100):
        search.add(b"x" * (1 << 20))
        assert search.work(EVER)
        assert len(search._waiting) < linesearch.MAX_LINE
    search.add(b"nee")
    assert search.work(EVER)
    search.add(b"dle\nneedle")
    assert search.work(EVER)
    assert search.work(EVER, is_end=True)
    assert [(each.line, each.offset) for each in search.matches] == [(1, 0), (2, (100 << 20) + 7)]
    (first, _) = search.matches
    assert first.excerpt.cut
    assert len(first.excerpt.text) == SHOWN


@pytest.mark.parametrize(
    ("line", "start", "end", "shown"),
    [
        (b"abc", 1, 2, Excerpt("abc", 1, 2, False)),
        (b"", 0, 0, Excerpt("", 0, 0, False)),
        ("äöü".encode(), 2, 4, Excerpt("äöü", 1, 2, False)),
        (b"\xff\xfeabc", 2, 3, Excerpt("\ufffd\ufffdabc", 2, 3, False)),
        (b"x" * 5000 + b"abc", 5000, 5003, Excerpt("x" * 997 + "abc", 997, 1000, True)),
        (b"abc" + b"x" * 5000, 0, 3, Excerpt("abc" + "x" * 997, 0, 3, True)),
        (b"x" * 5000, 0, 5000, Excerpt("x" * 1000, 0, 1000, True)),
        (b"x" * 1000, 100, 110, Excerpt("x" * 1000, 100, 110, False)),
        (b"x" * 2000, 1000, 1000, Excerpt("x" * 1000, 250, 250, True)),
        ("\U0001f600".encode() * 9000, 18000, 18004, Excerpt("\U0001f600" * 1000, 249, 250, True)),
    ],
)
def test_an_excerpt_shows_the_match(line: bytes, start: int, end: int, shown: Excerpt) -> None:
    assert excerpt(line, start, end) == shown
