"""Looks for a pattern in the lines of an output that comes in pieces. No I/O."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from flask_realtime.search.ansi import AnsiFilter
from flask_realtime.search.excerpt import Excerpt, excerpt
from flask_realtime.search.searchpattern import Pattern

MAX_LINE = 1 << 18  # bytes; a longer line is looked through in parts of this size
OVERLAP = 1 << 13  # bytes that a part sees of the text before it; more than the longest plain text
CHARACTER = 4  # bytes, at most
# Bytes that are looked through at once, as many whole lines: a larger block costs less for each,
# but the time is looked at in between only, and RE2 at its slowest takes 0.2 s for the least one.
FIRST_BLOCK, LEAST_BLOCK, MOST_BLOCK = 1 << 17, 1 << 14, 1 << 18
LONG_SECONDS, SHORT_SECONDS = 0.05, 0.01  # for a block: the next one is smaller, or larger
FEED = b"\n"


@dataclass(frozen=True, slots=True)
class Match:
    """A line that holds a match: its number, the offset of its first byte, what it says."""

    line: int
    offset: int
    excerpt: Excerpt


@dataclass(slots=True)
class _Line:
    """The line that the next byte belongs to, and what is known of it already."""

    number: int
    offset: int  # of its first byte
    text: bytes = b""  # the end of what has come of it, without escape sequences
    is_whole: bool = True  # whether `text` is all that has come of it
    seen: int = 0  # bytes of `text` in which there is nothing more to be found
    found: bool = False  # it is among the matches

    @property
    def is_unfinished(self) -> bool:
        return not self.found and self.seen < len(self.text)


class LineSearch:
    r"""Finds the lines that hold a match, with the first one in each, by what was displayed.

    Escape sequences are taken out, and so is a "\r" before a line feed; what a "\r" elsewhere let
    be overwritten is searched all the same.

    `offset` is where the output begins that is to be added. It lies in the line `line`, whose first
    byte has the offset `line_offset`, and `before` is what comes right before it in that line.
    Not for two threads at once; `work` computes and is for a native thread.
    """

    def __init__(
        self,
        pattern: Pattern,
        limit: int,
        *,
        offset: int = 0,
        line: int = 1,
        line_offset: int | None = None,
        before: bytes = b"",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.matches: list[Match] = []
        self.offset = offset  # all before it was looked through
        self._pattern = pattern
        self._limit = limit
        self._clock = clock
        self._block = FIRST_BLOCK
        self._waiting = b""  # the output from `offset` on
        self._plain = AnsiFilter()
        start = offset if line_offset is None else line_offset
        text = self._plain.feed(before)
        # Who came so far has left the last character for now.
        seen = _last_character(text)
        self._line = _Line(line, start, text, start + len(before) == offset, seen)

    @property
    def full(self) -> bool:
        """Whether as many lines were found as were asked for."""
        return len(self.matches) >= self._limit

    @property
    def found_line(self) -> int | None:
        """The line that `offset` lies in, if it is among the matches: go on behind its end."""
        return self._line.number if self._line.found else None

    def add(self, data: bytes) -> None:
        """Say how the output goes on."""
        self._waiting += data

    def skip(self, offset: int, line: int) -> None:
        """What would come next is gone: the output goes on at `offset`, in `line`."""
        self._waiting = b""
        self.offset = offset
        self._begin(_Line(line, offset))

    def work(self, until: float, *, is_end: bool = False) -> bool:
        """Look through what was added: a block, and more up to the time `until` of the clock.

        True when nothing of it is left but a line whose end has not come; at the end of the output
        that line is looked through as well. False when time is up, or when it is `full`.
        """
        data, at = self._waiting, 0
        try:
            while not self.full:
                end = self._block_end(data, at, is_end)
                is_last = is_end and end == len(data)
                if end == at and not (is_last and self._line.is_unfinished):
                    return True
                begin = self._clock()
                if begin >= until and at:
                    return False
                self._look_through(data[at:end], is_last)
                self._adapt(self._clock() - begin)
                at = end
            return False
        finally:
            self._waiting = data[at:]

    def _block_end(self, data: bytes, at: int, is_end: bool) -> int:
        """Where the next block ends; `at` itself when there is not enough for one."""
        end = data.rfind(FEED, at, at + self._block) + 1
        if end == 0:
            end = data.find(FEED, at + self._block, at + MAX_LINE) + 1
        if end == 0 and len(data) - at >= MAX_LINE:
            end = at + MAX_LINE
        return end or (len(data) if is_end else at)

    def _adapt(self, seconds: float) -> None:
        if seconds > LONG_SECONDS:
            self._block = max(LEAST_BLOCK, self._block // 4)
        elif seconds < SHORT_SECONDS:
            self._block = min(MOST_BLOCK, self._block * 2)

    def _begin(self, line: _Line) -> None:
        self._line = line
        self._plain = AnsiFilter()  # no sequence goes on in another line

    def _look_through(self, raw: bytes, is_end: bool) -> None:
        """Look through a block: lines up to their ends, or a part of one without its end."""
        if self._line.found:  # its first match is all that is wanted
            end = raw.find(FEED) + 1
            self.offset += end or len(raw)
            raw = raw[end:] if end else b""
            if end:
                self._begin(_Line(self._line.number + 1, self.offset))
            if not raw:
                return
        is_lines = self._line.offset == self.offset and raw.endswith(FEED)
        if is_lines and not self._pattern.may_be_in(raw):
            self._pass_lines(raw)
            return
        text = self._line.text + self._plain.feed(raw)
        if b"\r" in text:
            text = text.replace(b"\r\n", FEED)
        is_complete = is_end or raw.endswith(FEED)
        # What is the last character so far may not be the line's last one: it is for the next part.
        stop = len(text) if is_complete else _last_character(text)
        self._find(raw, text, stop, is_complete)
        if self.full:  # go on behind the last line, with what comes behind it in `raw`
            behind = raw.split(FEED, self.matches[-1].line + 1 - self._line.number)
            if not self._line.found:
                raw = raw[: len(raw) - len(behind[-1])]
        if raw.endswith(FEED):
            self._pass_lines(raw)
        else:
            self.offset += len(raw)
            kept = text[-OVERLAP:]
            self._line.is_whole = self._line.is_whole and len(kept) == len(text)
            self._line.seen = max(0, stop - (len(text) - len(kept)))
            self._line.text = kept

    def _pass_lines(self, raw: bytes) -> None:
        """Go on behind `raw`, which ends with a line."""
        self.offset += len(raw)
        self._begin(_Line(self._line.number + raw.count(FEED), self.offset))

    def _find(self, raw: bytes, text: bytes, stop: int, is_complete: bool) -> None:
        """Add the lines in `text` that match before `stop`; `raw` is what came last of it."""
        line = self._line
        # What is before it is seen as its context.
        at = 0 if line.is_whole else min(CHARACTER, line.seen)
        number, counted = line.number, 0
        starts: list[int] | None = None  # of the lines in `raw`
        while at < stop and (span := self._pattern.find(text, at, stop)) is not None:
            start, end = span
            if end <= line.seen and start < line.seen:
                at = max(end, start + 1)
                continue
            first = text.rfind(FEED, 0, start) + 1
            last = text.find(FEED, start)
            if first == len(text):  # behind the last line feed, where no line is
                return
            number += text.count(FEED, counted, first)
            counted = first
            offset = line.offset
            if number > line.number:
                if starts is None:
                    starts = [feed.end() for feed in re.finditer(FEED, raw)]
                offset = self.offset + starts[number - line.number - 1]
            found = excerpt(
                text[first : last if last >= 0 else len(text)],
                start - first,
                end - first,
                is_whole=is_complete and (first > 0 or line.is_whole),
            )
            self.matches.append(Match(number, offset, found))
            if last < 0:
                line.found = True
                return
            if self.full:
                return
            at = last + 1


def _last_character(text: bytes) -> int:
    """Where the last character of `text` begins; a "\\r" behind it may belong to the line's end."""
    end = len(text) - text.endswith(b"\r")
    at = end - 1
    while at > end - CHARACTER and at > 0 and text[at] & 0xC0 == 0x80:
        at -= 1
    return max(0, at)
