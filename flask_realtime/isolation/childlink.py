"""What this process hears from the child that runs a job's function, and says to it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from flask_realtime import host
from flask_realtime.currentrun import CurrentRun
from flask_realtime.isolation import control
from flask_realtime.isolation.box import Exit, Launch, Watcher
from flask_realtime.isolation.dumps import take_dump
from flask_realtime.isolation.line import Line

logger = logging.getLogger(__name__)

SILENT = (
    "Its interpreter does not answer: C code may hold the lock. Only threads that compute are "
    "shown; to look at one that waits would end its wait."
)


class Shown(NamedTuple):
    """The threads of a child as a report has them, and why there are no others, or empty."""

    threads: list[dict[str, Any]]
    note: str = ""


def first_order(launch: Launch) -> bytes:
    """What the child hears first, of a job that has a function."""
    job, run = launch.job, launch.run
    assert job.reference is not None
    return control.encode(
        control.start_order(
            job.name,
            job.reference.public(),
            job.wire(launch.params),
            {"id": run.id, "job": run.job, "user": run.user},
        )
    )


class ChildLink:
    """The control socket, on the hub. `end` is how the job ended, once the child has said so.

    `hides(hidden)` is called when it begins to read what is to be hidden, and ceases to.
    """

    def __init__(
        self,
        connected: socket.socket,
        first: bytes,
        run: CurrentRun,
        watcher: Watcher,
        hides: Callable[[bool], None],
    ) -> None:
        self.end: Exit | None = None
        self._dumps: control.Dumps | None = None
        self._run = run
        self._watcher = watcher
        self._hides = hides
        self._line = Line(connected)
        self._lines = control.Lines(control.MAX_TELL)
        self._reports = 0
        self._threads: dict[int, list[dict[str, Any]]] = {}
        self._changed = host.Signal()
        self._line.say(first)
        self._listening = host.spawn(self._listen)

    def stop(self, *, interrupt: bool = False) -> None:
        """Let `running()` be False."""
        self._say(control.stop_order(interrupt=interrupt))

    def threads(self, pid: int, seconds: float) -> Shown:
        """What the child `pid` tells of its threads.

        Waits `seconds` for its answer, and as long for stacks that C code leaves it to write.
        """
        self._reports += 1
        number = self._reports
        self._say(control.report_order(number))
        host.wait_for(lambda: number in self._threads, self._changed, seconds)
        threads = self._threads.pop(number, None)
        if threads is not None:
            return Shown(threads)
        if self._dumps is not None:
            with suppress(OSError):  # it has ended
                return Shown(host.offload(take_dump, pid, self._dumps, seconds), SILENT)
        return Shown([], SILENT)

    def close(self) -> None:
        """Nobody is left who would say more: take what was said, and close."""
        self._listening.kill()
        while data := self._line.read_now():
            self._hear(data)
        self._line.close()

    def _say(self, message: dict[str, object]) -> None:
        self._line.say(control.encode(message))

    def _listen(self) -> None:
        while data := self._line.read():
            self._hear(data)

    def _hear(self, data: bytes) -> None:
        try:
            for message in self._lines.feed(data):
                self._heed(control.read_tell(message))
        except control.BadMessage as fault:
            # The job's own code may write there, and what comes after is no message either.
            logger.warning("run %s: its process said %s", self._run.id, fault)
            self._lines = control.Lines(control.MAX_TELL)

    def _heed(self, tell: control.Tell) -> None:
        match tell:
            case control.Progress():
                self._watcher.progress(tell.done, tell.total, tell.label)
            case control.Mask():
                with suppress(ValueError):  # too short to be one; the child has told the job so
                    self._run.secrets.add(tell.secret)
                self._say(control.masked_order(tell.number))
            case control.Hidden():
                self._hides(tell.hidden)
                self._say(control.masked_order(tell.number))
            case control.Threads():
                if tell.number <= self._reports:
                    self._threads[tell.number] = tell.threads
                    self._changed.set()
            case Exit():
                self.end = tell
            case control.Ready():
                self._dumps = tell.dumps
