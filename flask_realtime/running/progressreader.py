"""Reads progress bars from what a job prints: the raw bytes, cut anywhere. No I/O, no clock.

A reader keeps the end of the output and looks at it when it is asked to, so a flood costs it next
to nothing. What it finds depends on that end alone, and not on how the output was cut.
"""

from __future__ import annotations

import codecs
import re
from collections import deque
from dataclasses import replace

from flask_realtime.running.barforms import Progress, bar_in

WINDOW = 1 << 13  # bytes of the output's end that are looked at
RECENT = 16  # times that the cursor went up
LEAST_SECONDS = 1.0  # of a bar's life before its speed says when it ends

# In the window of a bar is at least one of these; most output has none.
_SIGNS = (b"\r", b"\x08", b"\x1b[", b"%|", b"/s", "━".encode())

# What moves no cursor and erases nothing that a bar was in; grep and gcc erase to the line's end.
_IGNORED = re.compile(
    r"\x1b\[(?:[0-9;:?<>=]*[^0-9;:?<>=ABCEFGHJKfsu]|[01]?[JK])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][0-9A-Z]|\x1b[=>]|\x07"
)
_FORWARD = re.compile(r"\x1b\[[0-9]*C")
_CONTROL = re.compile(
    r"\r?\n|\r|\x08+|\x1b\[(?P<numbers>[0-9;]*)(?P<final>[A-Za-z])|\x1b(?P<single>[78DEM])"
)
_UNFINISHED = re.compile(r"(?:\r|\x1b(?:\[[0-9;:?]*|\][^\x07\x1b]*)?)\Z")
_BEGIN = re.compile(r"[\r\n]")


class ProgressReader:
    """For one run: `feed` it all output, and `read` now and then."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._whole = True  # the pieces are all of the output
        self._fresh = False  # something came since the last look
        self._kept: Progress | None = None  # what was sure at the last look
        self._shown: Progress | None = None
        self._speed = Speed()

    def feed(self, data: bytes) -> None:
        """Take the next piece of output."""
        self._fresh = True
        if len(data) >= WINDOW:
            self._whole = self._whole and not self._size and len(data) == WINDOW
            self._pieces = [data[-WINDOW:]]
            self._size = WINDOW
            return
        self._pieces.append(data)
        self._size += len(data)
        if self._size > 4 * WINDOW or len(self._pieces) > 1000:
            self._gather()

    def read(self, now: float) -> Progress | None:
        """The last progress that was printed, None before any; `now` in seconds."""
        if self._fresh:
            self._fresh = False
            self._gather()
            sure, latest = last_progress(self._pieces[0], whole=self._whole)
            self._kept = sure or self._kept
            self._shown = latest or self._kept
        if self._shown is None:
            return None
        return self._speed.with_eta(self._shown, now)

    def _gather(self) -> None:
        """Let the window be one piece."""
        window = b"".join(self._pieces)
        self._whole = self._whole and len(window) <= WINDOW
        self._pieces = [window[-WINDOW:]]
        self._size = len(self._pieces[0])


class Speed:
    """Tells from the speed of a bar when it will be full, if the bar itself does not."""

    def __init__(self) -> None:
        self._bar: tuple[object, ...] = ()
        self._since = 0.0
        self._begin = 0.0  # percent at that time
        self._at = 0.0  # the newest percent, and when it came
        self._when = 0.0

    def with_eta(self, progress: Progress, now: float) -> Progress:
        """`progress` with an ETA if there is one; `now` in seconds."""
        if progress.eta_seconds is not None or progress.percent is None:
            return progress
        bar = (progress.source, progress.label, progress.total)
        if bar != self._bar or progress.percent < self._at:
            self._bar = bar
            self._begin = self._at = progress.percent
            self._since = self._when = now
        elif progress.percent > self._at:
            self._at, self._when = progress.percent, now
        if progress.finished:
            return replace(progress, eta_seconds=0.0)
        if self._when - self._since < LEAST_SECONDS:
            return progress
        left = (100 - self._at) * (self._when - self._since) / (self._at - self._begin)
        return replace(progress, eta_seconds=float(max(0, round(left - (now - self._when)))))


def last_progress(window: bytes, *, whole: bool) -> tuple[Progress | None, Progress | None]:
    """What the last bar of an output's end says: without the unfinished last line, and with it.

    `whole`: the window is all of the output. Otherwise its first line may be cut and is left out.
    """
    if not any(sign in window for sign in _SIGNS):
        return None, None
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(window)
    text = _FORWARD.sub(" ", _IGNORED.sub("", _UNFINISHED.sub("", text)))
    if not whole:
        begin = _BEGIN.search(text)
        if begin is None:
            return None, None
        text = text[begin.start() :]
    rows = _Rows()
    at = 0
    for control in _CONTROL.finditer(text):
        rows.write(text[at : control.start()])
        rows.move(control)
        at = control.end()
    sure = rows.progress
    rows.write(text[at:], complete=False)
    return sure, rows.progress


class _Rows:
    """The rows of a terminal as far as bars need them: in which row which bar was drawn last.

    Bars that are drawn together are a block; of those the outermost counts, the topmost that is not
    full. A block reaches up as far as the cursor has come back to of late: what is above was left.
    """

    def __init__(self) -> None:
        self.progress: Progress | None = None  # what counted when a bar was drawn last
        self._row = 0
        self._lowest = -1  # of the rows that something was written to
        self._saved = 0
        self._rewritten = False  # what comes is written over something
        self._in_frame = False  # the cursor went up to draw the block again
        self._reached: deque[int] = deque([0], RECENT)  # rows, by going up
        self._bars: dict[int, Progress] = {}
        self._newest = 0  # the row of the bar that was drawn last

    def write(self, text: str, *, complete: bool = True) -> None:
        if not text:
            return
        if text.isspace():
            self._bars.pop(self._row, None)
            return
        bar = bar_in(text, rewritten=self._rewritten, complete=complete)
        is_new = self._row > self._lowest
        self._lowest = max(self._lowest, self._row)
        if is_new and not (bar and self._in_frame):
            self._reached.clear()
            self._reached.append(self._row)
            self._in_frame = False
        if bar is not None:
            self._bars[self._row] = bar
            self._newest = self._row
            self._choose()
        elif self._in_frame or not self._rewritten:
            self._bars.pop(self._row, None)

    def _choose(self) -> None:
        top = min(self._reached)
        block = [self._bars[row] for row in sorted(self._bars) if row >= top]
        if block:
            unfinished = (each for each in block if not each.finished)
            self.progress = next(unfinished, self._bars.get(self._newest, block[0]))

    def move(self, control: re.Match[str]) -> None:
        sequence, final = control[0], control["final"]
        if sequence.endswith("\n") or control["single"] in ("D", "E"):
            self._row += 1
            self._rewritten = self._row <= self._lowest
            return
        self._rewritten = True
        number = int(control["numbers"].split(";")[0] or 0) if final else 0
        if final in ("A", "F") or control["single"] == "M":
            self._go_to(self._row - max(number, 1))
        elif final in ("B", "E"):
            self._row += max(number, 1)
        elif final in ("H", "f"):
            self._go_to(number)
        elif final == "K":
            self._bars.pop(self._row, None)
        elif final == "J":
            self._bars.clear()
        elif final == "s" or control["single"] == "7":
            self._saved = self._row
        elif final == "u" or control["single"] == "8":
            self._row = self._saved

    def _go_to(self, row: int) -> None:
        self._row = row
        self._in_frame = True
        self._reached.append(row)
        self._choose()
