"""What the keeper looks at from time to time: bounds, who waits for input, what a report asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_realtime.isolation.keeper import terminal
from flask_realtime.isolation.keeper.bounds import Bounds
from flask_realtime.isolation.keeper.feeder import Feeder
from flask_realtime.isolation.keeper.messages import Message
from flask_realtime.isolation.keeper.pump import Pump
from flask_realtime.isolation.keeper.sampling import Sample
from flask_realtime.isolation.keeper.tree import Tree
from flask_realtime.isolation.keeper.waiting import Input

SILENT_SECONDS = 0.2  # without output or input, before it looks whether somebody waits for input
LOOK_EVERY = 0.25
LONG_SILENT_SECONDS, SELDOM = 10.0, 1.0  # then it looks less often


class Looks:
    """`tell(message)` to the server; `broken(bound)` is called once a bound is broken.

    `now` is the time of a clock that only goes on, in seconds.
    """

    def __init__(
        self,
        setup: dict[str, Any],
        tree: Tree,
        pumps: list[Pump],
        feeder: Feeder,
        read: Input,
        *,
        tell: Callable[[Message], None],
        broken: Callable[[str], None],
        now: float,
    ) -> None:
        self._tree = tree
        self._pumps = pumps
        self._feeder = feeder
        self._input = read
        self._terminal = feeder.sink if setup["terminal"] else None
        self._tell = tell
        self._broken = broken
        self._bounds = Bounds(setup["cpu_seconds"], setup["memory_bytes"])
        self._next_bounds = now
        self._active_at = self._next_look = now
        self._waiting: Message | None = None
        self._samples: list[tuple[int, Sample]] = []

    def due(self) -> list[float]:
        """When to look next."""
        times = [self._next_look, *(sample.due for _, sample in self._samples)]
        return times if self._bounds.every is None else [*times, self._next_bounds]

    def active(self, now: float) -> None:
        """Output or input came: nobody waits, as far as is known."""
        self._active_at = now
        self._next_look = max(self._next_look, now + SILENT_SECONDS)
        self._say_waiting(None)

    def ask(self, report: int, now: float) -> None:
        """Tell of all processes once they were looked at for a while."""
        self._samples.append((report, Sample(self._tree.processes(), now)))

    def look(self, now: float) -> None:
        """Look at what is due."""
        if self._bounds.every is not None and now >= self._next_bounds:
            self._next_bounds = now + self._bounds.every
            if bound := self._bounds.broken(self._tree.processes()):
                self._broken(bound)
        for each in [each for each in self._samples if now >= each[1].due]:
            self._samples.remove(each)
            found = each[1].finish(self._tree.processes(), now)
            stuck = any(pump.full for pump in self._pumps)
            self._tell({"report": each[0], **found, "waiting_for_room": stuck})
        if now >= self._next_look:
            long = now - self._active_at > LONG_SILENT_SECONDS
            self._next_look = now + (SELDOM if long else LOOK_EVERY)
            self._look_for_waiting()

    def _look_for_waiting(self) -> None:
        by_key = self._terminal is not None and not terminal.by_line(self._terminal)
        if not self._input.is_awaited(self._tree.processes(), by_key=by_key):
            self._say_waiting(None)
        elif self._feeder.ended:
            self._feeder.repeat_end()
        else:
            hidden = self._terminal is not None and terminal.hides(self._terminal)
            self._say_waiting({"hidden": hidden, "bytes": [pump.bytes for pump in self._pumps]})

    def _say_waiting(self, waiting: Message | None) -> None:
        if waiting != self._waiting:
            self._waiting = waiting
            self._tell({"waiting": waiting})
