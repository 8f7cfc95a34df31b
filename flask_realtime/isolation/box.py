"""The contract between a run and the box that it runs in. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from flask_realtime.isolation.ending import Exit, Processes

if TYPE_CHECKING:
    from flask_realtime.currentrun import CurrentRun
    from flask_realtime.jobs import Job
    from flask_realtime.options import Options

__all__ = ["MAX_PROMPT", "Box", "Exit", "Launch", "Processes", "Prompt", "Watcher"]

MAX_PROMPT = 200  # characters of a prompt that a run's record keeps


@dataclass(frozen=True)
class Prompt:
    """A job waits for a line of input. `hidden`: what is typed must not be seen, nor kept.

    `text` is what it printed last, without a line's end: MAX_PROMPT characters at most.
    """

    hidden: bool = False
    text: str = ""


@dataclass(frozen=True)
class Launch:
    """What is to run. `prepare()` is called in the job's context before it, by a box that has one;
    by any other in a native thread of this process, before the job starts.

    `grace` is how long the run has to end once it was asked to, in seconds.
    """

    job: Job
    params: dict[str, Any]  # as Job.bind returned them
    run: CurrentRun
    prepare: Callable[[], None]
    options: Options
    grace: float


class Watcher(Protocol):
    """What a box tells of its run, each time in a greenlet of the hub."""

    def output(self, stream: int, data: bytes) -> None:
        """What the job printed, in order; may wait, and then the job waits too."""

    def waiting(self, prompt: Prompt | None) -> None:
        """The job waits for input, or no longer; does not wait."""

    def progress(self, done: float, total: float | None, label: str) -> None:
        """The job said how far it is; does not wait."""

    def ended(self, end: Exit) -> None:
        """It is over, and all its output was handed on. Called once, last."""


class Box(Protocol):
    """One run in its box. For greenlets of the hub's thread; nothing here waits but `report`."""

    deadly: bool  # whether `force` ends the run whatever it does

    def start(self) -> None:
        """Start the job; called once, first. What goes wrong is told by `Watcher.ended`."""

    def stop(self) -> None:
        """Ask the job to end."""

    def force(self) -> None:
        """End it as hard as the box can."""

    def end(self, reason: str) -> None:
        """As `force`, because of a bound that it broke: the run has failed with `reason`."""

    def input(self, data: bytes) -> None:
        """Give it `data` to read. Raises InputFull when it has not read what it was given."""

    def end_input(self) -> None:
        """What it was given to read is all."""

    def report(self) -> dict[str, Any]:
        """What it does now, as the protocol's `report` has it, as far as the box can tell.

        May wait some 2 s.
        """
