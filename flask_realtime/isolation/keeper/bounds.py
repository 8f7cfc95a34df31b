"""The bounds of a run: CPU time and memory of all its processes together."""

from __future__ import annotations

import os

from flask_realtime.isolation.keeper import procfs

# Memory is taken faster than CPU time: a GiB in some 0.3 s.
MEMORY_EVERY, CPU_EVERY = 0.05, 0.25  # s


class Bounds:
    """None: no bound."""

    def __init__(self, cpu_seconds: float | None, memory_bytes: int | None) -> None:
        self._cpu_seconds = cpu_seconds
        self._memory_bytes = memory_bytes
        self.every = MEMORY_EVERY if memory_bytes else CPU_EVERY if cpu_seconds else None

    def broken(self, processes: list[procfs.Process]) -> str | None:
        """The bound that `processes`, all there are, have broken: "cpu", "memory" or None."""
        if self._cpu_seconds is not None and cpu_seconds(processes) > self._cpu_seconds:
            return "cpu"
        if self._memory_bytes is not None and self._takes_too_much(processes):
            return "memory"
        return None

    def _takes_too_much(self, processes: list[procfs.Process]) -> bool:
        """What several share is first counted for each, which is quick and too much."""
        assert self._memory_bytes is not None
        pids = [process.pid for process in processes]
        if sum(map(procfs.memory, pids)) <= self._memory_bytes:
            return False
        # Where the kernel does not tell of shares there is only the first count.
        shares = [procfs.share(pid) or procfs.memory(pid) for pid in pids]
        return sum(shares) > self._memory_bytes


def cpu_seconds(processes: list[procfs.Process]) -> float:
    """What they have used, and all that ended before and came to the keeper."""
    ended = os.times()
    live = sum(process.ticks for process in processes) / procfs.TICKS
    return live + ended.children_user + ended.children_system
