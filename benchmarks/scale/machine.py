"""What the machine had left for a measurement that shared it, and how a bound was met."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil


@dataclass
class Share:
    """CPU seconds of a stretch of time, on all cores; complete once the stretch has ended.

    `ours` is what the processes that belong to the measurement used, `others` what all else did.
    """

    cores: int
    seconds: float = 0.0
    ours: float = 0.0
    others: float = 0.0
    ended: list[float] = field(default_factory=list)

    @property
    def free_cores(self) -> float:
        """How many cores the measurement could have: all but what others used."""
        return self.cores - self.others / self.seconds if self.seconds else float(self.cores)


@contextmanager
def shared() -> Iterator[Share]:
    """What this process and its children use of the machine meanwhile, and what others do."""
    share = Share(os.cpu_count() or 1)
    begin, used, own = time.monotonic(), _used(), _own()
    try:
        yield share
    finally:
        share.seconds = time.monotonic() - begin
        share.ours = _own() - own
        share.others = max(0.0, _used() - used - share.ours)


def _used() -> float:
    """CPU seconds of the whole machine that were not idle."""
    times = psutil.cpu_times()
    return float(sum(times)) - times.idle - times.iowait - times.guest - times.guest_nice


def _own() -> float:
    """CPU seconds of this process and all below it, those that have ended included."""
    total = 0.0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def verdict(value: float, wanted: float, *, at_least: bool = False) -> str:
    """ "pass" or "miss": whether `value` is below `wanted`, or is that at least."""
    return "pass" if (value >= wanted if at_least else value < wanted) else "miss"


def below(value: float, wanted: float, unit: str) -> str:
    """The value with its unit, and whether it is below what it has to be."""
    return f"{value:>10,.1f} {unit}  (wanted: below {wanted:g}; {verdict(value, wanted)})"
