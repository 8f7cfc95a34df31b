"""The search in a run's output, over a log that is in memory: gaps, time, turns, who leaves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_realtime import host
from flask_realtime.errors import ArchiveUnavailable, BadLine, BadOffset, LineGone, TooManySearches
from flask_realtime.search import runsearch
from flask_realtime.search.runsearch import RunSearch, Turns
from flask_realtime.search.searchpattern import Pattern
from flask_realtime.tail import Chunk, Gap, Item
from tests.support.hub import until


class MemoryLog:
    """A run's output in memory, in chunks of `size`; bytes [a, b) of each of `gaps` are gone."""

    def __init__(self, output: bytes, gaps: tuple[tuple[int, int], ...] = (), size: int = 7):
        self.output = output
        self.gaps = gaps
        self.size = size
        self.reads = 0

    def end(self, run: str) -> int:
        return len(self.output)

    def line_of(self, run: str, offset: int) -> int:
        for first, end in self.gaps:
            if first <= offset < end:
                offset = end
        return 1 + self.output.count(b"\n", 0, offset)

    def offset_of_line(self, run: str, line: int) -> int:
        if line > 1 + self.output.count(b"\n"):
            raise BadLine(f"no line {line}")
        offset = 0
        for _ in range(line - 1):
            offset = self.output.index(b"\n", offset) + 1
        if any(first <= offset - 1 < end or first <= offset < end for first, end in self.gaps):
            raise LineGone(f"line {line} is gone")
        return offset

    def read(self, run: str, offset: int, max_bytes: int, entries: int) -> list[Item]:
        self.reads += 1
        items: list[Item] = []
        while offset < len(self.output) and len(items) < 3:
            end = min(offset + self.size, len(self.output))
            for first, last in self.gaps:
                if first <= offset < last:
                    items.append(Gap(offset, last, self.line_of(run, last)))
                    offset = last
                    break
                if offset < first < end:
                    end = first
            else:
                line = self.line_of(run, offset)
                items.append(Chunk(offset, 0, 1, self.output[offset:end], line))
                offset = end
        return items


def find(log: Any, query: str, *, after: int = 0, limit: int = 100, **how: Any) -> dict[str, Any]:
    gone = how.pop("gone", lambda: False)
    return RunSearch(log).find("run", Pattern(query, **how), after=after, limit=limit, gone=gone)


def test_an_answer_says_all_there_is_to_say() -> None:
    log = MemoryLog(b"first\n\x1b[31msec\x1b[0mond\r\nthird")
    assert find(log, "CO", limit=1) == {
        "matches": [
            {"line": 2, "offset": 6, "text": "second", "start": 2, "end": 4, "cut": False},
        ],
        "next": log.output.index(b"third"),
        "searched": log.output.index(b"third"),
        "end": len(log.output),
    }
    assert find(log, "CO")["next"] is None
    assert find(log, "CO")["searched"] == len(log.output)
    assert find(log, "CO", match_case=True)["matches"] == []


@given(
    st.lists(st.sampled_from([b"ab", b"b\n", b"\n", b"\r\n", b"\x1b[1m", b"a"]), max_size=30),
    st.integers(1, 9),
    st.integers(1, 3),
)
def test_pages_of_answers_hold_each_line_once(parts: list[bytes], size: int, limit: int) -> None:
    log = MemoryLog(b"".join(parts), size=size)
    whole = find(log, "b")["matches"]
    assert [each["line"] for each in whole] == [
        number for number, line in enumerate(log.output.split(b"\n"), 1) if b"b" in line
    ]
    paged, after = [], 0
    while after is not None:
        answer = find(log, "b", after=after, limit=limit)
        assert len(answer["matches"]) <= limit
        paged += answer["matches"]
        after = answer["next"]
    assert paged == whole


def test_any_offset_can_be_begun_at() -> None:
    line = "ä€ \x1b[31mred\x1b[0m needle..\n".encode()
    log = MemoryLog(line * 3)
    for after in range(len(log.output) + 1):
        answer = find(log, "needle", after=after)
        assert answer["end"] == len(log.output)
        assert answer["searched"] == len(log.output) - after
        assert [each["line"] for each in answer["matches"]] == [
            number for number in (1, 2, 3) if number * len(line) - 3 >= after
        ]
        assert all(each["text"] == "ä€ red needle.." for each in answer["matches"])
    with pytest.raises(BadOffset, match="beyond"):
        find(log, "needle", after=len(log.output) + 1)


