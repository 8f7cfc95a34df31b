"""How progress bars look: a line of text in, what it says out. No I/O.

The forms were taken from what tqdm 4, rich 14, pip, curl, wget, apt, git and docker compose print
(2026-11).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

MAX_LABEL = 80  # characters
MAX_LINE = 1000  # characters; a longer line is no bar


@dataclass(frozen=True)
class Progress:
    """How far a job is. `percent` is 0 to 100; None is what nobody knows.

    `source` is what said it: job, tqdm, rich or bar.
    """

    percent: float | None
    done: float | None
    total: float | None
    eta_seconds: float | None
    source: str
    label: str

    @property
    def finished(self) -> bool:
        return self.percent is not None and self.percent >= 100


_NUMBER = r"\d+(?:\.\d+)?"
_COUNT = _NUMBER + r"[kKMGTPEZY]?"
_TIME = r"\d+(?::\d\d){1,2}"
_SCALE = {letter: 1000.0**power for power, letter in enumerate("KMGTPEZY", 1)}

# "label:  45%|████▌     | 45/100 [00:10<00:12,  4.50it/s, loss=0.1]"
_TQDM = re.compile(
    rf"(?P<percent>\d{{1,3}})%\|[^|]*\|\s*(?P<done>{_COUNT})/(?P<total>{_COUNT})\s"
    rf"\[{_TIME}<(?P<eta>{_TIME}|\?)[,\]]"
)
# "label: 45it [00:10, 4.50it/s]"
_TQDM_OPEN = re.compile(
    rf"(?P<done>{_COUNT})\s?[A-Za-zµ]+\s\[{_TIME},\s*(?:\?|{_COUNT})\s?[^\s/\]]*/[^\s\]]+"
)
_RICH = re.compile("[━╸╺]{3,}")
# curl, wget, cargo, yum: "####", "[====>   ]", "[#####.....]"; and drawn with blocks
_DRAWN = re.compile(r"[█▏▎▍▌▋▊▉■▓▒░]{2,}|#{3,}|={3,}|[\[(|][#=>*.\- ]{4,}[\])|]")
_PERCENT = re.compile(rf"(?<![\w.,/-])({_NUMBER})\s?%(?![\w%])")
_PARTS = re.compile(
    rf"(?<![\w./:-])(?P<done>{_NUMBER})\s?(?P<unit>[kKMGT]?i?B)?\s?/\s?"
    rf"(?P<total>{_NUMBER})\s?(?P<units>[kKMGT]?i?B)?(?![\w/]|[.:]\d)"
)
_ETA = re.compile(
    rf"(?P<before>{_TIME})\s+ETA\b|%\s+(?P<last>{_TIME})\s*$"
    rf"|\b(?:eta|left|remaining)\b[:\s]*(?:(?P<clock>{_TIME})|(?=\d)(?:(?P<days>\d+)d\s?)?"
    r"(?:(?P<hours>\d+)h\s?)?(?:(?P<minutes>\d+)m(?:in)?\s?)?(?:(?P<seconds>\d+)s(?:ec)?)?\b)",
    re.IGNORECASE,
)
_CLOCK = re.compile(rf"(?<![\d:])(?:{_TIME}|-:--:--)(?![\d:])")
_AROUND_LABEL = " \t:·-–|[](){}<>=#.…,>+*\\/"  # what stands between a label and its bar
_FRAME = re.compile("[│┃║]")  # of a table
_SPINNER = re.compile("[\u2800-\u28ff]")  # braille


def bar_in(line: str, *, rewritten: bool, complete: bool = True) -> Progress | None:
    """What the bar in `line` says, if it is one.

    What only might be one, "45 %", counts in a line that was `rewritten`: text says such things.
    A line that is not `complete` may be cut anywhere.
    """
    if len(line) > MAX_LINE:
        return None
    bar = _read(line, rewritten=rewritten, complete=complete)
    if bar is not None and bar.finished:  # rich, pip and click then show the time that it took
        return replace(bar, eta_seconds=0.0)
    return bar


def _read(line: str, *, rewritten: bool, complete: bool) -> Progress | None:
    if "%|" in line and (found := _TQDM.search(line)):
        done, total = _count(found["done"]), _count(found["total"])
        percent = _percent_of(done, total)
        if percent is None:
            percent = min(float(found["percent"]), 100.0)
        eta = None if found["eta"] == "?" else _clock_seconds(found["eta"])
        return Progress(percent, done, total, eta, "tqdm", _label(line[: found.start()]))
    if line.rstrip().endswith("]") and (found := _TQDM_OPEN.search(line)):
        label = _label(line[: found.start()])
        return Progress(None, _count(found["done"]), None, None, "tqdm", label)
    if "━" in line and (found := _RICH.search(line)):
        return _measured(line, "rich", found)
    if rewritten and not _FRAME.search(line) and (complete or "%|" not in line):
        return _measured(line, "bar", _DRAWN.search(line))
    return None


def _measured(line: str, source: str, drawn: re.Match[str] | None) -> Progress | None:
    """What is said in percent, or as so many of so many."""
    percent = done = total = None
    begin = len(line) if drawn is None else drawn.start()
    if found := _PERCENT.search(line):
        percent = float(found[1])
        begin = min(begin, found.start())
    if parts := _PARTS.search(line):
        unit, units = parts["unit"] or parts["units"], parts["units"]
        counted = _percent_of(float(parts["done"]), float(parts["total"]))
        begin = min(begin, parts.start())
        # Not "512 kB / 2 MB", and nothing that counts something else than the percent beside it.
        if unit == units and counted is not None and abs(counted - (percent or counted)) <= 1.5:
            done, total = float(parts["done"]), float(parts["total"])
            percent = counted if percent is None else percent
    if percent is None or percent > 100:
        return None
    eta = _eta_in(line, is_rich=source == "rich")
    return Progress(round(percent, 1), done, total, eta, source, _label(line[:begin]))


def _percent_of(done: float | None, total: float | None) -> float | None:
    """None where there is none, or more is done than there is."""
    if done is None or not total or done > total:
        return None
    return round(100 * done / total, 1)


def _eta_in(line: str, *, is_rich: bool) -> float | None:
    if (found := _ETA.search(line)) and any(found.groups()):
        if clock := found["before"] or found["last"] or found["clock"]:
            return _clock_seconds(clock)
        days, hours, minutes, seconds = (
            int(found[unit] or 0) for unit in ("days", "hours", "minutes", "seconds")
        )
        return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
    if is_rich and (found := _CLOCK.search(line)):  # what remains stands first
        return None if "-" in found[0] else _clock_seconds(found[0])
    return None


def _clock_seconds(text: str) -> float:
    seconds = 0
    for part in text.split(":"):
        seconds = 60 * seconds + int(part)
    return float(seconds)


def _count(text: str) -> float:
    scale = _SCALE.get(text[-1].upper(), 0)
    return float(text[:-1]) * scale if scale else float(text)


def _label(text: str) -> str:
    return _SPINNER.sub("", text).strip(_AROUND_LABEL)[:MAX_LABEL].strip()
