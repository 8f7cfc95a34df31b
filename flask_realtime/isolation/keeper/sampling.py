"""What the processes of a run do, from two looks at them."""

from __future__ import annotations

import time
from typing import Any

from flask_realtime.isolation.keeper import procfs

SECONDS = 0.4  # between the looks; CPU time is told in steps of 10 ms
COMPUTING = 10  # percent
MOST = 200  # processes that are told of
MOST_COMMAND = 500  # characters of a command line


class Sample:
    """The first look; `finish` is the second."""

    def __init__(self, processes: list[procfs.Process], now: float) -> None:
        self.due = now + SECONDS
        self._at = now
        self._ticks = {process.pid: process.ticks for process in processes}
        self._running = {process.pid for process in processes if process.state == "R"}

    def finish(self, processes: list[procfs.Process], now: float) -> dict[str, Any]:
        """All processes as the protocol's `report` has them; `cpu_percent` of all together.

        100 is one CPU. Of a process that came between the looks all that it used counts.
        `computing`: much of a CPU was used, or wanted at both looks and had by others.
        """
        seconds = max(now - self._at, 0.01)
        boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        used = {
            process.pid: 100 * (process.ticks - self._ticks.get(process.pid, 0)) / procfs.TICKS
            for process in processes
        }
        told = [
            {
                "pid": process.pid,
                "parent": process.parent,
                "command": procfs.command(process.pid)[:MOST_COMMAND],
                "state": process.state,
                "cpu_percent": round(used[process.pid] / seconds, 1),
                "memory_bytes": procfs.memory(process.pid),
                "seconds": round(max(0.0, boot - process.began / procfs.TICKS), 1),
            }
            for process in processes[:MOST]
        ]
        percent = round(sum(used.values()) / seconds, 1)
        running = {process.pid for process in processes if process.state == "R"}
        computing = percent >= COMPUTING or bool(running & self._running)
        return {"processes": told, "cpu_percent": percent, "computing": computing}