def test_what_is_gone_is_passed_over_and_lines_count_on() -> None:
    output = b"needle 1\nneedle 2\nneedle 3\nneedle 4\n"
    log = MemoryLog(output, gaps=((3, 4), (15, 22)))
    answer = find(log, "needle|nee|le", is_regex=True)
    assert [(each["line"], each["offset"]) for each in answer["matches"]] == [
        *((1, 0), (1, 4), (2, 9), (3, 22), (4, 27))
    ]
    assert answer["searched"] == len(output) - 1 - 7
    assert find(log, "needle", after=5)["matches"][0]["line"] == 2
    assert find(MemoryLog(output, gaps=((0, len(output)),)), "needle") == {
        **{"matches": [], "next": None},
        **{"searched": 0, "end": len(output)},
    }


def test_a_search_goes_on_behind_a_line_that_ends_in_a_gap() -> None:
    log = MemoryLog(b"needle 1\nneedle 2\nneedle 3\n", gaps=((7, 12), (24, 27)))
    found, after = [], 0
    while after is not None:
        answer = find(log, "needle|dle", after=after, limit=1, is_regex=True)
        found += [(match["line"], match["offset"]) for match in answer["matches"]]
        assert answer["next"] is None or answer["next"] > after
        after = answer["next"]
    assert found == [(1, 0), (2, 12), (3, 18)]


def test_what_cannot_be_read_is_said_and_the_turn_is_given_back() -> None:
    class Away(MemoryLog):
        def read(self, *asked: Any) -> list[Item]:
            if self.reads > 2:
                raise ArchiveUnavailable("the archive is away")
            return super().read(*asked)

    searches = RunSearch(Away(b"straw\n" * 100))  # type: ignore[arg-type]
    for _ in range(2 * runsearch.AT_ONCE):
        with pytest.raises(ArchiveUnavailable):
            searches.find("run", Pattern("needle"), after=0, limit=1, gone=lambda: False)


def test_slow_reads_end_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runsearch, "SECONDS", 0.0)
    log = MemoryLog(b"straw\n" * 100, size=60)
    answer = find(log, "needle")
    assert 0 < answer["next"] < 600
    assert answer["searched"] == answer["next"]


def test_time_that_is_up_says_where_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runsearch, "SECONDS", 0.0)
    log = MemoryLog(b"straw\n" * 200_000 + b"needle\n", size=1 << 20)
    after, requests = 0, 0
    while True:
        answer = find(log, "needle", after=after)
        requests += 1
        if answer["next"] is None:
            break
        assert after < answer["next"] <= len(log.output)
        assert answer["searched"] == answer["next"] - after
        assert answer["matches"] == []
        after = answer["next"]
    assert requests > 1
    assert [each["line"] for each in answer["matches"]] == [200_001]


def test_a_costly_pattern_is_left_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runsearch, "SECONDS", 0.3)
    log = MemoryLog((b"a" * 199 + b"\n") * 20_000, size=1 << 20)
    answer = find(log, "(?:a?){900}c", is_regex=True)
    assert 0 < answer["next"] < len(log.output)


def test_a_client_that_left_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for between two reads, and between two turns of the search in what was read."""
    monkeypatch.setattr(runsearch, "TURN_SECONDS", 0.0)
    log = MemoryLog(b"straw\n" * 200_000, size=1 << 18)
    answers: list[bool] = []

    def gone() -> bool:
        answers.append(len(answers) >= 3)
        return answers[-1]

    answer = find(log, "needle", gone=gone)
    assert answers == [False, False, False, True]
    assert 0 < answer["searched"] < len(log.output)


def test_the_hub_goes_on_while_a_search_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runsearch, "SECONDS", 0.5)
    log = MemoryLog((b"a" * 199 + b"\n") * 20_000, size=1 << 20)
    ticks = []

    def tick() -> None:
        while not done:
            ticks.append(1)
            host.sleep(0.01)

    done: list[dict[str, Any]] = []
    ticking = host.spawn(tick)
    done.append(find(log, "(?:a?){900}c", is_regex=True))
    ticking.wait()
    assert len(ticks) > 5


def test_so_many_search_at_once_and_so_many_wait() -> None:
    turns = Turns(1, 1)
    order: list[str] = []

    def wait() -> None:
        with turns.take(10):
            order.append("waited")

    with turns.take(0):
        waiting = host.spawn(wait)
        until(lambda: turns._places == 0)
        with pytest.raises(TooManySearches, match="waiting already"), turns.take(0):
            pass
        order.append("first")
    waiting.wait()
    assert order == ["first", "waited"]
    with turns.take(0):
        with pytest.raises(TooManySearches, match="taken all"), turns.take(0.01):
            pass
        assert TooManySearches("").status == 429
    with turns.take(0):
        pass
