"""Executor `thread`: runs belong to this process, each in the box that its job wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask_realtime import host
from flask_realtime.errors import NotRunning
from flask_realtime.isolation.box import Box, Exit, Launch, Watcher
from flask_realtime.isolation.isolations import Maker


class ThreadExecutor:
    """Starts the runs of this process, and finds their boxes. For the hub's thread."""

    name = "thread"

    def __init__(self, isolations: Mapping[str, Maker]) -> None:
        self._isolations = isolations
        self._boxes: dict[str, Box] = {}
        self._ended = host.Signal()

    def start(self, launch: Launch, watcher: Watcher) -> None:
        """Start the run in a box of its own, which tells `watcher`."""
        run = launch.run.id
        make = self._isolations[launch.job.isolation]
        box = self._boxes[run] = make(launch, _Ending(watcher, lambda: self._forget(run)))
        box.start()

    def has(self, run: str) -> bool:
        """Whether the run goes on."""
        return run in self._boxes

    def box(self, run: str) -> Box:
        """The box of a run. Raises NotRunning when it is over, or was not started here."""
        box = self._boxes.get(run)
        if box is None:
            raise NotRunning(f"run {run[:64]} is not running: it has ended, or not begun yet")
        return box

    def wait_until(self, run: str, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the end of a run; True when it is over."""
        return host.wait_for(lambda: run not in self._boxes, self._ended, timeout)

    def _forget(self, run: str) -> None:
        del self._boxes[run]
        self._ended.set()


class _Ending:
    """Hands on what a box tells, and says when it is over."""

    def __init__(self, watcher: Watcher, over: Callable[[], None]) -> None:
        self.output = watcher.output
        self.waiting = watcher.waiting
        self.progress = watcher.progress
        self._watcher = watcher
        self._over = over

    def ended(self, end: Exit) -> None:
        self._over()
        self._watcher.ended(end)
